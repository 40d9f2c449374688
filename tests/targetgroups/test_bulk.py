"""Many target groups at once: the possible ones are done, each of the rest keeps its reason, all is recorded (R16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEntry
from mailings.choices import FINAL, MailingStatus
from mailings.models import Mailing, MailingGroup
from targetgroups import bulk, enqueue, folders
from targetgroups.bulk import Done
from targetgroups.choices import Trigger
from targetgroups.exceptions import FolderRefused, NotAllowedNow
from targetgroups.models import Folder, Membership, SyncRequest, SyncRun, TargetGroup
from tests.support.engine import perform_beside
from tests.targetgroups.views.conftest import Rows

if TYPE_CHECKING:
    from tests.support.engine import Engine


@pytest.fixture
def rows(db: None) -> Rows:
    return Rows()


@pytest.fixture
def mia(db: None) -> User:
    return User.objects.create_user("mia")


def names(done: Done) -> list[str]:
    return [group.name for group in done.groups]


def reasons(done: Done) -> dict[str, str]:
    return {refusal.group.name: refusal.reason for refusal in done.refused}


def ids(*groups: TargetGroup) -> list[int]:
    return [group.pk for group in groups]


def audited(action: str) -> list[tuple[str, object, object]]:
    entries = AuditEntry.objects.filter(action=action).order_by("id")
    return [(entry.object_label, entry.before, entry.after) for entry in entries]


def used_by(group: TargetGroup, name: str, status: str) -> None:
    MailingGroup.objects.create(mailing=Mailing.objects.create(name=name, status=status), target_group=group)


def test_a_delete_takes_the_possible_ones_and_gives_a_reason_for_each_of_the_rest(rows: Rows, mia: User) -> None:
    free, used, running = rows.group("Free"), rows.group("Used"), rows.group("Running")
    past = rows.group("Past", deleted_at=timezone.now())
    used_by(used, "Spring news", MailingStatus.SCHEDULED)
    rows.run(running, "running")
    asked = bulk.deletable(ids(free, used, running, past))
    done = bulk.delete_groups(ids(free, used, running, past), mia)
    assert (names(asked), reasons(asked)) == (names(done), reasons(done))
    assert names(done) == ["Free"]
    assert reasons(done) == {
        "Past": "It is deleted already.",
        "Running": "It is being synced. Cancel the sync or wait until it has ended.",
        "Used": "It is used by the mailing “Spring news” (Scheduled).",
    }
    assert set(TargetGroup.objects.present()) == {used, running}


@pytest.mark.parametrize("status", MailingStatus.values)
def test_only_an_unfinished_mailing_keeps_a_group_from_being_deleted(status: str, rows: Rows, mia: User) -> None:
    group = rows.group()
    used_by(group, "News", status)
    assert bool(bulk.delete_groups(ids(group), mia).groups) == (status in FINAL)


def test_many_mailings_are_counted_and_two_of_them_named(rows: Rows, mia: User) -> None:
    group = rows.group()
    for number in range(4):
        used_by(group, f"News {number}", MailingStatus.DRAFT)
    said = reasons(bulk.delete_groups(ids(group), mia))["Members"]
    assert said == "It is used by the mailing “News 3” (Draft), the mailing “News 2” (Draft) and 2 more."


def test_a_deleted_group_keeps_its_people_and_its_count_until_it_is_undeleted(rows: Rows, mia: User) -> None:
    groups = [rows.group("One", member_count=1, folder=rows.main), rows.group("Two", member_count=1)]
    for group in groups:
        rows.member(group, f"{group.name}@lamps.example")
    before = list(TargetGroup.objects.order_by("pk").values())
    bulk.delete_groups(ids(*groups), mia)
    assert Membership.objects.count() == 2
    done = bulk.undelete_groups(ids(*groups, rows.group("Never deleted")), mia)
    assert names(done) == ["One", "Two"]
    assert reasons(done) == {"Never deleted": "It is not deleted."}
    assert list(TargetGroup.objects.order_by("pk").values())[:2] == before


def test_r16_moves_deletions_and_undeletions_are_recorded_with_before_and_after(rows: Rows, mia: User) -> None:
    group = rows.group("Members")
    bulk.move_groups_to_new_folder(ids(group), "  Spring   gala ", mia)
    bulk.delete_groups(ids(group), mia)
    bulk.undelete_groups(ids(group), mia)
    assert audited("target_group.moved") == [("Members", {"folder": "MemberSuite"}, {"folder": "Spring gala"})]
    deleted = {"folder": "Spring gala", "search_id": group.search_id, "is_deleted": False}
    assert audited("target_group.deleted") == [("Members", deleted, {"is_deleted": True})]
    assert audited("target_group.undeleted") == [("Members", {"is_deleted": True}, {"is_deleted": False})]
    assert audited("folder.created") == [("Spring gala", None, {"name": "Spring gala"})]
    assert set(AuditEntry.objects.values_list("actor", flat=True)) == {mia.pk}


def test_deleting_a_group_cancels_the_run_that_waits_for_it(rows: Rows, mia: User) -> None:
    group = rows.group()
    rows.run(group, "waiting")
    assert names(bulk.delete_groups(ids(group), mia)) == ["Members"]
    assert SyncRun.objects.get().status == "cancelled"


def test_a_move_leaves_deleted_groups_and_those_that_are_there(rows: Rows, mia: User) -> None:
    there, here = rows.group("There", folder=rows.main), rows.group("Here")
    past = rows.group("Past", deleted_at=timezone.now())
    done = bulk.move_groups(ids(there, here, past), rows.main, mia)
    assert names(done) == ["Here"]
    assert reasons(done) == {
        "Past": "It is deleted. Undelete it first.",
        "There": "It is in “Main Folder” already.",
    }


def test_nothing_moves_to_a_new_folder_whose_name_is_taken(rows: Rows, mia: User) -> None:
    with pytest.raises(FolderRefused, match="There is a folder “main folder” already"):
        bulk.move_groups_to_new_folder(ids(rows.group()), "main folder", mia)
    assert TargetGroup.objects.get().folder == rows.folder


def test_r7_a_resync_of_many_asks_for_one_run_each_and_joins_what_runs(rows: Rows, mia: User) -> None:
    fine, running = rows.group("Fine"), rows.group("Running")
    rows.run(running, "running")
    gone, asks = rows.group("Gone", gone_at=timezone.now()), rows.group("Asks", not_runnable_code="needs_parameter")
    past = rows.group("Past", deleted_at=timezone.now())
    done = bulk.resync_groups(ids(fine, running, gone, asks, past), mia)
    assert names(done) == ["Fine", "Running"]
    assert set(reasons(done)) == {"Asks", "Gone", "Past"}
    assert SyncRun.objects.filter(target_group__in=[fine, running]).count() == 2
    assert SyncRequest.objects.filter(user=mia).count() == 2
    assert SyncRun.objects.filter(target_group__in=[gone, asks, past]).count() == 0


def test_folders_are_made_renamed_and_deleted_and_their_groups_stay(rows: Rows, mia: User) -> None:
    folder = folders.create_folder("Gala", mia)
    rows.group("Guests", folder=folder)
    rows.group("Past", folder=folder, deleted_at=timezone.now())
    folders.rename_folder(folder, "Spring gala", mia)
    assert folders.delete_folder(folder, mia) == 1  # the deleted one moves too, and is not told of
    assert set(TargetGroup.objects.values_list("folder__name", flat=True)) == {"Main Folder"}
    assert audited("folder.renamed") == [("Spring gala", {"name": "Gala"}, {"name": "Spring gala"})]
    assert audited("folder.deleted")[0][0] == "Spring gala"


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "all folders", "MEMBERSUITE", "Bell\x07"])
def test_a_folder_has_a_name_that_no_other_has(name: str, rows: Rows, mia: User) -> None:
    with pytest.raises(FolderRefused):
        folders.create_folder(name, mia)


def test_the_two_folders_that_are_always_there_stay_as_they_are(rows: Rows, mia: User) -> None:
    for name in (Folder.MAIN, Folder.MEMBERSUITE):
        for change in (lambda one: folders.delete_folder(one, mia), lambda one: folders.rename_folder(one, "X", mia)):
            with pytest.raises(FolderRefused, match="always there"):
                change(Folder.objects.get(name=name))


# --- what happens to a deleted group in the background --------------------------------------------------------------


def delete(engine: Engine, name: str) -> TargetGroup:
    group = engine.group(name)
    assert bulk.delete_groups([group.pk], User.objects.create_user("mia")).groups
    return group


def test_r10_a_refresh_brings_no_deleted_group_back_and_says_so(engine: Engine) -> None:
    group, total = delete(engine, "Lapsed 2025"), TargetGroup.objects.count()
    engine.standin.rename_search(group.search_id, "Lapsed last year")
    run = engine.refresh()
    assert run.sentence == f"{total - 1} unchanged, 1 deleted here"
    assert TargetGroup.objects.count() == total
    group.refresh_from_db()
    assert group.deleted_at
    assert group.name == "Lapsed last year"  # undeleted, it says what its search is called


def test_r10_a_deleted_group_whose_search_vanished_comes_back_marked(engine: Engine) -> None:
    group = delete(engine, "Lapsed 2025")
    engine.standin.delete_search(group.search_id)
    assert "no longer" not in engine.refresh().sentence
    bulk.undelete_groups([group.pk], User.objects.get())
    group.refresh_from_db()
    assert group.is_gone


def test_a_group_deleted_while_its_run_waits_for_a_worker_is_not_synced(engine: Engine) -> None:
    group = engine.group("Lapsed 2025")
    run = enqueue.request_sync(group, Trigger.RESYNC_NOW)
    TargetGroup.objects.filter(pk=group.pk).update(deleted_at=timezone.now())
    ended = engine.work(run)
    assert (ended.status, ended.error_code) == ("cancelled", "group_deleted")
    assert not Membership.objects.exists()


def test_r4_a_group_deleted_while_its_run_reads_is_not_written(engine: Engine) -> None:
    group = engine.group("Lapsed 2025")
    run = enqueue.request_sync(group, Trigger.RESYNC_NOW)
    with engine.standin.holds("ExecuteSearch", on_page=1) as held:
        worker = perform_beside(run)
        assert held.wait_until_held()
        refused = bulk.delete_groups([group.pk], User.objects.create_user("mia"))
        assert "being synced" in reasons(refused)[group.name]
        TargetGroup.objects.filter(pk=group.pk).update(deleted_at=timezone.now())  # as if both came at one moment
    worker.join(30)
    run.refresh_from_db()
    assert (run.status, run.error_code) == ("cancelled", "group_deleted")
    assert not Membership.objects.exists()


def test_r6_a_held_run_of_a_deleted_group_is_not_applied(rows: Rows, mia: User) -> None:
    held = rows.run(rows.group(deleted_at=timezone.now()), "held", figures={"would_remove": 3})
    with pytest.raises(NotAllowedNow, match="Undelete it"):
        enqueue.request_apply(held, mia)
    held.refresh_from_db()
    assert held.decided_at is None
