from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from thrive_sync.stack import demo


class Command(BaseCommand):
    help = "Run everything on this machine with a stand-in MemberSuite, until Ctrl-C."
    requires_system_checks = []  # they run again in the processes that this one starts

    def add_arguments(self, parser: CommandParser) -> None:
        default = demo.Options()
        parser.add_argument("--port", type=int, default=default.port, help="of the pages; if taken, the next free one")
        parser.add_argument("--people", type=int, default=default.people, help="in the stand-in MemberSuite")
        parser.add_argument("--seed", type=int, default=default.seed, help="the same seed invents the same people")
        parser.add_argument("--latency-ms", type=int, default=default.latency_ms, help="of each answer of the stand-in")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = {name: options[name] for name in ("port", "people", "seed", "latency_ms")}
        raise SystemExit(demo.run(demo.Options(**chosen)))
