from __future__ import annotations

import zoneinfo

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from accounts.models import User


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "This user name and password do not match. Check both and try again.",
        "inactive": "This account is switched off. Ask an administrator.",
    }


class PreferencesForm(forms.ModelForm):
    timezone = forms.ChoiceField(label="Time zone", help_text="Times on every page are shown in this zone.")

    class Meta:
        model = User
        fields = ["first_name", "last_name", "email", "timezone"]
        labels = {"email": "E-mail address"}
        help_texts = {"email": "Where you hear of a mailing of yours that stops by itself."}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        names = sorted(zoneinfo.available_timezones())
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "form-select" if name == "timezone" else "form-control"
        self.fields["timezone"].choices = [(name, name.replace("_", " ")) for name in names]  # type: ignore[attr-defined]
