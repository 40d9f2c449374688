"""Whole replies that are wrong: cut, of another kind, in another encoding, with odd members in their frame."""

from __future__ import annotations

import json
import re
from random import Random

from tests.memberSuite.hostile.genuine import Reply
from tests.memberSuite.hostile.kinds import Mutated, kind


@kind(weight=3)
def truncated(random: Random, reply: Reply) -> Mutated | None:
    return Mutated(reply.body[: random.randrange(len(reply.body))]) if len(reply.body) > 2 else None


@kind(weight=2)
def noise(random: Random, reply: Reply) -> Mutated | None:
    """Bytes that changed on the way; what they make of a name, nobody can tell."""
    if not reply.body:
        return None
    body = bytearray(reply.body)
    for _ in range(random.choice((1, 3, 50))):
        body[random.randrange(len(body))] = random.randrange(256)
    return Mutated(bytes(body), is_noise=True, is_lie=True)


@kind()
def piece_twice(random: Random, reply: Reply) -> Mutated | None:
    """A piece of the reply stands there again, behind itself or anywhere."""
    start, end = sorted((random.randrange(len(reply.body) + 1), random.randrange(len(reply.body) + 1)))
    place = random.choice((end, random.randrange(len(reply.body) + 1)))
    body = reply.body[:place] + reply.body[start:end] + reply.body[place:]
    return Mutated(body, is_noise=True, is_lie=True) if start < end else None


@kind()
def nothing(random: Random, reply: Reply) -> Mutated:
    empty = (b"", b" \n", b"null", b"0", b'""', b"[]", b"{}", b"<a/>", b"\xef\xbb\xbf", b"\0" * 100)
    return Mutated(random.choice(empty), is_lie=True)


@kind()
def of_another_kind(random: Random, reply: Reply) -> Mutated:
    """HTML, a picture, or the other transport's language; with an honest or a dishonest content type."""
    bodies = (
        b"<!doctype html><html><body>Scheduled maintenance</body></html>",
        b"<html><head><title>Sign in</title></head></html>",
        b"\x89PNG\r\n\x1a\n" + random.randbytes(200),
        b"%PDF-1.4 " + random.randbytes(200),
        b'{"success":true,"data":[]}' if reply.is_xml else b'<?xml version="1.0"?><a/>',
        b"upstream connect error or disconnect/reset before headers",
    )
    kinds = ("", "", "text/html", "application/octet-stream", "image/png")
    return Mutated(random.choice(bodies), content_type=random.choice(kinds))


@kind()
def content_type_wrong(random: Random, reply: Reply) -> Mutated:
    """The right body under a name that is not its own."""
    names = (
        "text/html",
        "text/plain",
        "application/json",
        "text/xml; charset=utf-16",
        "\xff",
        "a" * 5000,
        "text/xml;=",
    )
    return Mutated(reply.body, content_type=random.choice(names))


@kind()
def status_wrong(random: Random, reply: Reply) -> Mutated:
    """The right body, or none, under a status that says something else."""
    statuses = (201, 202, 203, 204, 206, 226, 300, 304, 400, 402, 404, 409, 418, 451, 499, 500, 507, 599, 999)
    return Mutated(random.choice((reply.body, b"", b"x" * 5000)), status=random.choice(statuses))


@kind()
def in_another_encoding(random: Random, reply: Reply) -> Mutated:
    text = reply.body.decode()
    encoding = random.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp037", "latin-1", "utf-8-sig"))
    head = f'<?xml version="1.0" encoding="{encoding}"?>' if reply.is_xml and random.random() < 0.5 else ""
    # Undeclared, these two are well-formed and say other letters: nobody can tell.
    return Mutated((head + text).encode(encoding, "replace"), is_noise=encoding in ("latin-1", "utf-7"))


