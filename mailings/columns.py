"""Columns of the tables of mailings: shared by the headers, the chooser, the sort and the CSV."""

from django.utils.translation import gettext_lazy

from accounts.tables import Column, Table

CHOOSER = "mailings:choose_columns"

MAILINGS = Table(
    "mailings",
    (
        Column("name", gettext_lazy("Name"), sort="name", is_fixed=True),
        Column("status", gettext_lazy("Status"), sort="status"),
        Column("groups", gettext_lazy("Groups")),
        Column("recipients", gettext_lazy("Recipients"), is_number=True),
        Column("when", gettext_lazy("When")),
        Column("by", gettext_lazy("By")),
        Column("subject", gettext_lazy("Subject"), is_default=False),
        Column("created", gettext_lazy("Created"), sort="created", is_default=False),
    ),
    chooser=CHOOSER,
)
RECIPIENTS = Table(
    "recipients",
    (
        Column("email", gettext_lazy("E-mail"), sort="email", is_fixed=True),
        Column("name", gettext_lazy("Name")),
        Column("outcome", gettext_lazy("Outcome"), sort="outcome"),
        Column("remote_id", gettext_lazy("Remote ID")),
        Column("when", gettext_lazy("When")),
        Column("first_name", gettext_lazy("First Name"), is_default=False),
        Column("last_name", gettext_lazy("Last Name"), is_default=False),
        Column("attempts", gettext_lazy("Attempts"), is_default=False, is_number=True),
    ),
    chooser=CHOOSER,
)
REMOVED = Table(
    "subscribers_removed",
    (
        Column("remote_id", gettext_lazy("Remote ID"), is_fixed=True),
        Column("reason", gettext_lazy("Reason"), sort="reason"),
        Column("email", gettext_lazy("E-mail")),
        Column("name", gettext_lazy("Name")),
        Column("target_group", gettext_lazy("Target Group")),
        Column("first_name", gettext_lazy("First Name"), is_default=False),
        Column("last_name", gettext_lazy("Last Name"), is_default=False),
    ),
    chooser=CHOOSER,
)
# The same two before the list is fixed: in the order of the addresses, along which it is read.
WOULD_RECEIVE = Table(
    "would_receive",
    (
        Column("email", gettext_lazy("E-mail"), is_fixed=True),
        Column("name", gettext_lazy("Name")),
        Column("remote_id", gettext_lazy("Remote ID")),
        Column("target_group", gettext_lazy("Target Group")),
        Column("first_name", gettext_lazy("First Name"), is_default=False),
        Column("last_name", gettext_lazy("Last Name"), is_default=False),
    ),
    chooser=CHOOSER,
)
WOULD_BE_REMOVED = Table(
    "would_be_removed",
    (
        Column("remote_id", gettext_lazy("Remote ID"), is_fixed=True),
        Column("reason", gettext_lazy("Reason")),
        Column("email", gettext_lazy("E-mail")),
        Column("name", gettext_lazy("Name")),
        Column("target_group", gettext_lazy("Target Group")),
        Column("first_name", gettext_lazy("First Name"), is_default=False),
        Column("last_name", gettext_lazy("Last Name"), is_default=False),
    ),
    chooser=CHOOSER,
)
TABLES = {table.name: table for table in (MAILINGS, RECIPIENTS, REMOVED, WOULD_RECEIVE, WOULD_BE_REMOVED)}
