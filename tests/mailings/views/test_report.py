"""Report: numbers that add up and open their people (R15), the search, the decision over the unknown, CSV."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEntry
from mailings.models import Mailing
from targetgroups.models import Bridge, Membership
from tests.mailings.views.conftest import Desk, SignIn, text_of
from tests.targetgroups.views.conftest import Rows


@pytest.fixture
def mailing(rows: Rows, desk: Desk) -> Mailing:
    group = rows.group("Members", member_count=10)
    return desk.frozen(group, "sent_with_errors", sent=3, failed=1, skipped=2, unknown=2)


def people(client: Client, address: str, **posted: str) -> list[str]:
    """Return the addresses that a list of people shows."""
    page = (client.post(address, posted) if posted else client.get(address)).content.decode()
    return re.findall(
        r'<(?:th scope="row"|td) class="mail">(?:<span[^>]*>)?<a href="/subscribers/\d+/">([^<]+)</a>', page
    )


def test_a_recipient_leads_to_the_person_and_to_the_message_also_who_left_the_group(
    mailing: Mailing, sign_in: SignIn
) -> None:
    client, wanted = sign_in(), mailing.recipients.get(email="sent01@example.org")
    Membership.objects.filter(subscriber=wanted.subscriber).delete()
    page = client.get(f"/mailings/{mailing.pk}/recipients/").content.decode()
    assert f'<a href="/subscribers/{wanted.subscriber_id}/">sent01@example.org</a>' in page
    message = f"/mailings/{mailing.pk}/preview/?as={wanted.subscriber_id}"
    assert f'href="{message}" aria-label="See the message: sent01@example.org"' in page
    assert "sent01@example.org" in text_of(client.get(message))


def test_r15_both_sums_add_up_and_each_number_opens_as_many_people(mailing: Mailing, sign_in: SignIn) -> None:
    client = sign_in()
    page = client.get(f"/mailings/{mailing.pk}/report/").content.decode()
    words = text_of(client.get(f"/mailings/{mailing.pk}/report/"))
    assert "Recipients 8 − minus Sent 3 − minus Failed 1 − minus Skipped 2 Opted out here 2 − minus Unknown 2" in words
    assert "= Still to send 0" in words
    assert "each once 10 − minus Opted out here 1 − minus Shares the address of another recipient 1 = Recip" in words
    links = re.findall(r'<td class="num"><a href="([^"]+)">(\d+)</a>', page)
    assert len(links) == 10
    for address, number in links:
        assert len(people(client, address)) == int(number), address


def test_before_the_freeze_the_report_says_that_there_is_nothing_yet(desk: Desk, sign_in: SignIn) -> None:
    mailing, client = desk.mailing(), sign_in()
    assert "Nothing to report yet" in text_of(client.get(f"/mailings/{mailing.pk}/report/"))
    ended = desk.mailing(status="cancelled")
    assert "Never fixed" in text_of(client.get(f"/mailings/{ended.pk}/recipients/"))
    assert "Never fixed" in text_of(client.get(f"/mailings/{ended.pk}/left-out/"))


@pytest.mark.parametrize("text", ["SENT01@example.org", "sent01", "ada lamp1 sent", "remote"])
def test_recipients_are_found_by_address_name_or_remote_id_and_that_stands_in_no_address(
    text: str, mailing: Mailing, sign_in: SignIn
) -> None:
    wanted = mailing.recipients.get(email="sent01@example.org")
    client, address = sign_in(), f"/mailings/{mailing.pk}/recipients/"
    text = wanted.remote_id.lower() if text == "remote" else text
    assert people(client, address, q=text) == ["sent01@example.org"]
    page = client.post(address, {"q": "example.org"}).content.decode()
    for link in re.findall(r'(?:href|action|formaction|hx-get|hx-post)="([^"]*)"', page):
        assert "example.org" not in link
    assert "Nobody found" in text_of(client.post(address, {"q": "nobody such"}))


def test_left_out_people_are_found_too(mailing: Mailing, sign_in: SignIn) -> None:
    address = f"/mailings/{mailing.pk}/left-out/"
    assert people(sign_in(), address, q="shared_address@") == ["shared_address@example.org"]
    assert people(sign_in(), f"{address}?reason=opt_out") == ["opt_out@example.org"]


def test_paging_shows_every_recipient_once_and_keeps_the_search(rows: Rows, desk: Desk, sign_in: SignIn) -> None:
    mailing = desk.frozen(rows.group(), sent=60)
    client, address = sign_in(), f"/mailings/{mailing.pk}/recipients/"
    first = people(client, address, q="lamp")
    last = mailing.recipients.get(email=first[-1])
    assert len(first) == 50
    assert set(first) | set(people(client, f"{address}?after={last.pk}", q="lamp")) == {
        f"sent{number:02}@example.org" for number in range(60)
    }


@pytest.mark.parametrize(("decision", "outcome"), [("sent", "sent"), ("resend", "queued")])
def test_r13_a_person_decides_over_the_unknown(decision: str, outcome: str, mailing: Mailing, sign_in: SignIn) -> None:
    client, address = sign_in("Publisher"), f"/mailings/{mailing.pk}/unknown/"
    assert "Of 2 recipients nobody knows whether they got it." in text_of(client.get(f"/mailings/{mailing.pk}/report/"))
    client.post(address)  # without a decision nothing is decided
    assert mailing.recipients.filter(outcome="unknown").count() == 2
    answer = client.post(address, {"decision": decision}, follow=True)
    assert "2 recipients" in text_of(answer)
    found = mailing.recipients.filter(email__startswith="unknown")
    assert set(found.values_list("outcome", "decided_by")) == {(outcome, "publisher")}


def test_without_the_right_to_send_nobody_decides(mailing: Mailing, sign_in: SignIn) -> None:
    page = sign_in("Reporter").get(f"/mailings/{mailing.pk}/report/")
    assert "Who may send mailings can decide." in text_of(page)
    assert "/unknown/" not in page.content.decode()


def test_a_list_is_exported_as_it_is_shown_and_that_is_recorded(mailing: Mailing, sign_in: SignIn) -> None:
    def lines(address: str, **posted: str) -> list[str]:
        answer: Any = client.post(address, posted)
        return b"".join(answer.streaming_content).decode().splitlines()[1:]

    client, address = sign_in(), f"/mailings/{mailing.pk}"
    assert len(lines(f"{address}/recipients/csv/")) == 8
    (line,) = lines(f"{address}/recipients/csv/?outcome=skipped", q="skipped01")
    assert line.startswith("skipped01@example.org,Ada Lamp1,Skipped,Opted out here,,Remote-")
    assert len(lines(f"{address}/left-out/csv/?reason=opt_out")) == 1
    entries = AuditEntry.objects.filter(action="mailing.exported")
    assert entries.count() == 3
    assert "skipped01" not in str(list(entries.values_list("after", flat=True)))
    assert sign_in("Reporter").post(f"{address}/recipients/csv/").status_code == 403


def test_recipients_are_sorted_by_address_and_keep_their_order_from_page_to_page(
    rows: Rows, desk: Desk, sign_in: SignIn
) -> None:
    mailing, client = desk.frozen(rows.group(), sent=30), sign_in()
    address = f"/mailings/{mailing.pk}/recipients/"
    everybody = sorted((f"sent{number:02}@example.org" for number in range(30)), reverse=True)
    first = people(client, f"{address}?sort=-email&size=25")
    assert first == everybody[:25]
    last = mailing.recipients.get(email=first[-1])
    assert people(client, f"{address}?sort=-email&size=25&after={last.pk}") == everybody[25:]
    client.post("/mailings/tables/recipients/columns/", {"columns": ["attempts", "email"]})
    answer: Any = client.post(f"{address}csv/?sort=-email")
    lines = b"".join(answer.streaming_content).decode().removeprefix("\ufeff").splitlines()
    assert lines[:2] == ["Attempts,E-mail", f"0,{everybody[0]}"]


@pytest.mark.parametrize("list_name", ["recipients", "left-out"])
def test_remote_ids_lead_to_the_record_and_more_rows_ask_no_more(
    list_name: str, rows: Rows, desk: Desk, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    client, few, many = sign_in(), desk.frozen(rows.group(), sent=2), desk.frozen(rows.group(), sent=30)
    address = f"/mailings/{{}}/{list_name}/"
    assert 'target="_blank"' not in client.get(address.format(few.pk)).content.decode()
    Bridge.objects.update(record_address="https://console.example.org/{id}")
    with CaptureQueriesContext(connection) as asked:
        page = client.get(address.format(few.pk)).content.decode()
    one = few.recipients.first() if list_name == "recipients" else few.left_out.first()
    assert one is not None and f'href="https://console.example.org/{one.remote_id}"' in page
    with django_assert_max_num_queries(len(asked)):
        client.get(address.format(many.pk))
