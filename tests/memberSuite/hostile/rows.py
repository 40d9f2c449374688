"""Rows that are wrong: flags, ids, keys and values that are missing, unreadable, twice there, or somebody else's."""

from __future__ import annotations

import json
import re
from random import Random

from tests.memberSuite.hostile.cutting import FLAG, ID, ROW, change_row, change_value, key_of, rows_of
from tests.memberSuite.hostile.genuine import Reply
from tests.memberSuite.hostile.kinds import Mutated, kind

_NO_FLAGS = ("", " ", "no way", "falsch", "f", "n", "-0", "00", "false false", "nil", "2", "\u0444alse", "null", "no;")
_NO_JSON_FLAGS = ('""', '" "', '"falsch"', "null", "[]", "{}", "[false]", '{"v":false}', "0.0", "-0.0", "2", "1e0")
_NO_KEYS = ("", " ", "-7", "1e999", "NaN", "12.5", "0x10", "\u0663\u0664", "9" * 30, "9" * 6000, "--1", "1 2")
_NO_JSON_KEYS = ('""', "null", "-7", "1e999", "12.5", '"NaN"', "9" * 30, "9" * 6000, "[1]", '{"a":1}', "true", "-0.0")
_NO_TOTALS = ("", "-1", "9" * 30, "9" * 6000, "NaN", "1e3", "7.5", "many")
_NOBODYS_ID = "6faf90e4-0006-ffff-ffff-000000000000"


# -- the flag: R1 -----------------------------------------------------------------------------------------------------


@kind()
def flag_unreadable(random: Random, reply: Reply) -> Mutated | None:
    if not reply.is_xml:
        return change_value(random, reply, "doNotEmail", random.choice(_NO_JSON_FLAGS), unmailable=True)
    cell = f"<DoNotEmail>{random.choice(_NO_FLAGS)}</DoNotEmail>".encode()
    return change_row(random, reply, lambda row: row.replace(FLAG, cell), unmailable=True)


@kind()
def flag_missing(random: Random, reply: Reply) -> Mutated | None:
    if reply.is_xml:
        gone = random.choice((b"", b"<DoNotEmail/>", b"<DoNotEmails>false</DoNotEmails>"))
        return change_row(random, reply, lambda row: row.replace(FLAG, gone), unmailable=True)
    mutated = change_value(random, reply, "doNotEmail", '"@@@"', unmailable=True)
    return mutated and Mutated(re.sub(rb',? ?"doNotEmail": "@@@"', b"", mutated.body), mutated.unmailable)


@kind(weight=2)
def flag_twice(random: Random, reply: Reply) -> Mutated | None:
    """Once Yes and once No, under one name or under two that mean the same column."""
    first, second = random.sample(("true", "false"), 2)
    if reply.is_xml:
        names = ("DoNotEmail", "DoNotEmail", "donotemail", "DONOTEMAIL", "Do_x004E_otEmail")
        one, other = random.choice(names), random.choice(names)
        cells = f"<{one}>{first}</{one}><{other}>{second}</{other}>".encode()
        return change_row(random, reply, lambda row: row.replace(FLAG, cells), unmailable=True)
    names = ("doNotEmail", "doNotEmail", "DoNotEmail", "donotemail", "doN\\u006ftEmail")
    one, other = random.choice(names), random.choice(names)
    colon, space = random.choice((":", " :", ": ", "\n:")), random.choice(("", " "))
    pair = f'"{one}"{colon}{first},{space}"{other}"{colon}{second}'
    mutated = change_value(random, reply, "doNotEmail", "@@@", unmailable=True)
    return mutated and Mutated(mutated.body.replace(b'"doNotEmail": @@@', pair.encode()), mutated.unmailable)


@kind()
def flag_with_markup(random: Random, reply: Reply) -> Mutated | None:
    if not reply.is_xml:
        return None
    inside = random.choice(("false<b/>", "false<b>true</b>", "<b>false</b>", "false<DoNotEmail>true</DoNotEmail>"))
    cell = f"<DoNotEmail>{inside}</DoNotEmail>"
    if random.random() < 0.3:
        cell = '<DoNotEmail xmlns:n="http://www.w3.org/2001/XMLSchema-instance" n:nil="true">false</DoNotEmail>'
    return change_row(random, reply, lambda row: row.replace(FLAG, cell.encode()), unmailable=True)


