"""The small Liquid of messages: what it fills in, what it refuses in words, and what it can't reach."""

from __future__ import annotations

from typing import Any

import pytest

from mailings.personal import CORE_FIELDS, Finding, NotATemplate, check, compiled, field_name, values_of

ADA = values_of("Ada", "O'Hara", "ada@lamps.example", "P-1", {"Member Type": "Full", "chapters": ["Bonn", "Ulm"]})


def found(source: str, known: tuple[str, ...] = CORE_FIELDS) -> list[tuple[int, str, bool]]:
    return [(each.line, each.sentence, each.is_error) for each in check("text", source, known)]


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ('Dear {{ first_name | default: "friend" }},', "Dear Ada,"),
        ("{{ name }}, {{ Member_Type | upcase }}, {{ chapters }}", "Ada O'Hara, FULL, Bonn, Ulm"),
        ('{% if Member_Type == "Full" %}Vote.{% else %}Join.{% endif %}', "Vote."),
        ("{% unless last_name %}?{% endunless %}{% case name %}{% when 'x' %}{% else %}!{% endcase %}", "!"),
        ("{{ nobody }}{{ first_name.__class__ }}{{ first_name.upper }}{{ first_name[0] }}", ""),
    ],
)
def test_a_text_is_filled_in_for_a_person(source: str, written: str) -> None:
    assert compiled(source).fill(ADA) == written


def test_who_lacks_a_field_gets_its_default() -> None:
    nobody = values_of(" ", "", "", "", {"city": None})
    assert compiled("{{ first_name | default: 'friend' }} {{ city | default: 'x' }}").fill(nobody) == "friend x"


def test_values_are_escaped_in_html_and_nowhere_else() -> None:
    values = {"first_name": "<b onclick='x'>&"}
    assert compiled("{{ first_name }}", is_html=True).fill(values) == "&lt;b onclick=&#39;x&#39;&gt;&amp;"
    assert compiled("{{ first_name }}").fill(values) == "<b onclick='x'>&"


@pytest.mark.parametrize(
    ("source", "line", "sentence"),
    [
        ("a\n\n{% if name %}\nb", 3, "{% if %} has no {% endif %}."),
        ("a\n{{ name", 2, "“{{” has no “}}” after it."),
        ("a\n{% if name", 2, "“{%” has no “%}” after it."),
        ("a\n{% endif %}", 2, "{% endif %} stands alone: nothing was begun that it belongs to."),
        ("a\n{{ }}", 2, "Something is missing here: {{ }} wants the name of a field."),
        ("a\nb {{ name | nope }}", 2, "There is no filter “nope”."),
        ("{{ first_name | append }}", 1, "A filter has too few or too many words after it"),
        ("\n{{ first name }}", 2, "This can't be read"),
    ],
)
def test_an_error_is_told_with_its_line_in_words(source: str, line: int, sentence: str) -> None:
    [(at, told, is_error)] = found(source)
    assert (at, is_error) == (line, True)
    assert told.startswith(sentence)


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in (1..1000000000) %}x{% endfor %}",
        "{% assign x = 'a' %}",
        "{% capture x %}a{% endcapture %}",
        "{% include 'x' %}",
        "{% render 'x' %}",
        "{{ name | replace: 'a', 'aaaa' }}",
        "{{ name | split: '' | join: 'xxxx' }}",
        "{{ 9 | times: 9 }}",
        "{{ name | safe }}",
        "{% if name %}" * 30 + "{% endif %}" * 30,
    ],
)
def test_nothing_that_could_grow_loop_or_skip_escaping_is_there(source: str) -> None:
    with pytest.raises(NotATemplate):
        compiled(source, is_html=True)


def test_a_long_value_can_not_make_an_endless_message() -> None:
    values = values_of("a" * 10_000, "", "", "", {})
    assert len(compiled("{{ first_name }}").fill(values)) == 2000
    with pytest.raises(NotATemplate):
        compiled("{{ '" + "a" * 600_000 + "' }}{{ '" + "a" * 600_000 + "' }}")


def test_an_unknown_field_is_told_with_the_one_that_was_meant() -> None:
    assert found('x\n{{ frist_name | default: "a" }}') == [
        (2, "There is no field “frist_name”. Did you mean “first_name”?", False)
    ]
    [(_, told, _)] = found('{{ zzz | default: "a" }}')
    assert told == "There is no field “zzz” in the chosen groups: everybody gets a gap."
    assert found('{{ Member_Type | default: "a" }}', (*CORE_FIELDS, "Member_Type")) == []


def test_a_field_without_a_default_is_told_once_unless_the_text_asks_for_it_first() -> None:
    told = found("{{ first_name }}\n{{ first_name }} {{ email }}")
    assert [(line, is_error) for line, _, is_error in told] == [(1, False)]
    assert "whoever lacks it gets a gap" in told[0][1]
    assert found("{% if first_name %}Dear {{ first_name }}{% endif %}") == []


@pytest.mark.parametrize(("column", "field"), [("City", "City"), ("Member Type", "Member_Type"), ("2nd", "_2nd")])
def test_a_column_has_a_name_that_a_template_can_say(column: str, field: str) -> None:
    assert field_name(column) == field
    assert compiled(f"{{{{ {field} }}}}").fill(values_of("", "", "", "", {column: "x"})) == "x"


def test_a_column_can_not_take_the_place_of_an_address() -> None:
    assert values_of("Ada", "", "a@lamps.example", "P-1", {"email": "b@lamps.example"})["email"] == "a@lamps.example"


def test_a_finding_says_where_it_belongs(value: Any = None) -> None:
    assert next(check("subject", "{{", CORE_FIELDS)) == Finding("subject", 1, "“{{” has no “}}” after it.", True)
