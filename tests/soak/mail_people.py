"""The people of a soak's mailings: made once, barred here and there in a round, and put back as they were after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from targetgroups.management.commands.seed_demo import ensure_bridge
from targetgroups.models import Bridge, Folder, Subscriber, TargetGroup
from thrive_sync.lib.addresses import address_key

SHARING, SUPPRESSED, NOT_SENT_TO = 20, 10, 10
ODD = (
    ("müller{n}@lamps.example", 'O"Brien', "Müller"),  # for servers with SMTPUTF8
    ("keeper{n}@lämpen.example", "Zoë", "Ðorđević"),
    ("quoted.{n}@lamps.example", 'Ada "Countess"', "O'Neill, PhD"),
    ("Plus+{n}@Lamps.example", "名前", "田中"),
)
JOIN = """
    INSERT INTO targetgroups_membership
        (target_group_id, subscriber_id, sort_email, sort_name, added_run_id, subscribed_at)
    SELECT %s, id, sort_email, sort_name, 0, now() FROM targetgroups_subscriber WHERE id = ANY(%s)
    ON CONFLICT DO NOTHING
"""


@dataclass
class People:
    everybody: TargetGroup
    some: TargetGroup
    not_to: TargetGroup
    ids: dict[int, list[int]] = field(default_factory=dict)  # by group, as it is before and after each round
    keys: dict[int, frozenset[str]] = field(default_factory=dict)  # by group: the addresses that shall be written to

    def restore(self) -> None:
        """Undo whatever a round did to people."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE targetgroups_subscriber SET do_not_email_at = NULL WHERE do_not_email_at IS NOT NULL"
            )
            cursor.execute(
                "UPDATE targetgroups_suppression SET lifted_at = now() WHERE lifted_at IS NULL AND note <> 'stays'"
            )
            cursor.execute("DELETE FROM mailings_mailevent")  # else who is refused now and then is left out one day
            for group, ids in self.ids.items():
                cursor.execute(JOIN, [group, ids])
                cursor.execute(
                    "DELETE FROM targetgroups_membership WHERE target_group_id = %s AND subscriber_id <> ALL(%s)",
                    [group, ids],
                )


def make(count: int) -> People:
    """Make people of whom exactly `count` would get a mailing to everybody, and 300 of them one to some."""
    from targetgroups import suppression
    from targetgroups.choices import SuppressionCause

    ensure_bridge("http://127.0.0.1:9")  # nothing is asked there: a round sends to lists as they are
    people = People(*(_group(name) for name in ("Everybody", "Some", "Not these")))
    rows = [_person(number) for number in range(count)]
    rows += [_person(count + number, rows[7 * number].email.upper()) for number in range(SHARING)]
    first = len(rows)
    rows += [_person(first + number) for number in range(SUPPRESSED + NOT_SENT_TO)]
    made = Subscriber.objects.bulk_create(rows)
    for person in made[first : first + SUPPRESSED]:
        suppression.suppress(person.email, SuppressionCause.OPT_OUT, "stays")
    ids = [person.pk for person in made]
    people.ids = {people.everybody.pk: ids, people.some.pk: ids[:300], people.not_to.pk: ids[-NOT_SENT_TO:]}
    keys = [person.address_key for person in made[:count]]
    people.keys = {people.everybody.pk: frozenset(keys), people.some.pk: frozenset(keys[:300])}
    people.restore()
    return people


def _group(name: str) -> TargetGroup:
    return TargetGroup.objects.create(
        bridge=Bridge.objects.get(),
        folder=Folder.objects.get(name=Folder.MEMBERSUITE),
        search_id=f"search-{name}",
        search_key=f"search-{name}".lower(),
        name=name,
        read_at=timezone.now(),
    )


def _person(number: int, email: str = "") -> Subscriber:
    pattern, first, last = (
        ODD[number // 25 % len(ODD)] if number % 25 == 0 else ("keeper{n}@lamps.example", "Ada", "Keeper")
    )
    email, now = email or pattern.format(n=number), timezone.now()
    values: dict[str, Any] = {"remote_id": f"P-{number:06}", "remote_key": f"p-{number:06}"}
    values |= {
        "first_name": first,
        "last_name": f"{last} {number}",
        "sort_email": email.lower(),
        "sort_name": last.lower(),
    }
    values |= {"seen_at": now, "created_at": now, "changed_at": now, "attributes": {}}
    return Subscriber(bridge=Bridge.objects.get(), email=email, address_key=address_key(email), **values)
