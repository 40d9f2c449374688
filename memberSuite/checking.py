"""The connection check: four steps, each told in words when it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from memberSuite.exceptions import HostUnreachable, MemberSuiteError, ReadingStopped
from memberSuite.records import CheckStep, SearchList, StepName
from memberSuite.words import gettext, ngettext, number


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
        return gettext("The server answers.")

    def signed_in() -> str:
        name = sign_in()
        return gettext("Signed in to %(name)s.") % {"name": name} if name else gettext("Signed in.")

    def listed() -> str:
        found = sum(search.is_public and search.is_active for search in list_searches().searches)
        told = ngettext("%(count)s active public search found.", "%(count)s active public searches found.", found)
        return told % {"count": number(found)}

    def read() -> str:
        total = read_one()
        if total is None:
            return gettext("A record was read.")
        told = gettext("People can be read; MemberSuite holds %(count)s individuals.")
        return told % {"count": number(total)}

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
            added = (
                gettext("The network said: %(words)s.")
                if isinstance(error, HostUnreachable)
                else gettext("MemberSuite said: %(words)s.")
            )
            said = f"{said} {added % {'words': error.remote_said.rstrip('.')}}"
    return CheckStep(name, "failed" if code else "ok", said, code, time.monotonic() - began)


def _skipped(name: StepName) -> CheckStep:
    return CheckStep(name, "skipped", gettext("Not tried, because an earlier step failed."), "", 0.0)
