"""Suppressions: every address that is not mailed, why, and since when; added and lifted by hand, with a reason."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import AuditEntry
from mailings.models import EventCount
from targetgroups import by_hand, suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import Subscriber, Suppression
from tests.mailings.views.conftest import Desk
from tests.targetgroups.views.conftest import Rows, SignIn, text_of

PAGE, ADD, LIFT = "/suppressions/", "/suppressions/add/", "/suppressions/lift/"
HERE = {"cause": "manual", "note": "list of the former system"}


@pytest.fixture
def listed(rows: Rows) -> Rows:
    """One address of each of four causes; Odd is a subscriber, the others are not known here."""
    rows.member(rows.group("Members", member_count=1), "odd@lamps.example", "Odd", "Out")
    for address, cause in (
        ("odd@lamps.example", SuppressionCause.OPT_OUT),
        ("gone@lamps.example", SuppressionCause.HARD_BOUNCE),
        ("angry@wicks.example", SuppressionCause.COMPLAINT),
        ("erased@wicks.example", SuppressionCause.ERASED),
    ):
        suppression.suppress(address, cause, f"note on {cause}")
    return rows


def heads(page: Any) -> list[str]:
    found = re.findall(r'<th scope="row"[^>]*>(.*?)</th>', page.content.decode(), re.DOTALL)
    return [re.sub(r"<[^>]*>", " ", head).split()[0] for head in found]


def one(address: str) -> Suppression:
    return Suppression.objects.get(address=address)


# --- the list -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["erased@wicks.example", "angry@wicks.example", "gone@lamps.example", "odd@lamps.example"]),
        ("?sort=email", ["angry@wicks.example", "erased@wicks.example", "gone@lamps.example", "odd@lamps.example"]),
        ("?sort=-email&cause=nonsense", ["odd@lamps.example", "gone@lamps.example", "erased@wicks.example",
                                         "angry@wicks.example"]),
        ("?cause=complaint", ["angry@wicks.example"]),
        ("?cause=soft_bounces", []),
        ("?show=lifted", []),
    ],
)  # fmt: skip
def test_the_list_holds_what_is_in_force_by_cause_and_order(
    query: str, expected: list[str], listed: Rows, sign_in: SignIn
) -> None:
    assert heads(sign_in("Reporter").get(PAGE + query)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("WICKS", 2), ("an", 1), ("odd@lamps.example", 1), ("nobody", 0), ("%", 0), ("lamps.ex", 2)],
)
def test_an_address_is_found_by_any_part_and_stands_in_no_address_of_the_page(
    text: str, expected: int, listed: Rows, sign_in: SignIn
) -> None:
    page = sign_in().post(PAGE, {"q": text})
    assert len(heads(page)) == expected
    addresses = re.findall(r'(?:href|action|hx-get|hx-post|formaction)="([^"]*)"', page.content.decode())
    assert not [address for address in addresses if "lamps.example" in address or f"={text}" in address]


def test_an_address_of_another_script_is_found_as_it_is_written(rows: Rows, sign_in: SignIn) -> None:
    suppression.suppress("ada@straßen.example", SuppressionCause.MANUAL)
    assert heads(sign_in().post(PAGE, {"q": "ada@straßen.example"})) == ["ada@straßen.example"]


def test_a_row_says_who_did_it_which_mailing_and_what_the_server_said(rows: Rows, sign_in: SignIn) -> None:
    mailing = Desk(rows).frozen(rows.group(member_count=1), sent=1)
    suppression.add(
        "gone@lamps.example",
        SuppressionCause.HARD_BOUNCE,
        by="the mail server",
        said="550 5.1.1 no such user <here>",
        mailing_id=mailing.pk,
    )
    suppression.add("odd@lamps.example", SuppressionCause.OPT_OUT, mailing_id=mailing.pk + 1)
    page = sign_in().get(PAGE)
    text = text_of(page)
    assert "Hard bounce" in text and "the mail server" in text and "550 5.1.1 no such user <here>" in text
    assert f'href="/mailings/{mailing.pk}/report/"' in page.content.decode()
    assert "The person" in text
    # Who may not see mailings reads its name, and is led nowhere.
    assert f'href="/mailings/{mailing.pk}/report/"' not in sign_in("Subscribers").get(PAGE).content.decode()


def test_the_address_of_somebody_known_leads_to_their_page(listed: Rows, sign_in: SignIn) -> None:
    page = sign_in().get(PAGE).content.decode()
    assert re.findall(r'href="/subscribers/(\d+)/"', page) == [str(Subscriber.objects.get().pk)]


@pytest.mark.parametrize(
    "query", ["sort=since", "sort=-since", "sort=email", "sort=-email", "sort=-email&cause=manual"]
)
@pytest.mark.parametrize("show", ["in_force", "lifted"])
def test_paging_shows_every_row_exactly_once_both_ways(query: str, show: str, rows: Rows, sign_in: SignIn) -> None:
    for number in range(60):
        suppression.suppress(f"p{number % 53:02}@lamps.example", list(SuppressionCause)[4 if number < 53 else 3])
    if show == "lifted":
        Suppression.objects.update(lifted_at=timezone.now())  # at one moment: the ID decides
        query = query.replace("since", "lifted")
    client, pages, base = sign_in(), [], f"{PAGE}?show={show}&size=25&{query}"
    address, total = base, 53 if "cause" in query else 60
    for _ in range(3):
        pages.append(client.get(address).context["page"].rows)
        address = f"{base}&after={pages[-1][-1].pk}"
    seen = [row.pk for page in pages for row in page]
    assert len(seen) == len(set(seen)) == total
    assert [row.pk for row in client.get(f"{base}&before={pages[2][0].pk}").context["page"].rows] == [
        row.pk for row in pages[1]
    ]


def test_no_list_counts_and_each_asks_as_often_whoever_is_on_it(listed: Rows, sign_in: SignIn) -> None:
    client = sign_in()
    for query in ("", "?cause=complaint", "?show=lifted", "?sort=email"):
        with CaptureQueriesContext(connection) as captured:
            client.get(f"{PAGE}{query}")
        asked = [query["sql"] for query in captured.captured_queries]
        assert len(asked) <= 9, "\n".join(asked)
        assert not [sql for sql in asked if "COUNT(" in sql]


_MANY = """
INSERT INTO targetgroups_suppression (address_key, address, cause, note, said, added_by, suppressed_at, lifted_at,
    lifted_by, lifted_because)
