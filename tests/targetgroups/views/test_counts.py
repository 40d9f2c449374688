"""The lower half of Counts: whom of the members a mailing reaches; each number opens its people (R15)."""

from __future__ import annotations

import pytest
from django.utils import timezone

from targetgroups import suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import ReceivingCount, TargetGroup
from targetgroups.sync import receiving
from tests.targetgroups.views.conftest import Rows, SignIn, text_of


@pytest.fixture
def group(rows: Rows) -> TargetGroup:
    group = rows.group(member_count=5)
    for email in ("ann@lamps.example", "bob@lamps.example", "desk@lamps.example", "desk@lamps.example"):
        rows.member(group, email)
    rows.member(group, "", do_not_email_at=timezone.now())
    suppression.suppress("bob@lamps.example", SuppressionCause.OPT_OUT)
    receiving.count(group.pk)
    return group


def test_r15_members_minus_each_reason_will_receive_a_mailing_and_say_their_age(
    group: TargetGroup, sign_in: SignIn
) -> None:
    page = sign_in().get(f"/target-groups/{group.pk}/counts/")
    words = text_of(page)
    for part in (
        "From the members to a mailing Counted just now",
        "minus Now Do Not Email, seen elsewhere 1",
        "minus Opted out here 1",
        "minus Hard bounce 0",
        "minus Shared address: another member gets the one copy 1",
        "= Will receive a mailing 2",
    ):
        assert part in words
    assert "every 2s" not in page.content.decode()


@pytest.mark.parametrize(
    ("only", "people"),
    [
        ("opt_out", ["bob@lamps.example"]),
        ("shared_address", ["desk@lamps.example"]),
        ("do_not_email", ["(erased)"]),
        ("receiving", ["ann@lamps.example", "desk@lamps.example"]),
        ("hard_bounce", []),
    ],
)
def test_r15_each_number_opens_its_people(only: str, people: list[str], group: TargetGroup, sign_in: SignIn) -> None:
    client = sign_in()
    assert f"subscribers/?only={only}" in client.get(f"/target-groups/{group.pk}/counts/").content.decode()
    words = text_of(client.get(f"/target-groups/{group.pk}/subscribers/?only={only}"))
    assert "Show all members" in words
    everybody = ["ann@lamps.example", "bob@lamps.example", "desk@lamps.example", "(erased)"]
    assert [one for one in everybody if one in words] == people
    assert words.count("desk@lamps.example") <= 1


def test_r15_numbers_of_an_older_sync_are_not_shown_and_the_page_asks_again(
    group: TargetGroup, rows: Rows, sign_in: SignIn
) -> None:
    group.counted_run = rows.run(group)
    group.save()
    page = sign_in().get(f"/target-groups/{group.pk}/counts/")
    assert "Being counted" in text_of(page)
    assert "Will receive a mailing" not in text_of(page)
    assert "every 2s" in page.content.decode()
    receiving.count_outdated()
    headers = {"HX-Request": "true", "HX-Target": "receiving"}
    part = sign_in().get(f"/target-groups/{group.pk}/counts/", headers=headers)
    assert part.content.decode().strip().startswith('<section id="receiving"')
    assert "Will receive a mailing 2" in text_of(part)


def test_r15_what_changed_since_is_said_until_it_is_counted_again(group: TargetGroup, sign_in: SignIn) -> None:
    ReceivingCount.objects.update(is_outdated=True)
    page = sign_in().get(f"/target-groups/{group.pk}/counts/")
    assert "Something has changed since" in text_of(page)
    assert "every 2s" in page.content.decode()
