"""Columns of the tables: shared by the headers, the chooser, the sort and the CSV."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from accounts.models import User
from thrive_sync.lib.words import Words

ATTRIBUTE = "attribute:"


@dataclass(frozen=True)
class Column:
    key: str
    label: Words
    sort: str = ""  # the word in the address; empty: cannot be sorted by
    is_default: bool = True
    is_fixed: bool = False  # names the row, so it cannot be switched off
    is_number: bool = False
    is_roomy: bool = False  # left out where there is no room: on a phone

    @property
    def attribute(self) -> str:
        """The extra field of a search that the column shows; empty: it shows none."""
        return self.key.removeprefix(ATTRIBUTE) if self.key.startswith(ATTRIBUTE) else ""


@dataclass(frozen=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    page_sizes: tuple[int, ...] = (25, 50, 100, 250)
    default_page_size: int = 50
    chooser: str = "targetgroups:choose_columns"  # the page that remembers what somebody chose

    @property
    def sorts(self) -> frozenset[str]:
        """The words of the address that this table can be sorted by."""
        return frozenset(column.sort for column in self.columns if column.sort)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(column.key for column in self.columns)

    def shown_to(self, user: User, extra: Iterable[Column] = ()) -> list[Column]:
        """Return the columns this person sees, in their order: their choice, or the defaults if they made none."""
        chosen = self.chosen_by(user)
        every = {column.key: column for column in (*self.columns, *extra)}
        if chosen is None:
            return [column for column in every.values() if column.is_default or column.is_fixed]
        fixed = [column for column in self.columns if column.is_fixed and column.key not in chosen]
        return [*fixed, *(every[key] for key in chosen if key in every)]

    def chosen_by(self, user: User) -> list[str] | None:
        """Return the keys that this person chose, some perhaps of columns that are not there now; None: no choice."""
        chosen = user.table_preference(self.name).get("columns")
        return list(dict.fromkeys(map(str, chosen))) if isinstance(chosen, list) else None

    def page_size_for(self, user: User) -> int:
        size = user.table_preference(self.name).get("page_size")
        return size if size in self.page_sizes else self.default_page_size


TARGET_GROUPS = Table(
    "target_groups",
    (
        Column("name", "Target Group Name", sort="name", is_fixed=True),
        Column("count", "Count", sort="count"),
        Column("last_synced", "Last Synced", sort="last_synced", is_roomy=True),
        Column("type", "Type", sort="type", is_roomy=True),
        Column("folder", "Folder", sort="folder", is_roomy=True),
        Column("search_id", "Search ID", sort="search_id", is_default=False),
        Column("association", "Association", sort="association", is_default=False),
    ),
)

SUBSCRIBERS = Table(
    "subscribers",
    (
        Column("email", "E-mail", sort="email", is_fixed=True),
        Column("first_name", "First Name"),
        Column("last_name", "Last Name"),
        Column("name", "Name", sort="name", is_default=False),
        Column("remote_id", "Remote ID", is_default=False),
        Column("status", "Status"),
        Column("subscribed_at", "Subscribed"),
        Column("changed_at", "Last Changed"),
        Column("local_id", "Local ID", is_default=False, is_number=True),
    ),
)

# Manage Subscribers: everybody, the addresses that are not mailed, and who is left out of groups.
PEOPLE = Table(
    "people",
    (
        Column("email", "E-mail", sort="email", is_fixed=True),
        Column("first_name", "First Name"),
        Column("last_name", "Last Name"),
        Column("name", "Name", sort="name", is_default=False),
        Column("status", "Status"),
        Column("groups", "Target Groups", is_number=True),
        Column("since", "Last Changed"),
        Column("remote_id", "Remote ID", is_default=False),
        Column("local_id", "Local ID", is_default=False, is_number=True),
    ),
)
SUPPRESSED = Table(
    "suppressed",
    (
        Column("email", "E-mail", sort="email", is_fixed=True),
        Column("name", "Name"),
        Column("reason", "Why"),
        Column("since", "Since", sort="since"),
        Column("detail", "How"),
        Column("remote_id", "Remote ID", is_default=False),
    ),
)
# The suppression list: what is in force, and what was lifted.
SUPPRESSIONS = Table(
    "suppressions",
    (
        Column("email", "E-mail", sort="email", is_fixed=True),
        Column("cause", "Cause"),
        Column("since", "Since", sort="since"),
        Column("by", "By"),
        Column("mailing", "Mailing"),
        Column("said", "What the Server Said"),
        Column("note", "Note"),
    ),
)
LIFTED_SUPPRESSIONS = Table(
    "lifted_suppressions",
    (
        Column("email", "E-mail", sort="email", is_fixed=True),
        Column("cause", "Cause"),
        Column("lifted", "Lifted", sort="lifted"),
        Column("lifted_by", "Lifted By"),
        Column("because", "Because"),
        Column("since", "Suppressed"),
        Column("by", "By", is_default=False),
        Column("mailing", "Mailing", is_default=False),
        Column("said", "What the Server Said", is_default=False),
        Column("note", "Note", is_default=False),
    ),
)
LEFT_OUT = Table(
    "left_out",
    (
        Column("remote_id", "Remote ID", sort="remote_id", is_fixed=True),
        Column("name", "Name"),
        Column("reason", "Why"),
        Column("group", "Target Group"),
        Column("detail", "Detail"),
        Column("since", "Seen"),
    ),
)

SYNC_ACTIVITY = Table(
    "sync_activity",
    (
        Column("run", "Run", sort="run", is_fixed=True),
        Column("outcome", "Outcome"),
        Column("target_group", "Target Group"),
        Column("trigger", "Trigger"),
        Column("who", "Who"),
        Column("started", "Started"),
        Column("took", "Took", is_number=True),
        Column("added", "Added", is_number=True),
        Column("changed", "Changed", is_number=True),
        Column("removed", "Removed", is_number=True),
        Column("members", "Members", is_number=True),
        Column("asked_for", "Asked For", is_default=False),
        Column("finished", "Finished", is_default=False),
        Column("in_search", "In the Search", is_default=False, is_number=True),
        Column("unchanged", "Unchanged", is_default=False, is_number=True),
        Column("sentence", "What It Said", is_default=False),
    ),
)

# The lists of a run's page and of the Excluded tab.
_REMOTE_ID = Column("remote_id", "Remote ID", is_fixed=True)
_SORTED_REMOTE_ID = Column("remote_id", "Remote ID", sort="remote_id", is_fixed=True)
_EMAIL, _NAME = Column("email", "E-mail"), Column("name", "Name")
_PARTS_OF_PERSON = (
    Column("first_name", "First Name", is_default=False),
    Column("last_name", "Last Name", is_default=False),
    Column("local_id", "Local ID", is_default=False, is_number=True),
)
ADDED_BY_RUN = Table(
    "added_by_run",
    (_REMOTE_ID, Column("email", "E-mail", sort="email"), Column("name", "Name", sort="name"), *_PARTS_OF_PERSON),
)
CHANGED_BY_RUN = Table(
    "changed_by_run", (_SORTED_REMOTE_ID, _EMAIL, _NAME, Column("changes", "What changed"), *_PARTS_OF_PERSON)
)
REMOVED_BY_RUN = Table("removed_by_run", (_SORTED_REMOTE_ID, _EMAIL, _NAME, Column("reason", "Why"), *_PARTS_OF_PERSON))
KEPT_BY_RUN = Table("kept_by_run", (_SORTED_REMOTE_ID, _EMAIL, _NAME, Column("reason", "Why"), *_PARTS_OF_PERSON))
WOULD_BE_ADDED = Table("would_be_added", (_SORTED_REMOTE_ID, _EMAIL, _NAME, *_PARTS_OF_PERSON))
EXCLUDED = Table(
    "excluded",
    (
        _SORTED_REMOTE_ID,
        Column("email", "E-mail", is_default=False),
        _NAME,
        Column("reason", "Reason"),
        Column("rows", "Rows", is_number=True),
        Column("detail", "Detail"),
        Column("seen", "Seen"),
        *_PARTS_OF_PERSON,
    ),
)
IN_SEARCH = Table(
    "in_search",
    (
        _REMOTE_ID,
        Column("email", "E-mail", sort="email"),
        Column("name", "Name", sort="name"),
        Column("state", "What became of it"),
        Column("rows", "Rows", is_default=False, is_number=True),
        Column("detail", "Detail", is_default=False),
        Column("seen", "Seen", is_default=False),
        *_PARTS_OF_PERSON,
    ),
)
# All lists of a run in one file.
PEOPLE_OF_RUN = Table(
    "people_of_run",
    (
        Column("outcome", "Outcome"),
        _REMOTE_ID,
        _EMAIL,
        _NAME,
        Column("reason", "Why"),
        Column("changes", "What changed"),
        Column("rows", "Rows"),
        Column("detail", "Detail"),
    ),
)

WRITEBACKS = Table(
    "writebacks",
    (
        _REMOTE_ID,
        _EMAIL,
        _NAME,
        Column("wish", "Do Not Email"),
        Column("state", "State"),
        Column("cause", "Why"),
        Column("queued", "Queued", sort="queued"),
        Column("finished", "Done"),
        Column("attempts", "Attempts", is_number=True, is_default=False),
        Column("said", "MemberSuite's Words", is_default=False),
    ),
)
STILL_MAILABLE = Table(
    "still_mailable",
    (
        Column("remote_id", "Remote ID", is_fixed=True),
        _EMAIL,
        _NAME,
        Column("local_id", "Local ID", is_default=False, is_number=True),
    ),
)

AUDIT_LOG = Table(
    "audit_log",
    (
        Column("at", "When", sort="at", is_fixed=True),
        Column("who", "Who"),
        Column("what", "What"),
        Column("kind", "Kind", is_default=False),
        Column("thing", "Done To"),
        Column("changes", "Details"),
        Column("number", "Entry", is_default=False, is_number=True),
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


def merged(chosen: Sequence[str], offered: Collection[str], before: Sequence[str]) -> list[str]:
    """Return a choice together with the earlier one of attributes that were not offered: other groups have them.

    Each of these stays behind the column that it stood behind.
    """
    result = list(chosen)
    for place, key in enumerate(before):
        if key in offered or key in result or not key.startswith(ATTRIBUTE):
            continue
        ahead = next((other for other in reversed(before[:place]) if other in result), None)
        result.insert(0 if ahead is None else result.index(ahead) + 1, key)
    return result


def attribute_columns(names: Iterable[str]) -> list[Column]:
    """Make an optional column of each extra field of a search."""
    return [Column(f"{ATTRIBUTE}{name}", name, is_default=False) for name in names]
