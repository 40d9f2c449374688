"""Addresses that are not mailed, as programs see them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from rest_framework import serializers

from targetgroups import by_hand
from targetgroups.choices import SuppressionCause
from thrive_sync.lib.addresses import address_key, is_address

from ..checked import Body, ListQuery, id_field
from .parts import Shown, page_of

ADDABLE = [(cause.value, cause.label) for cause in by_hand.ADDABLE]


class SuppressionQuery(ListQuery):
    show = serializers.ChoiceField([("in_force", "In force"), ("lifted", "Lifted")], default="in_force")
    cause = serializers.ChoiceField(SuppressionCause.choices, default="")


class SuppressionSearch(Body):
    """Posted, since an address may not stand in another one."""

    address = serializers.CharField(max_length=320, help_text="The whole address, in any spelling.")


class Suppress(Body):
    addresses = serializers.ListField(
        child=serializers.CharField(max_length=320), min_length=1, max_length=by_hand.MOST_ADDRESSES
    )
    cause = serializers.ChoiceField(ADDABLE)
    note = serializers.CharField(max_length=by_hand.LONGEST_REASON, help_text="Who asked for it, or where it is from.")

    def validate_addresses(self, words: list[str]) -> dict[str, str]:
        """Return the addresses by their keys; one that is none refuses all: a program is not there to correct it."""
        wrong = [number for number, word in enumerate(words) if not is_address(word)]
        if wrong:
            named = ", ".join(map(str, wrong[:10]))
            said = gettext("Not complete e-mail addresses, counted from 0: %(places)s.") % {"places": named}
            raise serializers.ValidationError(said)
        return {address_key(word): word for word in reversed(words)}

    def validate_note(self, note: str) -> str:
        return " ".join(note.split())


class Lift(Body):
    suppressions = serializers.ListField(child=id_field(), min_length=1, max_length=by_hand.MOST_LIFTED)
    reason = serializers.CharField(max_length=by_hand.LONGEST_REASON)
    is_asked_for = serializers.BooleanField(
        default=False,
        help_text="The people themselves asked to be mailed again: opt-outs and complaints end in no other way.",
    )


class Suppression(Shown):
    id = serializers.IntegerField(source="pk")
    address = serializers.CharField()
    cause = serializers.ChoiceField(SuppressionCause.choices)
    note = serializers.CharField()
    said = serializers.CharField(help_text="The words of the mail server or the provider.")
    mailing = serializers.IntegerField(source="mailing_id", allow_null=True)
    added_by = serializers.CharField(help_text="Empty: the person at the address.")
    suppressed_at = serializers.DateTimeField()
    lifted_at = serializers.DateTimeField(allow_null=True)
    lifted_by = serializers.CharField()
    lifted_because = serializers.CharField()


class SuppressionsFound(Shown):
    results = Suppression(many=True)


class Suppressed(Shown):
    """Without the addresses: this answer is kept for repeats."""

    added = serializers.ListField(child=serializers.IntegerField(), help_text="IDs of the new suppressions.")
    already_count = serializers.IntegerField(help_text="Addresses that this cause kept from being mailed before.")


class Lifted(Shown):
    lifted = serializers.ListField(child=serializers.IntegerField())
    still_kept_count = serializers.IntegerField(help_text="Addresses that another cause still keeps from being mailed.")


SuppressionPage = page_of(Suppression)


def shown(rows: list[Any]) -> Any:
    return Suppression(rows, many=True).data
