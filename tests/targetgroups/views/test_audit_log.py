"""Admin > Audit Log: in words, any page by an index, linked only to what is there and may be seen."""

from __future__ import annotations

import ast
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import audit
from accounts.models import User
from audit.models import AuditEntry
from targetgroups import bulk, rooms, wishes
from targetgroups.models import Bridge, Suppression
from targetgroups.views import audit_list, audit_words
from tests.support.programs import ROOT
from tests.targetgroups.views.conftest import Rows, SignIn, text_of

pytestmark = pytest.mark.django_db
PAGE, CSV = "/audit-log/", "/audit-log/csv/"
ROOMS = ("accounts", "targetgroups", "mailings", "alerts", "api")


@pytest.fixture
def mia() -> User:
    return User.objects.create_user("mia", first_name="Mia", last_name="Berg")


@pytest.fixture
def logged(rows: Rows, mia: User) -> Rows:
    """Something of several kinds, by several hands."""
    group = rows.group("News")
    bulk.move_groups([group.pk], rows.main, mia)
    audit.record("schedule", "group.requested", group, None, {"run": 7, "trigger": "schedule"})
    changed = {"page_size": 200, "lists_do_not_email": True, "transport": "concierge"}
    audit.record(mia, "bridge changed", rows.bridge, changed, changed | {"page_size": 1000, "transport": "rest"})
    audit.record(mia, "people.exported", group, None, {"list": "subscribers", "columns": ["email", "first_name"]})
    return rows


def shown(page: Any) -> list[str]:
    """Return what was done, of each line of the list."""
    return [line.what for line in page.context["lines"]]


# --- words ----------------------------------------------------------------------------------------------------------


def recorded_words() -> set[str]:
    """Find in the code what is handed to audit.record; a word made of parts is found as its pattern."""
    found: set[str] = set()
    for path in (each for room in ROOMS for each in Path(ROOT, room).rglob("*.py")):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name == "record" and len(call.args) > 2:
                found |= set(_patterns(call.args[1]))
    return found


def _patterns(word: ast.expr) -> list[str]:
    if isinstance(word, ast.IfExp):
        return [*_patterns(word.body), *_patterns(word.orelse)]
    if isinstance(word, ast.JoinedStr):
        return ["".join(part.value if isinstance(part, ast.Constant) else r"\w+" for part in word.values)]
    return [re.escape(word.value)] if isinstance(word, ast.Constant) else []


def test_whatever_the_code_records_has_words_and_a_family() -> None:
    known, words = audit_words.actions(), recorded_words()
    assert len(words) > 50
    assert {word for word in words if not any(re.fullmatch(word, each) for each in known)} == set()
    assert {family for family, _ in known.values()} == set(audit_words.FAMILIES)


def test_an_action_that_nobody_listed_is_told_by_its_own_word() -> None:
    assert audit_words.words_of("target_group.moved") == "Target group moved"
    assert audit_words.words_of("lamp_post.was_lit") == "Lamp post was lit"


def test_before_and_after_are_told_in_words_what_changed_first() -> None:
    before = {"name": "a", "writes_back": False, "guard": {"people": 25}, "gone": 1, "at": "2026-11-27T01:02:03+00:00"}
    after = {"name": "a", "writes_back": True, "guard": {"people": 2500}, "columns": ["first_name", "email"]}
    told = {
        one.label: (one.before, one.after, one.is_changed)
        for one in audit_words.differences(AuditEntry(object_type="targetgroups.bridge", before=before, after=after))
    }
    assert told == {
        "Write opt-outs back to MemberSuite": ("No", "Yes", True),
        "Guard, People": ("25", "2,500", True),
        "Columns": ("", "First name, Email", True),
        "Gone": ("1", "", True),
        "When": ("2026-11-27 01:02:03 UTC", "", True),
        "Association": ("a", "a", False),
    }
    assert list(told)[-1] == "Association"


# --- the page -------------------------------------------------------------------------------------------------------


def test_the_newest_stands_first_with_who_what_and_to_what(logged: Rows, sign_in: SignIn) -> None:
    page = sign_in().get(PAGE)
    assert shown(page) == ["List of people exported", "Bridge changed", "Group sync asked for", "Target group moved"]
    text = text_of(page)
    assert "Folder: MemberSuite → Main Folder" in text
    assert "Page size: 200 → 1,000; Transport: Concierge (SOAP) → REST" in text
    assert "A schedule" in text and "target_group.moved" not in text


def test_an_entry_shows_all_of_before_and_after(logged: Rows, sign_in: SignIn) -> None:
    entry = AuditEntry.objects.get(action="bridge changed")
    text = text_of(sign_in().get(f"{PAGE}{entry.pk}/"))
    assert "Field Before After" in text and "Transport Concierge (SOAP) REST" in text
    assert "(unchanged)" in text and "All that was done to it" in text
    assert sign_in().get(f"{PAGE}{entry.pk + 99}/").status_code == 404