@kind()
def invalid_utf8(random: Random, reply: Reply) -> Mutated:
    place = random.randrange(len(reply.body) + 1)
    piece = random.choice((b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80", b"\xe2\x28\xa1", b"\0"))
    return Mutated(reply.body[:place] + piece + reply.body[place:])


@kind(weight=2)
def success_unclear(random: Random, reply: Reply) -> Mutated | None:
    """Neither yes nor no; or no, with a reason that is none."""
    if reply.is_xml:
        said = random.choice(("", "maybe", "2", " ", "null", "false", "0", "true</a:Success><a:Success>false"))
        body = reply.body.replace(b"Success>true<", f"Success>{said}<".encode())
    else:
        said = random.choice(
            ("null", '"maybe"', "0", "[]", "{}", "false", '"no"', "0.0", "NaN", 'true,"success":false')
        )
        codes = ("[]", "9" * 5000, '{"a":1}', "1e999", '"SessionExpired"')
        reason = random.choice(("", f',"code":{random.choice(codes)}', ',"message":[1]', ',"offendingField":{}'))
        body = re.sub(rb'"success": ?true', f'"success":{said}{reason}'.encode(), reply.body)
    return Mutated(body) if body != reply.body else None


@kind()
def errors_odd(random: Random, reply: Reply) -> Mutated:
    """A failure whose code, message or field is nothing like a code, a message or a field."""
    codes = ("9" * 5000, "-1", "", "x" * 10_000, "\u0661", "SessionExpired", "1", "InvalidAccessKey", "2 ")
    code, message = (
        random.choice(codes),
        random.choice(("", "m" * 100_000, "Bearer eyJhbGciOi.x.y", "\u202e", "SELECT")),
    )
    if not reply.is_xml:
        status = random.choice((200, 400, 401, 403, 404, 409, 422, 500))
        odd = {"success": False, "code": random.choice((code, [code], {"a": code}, None)), "message": message}
        return Mutated(json.dumps({"data": odd} if random.random() < 0.3 else odd).encode(), status=status)
    error = f"<b:ConciergeError><b:Code>{code}</b:Code><b:Message>{message}</b:Message></b:ConciergeError>"
    name = "http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Concierge"
    errors = f'<a:Errors xmlns:b="{name}">{error * random.choice((0, 1, 50))}</a:Errors>'.encode()
    body = reply.body.replace(b"Success>true<", b"Success>false<")
    return Mutated(re.sub(rb"<a:Errors[^>]*/>", lambda _found: errors, body))


@kind()
def session_odd(random: Random, reply: Reply) -> Mutated | None:
    """A session or a token that can't be sent back, or should not be."""
    odd = random.choice(("", "x" * 2_000_000, "a\r\nX: y", "\u2603", "<&>", " ", "\x7f"))
    if reply.is_xml:
        text = b"<SessionId>" + odd.replace("&", "&amp;").replace("<", "&lt;").encode() + b"<"
        body = re.sub(rb"<SessionId>[^<]*<", lambda _found: text, reply.body)
    else:
        token = b'"idToken":' + json.dumps(odd).encode()
        body = re.sub(rb'"idToken": ?"[^"]*"', lambda _found: token, reply.body)
    return Mutated(body) if body != reply.body else None


_FRAMES = (
    (b"<diffgr:diffgram", b"<diffgr:diffgrams"),
    (b"NewDataSet xmlns", b"DocumentElement xmlns"),
    (b"<a:ResultValue>", b"<a:ResultValue>text"),
    (b"a:ResultValue>", b"a:ResultValues>"),
    (b"</a:ResultValue>", b"</a:ResultValue><a:ResultValue/>"),
    (b"http://membersuite.com/contracts", b"http://membersuite.com/contract"),
    (b"Response xmlns", b"Reply xmlns"),
    (b"<Table ", b"<Tables "),
    (b"b:Key>ID<", b"b:Key>Id<"),
    (b"b:Key>", b"b:Kee>"),
    (b"KeyValueOfstringanyType>", b"KeyValueOfstringanyTypes>"),
    (b"i:type=", b"i:typ="),
    (b'i:type="q:', b'i:type="zz:'),
    (b"</NewDataSet>", b"</NewDataSet><NewDataSet><Table><ID>x</ID></Table></NewDataSet>"),
    (b"</diffgr:diffgram>", b"</diffgr:diffgram><diffgr:diffgram/>"),
    (b"<b:Fields>", b"<b:Fields/><b:Fields>"),
)
_MEMBERS = (b'"data"', b'"results"', b'"id"', b'"search"', b'"tenantId"', b'"criteria"', b'"isPublic"', b'"name"')
_ODD = ("null", "7", '"x"', "[1,2]", "[null]", '["a"]', "[[]]", "{}", '{"a":[]}', '{"data":{"data":[]}}', "NaN")


@kind(weight=2)
def frame_odd(random: Random, reply: Reply) -> Mutated | None:
    """The members of the frame are there, and hold what they should not."""
    if reply.is_xml:
        old, new = random.choice(_FRAMES)
        body = reply.body.replace(old, new)
        return Mutated(body, is_noise=True, is_lie=True) if body != reply.body else None
    odd = random.choice(_ODD).encode()

    def instead(found: re.Match[bytes]) -> bytes:
        rest = b', "zz":' + found[2] if found[2] in (b"[", b"{") else b""
        return found[1] + b":" + odd + rest

    pattern = b"(" + random.choice(_MEMBERS) + rb'): ?(\[|\{|"[^"]*"|true|false|null)'
    body = re.sub(pattern, instead, reply.body, count=1)
    return Mutated(body, is_noise=True, is_lie=True) if body != reply.body else None
