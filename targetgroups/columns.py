"""Columns of the tables: shared by the headers, the chooser, the sort and the CSV."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.tables import ATTRIBUTE, Column, Table

_table = partial(Table, chooser="targetgroups:choose_columns")

TARGET_GROUPS = _table(
    "target_groups",
    (
        Column("name", gettext_lazy("Target Group Name"), sort="name", is_fixed=True),
        Column("count", gettext_lazy("Count"), sort="count"),
        Column("last_synced", gettext_lazy("Last Synced"), sort="last_synced", is_roomy=True),
        Column("type", gettext_lazy("Type"), sort="type", is_roomy=True),
        Column("folder", gettext_lazy("Folder"), sort="folder", is_roomy=True),
        Column("search_id", gettext_lazy("Search ID"), sort="search_id", is_default=False),
        Column("association", gettext_lazy("Association"), sort="association", is_default=False),
    ),
)

SUBSCRIBERS = _table(
    "subscribers",
    (
        Column("email", gettext_lazy("E-mail"), sort="email", is_fixed=True),
        Column("first_name", gettext_lazy("First Name")),
        Column("last_name", gettext_lazy("Last Name")),
        Column("name", gettext_lazy("Name"), sort="name", is_default=False),
        Column("remote_id", gettext_lazy("Remote ID"), is_default=False),
        Column("status", gettext_lazy("Status")),
        Column("subscribed_at", gettext_lazy("Subscribed")),
        Column("changed_at", gettext_lazy("Last Changed")),
        Column("local_id", gettext_lazy("Local ID"), is_default=False, is_number=True),
    ),
)

# Manage Subscribers: everybody, the addresses that are not mailed, and who is left out of groups.
PEOPLE = _table(
    "people",
    (
        Column("email", gettext_lazy("E-mail"), sort="email", is_fixed=True),
        Column("first_name", gettext_lazy("First Name")),
        Column("last_name", gettext_lazy("Last Name")),
        Column("name", gettext_lazy("Name"), sort="name", is_default=False),
        Column("status", gettext_lazy("Status")),
        Column("groups", gettext_lazy("Target Groups"), is_number=True),
        Column("since", gettext_lazy("Last Changed")),
        Column("remote_id", gettext_lazy("Remote ID"), is_default=False),
        Column("local_id", gettext_lazy("Local ID"), is_default=False, is_number=True),
    ),
)
SUPPRESSED = _table(
    "suppressed",
    (
        Column("email", gettext_lazy("E-mail"), sort="email", is_fixed=True),
        Column("name", gettext_lazy("Name")),
        Column("reason", gettext_lazy("Why")),
        Column("since", gettext_lazy("Since"), sort="since"),
        Column("detail", gettext_lazy("How")),
        Column("remote_id", gettext_lazy("Remote ID"), is_default=False),
    ),
)
# The suppression list: what is in force, and what was lifted.
SUPPRESSIONS = _table(
    "suppressions",
    (
        Column("email", gettext_lazy("E-mail"), sort="email", is_fixed=True),
        Column("cause", gettext_lazy("Cause")),
        Column("since", gettext_lazy("Since"), sort="since"),
        Column("by", gettext_lazy("By")),
        Column("mailing", gettext_lazy("Mailing")),
        Column("said", gettext_lazy("What the Server Said")),
        Column("note", gettext_lazy("Note")),
    ),
)
LIFTED_SUPPRESSIONS = _table(
    "lifted_suppressions",
    (
        Column("email", gettext_lazy("E-mail"), sort="email", is_fixed=True),
        Column("cause", gettext_lazy("Cause")),
        Column("lifted", gettext_lazy("Lifted"), sort="lifted"),
        Column("lifted_by", gettext_lazy("Lifted By")),
        Column("because", gettext_lazy("Because")),
        Column("since", gettext_lazy("Suppressed")),
        Column("by", gettext_lazy("By"), is_default=False),
        Column("mailing", gettext_lazy("Mailing"), is_default=False),
        Column("said", gettext_lazy("What the Server Said"), is_default=False),
        Column("note", gettext_lazy("Note"), is_default=False),
    ),
)
LEFT_OUT = _table(
    "left_out",
    (
        Column("remote_id", gettext_lazy("Remote ID"), sort="remote_id", is_fixed=True),
        Column("name", gettext_lazy("Name")),
        Column("reason", gettext_lazy("Why")),
        Column("group", gettext_lazy("Target Group")),
        Column("detail", gettext_lazy("Detail")),
        Column("since", gettext_lazy("Seen")),
    ),
)

SYNC_ACTIVITY = _table(
    "sync_activity",
    (
        Column("run", pgettext_lazy("column: one sync", "Run"), sort="run", is_fixed=True),
        Column("outcome", gettext_lazy("Outcome")),
        Column("target_group", gettext_lazy("Target Group")),
        Column("trigger", gettext_lazy("Trigger")),
        Column("who", gettext_lazy("Who")),
        Column("started", gettext_lazy("Started")),
        Column("took", gettext_lazy("Took"), is_number=True),
        Column("added", gettext_lazy("Added"), is_number=True),
        Column("changed", gettext_lazy("Changed"), is_number=True),
        Column("removed", gettext_lazy("Removed"), is_number=True),
        Column("members", gettext_lazy("Members"), is_number=True),
        Column("asked_for", gettext_lazy("Asked For"), is_default=False),
        Column("finished", gettext_lazy("Finished"), is_default=False),
        Column("in_search", gettext_lazy("In the Search"), is_default=False, is_number=True),
        Column("unchanged", gettext_lazy("Unchanged"), is_default=False, is_number=True),
        Column("sentence", gettext_lazy("What It Said"), is_default=False),
    ),
)

# The lists of a run's page and of the Excluded tab.
_REMOTE_ID = Column("remote_id", gettext_lazy("Remote ID"), is_fixed=True)
_SORTED_REMOTE_ID = Column("remote_id", gettext_lazy("Remote ID"), sort="remote_id", is_fixed=True)
_EMAIL, _NAME = Column("email", gettext_lazy("E-mail")), Column("name", gettext_lazy("Name"))
_PARTS_OF_PERSON = (
    Column("first_name", gettext_lazy("First Name"), is_default=False),
    Column("last_name", gettext_lazy("Last Name"), is_default=False),
    Column("local_id", gettext_lazy("Local ID"), is_default=False, is_number=True),
)
ADDED_BY_RUN = _table(
    "added_by_run",
    (
        _REMOTE_ID,
        Column("email", gettext_lazy("E-mail"), sort="email"),
        Column("name", gettext_lazy("Name"), sort="name"),
        *_PARTS_OF_PERSON,
    ),
)
CHANGED_BY_RUN = _table(
    "changed_by_run",
    (_SORTED_REMOTE_ID, _EMAIL, _NAME, Column("changes", gettext_lazy("What changed")), *_PARTS_OF_PERSON),
)
REMOVED_BY_RUN = _table(
    "removed_by_run", (_SORTED_REMOTE_ID, _EMAIL, _NAME, Column("reason", gettext_lazy("Why")), *_PARTS_OF_PERSON)
)
KEPT_BY_RUN = _table(
    "kept_by_run", (_SORTED_REMOTE_ID, _EMAIL, _NAME, Column("reason", gettext_lazy("Why")), *_PARTS_OF_PERSON)
)
WOULD_BE_ADDED = _table("would_be_added", (_SORTED_REMOTE_ID, _EMAIL, _NAME, *_PARTS_OF_PERSON))
EXCLUDED = _table(
    "excluded",
    (
        _SORTED_REMOTE_ID,
        Column("email", gettext_lazy("E-mail"), is_default=False),
        _NAME,
        Column("reason", gettext_lazy("Reason")),
        Column("rows", gettext_lazy("Rows"), is_number=True),
        Column("detail", gettext_lazy("Detail")),
        Column("seen", gettext_lazy("Seen")),
        *_PARTS_OF_PERSON,
    ),
)
IN_SEARCH = _table(
    "in_search",
    (
        _REMOTE_ID,
        Column("email", gettext_lazy("E-mail"), sort="email"),
        Column("name", gettext_lazy("Name"), sort="name"),
        Column("state", gettext_lazy("What became of it")),
        Column("rows", gettext_lazy("Rows"), is_default=False, is_number=True),
        Column("detail", gettext_lazy("Detail"), is_default=False),
        Column("seen", gettext_lazy("Seen"), is_default=False),
        *_PARTS_OF_PERSON,
    ),
)
# All lists of a run in one file.
PEOPLE_OF_RUN = _table(
    "people_of_run",
    (
        Column("outcome", gettext_lazy("Outcome")),
        _REMOTE_ID,
        _EMAIL,
        _NAME,
        Column("reason", gettext_lazy("Why")),
        Column("changes", gettext_lazy("What changed")),
        Column("rows", gettext_lazy("Rows")),
        Column("detail", gettext_lazy("Detail")),
    ),
)

WRITEBACKS = _table(
    "writebacks",
    (
        _REMOTE_ID,
        _EMAIL,
        _NAME,
        Column("wish", gettext_lazy("Do Not Email")),
        Column("state", gettext_lazy("State")),
        Column("cause", gettext_lazy("Why")),
        Column("queued", gettext_lazy("Queued"), sort="queued"),
        Column("finished", pgettext_lazy("column: when it was done", "Done")),
        Column("attempts", gettext_lazy("Attempts"), is_number=True, is_default=False),
        Column("said", gettext_lazy("MemberSuite's Words"), is_default=False),
    ),
)
STILL_MAILABLE = _table(
    "still_mailable",
    (
        Column("remote_id", gettext_lazy("Remote ID"), is_fixed=True),
        _EMAIL,
        _NAME,
        Column("local_id", gettext_lazy("Local ID"), is_default=False, is_number=True),
    ),
)

AUDIT_LOG = _table(
    "audit_log",
    (
        Column("at", gettext_lazy("When"), sort="at", is_fixed=True),
        Column("who", gettext_lazy("Who")),
        Column("what", gettext_lazy("What")),
        Column("kind", gettext_lazy("Kind"), is_default=False),
        Column("thing", gettext_lazy("Done To")),
        Column("changes", gettext_lazy("Details")),
        Column("number", gettext_lazy("Entry"), is_default=False, is_number=True),
    ),
)

TABLES = {
    table.name: table
    for table in (
        TARGET_GROUPS,
        SUBSCRIBERS,
        PEOPLE,
        SUPPRESSED,
        SUPPRESSIONS,
        LIFTED_SUPPRESSIONS,
        LEFT_OUT,
        SYNC_ACTIVITY,
        ADDED_BY_RUN,
        CHANGED_BY_RUN,
        REMOVED_BY_RUN,
        KEPT_BY_RUN,
        WOULD_BE_ADDED,
        EXCLUDED,
        IN_SEARCH,
        WRITEBACKS,
        STILL_MAILABLE,
        AUDIT_LOG,
    )
}


def attribute_columns(names: Iterable[str]) -> list[Column]:
    """Make an optional column of each extra field of a search."""
    return [Column(f"{ATTRIBUTE}{name}", name, is_default=False) for name in names]
