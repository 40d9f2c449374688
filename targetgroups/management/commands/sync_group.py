from typing import Any

from ...choices import Trigger
from ...enqueue import request_sync
from ..waiting import GroupCommand


class Command(GroupCommand):
    help = "Make one target group equal to its MemberSuite search."

    def handle(self, *args: Any, **options: Any) -> None:
        group = self.find_group(options["group"], options["bridge"])
        self.conclude(request_sync(group, Trigger.COMMAND), options)
