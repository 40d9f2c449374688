"""Faults that can be switched on while the server runs: which calls they strike, and how often."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count

from memberSuite.standin.errors import CODES
from memberSuite.standin.names import words

# Kind of fault and what it does; the control API and the start page list these.
KINDS = {
    "http_NNN": "answer this HTTP status with an HTML page: http_429 (retry_after=seconds or date), http_503 ..",
    "soap_fault": "answer HTTP 500 with a SOAP Fault",
    "<error name>": "answer a business error: GeneralException, InvalidAccessKey, AccessDenied .. (message=, field=)",
    "session_expires": "forget the session, then answer SessionExpired",
    "new_session": "give a new SessionId in the reply; the old one stays valid",
    "failure_without_errors": "answer Success=false and no error",
    "success_without_result": "answer Success=true and no ResultValue (empty=nil, absent or childless)",
    "slow": "answer after seconds= (2)",
    "hold": "answer only when released",
    "no_answer": "drop the connection before the answer",
    "cut": "drop the connection inside the body (after=bytes, else the middle)",
    "malformed": "answer a body that is not well-formed",
    "truncated": "answer half of the body as if it were all",
    "empty_body": "answer nothing, HTTP 200",
    "html_200": "answer an HTML page with HTTP 200",
    "redirect": "answer HTTP 302 (to=address)",
    "huge": "answer a body of megabytes= (65)",
    "bom": "put a byte order mark before the body",
    "page_cap": "serve at most rows= (50) a page whatever is asked",
    "shifting_order": "mix the order anew for each page",
    "ignores_local_id": "ignore criteria on LocalID",
    "ignores_sort": "ignore the sort asked for",
    "ignores_do_not_email": "ignore criteria on DoNotEmail",
    "refuses_blank_criterion": "answer InvalidQuery when a criterion asks for a blank DoNotEmail",
    "refuses_is_active": "answer InvalidQuery when a query names IsActive",
    "no_do_not_email_column": "leave the DoNotEmail column out",
    "unreadable_do_not_email": "write 'maybe' for DoNotEmail in rows= (1) rows",
    "duplicate_rows": "repeat rows= (1) rows of the page",
    "null_local_ids": "leave LocalID out of rows= (1) rows",
    "rows_without_id": "leave ID out of rows= (1) rows",
    "upper_ids": "write IDs in capitals",
    "wrong_total": "add by= (7) to TotalRowCount",
    "zero_total": "say TotalRowCount 0",
    "no_total": "leave TotalRowCount out",
    "table_nil": "write a nil Table when there are no rows",
    "document_element": "call the rows' parent DocumentElement and leave the schema out",
    "inserts": "bring people= (1) new people in before answering (fields=)",
    "deletes": "delete people= (1) people before answering",
    "changes": "change fields= of people= (1) people before answering; without fields their last name",
    "flips": "flip Do Not Email of people= (1) people before answering",
    "vanishes": "delete the search= before answering",
    "goes_private": "make the search= private before answering",
    "changes_nothing": "say a write succeeded and change nothing",
    "success_false": "REST: answer HTTP 200 with success=false",
    "token_dies": "REST: forget the token, then answer 401",
    "enveloped": "REST: wrap lists as {in_: [...], totalCount} (in_=results, items or data)",
}
OPERATION_NAMES = words(
    "WhoAmI ExecuteMSQL ExecuteSearch Get Save MassUpdate loginUser authdata authtoken msc_authdata whoami "
    "executeSearch individuals individual putIndividual savedsearches"
)
TAGS = {
    "page": "more than one row asked for",
    "count": "one row asked for: totals and bounds",
    "look_up": "criterion on ID",
    "blank_local_id": "criterion LocalID IsBlank",
    "do_not_email": "the pass that asks for Do Not Email people",
    "list": "type SavedSearch",
}


@dataclass
class Call:
    """One request as faults and the log see it."""

    operation: str
    tags: set[str] = field(default_factory=set)
    search_id: str | None = None
    soap: bool = True
    session: str | None = None


class UnknownFault(ValueError):
    pass


@dataclass
class Fault:
    id: int
    operation: str
    kind: str
    options: dict[str, object]
    skip: int = 0
    times: int | None = None
    every: int | None = None
    only: str | None = None
    search: str | None = None
    seen: int = 0
    fired: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    held: threading.Event = field(default_factory=threading.Event)

    def strikes(self, call: Call) -> bool:
        """Count a call that fits and tell whether it is one to strike."""
        if self.operation not in ("*", call.operation) or (self.only and self.only not in call.tags):
            return False
        if (
            self.search
            and self.kind not in ("vanishes", "goes_private")
            and (call.search_id or "").lower() != self.search.lower()
        ):
            return False
        self.seen += 1
        if self.seen <= self.skip or (self.times is not None and self.fired >= self.times):
            return False
        if self.every and (self.seen - self.skip) % self.every:
            return False
        self.fired += 1
        return True

    def number(self, name: str, default: float) -> float:
        value = self.options.get(name, default)
        return float(value) if isinstance(value, (int, float, str)) else default

    def text(self, name: str, default: str = "") -> str:
        value = self.options.get(name)
        return default if value is None else str(value)

    def as_dict(self) -> dict[str, object]:
        names = ("id", "operation", "kind", "options", "skip", "times", "every", "only", "search", "seen", "fired")
        return {name: getattr(self, name) for name in names}


class Firing(list[Fault]):
    """The faults that strike one call."""

    def find(self, kind: str) -> Fault | None:
        return next((fault for fault in self if fault.kind == kind), None)

    def has(self, kind: str) -> bool:
        return self.find(kind) is not None


def is_known(kind: str) -> bool:
    status = kind.removeprefix("http_")
    return (
        kind in KINDS or kind in CODES or (kind.startswith("http_") and status.isdigit() and 300 <= int(status) <= 599)
    )


class FaultBook:
    """All faults now set, and the requests they hold."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.faults: dict[int, Fault] = {}
        self.numbers = count(1)

    def add(self, operation: str, kind: str, limits: Mapping[str, object], options: Mapping[str, object]) -> Fault:
        """Set a fault. `limits` may hold times, every, skip, on_page, only, search. UnknownFault says what is wrong."""
        if not is_known(kind):
            raise UnknownFault(f"unknown fault {kind!r}")
        if operation != "*" and operation not in OPERATION_NAMES:
            raise UnknownFault(f"unknown operation {operation!r}")
        skip, times, only = _number(limits, "skip") or 0, _number(limits, "times"), limits.get("only")
        if (page := _number(limits, "on_page")) is not None:
            skip, only, times = page - 1, only or "page", 1 if times is None else times
        if only is not None and only not in TAGS:
            raise UnknownFault(f"unknown tag {only!r}")
        search = limits.get("search")
        with self.lock:
            fault = Fault(next(self.numbers), operation, kind, dict(options), skip, times, _number(limits, "every"))
            fault.only, fault.search = (None if only is None else str(only)), (None if search is None else str(search))
            self.faults[fault.id] = fault
        return fault

    def take(self, call: Call) -> Firing:
        with self.lock:
            return Firing([fault for fault in self.faults.values() if fault.strikes(call)])

    def clear(self, ids: Iterable[int] | None = None) -> None:
        """Take faults away (all without ids) and let the requests they hold go on."""
        with self.lock:
            for number in list(self.faults) if ids is None else list(ids):
                if fault := self.faults.pop(number, None):
                    fault.released.set()

    def all(self) -> list[Fault]:
        with self.lock:
            return list(self.faults.values())


def _number(limits: Mapping[str, object], name: str) -> int | None:
    value = limits.get(name)
    if value is None:
        return None
    try:
        number = int(str(value))
    except ValueError:
        raise UnknownFault(f"{name} must be a number") from None
    if number < 0 or (number == 0 and name != "skip"):
        raise UnknownFault(f"{name} must be above 0")
    return number
