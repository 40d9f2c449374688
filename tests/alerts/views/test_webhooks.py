"""Admin > Webhooks: the secret is shown once, what is typed is checked, the log says what came back."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from alerts import outbox, signing
from alerts.choices import DeliveryState
from alerts.models import Delivery, Try, Webhook
from audit.models import AuditEntry
from tests.alerts.conftest import Rows, SignIn, rows, sign_in
from tests.targetgroups.views.conftest import text_of

__all__ = ["rows", "sign_in"]
pytestmark = pytest.mark.django_db
GIVEN = {"name": "Office", "address": "https://lamps.example/hook", "events": ["run.failed", "alert.raised"]}


def made(client: Client) -> Webhook:
    assert client.post("/webhooks/create/", GIVEN).status_code == 200
    return Webhook.objects.get()


def test_r17_the_secret_is_shown_once_and_never_again(sign_in: SignIn) -> None:
    client = sign_in()
    answer = client.post("/webhooks/create/", GIVEN)
    secret = re.search(r"whsec_[\w+/=]+", answer.content.decode())
    hook = Webhook.objects.get()
    assert secret and secret[0] == hook.secret
    assert "no-store" in answer["Cache-Control"]
    assert "whsec_" not in client.get(f"/webhooks/{hook.pk}/").content.decode()
    assert "whsec_" not in client.get("/webhooks/").content.decode()


def test_a_new_secret_is_shown_with_how_long_the_old_one_works(sign_in: SignIn) -> None:
    client = sign_in()
    hook = made(client)
    page = client.post(f"/webhooks/{hook.pk}/new-secret/")
    assert "The one before works beside it until" in text_of(page)
    assert Webhook.objects.get().secret in page.content.decode()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"address": "http://lamps.example/"}, "must start with https://"),
        ({"address": "https://10.1.2.3/"}, "leads into a private network"),
        ({"address": "https://lamps.example/a b"}, "has no spaces"),
        ({"events": []}, "Choose at least one"),
        ({"events": ["people.stolen"]}, "people.stolen is not one of"),
    ],
)
def test_what_is_wrong_is_said_beside_it_and_nothing_is_made(
    wrong: dict[str, Any], said: str, sign_in: SignIn, settings: Any
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    answer = sign_in().post("/webhooks/create/", GIVEN | wrong)
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert not Webhook.objects.exists()


def test_it_can_be_changed_switched_and_removed_and_all_of_it_is_recorded(sign_in: SignIn) -> None:
    client = sign_in()
    hook = made(client)
    client.post(f"/webhooks/{hook.pk}/change/", GIVEN | {"name": "Shop"})
    client.post(f"/webhooks/{hook.pk}/switch/", {"to": "off"})
    client.post(f"/webhooks/{hook.pk}/switch/", {"to": "off"})
    assert text_of(client.get("/webhooks/")).count("Off") == 1
    client.post(f"/webhooks/{hook.pk}/remove/")
    assert "No webhooks yet" in text_of(client.get("/webhooks/"))
    done = list(AuditEntry.objects.filter(object_type="alerts.webhook").order_by("id").values_list("action", flat=True))
    assert done == ["webhook.created", "webhook.changed", "webhook.switched_off", "webhook.removed"]


def test_the_log_says_what_came_back_and_offers_another_try(sign_in: SignIn) -> None:
    client = sign_in()
    hook = made(client)
    assert "Nothing was told yet" in text_of(client.get(f"/webhooks/{hook.pk}/"))
    client.post(f"/webhooks/{hook.pk}/test/")
    told = {"status_code": 503, "took_ms": 1234, "said": "<b>Closed", "problem": "HTTP 503", "tries": 6}
    Delivery.objects.update(state=DeliveryState.FAILED, tried_at=timezone.now(), **told)
    page = text_of(client.get(f"/webhooks/{hook.pk}/"))
    assert "Given up" in page and "HTTP 503 <b>Closed 1,234 ms Try again" in page
    client.post(f"/webhooks/deliveries/{Delivery.objects.get().pk}/again/")
    assert Delivery.objects.get().state == DeliveryState.WAITING


def test_every_try_is_folded_under_its_delivery_the_newest_first(sign_in: SignIn) -> None:
    client, now = sign_in(), timezone.now()
    hook = made(client)
    outbox.write_for(hook, "test", {})
    tries = [Try(now, 503, 1234, "HTTP 503", "<b>Closed"), Try(now, None, 5000, "No host."), Try(now)]
    Delivery.objects.update(tries=3, history=[one.kept() for one in tries])
    page = text_of(client.get(f"/webhooks/{hook.pk}/"))
    assert "3 tries of test of" in page
    found = [
        page.index(said) for said in ("No answer is known", "No host. · 5,000 ms", "HTTP 503 · 1,234 ms <b>Closed")
    ]
    assert found == sorted(found)
    Delivery.objects.update(tries=1, history=[tries[0].kept()])
    assert "tries of test" not in text_of(client.get(f"/webhooks/{hook.pk}/"))
    Delivery.objects.update(history=None)  # as the version before left it
    assert client.get(f"/webhooks/{hook.pk}/").status_code == 200


def test_the_log_is_paged(sign_in: SignIn) -> None:
    client = sign_in()
    hook = made(client)
    for _ in range(60):
        outbox.write_for(hook, "test", {})
    page = client.get(f"/webhooks/{hook.pk}/")
    assert page.content.decode().count('<code class="small">test</code>') == 50
    older = client.get(f"/webhooks/{hook.pk}/?before={page.context['older']}").content.decode()
    assert older.count('<code class="small">test</code>') == 10


def test_one_that_was_switched_off_by_itself_says_why(sign_in: SignIn) -> None:
    client = sign_in()
    hook = made(client)
    Webhook.objects.update(is_on=False, off_at=timezone.now() - timedelta(hours=3), off_text="Every try failed.")
    assert "Switched off by itself 3 h ago Every try failed." in text_of(client.get(f"/webhooks/{hook.pk}/"))
    client.post(f"/webhooks/{hook.pk}/test/")
    assert not Delivery.objects.exists()


def test_one_that_was_switched_off_by_itself_needs_attention_on_home(rows: Rows, sign_in: SignIn) -> None:
    rows.group("Members", member_count=4)
    client = sign_in()
    hook = made(client)
    client.post(f"/webhooks/{hook.pk}/switch/", {"to": "off"})
    assert "Nothing needs you" in text_of(client.get("/")), "a person switched it off"
    off = {"is_on": False, "off_at": timezone.now() - timedelta(hours=3), "off_text": "Every try failed."}
    Webhook.objects.update(**off)
    home = client.get("/")
    assert "Switched off Office 3 h ago Every try failed. The program behind it hears nothing." in text_of(home)
    assert f'href="/webhooks/{hook.pk}/"' in home.content.decode()
    assert "Nothing needs you" in text_of(sign_in("Manager").get("/"))
    client.post(f"/webhooks/{hook.pk}/switch/", {"to": "on"})
    assert "Nothing needs you" in text_of(client.get("/"))


def test_the_demos_receiver_takes_what_is_signed_and_shows_it(
    sign_in: SignIn, settings: Any, tmp_path: Path, client: Client
) -> None:
    settings.MAIL_SINK_DIR, settings.SITE_URL = str(tmp_path / "mail"), "http://127.0.0.1:8000"
    call_command("seed_demo_webhook")
    call_command("seed_demo_webhook")
    hook, body, now = Webhook.objects.get(), json.dumps({"type": "run.ended"}).encode(), timezone.now()
    signed = signing.headers("msg_1", now, body, [hook.secret or ""])
    wrong = signing.headers("msg_1", now, body, [signing.new_secret()])
    for headers, status in ((wrong, 401), ({}, 401), (signed, 200)):
        answer = client.post("/demo/webhooks/receive/", body, content_type="application/json", headers=headers)
        assert answer.status_code == status
    assert text_of(sign_in().get("/demo/webhooks/")).count("Signature fits") == 1
    settings.MAIL_SINK_DIR = ""
    assert client.post("/demo/webhooks/receive/", body, content_type="application/json").status_code == 404
