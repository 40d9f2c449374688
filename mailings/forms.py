"""Input checks: what a page accepts, and the sentence for what it does not."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, ngettext

from thrive_sync.lib.addresses import address_key, is_address
from thrive_sync.lib.words import number

from .choices import MailingStatus
from .models import Mailing
from .send.render import NOT_ASCII, is_ascii_address

MOST_ADDRESSES = 2_000
MOST_TOLD = 5
MOST_TESTED = 10  # addresses of a test
FARTHEST = timedelta(days=366)


class MailingFilterForm(forms.Form):
    """The filters of Mailings. An unknown value filters nothing instead of failing: addresses get old."""

    status = forms.ChoiceField(choices=[("", gettext_lazy("All statuses")), *MailingStatus.choices], required=False)

    def chosen(self) -> dict[str, Any]:
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class _Form(forms.Form):
    """Ties hint and error of each field to its control, for those who hear the page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.setdefault("class", "form-control")
            described = [f"{name}-hint"] if field.help_text else []
            if self.is_bound and self.has_error(name):
                described.append(f"{name}-error")
                field.widget.attrs["aria-invalid"] = "true"
            if described:
                field.widget.attrs["aria-describedby"] = " ".join(described)


class MailingForm(_Form):
    """A mailing's head and text. A draft may lack anything but a name; what stands there must be well-formed."""

    name = forms.CharField(
        label=gettext_lazy("Mailing name"),
        max_length=200,
        help_text=gettext_lazy("For you and your colleagues; recipients don't see it."),
        error_messages={"required": gettext_lazy("Give the mailing a name.")},
    )
    from_name = forms.CharField(
        label=gettext_lazy("From name"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Who recipients see as the sender."),
    )
    from_email = forms.CharField(
        label=gettext_lazy("From address"),
        max_length=254,
        required=False,
        help_text=gettext_lazy("An address of your own domain that the mail server may send for."),
        widget=forms.EmailInput(attrs={"spellcheck": "false"}),
    )
    reply_to = forms.CharField(
        label=gettext_lazy("Reply-to address"),
        max_length=254,
        required=False,
        help_text=gettext_lazy("Where answers go. Empty: to the from address."),
        widget=forms.EmailInput(attrs={"spellcheck": "false"}),
    )
    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=300, required=False)
    preheader = forms.CharField(
        label=gettext_lazy("Preheader"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("What an inbox shows beside the subject. HTML messages only."),
    )
    html = forms.CharField(
        label=gettext_lazy("HTML"),
        max_length=200_000,
        required=False,
        strip=False,
        help_text=gettext_lazy(
            "Empty: the message goes out as text alone. Write CSS into <style>; it is moved into the tags."
        ),
        widget=forms.Textarea(attrs={"rows": 16, "spellcheck": "false", "autocapitalize": "off"}),
    )
    text = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=100_000,
        required=False,
        strip=False,
        help_text=gettext_lazy(
            "For readers without HTML. Empty: made from the HTML. The unsubscribe link and your postal address are "
            "added below both."
        ),
        widget=forms.Textarea(attrs={"rows": 12}),
    )

    not_to_addresses = forms.CharField(
        label=gettext_lazy("Do not send to these addresses"),
        max_length=200_000,
        required=False,
        help_text=gettext_lazy("One a line, or with commas between them."),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocapitalize": "off"}),
    )

    @classmethod
    def of(cls, mailing: Mailing) -> MailingForm:
        values = {name: getattr(mailing, name) for name in cls.base_fields}
        return cls(initial=values | {"not_to_addresses": "\n".join(mailing.not_to_addresses)})

    def clean_not_to_addresses(self) -> list[str]:
        """Return the keys of the addresses, each once; name the lines of those that are none."""
        found: list[str] = []
        wrong: list[str] = []
        for line_number, line in enumerate(str(self.cleaned_data["not_to_addresses"]).splitlines(), start=1):
            for word in filter(None, (part.strip() for part in line.replace(";", ",").split(","))):
                if is_address(word):
                    found.append(address_key(word))
                else:
                    sentence = gettext("Line %(line)s: “%(word)s” is not a complete e-mail address.")
                    wrong.append(sentence % {"line": line_number, "word": _short(word)})
        if wrong:
            raise forms.ValidationError([*wrong[:MOST_TOLD], *_more(len(wrong) - MOST_TOLD)])
        keys = list(dict.fromkeys(found))
        if len(keys) > MOST_ADDRESSES:
            sentence = gettext("These are %(count)s addresses; %(most)s can be named. Use a “Do not send to” group.")
            raise forms.ValidationError(sentence % {"count": number(len(keys)), "most": number(MOST_ADDRESSES)})
        return keys

    def clean_from_email(self) -> str:
        return self._address("from_email")

    def clean_reply_to(self) -> str:
        return self._address("reply_to")

    def clean_html(self) -> str:
        return str(self.cleaned_data["html"]).replace("\r\n", "\n")

    def clean_text(self) -> str:
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in ("name", "from_name", "subject", "preheader"):
            if not str(cleaned.get(name, "")).isprintable():  # a line break here could forge a header
                self.add_error(name, gettext("This must be one line without control characters."))
        return cleaned

    def _address(self, name: str) -> str:
        address = str(self.cleaned_data[name])
        if address and not is_address(address):
            raise forms.ValidationError(gettext("This is not a complete e-mail address, like news@example.org."))
        if address and not is_ascii_address(address):
            raise forms.ValidationError(str(NOT_ASCII))
        return address


