from typing import Any

from ...choices import Trigger
from ...enqueue import request_preview
from ..waiting import GroupCommand


class Command(GroupCommand):
    help = (
        "Say what a sync of one target group would change now, and change nothing. "
        "Ends with 3 if that sync would be held."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        group = self.find_group(options["group"], options["bridge"])
        # There is nothing to see before its end.
        self.conclude(request_preview(group, trigger=Trigger.COMMAND), options | {"wait": True})