# -- the id: R2 -------------------------------------------------------------------------------------------------------


@kind()
def id_missing(random: Random, reply: Reply) -> Mutated | None:
    empty = random.choice(("", " ", "\n\t"))
    if reply.is_xml:
        cell = random.choice(("", "<ID/>", f"<ID>{empty}</ID>", "<ID><b/></ID>")).encode()
        return change_row(random, reply, lambda row: ID.sub(cell, row))
    return change_value(random, reply, "id", random.choice((json.dumps(empty), "null", "[]", "{}", '["x"]')))


@kind(weight=2)
def id_twice(random: Random, reply: Reply) -> Mutated | None:
    """A row that says it is two people."""
    if reply.is_xml:
        others = [key_of(row) for row in ROW.findall(reply.body)]
        name, other = random.choice(("ID", "id", "I_x0044_")), random.choice([_NOBODYS_ID, *others[:1]])
        cell, place = f"<{name}>{other}</{name}>".encode(), random.choice((b"<LocalID>", b"</Table>"))
        return change_row(random, reply, lambda row: row.replace(place, cell + place))
    found, mutated = rows_of(reply), change_value(random, reply, "id", "@@@")
    if found is None or mutated is None:
        return None
    name = random.choice(("id", "ID", "Id", "\\u0069d"))
    pair = f'"id": "{random.choice(found[2])["id"]}", "{name}": "{_NOBODYS_ID}"'
    return Mutated(mutated.body.replace(b'"id": @@@', pair.encode()))


@kind()
def id_in_other_case(random: Random, reply: Reply) -> Mutated | None:
    """The same people again, their ids in other letters."""
    if reply.is_xml:
        return change_row(random, reply, lambda row: row + ID.sub(lambda cell: cell[0].upper(), row))
    found = rows_of(reply)
    if found is None:
        return None
    whole, listed, rows = found
    for row in random.sample(rows, random.randint(1, len(rows))):
        listed.insert(listed.index(row), row | {"id": row["id"].upper()})
    return Mutated(json.dumps(whole).encode())


@kind()
def id_too_long(random: Random, reply: Reply) -> Mutated | None:
    text = random.choice(("x" * 101, "\u0130" * 60, "x" * 100_000))
    if reply.is_xml:
        return change_row(random, reply, lambda row: ID.sub(f"<ID>{text}</ID>".encode(), row), loose=True)
    return change_value(random, reply, "id", json.dumps(text), loose=True)


@kind()
def id_of_somebody_else(random: Random, reply: Reply) -> Mutated | None:
    """A row under the id of another row: nothing but its LocalID contradicts it."""
    if reply.is_xml:
        keys = [key_of(row) for row in ROW.findall(reply.body)]
        if len(keys) < 2:
            return None
        cell = f"<ID>{random.choice(keys)}</ID>".encode()
        mutated = change_row(random, reply, lambda row: ID.sub(cell, row))
        return mutated and Mutated(mutated.body, loose=frozenset(keys))
    found = rows_of(reply)
    if found is None or len(found[2]) < 2:
        return None
    one, other = random.sample(found[2], 2)
    one["id"] = other["id"]
    return Mutated(json.dumps(found[0]).encode(), loose=frozenset(str(row["id"]).lower() for row in found[2]))


# -- the key, and what else a row holds -------------------------------------------------------------------------------


@kind()
def key_unreadable(random: Random, reply: Reply) -> Mutated | None:
    if not reply.is_xml:
        return change_value(random, reply, "localID", random.choice(_NO_JSON_KEYS), loose=True)
    cell = f"<LocalID>{random.choice(_NO_KEYS)}</LocalID>".encode()
    return change_row(random, reply, lambda row: re.sub(rb"<LocalID>[^<]*</LocalID>", cell, row), loose=True)


@kind()
def address_twice(random: Random, reply: Reply) -> Mutated | None:
    """Two addresses in one row: neither may be taken for the person's."""
    if reply.is_xml:
        name = random.choice(("EmailAddress", "emailaddress", "Email_x0041_ddress"))
        cell = f"<{name}>someone.else@lamps.example</{name}>".encode()
        return change_row(random, reply, lambda row: row.replace(b"<EmailAddress>", cell + b"<EmailAddress>"))
    name = random.choice(("emailAddress", "EMAILADDRESS", "email\\u0041ddress"))
    token = f'"one@lamps.example", "{name}" : "two@lamps.example"'
    return change_value(random, reply, "emailAddress", token)