def test_a_thing_is_linked_only_while_it_is_there_and_the_right_allows(logged: Rows, sign_in: SignIn) -> None:
    bridge_page = f"/bridge-configuration/{logged.bridge.pk}/"
    user_page = f"/users/{User.objects.get(username='mia').pk}/"
    here = sign_in().get(PAGE).content.decode()
    assert bridge_page in here and user_page in here
    assert user_page not in sign_in("Manager").get(PAGE).content.decode()
    Bridge.objects.all().delete()
    text = sign_in().get(PAGE)
    assert bridge_page not in text.content.decode() and "Lamp Keepers" in text_of(text)


def test_a_mailing_is_linked_through_the_room_that_has_it(
    logged: Rows, mia: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = rooms._rooms["mailings"]
    link = rooms.Link("News", "mailings:compose", 12, right="view_mailings")
    monkeypatch.setitem(rooms._rooms, "mailings", rooms.Room("mailings", "", "", mailings=lambda _ids: {12: link}))
    entry = AuditEntry(object_type="mailings.mailing", object_id="12", object_label="News", action="mailing.saved")
    user = User.objects.get(username="mia")
    assert audit_list.lines([entry], user)[0].address == ""
    administrator = sign_in() and User.objects.get(username="administrator")
    assert audit_list.lines([entry], administrator)[0].address == "/mailings/12/"
    assert "mailing.saved" in room.actions


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("who=mia", ["List of people exported", "Bridge changed", "Target group moved"]),
        ("who=schedule", ["Group sync asked for"]),
        ("what=exports", ["List of people exported"]),
        ("what=groups", ["Target group moved"]),
        ("thing=targetgroups.bridge", ["Bridge changed"]),
        ("who=mia&what=syncs", []),
        ("when=today&what=bridges", ["Bridge changed"]),
        ("to=2020-01-01", []),
        ("what=nonsense&from=nonsense&thing=x&thing_id=1&sort=who&who=", None),
    ],
)
def test_the_list_is_narrowed_by_its_address(
    query: str, expected: list[str] | None, logged: Rows, sign_in: SignIn
) -> None:
    page = sign_in().get(f"{PAGE}?{query}")
    assert page.status_code == 200
    assert len(shown(page)) == 4 if expected is None else shown(page) == expected


def test_the_log_of_one_thing_names_it_and_can_be_left(logged: Rows, sign_in: SignIn) -> None:
    entry = AuditEntry.objects.get(action="bridge changed")
    line = audit_list.lines([entry], User.objects.get(username="mia"))[0]
    page = sign_in().get(line.log_of_thing)
    assert shown(page) == ["Bridge changed"]
    assert "Done to: Bridge Lamp Keepers" in text_of(page)


def test_filters_that_leave_nothing_say_which_one_to_take_off(logged: Rows, sign_in: SignIn) -> None:
    text = text_of(sign_in().get(f"{PAGE}?who=schedule&what=exports"))
    assert "No entry matches all of these filters together" in text
    assert text.count("without it there are entries") == 2


@pytest.mark.parametrize(
    ("typed", "found"), [("news", 3), ("MIA moved", 1), ("keepers", 1), ("exported", 1), ("100%_", 0)]
)
def test_a_search_is_posted_and_finds_who_what_and_done_to(
    typed: str, found: int, logged: Rows, sign_in: SignIn
) -> None:
    page = sign_in().post(PAGE, {"q": typed})
    assert len(shown(page)) == found
    assert found or "Nothing like it" in text_of(page)
    assert not any(typed in link for link in re.findall(r'href="([^"]*)"', page.content.decode()))


def test_an_empty_log_says_what_comes_here(sign_in: SignIn) -> None:
    assert "Nothing was recorded yet" in text_of(sign_in().get(PAGE))


def test_pages_follow_each_other_without_a_gap(logged: Rows, sign_in: SignIn) -> None:
    for number in range(60):
        audit.record("command", "folder.created", logged.main, None, {"name": f"Folder {number}"})
    client = sign_in()
    for query in ("size=25", "size=25&what=groups", "size=25&sort=at"):
        seen: list[int] = []
        page = client.get(f"{PAGE}?{query}")
        while True:
            seen += [line.entry.pk for line in page.context["lines"]]
            if not page.context["page"].has_next:
                break
            page = client.get(f"{PAGE}?{query}&after={seen[-1]}")
        backwards = query.endswith("at")
        assert seen == sorted(seen, reverse=not backwards) and len(seen) == (61 if "what" in query else 64)
        before = client.get(f"{PAGE}?{query}&before={seen[50]}").context["lines"]
        assert [line.entry.pk for line in before] == seen[25:50]


