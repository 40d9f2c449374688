"""What must be true after a round of mailings: by the mail server's own log and plain SQL.

Nothing here belongs to the sending: what is wrong there is not believed. Each complaint begins with the rule that is
broken.
"""

from __future__ import annotations

import email
import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email import policy
from typing import Any

import idna
import psycopg

from tests.soak.mail_log import MailServer, Taken

# Of a mailing: the connections to the mail server, and how many messages may be in flight on one (R13).
CONNECTIONS, WINDOW = 4, 10
SITE, SENDER = "https://letters.lamps.example", "letters@lamps.example"
SETTLED = frozenset({"sent", "failed", "bounced", "skipped", "unknown"})
LEFT_OUT = {"shared_address": 20, "opt_out": 10, "not_to_group": 10}
_NAMESPACE = uuid.UUID("5a0ce56e-1e0c-4c2f-9d15-3f7ad2b0f1c4")
_BAR_REASONS = frozenset({"opt_out", "do_not_email", "left_group", "not_to_group"})
_PARSED = 60
_MOST_TOLD = 4  # of one kind of complaint


@dataclass
class Sent:
    """A mailing of a round, and what the driver knows of it.

    Attributes:
        keys: the addresses that shall be written to; `left_out`: how many others, by reason.
        barred: recipients who were barred while they were queued: they may never get it.
        quiet: when it was paused or cancelled, and until when nothing may have gone out but what was in flight.
    """

    pk: int
    keys: frozenset[str]
    left_out: dict[str, int]
    is_personal: bool
    is_cancelled: bool = False
    may_be_cancelled: bool = False  # the database went away while somebody asked for it
    barred: set[int] = field(default_factory=set)
    touched: set[int] = field(default_factory=set)  # barred, but perhaps too late
    quiet: list[tuple[float, float]] = field(default_factory=list)


@dataclass
class Happened:
    """What may have left recipients unknown: senders that died or were frozen, and what the mail server did."""

    senders: int = 0
    freezes: int = 0
    servers: int = 0

    def most_unknown(self, doubts: int) -> int:
        return self.senders * CONNECTIONS * WINDOW + self.servers * CONNECTIONS + doubts


@dataclass(frozen=True)
class Recipient:
    pk: int
    email: str
    key: str
    last_name: str
    outcome: str
    reason: str

    @property
    def address(self) -> str:
        """Give the address as SMTP has it."""
        local, _, domain = self.email.strip().rpartition("@")
        return f"{local}@{domain if domain.isascii() else idna.encode(domain, uts46=True).decode()}"


def complaints(
    connection: psycopg.Connection[Any], sent: list[Sent], server: MailServer, happened: Happened
) -> list[str]:
    """Return what is wrong after a round, in words."""
    taken, found = server.taken(), []
    people = {one.pk: _recipients(connection, one.pk) for one in sent}
    owners = {_message_id(pk, person.pk): (pk, person) for pk, those in people.items() for person in those}
    copies: dict[int, dict[int, list[Taken]]] = {one.pk: defaultdict(list) for one in sent}
    for letter in taken:
        if letter.message_id not in owners:
            found.append(f"R13: a message to {letter.to} is named {letter.message_id}, which is nobody's")
            continue
        pk, person = owners[letter.message_id]
        copies[pk][person.pk].append(letter)
        if letter.to != person.address:
            found.append(f"R13: the message for {person.address} went to {letter.to}")
    found = list(_few(found)) + [f"SMTP: {event['said']}" for event in server.events("wrong")]
    for one in sent:
        found += _few(_copies(one, people[one.pk], copies[one.pk]))
        found += _few(_failures(one, people[one.pk], server))
        found += _few(_skipped(one, people[one.pk], server))
        found += _sums(connection, one, people[one.pk], server)
        found += _unknown(one, people[one.pk], happened, server.doubts())
        found += _quiet(one, [letter for each in copies[one.pk].values() for letter in each], happened)
        found += _few(_contents(one, people[one.pk], copies[one.pk]))
    return list(dict.fromkeys(found))


def _recipients(connection: psycopg.Connection[Any], pk: int) -> list[Recipient]:
    rows = connection.execute(
        "SELECT id, email, address_key, last_name, outcome, reason FROM mailings_recipient WHERE mailing_id = %s", [pk]
    )
    return [Recipient(*row) for row in rows]


def _message_id(mailing: int, recipient: int) -> str:
    """Name a message as the product says it does: by site, mailing and recipient alone."""
    return f"<{uuid.uuid5(_NAMESPACE, f'{SITE} {mailing} {recipient}')}@{SENDER.rpartition('@')[2]}>"


# --- R13 ---------------------------------------------------------------------------------------------------------


def _copies(one: Sent, people: list[Recipient], copies: dict[int, list[Taken]]) -> Iterator[str]:
    """Nobody has two copies; who was sent one has it; who has one is sent or unknown."""
    by_address = Counter(letter.to.lower() for each in copies.values() for letter in each)
    yield from (f"R13: {address} has {count} copies of {one.pk}" for address, count in by_address.items() if count > 1)
    for person in people:
        count = len(copies.get(person.pk, []))
        if count > 1:
            yield f"R13: {person.email} has {count} copies of {one.pk} ({person.outcome})"
        elif count and person.outcome not in ("sent", "unknown"):
            yield f"R13: {person.email} has a copy of {one.pk}, but is {person.outcome} {person.reason}"
        elif not count and person.outcome == "sent":
            yield f"R13: {person.email} counts as sent, but the mail server has no copy of {one.pk}"
        if person.outcome not in SETTLED:
            yield f"R13: {person.email} is still {person.outcome}"


