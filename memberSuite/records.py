"""What goes into the client and what comes out of it: plain values, no behaviour that needs the network."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import msgspec

NO_ATTRIBUTES: dict[str, str] = {}  # shared by every person whose search has no columns of its own

NotRunnable = Literal["", "needs_parameter", "not_people", "not_over_rest", "not_public", "inactive"]
StepName = Literal["reach_host", "sign_in", "list_searches", "read_one_record"]
StepOutcome = Literal["ok", "failed", "skipped"]


@dataclass(frozen=True)
class ConnectionSettings:
    """One connection to one association; secrets never show in its repr."""

    transport: Literal["concierge", "rest"]
    service_address: str
    association_id: str = ""
    access_key_id: str = field(default="", repr=False)
    secret_access_key: str = field(default="", repr=False)
    tenant_id: str = ""
    api_user: str = ""
    api_password: str = field(default="", repr=False)
    page_size: int = 200
    in_flight: int = 4
    connect_timeout: float = 10.0
    read_timeout: float = 120.0
    retry_wait: float = 2.0
    throttle_cap: float = 900.0
    # Told to wait longer than this, a call fails at once: whoever waits by other means need not hold a connection.
    longest_wait: float = math.inf
    public_only: bool = False  # refuse servers in private networks
    # Told of each call that ended: which, how many seconds it took, and the error's code or "".
    on_call: Callable[[str, float, str], None] | None = field(default=None, repr=False, compare=False)

    def identity(self) -> str:
        """Return the key under which sign-ins with these credentials may be shared."""
        parts = (
            self.transport,
            self.service_address,
            self.association_id,
            self.access_key_id,
            self.secret_access_key,
            self.tenant_id,
            self.api_user,
            self.api_password,
        )
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def secrets(self) -> tuple[str, ...]:
        """Return the values that must never reach a log, an error or a screen."""
        return tuple(value for value in (self.secret_access_key, self.api_password, self.access_key_id) if value)


@dataclass(frozen=True)
class Search:
    """A saved search; `definition` is its stored form as received, empty while it was only listed."""

    remote_id: str
    name: str
    description: str | None = None
    applicable_type: str | None = None
    is_public: bool = True
    is_active: bool = True
    modified_at: str | None = None
    definition: bytes = b""
    search_type: str | None = None
    is_limited: bool = False
    output_columns: tuple[str, ...] = ()
    not_runnable: NotRunnable = ""


@dataclass(frozen=True)
class SearchList:
    """Every public search that was listed, and how many the server said there are."""

    searches: tuple[Search, ...]
    total: int

    @property
    def is_complete(self) -> bool:
        return len(self.searches) == self.total


class Person(msgspec.Struct, frozen=True, gc=False):
    """One row of a search of people; `do_not_email` is False only if the flag parsed to exactly false."""

    remote_id: str
    local_id: int | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    do_not_email: bool | None = None
    modified_at: str | None = None
    attributes: dict[str, str] = NO_ATTRIBUTES


class RejectedRow(msgspec.Struct, frozen=True, gc=False):
    """A row that can't be read; the rest of its page can."""

    remote_id: str | None
    local_id: int | None
    reason: str


class PeoplePage(msgspec.Struct, frozen=True):
    """One answer of the remote.

    `starts_over` says that everything this reading gave before must be thrown away.
    """

    rows: list[Person]
    rejected: list[RejectedRow]
    asked_at: datetime
    starts_over: bool
    number: int


@dataclass(frozen=True)
class CheckStep:
    """One step of a connection check, in words a marketer reads."""

    name: StepName
    outcome: StepOutcome
    said: str
    code: str
    took_seconds: float


@dataclass(frozen=True)
class WriteResult:
    """What was read back after a write: confirmed ids, and refused ids each with its reason."""

    confirmed: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
