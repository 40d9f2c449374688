"""What the bridge's status light knows: when MemberSuite last answered well, and what it last complained about."""

from django.db.models import QuerySet
from django.db.models.functions import Now

from ..models import Bridge
from ..remote import CheckStep, MemberSuiteError

# Errors of one search say nothing about the connection.
_OF_THE_SEARCH = frozenset(
    {"search_gone", "search_invalid", "search_needs_parameter", "search_not_people", "search_not_over_rest", "stopped"}
)


def note_good(bridge: Bridge) -> None:
    """Remember that MemberSuite answered."""
    Bridge.objects.filter(pk=bridge.pk).update(last_good_contact_at=Now(), last_error_code="", last_error_text="")


def note_failed(bridge: Bridge, error: MemberSuiteError) -> None:
    """Remember a complaint, unless it concerns one search alone."""
    if error.code in _OF_THE_SEARCH:
        return
    _as_it_connected(bridge).update(
        last_failed_contact_at=Now(), last_error_code=error.code, last_error_text=error.sentence
    )


def note_step_failed(bridge: Bridge, step: CheckStep) -> None:
    """Remember the failed step of a connection test."""
    _as_it_connected(bridge).update(last_failed_contact_at=Now(), last_error_code=step.code, last_error_text=step.said)


def _as_it_connected(bridge: Bridge) -> QuerySet[Bridge]:
    """Find the bridge while it leads where the run asked: a mended address is not blamed for the wrong one."""
    return Bridge.objects.filter(pk=bridge.pk, **{name: getattr(bridge, name) for name in Bridge.CONNECTION_FIELDS})
