"""Where the keyboard is after a form was refused: at the first field that is wrong."""

from __future__ import annotations

from typing import Any

from django import forms


class FirstErrorFocused(forms.BaseForm):
    """A form whose first wrong field has the focus when the page comes back; nothing else of it then asks for it."""

    def add_error(self, field: str | None, error: Any) -> None:
        super().add_error(field, error)
        wrong = [name for name in self.fields if self.errors.get(name)]
        if not wrong:
            return
        for name, one in self.fields.items():
            one.widget.attrs.pop("autofocus", None)
            if name == wrong[0]:
                one.widget.attrs["autofocus"] = True