@kind()
def value_of_wrong_type(random: Random, reply: Reply) -> Mutated | None:
    token = random.choice(("[]", "{}", "7", "1e400", "-1e400", "9" * 5000, "true", "[[[[]]]]", '{"a":{"b":[]}}'))
    name = random.choice(("firstName", "lastName", "emailAddress", "lastModifiedDate"))
    if not reply.is_xml:
        return change_value(random, reply, name, token, loose=True)
    tag = name[0].upper() + name[1:]
    cell = f"<{tag}><i><j>{token}</j></i></{tag}>".encode()
    return change_row(random, reply, lambda row: re.sub(f"<{tag}>[^<]*</{tag}>".encode(), cell, row), loose=True)


@kind(weight=2)
def odd_characters(random: Random, reply: Reply) -> Mutated | None:
    """Characters that PostgreSQL, UTF-8 or XML have not; and some that they have, but nobody expects."""
    if reply.is_xml:
        texts = ("\0", "&#0;", "&#xD800;", "\x1b", "&#xFFFF;", "\u202e", "&undefined;", "&#x110000;", "&#10;", "]]>")
        text = b"<LastName>" + random.choice(texts).encode()
        return change_row(random, reply, lambda row: row.replace(b"<LastName>", text), loose=True)
    text = random.choice(
        ("\\u0000", "\\ud800", "\\udc00\\ud800", "\\u202e", "\0", "\\x41", "\\uFFFF", "\x1f", "\ud800")
    )
    name = random.choice(("lastName", "emailAddress", "id"))
    return change_value(random, reply, name, f'"A{text}B"', loose=True)


# -- how many there are: R5 -------------------------------------------------------------------------------------------


@kind(weight=2)
def rows_cut_off(random: Random, reply: Reply) -> Mutated | None:
    """A reply that is well-formed and short of people; a total beside them is what it was."""
    if reply.is_xml:
        rows = list(ROW.finditer(reply.body))
        body = reply.body
        for row in sorted(
            random.sample(rows, random.randint(1, len(rows))) if rows else [], key=lambda row: -row.end()
        ):
            body = body[: row.start()] + body[row.end() :]
        return Mutated(body) if rows else None
    found = rows_of(reply)
    if found is None:
        return None
    whole, listed, rows = found
    for row in random.sample(rows, random.randint(1, len(rows))):
        listed.remove(row)
    return Mutated(json.dumps(whole).encode(), is_lie=True)  # no total stands beside them


@kind()
def rows_shuffled(random: Random, reply: Reply) -> Mutated | None:
    if not reply.is_xml:
        found = rows_of(reply)
        if found is None:
            return None
        random.shuffle(found[1])
        return Mutated(json.dumps(found[0]).encode())
    rows = list(ROW.finditer(reply.body))
    if len(rows) < 2:
        return None
    shuffled = [row[0] for row in rows]
    random.shuffle(shuffled)
    return Mutated(reply.body[: rows[0].start()] + b"".join(shuffled) + reply.body[rows[-1].end() :])


@kind(weight=2)
def total_unreadable(random: Random, reply: Reply) -> Mutated | None:
    text = random.choice(_NO_TOTALS)
    if not reply.is_xml:
        body = re.sub(rb'"totalCount": ?[0-9]+', f'"totalCount":{text or "null"}'.encode(), reply.body)
    elif random.random() < 0.3:
        twice = random.random() < 0.5
        body = re.sub(rb"<a:TotalRowCount>[0-9]+</a:TotalRowCount>", lambda one: one[0] * 2 * twice, reply.body)
    else:
        body = re.sub(rb"TotalRowCount>[0-9]+<", f"TotalRowCount>{text}<".encode(), reply.body)
    return Mutated(body) if body != reply.body else None


@kind(weight=2)
def total_wrong(random: Random, reply: Reply) -> Mutated | None:
    """A total that is plausible and false."""

    def wrong(found: re.Match[bytes]) -> bytes:
        total = int(found[2])
        return found[1] + str(random.choice((total + 1, max(0, total - 1), total * 2 + 3, 0, 10**9))).encode()

    body = re.sub(rb'(TotalRowCount>|"totalCount": ?)([0-9]+)', wrong, reply.body)
    return Mutated(body, is_lie=True) if body != reply.body else None
