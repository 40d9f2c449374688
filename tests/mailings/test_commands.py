"""`manage.py send_mailing`: for programs as for people."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from audit.models import AuditEntry
from mailings.enqueue import request_retry
from mailings.models import Mailing
from tests.support.post import Post

ADA = "ada@lamps.example"


def told(*words: str) -> str:
    output = StringIO()
    call_command("send_mailing", *words, stdout=output, stderr=StringIO())
    return output.getvalue()


def test_it_asks_for_the_mailing_and_tells_where_it_is(post: Post) -> None:
    mailing = post.mailing(post.group(ADA))
    assert told(str(mailing.pk)) == f"Mailing {mailing.pk} (Spring letter): Scheduled\n"
    mailing.refresh_from_db()
    assert mailing.status == "scheduled"


def test_a_stopped_mailing_is_retried(post: Post) -> None:
    mailing = post.mailing(post.group(ADA))
    Mailing.objects.update(status="stopped", stop_code="nobody")
    assert json.loads(told(str(mailing.pk), "--json"))["status"] == "scheduled"


@pytest.mark.parametrize("words", [["999"], ["{draft}"]])
def test_what_cannot_be_sent_is_bad_use(post: Post, words: list[str]) -> None:
    draft = post.mailing(post.group(ADA), subject="")
    with pytest.raises(CommandError) as refusal:
        told(*(word.format(draft=draft.pk) for word in words))
    assert refusal.value.returncode == 2


def test_waiting_ends_with_the_mailing_and_its_exit_code_says_how(post: Post) -> None:
    mailing = post.mailing(post.group(ADA))
    with pytest.raises(SystemExit) as gave_up:
        told(str(mailing.pk), "--wait", "--timeout", "0.1")
    assert gave_up.value.code == 1


def test_r13_after_a_restore_nothing_goes_out_by_itself(post: Post) -> None:
    group = post.group(ADA)
    begun = {status: post.mailing(group) for status in ("scheduled", "resyncing", "sending", "paused", "sent", "draft")}
    for status, mailing in begun.items():
        Mailing.objects.filter(pk=mailing.pk).update(status=status)
    output = StringIO()
    call_command("pause_sending", stdout=output)
    now = {was: Mailing.objects.get(pk=mailing.pk) for was, mailing in begun.items()}
    assert {was: mailing.status for was, mailing in now.items()} == {
        "scheduled": "stopped",
        "resyncing": "stopped",
        "sending": "paused",
        "paused": "paused",
        "sent": "sent",
        "draft": "draft",
    }
    assert now["scheduled"].stop_code == "restored"
    assert f"Stopped: mailing {now['scheduled'].pk}, Spring letter" in output.getvalue()
    assert AuditEntry.objects.filter(actor_label="command", action__in=("mailing.stop", "mailing.pause")).count() == 3
    request_retry(now["resyncing"], None)
    assert now["resyncing"].status == "scheduled"
    again = StringIO()
    Mailing.objects.filter(pk=now["resyncing"].pk).update(status="cancelled")
    call_command("pause_sending", stdout=again)
    assert again.getvalue() == "No mailing was under way or scheduled.\n"
