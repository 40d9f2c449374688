"""What a hostile body may cost in memory: the parts that cost most for their bytes, as many as are let through."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from memberSuite.decode import parse_xml
from memberSuite.exceptions import MemberSuiteError
from memberSuite.rest.wire import _json_or_none
from memberSuite.transport import _UNCOUNTED, MOST_PARTS, Reply

MOST_MIB = 350
_XML = (b"<x/>", b"<x>1</x>", b"<x y=''/>", b"<x><y/></x>")
_JSON = (b"[]", b"{}", b'""', b'{"a":1}', b'{"a":[]}', b"[[]]")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _read(kind: str, part: bytes) -> None:
    marks = sum(map(part.count, (b"<", b"[", b"{"))) + (kind == "json")
    count = max(_UNCOUNTED // (len(part) + 1), MOST_PARTS // marks)
    try:
        if kind == "xml":
            parse_xml(b"<a>" + part * count + b"</a>")
        else:
            _json_or_none(Reply(200, "application/json", b"[" + b",".join([part] * count) + b"]"))
    except MemberSuiteError:
        pass  # refused is as good as read


_ALL = [("xml", part) for part in _XML] + [("json", part) for part in _JSON]
_WORST = [("xml", b"<x y=''/>")]


@pytest.mark.parametrize(
    ("kind", "part"), [pytest.param(*one, marks=[] if one in _WORST else [pytest.mark.soak]) for one in _ALL]
)
def test_the_largest_crowd_that_is_let_through_fits_in_memory(kind: str, part: bytes) -> None:
    """In a process of its own, because a process never tells less than its most."""
    child = [sys.executable, "-m", "tests.memberSuite.hostile.test_memory", kind, part.decode()]
    grown = subprocess.run(child, check=True, capture_output=True, text=True, timeout=120).stdout
    assert float(grown) < MOST_MIB


if __name__ == "__main__":
    before = _peak()
    _read(sys.argv[1], sys.argv[2].encode())
    print(_peak() - before)
