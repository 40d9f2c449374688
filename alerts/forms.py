from __future__ import annotations

from django import forms
from django.utils.translation import gettext, gettext_lazy

from thrive_sync.lib.first_error import FirstErrorFocused

from .calling import refusal
from .choices import Event


class WebhookForm(FirstErrorFocused, forms.Form):
    """What a webhook is called, where it leads, and what it tells."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("Which program hears of it, such as “chat room of the office”."),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "form-control"}),
    )
    address = forms.CharField(
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("Where events are posted to; it starts with https://"),
        max_length=500,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url", "class": "form-control"}
        ),
    )
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Events"),
        choices=Event.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one.")},
    )

    def clean_address(self) -> str:
        address = str(self.cleaned_data["address"])
        if any(each.isspace() for each in address):
            raise forms.ValidationError(gettext("An address has no spaces."))
        if problem := refusal(address):
            raise forms.ValidationError(problem)
        return address
