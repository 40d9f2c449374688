"""The only door to MemberSuite: builds a client from a bridge and re-exports what the sync needs to know of it."""

import math
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Literal, cast

from django.conf import settings
from django.utils.translation import gettext, ngettext

from memberSuite import (
    CheckStep,
    ConnectionSettings,
    CriterionRefused,
    Language,
    LookUpUnsupported,
    MemberSuiteClient,
    MemberSuiteError,
    PeoplePage,
    PeopleReading,
    Person,
    PrivateAddress,
    ReadingStopped,
    RejectedRow,
    Search,
    SearchGone,
    SearchList,
    SearchNotRunnable,
    causes,
    is_public,
    pools_with_a_limit,
    speak,
)
from memberSuite import connect as _connect
from thrive_sync.lib.meters import Meter
from thrive_sync.lib.words import number

from .models import Bridge

__all__ = [
    "CheckStep",
    "CriterionRefused",
    "LookUpUnsupported",
    "MemberSuiteClient",
    "MemberSuiteError",
    "PeoplePage",
    "PeopleReading",
    "Person",
    "PrivateAddress",
    "ReadingStopped",
    "RejectedRow",
    "Search",
    "SearchGone",
    "SearchList",
    "SearchNotRunnable",
    "causes",
    "connect",
    "is_public",
    "pools_with_a_limit",
]

# How long MemberSuite takes, by bridge, transport, call and error; in the metrics.
CALLS = Meter("membersuite-calls")

speak(Language(gettext, ngettext, number))


def connect(
    bridge: Bridge, *, clock: Callable[[], datetime], stop: threading.Event, longest_wait: float = math.inf
) -> MemberSuiteClient:
    """Build the client for a bridge; a context manager.

    Args:
        clock: tells when a page was asked for, by the database's time.
        stop: once set, every call ends with ReadingStopped within two seconds.
        longest_wait: seconds; a call that MemberSuite asks to repeat later than that fails, and its error says when.
    """
    connection = ConnectionSettings(
        transport=cast(Literal["concierge", "rest"], bridge.transport),
        service_address=bridge.service_address,
        association_id=bridge.association_id,
        access_key_id=bridge.access_key_id,
        secret_access_key=bridge.secret_access_key or "",
        tenant_id=bridge.tenant_id,
        api_user=bridge.api_user,
        api_password=bridge.api_password or "",
        page_size=bridge.page_size,
        in_flight=bridge.requests_in_flight,
        retry_wait=settings.MEMBERSUITE_RETRY_WAIT_SECONDS,
        longest_wait=longest_wait,
        public_only=not settings.ALLOW_PRIVATE_ADDRESSES,
        on_call=partial(_note, str(bridge.pk), bridge.transport),
    )
    return _connect(connection, clock=clock, stop=stop)


def _note(bridge: str, transport: str, call: str, seconds: float, code: str) -> None:
    CALLS.took(seconds, bridge, transport, call, code, url=settings.REDIS_URL)
