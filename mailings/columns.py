"""Columns of the tables of mailings: shared by the headers, the chooser, the sort and the CSV."""

from targetgroups.columns import Column, Table

CHOOSER = "mailings:choose_columns"

MAILINGS = Table(
    "mailings",
    (
        Column("name", "Name", sort="name", is_fixed=True),
        Column("status", "Status", sort="status"),
        Column("groups", "Groups"),
        Column("recipients", "Recipients", is_number=True),
        Column("when", "When"),
        Column("by", "By"),
        Column("subject", "Subject", is_default=False),
        Column("created", "Created", sort="created", is_default=False),
    ),
    chooser=CHOOSER,
)
RECIPIENTS = Table(
    "recipients",
    (
        Column("email", "E-mail", sort="email", is_fixed=True),
        Column("name", "Name"),
        Column("outcome", "Outcome", sort="outcome"),
        Column("remote_id", "Remote ID"),
        Column("when", "When"),
        Column("first_name", "First Name", is_default=False),
        Column("last_name", "Last Name", is_default=False),
        Column("attempts", "Attempts", is_default=False, is_number=True),
    ),
    chooser=CHOOSER,
)
REMOVED = Table(
    "subscribers_removed",
    (
        Column("remote_id", "Remote ID", is_fixed=True),
        Column("reason", "Reason", sort="reason"),
        Column("email", "E-mail"),
        Column("name", "Name"),
        Column("target_group", "Target Group"),
        Column("first_name", "First Name", is_default=False),
        Column("last_name", "Last Name", is_default=False),
    ),
    chooser=CHOOSER,
)
# The same two before the list is fixed: in the order of the addresses, along which it is read.
WOULD_RECEIVE = Table(
    "would_receive",
    (
        Column("email", "E-mail", is_fixed=True),
        Column("name", "Name"),
        Column("remote_id", "Remote ID"),
        Column("target_group", "Target Group"),
        Column("first_name", "First Name", is_default=False),
        Column("last_name", "Last Name", is_default=False),
    ),
    chooser=CHOOSER,
)
WOULD_BE_REMOVED = Table(
    "would_be_removed",
    (
        Column("remote_id", "Remote ID", is_fixed=True),
        Column("reason", "Reason"),
        Column("email", "E-mail"),
        Column("name", "Name"),
        Column("target_group", "Target Group"),
        Column("first_name", "First Name", is_default=False),
        Column("last_name", "Last Name", is_default=False),
    ),
    chooser=CHOOSER,
)
TABLES = {table.name: table for table in (MAILINGS, RECIPIENTS, REMOVED, WOULD_RECEIVE, WOULD_BE_REMOVED)}
