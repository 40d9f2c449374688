"""What the demo's database holds before anybody did anything."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from accounts.models import User
from audit.models import AuditEntry
from memberSuite.standin import data
from targetgroups.management.commands.seed_demo import CREDENTIALS
from targetgroups.models import Bridge, SyncRun
from thrive_sync.stack.demo import OTHERS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DEMO_PASSWORD", "a-word-of-this-test")
    return "a-word-of-this-test"


def seed(port: int = 8100) -> None:
    call_command("seed_demo", standin=f"http://127.0.0.1:{port}", verbosity=0)


def test_the_credentials_are_those_of_the_standin() -> None:
    assert {name: getattr(data, name.upper()) for name in CREDENTIALS} == CREDENTIALS


def test_the_user_may_do_everything_and_nothing_is_synced_by_itself(password: str) -> None:
    seed()
    user = User.objects.get(username="demo")
    assert user.check_password(password)
    assert user.may("sync")
    assert not SyncRun.objects.exists()


def test_somebody_of_each_role_can_be_tried(password: str) -> None:
    seed()
    found = {user.username: [role.name for role in user.groups.all()] for user in User.objects.all()}
    assert found == {"demo": ["Administrator"]} | {name: [name.capitalize()] for name in OTHERS}
    assert all(user.check_password(password) for user in User.objects.all())


def test_a_second_start_changes_nothing_but_the_address_of_the_standin() -> None:
    seed()
    before = User.objects.get(username="demo").password
    seed()
    assert AuditEntry.objects.filter(object_type="targetgroups.bridge").count() == 1
    seed(port=8101)
    assert Bridge.objects.get().service_address == "http://127.0.0.1:8101"
    assert User.objects.get(username="demo").password == before, "or every session would end"


def test_r16_the_bridge_is_recorded_without_its_secrets() -> None:
    seed()
    entry = AuditEntry.objects.get(object_type="targetgroups.bridge")
    address = "http://127.0.0.1:8100"
    assert entry.after == {"service_address": address, "record_address": f"{address}/record/{{id}}"}


@pytest.mark.parametrize("own", ["https://console.example.org/{id}", ""])
def test_links_to_records_follow_the_standin_unless_somebody_changed_them(own: str) -> None:
    seed()
    seed(port=8101)
    assert Bridge.objects.get().record_address == "http://127.0.0.1:8101/record/{id}"
    Bridge.objects.update(record_address=own)
    seed(port=8102)
    assert Bridge.objects.get().record_address == own


def test_a_bridge_that_somebody_made_is_left_alone() -> None:
    Bridge.objects.create(name="Ours", service_address="https://soap.example.org/", association_id="ours")
    seed()
    assert Bridge.objects.get().service_address == "https://soap.example.org/"
