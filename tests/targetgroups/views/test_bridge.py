"""Bridge Configuration: wrong input has its sentence, secrets stay in (R17), changes are recorded (R16)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEntry
from targetgroups.models import Bridge, Subscriber, SyncRun
from tests.targetgroups.views.conftest import Rows, SignIn, text_of

PAGE = "/bridge-configuration/"
FILLED: dict[str, Any] = {
    "name": "Lamp Keepers",
    "transport": "concierge",
    "service_address": "https://soap.example.org/",
    "association_id": "a-1",
    "access_key_id": "key-1",
    "secret_access_key": "",
    "page_size": "200",
    "requests_in_flight": "4",
    "guard_percent": "20",
    "guard_people": "25",
    "lists_do_not_email": "on",
}


@pytest.fixture
def client(rows: Rows, sign_in: SignIn) -> Client:
    return sign_in()


def save(client: Client, **changed: Any) -> Any:
    bridge = Bridge.objects.first()
    return client.post(PAGE + "save/", FILLED | {"bridge": bridge.pk if bridge else "new"} | changed, follow=True)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"page_size": "0"}, "The page size must be 25 or more."),
        ({"page_size": "1001"}, "The page size must be 1000 or less."),
        ({"page_size": "many"}, "The page size must be a whole number from 25 to 1000."),
        ({"requests_in_flight": "0"}, "At least 1 request must be in flight."),
        ({"requests_in_flight": "17"}, "At most 16 requests can be in flight."),
        ({"guard_percent": "101"}, "A percentage is at most 100."),
        ({"service_address": "not an address"}, "This is not an address."),
        ({"service_address": "http://soap.example.org/"}, "must start with https://"),
        ({"service_address": "https://me:pw@soap.example.org/"}, "Leave user name and password out"),
        ({"secret_access_key": "not base64!"}, "This is not a secret access key"),
        ({"secret_access_key": "abc"}, "This is not a secret access key"),
        ({"association_id": ""}, "Concierge (SOAP) needs this."),
        ({"transport": "rest"}, "REST needs this."),
        ({"service_address": "https://elsewhere.example.org/"}, "enter this secret again"),
        ({"record_address": "https://console.example.org/view/"}, "Put {id} exactly once"),
        ({"record_address": "https://console.example.org/{id}/{id}"}, "Put {id} exactly once"),
        ({"record_address": "console.example.org/{id}"}, "This is not the address of a page."),
        ({"record_address": "/view/{id}"}, "This is not the address of a page."),
        ({"record_address": "//console.example.org/{id}"}, "This is not the address of a page."),
        ({"record_address": "javascript:alert({id})"}, "This is not the address of a page."),
        ({"record_address": "JavaScript://console.example.org/%0aalert({id})"}, "This is not the address of a page."),
        ({"record_address": "data:text/html,{id}"}, "This is not the address of a page."),
        ({"record_address": "https://console.example.org/a b/{id}"}, "This is not the address of a page."),
        ({"record_address": "https://[console/{id}"}, "This is not the address of a page."),
        ({"record_address": "https://me:pw@console.example.org/{id}"}, "Leave user name and password out"),
        ({"record_address": "https://me@console.example.org/{id}"}, "Leave user name and password out"),
        ({"record_address": "https://{id}.example.org/"}, "Put {id} behind the host"),
        ({"record_address": f"https://console.example.org/{'x' * 500}/{{id}}"}, "longer than 500 characters"),
    ],
)
def test_wrong_input_is_told_in_a_sentence_of_its_own_and_nothing_is_saved(
    changed: dict[str, str], sentence: str, client: Client
) -> None:
    before = Bridge.objects.values().get()
    answer = save(client, **changed)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert "Nothing was saved." in text_of(answer)
    assert Bridge.objects.values().get() == before
    assert not AuditEntry.objects.exists()


def test_r17_a_stored_secret_is_kept_when_left_empty_and_never_shown(client: Client) -> None:
    page = save(client, page_size="100")
    bridge = Bridge.objects.get()
    assert (bridge.page_size, bridge.secret_access_key) == (100, "c2VjcmV0LW9uZQ==")
    assert "c2VjcmV0LW9uZQ" not in page.content.decode()
    assert "Stored encrypted" in text_of(page)


def test_r17_what_was_typed_as_a_secret_is_not_sent_back_when_something_else_is_wrong(client: Client) -> None:
    assert "bmV3LXNlY3JldA==" not in save(client, secret_access_key="bmV3LXNlY3JldA==", page_size="0").content.decode()


def test_r16_r17_a_change_is_recorded_without_its_secrets(client: Client) -> None:
    save(client, secret_access_key="bmV3LXNlY3JldA==", guard_percent="30")
    entry = AuditEntry.objects.get()
    assert (entry.actor_label, entry.action) == ("administrator", "bridge changed")
    assert (entry.before["guard_percent"], entry.after["guard_percent"]) == (20, 30)
    assert entry.after["replaced"] == ["secret_access_key"]
    assert "bmV3" not in str((entry.before, entry.after))
    assert Bridge.objects.get().secret_access_key_set_at is not None


@pytest.mark.parametrize(
    "address",
    [
        "https://console.example.org/#/individual/{id}/overview?tab=1&new",
        "http://127.0.0.1:8081/record/{id}",
        "HTTPS://Console.example.org:8443/view?id={id}",
        "",
    ],
)
def test_r16_the_address_of_a_record_is_kept_as_it_was_typed_and_its_change_is_recorded(
    address: str, client: Client
) -> None:
    Bridge.objects.update(record_address="https://old.example.org/{id}")
    said = text_of(save(client, record_address=f" {address} "))
    assert Bridge.objects.get().record_address == address
    assert AuditEntry.objects.get().after["record_address"] == address
    assert f"Address of a person's record: https://old.example.org/{{id}} → {address or '–'}" in said


def test_the_first_bridge_is_made_here(client: Client) -> None:
    Bridge.objects.all().delete()
    words = text_of(client.get(PAGE))
    assert "Not set yet" in words and "Fill in the connection and its keys, save, then press Test connection" in words
    page = save(client, secret_access_key="bmV3LXNlY3JldA==").content.decode()
    assert 'Next, <a href="#check-title">test the connection</a>' in page
    assert Bridge.objects.get().is_configured
    assert AuditEntry.objects.filter(action="bridge created").count() == 1


def test_a_stand_in_on_this_machine_needs_no_https(client: Client) -> None:
    save(client, service_address="http://127.0.0.1:8010/", secret_access_key="bmV3LXNlY3JldA==")
    assert Bridge.objects.get().service_address == "http://127.0.0.1:8010/"


def test_r8_test_connection_is_a_run_with_its_steps_shown_live(client: Client) -> None:
    bridge = Bridge.objects.get()
    client.post(f"{PAGE}{bridge.pk}/test/")
    assert SyncRun.objects.get().kind == "check"
    page = client.get(PAGE)
    for step in ("Reach host", "Sign in", "List searches", "Read one record"):
        assert f"{step} Waiting" in text_of(page)
    assert "every 1s" in page.content.decode()


def test_a_finished_test_shows_what_each_step_said(client: Client, rows: Rows) -> None:
    step = {"name": "sign_in", "outcome": "failed", "said": "MemberSuite does not know this key.", "took_seconds": 0.2}
    rows.run(kind="check", status="failed", figures={"steps": [step]}, error_text="No.")
    assert "Sign in Failed 0.2 s MemberSuite does not know this key." in text_of(client.get(PAGE))


def test_a_failure_is_told_once_and_the_next_button_stands_out(client: Client, rows: Rows) -> None:
    said = "Nobody answers there."
    step = {"name": "reach_host", "outcome": "failed", "said": said, "took_seconds": 0.2}
    rows.run(kind="check", status="failed", figures={"steps": [step]}, error_text=said)
    Bridge.objects.update(last_failed_contact_at=timezone.now(), last_error_text=said)
    page = client.get(PAGE).content.decode()
    assert page.count(said) == 1
    assert 'btn-primary" id="test-connection"' in page and 'btn-plain" id="refresh-top"' in page
    Bridge.objects.update(last_good_contact_at=timezone.now(), last_error_text="")
    page = client.get(PAGE).content.decode()
    assert 'btn-plain" id="test-connection"' in page and 'btn-primary" id="refresh-top"' in page


def test_who_may_only_look_gets_no_buttons(rows: Rows, sign_in: SignIn) -> None:
    page = sign_in("Manager").get(PAGE)
    assert "Your role lets you read this page but not change it." in text_of(page)
    assert "Test connection" not in text_of(page)


def test_the_default_of_2018_is_told_in_words(client: Client) -> None:
    assert "Since 2018 MemberSuite sets Do Not Email to Yes on every new record" in text_of(client.get(PAGE))


# -- several associations ---------------------------------------------------------------------------------------------


def test_with_one_association_nothing_asks_which(client: Client) -> None:
    page = client.get(PAGE)
    assert 'aria-label="Associations"' not in page.content.decode()
    assert "Connect another association" in text_of(page)


def test_another_association_is_connected_and_each_has_a_page_of_its_own(client: Client) -> None:
    first = Bridge.objects.get()
    empty = client.get(PAGE + "new/")
    assert "New association" in text_of(empty)
    assert 'value="https://soap.membersuite.com/"' in empty.content.decode()
    page = save(client, bridge="new", name="Lens Makers", association_id="a-2", secret_access_key="bmV3LXNlY3JldA==")
    second = Bridge.objects.get(name="Lens Makers")
    assert page.redirect_chain[-1][0] == f"{PAGE}{second.pk}/"
    for bridge in (first, second):
        page = client.get(f"{PAGE}{bridge.pk}/")
        assert f'name="name" value="{bridge.name}"' in page.content.decode()
        assert "Lamp Keepers" in text_of(page)
        assert "Lens Makers" in text_of(page)
        assert '/bridge-configuration/" aria-current="page"' in page.content.decode()
    save(client, bridge=str(second.pk), name="Lens Makers", association_id="a-2", page_size="50")
    assert set(Bridge.objects.values_list("name", "page_size")) == {("Lamp Keepers", 200), ("Lens Makers", 50)}


@pytest.mark.parametrize("said", ["999999", "x", "", "²"])
def test_a_bridge_that_is_not_there_is_not_saved_as_another(client: Client, said: str) -> None:
    before = list(Bridge.objects.values())
    assert save(client, bridge=said).status_code == 404
    assert list(Bridge.objects.values()) == before


def test_one_association_is_not_connected_twice(client: Client) -> None:
    page = save(client, bridge="new", name="Again", association_id="A-1", secret_access_key="bmV3LXNlY3JldA==")
    assert page.status_code == 422
    assert "“Lamp Keepers” is connected to this association already." in text_of(page)
    assert Bridge.objects.count() == 1


# -- what stands beside the connection ---------------------------------------------------------------------------------


def test_the_field_mapping_shows_one_persons_real_values(client: Client, rows: Rows) -> None:
    assert "Sync a target group, and this table shows" in text_of(client.get(PAGE))
    group = rows.group()
    rows.member(group, "ada@lamps.example", "Ada", "Byron", attributes={"City": "Bath"}, local_id=1234)
    rows.member(group, "per@lamps.example", "Per", "Berg")
    erased = rows.member(group, "", do_not_email_at=timezone.now())
    page = text_of(client.get(PAGE))
    assert "EmailAddress E-mail ada@lamps.example" in page
    assert "City City Bath" in page
    assert "DoNotEmail Do Not Email No" in page
    after = Subscriber.objects.get(email="ada@lamps.example").pk
    part = client.get(
        f"{PAGE}{rows.bridge.pk}/mapping/?after={after}", headers={"HX-Request": "true", "HX-Target": "mapping"}
    )
    assert "per@lamps.example" in text_of(part)
    assert "ada@lamps.example" in text_of(client.get(f"{PAGE}?after={erased.pk}")), "after the last comes the first"


def test_who_may_not_see_people_sees_no_example(client: Client, rows: Rows) -> None:
    rows.member(rows.group(), "ada@lamps.example", "Ada", "Byron")
    user = User.objects.get(username="administrator")
    user.groups.clear()
    user.user_permissions.set(Permission.objects.filter(codename="view_bridge"))
    page = text_of(client.get(PAGE))
    assert "ada@lamps.example" not in page
    assert "Your role does not let you see people" in page
    assert client.get(f"{PAGE}{rows.bridge.pk}/mapping/").status_code == 403
    assert client.get(PAGE + "new/").status_code == 403


def test_r16_the_page_tells_who_changed_what(client: Client) -> None:
    assert "Nothing was changed yet." in text_of(client.get(PAGE))
    page = save(client, guard_percent="30", lists_do_not_email="", secret_access_key="bmV3LXNlY3JldA==")
    said = text_of(page)
    assert "by administrator" in said
    for line in ("Removal guard, percentage: 20 → 30", "on → off", "Secret access key was replaced"):
        assert line in said, line


def test_a_secret_older_than_a_year_asks_for_a_new_one(client: Client) -> None:
    old, young = timezone.now() - timedelta(days=366), timezone.now() - timedelta(days=364)
    for at, is_told in ((old, True), (young, False), (None, False)):
        Bridge.objects.update(secret_access_key_set_at=at)
        assert ("Older than a year" in text_of(client.get(PAGE))) == is_told


def test_that_writeback_is_off_is_said_with_what_it_means_and_where_to_read_on(client: Client) -> None:
    bridge = Bridge.objects.get()
    page = client.get(PAGE).content.decode()
    section = page.split('aria-labelledby="writeback-title"')[1].split("</section>")[0]
    assert "Opt-outs made here stay here." in section
    assert f'href="{PAGE}{bridge.pk}/writeback/"' in section
    assert 'aria-labelledby="writeback-title"' not in client.get(f"{PAGE}new/").content.decode()
