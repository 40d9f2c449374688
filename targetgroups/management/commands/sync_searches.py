from typing import Any

from ...choices import Trigger
from ...enqueue import request_list_refresh
from ..waiting import RunCommand


class Command(RunCommand):
    help = "Refresh the list of target groups from MemberSuite's active public searches. Counts are not touched."

    def handle(self, *args: Any, **options: Any) -> None:
        run = request_list_refresh(self.the_bridge(options["bridge"]), Trigger.COMMAND)
        self.conclude(run, options)
