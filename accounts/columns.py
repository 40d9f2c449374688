"""Columns of Users: shared by the headers, the chooser, the sort and the CSV."""

from __future__ import annotations

from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.tables import Column, Table

USERS = Table(
    "users",
    (
        Column("name", gettext_lazy("Name"), sort="name", is_fixed=True),
        Column("username", gettext_lazy("User name"), sort="username", is_fixed=True, is_roomy=True),
        Column("email", gettext_lazy("E-mail"), sort="email", is_roomy=True),
        Column("roles", gettext_lazy("Roles"), is_roomy=True),
        Column("two_step", gettext_lazy("Two-step"), is_roomy=True),
        Column("state", gettext_lazy("State")),
        Column("seen", gettext_lazy("Last seen"), sort="seen", is_roomy=True),
        Column("added", pgettext_lazy("column: when", "Added"), sort="added", is_default=False),
        Column("invited", pgettext_lazy("column: when", "Invited"), sort="invited", is_default=False),
        Column("invited_by", gettext_lazy("Invited by"), sort="invited_by", is_default=False),
        Column("time_zone", gettext_lazy("Time zone"), sort="time_zone", is_default=False),
        Column("language", gettext_lazy("Language"), is_default=False),
        Column("tokens", gettext_lazy("API tokens"), is_default=False, is_number=True),
    ),
    chooser="accounts:choose_columns",
)
TABLES = {table.name: table for table in (USERS,)}
