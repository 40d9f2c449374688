"""Rows and people for the pages, made without any sync: a page only reads."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts.models import User
from targetgroups.choices import ExclusionReason, OutcomeKind, RunKind, RunStatus, Trigger
from targetgroups.models import (
    Bridge,
    Exclusion,
    Folder,
    Membership,
    RunOutcome,
    Subscriber,
    SyncRequest,
    SyncRun,
    TargetGroup,
)
from thrive_sync.lib.sorting import sort_key

SignIn = Callable[..., Client]
FIGURES = {
    "in_search": 100, "eligible": 40, "do_not_email": 55, "no_address": 3, "malformed_address": 1,
    "duplicate_row": 1, "unreadable_row": 0, "members_before": 38, "added": 4, "removed": 2, "members_after": 40,
    "changed": 5, "unchanged": 31,
}  # fmt: skip


class Rows:
    """Makes rows with plain defaults; every name can be said otherwise."""

    def __init__(self, bridge: Bridge | None = None) -> None:
        self.numbers = itertools.count(1)
        self.folder = Folder.objects.get(name=Folder.MEMBERSUITE)
        self.main = Folder.objects.get(name=Folder.MAIN)
        self.bridge = bridge or Bridge.objects.create(
            name="Lamp Keepers",
            service_address="https://soap.example.org/",
            association_id="a-1",
            access_key_id="key-1",
            secret_access_key="c2VjcmV0LW9uZQ==",
        )

    def group(self, name: str = "Members", **fields: Any) -> TargetGroup:
        number = next(self.numbers)
        search_id = f"search-{number}"
        given = {"bridge": self.bridge, "folder": self.folder, "search_id": search_id, "search_key": search_id}
        if fields.get("member_count") is not None:
            given |= {"counted_at": timezone.now(), "search_count": fields["member_count"]}
        return TargetGroup.objects.create(**given | {"name": name, "search_type": "Individual", **fields})

    def member(self, group: TargetGroup, email: str, first: str = "", last: str = "", **fields: Any) -> Subscriber:
        number, now = next(self.numbers), timezone.now()
        remote_id = f"Remote-{number:04}"
        keys = {"sort_email": sort_key(email), "sort_name": sort_key(f"{last} {first}".strip())}
        given = {"remote_id": remote_id, "remote_key": remote_id.lower(), "address_key": email.lower(), "email": email}
        times = {"seen_at": now, "created_at": now, "changed_at": now}
        names = {"first_name": first, "last_name": last}
        person = Subscriber.objects.create(bridge=self.bridge, **given | names | keys | times | fields)
        run_id = group.counted_run_id or 1
        Membership.objects.create(target_group=group, subscriber=person, added_run_id=run_id, subscribed_at=now, **keys)
        return person

    def run(self, group: TargetGroup | None = None, status: str = RunStatus.COMPLETED, **fields: Any) -> SyncRun:
        now = timezone.now()
        times = {} if status == RunStatus.WAITING else {"started_at": now}
        times |= {} if status in (RunStatus.WAITING, RunStatus.RUNNING) else {"finished_at": now}
        kind = {"kind": RunKind.GROUP if group else RunKind.LIST, "trigger": Trigger.RESYNC_NOW}
        run = SyncRun.objects.create(bridge=self.bridge, target_group=group, status=status, **kind | times | fields)
        SyncRequest.objects.create(run=run, trigger=run.trigger)
        return run

    def excluded(self, group: TargetGroup, reason: str = ExclusionReason.DO_NOT_EMAIL, **fields: Any) -> Exclusion:
        remote_id = f"Excluded-{next(self.numbers):04}"
        given = {"remote_id": remote_id, "remote_key": remote_id.lower(), "seen_at": timezone.now(), "from_run_id": 1}
        return Exclusion.objects.create(bridge=self.bridge, target_group=group, reason=reason, **given | fields)


@pytest.fixture
def rows(db: None) -> Rows:
    return Rows()


def outcome(run: SyncRun, who: Subscriber | str, kind: OutcomeKind, **fields: Any) -> RunOutcome:
    remote_id = who if isinstance(who, str) else who.remote_id
    keys = {"remote_id": remote_id, "remote_key": remote_id.lower()}
    return RunOutcome.objects.create(
        bridge=run.bridge, run=run, kind=kind, recorded_at=timezone.now(), **keys, **fields
    )


@pytest.fixture
def eventful(rows: Rows) -> SyncRun:
    """A run that changed Zoë, and removed Per, somebody who is Do Not Email now, and somebody nobody knows any more."""
    by_reason = {"record_deleted": 1, "no_longer_in_search": 1, "now_do_not_email": 1}
    run = rows.run(rows.group(), figures=FIGURES | {"removed": 3, "removed_by_reason": by_reason})
    zoe = rows.member(rows.group("Own"), "zoe@lamps.example", "Zoë", "Ångström")
    per = rows.member(rows.group("Other"), "per@lamps.example", "Per", "Berg")
    erased = rows.member(rows.group("Third"), "", do_not_email_at=timezone.now())
    outcome(run, zoe, OutcomeKind.CHANGED, changes={"email": ["z@lamps.example", "zoe@lamps.example"]})
    outcome(run, per, OutcomeKind.REMOVED, reason="no_longer_in_search")
    outcome(run, erased, OutcomeKind.REMOVED, reason="now_do_not_email")
    outcome(run, "Lost-1", OutcomeKind.REMOVED, reason="record_deleted")
    return run


@pytest.fixture
def sign_in(db: None) -> Iterator[SignIn]:
    """Sign somebody in who has this role."""

    def sign_in_as(role: str = "Administrator", **fields: Any) -> Client:
        user, _ = User.objects.get_or_create(username=role.lower(), defaults=fields)
        user.groups.set([Group.objects.get(name=role)])
        client = Client()
        client.force_login(user)
        return client

    yield sign_in_as


def text_of(response: Any) -> str:
    """Return a page's words without its tags, on one line."""
    import re
    from html import unescape

    body = re.sub(r"<(script|style|svg)\b.*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())
