"""Which searches can't be run, and what to tell a marketer about each."""

from __future__ import annotations

from memberSuite.exceptions import SearchNotRunnable
from memberSuite.records import Search

_SENTENCES = {
    "needs_parameter": (
        "This search asks its user for input each time it runs, so it can't be synced. "
        "Replace the question by a fixed value in MemberSuite."
    ),
    "not_people": "This search does not list individuals, so it has nobody to mail.",
    "not_over_rest": (
        "This search can't be run over REST. Choose the Concierge transport on Bridge Configuration to sync it."
    ),
    "not_public": (
        "This search is no longer public in MemberSuite. Make it public there, or choose another target group."
    ),
    "inactive": "This search is switched off in MemberSuite. Switch it on there, or choose another target group.",
}


def must_run(search: Search) -> None:
    """Raise SearchNotRunnable unless the search can be run."""
    if search.not_runnable:
        raise SearchNotRunnable(code=f"search_{search.not_runnable}", sentence=_SENTENCES[search.not_runnable])
