"""Every page checks its permission on the server, and looking starts nothing (R8)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.permissions import ROLES, Role
from audit import record
from targetgroups.models import Schedule, SyncRequest, SyncRun
from targetgroups.urls import urlpatterns
from tests.targetgroups.views.conftest import Rows, SignIn

# Home and the search page open for everybody: each shows what the role may see.
NAMES = [pattern.name for pattern in urlpatterns if pattern.name not in ("home", "search")]
POSTED = {
    "refresh", "open_info", "resync", "info_cancel", "cancel", "apply", "discard",
    "save_bridge", "test_connection", "choose_columns", "preview",
    "run_people_csv", "subscribers_csv", "excluded_csv", "in_search_csv", "activity_csv", "groups_csv",
    "people_csv", "check_again", "opt_out_here", "opt_in_here", "erase",
    "resync_many", "move", "delete", "undelete", "create_folder", "rename_folder", "delete_folder",
    "refresh_from_home", "sync_from_home", "suppressions_csv", "lift_suppressions",
    "usual_schedules", "switch_schedule", "run_schedule", "delete_schedule",
    "audit_csv", "writebacks_csv", "retry_writebacks", "check_opt_outs", "queue_opt_outs",
}  # fmt: skip


@pytest.fixture
def addresses(rows: Rows) -> dict[str, str]:
    """One address of each page, with something behind it."""
    group = rows.group(member_count=1)
    run = rows.run(group, "held", figures={"would_remove": 1})
    values: dict[str, Any] = {
        "group_id": group.pk,
        "folder_id": rows.main.pk,
        "run_id": run.pk,
        "bridge_id": rows.bridge.pk,
        "subscriber_id": rows.member(group, "ada@lamps.example").pk,
        "name": "target_groups",
        "kind": "would_remove",
        "schedule_id": Schedule.objects.create(bridge=rows.bridge, kind="list", every_minutes=60).pk,
        "entry_id": record("command", "target_group.moved", group).pk,
    }
    return {
        str(pattern.name): reverse(f"targetgroups:{pattern.name}", kwargs=_needed(pattern, values))
        for pattern in urlpatterns
    }


def _needed(pattern: Any, values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in pattern.pattern.converters}


def ask(client: Client, name: str, address: str) -> Any:
    if name not in POSTED:
        return client.get(address)
    return client.post(address, {"bridge": address.split("/")[-3]} if name == "x" else {})


def required(name: str) -> set[str]:
    view = next(pattern.callback for pattern in urlpatterns if pattern.name == name)
    return set(view.required_codenames)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_each_page_opens_for_exactly_the_roles_that_have_its_permissions(
    role: Role, addresses: dict[str, str], sign_in: SignIn
) -> None:
    client = sign_in(role.name)
    for name in NAMES:
        is_refused = ask(client, name, addresses[name]).status_code == 403
        assert is_refused == (not required(name) <= role.rights), name


@pytest.mark.parametrize("name", [*NAMES, "home", "search"])
def test_nobody_sees_anything_without_signing_in(name: str, addresses: dict[str, str], client: Client) -> None:
    response = ask(client, name, addresses[name])
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("name", [*NAMES, "home", "search"])
def test_r8_get_never_starts_anything(name: str, addresses: dict[str, str], sign_in: SignIn) -> None:
    before = (SyncRun.objects.count(), SyncRequest.objects.count())
    response = sign_in().get(addresses[name], follow=True)
    assert response.status_code == (405 if name in POSTED else 200)
    assert (SyncRun.objects.count(), SyncRequest.objects.count()) == before


def test_a_refused_page_says_what_is_missing_and_leads_on(addresses: dict[str, str], sign_in: SignIn) -> None:
    page = sign_in("Reporter").post(addresses["resync"]).content.decode()
    assert "Your role does not let you start and cancel syncs." in page
    assert 'href="/"' in page


def test_the_menu_shows_only_what_the_role_may_open(sign_in: SignIn, addresses: dict[str, str]) -> None:
    assert "Bridge Configuration" not in sign_in("Reporter").get(addresses["target_groups"]).content.decode()
    assert "Bridge Configuration" in sign_in("Manager").get(addresses["target_groups"]).content.decode()


def test_nothing_on_any_page_needs_inline_scripts_or_styles(addresses: dict[str, str], sign_in: SignIn) -> None:
    client = sign_in()
    for name in NAMES:
        if name in POSTED:
            continue
        response = client.get(addresses[name])
        page = response.content.decode()
        assert " style=" not in page
        assert " onclick=" not in page
        assert "<style" not in page
        assert page.count("<script") == page.count("<script src=")
        assert "script-src 'self'" in response["Content-Security-Policy"]
