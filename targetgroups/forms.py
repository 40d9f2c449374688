"""Input checks: what a page accepts, and the sentence for what it does not."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from datetime import time
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.validators import URLValidator
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, ngettext, pgettext, pgettext_lazy

from accounts.models import User
from audit import record
from thrive_sync.lib.addresses import address_key, is_address
from thrive_sync.lib.first_error import FirstErrorFocused
from thrive_sync.lib.words import Words, number

from . import by_hand, enqueue, schedules
from .choices import ScheduleKind, Transport
from .models import Bridge, Folder, Schedule, TargetGroup
from .models.bridge import RECORD_PLACE
from .models.schedule import ALL_WEEK, WEEKDAYS
from .rhythm import EVERY

NEEDED = {
    Transport.CONCIERGE: ("association_id", "access_key_id", "secret_access_key"),
    Transport.REST: ("tenant_id", "api_user", "api_password"),
}


# A right of its own: it changes records in MemberSuite.
WRITEBACK = ("writes_back", "writes_back_bounces")
BRIDGE_LABELS: dict[str, Words] = {
    "name": gettext_lazy("Association"),
    "transport": gettext_lazy("Transport"),
    "service_address": gettext_lazy("Service address"),
    "association_id": gettext_lazy("Association ID"),
    "access_key_id": gettext_lazy("Access key ID"),
    "secret_access_key": gettext_lazy("Secret access key"),
    "tenant_id": gettext_lazy("Tenant ID"),
    "api_user": gettext_lazy("API user e-mail"),
    "api_password": gettext_lazy("API user password"),
    "page_size": gettext_lazy("Page size"),
    "requests_in_flight": gettext_lazy("Requests in flight"),
    "guard_percent": gettext_lazy("Percentage of the group"),
    "guard_people": gettext_lazy("Number of people"),
    "lists_do_not_email": gettext_lazy("List the people who are Do Not Email"),
    "record_address": gettext_lazy("Address of a person's record"),
    "writes_back": gettext_lazy("Write opt-outs back to MemberSuite"),
    "writes_back_bounces": gettext_lazy("Write hard bounces back too"),
}


class SecretField(forms.CharField):
    """A stored secret is never sent to the page again: empty means keep it."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password", "spellcheck": "false"})
        super().__init__(required=False, strip=True, widget=widget, **kwargs)


