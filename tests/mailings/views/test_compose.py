"""Set-Up and Message: what is accepted, what is refused with the typed text kept, and the estimate."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEntry
from mailings.models import Mailing
from mailings.views.estimate import estimate
from targetgroups.models import ReceivingCount, TargetGroup
from tests.mailings.views.conftest import COMPLETE, Desk, SignIn, text_of
from tests.targetgroups.views.conftest import Rows


def save(client: Any, mailing: Mailing, **values: Any) -> Any:
    given = {**COMPLETE, "reply_to": "", "version": mailing.version, **values}
    return client.post(f"/mailings/{mailing.pk}/save/", given)


def test_what_was_typed_is_saved_with_its_groups(rows: Rows, desk: Desk, sign_in: SignIn) -> None:
    mailing, group, other = desk.mailing(name="Empty", text=""), rows.group("In"), rows.group("Out")
    answer = save(sign_in(), mailing, text="One\r\n two", to=[group.pk], not_to=[other.pk], next="1")
    assert answer["Location"] == f"/mailings/{mailing.pk}/send/"
    mailing.refresh_from_db()
    assert (mailing.name, mailing.text, mailing.version) == ("Spring letter", "One\n two", 2)
    assert set(mailing.groups.values_list("target_group__name", "role")) == {("In", "to"), ("Out", "not_to")}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": " "}, "Give the mailing a name."),
        ({"from_email": "news@lamps"}, "This is not a complete e-mail address"),
        ({"reply_to": "nobody"}, "This is not a complete e-mail address"),
        ({"subject": "One\r\nBcc: x@example.org"}, "This must be one line without control characters."),
    ],
)
def test_an_error_is_told_at_its_field_and_nothing_typed_is_lost(
    values: dict[str, str], sentence: str, rows: Rows, desk: Desk, sign_in: SignIn
) -> None:
    mailing, group = desk.mailing(), rows.group("Chosen here")
    answer = save(sign_in(), mailing, text="Typed for an hour", to=[group.pk], **values)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'href="#id_{next(iter(values))}"' in page
    assert text_of(answer).count(sentence) == 2
    assert "Typed for an hour" in page
    assert re.search(rf'value="{group.pk}" id="to-{group.pk}"\s+checked', page)
    mailing.refresh_from_db()
    assert mailing.version == 1


def test_an_edit_of_an_older_version_is_refused_and_kept_on_the_page(desk: Desk, sign_in: SignIn) -> None:
    mailing = desk.mailing()
    client = sign_in()
    save(client, mailing, subject="Theirs")
    answer = save(client, mailing, subject="Mine")
    assert answer.status_code == 409
    assert "Somebody changed this mailing meanwhile." in text_of(answer)
    assert 'value="Mine"' in answer.content.decode()
    assert 'name="version" value="2"' in answer.content.decode()  # so that saving again is a decision
    mailing.refresh_from_db()
    assert mailing.subject == "Theirs"


def kept(client: Any, mailing: Mailing, **values: Any) -> Any:
    """Save as the page does by itself while it is written."""
    headers = {"HX-Request": "true", "HX-Target": "saved"}
    given = {**COMPLETE, "reply_to": "", "version": mailing.version, **values}
    return client.post(f"/mailings/{mailing.pk}/save/", given, headers=headers)


def test_a_draft_keeps_itself_and_the_page_gets_the_next_version(desk: Desk, sign_in: SignIn) -> None:
    mailing = desk.mailing()
    answer = kept(sign_in(), mailing, html="<p>a</p>\r\n", preheader="First words")
    assert re.search(r"Saved \d\d:\d\d", text_of(answer))
    assert 'name="version" value="2"' in answer.content.decode()
    mailing.refresh_from_db()
    assert (mailing.html, mailing.preheader, mailing.version) == ("<p>a</p>\n", "First words", 2)
    kept(sign_in(), mailing, html="<p>ab</p>")
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["mailing.writing"], "one for the whole stretch"


def test_a_draft_that_somebody_changed_or_that_is_not_well_formed_is_not_kept(desk: Desk, sign_in: SignIn) -> None:
    mailing, client = desk.mailing(), sign_in()
    assert "Not saved: Mailing name : Give the mailing a name." in text_of(kept(client, mailing, name=""))
    kept(client, mailing, subject="Theirs")
    answer = kept(client, mailing, subject="Mine")
    assert "Somebody changed this mailing meanwhile." in text_of(answer)
    assert 'name="version" value="1"' in answer.content.decode(), "keeping it again is refused, too"
    mailing.refresh_from_db()
    assert mailing.subject == "Theirs"


def test_a_message_is_checked_as_it_is_typed_and_nothing_is_saved(rows: Rows, desk: Desk, sign_in: SignIn) -> None:
    mailing, client = desk.mailing(), sign_in()
    group = rows.group("Members", attribute_names=["Member Type"])
    typed = {"subject": "{{ Member_Type | default: 'x' }}", "html": "<p>\r\n{% if name %}", "text": "{{ frist_name }}"}
    words = text_of(client.post(f"/mailings/{mailing.pk}/check/", {**typed, "to": [group.pk]}))
    assert "This can't be sent yet." in words
    assert "HTML, line 2 : {% if %} has no {% endif %}." in words
    assert "Did you mean “first_name”?" in words
    assert "Member_Type" not in words
    assert "There is no field “Member_Type”" in text_of(client.post(f"/mailings/{mailing.pk}/check/", typed))
    assert "Nothing is wrong" in text_of(client.post(f"/mailings/{mailing.pk}/check/", {"text": "Lamps"}))
    assert "There is no message yet." in text_of(client.post(f"/mailings/{mailing.pk}/check/", {"subject": "Lamps"}))
    mailing.refresh_from_db()
    assert (mailing.version, mailing.subject) == (1, COMPLETE["subject"])


def test_the_page_offers_the_fields_of_the_chosen_groups_with_a_default(
    rows: Rows, desk: Desk, sign_in: SignIn
) -> None:
    mailing = desk.mailing(rows.group("Members", attribute_names=["Home Town"]))
    words = text_of(sign_in().get(f"/mailings/{mailing.pk}/"))
    assert '{{ first_name | default: "friend" }}' in words
    assert '{{ Home_Town | default: "" }}' in words


def test_an_empty_message_begins_with_one_of_the_box_and_a_written_one_is_left_alone(
    desk: Desk, sign_in: SignIn
) -> None:
    mailing, client = desk.mailing(text="", subject="Mine"), sign_in()
    page, address = f"/mailings/{mailing.pk}/", f"/mailings/{mailing.pk}/begin/"
    assert "Event invitation" in text_of(client.get(page))
    assert client.post(address, {"letter": "invitation"})["Location"] == f"{page}#message"
    mailing.refresh_from_db()
    assert (mailing.subject, mailing.version, "Register" in mailing.html) == ("Mine", 2, True)
    assert "Event invitation" not in text_of(client.get(page))
    client.post(address, {"letter": "newsletter"})
    assert "has a message already" in text_of(client.get(page))
    mailing.refresh_from_db()
    assert "Register" in mailing.html
    assert client.post(address, {"letter": "../settings"}).status_code == 404


def test_what_was_sent_can_be_read_but_not_changed(rows: Rows, desk: Desk, sign_in: SignIn) -> None:
    rows.group("Never chosen")
    mailing = desk.mailing(rows.group("Chosen"), status="sent")
    client = sign_in()
    page = client.get(f"/mailings/{mailing.pk}/")
    assert "This mailing can't be changed: it is sent." in text_of(page)
    assert "Never chosen" not in text_of(page)
    assert '<fieldset class="compose" disabled>' in page.content.decode()
    assert save(client, mailing, subject="Changed").status_code == 409


def test_the_chooser_shows_each_groups_count_age_and_what_is_against_it(
    rows: Rows, desk: Desk, sign_in: SignIn
) -> None:
    rows.group("Counted", member_count=1234)
    rows.group("Never")
    rows.group("Gone", member_count=5, gone_at=timezone.now())
    rows.group("Broken", member_count=7, error_code="timed_out", error_text="Too slow.")
    held = rows.group("Held", member_count=9)
    rows.run(held, "held")
    deleted = rows.group("Deleted once", deleted_at=timezone.now())
    rows.group("Deleted too", deleted_at=timezone.now())
    words = text_of(sign_in().get(f"/mailings/{desk.mailing(deleted).pk}/"))
    assert "Counted 1,234 Counted just now" in words
    assert "Never Not counted yet" in words
    for sentence in ("No longer in MemberSuite: a mailing", "Its last sync failed", "Its sync is held", "Deleted: a"):
        assert sentence in words
    assert "Deleted too" not in words


def test_the_estimate_follows_the_ticked_groups_without_counting(
    rows: Rows, desk: Desk, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    one, two = rows.group("One", member_count=40), rows.group("Two", member_count=10)
    address, client = f"/mailings/{desk.mailing().pk}/estimate/", sign_in()
    with django_assert_max_num_queries(8):
        assert "at most 50" in text_of(client.get(address, {"to": [one.pk, two.pk]}))
    assert "no group chosen yet" in text_of(client.get(address))
    assert "Never counted: New" in text_of(client.get(address, {"to": [one.pk, rows.group("New").pk]}))


def counted(rows: Rows, members: int, receiving: int | None = None) -> TargetGroup:
    group = rows.group(member_count=members)
    if receiving is not None:
        ReceivingCount.objects.create(target_group=group, receiving_count=receiving, counted_at=timezone.now())
    return TargetGroup.objects.select_related("receiving").get(pk=group.pk)


def test_r15_an_estimate_never_claims_more_than_is_known(rows: Rows) -> None:
    found = estimate([counted(rows, 40, 30), counted(rows, 20, 20)])
    assert (found.least, found.most) == (30, 50)
    found = estimate([counted(rows, 40, 30)], [counted(rows, 20, 8)])
    assert (found.least, found.most) == (22, 30)
    found = estimate([counted(rows, 40)])
    assert (found.least, found.most) == (0, 40)
    assert not estimate([rows.group()]).is_known


def test_addresses_not_to_send_to_are_kept_by_their_keys_each_once_and_counted(
    rows: Rows, desk: Desk, sign_in: SignIn
) -> None:
    mailing, group = desk.mailing(), rows.group("In", member_count=10)
    client = sign_in()
    typed = "Ada@Lamps.example, bo@lamps.example;\r\n\r\n ada@lamps.EXAMPLE \r\ncy@lämps.example"
    save(client, mailing, to=[group.pk], not_to_addresses=typed)
    mailing.refresh_from_db()
    assert mailing.not_to_addresses == ["ada@lamps.example", "bo@lamps.example", "cy@xn--lmps-loa.example"]
    page = client.get(f"/mailings/{mailing.pk}/")
    assert "Do not send to addresses (3)" in text_of(page)
    assert "bo@lamps.example" in page.content.decode()
    assert "Nor to 3 addresses" in text_of(client.get(f"/mailings/{mailing.pk}/send/"))
    client.post(f"/mailings/{mailing.pk}/copy/")
    assert Mailing.objects.latest("pk").not_to_addresses == mailing.not_to_addresses


def test_an_address_that_is_none_is_named_with_its_line_and_nothing_is_saved(desk: Desk, sign_in: SignIn) -> None:
    mailing = desk.mailing()
    answer = save(sign_in(), mailing, not_to_addresses="ada@lamps.example\nbo@lamps.example, bo@\n\ncy")
    assert answer.status_code == 422
    assert "Line 2: “bo@” is not a complete e-mail address." in text_of(answer)
    assert "Line 4: “cy” is not a complete e-mail address." in text_of(answer)
    assert "ada@lamps.example" in answer.content.decode()
    mailing.refresh_from_db()
    assert (mailing.version, mailing.not_to_addresses) == (1, [])


def test_no_more_addresses_are_named_than_a_page_can_hold_and_errors_are_told_in_short(
    desk: Desk, sign_in: SignIn
) -> None:
    mailing, client = desk.mailing(), sign_in()
    many = "\n".join(f"a{number}@lamps.example" for number in range(2001))
    assert "These are 2,001 addresses; 2,000 can be named." in text_of(save(client, mailing, not_to_addresses=many))
    assert "3 more are none either." in text_of(save(client, mailing, not_to_addresses="x\n" * 8))


def test_addresses_not_to_send_to_lower_the_least_that_the_estimate_names(rows: Rows) -> None:
    group = rows.group("In", member_count=10)
    ReceivingCount.objects.create(target_group=group, receiving_count=9, counted_at=timezone.now())
    group = TargetGroup.objects.select_related("receiving").get(pk=group.pk)
    about = estimate([group], [], 4)
    assert (about.least, about.most) == (5, 9)
