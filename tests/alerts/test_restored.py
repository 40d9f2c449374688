"""A database that was restored tells nobody again what it holds as waiting."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from accounts import letters as account_letters
from accounts.models import Letter, User
from alerts import delivery, letters, outbox, webhooks
from alerts.choices import DeliveryState, Event
from alerts.models import Alert, AlertLetter, Delivery
from audit.models import AuditEntry
from mailings.models import Mailing
from tests.alerts.receiver import receiving

pytestmark = pytest.mark.django_db


def test_after_a_restore_no_event_and_no_letter_goes_out_by_itself(
    person: Callable[..., User], settings: Any, mailoutbox: list[Any]
) -> None:
    settings.EMAIL_FROM, settings.ALLOW_PRIVATE_ADDRESSES = "thrive@lamps.example", True
    admin, now = person("Administrator"), timezone.now()
    alert = Alert.objects.create(kind="failed", key="group:1", about="Members", link="/", raised_at=now)
    AlertLetter.objects.create(user=admin, alert=alert, is_recovery=False, asked_at=now, due_at=now)
    account_letters.ask_for(admin, Letter.Kind.PASSWORD)
    stopped = Mailing.objects.create(name="News", status="stopped", stop_code="nobody", notice="due")
    with receiving() as there:
        hook = webhooks.create(admin, "Office", there.address, Event.values)[0]
        waiting, told = outbox.write_for(hook, "test", {}), outbox.write_for(hook, "test", {})
        Delivery.objects.filter(pk=told.pk).update(state=DeliveryState.DELIVERED)
        output = StringIO()
        call_command("pause_sending", stdout=output)
        assert delivery.send_due() == letters.send_due() == account_letters.send_due() == 0
        delivery.deliver(hook.pk)
        assert (there.got, mail.outbox) == ([], [])
        assert webhooks.request_again(admin, waiting)
        delivery.deliver(hook.pk)
        assert there.events == ["test"]
    stopped.refresh_from_db()
    assert (stopped.notice, stopped.notice_text) == (
        "failed",
        "Nobody was told by e-mail: the database was restored from a back-up.",
    )
    for said in ("webhooks: 1 given", "alerts: 1 not", "accounts: 1 not", "Nothing goes out"):
        assert said in output.getvalue()
    entry = AuditEntry.objects.get(action="webhook.held")
    assert (entry.actor_label, entry.after) == ("command", {"deliveries": 1})
    again = StringIO()
    call_command("pause_sending", stdout=again)
    assert again.getvalue() == "No mailing was under way or scheduled.\n"


def test_what_was_held_says_why_and_can_be_asked_for_again(person: Callable[..., User], settings: Any) -> None:
    settings.EMAIL_FROM = "thrive@lamps.example"
    admin = person("Administrator", first_name="Dana")
    account_letters.ask_for(admin, Letter.Kind.PASSWORD)
    call_command("pause_sending", stdout=StringIO())
    letter = Letter.objects.get()
    assert (letter.problem, letter.sent_at) == (Letter.RESTORED, None)
    account_letters.ask_for(admin, Letter.Kind.PASSWORD)
    assert account_letters.send_due() == 1
