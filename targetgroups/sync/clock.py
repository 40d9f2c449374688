"""The database's clock: the one that every time in a run is told by (R14)."""

import time
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import DateTimeField, Func


class ClockTimestamp(Func):
    """The database's clock at this moment, also inside a transaction."""

    function = "clock_timestamp"
    output_field = DateTimeField()
    arity = 0


def database_clock() -> datetime:
    """Read the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return now  # type: ignore[no-any-return]


def limit_idleness(seconds: float) -> None:
    """Let the database end this transaction's connection, and free its locks, if nothing is asked of it for so long."""
    with connection.cursor() as cursor:
        timeout = f"{max(round(seconds * 1000), 1)}ms"
        cursor.execute("SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [timeout])


class TickingClock:
    """The database's time, told by this machine's monotonic clock since one reading; never ahead of the database."""

    def __init__(self) -> None:
        self._read_at = database_clock()
        self._monotonic = time.monotonic()

    def __call__(self) -> datetime:
        return self._read_at + timedelta(seconds=time.monotonic() - self._monotonic)
