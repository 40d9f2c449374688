"""A worker's turn with a mailing: claimed by a conditional UPDATE, kept while the worker lives, over by itself."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Now

from thrive_sync.lib.claims import claim

from ..exceptions import TurnLost
from ..models import Mailing
from . import lease

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from types import TracebackType

    from django.db.models import QuerySet
    from django.db.models.expressions import CombinedExpression

log = logging.getLogger(__name__)


class Turn:
    """One turn of one worker, and with it the lease of all who wait; `token` is also written on whom it has in flight.

    A turn that lasts is kept alive on a thread and a connection of its own, however long the mail server is silent;
    a killed worker's turn ends after MAILING_SILENCE_SECONDS. No write relies on that clock: each repeats the token as
    its condition.
    """

    def __init__(self, mailing_id: int) -> None:
        self.mailing_id = mailing_id
        self.token = f"{socket.gethostname()[:30]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
        self._held_until = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"turn-{mailing_id}", daemon=True)

    def take(self) -> bool:
        """Claim the mailing, if it wants work and no living worker has it."""
        wanting = Mailing.objects.wanting_work().filter(pk=self.mailing_id)
        return self._hold(claim, wanting, worker=self.token, worker_until=_in_a_while())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(timeout=5)

    def change(self, from_status: str, **values: object) -> None:
        """Change the mailing, if it is still this turn's and in this status. Raises TurnLost otherwise."""
        if not claim(self._mine().filter(status=from_status), **values):
            raise TurnLost

    @property
    def is_held(self) -> bool:
        """Say whether the mailing is still this turn's."""
        return self._mine().exists()

    @property
    def is_in_time(self) -> bool:
        """Say, without asking, whether nobody can have taken the mailing away yet.

        A process that was frozen, or a machine that slept, may wake up with messages in its hands that are another's
        by now: nothing of them is sent.
        """
        return _awake() < self._held_until

    def _hold(self, act: Callable[..., object], *args: object, **values: object) -> bool:
        """Do what takes or keeps the turn; if that succeeds, it is held for the time of silence, from before it on."""
        until = _awake() + settings.MAILING_SILENCE_SECONDS
        if not act(*args, **values):
            return False
        self._held_until = until
        return True

    def put_off(self, until: datetime | CombinedExpression) -> None:
        """Say that nothing can be done before a time."""
        self._mine().update(due_at=until)

    def release(self) -> None:
        self._mine().update(worker="", worker_until=None)

    def _mine(self) -> QuerySet[Mailing]:
        return Mailing.objects.filter(pk=self.mailing_id, worker=self.token)

    def _keep(self) -> None:
        opened = False
        while not self._over.wait(settings.MAILING_SILENCE_SECONDS / 4):
            opened = True
            try:
                if not self._hold(self._mine().update, worker_until=_in_a_while()):
                    break
                lease.keep(self.mailing_id, self.token, _in_a_while())
            except DatabaseError as error:
                log.warning("mailing %s: the turn could not be kept (%s)", self.mailing_id, type(error).__name__)
                connection.close()
        if opened:
            connection.close()


def _awake() -> float:
    """Give the seconds on a clock that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _in_a_while() -> CombinedExpression:
    return Now() + Value(timedelta(seconds=settings.MAILING_SILENCE_SECONDS))
