"""A message's HTML: what stays, what goes and is told, where its CSS goes, and the text that is made of it."""

from __future__ import annotations

import pytest

from mailings.markup import TooMuch, clean
from mailings.message import findings
from mailings.personal import compiled
from tests.support.pseudo import marking


def filled(source: str, **values: str) -> str:
    return compiled(clean(source).html, is_html=True).fill(values)


def test_links_images_tables_and_styles_stay() -> None:
    source = (
        '<table width="600" style="color: red"><tbody><tr><td bgcolor="#fff" align="center">'
        '<a href="https://lamps.example/?a=1&amp;b=2">x</a>'
        '<img src="https://lamps.example/a.png" alt="Lamp" width="20">'
        "</td></tr></tbody></table>"
    )
    html = clean(source).html
    for piece in ('width="600"', "color:", 'bgcolor="#fff"', 'href="https://lamps.example/?a=1&amp;b=2"', 'alt="Lamp"'):
        assert piece in html
    assert clean(source).removed == ()


@pytest.mark.parametrize(
    ("source", "gone", "told"),
    [
        ("<p>a</p>\n<script>alert(1)</script>", "alert", "Scripts never run in e-mail: <script>."),
        ('\n<form action="/x"><input name="q">a</form>', "form", "Forms do not work in e-mail: <form>."),
        ('\n<p onclick="x()">a</p>', "onclick", "Scripts never run in e-mail: onclick."),
        ('\n<a href=" JavaScript:alert(1)">a</a>', "alert", "A link can't begin with javascript:"),
        ('\n<img src="data:image/png;base64,AAAA">', "data:", "A link can't begin with data:"),
        ('\n<p style="background: url(https://x.example/t.gif)">a</p>', "url(", "A style with url( ) is left out"),
        ('\n<iframe src="https://x.example/"></iframe>', "iframe", "Pages within a message do not work"),
        ('\n<link rel="stylesheet" href="https://x.example/a.css">', "link", "Style sheets from elsewhere"),
        ('\n<a href="lamps.example/a">a</a>', "\0", "A link must begin with https://"),
        ("<style>\n@media (max-width: 9px) { p { color: red } }</style><p>a</p>", "@media", "Rules that begin with @"),
    ],
)
def test_what_is_taken_out_is_told_with_its_line(source: str, gone: str, told: str) -> None:
    cleaned = clean(source)
    assert gone not in cleaned.html
    assert cleaned.removed[0].sentence.startswith(told)
    assert cleaned.removed[0].line == (1 if "@media" in source else 2)


def test_what_is_taken_out_is_told_in_the_language_of_whoever_asks_next() -> None:
    source = "<p>a</p><script>alert(2)</script>"
    assert clean(source).removed[0].sentence == "Scripts never run in e-mail: <script>."
    with marking():
        assert clean(source).removed[0].sentence == "⟦Scripts never run in e-mail: <script>.⟧"


def test_css_moves_from_the_style_block_to_the_tags() -> None:
    html = clean(
        "<html><head><style>p { color: red } body { margin: 0 }</style></head><body><p>a</p></body></html>"
    ).html
    assert "<style" not in html
    assert '<p style="color:red' in html.replace(": ", ":")
    assert html.startswith("<div style=")


