"""What the steps of one attempt share: the run, its stage, its client, and what has been found so far."""

from dataclasses import dataclass, field
from datetime import datetime

from ..models import SyncRun, TargetGroup
from ..remote import MemberSuiteClient, Search
from .compare import Comparison
from .single_flight import Heartbeat
from .stage import Stage

# Columns that are fields of a subscriber, not attributes.
_FIELDS = frozenset({"id", "localid", "firstname", "lastname", "emailaddress", "donotemail", "lastmodifieddate"})


@dataclass
class Attempt:
    """One attempt of a group's run.

    Attributes:
        members_before: of the group; only its own runs change them, one at a time.
        comparison: of what was read with what is stored, as of the checking.
        read_at: by the database's clock, just before the first page was asked for (R14).
        calculated_do_not_email: the figure, where those people are not listed (total minus filtered rows).
        warnings: sentences that stay with the run.
    """

    run: SyncRun
    heart: Heartbeat
    stage: Stage
    client: MemberSuiteClient
    search: Search
    group: TargetGroup
    read_at: datetime
    calculated_do_not_email: int | None = None
    members_before: int = 0
    comparison: Comparison | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def columns(self) -> list[str]:
        """The search's own output columns: attributes that it, and no other search, speaks for in this run."""
        return [name for name in self.search.output_columns if name.lower() not in _FIELDS]
