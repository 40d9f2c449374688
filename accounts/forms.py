from __future__ import annotations

import copy
import zoneinfo
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from accounts.permissions import RIGHTS, ROLES
from accounts.scopes import scopes_for
from thrive_sync.lib.first_error import FirstErrorFocused

NEW_PASSWORD = forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "form-control"})


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": gettext_lazy("This user name and password do not match. Check both and try again."),
        "inactive": gettext_lazy("This account is switched off. Ask an administrator."),
    }


def _zones() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in sorted(zoneinfo.available_timezones())]


def _languages() -> list[tuple[str, str]]:
    return [("", gettext("The browser’s")), *settings.LANGUAGES]


class PreferencesForm(FirstErrorFocused, forms.ModelForm):
    timezone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=_zones,
        help_text=gettext_lazy("Times on every page are shown in this zone."),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=_languages,
        required=False,
        help_text=gettext_lazy(
            "How words, dates and numbers are written. E-mails follow the site where you choose none."
        ),
    )

    class Meta:
        model = User
        fields = ["first_name", "last_name", "email", "timezone", "language"]
        labels = {"email": gettext_lazy("E-mail address")}
        help_texts = {"email": gettext_lazy("Where you hear of a mailing of yours that stops by itself.")}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "form-select" if name in ("timezone", "language") else "form-control"


class PasswordAgainForm(FirstErrorFocused, forms.Form):
    """Asks for the person's own password again; too many wrong ones lock as they do at the sign-in."""

    password = forms.CharField(
        label=gettext_lazy("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "class": "form-control"}),
    )

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        self.request = request
        super().__init__(data, auto_id=f"{type(self).__name__.lower()}_%s")

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        user = cast(User, self.request.user)
        if authenticate(self.request, username=user.username, password=password) != user:
            raise forms.ValidationError(gettext("This is not your password."), code="wrong")
        return password


class NewPasswordForm(FirstErrorFocused, SetPasswordForm):
    """A new password, twice; the rules stand beside it."""

    error_messages = {"password_mismatch": gettext_lazy("The two passwords are not the same.")}

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(user, data)
        _name_new_passwords(self)

    @property
    def rules(self) -> list[str]:
        return password_validators_help_texts()


class OwnPasswordForm(PasswordAgainForm):
    """The present password, and the new one twice."""

    new_password1 = forms.CharField(strip=False, widget=NEW_PASSWORD)
    new_password2 = forms.CharField(strip=False, widget=NEW_PASSWORD)

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        super().__init__(request, data)
        self.new = NewPasswordForm(cast(User, request.user), data)
        _name_new_passwords(self)

    @property
    def rules(self) -> list[str]:
        return self.new.rules

    def clean(self) -> dict[str, Any]:
        if not self.new.is_valid():
            for name in ("new_password1", "new_password2"):
                for error in self.new.errors.get(name, []):
                    if error not in self.errors.get(name, []):
                        self.add_error(name, error)
        return self.cleaned_data

    def save(self) -> None:
        self.new.save()


def _name_new_passwords(form: forms.BaseForm) -> None:
    labels = {"new_password1": gettext("New password"), "new_password2": gettext("New password, once more")}
    for name, label in labels.items():
        field = form.fields[name]
        field.label, field.help_text, field.widget = label, "", copy.deepcopy(NEW_PASSWORD)


class ForgotForm(FirstErrorFocused, forms.Form):
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "class": "form-control"}),
    )


class AcceptForm(NewPasswordForm):
    """What an invited person says: who they are, and a password."""

    first_name = forms.CharField(
        label=gettext_lazy("First name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label=gettext_lazy("Last name"),
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    field_order = ["first_name", "last_name", "new_password1", "new_password2"]

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(user, data)
        for name in ("first_name", "last_name"):
            self.fields[name].widget.attrs["class"] = "form-control"

    def clean(self) -> dict[str, Any]:
        # A password that is like the name given here is refused as well.
        self.user.first_name = self.cleaned_data.get("first_name", "")
        self.user.last_name = self.cleaned_data.get("last_name", "")
        return super().clean() or {}


class RolesForm(FirstErrorFocused, forms.Form):
    roles = forms.ModelMultipleChoiceField(
        Group.objects.filter(name__in=[role.name for role in ROLES]).order_by("name"),
        to_field_name="name",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one role.")},
    )


class InviteForm(RolesForm):
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        help_text=gettext_lazy("The user name, too."),
        max_length=150,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "class": "form-control"}),
    )
    field_order = ["email", "roles"]


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "text", "autocapitalize": "none", "autofocus": True}
            | {"spellcheck": "false", "class": "form-control code"}
        ),
    )


class BeginForm(PasswordAgainForm):
    """Two-step sign-in is set up."""


class CodesForm(PasswordAgainForm):
    """New recovery codes are made."""


class OffForm(PasswordAgainForm):
    """Two-step sign-in is switched off."""


class TokenForm(PasswordAgainForm):
    """A token for a program: what it is called, what it is for, and until when."""

    DAYS = (
        ("7", gettext_lazy("7 days")),
        ("30", gettext_lazy("30 days")),
        ("90", gettext_lazy("90 days")),
        ("365", gettext_lazy("1 year")),
    )

    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("Which program uses it, such as “nightly report”."),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "form-control"}),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one.")},
    )
    days = forms.ChoiceField(
        label=gettext_lazy("Works for"), choices=DAYS, initial="90", widget=forms.Select(attrs={"class": "form-select"})
    )
    field_order = ["name", "scopes", "days", "password"]

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        super().__init__(request, data)
        user = cast(User, request.user)
        offered = scopes_for({right for right in RIGHTS if user.may(right)})
        self.fields["scopes"].choices = list(offered.items())  # type: ignore[attr-defined]
