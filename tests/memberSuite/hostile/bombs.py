"""Replies made to cost memory and time: entities, depth, length, and parts that each cost many times their bytes."""

from __future__ import annotations

from random import Random

from tests.memberSuite.hostile.genuine import Reply
from tests.memberSuite.hostile.kinds import Mutated, kind

_MILLION = 1_000_000


def _laughs() -> str:
    text = '<!ENTITY a "ha">'
    for number in range(9):
        text += f'<!ENTITY {chr(98 + number)} "{f"&{chr(97 + number)};" * 10}">'
    return text


_ENTITIES = (
    (_laughs(), "&j;"),
    (f'<!ENTITY a "{"x" * 50_000}">', "&a;" * 2000),
    ('<!ENTITY a SYSTEM "file:///etc/passwd">', "&a;"),
    ('<!ENTITY a SYSTEM "http://127.0.0.1:9/">', "&a;"),
    ('<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;', ""),
    ("<!ELEMENT a ANY><!ATTLIST NewDataSet DoNotEmail CDATA 'false'>", ""),
    ("", ""),
)


@kind()
def entity_bomb(random: Random, reply: Reply) -> Mutated | None:
    """A billion laughs, a file of ours, a DTD elsewhere; in plain sight or in an encoding that hides it."""
    if not reply.is_xml:
        return None
    inner, used = random.choice(_ENTITIES)
    text = f"<!DOCTYPE Envelope [{inner}]>" + reply.body.decode().replace("false", f"false{used}", 1)
    encoding = random.choice(("utf-8", "utf-8", "utf-16", "utf-7", "cp037"))
    head = "" if encoding == "utf-8" else f'<?xml version="1.0" encoding="{encoding}"?>'
    return Mutated((head + text).encode(encoding))


def _beside(reply: Reply, odd: bytes) -> bytes:
    """Put something into a reply where nothing is looked for."""
    if reply.is_xml:
        return reply.body.replace(b"<a:Cacheable>", odd + b"<a:Cacheable>")
    return b'{"zz":' + odd + b"," + reply.body[1:] if reply.body[:1] == b"{" else b"[" + odd + b"]"


@kind(weight=0.5)
def too_deep(random: Random, reply: Reply) -> Mutated:
    depth = random.choice((300, 1100, 5000, 200_000))
    if reply.is_xml:
        return Mutated(_beside(reply, b"<x>" * depth + b"</x>" * depth))
    pairs = ((b'{"data":', b"}"), (b"[", b"]"), (b'{"search":[', b"]}"), (b'{"results":', b"}"))
    opened, closed = random.choice(pairs)
    return Mutated(opened * depth + b"[]" + closed * depth, is_lie=True)


@kind(weight=0.15)
def huge_value(random: Random, reply: Reply) -> Mutated:
    text = b"a" * random.choice((200_000, 11 * _MILLION))
    if not reply.is_xml:
        return Mutated(_beside(reply, b'"%b"' % text), is_lie=True)
    ways = (b'<x y="%b"/>', b"<x>%b</x>", b"<!--%b-->", b"<?x %b?>", b"<x><![CDATA[%b]]></x>", b"<x%b/>")
    return Mutated(_beside(reply, random.choice(ways) % text))


@kind(weight=0.05)
def crowd_of_parts(random: Random, reply: Reply) -> Mutated:
    """A body below the limit of bytes whose parts each cost many times their length."""
    count = random.choice((300_000, 12 * _MILLION))
    if not reply.is_xml:
        part = random.choice((b"[]", b"{}", b"1", b'""', b'{"a":1}'))
        return Mutated(_beside(reply, b"[" + b",".join([part] * count) + b"]"), is_lie=True)
    if random.random() < 0.3:
        names = b"".join(b" a%d=''" % number for number in range(count // 10))
        return Mutated(_beside(reply, b"<x" + names + b"/>"))
    return Mutated(_beside(reply, random.choice((b"<x/>", b"<x>1</x>", b"<x y=''/>")) * (count // 2)))