class TestForm(_Form):
    """To whom a test goes: a few addresses, each once."""

    addresses = forms.CharField(
        label=gettext_lazy("Send a test to"),
        max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "off"}),
        error_messages={"required": gettext_lazy("Write at least one address.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hint = gettext("Up to %(most)s addresses, with spaces, commas or line breaks between them.")
        self.fields["addresses"].help_text = hint % {"most": number(MOST_TESTED)}
        self.fields["addresses"].widget.attrs["aria-describedby"] = "addresses-hint" + (
            " addresses-error" if self.is_bound and self.has_error("addresses") else ""
        )

    def clean_addresses(self) -> list[str]:
        """Return the addresses, each once by its key; name each that is none."""
        words = [word for word in re.split(r"[\s,;]+", str(self.cleaned_data["addresses"])) if word]
        if wrong := [_short(word) for word in words if not is_address(word)]:
            sentence = gettext("“%(word)s” is not a complete e-mail address.")
            raise forms.ValidationError([sentence % {"word": word} for word in wrong[:MOST_TOLD]])
        found: dict[str, str] = {}
        for word in words:
            found.setdefault(address_key(word), word)
        if not found:
            raise forms.ValidationError(gettext("Write at least one address."))
        if len(found) > MOST_TESTED:
            sentence = gettext("These are %(count)s addresses; a test goes to %(most)s at most.")
            raise forms.ValidationError(sentence % {"count": number(len(found)), "most": number(MOST_TESTED)})
        return list(found.values())


class SendForm(_Form):
    """When to send: now, or at a date and a time in the person's own zone."""

    NOW, LATER = "now", "later"

    when = forms.ChoiceField(
        choices=[(NOW, gettext_lazy("Now")), (LATER, gettext_lazy("At a date and time"))], initial=NOW
    )
    date = forms.DateField(
        label=gettext_lazy("Date"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": gettext_lazy("Write the date as year-month-day, like 2031-04-30.")},
    )
    time = forms.TimeField(
        label=gettext_lazy("Time"),
        required=False,
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        error_messages={"invalid": gettext_lazy("Write the time as hours and minutes, like 09:30.")},
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("when") == self.LATER:
            self._check_moment(cleaned)
        return cleaned

    @property
    def moment(self) -> datetime | None:
        """The moment asked for, aware; None is now. Only of a valid form."""
        if self.cleaned_data["when"] == self.NOW:
            return None
        return self._aware(self.cleaned_data)

    def _check_moment(self, cleaned: dict[str, Any]) -> None:
        for name, sentence in (("date", gettext("Choose a date.")), ("time", gettext("Choose a time."))):
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, sentence)
        if self.errors:
            return
        moment, now = self._aware(cleaned), timezone.now()
        if moment <= now:
            over = gettext("This is over: it is %(now)s in your time zone.")
            self.add_error("time", over % {"now": f"{timezone.localtime(now):%Y-%m-%d %H:%M}"})
        elif moment - now > FARTHEST:
            self.add_error("date", gettext("This is more than a year away."))
        elif timezone.localtime(moment).replace(tzinfo=None) != datetime.combine(cleaned["date"], cleaned["time"]):
            self.add_error("time", gettext("There is no such time that day: clocks are put forward."))

    @staticmethod
    def _aware(cleaned: dict[str, Any]) -> datetime:
        # Through UTC and back, so that an hour which the clock skips is noticed.
        local = datetime.combine(cleaned["date"], cleaned["time"], tzinfo=timezone.get_current_timezone())
        return datetime.fromtimestamp(local.timestamp(), tz=timezone.get_current_timezone())


def _more(count: int) -> list[str]:
    if count < 1:
        return []
    sentence = ngettext("%(count)s more is none either.", "%(count)s more are none either.", count)
    return [sentence % {"count": number(count)}]


def _short(word: str) -> str:
    return word if len(word) <= 60 else f"{word[:60]}…"
