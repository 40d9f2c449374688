"""The connection check: four steps, each told in words when it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from memberSuite.exceptions import HostUnreachable, MemberSuiteError, ReadingStopped
from memberSuite.records import CheckStep, SearchList, StepName


def check_steps(
    *,
    reach: Callable[[], None],
    sign_in: Callable[[], str | None],
    list_searches: Callable[[], SearchList],
    read_one: Callable[[], int | None],
) -> Iterator[CheckStep]:
    """Yield each step; after a failure the steps that need it are skipped."""

    def reached() -> str:
        reach()
        return "The server answers."

    def signed_in() -> str:
        name = sign_in()
        return f"Signed in to {name}." if name else "Signed in."

    def listed() -> str:
        found = sum(search.is_public and search.is_active for search in list_searches().searches)
        return "1 active public search found." if found == 1 else f"{found:,} active public searches found."

    def read() -> str:
        total = read_one()
        return (
            "A record was read." if total is None else f"People can be read; MemberSuite holds {total:,} individuals."
        )

    yield (step := _step("reach_host", reached))
    if step.outcome == "ok":
        yield (step := _step("sign_in", signed_in))
    else:
        yield _skipped("sign_in")
    # Listing and reading need different permissions: one may fail and the other work.
    for name, do in (("list_searches", listed), ("read_one_record", read)):
        yield _step(name, do) if step.outcome == "ok" else _skipped(name)  # type: ignore[arg-type]


def _step(name: StepName, do: Callable[[], str]) -> CheckStep:
    began = time.monotonic()
    try:
        said, code = do(), ""
    except ReadingStopped:
        raise
    except MemberSuiteError as error:
        said, code = error.sentence, error.code
        if error.remote_said:
            speaker = "The network" if isinstance(error, HostUnreachable) else "MemberSuite"
            said = f"{said} {speaker} said: {error.remote_said.rstrip('.')}."
    return CheckStep(name, "failed" if code else "ok", said, code, time.monotonic() - began)


def _skipped(name: StepName) -> CheckStep:
    return CheckStep(name, "skipped", "Not tried, because an earlier step failed.", "", 0.0)