def test_csv_holds_what_the_page_shows_in_words(logged: Rows, sign_in: SignIn) -> None:
    answer = sign_in().post(f"{CSV}?who=mia&what=groups", {"q": "news"})
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "When,Who,What,Done To,Details"
    assert [line.split(",", 1)[1] for line in lines[1:]] == [
        "mia,Target group moved,News,Folder: MemberSuite → Main Folder"
    ]
    entry = AuditEntry.objects.get(action="audit.exported")
    assert entry.after["filters"] == ["who", "what"] and entry.after["is_searched"] is True


# --- never in it ----------------------------------------------------------------------------------------------------


def whole_table() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(a::text, ' ') FROM audit_auditentry a")
        (text,) = cursor.fetchone()
    return str(text)


def test_nothing_of_an_erased_person_is_in_the_log(rows: Rows, mia: User, sign_in: SignIn) -> None:
    ada = rows.member(rows.group("News"), "ada.lovelace@lamps.example", "Adaline", "Lovelace")
    client, there = sign_in(), f"/subscribers/{ada.pk}/"
    for act in ("opt-out", "opt-in", "opt-out"):
        client.post(f"{there}{act}/", {"reason": "Adaline Lovelace wrote from ada.lovelace@lamps.example"})
    client.post("/subscribers/csv/", {"q": "lovelace"})
    client.post(PAGE, {"q": "lovelace"})
    client.post(CSV, {"q": "lovelace"})
    client.post("/suppressions/add/", {"addresses": ada.email, "cause": "manual", "note": "Adaline Lovelace asked"})
    ids = [row.pk for row in Suppression.objects.filter(cause="manual")]
    client.post("/suppressions/lift/", {"suppression": ids, "reason": "Lovelace again", "is_asked_for": "yes"})
    wishes.erase(ada, mia)
    said = whole_table()
    assert AuditEntry.objects.filter(action="person.erased").exists() and ada.remote_id in said
    assert not re.findall("adaline|lovelace", said, re.IGNORECASE)


def test_r17_no_key_is_in_the_log_after_it_was_changed(rows: Rows, sign_in: SignIn) -> None:
    secret, client = "bmV3LXNlY3JldC1rZXktMDE=", sign_in()
    form = {
        "bridge": rows.bridge.pk, "name": "Lamp Keepers", "transport": "concierge", "association_id": "a-1",
        "service_address": "https://soap.example.org/", "access_key_id": "key-2-of-lamps",
        "secret_access_key": secret, "page_size": 200, "requests_in_flight": 4, "guard_percent": 20, "guard_people": 25,
    }  # fmt: skip
    assert client.post("/bridge-configuration/save/", form).status_code == 302
    rows.bridge.refresh_from_db()
    assert rows.bridge.secret_access_key == secret
    said = whole_table()
    assert "replaced" in said
    assert not [word for word in (secret, "key-2-of-lamps", "c2VjcmV0LW9uZQ==") if word in said]


# --- large ----------------------------------------------------------------------------------------------------------

ENTRIES = 20_000
_MANY = """
INSERT INTO audit_auditentry (at, actor_label, action, object_type, object_id, object_label)
SELECT now() - i * interval '1 minute', 'user-' || i %% 7,
    (ARRAY['group.requested', 'target_group.moved', 'mailing.saved', 'people.exported'])[1 + i %% 4],
    (ARRAY['targetgroups.targetgroup', 'mailings.mailing'])[1 + i %% 2], (i %% 500)::text, 'Thing ' || i %% 500
FROM generate_series(1, %(entries)s) i
"""


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "audit_newest_first"),
        ({"who": "user-3"}, "audit_of_actor"),
        ({"what": "groups"}, "audit_of_action"),
        ({"thing": "targetgroups.targetgroup", "thing_id": "12"}, "audit_of_object"),
        ({"since": (timezone.now() - timedelta(days=9)).date()}, "audit_newest_first"),
    ],
)
def test_a_page_of_a_long_log_is_read_by_an_index_and_nothing_is_sorted_but_its_rows(
    filters: dict[str, Any], index: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_MANY, {"entries": ENTRIES})
        cursor.execute("ANALYZE audit_auditentry")
    order = audit_list.Ordering("at", is_descending=True)
    with CaptureQueriesContext(connection) as captured:
        page = audit_list.page_of(audit_list.Filters(**filters), "", size=50, order=order, after=None, before=None)
    assert len(page.rows) == (40 if "thing" in filters else 50)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT TEXT, TIMING OFF) {captured.captured_queries[-1]['sql']}")
        plan = "\n".join(row for (row,) in cursor.fetchall())
    assert index in plan and "Seq Scan" not in plan, plan
    read = [int(count) for count in re.findall(r"actual rows=(\d+)", plan)]
    assert max(read) <= 51 * 7, plan