class BridgeForm(forms.ModelForm):
    """The connection to one association, with the fields of both transports."""

    service_address = forms.URLField(
        label=BRIDGE_LABELS["service_address"],
        initial=Bridge._meta.get_field("service_address").default,
        max_length=500,
        assume_scheme="https",
        help_text=gettext_lazy("The address MemberSuite gave you, for example https://soap.membersuite.com/"),
        error_messages={
            "required": gettext_lazy("Enter the address that MemberSuite gave you."),
            "invalid": gettext_lazy("This is not an address. It starts with https:// and names a host."),
        },
        widget=forms.URLInput(attrs={"inputmode": "url", "spellcheck": "false"}),
    )
    secret_access_key = SecretField(label=BRIDGE_LABELS["secret_access_key"])
    api_password = SecretField(label=BRIDGE_LABELS["api_password"])

    class Meta:
        model = Bridge
        fields = (
            "name",
            "transport",
            "service_address",
            "association_id",
            "access_key_id",
            "secret_access_key",
            "tenant_id",
            "api_user",
            "api_password",
            "page_size",
            "requests_in_flight",
            "guard_percent",
            "guard_people",
            "lists_do_not_email",
            "record_address",
            "writes_back",
            "writes_back_bounces",
        )
        labels = BRIDGE_LABELS
        help_texts = {
            "name": gettext_lazy("What you call it. Only people here read this."),
            "transport": gettext_lazy(
                "Take Concierge if you were given an access key, REST if you were given an API user."
            ),
            "page_size": gettext_lazy("Rows asked for at a time, 25 to 1000."),
            "requests_in_flight": gettext_lazy("Requests open at the same time, 1 to 16."),
            "lists_do_not_email": gettext_lazy("Off: only their number is asked for, which is faster."),
            "record_address": gettext_lazy(
                "Open any person in your MemberSuite console, copy the address of that page, and put "
                "{id} in place of the ID. Empty: no links."
            ),
            "writes_back": gettext_lazy(
                "Whoever opts out here becomes Do Not Email = Yes in MemberSuite, and No again if they opt in here. "
                "The API user needs the right to change individuals. Earlier opt-outs are offered, not sent."
            ),
            "writes_back_bounces": gettext_lazy(
                "Also sets Do Not Email = Yes where a mail server refused the address for good. "
                "MemberSuite has no field of its own for bounces, so nobody there sees the difference."
            ),
        }
        error_messages = {
            "name": {"required": gettext_lazy("Give the association a name, any that tells you which it is.")},
            "page_size": {
                "min_value": gettext_lazy("The page size must be 25 or more."),
                "max_value": gettext_lazy("The page size must be 1000 or less."),
                "invalid": gettext_lazy("The page size must be a whole number from 25 to 1000."),
            },
            "requests_in_flight": {
                "min_value": gettext_lazy("At least 1 request must be in flight."),
                "max_value": gettext_lazy("At most 16 requests can be in flight."),
                "invalid": gettext_lazy("Requests in flight must be a whole number from 1 to 16."),
            },
            "guard_percent": {"max_value": gettext_lazy("A percentage is at most 100.")},
            "record_address": {
                "max_length": gettext_lazy("The address of a record can't be longer than 500 characters.")
            },
        }

        widgets = {
            "record_address": forms.TextInput(attrs={"inputmode": "url", "spellcheck": "false", "autocomplete": "off"}),
        }

    def __init__(self, *args: Any, may_write_back: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in WRITEBACK:  # what is posted for them is not looked at then
            self.fields[name].disabled = not may_write_back
        self.stored = {name: getattr(self.instance, name) for name in (*Bridge.SECRET_FIELDS, "service_address")}
        for name, field in self.fields.items():
            field.widget.attrs.setdefault("class", _css_class(field))
            described = [f"{name}-hint"] if field.help_text or name in Bridge.SECRET_FIELDS else []
            if self.is_bound and self.has_error(name):
                described.append(f"{name}-error")
                field.widget.attrs["aria-invalid"] = "true"
            if described:
                field.widget.attrs["aria-describedby"] = " ".join(described)

    def clean_service_address(self) -> str:
        address: str = self.cleaned_data["service_address"]
        parts = urlsplit(address)
        if parts.username or parts.password:
            raise forms.ValidationError(gettext("Leave user name and password out of the address."))
        if parts.scheme != "https" and not _is_this_machine(parts.hostname or ""):
            raise forms.ValidationError(
                gettext("The address must start with https://, or keys would travel in the open.")
            )
        return address

    def clean_record_address(self) -> str:
        address: str = self.cleaned_data["record_address"]
        if not address:
            return ""
        if address.count(RECORD_PLACE) != 1:
            raise forms.ValidationError(gettext("Put {id} exactly once into the address, in place of the person's ID."))
        try:
            # Whatever is no web address, javascript: and the like, would act with the rights of whoever opens the link.
            URLValidator(schemes=["http", "https"])(address.replace(RECORD_PLACE, "1"))
        except forms.ValidationError:
            raise forms.ValidationError(
                gettext("This is not the address of a page. It starts with https:// or http:// and names a host.")
            ) from None
        parts = urlsplit(address)
        if parts.username is not None or parts.password is not None:
            raise forms.ValidationError(gettext("Leave user name and password out of the address of a record."))
        if RECORD_PLACE in parts.netloc:
            raise forms.ValidationError(
                gettext("Put {id} behind the host: the ID may not choose where the link leads.")
            )
        return address

    def clean_secret_access_key(self) -> str:
        secret: str = self.cleaned_data["secret_access_key"]
        try:
            base64.b64decode(secret, validate=True)
        except (binascii.Error, ValueError):
            raise forms.ValidationError(
                gettext(
                    "This is not a secret access key: it holds characters that no key has, or a part is missing. "
                    "Copy the whole key from MemberSuite."
                )
            ) from None
        return secret

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        transport = cleaned.get("transport", "")
        moved = _host(cleaned.get("service_address", "")) != _host(self.stored["service_address"]) and self.instance.pk
        for name in NEEDED.get(transport, ()):
            if name in self.errors or cleaned.get(name):
                continue
            if name in Bridge.SECRET_FIELDS and self.stored[name]:
                if moved:  # or whoever may edit a bridge could have its secrets sent to a host of their own
                    self.add_error(name, gettext("The service address names another host: enter this secret again."))
                continue
            # Translators: %(transport)s is "Concierge (SOAP)" or "REST".
            self.add_error(name, gettext("%(transport)s needs this.") % {"transport": Transport(transport).label})
        if transport in NEEDED and (other := self._same_association(NEEDED[transport][0], cleaned)):
            said = gettext("“%(association)s” is connected to this association already.") % {"association": other}
            self.add_error(NEEDED[transport][0], said)
        return cleaned

    def _resume_writing(self, user: User) -> None:
        """Let what waits for MemberSuite go at once: the connection may be the mended one. Count what is not told."""
        if not self.instance.writes_back:
            return
        enqueue.resume_writing(self.instance)
        if set(self.changed_data) & set(WRITEBACK):
            enqueue.request_opt_out_check(self.instance, user)

    def _same_association(self, name: str, cleaned: dict[str, Any]) -> Bridge | None:
        """Find another bridge to the same association at the same host: each search would become two groups."""
        value, host = cleaned.get(name), _host(cleaned.get("service_address", ""))
        others = Bridge.objects.exclude(pk=self.instance.pk).filter(**{f"{name}__iexact": value}) if value else ()
        return next((other for other in others if _host(other.service_address) == host), None)

    def save_by(self, user: User) -> Bridge:
        """Store the bridge and its audit entry together; an empty secret keeps the stored one."""
        before = _seen(Bridge.objects.get(pk=self.instance.pk)) if self.instance.pk else None
        replaced = [name for name in Bridge.SECRET_FIELDS if self.cleaned_data[name]]
        bridge = self.instance
        for name in Bridge.SECRET_FIELDS:
            setattr(bridge, name, self.cleaned_data[name] or self.stored[name])
            if name in replaced:
                setattr(bridge, f"{name}_set_at", timezone.now())
        with transaction.atomic():
            bridge.save()
            after = _seen(bridge) | ({"replaced": replaced} if replaced else {})
            record(user, "bridge changed" if before else "bridge created", bridge, before, after)
            if bridge.writes_back is not bool(before and before["writes_back"]):
                word = "on" if bridge.writes_back else "off"
                record(user, f"writeback.switched_{word}", bridge, None, {"hard_bounces": bridge.writes_back_bounces})
            self._resume_writing(user)
            if not before:
                schedules.add_usual(bridge, user)
        return bridge


def _every() -> list[tuple[int, str]]:
    return [(minutes, _every_so_long(minutes)) for minutes in EVERY]


def _every_so_long(minutes: int) -> str:
    """Say how often, behind "Every"."""
    if minutes < 60:
        return ngettext("%(count)s minutes", "%(count)s minutes", minutes) % {"count": minutes}
    if minutes == 60:
        # Translators: stands in a choice behind "Every".
        return pgettext("every", "hour")
    return ngettext("%(count)s hours", "%(count)s hours", minutes // 60) % {"count": minutes // 60}


def _spreads() -> list[tuple[int, str]]:
    return [(0, gettext("No time: all at once")), *((each, _so_long(each)) for each in ScheduleForm.SPREADS[1:])]


def _so_long(minutes: int) -> str:
    if minutes < 60:
        return ngettext("%(count)s minutes", "%(count)s minutes", minutes) % {"count": minutes}
    return ngettext("%(count)s hour", "%(count)s hours", minutes // 60) % {"count": minutes // 60}


class SuppressionForm(FirstErrorFocused, forms.Form):
    """Addresses to suppress, pasted. A line that is none does not keep the others from being suppressed.

    Of a valid form, `good` are the addresses by their keys, and `wrong` the parts that are none.
    """

    MOST_TOLD = 5

    addresses = forms.CharField(
        label=gettext_lazy("E-mail addresses"),
        max_length=100_000,
        error_messages={"required": gettext_lazy("Paste at least one address.")},
        widget=forms.Textarea(
            attrs={"rows": 8, "spellcheck": "false", "autocapitalize": "off", "class": "form-control"}
        ),
    )
    cause = forms.ChoiceField(
        label=gettext_lazy("Cause"),
        help_text=gettext_lazy(
            "“Opted out” and “Complaint” are the people's own word: they end only when the people ask for it."
        ),
        choices=[(str(cause), cause.label) for cause in by_hand.ADDABLE],
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    note = forms.CharField(
        label=gettext_lazy("Why, and from where"),
        help_text=gettext_lazy("For example “list of the former system, 3 May”. It is recorded with your name."),
        max_length=by_hand.LONGEST_REASON,
        error_messages={
            "required": gettext_lazy("Say why: who asked for it, or where the list comes from. Nothing was changed.")
        },
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "form-control"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["addresses"].help_text = gettext(
            "One a line, or with commas between them; up to %(most)s at a time."
        ) % {"most": number(by_hand.MOST_ADDRESSES)}
        self.good: dict[str, str] = {}
        self.wrong: list[str] = []

    def clean_addresses(self) -> str:
        text: str = self.cleaned_data["addresses"]
        words = [part.strip() for part in text.replace(";", "\n").replace(",", "\n").splitlines()]
        for word in filter(None, words):
            if is_address(word):
                self.good.setdefault(address_key(word), word)
            else:
                self.wrong.append(word)
        if len(self.good) > by_hand.MOST_ADDRESSES:
            raise forms.ValidationError(
                gettext("These are %(count)s addresses; paste %(most)s at a time. Nothing changed.")
                % {"count": number(len(self.good)), "most": number(by_hand.MOST_ADDRESSES)}
            )
        return text

    def clean_note(self) -> str:
        return " ".join(str(self.cleaned_data["note"]).split())

    def with_the_wrong(self) -> SuppressionForm:
        """Return the form with only what is left to be corrected, and a sentence for each of the first lines."""
        rest = SuppressionForm({**self.cleaned_data, "addresses": "\n".join(self.wrong)})
        for line, word in enumerate(self.wrong[: self.MOST_TOLD], start=1):
            short = word if len(word) <= 60 else f"{word[:60]}…"
            said = gettext("Line %(line)s: “%(text)s” is not a complete e-mail address.")
            rest.add_error("addresses", said % {"line": line, "text": short})
        if (more := len(self.wrong) - self.MOST_TOLD) > 0:
            # Translators: after some lines that are no e-mail addresses.
            said = ngettext("%(count)s more is none either.", "%(count)s more are none either.", more)
            rest.add_error("addresses", said % {"count": number(more)})
        return rest


class ScheduleForm(FirstErrorFocused, forms.Form):
    """What a schedule does, and when. `schedule` is the one that is changed, or a new one."""

    ALL, FOLDER, GROUP = "all", "folder", "group"
    SPREADS = (0, 15, 30, 60, 120, 240, 360, 480, 720)

    bridge = forms.ModelChoiceField(Bridge.objects.all(), label=gettext_lazy("Association"), empty_label=None)
    kind = forms.ChoiceField(label=gettext_lazy("What"), choices=ScheduleKind.choices, initial=ScheduleKind.GROUPS)
    scope = forms.ChoiceField(
        label=gettext_lazy("Which target groups"),
        choices=[
            (ALL, pgettext_lazy("target groups", "All")),
            (FOLDER, pgettext_lazy("target groups", "Those of a folder")),
            (GROUP, pgettext_lazy("target groups", "One")),
        ],
        initial=ALL,
        required=False,
    )
    folder = forms.ModelChoiceField(
        Folder.objects.all(),
        label=gettext_lazy("Folder"),
        required=False,
        empty_label=gettext_lazy("Choose a folder"),
    )
    group = forms.CharField(
        label=gettext_lazy("Target group"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("Its name, or its Search ID."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    is_only_in_use = forms.BooleanField(
        help_text=gettext_lazy("A mailing syncs its groups before it is sent, whatever a schedule leaves out."),
        required=False,
        initial=True,
    )
    rhythm = forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=[("at", gettext_lazy("At a time of day")), ("every", gettext_lazy("Again and again"))],
        initial="at",
    )
    at_time = forms.TimeField(
        label=gettext_lazy("Time"),
        required=False,
        initial=time(2, 0),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": gettext_lazy("Write the time as hours and minutes, for example 02:30.")},
    )
    weekdays = forms.MultipleChoiceField(
        label=pgettext_lazy("weekdays", "On"),
        choices=[(str(number), name) for number, name in enumerate(WEEKDAYS)],
        initial=list(ALL_WEEK),
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    every_minutes = forms.TypedChoiceField(
        label=gettext_lazy("Every"),
        choices=_every,
        coerce=int,
        initial=60,
        required=False,
        empty_value=None,
    )
    spread_minutes = forms.TypedChoiceField(
        label=gettext_lazy("Spread the groups over"),
        choices=_spreads,
        coerce=int,
        initial=60,
        required=False,
        empty_value=None,
        help_text=gettext_lazy(
            "The first begins at once and the others follow, so that MemberSuite is not asked for all together."
        ),
    )

    def __init__(self, data: Any = None, *, schedule: Schedule) -> None:
        self.schedule = schedule
        super().__init__(data, initial=_told_of(schedule))
        self.fields["is_only_in_use"].label = gettext(
            "Only groups mailed in the last %(mailed_days)s days or created in the last %(new_days)s"
        ) % {"mailed_days": schedules.MAILED_DAYS, "new_days": schedules.NEW_DAYS}
        for name, field in self.fields.items():
            if name not in ("weekdays", "kind", "scope", "rhythm"):
                field.widget.attrs.setdefault("class", _css_class(field))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        schedule = self.schedule
        schedule.kind = cleaned.get("kind", schedule.kind)
        if "bridge" in cleaned:
            schedule.bridge = cleaned["bridge"]
        schedule.folder = schedule.target_group = None
        schedule.is_only_in_use, schedule.spread_minutes = False, 0
        if cleaned.get("kind") == ScheduleKind.GROUPS:
            self._clean_scope(cleaned)
        self._clean_rhythm(cleaned)
        return cleaned

    def _clean_scope(self, cleaned: dict[str, Any]) -> None:
        schedule, scope = self.schedule, cleaned.get("scope")
        if scope == self.GROUP:
            schedule.target_group = self._group_called(cleaned.get("group", "").strip(), cleaned.get("bridge"))
            return
        if scope == self.FOLDER:
            schedule.folder = cleaned.get("folder")
            if schedule.folder is None and "folder" not in self.errors:
                self.add_error("folder", gettext("Choose the folder."))
        schedule.is_only_in_use = cleaned.get("is_only_in_use", False)
        schedule.spread_minutes = cleaned.get("spread_minutes") or 0

    def _clean_rhythm(self, cleaned: dict[str, Any]) -> None:
        schedule = self.schedule
        schedule.every_minutes = schedule.at_time = None
        schedule.weekdays = ALL_WEEK
        if cleaned.get("rhythm") == "every":
            schedule.every_minutes = cleaned.get("every_minutes")
            if not schedule.every_minutes and "every_minutes" not in self.errors:
                self.add_error("every_minutes", gettext("Say how often."))
            if schedule.every_minutes and schedule.spread_minutes >= schedule.every_minutes:
                self.add_error("spread_minutes", gettext("This must be shorter than the time until it runs again."))
            return
        schedule.at_time = cleaned.get("at_time")
        schedule.weekdays = "".join(sorted(cleaned.get("weekdays", [])))
        if schedule.at_time is None and "at_time" not in self.errors:
            self.add_error("at_time", gettext("Say at which time."))
        if not schedule.weekdays and "weekdays" not in self.errors:
            self.add_error("weekdays", gettext("Tick at least one day."))

    def _group_called(self, text: str, bridge: Bridge | None) -> TargetGroup | None:
        if not text:
            self.add_error("group", gettext("Say which target group."))
            return None
        groups = TargetGroup.objects.present().filter(bridge=bridge)
        found = list(groups.filter(Q(name__iexact=text) | Q(search_id__iexact=text)).order_by("pk")[:3])
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(group.search_id for group in found)
            said = gettext("Several target groups are called so. Give the Search ID of one: %(ids)s.")
            self.add_error("group", said % {"ids": ids})
        else:
            said = gettext("No target group of this association is called “%(name)s”.")
            self.add_error("group", said % {"name": text[:60]})
        return None

    def save_by(self, user: User) -> Schedule:
        return schedules.save(self.schedule, user)


def _told_of(schedule: Schedule) -> dict[str, Any]:
    """Say in the form's words what a schedule does now; of a new one, what it is for."""
    form, group = ScheduleForm, schedule.target_group
    told: dict[str, Any] = {"bridge": schedule.bridge_id}
    told["scope"] = form.GROUP if group else form.FOLDER if schedule.folder_id else form.ALL
    told |= {"folder": schedule.folder_id, "group": group.search_id if group else ""}
    if not schedule.pk:
        return told
    told |= {
        "kind": schedule.kind,
        "is_only_in_use": schedule.is_only_in_use,
        "spread_minutes": schedule.spread_minutes,
    }
    if schedule.every_minutes:
        return told | {"rhythm": "every", "every_minutes": schedule.every_minutes}
    return told | {"rhythm": "at", "at_time": schedule.at_time, "weekdays": list(schedule.weekdays)}


def _css_class(field: forms.Field) -> str:
    if isinstance(field.widget, forms.CheckboxInput):
        return "form-check-input"
    return "form-select" if isinstance(field.widget, forms.Select) else "form-control"


def _seen(bridge: Bridge) -> dict[str, Any]:
    """Return what the audit may show of a bridge."""
    return {
        name: getattr(bridge, name)
        for name in BridgeForm.Meta.fields
        if name not in (*Bridge.SECRET_FIELDS, "access_key_id")
    }


def _host(address: str) -> str:
    return (urlsplit(address).netloc or "").lower()


def _is_this_machine(host: str) -> bool:
    """Say whether a host is this machine or a neighbour in the same private network (a name without a dot)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return bool(host) and "." not in host
