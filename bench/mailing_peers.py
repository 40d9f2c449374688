"""Other ways to send a mailing, in the peers' own environment: Django, django-post-office, and bare smtplib.

Lines "NAME PORT MESSAGES" on stdin are answered with a line of JSON: the seconds it took, or {"why": ...}.
POST_OFFICE_URL names the database of django-post-office's queue.
"""

from __future__ import annotations

import json
import logging
import os
import re
import smtplib
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

if Path(sys.path[0]).name == "bench":
    sys.path[0] = str(Path(sys.path[0]).parent)

from bench import mailing_message as letter

THREADS = 8
SCHEMA = "bench_post_office"
HOST = "127.0.0.1"


def prepare() -> None:
    """Set Django up as its and django-post-office's documentation tell."""
    import django
    from django.conf import settings

    address = urlsplit(os.environ["POST_OFFICE_URL"])
    query = dict(each.split("=", 1) for each in address.query.split("&") if each)
    settings.configure(
        EMAIL_HOST=HOST,
        USE_TZ=True,
        INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        POST_OFFICE={"BATCH_SIZE": 1000, "THREADS_PER_PROCESS": THREADS, "LOG_LEVEL": 0},
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": address.path.lstrip("/"),
                "USER": address.username or "",
                "PASSWORD": address.password or "",
                "HOST": query.get("host") or address.hostname or "",
                "PORT": str(address.port or ""),
                "OPTIONS": {"options": f"-c search_path={SCHEMA}"},
            }
        },
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates"},
            {
                "BACKEND": "post_office.template.backends.post_office.PostOfficeTemplates",
                "APP_DIRS": True,
                "NAME": "post_office",
                "OPTIONS": {},
            },
        ],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()
    logging.disable(logging.CRITICAL)


def send_messages(port: int, count: int) -> None:
    from django.core.mail import get_connection

    get_connection(port=port).send_messages([_message(number) for number in range(count)])


def _message(number: int) -> Any:
    from django.core.mail import EmailMultiAlternatives

    message = EmailMultiAlternatives(
        letter.SUBJECT, letter.text(number), letter.SENDER, [letter.address(number)], headers=letter.HEADERS
    )
    message.attach_alternative(letter.html(number), "text/html")
    return message


def send_mass_mail(port: int, count: int) -> None:
    """Send the text alone, which is all that it can."""
    from django.core.mail import get_connection
    from django.core.mail import send_mass_mail as send

    letters = (
        (letter.SUBJECT, letter.text(number), letter.SENDER, [letter.address(number)]) for number in range(count)
    )
    send(letters, connection=get_connection(port=port))


def post_office(port: int, count: int) -> None:
    """Queue all of them, then send what is queued in batches and threads, as its documentation advises."""
    from django.conf import settings
    from post_office import mail
    from post_office.models import STATUS, Email

    settings.EMAIL_PORT = port
    _make_tables()
    Email.objects.all().delete()
    mail.send_many(
        [
            {
                "sender": letter.SENDER,
                "recipients": [letter.address(number)],
                "subject": letter.SUBJECT,
                "message": letter.text(number),
                "html_message": letter.html(number),
                "headers": letter.HEADERS,
                "priority": "medium",
            }
            for number in range(count)
        ]
    )
    while Email.objects.filter(status=STATUS.queued).exists():
        mail.send_queued()
    sent = Email.objects.filter(status=STATUS.sent).count()
    if sent != count:
        raise RuntimeError(f"{sent} of {count} were sent")


class _Done:
    has_tables = False


def _make_tables() -> None:
    from django.core.management import call_command
    from django.db import connection

    if _Done.has_tables:
        return
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    call_command("migrate", verbosity=0)
    _Done.has_tables = True


def smtplib_threads(port: int, count: int) -> None:
    """Fill one message for everybody and send it with the standard library on several connections."""
    pieces = _skeleton()
    threads = [
        threading.Thread(target=_send_some, args=(port, pieces, range(first, count, THREADS)))
        for first in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _skeleton() -> list[bytes]:
    message = _message(0)
    message.body, message.to = letter.TEXT, [f"m{letter.PLACE}@members.example"]
    message.alternatives.clear()
    message.attach_alternative(letter.HTML, "text/html")
    return re.split(letter.PLACE.encode(), message.message().as_bytes(linesep="\r\n"))


def _send_some(port: int, pieces: list[bytes], numbers: Iterable[int]) -> None:
    connection = smtplib.SMTP(HOST, port)
    for number in numbers:
        to, name = str(number).encode(), letter.name(number).encode()
        # The first place is the address in the header To, the others are names.
        message = pieces[0] + to + name.join(pieces[1:])
        connection.sendmail(letter.SENDER, [letter.address(number)], message)
    connection.quit()


CONTESTANTS: dict[str, Callable[[int, int], None]] = {
    "send_messages": send_messages,
    "send_mass_mail": send_mass_mail,
    "post_office": post_office,
    "smtplib": smtplib_threads,
}


def drive() -> None:
    prepare()
    for line in sys.stdin:
        name, port, count = line.split()
        print(json.dumps(_answer(CONTESTANTS[name], int(port), int(count))), flush=True)


def _answer(send: Callable[[int, int], None], port: int, count: int) -> float | dict[str, str]:
    try:
        if send is post_office:
            _make_tables()
        began = time.perf_counter()
        send(port, count)
        return time.perf_counter() - began
    except Exception as error:  # a peer that does not work is told, and the others go on
        return {"why": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    drive()
