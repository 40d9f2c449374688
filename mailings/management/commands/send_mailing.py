import json
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...choices import MailingStatus
from ...enqueue import request_retry, request_send
from ...exceptions import MailingError
from ...models import Mailing
from ...querysets import figures_of

FAILED, BAD_USE, STOPPED = 1, 2, 3
_LOOK_EVERY = 0.2


class Command(BaseCommand):
    help = (
        "Send a mailing now: its groups are resynced, its recipients fixed, then it goes out. A stopped one is "
        "retried. Exit code 0 only on success, 1 not everybody was sent it, 2 bad use, 3 stopped, paused or cancelled."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("mailing", type=int, help="the mailing's number")
        parser.add_argument("--wait", action="store_true", help="wait until it is sent, or does not go on by itself")
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout and nothing else")
        parser.add_argument(
            "--timeout", type=float, default=0, help="with --wait: give up waiting after so many seconds"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        mailing = Mailing.objects.filter(pk=options["mailing"]).first()
        if mailing is None:
            raise CommandError(f"There is no mailing {options['mailing']}.", returncode=BAD_USE)
        try:
            if mailing.status == MailingStatus.STOPPED:
                request_retry(mailing, None)
            else:
                request_send(mailing, None)
        except MailingError as error:
            raise CommandError(error.sentence, returncode=BAD_USE) from None
        if options["wait"]:
            _wait(mailing, options["timeout"])
        mailing.refresh_from_db()
        self.stdout.write(json.dumps(_as_json(mailing)) if options["json"] else _as_text(mailing))
        if options["wait"]:
            self._leave(mailing)

    def _leave(self, mailing: Mailing) -> None:
        if mailing.status == MailingStatus.SENT:
            return
        if mailing.status in (MailingStatus.STOPPED, MailingStatus.PAUSED, MailingStatus.CANCELLED):
            sys.exit(STOPPED)
        if not mailing.is_final:
            self.stderr.write("Gave up waiting: the mailing goes on. Is a worker running?")
        sys.exit(FAILED)


def _wait(mailing: Mailing, timeout: float) -> None:
    give_up_at = time.monotonic() + timeout if timeout else None
    while give_up_at is None or time.monotonic() < give_up_at:
        mailing.refresh_from_db()
        if mailing.is_final or mailing.status in (MailingStatus.STOPPED, MailingStatus.PAUSED):
            return
        time.sleep(_LOOK_EVERY)


def _as_json(mailing: Mailing) -> dict[str, Any]:
    """Give what a program wants to know of a mailing."""
    times = ("requested_at", "moment_at", "frozen_at", "started_at", "finished_at")
    return {
        "mailing": mailing.pk,
        "name": mailing.name,
        "status": mailing.status,
        **{name: at.isoformat() if (at := getattr(mailing, name)) else None for name in times},
        "stopped": {"code": mailing.stop_code, "text": mailing.stop_text} if mailing.stop_code else None,
        "figures": figures_of(mailing),
    }


def _as_text(mailing: Mailing) -> str:
    """Give what a person wants to know of a mailing, in a few lines."""
    figures = figures_of(mailing)
    lines = [f"Mailing {mailing.pk} ({mailing.name}): {mailing.get_status_display()}"]
    if mailing.is_frozen:
        outcomes = ", ".join(f"{people:,} {outcome}" for outcome, people in figures["outcomes"].items())
        lines.append(f"  {figures['total']:,} recipients: {outcomes}; {figures['left_out_total']:,} left out")
    if mailing.stop_text:
        lines.append(f"  {mailing.stop_text}")
    return "\n".join(lines)
