"""What would a sync change, whom, and why: the preview, its people, and their list as a file."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from targetgroups.models import Bridge, Membership, SyncRun
from tests.e2e.conftest import keep_picture, sign_in, violations

if TYPE_CHECKING:
    from memberSuite.standin.server import StandIn

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_preview_tells_whom_a_sync_would_change_and_how(
    standin: StandIn, open_browser: Callable[..., Page], start_worker: Callable[..., Any]
) -> None:
    start_worker("interactive")
    page = open_browser()
    Bridge.objects.update(record_address=f"{standin.url}/record/{{id}}")
    sign_in(page)
    page.get_by_role("button", name="Refresh Target Group List").first.click()
    page.get_by_role("button", name="Newsletter readers", exact=True).click(timeout=20_000)
    dialog = page.get_by_role("dialog", name="Newsletter readers")
    expect(dialog.get_by_text("Completed").first).to_be_visible(timeout=20_000)
    dialog.get_by_role("link", name="Counts").click()
    expect(dialog.get_by_role("row", name="Will receive a mailing")).to_be_visible(timeout=20_000)
    assert violations(page) == []
    keep_picture(page, "explaining-1-counts")

    before = Membership.objects.count()
    goes, changes = Membership.objects.select_related("subscriber").order_by("sort_email")[:2]
    standin.delete(ids=[goes.subscriber.remote_id])
    standin.set_address(changes.subscriber.remote_id, "fresh@lamps.example")
    dialog.get_by_role("button", name="Preview changes").click()
    expect(page.get_by_text("This was a preview: nothing was changed.")).to_be_visible(timeout=20_000)
    assert violations(page) == []
    keep_picture(page, "explaining-2-preview")

    page.get_by_role("link", name="Would be changed (1)").click()
    changed = page.get_by_role("row").filter(has_text="fresh@lamps.example")
    with page.context.expect_page() as opened:
        changed.get_by_role("link", name=f"Open {changes.subscriber.remote_id} in MemberSuite").click()
    expect(opened.value.get_by_role("row", name="EmailAddress fresh@lamps.example")).to_be_visible()
    assert opened.value.evaluate("document.referrer") == "", "no address of ours is told"
    opened.value.close()
    page.get_by_role("link", name="Would be removed (1)").click()
    expect(page.get_by_role("link", name="Record deleted 1")).to_be_visible()
    page.get_by_label("Search by name, e-mail or Remote ID").fill(goes.subscriber.email)
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_text("1 found")).to_be_visible()
    assert goes.subscriber.email not in page.url
    assert violations(page) == []
    keep_picture(page, "explaining-3-people")

    with page.expect_download() as started:
        page.get_by_role("button", name="CSV of what is shown here").click()
    _, row = csv.reader(Path(started.value.path()).read_text("utf-8-sig").splitlines())
    assert row[:2] == [goes.subscriber.remote_id, goes.subscriber.email]
    assert row[3] == "Record deleted"
    assert started.value.suggested_filename == f"run-{SyncRun.objects.get(kind='preview').pk}-would_remove.csv"
    assert Membership.objects.count() == before
