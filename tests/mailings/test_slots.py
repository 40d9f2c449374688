"""Whatever is written without Liquid's engine is, letter for letter, what the engine writes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailings.markup import clean
from mailings.personal import CORE_FIELDS, NotATemplate, compiled

FIELDS = (*CORE_FIELDS, "City", "now", "nil", "empty", "true")
VALUES = st.text(st.sampled_from(list("Adaéß灯👩<>&'\"{}%|:;\r\n\t\0\u2028 .\\=")), max_size=20)
LINKS = st.sampled_from(
    ["https://lamps.example/", "javascript:x", " JavaScript\n:x", "mailto:a@b", "/page?x:y", "data:"]
)
WORDS = st.text(st.sampled_from(list("ab<>&; \n\r.é%|{}'")), max_size=8)
STATIC = st.text(st.sampled_from(list("Dear \n\r<p>&;.é'")), max_size=12)
FILTERS = st.one_of(
    WORDS.filter(lambda words: "'" not in words).map(lambda words: f" | default: '{words}'"),
    st.sampled_from([" | default", " | upcase", " | default: last_name", " | default: '', allow_false: true"]),
    st.just(" | safe_link"),
)
OUTPUT = st.builds(
    lambda open_, name, filters, close: f"{open_} {name}{''.join(filters)} {close}",
    st.sampled_from(["{{", "{{-"]),
    st.sampled_from([*FIELDS, "first_name.size", "'Ada'", "1"]),
    st.lists(FILTERS, max_size=3),
    st.sampled_from(["}}", "-}}"]),
)
TEMPLATE = st.lists(st.one_of(STATIC, OUTPUT, st.just("{% if name %}x{% endif %}")), max_size=6).map("".join)
PERSON = st.dictionaries(st.sampled_from(FIELDS), st.one_of(VALUES, LINKS), max_size=len(FIELDS))


@given(TEMPLATE, PERSON, st.booleans())
@example("Dear {{ first_name | default: '<b>friend</b>' }}\r", {"first_name": "\r\n<&"}, True)
@example("{{ City | safe_link | default: 'x' }}", {"City": "javascript:x"}, True)
@example("{{ City | default: 'javascript:x' | safe_link }}", {}, False)
def test_every_template_is_filled_in_as_liquid_does(source: str, values: dict[str, str], is_html: bool) -> None:
    try:
        template = compiled(source, is_html=is_html)
    except NotATemplate:
        return
    if "now" not in source:
        assert template.fill(values) == template.by_engine(values)


@pytest.mark.parametrize(
    ("source", "has_slots"),
    [
        ("Dear keeper", True),
        ("Dear {{ first_name }} of {{- City | default: 'here' -}} .", True),
        ("{{ City | default: 'here' | safe_link }}", True),
        ("{% if City %}{{ City }}{% endif %}", False),
        ("{{ City | upcase }}", False),
        ("{{ now }}", False),
        ("{{ City }}" * 200, False),  # a person's values might make it too long, which the engine refuses
    ],
)
def test_only_what_writes_fields_alone_goes_without_the_engine(source: str, has_slots: bool) -> None:
    assert (compiled(source).pieces is not None) is has_slots


def test_a_field_that_begins_a_link_is_a_slot_as_well() -> None:
    cleaned = clean("<p>Dear {{ first_name }}, <a href='{{ Home }}'>here</a></p>").html
    template = compiled(cleaned, is_html=True)
    assert template.pieces is not None
    for home in ("https://lamps.example/?a&b", "javascript:alert(1)", ""):
        values = {"first_name": "<Ada>", "Home": home}
        assert template.fill(values) == template.by_engine(values)
