"""What the author of a message is told and shown of it while writing. Pure but for the chosen groups' columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext, gettext_lazy

from targetgroups.models import Subscriber, TargetGroup

from .exceptions import MailingError
from .markup import TooMuch, clean
from .models import Mailing
from .personal import CORE_FIELDS, Finding, NotATemplate, check, compiled, field_name, fields_in, values_of
from .send.render import NO_ADDRESS, NotAHeader, NotAnAddress, Rendered, render

# The parts of a message that are checked, in the order of the page.
LABELS = {
    "subject": gettext_lazy("Subject"),
    "preheader": gettext_lazy("Preheader"),
    "html": gettext_lazy("HTML"),
    "text": gettext_lazy("Text"),
}
PARTS = tuple(LABELS)
_PLACED = {
    "subject": gettext_lazy("The subject, line %(line)s: %(error)s"),
    "preheader": gettext_lazy("The preheader, line %(line)s: %(error)s"),
    "html": gettext_lazy("The HTML, line %(line)s: %(error)s"),
    "text": gettext_lazy("The text, line %(line)s: %(error)s"),
}
_EXAMPLES = {"first_name": "friend", "last_name": "member", "name": "friend"}
_WRITTEN = ("from_name", "reply_to", "subject", "preheader", "html", "text")
_EXAMPLE_COUNT = 5
_LONGEST_HTML = 102_000


def findings_of(mailing: Mailing) -> list[Finding]:
    """Say what is wrong with a stored message."""
    values = {part: getattr(mailing, part) for part in PARTS}
    return findings(values, fields_of(group.target_group for group in mailing.groups.select_related("target_group")))


def findings(values: Mapping[str, str], known: Collection[str]) -> list[Finding]:
    """Say what is wrong with a message, or may go wrong with it: errors first, then by part and line."""
    found = [each for part in PARTS for each in _of_part(part, values.get(part, ""), known)]
    return sorted(found, key=lambda each: (not each.is_error, PARTS.index(each.part), each.line))


def placed(finding: Finding) -> str:
    """Say an error together with where it stands."""
    return str(_PLACED[finding.part]) % {"line": finding.line, "error": finding.sentence}


def fields_of(groups: Iterable[TargetGroup]) -> list[str]:
    """List the fields that a message to these groups may use."""
    extra = {field_name(name) for group in groups for name in group.attribute_names}
    return [*CORE_FIELDS, *sorted(extra - set(CORE_FIELDS))]


def preview(mailing: Mailing, who: Subscriber | None, *, postal_address: str, site: str) -> Rendered:
    """Write a message as one person would get it; without a person, as who has none of its fields.

    Raises MailingError.
    """
    shown = Mailing(pk=mailing.pk, **{name: getattr(mailing, name) for name in _WRITTEN})
    shown.from_email = mailing.from_email or NO_ADDRESS
    who = who or Subscriber(email=NO_ADDRESS)
    try:
        return render(
            shown,
            pk=0,
            email=who.email or NO_ADDRESS,
            name=who.name,
            opt_out_link=f"{site}/opt-out/preview/",
            postal_address=postal_address,
            site=site,
            values=values_of(who.first_name, who.last_name, who.email, who.remote_id, who.attributes),
        )
    except (NotATemplate, TooMuch) as error:
        sentence = gettext("The message can't be read, line %(line)s: %(error)s")
        raise MailingError(sentence % {"line": error.line, "error": error.sentence}) from None
    except (NotAnAddress, NotAHeader) as error:
        raise MailingError(str(error)) from None


@dataclass(frozen=True)
class FieldTest:
    """How a field that a message writes fares with real people."""

    name: str
    has_default: bool  # wherever it is written
    lacking_count: int
    examples: tuple[Subscriber, ...]  # some who lack it


def try_fields(mailing: Mailing, people: Sequence[Subscriber]) -> list[FieldTest]:
    """Say of each field that a message writes who of these people lacks it."""
    fields = fields_in(*(getattr(mailing, part) for part in PARTS))
    lacking: dict[str, list[Subscriber]] = {name: [] for name in fields}
    for who in people:
        values = values_of(who.first_name, who.last_name, who.email, who.remote_id, who.attributes)
        for name in fields:
            if not values.get(name):
                lacking[name].append(who)
    return [
        FieldTest(name, has_default, len(lacking[name]), tuple(lacking[name][:_EXAMPLE_COUNT]))
        for name, has_default in fields.items()
    ]


def example_of(field: str) -> str:
    """Write what puts a field into a message, with a default for whoever lacks it."""
    return f'{{{{ {field} | default: "{_EXAMPLES.get(field, "")}" }}}}'


def _of_part(part: str, source: str, known: Collection[str]) -> Iterator[Finding]:
    found = list(check(part, source, known, is_html=part in ("html", "preheader")))
    yield from found
    if part == "html" and source.strip() and not any(each.is_error for each in found):
        yield from _of_html(source)


def _of_html(source: str) -> Iterator[Finding]:
    try:
        cleaned = clean(source)
    except TooMuch as error:
        yield Finding("html", error.line, error.sentence, is_error=True)
        return
    try:
        compiled(cleaned.html, is_html=True)
        compiled(cleaned.text)
    except NotATemplate as error:
        sentence = gettext("A {%% %%} stands inside of a tag or between parts that belong together: %(error)s")
        yield Finding("html", 1, sentence % {"error": error.sentence}, is_error=True)
    for each in cleaned.removed:
        yield Finding("html", each.line, each.sentence)
    if len(cleaned.html) > _LONGEST_HTML:
        yield Finding("html", 1, gettext("This is long: Gmail shows the first 102 kB of a message only."))
