from typing import Any

from ...enqueue import request_check
from ..waiting import RunCommand


class Command(RunCommand):
    help = "Test the connection to MemberSuite: reach the host, sign in, list the searches, read one record."

    def handle(self, *args: Any, **options: Any) -> None:
        self.conclude(request_check(self.the_bridge(options["bridge"])), options)
