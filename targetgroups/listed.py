"""The people of one page, with all that their rows show, as one statement brings them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext

from .choices import SuppressionCause

# The page is cut first, by the index of its order alone; then its people are joined, so that its place does not matter.
# Written out, since it takes Django longer to write it than PostgreSQL to answer, and to fill two models a row longer
# still. Suppressions come along: asked for by themselves, fifty addresses would go to PostgreSQL and back.
_PEOPLE = """
SELECT page.subscriber_id, page.subscribed_at, person.email, person.first_name, person.last_name,
    person.remote_id, person.local_id, person.attributes, person.changed_at, person.do_not_email_at IS NOT NULL,
    (SELECT suppression.cause FROM targetgroups_suppression suppression
     WHERE suppression.address_key = person.address_key AND suppression.lifted_at IS NULL AND person.address_key <> ''
     ORDER BY suppression.suppressed_at LIMIT 1)
FROM ({page}) page
JOIN targetgroups_subscriber person ON person.id = page.subscriber_id
ORDER BY page.{column} {direction}, page.subscriber_id {direction}
"""
_CAUSES = dict(SuppressionCause.choices)


class ListedPerson(NamedTuple):
    """A member of a group; `attributes` is JSON, as it is stored, and `cause` a code of SuppressionCause."""

    subscriber_id: int
    subscribed_at: datetime
    email: str
    first_name: str
    last_name: str
    remote_id: str
    local_id: int | None
    attributes: str
    changed_at: datetime
    is_do_not_email: bool
    cause: str | None

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def why_not_mailed(self) -> str:
        """Say in words why this person is not mailed; empty: they are."""
        if self.is_do_not_email:
            return gettext("Do Not Email")
        return str(_CAUSES[self.cause]) if self.cause else ""


def people_of(page: QuerySet[Any], column: str, *, is_descending: bool) -> list[ListedPerson]:
    """Read the people of a page: a queryset of memberships, sorted by a sort key and cut to its length."""
    keys, values = page.values_list(column, "subscriber_id", "subscribed_at").query.sql_with_params()
    sql = _PEOPLE.format(page=keys, column=column, direction="DESC" if is_descending else "ASC")
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [ListedPerson._make(row) for row in cursor.fetchall()]