def _failures(one: Sent, people: list[Recipient], server: MailServer) -> Iterator[str]:
    """Who failed or bounced was refused by the mail server with that code, or can't be written to there."""
    refused = {(event["to"], event["code"]) for event in server.events("refused")}
    for person in people:
        if person.outcome not in ("failed", "bounced"):
            continue
        needs_utf8 = not person.address.isascii()
        if person.reason == "address" and needs_utf8 and not server.manners.takes_utf8:
            continue
        if (person.address, person.reason) not in refused:
            yield f"R13: {person.email} {person.outcome} ({person.reason}) in {one.pk}, which the server never said"


def _unknown(one: Sent, people: list[Recipient], happened: Happened, doubts: int) -> Iterator[str]:
    count = sum(person.outcome == "unknown" for person in people)
    if count > (most := happened.most_unknown(doubts)):
        yield f"R13: {count} of {one.pk} are unknown, after {happened} and {doubts} cuts at most {most} may be"


def _quiet(one: Sent, taken: Iterable[Taken], happened: Happened) -> Iterator[str]:
    """After Pause and Cancel no more goes out than was in flight: of each sender, a window a connection."""
    most = CONNECTIONS * WINDOW * (1 + happened.freezes)
    moments = [letter.at for letter in taken]
    for since, until in one.quiet:
        count = sum(since < at < until for at in moments)
        if count > most:
            yield f"R13: {count} messages of {one.pk} went out after it was paused or cancelled"


# --- R14, R15 ----------------------------------------------------------------------------------------------------


def _skipped(one: Sent, people: list[Recipient], server: MailServer) -> Iterator[str]:
    """Who was barred while queued was skipped, and nobody else was but for a bounce in another mailing, or Cancel."""
    refused = {event["to"] for event in server.events("refused")}
    for person in people:
        if person.pk in one.barred and person.outcome != "skipped":
            yield f"R14: {person.email} was barred while queued for {one.pk}, but is {person.outcome}"
        if person.outcome != "skipped":
            continue
        is_barred = person.pk in one.barred | one.touched and person.reason in _BAR_REASONS
        is_late = person.reason == "cancelled" and (one.is_cancelled or one.may_be_cancelled)
        has_bounced = person.reason in ("hard_bounce", "soft_bounces") and person.address in refused
        if not (is_barred or is_late or has_bounced):
            yield f"R14: {person.email} was skipped in {one.pk} as {person.reason}, for no reason"


def _sums(connection: psycopg.Connection[Any], one: Sent, people: list[Recipient], server: MailServer) -> Iterator[str]:
    """The frozen recipients are the right ones, and the tally counts them as they are."""
    keys = frozenset(person.key for person in people)
    # Another mailing's may have bounced before this one was frozen.
    bounced = (one.keys - keys) & {event["to"].lower() for event in server.events("refused") if event["code"] == "550"}
    lacking, new = one.keys - keys - bounced, keys - one.keys
    if lacking or new or len(people) != len(keys):
        yield f"R13: {one.pk} has {len(people)} recipients; {len(lacking)} lack, {len(new)} are new"
    counted = Counter((person.outcome, person.reason if person.outcome == "skipped" else "") for person in people)
    counted.update({("left_out", reason): count for reason, count in one.left_out.items()})
    counted.update({("left_out", "hard_bounce"): len(bounced)} if bounced else {})
    rows = connection.execute(
        "SELECT kind, reason, people_count FROM mailings_tally WHERE mailing_id = %s AND people_count <> 0", [one.pk]
    )
    tally = {(kind, reason): count for kind, reason, count in rows}
    if tally != dict(counted):
        yield f"R15: {one.pk}: the tally says {tally}, but it is {dict(counted)}"


# --- what the messages say ---------------------------------------------------------------------------------------


def _contents(one: Sent, people: list[Recipient], copies: dict[int, list[Taken]]) -> Iterator[str]:
    """Some of the messages, drawn anew each time, are what their recipients should read."""
    written = [person for person in people if copies.get(person.pk)]
    for person in random.Random(one.pk).sample(written, min(_PARSED, len(written))):
        yield from (f"content: {person.email}: {wrong}" for wrong in _content(one, person, copies[person.pk][0].text))


def _content(one: Sent, person: Recipient, text: bytes) -> Iterator[str]:
    message = email.message_from_bytes(text, policy=policy.default)
    if any(part.defects for part in message.walk()):
        yield f"it has defects: {[part.defects for part in message.walk()]}"
    try:
        [to] = message["To"].addresses
    except (AttributeError, ValueError):
        yield f"To is {message['To']}"
        return
    if person.last_name not in to.display_name:
        yield f"it is addressed to {to.display_name}, not to {person.last_name}"
    link = str(message["List-Unsubscribe"]).strip("<>")
    token = link.rstrip("/").rpartition("/")[2]
    if not link.startswith(SITE) or token.partition(".")[0] != str(person.pk):
        yield f"its opt-out link is {link}"
    for kind in ("plain", "html"):
        part = message.get_body((kind,))
        said = part.get_content() if part is not None else ""
        if "the lamps are lit" not in said:
            yield f"its {kind} part is not the letter"
        if one.is_personal and person.last_name.split()[-1] not in said:
            yield f"its {kind} part does not name {person.last_name}"
        if kind == "plain" and "\n.. and dots\n" not in said.replace("\r\n", "\n"):
            yield "its lines that begin with dots are others"


def _few(found: Iterable[str]) -> Iterator[str]:
    everything = list(found)
    yield from everything[:_MOST_TOLD]
    if len(everything) > _MOST_TOLD:
        yield f"{everything[0].partition(':')[0]}: ... and {len(everything) - _MOST_TOLD} more of this kind"
