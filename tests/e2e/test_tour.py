"""The pictures of docs/tour.md: every page with something on it. `make screenshots` takes them anew."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import Page

from accounts import people
from accounts.models import User
from alerts import outbox, sweep, webhooks
from alerts.models import Alert, Delivery
from targetgroups import schedules, suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import Bridge, Schedule, Subscriber, TargetGroup
from targetgroups.sync import firing, receiving
from tests.e2e.conftest import keep_picture, sign_in
from tests.mailings.views.conftest import Desk
from tests.support.engine import Engine
from tests.targetgroups.views.conftest import Rows
from thrive_sync.stack.mailbox import Mailbox

if TYPE_CHECKING:
    import redis

    from memberSuite.standin.server import StandIn

pytestmark = pytest.mark.django_db(transaction=True)
DOCS = Path(__file__).resolve().parents[2] / "docs"


def pictures() -> set[str]:
    return set(re.findall(r"!\[[^\]]+\]\(images/tour/([a-z-]+)\.png\)", (DOCS / "tour.md").read_text()))


@pytest.fixture
def pages(site: str, standin: StandIn, broker: redis.Redis, tmp_path: Path, settings: Any) -> dict[str, str]:
    """An association with some weeks behind it; gives the address of each page."""
    settings.MEMBERSUITE_RETRY_WAIT_SECONDS = 0.01
    Bridge.objects.update(record_address="https://console.lamps.example/people/{id}")
    engine = Engine(standin, Bridge.objects.get())
    engine.refresh()
    for name in ("Current members", "Newsletter readers", "All individuals", "Board of directors", "Lapsed 2025"):
        engine.sync(name)
    members = sorted(engine.members("Current members"))
    standin.change({"LastName": "Wyndham"}, ids=members[:3])
    standin.flip_do_not_email(ids=members[3:6], to=True)
    standin.insert(4)
    changed = engine.sync("Current members")
    standin.flip_do_not_email(ids=sorted(engine.members("Newsletter readers")), to=True)
    held = engine.sync("Newsletter readers")
    standin.delete(ids=members[6:8])
    preview = engine.preview("All individuals")
    person, gone = Subscriber.objects.filter(do_not_email_at__isnull=True).exclude(email="").order_by("sort_name")[4:6]
    suppression.suppress(gone.email, SuppressionCause.OPT_OUT, "here: asked by phone")
    for counted in TargetGroup.objects.filter(counted_at__isnull=False):
        receiving.count(counted.pk)
    desk = Desk(Rows(engine.bridge))
    group = engine.group("Current members")
    draft = desk.mailing(group, name="Summer meeting")
    sent = desk.frozen(group, "sent_with_errors", sent=24, failed=1, skipped=3)
    words = {"by": "Amazon SES", "said": "550 5.1.1 No such user here", "mailing_id": sent.pk}
    suppression.add("l.wyndham@lamps.example", SuppressionCause.HARD_BOUNCE, "told by Amazon SES", **words)
    suppression.add("office@wicks.example", SuppressionCause.COMPLAINT, by="Amazon SES", mailing_id=sent.pk)
    suppression.suppress("press@lamps.example", SuppressionCause.MANUAL, "list of the former system", by="dana")
    settings.MAIL_SINK_DIR = str(tmp_path / "mail")
    mailbox = Mailbox(tmp_path / "mail")
    mailbox.open()
    mailbox.keep(
        b"From: Society of Lamp Keepers <news@lamps.example>\r\nSubject: Summer meeting\r\n\r\nHello.\r\n",
        "a@b.example",
    )
    colleague = User.objects.create_user(
        "wren", first_name="Wren", last_name="Ashdown", email="wren@lamps.example", last_seen_at=timezone.now()
    )
    colleague.groups.set(Group.objects.filter(name__in=["Publisher", "Subscribers"]))
    people.invite(User.objects.get(username="dana"), "jules@lamps.example", [Group.objects.get(name="Reporter")])
    people.change_roles(User.objects.get(username="dana"), colleague, [Group.objects.get(name="Publisher")])
    dana = User.objects.get(username="dana")
    listing, in_use = schedules.add_usual(engine.bridge, dana)
    for one in (listing, in_use):
        fired = firing.begin(one, timezone.now(), due_at=timezone.now())
        for asked in fired.requests.all():
            engine.work(asked.run)
    schedules.save(Schedule(bridge=engine.bridge, kind="groups", target_group=group, every_minutes=60), dana)
    firing.sweep()
    info = f"/target-groups/{group.pk}/"
    return {
        "home": "/",
        "target-groups": "/target-groups/?folder=all",
        "folders": "/target-groups/folders/",
        "info-overview": info,
        "info-counts": f"{info}counts/",
        "info-subscribers": f"{info}subscribers/",
        "info-excluded": f"{info}excluded/",
        "info-history": f"{info}history/",
        "info-mailings": f"{info}mailings/",
        "run": f"/sync-activity/{changed.pk}/",
        "run-people": f"/sync-activity/{changed.pk}/changed/",
        "held": f"/sync-activity/{held.pk}/",
        "preview": f"/sync-activity/{preview.pk}/",
        "suppressions": "/suppressions/",
        "sync-activity": "/sync-activity/",
        "manage-subscribers": "/subscribers/",
        "subscriber": f"/subscribers/{person.pk}/",
        "subscriber-opted-out": f"/subscribers/{gone.pk}/",
        "bridge": "/bridge-configuration/",
        "mailings": "/mailings/",
        "mailing-compose": f"/mailings/{draft.pk}/",
        "mailing-send": f"/mailings/{draft.pk}/send/",
        "mailing-report": f"/mailings/{sent.pk}/report/",
        "inbox": "/demo/inbox/",
        "users": "/users/",
        "user": f"/users/{colleague.pk}/",
        "schedules": "/schedules/",
        "audit-log": "/audit-log/",
        "preferences": "/preferences/",
        "alerts": "/alerts/",
        "webhook": f"/webhooks/{told(group)}/",
    }


def told(group: TargetGroup) -> int:
    """Look as the clock does, have something behind it, and a webhook that was told of it; return its number."""
    sweep.sweep()
    now = timezone.now()
    over = {"raised_at": now - timedelta(hours=5), "recovered_at": now - timedelta(hours=4)}
    text = "MemberSuite did not answer in time. Its members are as they were."
    link = f"/target-groups/{group.pk}/"
    Alert.objects.create(kind="failed", key=f"group:{group.pk}", about=group.name, text=text, link=link, **over)
    dana, events = User.objects.get(username="dana"), ["run.held", "run.failed", "mailing.stopped"]
    hook, _ = webhooks.create(dana, "Chat room of the office", "https://chat.lamps.example/hooks/thrive", events)
    for event, answer in (("test", (200, 84, "ok")), ("run.held", (503, 1207, "Closed for maintenance"))):
        state = "delivered" if answer[0] == 200 else "waiting"
        pk = outbox.write_for(hook, event, {}).pk
        names = dict(zip(("status_code", "took_ms", "said"), answer, strict=True))
        due_at = now + timedelta(minutes=9)
        Delivery.objects.filter(pk=pk).update(state=state, tries=1, tried_at=now, due_at=due_at, **names)
    return hook.pk


@pytest.mark.screenshots
def test_every_picture_of_the_tour_is_taken(
    site: str, open_browser: Callable[..., Page], request: pytest.FixtureRequest
) -> None:
    page = open_browser(1280, 800)
    sign_in(page)
    page.goto("/")
    keep_picture(page, "first-run")
    addresses: dict[str, str] = request.getfixturevalue("pages")
    User.objects.filter(username="dana").update(table_preferences={})
    for name, address in addresses.items():
        page.goto(address)
        page.wait_for_timeout(300)
        keep_picture(page, name)
    assert pictures() == {"first-run", *addresses}


def test_the_tour_shows_no_picture_that_is_not_there() -> None:
    assert pictures() == {path.stem for path in (DOCS / "images/tour").glob("*.png")}
