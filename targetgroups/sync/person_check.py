"""Ask MemberSuite for one person, and store what it says now (R1, R14). Membership and counts stay as they are (R4)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext

from .. import owed
from ..choices import FIELDS, ExclusionReason, RunStatus
from ..exceptions import IncompleteReading
from ..models import ReceivingCount, Subscriber, SyncRun
from ..remote import MemberSuiteClient, PeoplePage, Person
from . import apply
from .eligibility import exclusion_reason
from .staged_rows import fields_of


@dataclass(frozen=True)
class Answer:
    """What came back: the person, nobody, or a row that can't be read."""

    asked_at: datetime
    person: Person | None
    is_unreadable: bool = False


@dataclass(frozen=True)
class Verdict:
    """How the run ends. `answer` is a word for pages; nothing here holds the person's data (R1)."""

    answer: str
    sentence: str
    changed_fields: tuple[str, ...] = ()
    status: RunStatus = RunStatus.COMPLETED


def ask(client: MemberSuiteClient, remote_id: str) -> Answer:
    """Look the record up by its ID; a flag that can't be read is asked for a second time before it counts as Yes."""
    answer = _answer(client.look_up_records([remote_id]), remote_id)
    if answer.person and answer.person.do_not_email is None:
        answer = _answer(client.look_up_records([remote_id]), remote_id)
    return answer


def _answer(pages: Iterable[PeoplePage], remote_id: str) -> Answer:
    read = list(pages)
    if not read:
        raise IncompleteReading
    rows = [person for page in read for person in page.rows if person.remote_id.lower() == remote_id.lower()]
    asked_at = min(page.asked_at for page in read)
    # Of several rows the one that forbids wins (R1).
    person = next((row for row in rows if row.do_not_email is not False), rows[-1] if rows else None)
    return Answer(asked_at, person, is_unreadable=not rows and any(page.rejected for page in read))


def store(run: SyncRun, answer: Answer) -> Verdict:
    """Write what the answer tells of the person; the caller's transaction holds the bridge's lock."""
    known = Subscriber.objects.filter(bridge=run.bridge_id, remote_key=run.remote_id.lower())
    stored = known.select_for_update(no_key=True).first()
    if answer.is_unreadable:
        sentence = gettext("MemberSuite's answer could not be read, so nothing was changed.")
        return Verdict("unreadable_row", sentence, status=RunStatus.COMPLETED_WITH_REJECTS)
    if answer.person is None:
        sentence = gettext("MemberSuite has no such record any more. Each group lets the person go at its next sync.")
        return Verdict("record_deleted", sentence)
    if stored is None:
        return Verdict("not_kept", gettext("This person is not kept here, so there is nothing to bring up to date."))
    reason = exclusion_reason(answer.person.do_not_email, (answer.person.email or "").strip())
    if reason == ExclusionReason.DO_NOT_EMAIL:
        return _erase(stored, answer)
    if reason:
        # The address is a fact, but an absent one is no reason to let anybody go without a sync (R5).
        sentence = (
            gettext(
                "MemberSuite has no e-mail address for this person now. Each group lets the person go at its next sync."
            )
            if reason == ExclusionReason.NO_ADDRESS
            else gettext(
                "MemberSuite has a malformed e-mail address for this person now. "
                "Each group lets the person go at its next sync."
            )
        )
        return Verdict(str(reason), sentence)
    return _update(run, stored, answer, answer.person)


def _erase(stored: Subscriber, answer: Answer) -> Verdict:
    said = gettext("MemberSuite says Do Not Email = Yes.")
    was_known = stored.do_not_email_at is not None
    if apply.erase_person(stored, answer.asked_at):
        _recount(stored)
        what = gettext("Name, address and attributes were erased here, in all groups at once.")
    else:
        what = gettext("That was known already.") if was_known else _newer()
    return Verdict("do_not_email", f"{said} {what}")


def _newer() -> str:
    return gettext("Something newer is known here already, so nothing was changed.")


def _update(run: SyncRun, stored: Subscriber, answer: Answer, person: Person) -> Verdict:
    said = gettext("MemberSuite says Do Not Email = No.")
    owed.note_mailable(stored.bridge_id, stored.remote_key, answer.asked_at)
    if stored.erased_at:
        erased = gettext("The person was erased here on request, so nothing is stored again.")
        return Verdict("mailable", f"{said} {erased}")
    if not apply.is_newer(stored, answer.asked_at):
        return Verdict("mailable", f"{said} {_newer()}")
    changes = apply.update_person(run, stored, fields_of(person), answer.asked_at)
    if not changes:
        return Verdict("mailable", f"{said} {gettext('Nothing has changed.')}")
    _recount(stored)
    # Translators: %(fields)s is "E-mail, Last name".
    what = gettext("Changed: %(fields)s.") % {"fields": ", ".join(str(FIELDS[name]) for name in changes)}
    return Verdict("mailable", f"{said} {what}", tuple(changes))


def _recount(person: Subscriber) -> None:
    """Have the person's groups counted again, after the commit: whom a mailing reaches may differ now (R15)."""
    counts = ReceivingCount.objects.filter(target_group__memberships__subscriber=person.pk, is_outdated=False)
    ids = list(counts.values_list("pk", flat=True))
    transaction.on_commit(lambda: ReceivingCount.objects.filter(pk__in=ids).update(is_outdated=True))