SELECT 'p' || i || '@lamps.example', 'p' || i || '@lamps.example',
    CASE WHEN i % 30 = 1 THEN 'manual' ELSE 'opt_out' END, '', '', '', now() - i * interval '1 second',
    CASE WHEN i % 5 = 0 THEN now() - i * interval '1 second' END, '', ''
FROM generate_series(1, 12000) i
"""


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "suppression_by_time"),
        ("?cause=manual", "suppression_by_cause"),
        ("?sort=email", "suppression_by_address"),
        ("?show=lifted", "suppression_lifted"),
        ("?show=lifted&sort=email", "suppression_lifted_address"),
    ],
)
def test_any_page_is_one_read_of_the_index_of_its_order(query: str, index: str, rows: Rows, sign_in: SignIn) -> None:
    client = sign_in()
    with connection.cursor() as cursor:
        # Fresh indexes: what earlier tests left in them would be part of the costs that the plan is chosen by.
        cursor.execute("TRUNCATE targetgroups_suppression CASCADE")
        cursor.execute(_MANY)
        cursor.execute("ANALYZE targetgroups_suppression")
    middle = client.get(PAGE + query).context["page"].rows[-1]
    with CaptureQueriesContext(connection) as captured:
        client.get(f"{PAGE}{query}{'&' if query else '?'}after={middle.pk}")
    page = next(query["sql"] for query in captured.captured_queries if "LIMIT 51" in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {page}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert re.search(rf"Index Scan (Backward )?using {index} ", plan), plan
    assert not re.search(r"(?<!Incremental )Sort  ", plan), plan


# --- what is told where there is nothing ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "text", "words"),
    [
        ("", "", "No address is suppressed"),
        ("?cause=complaint", "", "None with this cause"),
        ("?show=lifted", "", "None was lifted"),
        ("?cause=complaint", "zoe", "No such address"),
    ],
)
def test_an_empty_list_says_why(query: str, text: str, words: str, rows: Rows, sign_in: SignIn) -> None:
    page = sign_in().post(PAGE + query, {"q": text}) if text else sign_in().get(PAGE + query)
    assert words in text_of(page)


def test_events_that_name_nobody_known_are_told_in_one_line(rows: Rows, sign_in: SignIn) -> None:
    assert "events of mail providers" not in text_of(sign_in().get(PAGE))
    told = {"kind": "hard_bounce", "last_at": timezone.now()}
    EventCount.objects.create(provider="ses", effect="unknown_address", event_count=2, **told)
    EventCount.objects.create(provider="brevo", effect="unknown_address", event_count=1, **told)
    EventCount.objects.create(provider="ses", effect="suppressed", event_count=40, **told)
    assert "3 events of mail providers named addresses that nobody here has" in text_of(sign_in().get(PAGE))


# --- CSV --------------------------------------------------------------------------------------------------------------


def test_csv_holds_what_the_page_shows_and_is_recorded_without_what_was_looked_for(
    listed: Rows, sign_in: SignIn
) -> None:
    answer = sign_in().post("/suppressions/csv/?cause=complaint", {"q": "angry@"})
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "E-mail,Cause,Since,By,Mailing,What the Server Said,Note"
    assert [line.split(",")[:2] for line in lines[1:]] == [["angry@wicks.example", "Complaint"]]
    entry = AuditEntry.objects.get(action="suppressions.exported")
    assert entry.after["cause"] == "complaint" and entry.after["is_searched"] is True
    assert "angry" not in str(entry.after)
    assert "lamps" not in answer["Content-Disposition"]


# --- added by hand ----------------------------------------------------------------------------------------------------


def test_pasted_addresses_are_suppressed_each_once_and_recorded_without_the_address(
    listed: Rows, sign_in: SignIn
) -> None:
    given = HERE | {"addresses": "New@Lamps.example\nnew@lamps.example; second@lamps.example,\n\n third@lamps.example "}
    page = sign_in().post(ADD, given, follow=True)
    assert "3 addresses suppressed." in text_of(page)
    row = one("New@Lamps.example")
    assert (row.address_key, row.cause, row.note, row.added_by) == (
        "new@lamps.example", "manual", "list of the former system", "administrator"
    )  # fmt: skip
    entries = AuditEntry.objects.filter(action="suppressed", object_id=str(row.pk))
    assert [entry.after for entry in entries] == [{"cause": "manual"}]
    assert "lamps.example" not in entries[0].object_label


def test_lines_that_are_no_address_stay_to_be_corrected_and_the_good_ones_are_kept(rows: Rows, sign_in: SignIn) -> None:
    page = sign_in().post(ADD, HERE | {"addresses": "good@lamps.example\nfoo\n<b>@\nalso@lamps.example"})
    assert page.status_code == 422
    text = text_of(page)
    assert "2 addresses suppressed." in text
    assert "Line 1: “foo” is not a complete e-mail address." in text
    assert "Line 2: “<b>@” is not a complete e-mail address." in text
    assert re.search(r"<textarea[^>]*>\s*foo\s+&lt;b&gt;@</textarea>", page.content.decode())
    assert Suppression.objects.count() == 2


def test_what_is_suppressed_already_is_told_and_stays_as_it_was(listed: Rows, sign_in: SignIn) -> None:
    given = {"addresses": "odd@lamps.example\nnew@lamps.example", "cause": "opt_out", "note": "again"}
    assert "1 address suppressed. 1 already was, for this cause." in text_of(sign_in().post(ADD, given, follow=True))
    assert one("odd@lamps.example").note == "note on opt_out"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"addresses": " \n "}, "Paste at least one address."),
        ({"note": "  "}, "Say why"),
        ({"cause": "erased"}, "Select a valid choice"),
        ({"addresses": "\n".join(f"p{n}@lamps.example" for n in range(by_hand.MOST_ADDRESSES + 1))}, "1,001 addresses"),
    ],
)
def test_nothing_is_suppressed_without_addresses_a_reason_and_a_cause(
    change: dict[str, str], words: str, rows: Rows, sign_in: SignIn
) -> None:
    page = sign_in().post(ADD, HERE | {"addresses": "good@lamps.example"} | change)
    assert page.status_code == 422
    assert words in text_of(page)
    assert not Suppression.objects.exists()


# --- lifted -----------------------------------------------------------------------------------------------------------


def test_lifting_asks_first_and_warns_of_what_people_said_themselves(listed: Rows, sign_in: SignIn) -> None:
    client, bounce, complaint = sign_in(), one("gone@lamps.example"), one("angry@wicks.example")
    plain, warned = (client.post(LIFT, {"suppression": [row.pk]}) for row in (bounce, complaint))
    assert "Lift 1 suppression?" in text_of(plain) and "ends only when they" not in text_of(plain)
    assert "It ends only when they themselves ask" in text_of(warned)
    assert Suppression.objects.in_force().count() == 4


def test_several_are_lifted_with_one_reason_and_recorded(listed: Rows, sign_in: SignIn) -> None:
    suppression.suppress("odd@lamps.example", SuppressionCause.MANUAL)
    ids = [one("gone@lamps.example").pk, Suppression.objects.get(cause="opt_out").pk]
    given = {"suppression": ids, "reason": " asked  by phone ", "is_asked_for": "yes"}
    page = sign_in().post(f"{LIFT}?cause=opt_out", given, follow=True)
    assert page.redirect_chain[-1][0] == "/suppressions/?cause=opt_out"
    assert "2 suppressions lifted. Another cause still keeps 1 address of them from being mailed." in text_of(page)
    row = one("gone@lamps.example")
    assert (row.lifted_by, row.lifted_because) == ("administrator", "asked by phone")
    entries = AuditEntry.objects.filter(action="suppression.lifted")
    assert sorted(int(entry.object_id) for entry in entries) == sorted(ids)
    assert not any("phone" in str(entry.after) for entry in entries)
    assert "asked by phone" in text_of(sign_in().get(f"{PAGE}?show=lifted"))


@pytest.mark.parametrize(
    ("given", "words", "wrong"),
    [
        ({"reason": " ", "is_asked_for": "yes"}, "Say why these may be mailed again.", "reason"),
        ({"reason": "by phone"}, "Opt-outs and complaints end only when the people themselves ask.", "is_asked_for"),
    ],
)
def test_r11_an_opt_out_ends_with_a_reason_and_only_because_the_person_asked(
    given: dict[str, str], words: str, wrong: str, listed: Rows, sign_in: SignIn
) -> None:
    page = sign_in().post(LIFT, {"suppression": [one("odd@lamps.example").pk, one("gone@lamps.example").pk]} | given)
    assert page.status_code == 422
    assert words in text_of(page)
    focused = re.findall(r'name="(\w+)"[^>]* aria-invalid="true" autofocus', page.content.decode())
    assert focused == [wrong]
    assert Suppression.objects.in_force().count() == 4


def test_an_erasure_is_not_lifted_and_offers_no_tick(listed: Rows, sign_in: SignIn) -> None:
    row, client = one("erased@wicks.example"), sign_in()
    assert f'id="tick-{row.pk}"' not in client.get(PAGE).content.decode()
    page = client.post(LIFT, {"suppression": [row.pk], "reason": "really", "is_asked_for": "yes"}, follow=True)
    assert "None of these can be lifted" in text_of(page)
    assert suppression.is_suppressed("erased@wicks.example")


@pytest.mark.parametrize("ticked", [[], ["x", "9" * 30]])
def test_without_a_tick_nothing_is_asked(ticked: list[str], listed: Rows, sign_in: SignIn) -> None:
    assert "Tick at least one suppression first." in text_of(sign_in().post(LIFT, {"suppression": ticked}, follow=True))


def test_who_may_only_look_is_offered_nothing_else(listed: Rows, sign_in: SignIn) -> None:
    page = sign_in("Reporter").get(PAGE).content.decode()
    assert ADD not in page and LIFT not in page and "/suppressions/csv/" not in page and 'id="tick-' not in page


# --- ways to it -------------------------------------------------------------------------------------------------------


def test_manage_subscribers_and_a_persons_page_lead_to_the_list(listed: Rows, sign_in: SignIn) -> None:
    client = sign_in()
    assert 'href="/suppressions/">Suppressions</a> lists' in client.get("/subscribers/?show=bounced").content.decode()
    page = client.get(f"/subscribers/{Subscriber.objects.get().pk}/").content.decode()
    assert '<form method="post" action="/suppressions/">' in page


def test_a_persons_timeline_says_who_lifted_what_in_the_list_and_why(listed: Rows, sign_in: SignIn) -> None:
    client = sign_in()
    client.post(LIFT, {"suppression": [one("odd@lamps.example").pk], "reason": "by letter", "is_asked_for": "yes"})
    page = text_of(client.get(f"/subscribers/{Subscriber.objects.get().pk}/"))
    assert "Ended: Opted out by administrator by letter" in page
