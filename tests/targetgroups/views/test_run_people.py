"""The lists of a run's people: searched, narrowed and sorted, named while they exist, cleared after 90 days."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from targetgroups.choices import OutcomeKind
from targetgroups.models import Subscriber, SyncRun
from tests.targetgroups.views.conftest import FIGURES, Rows, SignIn, outcome, text_of

NOW = timezone.now()


def listed(page: object) -> list[str]:
    return re.findall(r'<th scope="row">(?:<a [^>]*>)?<code>([^<]+)</code>', page.content.decode())  # type: ignore[attr-defined]


def ids(*emails: str) -> set[str]:
    return set(Subscriber.objects.filter(email__in=emails).values_list("remote_id", flat=True))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("per", "per@lamps.example"),
        ("BERG per", "per@lamps.example"),
        ("er@lamps", "per@lamps.example"),
        ("lo", "Lost-1"),
    ],
)
def test_people_are_found_by_name_address_and_remote_id(
    text: str, found: str, eventful: SyncRun, sign_in: SignIn
) -> None:
    page = sign_in().post(f"/sync-activity/{eventful.pk}/removed/", {"q": text})
    assert set(listed(page)) == (ids(found) or {found})
    assert "1 found" in text_of(page)


def test_what_is_searched_for_stands_in_no_address(eventful: SyncRun, sign_in: SignIn) -> None:
    page = sign_in().post(f"/sync-activity/{eventful.pk}/removed/", {"q": "lamps"}).content.decode()
    for address in re.findall(r'(?:href|action|formaction|hx-get|hx-post)="([^"]*)"', page):
        assert "lamps" not in address


def test_r15_removed_are_narrowed_by_reason_with_each_reasons_number(eventful: SyncRun, sign_in: SignIn) -> None:
    client, address = sign_in(), f"/sync-activity/{eventful.pk}/removed/"
    words = text_of(client.get(address))
    for part in ("Do Not Email is now Yes 1", "No longer in the search 1", "Record deleted 1", "3 shown of 3"):
        assert part in words
    assert listed(client.get(address, {"reason": "record_deleted"})) == ["Lost-1"]
    assert len(listed(client.get(address, {"reason": "no such word"}))) == 3
    run_page = client.get(f"/sync-activity/{eventful.pk}/").content.decode()
    assert f"{address}?reason=record_deleted" in run_page


def test_r1_whoever_is_do_not_email_is_shown_by_remote_id_alone(eventful: SyncRun, sign_in: SignIn) -> None:
    assert "erased: Do Not Email" in text_of(
        sign_in().get(f"/sync-activity/{eventful.pk}/removed/?reason=now_do_not_email")
    )


def test_r15_who_was_kept_on_doubt_opens_from_the_run_and_from_counts(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group(member_count=41, exclusion_counts={"unreadable_row": 1})
    run = group.counted_run = rows.run(group, figures=FIGURES | {"members_after": 41, "kept": 1})
    group.search_count = 41
    group.save()
    zoe = rows.member(group, "zoe@lamps.example", "Zoë", "Ångström")
    outcome(run, zoe, OutcomeKind.KEPT, reason="unreadable_row")
    client, address = sign_in(), f"/sync-activity/{run.pk}/kept/"
    for page in (f"/sync-activity/{run.pk}/", f"/target-groups/{group.pk}/counts/"):
        assert f'href="{address}">1</a>' in client.get(page).content.decode()
    page = client.get(address)
    assert listed(page) == [zoe.remote_id]
    assert "Unreadable row (rejected)" in text_of(page)
    assert "Kept on doubt (1)" in text_of(page)


def test_lists_are_sorted_by_remote_id_in_both_directions(eventful: SyncRun, sign_in: SignIn) -> None:
    client, address = sign_in(), f"/sync-activity/{eventful.pk}/removed/"
    up = listed(client.get(address))
    assert up == sorted(up, key=str.lower)
    assert listed(client.get(address, {"sort": "-remote_id"})) == up[::-1]


@pytest.mark.parametrize("sort", ["email", "-name"])
def test_the_added_are_sorted_searched_and_paged_by_key(sort: str, rows: Rows, sign_in: SignIn) -> None:
    group = rows.group()
    run = group.counted_run = rows.run(group, figures=FIGURES | {"added": 55})
    for number in range(55):
        rows.member(group, f"p{number:02}@lamps.example", f"F{number:02}", "Same")
    client, address = sign_in(), f"/sync-activity/{run.pk}/added/?sort={sort}"
    first = client.get(address)
    next_page = re.search(r'href="[^"]*after=(\d+)', first.content.decode())
    assert next_page
    both = listed(first) + listed(client.get(f"{address}&after={next_page[1]}"))
    emails = dict(Subscriber.objects.values_list("remote_id", "email"))
    assert [emails[one] for one in both] == sorted(emails.values(), reverse=sort.startswith("-"))
    one = Subscriber.objects.get(email="p07@lamps.example")
    assert (
        listed(client.post(address, {"q": "f07"}))
        == listed(client.post(address, {"q": one.remote_id}))
        == [one.remote_id]
    )


def test_r15_a_run_older_than_its_lists_says_so_instead_of_an_empty_list(eventful: SyncRun, sign_in: SignIn) -> None:
    SyncRun.objects.filter(pk=eventful.pk).update(finished_at=timezone.now() - timedelta(days=91))
    client = sign_in()
    words, page = (
        text_of(client.get(f"/sync-activity/{eventful.pk}/")),
        client.get(f"/sync-activity/{eventful.pk}/added/"),
    )
    assert "Lists of people are kept for 90 days" in words
    assert "Added 4" in words
    assert "Lists of people are kept for 90 days" in text_of(page)
    assert "Nobody" not in text_of(page)
    assert f"/sync-activity/{eventful.pk}/added/" not in client.get(f"/sync-activity/{eventful.pk}/").content.decode()
    assert client.post(f"/sync-activity/{eventful.pk}/removed/csv/").status_code == 404


# --- preview -------------------------------------------------------------------------------------------------------


def test_r8_preview_changes_is_posted_and_leads_to_the_runs_page(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group()
    answer = sign_in("Subscribers").post(f"/target-groups/{group.pk}/preview/")
    run = SyncRun.objects.get()
    assert (run.kind, run.trigger, run.requests.get().trigger) == ("preview", "preview", "preview")
    assert answer["Location"] == f"/sync-activity/{run.pk}/"
    page = sign_in("Subscribers").get(f"/sync-activity/{run.pk}/")
    assert "Preview of" in text_of(page)
    assert "every 1s" in page.content.decode()


def test_a_preview_of_what_cannot_be_synced_leads_to_the_reason(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group(gone_at=NOW)
    assert sign_in().post(f"/target-groups/{group.pk}/preview/")["Location"] == f"/target-groups/{group.pk}/"
    assert not SyncRun.objects.exists()


@pytest.fixture
def preview(rows: Rows) -> SyncRun:
    figures = {name: FIGURES[name] for name in FIGURES if name not in ("added", "removed", "changed", "members_after")}
    would = {"would_add": 7, "would_change": 2, "would_remove": 3, "would_be_held": False}
    by_reason = {"would_remove_by_reason": {"record_deleted": 1, "no_longer_in_search": 2}}
    group = rows.group(member_count=38)
    return rows.run(group, kind="preview", figures=figures | would | by_reason, sentence="A sync now would add 7.")


def test_a_preview_shows_its_sums_lists_and_reasons(preview: SyncRun, sign_in: SignIn) -> None:
    page = sign_in().get(f"/sync-activity/{preview.pk}/")
    words = text_of(page)
    for part in (
        "This was a preview: nothing was changed",
        "Would be added (7) Would be changed (2) Would be removed (3)",
        "Members before 38",
        "of these: No longer in the search 2",
    ):
        assert part in words
    assert "would_remove/?reason=record_deleted" in page.content.decode()


def test_r6_a_preview_that_would_be_held_says_so(preview: SyncRun, sign_in: SignIn) -> None:
    preview.figures |= {"would_be_held": True, "would_remove_by_reason": {"": 3}}
    preview.save()
    outcome(preview, "Maybe-1", OutcomeKind.WOULD_REMOVE)
    page = sign_in().get(f"/sync-activity/{preview.pk}/")
    assert "This sync would be held." in text_of(page)
    assert "/apply/" not in page.content.decode()
    assert listed(sign_in().get(f"/sync-activity/{preview.pk}/would_remove/?reason=none")) == ["Maybe-1"]


def test_menu_and_info_offer_the_preview_to_who_may_sync(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group()
    for address in ("/target-groups/", f"/target-groups/{group.pk}/"):
        assert "Preview" in text_of(sign_in("Subscribers").get(address))
        assert "Preview" not in text_of(sign_in("Reporter").get(address))
