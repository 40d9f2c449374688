"""Run the stand-in MemberSuite that the demo and the tests use."""

import argparse

from django.core.management.base import BaseCommand, CommandParser

from memberSuite.standin.server import add_arguments, serve


class Command(BaseCommand):
    help = "Run a stand-in MemberSuite: real protocols, invented people, faults on demand (docs/standin.md)."
    # It needs nothing but its own memory: it must also start while the database is down.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, **options: object) -> None:
        given = argparse.Namespace(**options)
        serve(given.port, given.people, given.seed, given.latency_ms, given.host)
