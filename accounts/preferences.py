"""Writes a person's own choices; nothing here is about the people in target groups."""

from __future__ import annotations

from typing import Any

from accounts.models import User


def remember_table(user: User, table: str, **choices: Any) -> None:
    """Store the columns or page size a person chose for one table, keeping their other choices."""
    user.table_preferences = {**user.table_preferences, table: {**user.table_preference(table), **choices}}
    user.save(update_fields=["table_preferences"])
