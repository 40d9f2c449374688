import os
from typing import Any

from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import User
from accounts.permissions import ADMINISTRATOR, ROLES, Role
from audit import record
from targetgroups import schedules
from targetgroups.choices import ScheduleKind
from targetgroups.models import Bridge, Schedule

# What the stand-in takes; a test compares them with the stand-in's own.
ASSOCIATION = "Society of Lamp Keepers"
CREDENTIALS = {
    "association_id": "11111111-2222-3333-4444-555555555555",
    "access_key_id": "AKEXAMPLE0001",
    "secret_access_key": "ZXhhbXBsZS1zZWNyZXQtZG8tbm90LXVzZS0wMDAwMDE=",
    "tenant_id": "40001",
    "api_user": "api-user@lamps.example",
    "api_password": "lamps-in-the-window",
}


class Command(BaseCommand):
    requires_system_checks = []  # the processes that serve run them
    help = "Bring the demo's database up to date: tables, a user of each role, and a bridge to the stand-in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--standin", required=True, help="address of the stand-in MemberSuite")

    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get("DEMO_PASSWORD")  # not an argument: every user of the machine can read those
        if not password:
            raise CommandError("DEMO_PASSWORD is not set.")
        call_command("migrate", interactive=False, verbosity=options["verbosity"])
        ensure_users(password)
        ensure_bridge(options["standin"])
        ensure_schedules()


def ensure_users(password: str) -> None:
    """Create the demo's Administrator, and somebody of each other role, whose password is told beside it."""
    _ensure_user("demo", ADMINISTRATOR, password)
    for role in ROLES:
        if role != ADMINISTRATOR:
            _ensure_user(role.name.lower(), role, password)


def _ensure_user(name: str, role: Role, password: str) -> None:
    """Make a user; one that exists keeps roles, and sessions unless the password changed."""
    user, is_new = User.objects.get_or_create(username=name)
    if is_new or not user.groups.exists():
        user.groups.add(Group.objects.get(name=role.name))
    if not user.check_password(password):
        user.set_password(password)
        user.save()


def ensure_bridge(standin: str) -> None:
    """Connect to the stand-in where it listens this time; a bridge that leads elsewhere is left alone."""
    addresses = addresses_of(standin)
    bridge = Bridge.objects.filter(association_id=CREDENTIALS["association_id"]).first()
    if bridge is None and not Bridge.objects.exists():
        now = timezone.now()
        times = {"secret_access_key_set_at": now, "api_password_set_at": now}
        bridge = Bridge.objects.create(name=ASSOCIATION, **addresses, **CREDENTIALS, **times)
        record("command", "bridge created", bridge, after=addresses)
    elif bridge is not None and bridge.service_address != standin and "://127.0.0.1:" in bridge.service_address:
        before = {name: getattr(bridge, name) for name in addresses}
        if bridge.record_address != addresses_of(bridge.service_address)["record_address"]:
            addresses["record_address"] = bridge.record_address  # somebody's own, or cleared
        record("command", "bridge changed", bridge, before, addresses)
        Bridge.objects.filter(pk=bridge.pk).update(**addresses)


def ensure_schedules() -> None:
    """Give the demo's bridge the usual schedules, and one that fires while somebody looks."""
    bridge = Bridge.objects.filter(association_id=CREDENTIALS["association_id"]).first()
    if bridge and not bridge.schedules.exists():
        schedules.add_usual(bridge, "command")
        schedules.save(Schedule(bridge=bridge, kind=ScheduleKind.LIST, every_minutes=15), "command")


def addresses_of(standin: str) -> dict[str, str]:
    """Return where a bridge finds the stand-in, and a person the page of a record."""
    return {"service_address": standin, "record_address": f"{standin.rstrip('/')}/record/{{id}}"}
