from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Q

from ...choices import Trigger
from ...enqueue import request_sync
from ...models import TargetGroup
from ..waiting import RunCommand


class Command(RunCommand):
    help = "Make one target group equal to its MemberSuite search."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("group", help="the search's ID, the group's number, or the group's name")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        group = self._find(options["group"], options["bridge"])
        self.conclude(request_sync(group, Trigger.COMMAND), options)

    def _find(self, word: str, bridge: int | None) -> TargetGroup:
        """Find the one group that is meant: by search ID, then number, then name."""
        groups = TargetGroup.objects.present().select_related("bridge")
        if bridge:
            groups = groups.filter(bridge=bridge)
        number = int(word) if word.isdecimal() and len(word) < 18 else None
        for meant in (Q(search_key=word.lower()), Q(pk=number), Q(name=word), Q(name__iexact=word)):
            found = list(groups.filter(meant)[:3])
            if len(found) == 1:
                return found[0]
            if found:
                ids = ", ".join(str(group.pk) for group in found)
                raise self.refusal(
                    f'Several target groups are called "{word}". Use the number ({ids}) or the search ID.'
                )
        raise self.refusal(
            f'No target group is called "{word}" or has that number or search ID. Try sync_searches first.'
        )
