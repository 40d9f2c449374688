"""Send Test, as people ask for it: to a few addresses, within a limit, never counted as sending the mailing.

Who may write mailings may test them (product section 4): a test is part of writing, and goes to typed addresses alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import ngettext

import audit
from targetgroups import suppression
from targetgroups.models import Subscriber
from thrive_sync.lib.addresses import address_key
from thrive_sync.lib.words import number

from .choices import UNSETTLED, Outcome
from .enqueue import problems
from .exceptions import MailingError, NotReady
from .models import Mailing, MailingTest, MailingTestCopy
from .send import trial

# So many copies within an hour are enough to look at, and too few to mail a list past every rule.
MOST_AN_HOUR = 60
# What a message may lack and be looked at all the same.
_NOT_NEEDED = ("name", "groups")
_SHOWN = 5


@transaction.atomic
def request_test(
    mailing: Mailing, user: AbstractBaseUser, addresses: Sequence[str], subscriber: Subscriber | None = None
) -> MailingTest:
    """Ask for a test to these addresses; whoever is suppressed here is refused with the reason.

    Args:
        subscriber: whose values fill the message; None is somebody of whom nothing is known.

    Raises NotReady if the message can't be written, MailingError if the person has had enough tests for an hour.
    """
    get_user_model().objects.select_for_update(no_key=True).get(pk=user.pk)  # two clicks are counted one by one
    mailing.refresh_from_db()
    if lacking := {name: text for name, text in problems(mailing).items() if name not in _NOT_NEEDED}:
        raise NotReady(lacking)
    _check_limit(user, len(addresses))
    now = timezone.now()
    test = MailingTest.objects.create(
        mailing=mailing, asked_by_id=user.pk, asked_at=now, version=mailing.version, subscriber=subscriber
    )
    copies = [_copy(test, address) for address in addresses]
    MailingTestCopy.objects.bulk_create(copies)
    refused = sum(1 for each in copies if each.outcome == Outcome.SKIPPED)
    told = {"test": test.pk, "version": test.version, "addresses": len(copies), "refused": refused}
    audit.record(user, "mailing.test", mailing, None, told)
    transaction.on_commit(partial(trial.wake, test.pk))
    return test


def tests_of(mailing: Mailing) -> list[MailingTest]:
    """Return the newest tests of a mailing, with their copies."""
    tests = MailingTest.objects.filter(mailing=mailing).select_related("asked_by", "subscriber")
    return list(tests.prefetch_related("copies").order_by("-id")[:_SHOWN])


def are_under_way(tests: Sequence[MailingTest]) -> bool:
    return any(each.outcome in UNSETTLED for test in tests for each in test.copies.all())


def addresses_for(mailing: Mailing, user: AbstractBaseUser) -> list[str]:
    """Return the addresses that a person typed last, for this mailing or else for another; or their own."""
    mine = MailingTest.objects.filter(asked_by=user.pk).order_by("-id")
    last = mine.filter(mailing=mailing).first() or mine.first()
    if last is not None and (typed := list(last.copies.values_list("address", flat=True))):
        return typed
    own = str(getattr(user, "email", ""))
    return [own] if own else []


def _copy(test: MailingTest, address: str) -> MailingTestCopy:
    each = MailingTestCopy(test=test, address=address, address_key=address_key(address))
    stopped = suppression.in_force(address).order_by("pk").first()
    if stopped is not None:
        each.outcome, each.reason, each.settled_at = Outcome.SKIPPED, stopped.cause, test.asked_at
    return each


def _check_limit(user: AbstractBaseUser, count: int) -> None:
    since = timezone.now() - timedelta(hours=1)
    had = MailingTestCopy.objects.filter(test__asked_by=user.pk, test__asked_at__gt=since).count()
    if had + count > MOST_AN_HOUR:
        left = max(MOST_AN_HOUR - had, 0)
        sentence = ngettext(
            "You can send %(most)s tests an hour, and %(left)s is left now. Nothing was sent. Try again later.",
            "You can send %(most)s tests an hour, and %(left)s are left now. Nothing was sent. Try again later.",
            left,
        )
        raise MailingError(sentence % {"most": number(MOST_AN_HOUR), "left": number(left)})
