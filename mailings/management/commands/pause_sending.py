from typing import Any

from django.core.management.base import BaseCommand

from ...enqueue import pause_everything


class Command(BaseCommand):
    help = (
        "Have no mailing go out by itself: pause those being sent, stop those that are scheduled or resyncing. To be "
        "run after a restore and before any worker starts; each mailing is resumed or cancelled on its page."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        touched = pause_everything()
        for mailing in touched:
            self.stdout.write(f"{mailing.get_status_display()}: mailing {mailing.pk}, {mailing.name}")
        self.stdout.write("Nothing goes out by itself now." if touched else "No mailing was under way or scheduled.")
