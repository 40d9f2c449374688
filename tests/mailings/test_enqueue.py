"""What people may do with a mailing, and when; each change is recorded (R8, R16)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db.models.functions import Now
from django.utils import timezone

from audit.models import AuditEntry
from mailings import enqueue, stretch
from mailings.choices import CANCELLABLE, EDITABLE, MailingStatus
from mailings.exceptions import NotAllowedNow, NotReady
from mailings.models import Mailing
from targetgroups.models import TargetGroup
from tests.support.broker import waiting_count
from tests.support.post import Post

ADA, BO = "ada@lamps.example", "bo@lamps.example"


def test_a_draft_is_written_saved_copied_and_deleted_and_each_is_recorded(post: Post) -> None:
    user = get_user_model().objects.create_user("mia")
    group, barred = post.group(ADA), post.group(BO, name="Barred")
    mailing = enqueue.create_mailing(user)
    values = {"name": "Spring", "text": "Lit."}
    saved = enqueue.save_mailing(mailing, values, [group.pk], user, version=1, not_to_ids=[barred.pk])
    assert (saved.name, saved.version, saved.status, saved.created_by) == ("Spring", 2, "draft", user)
    copy = enqueue.copy_mailing(saved, user)
    assert (copy.name, copy.text, copy.version) == ("Copy of Spring", "Lit.", 1)
    roles = {(group.pk, "to"), (barred.pk, "not_to")}
    assert set(copy.groups.values_list("target_group", "role")) == roles
    enqueue.delete_draft(copy, user)
    assert list(Mailing.objects.all()) == [saved]
    entries = AuditEntry.objects.order_by("pk").values_list("action", "actor_label")
    actions = ["mailing.created", "mailing.saved", "mailing.copied", "mailing.deleted"]
    assert list(entries) == [(action, "mia") for action in actions]
    assert AuditEntry.objects.get(action="mailing.saved").after["to"] == [group.pk]


def _kept(mailing: Mailing, name: str, user: object, *, by_itself: bool = True) -> None:
    enqueue.save_mailing(mailing, {"name": name}, [], user, version=mailing.version, by_itself=by_itself)


def _log() -> list[tuple[object, ...]]:
    """Tell who changed the name from what to what, as the log has it."""
    entries = AuditEntry.objects.filter(action__in=("mailing.writing", "mailing.saved")).order_by("pk")
    return [(each.action, each.actor_label, each.before["name"], each.after["name"]) for each in entries]


def test_a_stretch_of_writing_that_keeps_itself_is_two_entries(post: Post) -> None:
    mia = get_user_model().objects.create_user("mia")
    mailing = enqueue.create_mailing(mia)
    for name in ("L", "La", "Lam", "Lamp"):
        _kept(mailing, name, mia)
    began = ("mailing.writing", "mia", "New mailing", "L")
    assert _log() == [began]
    _kept(mailing, "Lamps", mia, by_itself=False)
    assert _log() == [began, ("mailing.saved", "mia", "L", "Lamps")]
    _kept(mailing, "Lamps!", mia)
    assert _log()[2:] == [("mailing.writing", "mia", "Lamps", "Lamps!")], "what is written after a Save begins anew"


@pytest.mark.parametrize("by_itself", [True, False])
def test_what_one_wrote_is_never_put_down_to_the_next(post: Post, by_itself: bool) -> None:
    mia, ben = (get_user_model().objects.create_user(name) for name in ("mia", "ben"))
    mailing = enqueue.create_mailing(mia)
    for name in ("L", "Lamps"):
        _kept(mailing, name, mia)
    _kept(mailing, "Candles", ben, by_itself=by_itself)
    action = "mailing.writing" if by_itself else "mailing.saved"
    assert _log()[1:] == [("mailing.saved", "mia", "L", "Lamps"), (action, "ben", "Lamps", "Candles")]
    assert "kept_at" in AuditEntry.objects.get(action="mailing.saved", actor=mia).after


def test_whoever_comes_back_after_a_pause_begins_another_stretch(post: Post) -> None:
    mia = get_user_model().objects.create_user("mia")
    mailing = enqueue.create_mailing(mia)
    for name in ("L", "Lamps"):
        _kept(mailing, name, mia)
    Mailing.objects.update(changed_at=Now() - stretch.QUIET)
    _kept(mailing, "Candles", mia)
    assert _log()[1:] == [("mailing.saved", "mia", "L", "Lamps"), ("mailing.writing", "mia", "Lamps", "Candles")]


@pytest.mark.parametrize("action", ["mailing.send", "mailing.deleted"])
def test_what_keeps_itself_is_recorded_in_full_before_it_is_sent_or_deleted(post: Post, action: str) -> None:
    mia, ben = (get_user_model().objects.create_user(name) for name in ("mia", "ben"))
    group = post.group(ADA)
    mailing = post.mailing(group)
    for name in ("L", "Lamps"):
        enqueue.save_mailing(mailing, {"name": name}, [group.pk], mia, version=mailing.version, by_itself=True)
    (enqueue.request_send if action == "mailing.send" else enqueue.delete_draft)(mailing, ben)
    saved, last = AuditEntry.objects.order_by("-pk")[:2][::-1]
    assert (saved.action, saved.actor, last.action, last.actor) == ("mailing.saved", mia, action, ben)
    assert saved.after["name"] == "Lamps"


def test_what_somebody_else_saved_meanwhile_is_not_overwritten(post: Post) -> None:
    mailing = post.mailing(post.group(ADA))
    enqueue.save_mailing(mailing, {"name": "First"}, [], None, version=mailing.version)
    with pytest.raises(NotAllowedNow, match="Somebody changed this mailing meanwhile"):
        enqueue.save_mailing(mailing, {"name": "Second"}, [], None, version=mailing.version - 1)
    mailing.refresh_from_db()
    assert mailing.name == "First"


def test_what_can_not_be_personalised_can_not_be_sent(post: Post) -> None:
    mailing = post.mailing(post.group(ADA), subject="Lamps {{", text="Dear\n{% if name %}", html="<p>{{ nmae }}</p>")
    assert enqueue.problems(mailing) == {
        "subject": "The subject, line 1: “{{” has no “}}” after it.",
        "text": "The text, line 2: {% if %} has no {% endif %}.",
    }
    mailing = post.mailing(mailing.target_groups.get(), text="", html="<p>Lit.</p>")
    assert "text" not in enqueue.problems(mailing), "it is made from the HTML"


def test_groups_that_are_not_there_are_not_taken(post: Post) -> None:
    group = post.group(ADA)
    mailing = post.mailing(group)
    enqueue.save_mailing(mailing, {}, [group.pk, 999_999], None, version=mailing.version)
    assert list(mailing.target_groups.all()) == [group]


@pytest.mark.parametrize("status", [status for status in MailingStatus if status not in EDITABLE])
def test_a_mailing_that_was_asked_to_be_sent_can_not_be_changed_or_sent_again(post: Post, status: str) -> None:
    mailing = post.mailing(post.group(ADA))
    Mailing.objects.update(status=status)
    with pytest.raises(NotAllowedNow, match="can't be changed: it is"):
        enqueue.save_mailing(mailing, {"name": "Late"}, [], None, version=mailing.version)
    with pytest.raises(NotAllowedNow, match="can't be sent: it is"):
        enqueue.request_send(mailing, None)
    with pytest.raises(NotAllowedNow, match="can't be deleted: it is"):
        enqueue.delete_draft(mailing, None)


@pytest.mark.parametrize(
    ("wish", "allowed"),
    [
        (enqueue.request_retry, (MailingStatus.STOPPED,)),
        (enqueue.request_pause, (MailingStatus.SENDING,)),
        (enqueue.request_resume, (MailingStatus.PAUSED,)),
        (enqueue.request_cancel, CANCELLABLE),
    ],
)
def test_each_wish_is_granted_in_its_states_and_refused_in_words_in_all_others(post: Post, wish, allowed) -> None:
    mailing = post.mailing(post.group(ADA))
    for status in MailingStatus:
        Mailing.objects.update(status=status)
        if status in allowed:
            wish(mailing, None)
            assert mailing.status != status
        else:
            with pytest.raises(NotAllowedNow, match=f"it is {status.label.lower()}"):
                wish(mailing, None)


def test_an_empty_mailing_says_by_field_what_it_lacks(post: Post, settings) -> None:
    settings.MAIL_POSTAL_ADDRESS = ""
    mailing = enqueue.create_mailing(None)
    lacking = enqueue.problems(mailing)
    assert set(lacking) == {"from_email", "subject", "text", "groups", "site"}
    assert "MAIL_POSTAL_ADDRESS" in lacking["site"]
    with pytest.raises(NotReady) as refusal:
        enqueue.request_send(mailing, None)
    assert refusal.value.problems == lacking


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "Lamps\nBcc: everybody@lamps.example"),
        ("from_name", "Keepers\r\nX: y"),
        ("from_email", "nobody"),
        ("reply_to", "nobody@"),
        ("name", " "),
    ],
)
def test_a_value_that_cannot_be_sent_is_a_problem_of_its_field(post: Post, field: str, value: str) -> None:
    mailing = post.mailing(post.group(ADA), **{field: value})
    assert list(enqueue.problems(mailing)) == [field]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"deleted_at": Now()}, "was deleted"),
        ({"gone_at": Now()}, "no longer in MemberSuite"),
        ({"not_runnable_code": "needs_parameter"}, "can't be run"),
    ],
)
def test_r10_a_group_that_cannot_be_synced_is_a_problem_before_anything_is_asked_for(post: Post, change, words) -> None:
    mailing = post.mailing(post.group(ADA))
    TargetGroup.objects.update(**change)
    assert words in enqueue.problems(mailing)["groups"]


def test_r8_asking_wakes_a_worker_and_does_nothing_else(post: Post) -> None:
    mailing = post.mailing(post.group(ADA))
    enqueue.request_send(mailing, None)
    assert (mailing.status, waiting_count("mailings"), mailing.moment_at) == ("scheduled", 1, None)
    entry = AuditEntry.objects.get(action="mailing.send")
    assert (entry.actor_label, entry.after["at"], entry.after["time_zone"]) == ("command", None, "")
    assert entry.after["reviewed"] == mailing.reviewed


def test_cancelling_before_the_freeze_ends_the_mailing_and_nobody_is_asked_for(post: Post) -> None:
    mailing = post.mailing(post.group(ADA))
    enqueue.request_send(mailing, None, at=timezone.now() + timedelta(days=1))
    enqueue.request_cancel(mailing, None)
    post.work(mailing)
    assert (mailing.status, mailing.recipients.count(), mailing.finished_at is not None) == ("cancelled", 0, True)


def test_unknown_recipients_of_a_cancelled_mailing_are_not_sent_it_again(post: Post) -> None:
    mailing = post.frozen(post.group(ADA, BO))
    post.sink.cuts[BO] = "before"
    post.work(mailing)
    Mailing.objects.update(status=MailingStatus.CANCELLED)
    with pytest.raises(NotAllowedNow, match="can't be sent again: it is cancelled"):
        enqueue.decide_unknown(mailing, None, resend=True)
    assert enqueue.decide_unknown(mailing, None, resend=False) == 1
    assert enqueue.decide_unknown(mailing, None, resend=False) == 0
