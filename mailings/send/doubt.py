"""A mail server that says of nearly everybody that nobody is there: that tells of the server, not of the people.

The hard refusals among a mailing's first answers are kept back until there are enough of them to tell. If nearly all
were refused, nobody is suppressed: they are put off, and the mailing pauses. Who is refused again after a person looked
and resumed has bounced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext_lazy

from thrive_sync.lib.words import number

from ..choices import Outcome, StopCode
from ..exceptions import StopMailing
from ..models import Mailing
from ..refusals import ENOUGH_ANSWERS, is_refusing_everybody
from .lease import Verdict

_PUT_OFF_SECONDS = 900.0
_WHY = gettext_lazy(
    "It refused %(refused)s of the first %(answered)s recipients for good, as if none of these addresses existed. "
    "That tells of the server rather than of the people: nobody was suppressed, and nobody was skipped. Have the mail "
    "server looked at, then resume: who was refused is tried again, a quarter of an hour after it. If the addresses "
    "really are all dead, cancel the mailing."
)

Told = tuple[int, Verdict]


class Doubt:
    """What the first answers of a mailing say of its mail server."""

    def __init__(self, mailing: Mailing) -> None:
        kinds = (Outcome.SENT, Outcome.BOUNCED)
        before = dict(mailing.tallies.filter(kind__in=kinds).values_list("kind", "people_count"))
        self._refused, self._answered = before.get(Outcome.BOUNCED, 0), sum(before.values())
        self._kept: list[Told] = []
        self._is_settled = self._answered >= ENOUGH_ANSWERS
        self.is_everybody = False

    def sift(self, told: Sequence[Told], attempts: Mapping[int, int]) -> list[Told]:
        """Return what can be written down of these answers, and of those kept back before."""
        if self._is_settled:
            return [self._doubted(one, attempts) for one in told] if self.is_everybody else list(told)
        refused = [one for one in told if _is_refused(one) and attempts.get(one[0], 1) < 2]
        rest = [one for one in told if one not in refused]
        self._kept += refused
        self._refused += len(refused)
        self._answered += len(refused) + sum(1 for _, verdict in rest if verdict.outcome == Outcome.SENT)
        if self._answered < ENOUGH_ANSWERS:
            return rest
        self._is_settled = True
        self.is_everybody = is_refusing_everybody(self._refused, self._answered)
        return rest + self.kept()

    def kept(self) -> list[Told]:
        """Return what was kept back, to be written down now."""
        kept, self._kept = self._kept, []
        return [self._doubted(one, {}) for one in kept] if self.is_everybody else kept

    def stop(self) -> StopMailing:
        numbers = {"refused": number(self._refused), "answered": number(self._answered)}
        return StopMailing(StopCode.REFUSES_EVERYBODY, str(_WHY) % numbers)

    def _doubted(self, one: Told, attempts: Mapping[int, int]) -> Told:
        pk, verdict = one
        if not _is_refused(one) or attempts.get(pk, 1) > 1:
            return one
        return pk, Verdict(Outcome.DEFERRED, verdict.reason, verdict.said, _PUT_OFF_SECONDS)


def _is_refused(one: Told) -> bool:
    return one[1].outcome == Outcome.BOUNCED
