"""Info: opening asks for a sync (R8), the strip is live, the counts add up (R15)."""

from __future__ import annotations

import pytest
from django.utils import timezone

from targetgroups.choices import ExclusionReason, Phase
from targetgroups.models import RunProgress, SyncRequest, SyncRun
from tests.targetgroups.views.conftest import Rows, SignIn, text_of


def test_r8_choosing_info_asks_for_a_sync_and_shows_infos_own_address(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group()
    client = sign_in("Subscribers")
    answer = client.post(f"/target-groups/{group.pk}/open/")
    assert answer["Location"] == f"/target-groups/{group.pk}/"
    request = SyncRequest.objects.get()
    assert (request.trigger, request.run.target_group) == ("info", group)
    for _ in range(2):  # reload and polling start nothing
        client.get(answer["Location"])
        client.get(f"/target-groups/{group.pk}/live/")
    assert SyncRequest.objects.count() == 1


def test_r8_without_the_permission_info_opens_and_says_why_nothing_syncs(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group()
    page = sign_in("Reporter").post(f"/target-groups/{group.pk}/open/", follow=True)
    assert "your role does not let you start one" in text_of(page)
    assert not SyncRun.objects.exists()
    assert "Resync Now" not in text_of(page)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"gone_at": timezone.now()}, "not among MemberSuite's public searches"),
        ({"not_runnable_code": "not_people"}, "not people"),
    ],
)
def test_r10_a_group_that_cannot_sync_says_why_and_starts_nothing(
    fields: dict[str, object], words: str, rows: Rows, sign_in: SignIn
) -> None:
    group = rows.group(**fields)
    page = text_of(sign_in().post(f"/target-groups/{group.pk}/open/", follow=True))
    assert words in page and "Nobody has asked for a sync yet" not in page
    sign_in().post(f"/target-groups/{group.pk}/resync/")
    assert not SyncRun.objects.exists()


def test_the_strip_shows_rows_so_far_speed_and_time_left(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group()
    run = rows.run(group, "running")
    now = timezone.now()
    numbers = {"rows_read": 1500, "rows_total": 4500, "rows_per_second": 100.0}
    RunProgress.objects.create(run=run, beat_at=now, phase_started_at=now, phase=Phase.READING, **numbers)
    words = text_of(sign_in().get(f"/target-groups/{group.pk}/"))
    assert "Reading from MemberSuite 1,500 of 4,500 rows · 100 rows/s · 30 s left" in words
    assert "Cancel" in words


def test_polling_stops_when_the_run_is_over_and_the_tab_reloads_once(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group()
    run = rows.run(group, "running")
    client = sign_in()
    live = client.get(f"/target-groups/{group.pk}/live/")
    assert "every 1s" in live.content.decode()
    assert "HX-Trigger" not in live
    run.status = "completed"
    run.save()
    live = client.get(f"/target-groups/{group.pk}/live/")
    assert "every" not in live.content.decode()
    assert live["HX-Trigger"] == "sync-ended"


def test_cancel_is_a_wish_and_a_late_one_does_no_harm(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group()
    run = rows.run(group, "running")
    client = sign_in()
    address = f"/target-groups/{group.pk}/runs/{run.pk}/cancel/"
    part = client.post(address, headers={"HX-Request": "true", "HX-Target": "info-live"})
    assert "Cancelling…" in text_of(part)
    run.status = "completed"
    run.save()
    assert client.post(address).status_code == 302


def test_r15_the_counts_add_up_and_every_number_is_a_link(rows: Rows, sign_in: SignIn) -> None:
    reasons = {"do_not_email": 60, "no_address": 5, "malformed_address": 2, "duplicate_row": 1, "unreadable_row": 2}
    group = rows.group(member_count=31, exclusion_counts=reasons)
    group.search_count = 100  # 100 - 70 = 30, and one person stays on doubt (R5)
    group.counted_run = rows.run(group)
    group.save()
    page = sign_in().get(f"/target-groups/{group.pk}/counts/")
    words = text_of(page)
    assert "In the search 100" in words
    assert "plus Kept on doubt: not readable this time 1" in words
    assert "Members of this group 31" in words
    for reason in reasons:
        assert f"excluded/?reason={reason}" in page.content.decode()


def test_r15_what_was_never_counted_has_no_sum(rows: Rows, sign_in: SignIn) -> None:
    words = text_of(sign_in().get(f"/target-groups/{rows.group().pk}/counts/"))
    assert "Not counted yet" in words
    assert "Members of this group" not in words


def test_r4_who_is_do_not_email_by_another_groups_sync_is_told_beside_the_counts(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group(member_count=2)
    rows.member(group, "a@example.org")
    rows.member(group, "", do_not_email_at=timezone.now())
    client = sign_in()
    assert "Now Do Not Email, seen elsewhere: 1" in text_of(client.get(f"/target-groups/{group.pk}/counts/"))
    assert "(erased)" in text_of(client.get(f"/target-groups/{group.pk}/subscribers/"))


def test_a_calculated_do_not_email_figure_says_so(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group(member_count=1, is_do_not_email_calculated=True)
    assert "calculated" in text_of(sign_in().get(f"/target-groups/{group.pk}/counts/"))


def test_excluded_lists_remote_ids_by_reason(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group(member_count=0)
    one = rows.excluded(group)
    other = rows.excluded(group, ExclusionReason.NO_ADDRESS)
    ended = rows.excluded(group, until_run_id=5)
    client, address = sign_in(), f"/target-groups/{group.pk}/excluded/"
    words = text_of(client.get(address))
    assert one.remote_id in words
    assert other.remote_id in words
    assert ended.remote_id not in words
    narrowed = text_of(client.get(address, {"reason": "no_address"}))
    assert other.remote_id in narrowed
    assert one.remote_id not in narrowed
    found = text_of(client.post(address, {"q": one.remote_id.upper()}))
    assert one.remote_id in found
    assert other.remote_id not in found


def test_history_lists_the_runs_with_their_figures_and_a_chart(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group(member_count=8)
    for count in (5, 8):
        rows.run(group, figures={"members_after": count, "added": count, "changed": 0, "removed": 0})
    page = sign_in().get(f"/target-groups/{group.pk}/history/")
    assert "<polyline" in page.content.decode()
    assert "From 5 on" in text_of(page)
    assert "8 +3 Run" in text_of(page)


def test_a_person_without_people_rights_gets_neither_tabs_nor_links_to_them(rows: Rows, sign_in: SignIn) -> None:
    from django.contrib.auth.models import Group, Permission

    client = sign_in("Reporter")
    Group.objects.get(name="Reporter").permissions.remove(Permission.objects.get(codename="view_subscribers"))
    group = rows.group(member_count=3)
    for part in ("", "counts/"):
        page = client.get(f"/target-groups/{group.pk}/{part}").content.decode()
        assert "/subscribers/" not in page
        assert "/excluded/" not in page


def test_the_dialog_and_the_page_show_the_same_part(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group("Members")
    client, address = sign_in(), f"/target-groups/{group.pk}/"
    part = client.get(address, headers={"HX-Request": "true", "HX-Target": "sheet-body"}).content.decode()
    assert "<html" not in part
    assert part.strip().startswith('<div id="info"')
    assert "<html" in client.get(address).content.decode()
