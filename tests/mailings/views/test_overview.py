"""The list of mailings, and what begins, copies or deletes one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from audit.models import AuditEntry
from mailings.models import Mailing
from targetgroups.models import ReceivingCount
from tests.mailings.views.conftest import Desk, SignIn, text_of
from tests.targetgroups.views.conftest import Rows

LIST = "/mailings/"


def test_an_empty_list_says_what_to_do_first(sign_in: SignIn) -> None:
    assert "No mailings yet" in text_of(sign_in().get(LIST))
    assert "No mailing has this status" in text_of(sign_in().get(LIST, {"status": "sent"}))


def test_each_row_says_its_state_in_a_word_with_groups_and_recipients(rows: Rows, desk: Desk, sign_in: SignIn) -> None:
    group = rows.group("Members", member_count=40)
    desk.mailing(group, name="Planned")
    desk.frozen(group, "sending", sent=1, queued=2)
    words = text_of(sign_in().get(LIST))
    assert "Planned Draft Members at most 40" in words
    assert "Spring letter Sending Members 1 of 3" in words


def test_r15_the_number_of_a_draft_is_that_of_the_last_count_or_a_word(rows: Rows, desk: Desk, sign_in: SignIn) -> None:
    counted = rows.group("Counted", member_count=40)
    ReceivingCount.objects.create(target_group=counted, receiving_count=31, counted_at=timezone.now())
    desk.mailing(counted, name="One")
    desk.mailing(rows.group("Never"), name="Two")
    words = text_of(sign_in().get(LIST))
    assert "One Draft Counted about 31" in words
    assert "Two Draft Never Not counted yet" in words


def test_the_status_narrows_the_list_and_pages_are_by_key(rows: Rows, desk: Desk, sign_in: SignIn) -> None:
    desk.frozen(rows.group(), "sent", sent=1)
    for number in range(51):
        desk.mailing(name=f"Draft {number:02}")
    client = sign_in()
    assert "Spring letter" not in text_of(client.get(LIST, {"status": "draft"}))
    first = client.get(LIST)
    assert "Draft 50" in text_of(first)
    assert "Spring letter" not in text_of(first)
    assert "Spring letter" in text_of(client.get(LIST, {"after": Mailing.objects.order_by("-id")[49].pk}))


def test_the_list_polls_while_a_mailing_is_under_way_and_not_after(rows: Rows, desk: Desk, sign_in: SignIn) -> None:
    mailing = desk.frozen(rows.group(), "sending", queued=1)
    client = sign_in()
    assert "data-poll" in client.get(LIST).content.decode()
    Mailing.objects.filter(pk=mailing.pk).update(status="sent", finished_at=timezone.now())
    assert "data-poll" not in client.get(LIST).content.decode()
    soon = timezone.now() + timedelta(hours=3)
    Mailing.objects.filter(pk=mailing.pk).update(status="scheduled", scheduled_for=soon)
    assert "every 20s" in client.get(LIST).content.decode()


def test_the_number_of_queries_does_not_grow_with_the_list(
    rows: Rows, desk: Desk, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    group = rows.group(member_count=4)
    for _ in range(12):
        desk.mailing(group)
    client = sign_in()
    with django_assert_max_num_queries(12):
        client.get(LIST)


def test_a_mailing_is_begun_copied_and_deleted_and_each_is_recorded(rows: Rows, desk: Desk, sign_in: SignIn) -> None:
    client = sign_in()
    begun = client.post("/mailings/new/")
    assert begun["Location"] == f"/mailings/{Mailing.objects.get().pk}/"
    sent = desk.mailing(rows.group("Members"), status="sent")
    made = Mailing.objects.get(pk=client.post(f"/mailings/{sent.pk}/copy/")["Location"].split("/")[2])
    assert (made.status, made.text, made.groups.get().target_group.name) == ("draft", sent.text, "Members")
    client.post(f"/mailings/{made.pk}/delete/")
    assert not Mailing.objects.filter(pk=made.pk).exists()
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert actions >= {"mailing.created", "mailing.copied", "mailing.deleted"}


def test_only_a_draft_can_be_deleted(rows: Rows, desk: Desk, sign_in: SignIn) -> None:
    mailing = desk.mailing(rows.group(), status="sent")
    client = sign_in()
    assert "delete/" not in client.get(f"/mailings/{mailing.pk}/").content.decode()
    refused = client.post(f"/mailings/{mailing.pk}/delete/", follow=True)
    assert "This mailing can't be deleted: it is sent." in text_of(refused)


def test_info_of_a_group_lists_its_mailings_and_overview_leads_there(rows: Rows, desk: Desk, sign_in: SignIn) -> None:
    group, other = rows.group("Members", member_count=4), rows.group("Others")
    desk.mailing(group, name="For members")
    desk.mailing(other, name="For others")
    tab = f"/target-groups/{group.pk}/mailings/"
    client = sign_in()
    overview = client.get(f"/target-groups/{group.pk}/")
    assert "Used in 1 mailing" in text_of(overview)
    assert f'href="{tab}"' in overview.content.decode()
    words = text_of(client.get(tab))
    assert "For members Draft Send to at most 4" in words
    assert "For others" not in words
    part = client.get(tab, headers={"HX-Request": "true", "HX-Target": "info"}).content.decode()
    assert part.lstrip().startswith('<div id="info"')
    assert "No mailing uses this group" in text_of(client.get(f"/target-groups/{rows.group('New').pk}/mailings/"))


def test_who_may_only_read_groups_sees_the_mailings_of_one_without_links(
    rows: Rows, desk: Desk, sign_in: SignIn
) -> None:
    group = rows.group("Members")
    mailing = desk.mailing(group, name="For members")
    page = sign_in("Subscribers").get(f"/target-groups/{group.pk}/mailings/")
    assert "For members" in text_of(page)
    assert f"/mailings/{mailing.pk}/" not in page.content.decode()


def test_times_of_a_csv_are_in_the_zone_of_whoever_asked(rows: Rows, desk: Desk, sign_in: SignIn) -> None:
    desk.mailing(rows.group("Members"))
    answer: Any = sign_in(timezone="Asia/Kathmandu").post(f"{LIST}csv/")
    assert b"+05:45" in b"".join(answer.streaming_content)


def test_the_list_is_searched_sorted_and_exported_as_it_is_shown(rows: Rows, desk: Desk, sign_in: SignIn) -> None:
    group, client = rows.group("Members", member_count=4), sign_in()
    for name in ("beta", "Alpha", "=gamma"):
        desk.mailing(group, name=name, subject="Lamps")
    desk.frozen(group, "sent", sent=2)
    words = text_of(client.get(LIST, {"sort": "name"}))
    assert words.index("=gamma") < words.index("Alpha") < words.index("beta") < words.index("Spring letter")
    first = client.get(LIST, {"sort": "-name", "size": "25"})
    cursor = Mailing.objects.get(name="beta").pk
    words = text_of(client.get(LIST, {"sort": "-name", "after": cursor}))
    assert "Alpha" in words and "beta" not in words
    assert first.status_code == 200
    assert "No mailing found" in text_of(client.get(LIST, {"q": "nothing like it"}))
    chosen = {"columns": ["status", "name", "recipients", "groups"], "order": ["status", "name"]}
    client.post("/mailings/tables/mailings/columns/", chosen)
    answer: Any = client.post(f"{LIST}csv/?sort=name&status=draft&q=LAMPS")
    lines = b"".join(answer.streaming_content).decode().removeprefix("\ufeff").splitlines()
    assert lines[0] == "Status,Name,Recipients,Sent,Groups,Groups Left Out"
    assert lines[1:] == ["Draft,'=gamma,,,Members,", "Draft,Alpha,,,Members,", "Draft,beta,,,Members,"]
    answer = client.post(f"{LIST}csv/?status=sent")
    assert b"Sent,Spring letter,2,2,Members," in b"".join(answer.streaming_content)
    entry = AuditEntry.objects.filter(action="mailings.exported").order_by("-pk")[0]
    assert entry.after["filters"] == {"status": "sent"}
    assert sign_in("Reporter").post(f"{LIST}csv/").status_code == 403
