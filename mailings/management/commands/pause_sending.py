from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from accounts import letters
from targetgroups import rooms

from ...enqueue import pause_everything


class Command(BaseCommand):
    help = (
        "Have nothing go out by itself: pause the mailings being sent, stop those that are scheduled or resyncing, "
        "give up what waits for webhooks, and send no e-mail about alerts and accounts that waits. To be run after a "
        "restore and before any worker starts; each mailing is resumed or cancelled on its page."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            touched = pause_everything()
            held = rooms.hold()
            if count := letters.hold_waiting():
                held.append(
                    f"E-mails about accounts: {count} not sent. Invite again; a new password is asked for again."
                )
        for mailing in touched:
            self.stdout.write(f"{mailing.get_status_display()}: mailing {mailing.pk}, {mailing.name}")
        for sentence in held:
            self.stdout.write(sentence)
        if not touched:
            self.stdout.write("No mailing was under way or scheduled.")
        if touched or held:
            self.stdout.write("Nothing goes out by itself now.")
