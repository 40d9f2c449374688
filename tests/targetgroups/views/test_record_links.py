"""A Remote ID leads to the record in MemberSuite wherever it is shown, if the bridge says where records are."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.models import User
from targetgroups.choices import OutcomeKind
from targetgroups.models import Bridge, SyncRun, TargetGroup
from tests.targetgroups.views.conftest import Rows, SignIn, outcome, text_of

CONSOLE = "https://console.example.org/view?tab=1&id={id}#top"
NASTY = 'a"<b>&/../é?'
QUOTED = "a%22%3Cb%3E%26%2F..%2F%C3%A9%3F"
COLUMNS = {"columns": ["email", "remote_id"], "size": 50}


@pytest.fixture
def group(rows: Rows) -> TargetGroup:
    """A group with a member and somebody left out whose Remote IDs are as awkward as can be."""
    group = rows.group("Members", member_count=1, exclusion_counts={"no_address": 2})
    run = rows.run(group)
    TargetGroup.objects.filter(pk=group.pk).update(counted_run=run)
    group.refresh_from_db()
    who = rows.member(group, "ada@lamps.example", "Ada", "Byron", remote_id=NASTY, remote_key=NASTY.lower())
    rows.excluded(group, "no_address", remote_id=NASTY, remote_key=NASTY.lower())
    rows.excluded(group, "unreadable_row", remote_id="", remote_key="")
    outcome(run, who, OutcomeKind.CHANGED, changes={"email": ["a@lamps.example", who.email]})
    rows.run(kind="person", remote_id=NASTY, figures={})
    return group


@pytest.fixture
def addresses(group: TargetGroup) -> dict[str, str]:
    run, check = group.counted_run_id, SyncRun.objects.get(kind="person").pk
    info, person = f"/target-groups/{group.pk}/", group.memberships.get().subscriber_id
    return {
        "subscribers": f"{info}subscribers/",
        "excluded": f"{info}excluded/",
        "in the search": f"{info}in-search/",
        "changed": f"/sync-activity/{run}/changed/",
        "person check": f"/sync-activity/{check}/",
        "everybody": "/subscribers/",
        "left out": "/subscribers/?show=excluded&reason=no_address",
        "subscriber": f"/subscribers/{person}/",
        "field mapping": "/bridge-configuration/",
    }


@pytest.fixture
def client(sign_in: SignIn) -> Client:
    client = sign_in()
    User.objects.update(table_preferences={"subscribers": COLUMNS, "people": COLUMNS})
    return client


def links(client: Client, address: str) -> list[str]:
    """Return the links of a page that open in a tab of their own."""
    return re.findall(r'<a [^>]*target="_blank"[^>]*>', client.get(address).content.decode())


def test_a_remote_id_leads_to_its_record_and_is_escaped_everywhere(client: Client, addresses: dict[str, str]) -> None:
    Bridge.objects.update(record_address=CONSOLE)
    for name, address in addresses.items():
        found = links(client, address)
        assert found, name
        for link in found:
            assert f'href="https://console.example.org/view?tab=1&amp;id={QUOTED}#top"' in link, name
            assert 'rel="noopener noreferrer"' in link, name
            assert 'aria-label="Open a&quot;&lt;b&gt;&amp;/../é? in MemberSuite, in a new tab"' in link, name


def test_without_an_address_of_records_there_is_no_link(client: Client, addresses: dict[str, str]) -> None:
    for name, address in addresses.items():
        assert links(client, address) == [], name
        assert NASTY in text_of(client.get(address)), name


def test_a_row_without_a_remote_id_has_no_link(client: Client, group: TargetGroup) -> None:
    Bridge.objects.update(record_address=CONSOLE)
    address = f"/target-groups/{group.pk}/excluded/?reason=unreadable_row"
    assert "(none)" in text_of(client.get(address))
    assert links(client, address) == []


def test_each_association_has_its_own_records(client: Client, rows: Rows, group: TargetGroup) -> None:
    Bridge.objects.update(record_address=CONSOLE)
    other = Rows(Bridge.objects.create(name="Lens Makers", record_address="https://lens.example.org/{id}"))
    theirs = other.group("Lenses", member_count=1)
    other.excluded(theirs)
    assert "console.example.org" in links(client, f"/target-groups/{group.pk}/excluded/")[0]
    assert "lens.example.org" in links(client, f"/target-groups/{theirs.pk}/excluded/")[0]
