"""Which searches can't be run, and what to tell a marketer about each."""

from __future__ import annotations

from memberSuite.exceptions import SearchNotRunnable
from memberSuite.records import Search
from memberSuite.words import gettext, gettext_noop

_SENTENCES = {
    "needs_parameter": gettext_noop(
        "This search asks its user for input each time it runs, so it can't be synced. "
        "Replace the question by a fixed value in MemberSuite."
    ),
    "not_people": gettext_noop("This search does not list individuals, so it has nobody to mail."),
    "not_over_rest": gettext_noop(
        "This search can't be run over REST. Choose the Concierge transport on Bridge Configuration to sync it."
    ),
    "not_public": gettext_noop(
        "This search is no longer public in MemberSuite. Make it public there, or choose another target group."
    ),
    "inactive": gettext_noop(
        "This search is switched off in MemberSuite. Switch it on there, or choose another target group."
    ),
}


def must_run(search: Search) -> None:
    """Raise SearchNotRunnable unless the search can be run."""
    if search.not_runnable:
        raise SearchNotRunnable(code=f"search_{search.not_runnable}", sentence=gettext(_SENTENCES[search.not_runnable]))
