"""How much is owed to MemberSuite, told and refused: by short walks along an index, never by counting a whole table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from thrive_sync.lib.words import number

from ..choices import WritebackState
from ..models import Bridge, Outbox, Writeback
from .reading import MOST_HITS_COUNTED, hits_among


@dataclass(frozen=True)
class Figures:
    """Numbers of one bridge. Those of a state are exact up to MOST_HITS_COUNTED; one more means that there are more."""

    bridge: Bridge
    pending: int
    completed: int
    failed: int
    still_mailable: int | None
    checked_at: datetime | None
    paused_until: datetime | None
    trouble: str

    @staticmethod
    def shown(count: int) -> str:
        return f"{number(MOST_HITS_COUNTED)}+" if count > MOST_HITS_COUNTED else number(count)

    @property
    def states(self) -> list[tuple[str, str, str]]:
        """Each state by word, label and number."""
        return [(str(one), str(one.label), self.shown(getattr(self, one))) for one in WritebackState]

    @property
    def total(self) -> int:
        return self.pending + self.completed + self.failed


def of(bridge: Bridge) -> Figures:
    rows = Writeback.objects.filter(bridge=bridge)
    numbers = {
        str(state): hits_among(rows.filter(state=state).order_by("id").values_list("pk", flat=True))
        for state in WritebackState
    }
    outbox = Outbox.objects.filter(pk=bridge.pk).first() or Outbox(bridge=bridge)
    return Figures(
        bridge=bridge,
        still_mailable=outbox.still_mailable_count,
        checked_at=outbox.checked_at,
        paused_until=outbox.paused_until if numbers["pending"] else None,
        trouble=outbox.trouble_text,
        **numbers,
    )