def test_liquid_survives_wherever_html_lets_it_stand() -> None:
    source = (
        '<p>{{ first_name | default: "friend" }}{% if a > "b" %} & co{% endif %}</p>'
        "<table>{% if b %}<tr><td>{{ b }}</td></tr>"
        '{% endif %}</table><a href="https://lamps.example/{{ id }}{% if b %}?b{% endif %}">x</a>'
    )
    html = filled(source, b="<1>", id="7&8")
    assert "<p>friend</p>" in html
    assert "<table><tbody><tr><td>&lt;1&gt;</td></tr></tbody></table>" in html
    assert 'href="https://lamps.example/7&amp;8?b"' in html
    assert "<td>" not in filled(source)


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ('<a href="{{ a }}">x</a>', {"a": "javascript:alert(1)"}),
        ('<a href=" {{ a }}">x</a>', {"a": " JAVASCRIPT:alert(1)"}),
        ('<a href="{{ a }}{{ b }}">x</a>', {"a": "java", "b": "script:alert(1)"}),
        ('<a href="java{{ a }}">x</a>', {"a": "script:alert(1)"}),
        ('<a href="{{ a }}:alert(1)">x</a>', {"a": "javascript"}),
        ('<a href="{% if a %}javascript:{% endif %}alert(1)">x</a>', {"a": "1"}),
        ('<a href="{{ a }}{{ b }}">x</a>', {"a": "javascript", "b": ":alert(1)"}),
        ('<p style="color: {{ a }}">x</p>', {"a": "red; x: javascript:alert(1)"}),
        ("<script>{{ a }}</script>x", {"a": "javascript:alert(1)"}),
    ],
)
def test_no_value_and_no_trick_makes_a_link_that_runs_something(source: str, values: dict[str, str]) -> None:
    html = filled(source, **values).lower().replace(" ", "")
    assert "javascript:" not in html
    assert "x" in html


def test_a_value_may_be_a_whole_link() -> None:
    assert 'href="https://lamps.example/ada"' in filled('<a href="{{ a }}">x</a>', a="https://lamps.example/ada")
    assert 'href="mailto:a@lamps.example"' in filled('<a href="{{ a }}">x</a>', a="mailto:a@lamps.example")


def test_the_word_that_stands_for_liquid_can_not_be_forged() -> None:
    assert "<p>lqd0z lqds0z v</p>" in filled("<p>lqd0z lqds0z <!--lqd0x-->{{ a }}</p>", a="v")
    assert "<p>v</p>" in filled("<p>lq&#100;99999999z{{ a }}</p>", a="v")


def test_text_is_made_of_headings_lists_links_and_pictures() -> None:
    text = clean(
        "<h1>Lamps</h1><p>Dear {{ first_name | default: 'friend' }},<br>"
        "see <a href='https://lamps.example/'>the  site</a>"
        " or <a href='https://lamps.example/a'>https://lamps.example/a</a>.</p><ul><li>one</li>"
        "<li>two<ul><li>deep</li></ul>"
        "</li></ul><ol start='3'><li>c</li></ol><hr><img alt='A lamp' src='https://x.example/a.png'>"
        "<table><tr><td>left</td><td>right &amp; wrong</td></tr></table>{% if a %}<p>Only some</p>{% endif %}"
        "<a href='mailto:a@lamps.example'>a@lamps.example</a>"
    ).text
    written = compiled(text).fill({})
    assert written.strip() == (
        "Lamps\n=====\n\nDear friend,\nsee the site (https://lamps.example/) or https://lamps.example/a.\n\n"
        "- one\n- two\n  - deep\n\n3. c\n\n----\n\nA lamp\n\nleft\nright & wrong\n\na@lamps.example"
    )


@pytest.mark.parametrize("source", ["", "<", "<p", "</p></p>", "<!--", "{{", "<p>{%", "<a href='", "\0<p>\0"])
def test_half_written_html_is_read_as_far_as_it_goes(source: str) -> None:
    clean(source)


@pytest.mark.parametrize(
    "source",
    [
        "<div>" * 30_000,
        "<b>" * 60_000,
        "<table><tr><td>" * 12_000,
        "<ul><li>" * 20_000,
        "<div></x>" * 20_000,
        "<p>a</p>" * 20_000,
        "<!--" * 40_000,
        "<style>" * 20_000,
        "{{" * 50_000,
        "{%" * 50_000,
    ],
    ids=lambda source: source[:8],
)
def test_html_that_would_end_the_process_or_hold_it_up_is_refused_before_it_is_read(source: str) -> None:
    with pytest.raises(TooMuch):
        clean(source)
    assert findings({"html": source}, [])[0].is_error


def test_long_and_deep_html_of_a_real_message_is_read() -> None:
    assert clean("<div>" * 150 + "x" + "</div>" * 150).html.count("<div>") >= 150
    assert clean("<p>a<p>b<br>" * 1500).html.count("<p>") == 3000
