"""Where the keyboard is after a form was refused."""

from __future__ import annotations

from django import forms

from accounts.forms import NewPasswordForm
from accounts.models import User
from thrive_sync.lib.first_error import FirstErrorFocused


class _Form(FirstErrorFocused, forms.Form):
    name = forms.CharField(widget=forms.TextInput(attrs={"autofocus": True}))
    size = forms.IntegerField()
    day = forms.DateField()


def focused(form: forms.BaseForm) -> list[str]:
    return [name for name, field in form.fields.items() if "autofocus" in field.widget.attrs]


def test_the_first_wrong_field_alone_asks_for_the_focus() -> None:
    assert focused(_Form({"name": "x", "size": "many", "day": "some"})) == ["name"]
    form = _Form({"name": "x", "size": "many", "day": "some"})
    form.is_valid()
    assert focused(form) == ["size"]


def test_an_error_found_later_counts_and_one_of_the_whole_form_moves_nothing() -> None:
    form = _Form({"name": "x", "size": "1", "day": "2026-05-03"})
    form.is_valid()
    form.add_error(None, "Not today.")
    assert focused(form) == ["name"]
    form.add_error("day", "Not that day.")
    assert focused(form) == ["day"]


def test_no_form_changes_the_fields_of_the_next() -> None:
    assert not NewPasswordForm(User(), {"new_password1": "short", "new_password2": ""}).is_valid()
    assert "autofocus" not in str(NewPasswordForm(User())["new_password2"])
