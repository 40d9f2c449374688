"""Who of a mailing's groups gets it, and why somebody does not: the one statement, of the freeze and of looking before.

What is so of a person depends on those at the same address alone. So the statement, asked of some addresses, says of
the people there exactly what it says when it is asked of everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from targetgroups.models import Membership, Subscriber

from .choices import GroupRole
from .models import Mailing

# It reads everything at once, so that all numbers belong to one moment. {members} is the one rule of who may be
# mailed, with the reason of those who may not. Of several who share an address the one who was known first gets the
# copy: the rule of `MembershipQuerySet.one_per_address`, over all groups of the mailing and without those barred.
_TAKEN = """
    WITH members AS ({members}),
    barred AS (
        SELECT DISTINCT s.address_key
        FROM targetgroups_membership m JOIN targetgroups_subscriber s ON s.id = m.subscriber_id
        WHERE m.target_group_id = ANY(%s) AND s.address_key <> '' {among}
    ),
    named AS (SELECT DISTINCT unnest(%s::text[]) AS address_key),
    judged AS (
        SELECT m.target_group_id, s.id AS subscriber_id, s.remote_id, s.email, s.address_key, s.first_name,
            s.last_name,
            row_number() OVER (PARTITION BY s.id ORDER BY m.target_group_id) = 1 AS is_first,
            CASE
                WHEN m.not_receiving <> '' THEN m.not_receiving
                WHEN n.address_key IS NOT NULL THEN 'not_to_address'
                WHEN b.address_key IS NOT NULL THEN 'not_to_group'
                ELSE ''
            END AS reason
        FROM members m JOIN targetgroups_subscriber s ON s.id = m.subscriber_id
        LEFT JOIN barred b ON b.address_key = s.address_key
        LEFT JOIN named n ON n.address_key = s.address_key
    )
    SELECT j.*, row_number() OVER (
        PARTITION BY is_first AND reason = '', address_key ORDER BY subscriber_id
    ) = 1 AS is_first_at_address
    FROM judged j
"""
# What one row of it means, of those that are a person's first.
IS_RECIPIENT = "is_first AND reason = '' AND is_first_at_address"
IS_LEFT_OUT = "is_first AND (reason <> '' OR NOT is_first_at_address)"
WHY_LEFT_OUT = "CASE reason WHEN '' THEN 'shared_address' ELSE reason END"


@dataclass(frozen=True)
class Roles:
    """The IDs of the groups that a mailing goes to, of those it does not go to, and of the bridges of both."""

    to: list[int]
    not_to: list[int]
    bridges: list[int]

    @classmethod
    def of(cls, mailing: Mailing) -> Roles:
        found = list(mailing.groups.values_list("role", "target_group_id", "target_group__bridge_id"))
        to, not_to = ([pk for role, pk, _ in found if role == which] for which in (GroupRole.TO, GroupRole.NOT_TO))
        return cls(to, not_to, sorted({bridge for _, _, bridge in found}))


def taken(mailing: Mailing, roles: Roles, among: Sequence[int] | None = None) -> tuple[str, list[Any]]:
    """Return the statement and its values.

    Args:
        among: IDs of the people it is asked of, with everybody at their addresses; None: everybody.
    """
    members = Membership.objects.filter(target_group__in=roles.to)
    if among is not None:
        members = members.filter(subscriber__in=among)
    members = members.with_reasons().order_by()
    rows = members.values("target_group_id", "subscriber_id", "not_receiving")  # type: ignore[misc] # annotated there
    sql, values = rows.query.sql_with_params()
    narrowed, ids = ("", []) if among is None else ("AND m.subscriber_id = ANY(%s)", [list(among)])
    return _TAKEN.format(members=sql, among=narrowed), [*values, roles.not_to, *ids, mailing.not_to_addresses]


def judged(mailing: Mailing, roles: Roles, people: Sequence[Subscriber]) -> dict[int, Any]:
    """Say of these people what would become of them if the mailing were frozen now, by their IDs.

    Each is a subscriber with `target_group_id`, the group they count in, and `why`: "" for one who gets it.
    """
    if not people:
        return {}
    keys = {person.address_key for person in people if person.address_key}
    beside = Subscriber.objects.filter(bridge__in=roles.bridges, address_key__in=keys)
    sql, values = taken(
        mailing, roles, sorted({person.pk for person in people} | set(beside.values_list("pk", flat=True)))
    )
    rows = Subscriber.objects.raw(
        f"""SELECT subscriber_id AS id, remote_id, email, address_key, first_name, last_name, target_group_id,
            CASE WHEN {IS_RECIPIENT} THEN '' ELSE {WHY_LEFT_OUT} END AS why
        FROM ({sql}) t WHERE is_first""",  # noqa: S608 - fixed texts
        values,
    )
    asked = {person.pk for person in people}
    return {row.pk: row for row in rows if row.pk in asked}
