from html.parser import HTMLParser

import pytest

from articles.markdown import Cited, render, source

LINKS = (("Edgar Tarlow", "/edgar-tarlow/"), ("Tolby Market#Fire, 9 August 1790", "/tolby-market/fire/"))
REFERENCES = (("arden-1987", "Clara Arden, <em>Tarlow</em> (1987){place}."),)


def html(text: str) -> str:
    return str(render(text, LINKS, REFERENCES).html)


def elements(markup: str) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, {name: value or "" for name, value in attrs}))

    Parser().feed(markup)
    return found


def test_quotes_dashes_and_ellipses_become_typographic() -> None:
    assert html('He said "no" -- it\'s 1941--45...') == "<p>He said “no” – it’s 1941–45…</p>\n"


def test_a_letter_in_brackets_is_no_copyright_sign() -> None:
    assert html("article 2 (c)") == "<p>article 2 (c)</p>\n"


def test_headings_begin_at_the_second_level_and_have_stable_ids() -> None:
    rendered = render("# Origins\n\n## Men & arms\n\n### Men & arms\n")
    assert [(heading.level, heading.id) for heading in rendered.headings] == [
        (2, "origins"),
        (2, "men-arms"),
        (3, "men-arms-2"),
    ]
    assert '<h2 id="men-arms">Men &amp; arms</h2>' in rendered.html


def test_heading_ids_leave_the_ids_of_the_page_alone() -> None:
    assert render("## Notes").headings[0].id == "notes-2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[Edgar Tarlow]]", '<a href="/edgar-tarlow/">Edgar Tarlow</a>'),
        ("[[Edgar Tarlow|the surveyor]]", '<a href="/edgar-tarlow/">the surveyor</a>'),
        (
            "[[Tolby Market#Fire, 9 August 1790]]",
            '<a href="/tolby-market/fire/">Fire, 9 August 1790</a>',
        ),
        ("[[Nobody Knows]]", "Nobody Knows"),
        ("[[Nobody Knows|somebody]]", "somebody"),
        ("`[[Edgar Tarlow]]`", "<code>[[Edgar Tarlow]]</code>"),
        ("[[]]", "[[]]"),
        ("[[Edgar Tarlow", "[[Edgar Tarlow"),
    ],
)
def test_wiki_links(text: str, expected: str) -> None:
    assert html(text) == f"<p>{expected}</p>\n"


def test_citations_are_numbered_with_back_links() -> None:
    rendered = render("A.[@arden-1987, p. 42] B.[@arden-1987, p. 7] C.[@arden-1987, p. 42]", LINKS, REFERENCES)
    assert [(note.number, note.html, note.back_links) for note in rendered.notes] == [
        (1, "Clara Arden, <em>Tarlow</em> (1987), p. 42.", ("ref-1", "ref-1-2")),
        (2, "Clara Arden, <em>Tarlow</em> (1987), p. 7.", ("ref-2",)),
    ]
    for marker in ('href="#note-1" id="ref-1"', 'href="#note-2" id="ref-2"', 'href="#note-1" id="ref-1-2"'):
        assert marker in rendered.html
    assert rendered.notes[0].lettered_back_links() == [("ref-1", "a"), ("ref-1-2", "b")]


def test_two_sources_in_one_citation_are_one_note() -> None:
    rendered = render("A.[@arden-1987; @lost, p. 3]", LINKS, REFERENCES)
    assert [note.html for note in rendered.notes] == [
        "Clara Arden, <em>Tarlow</em> (1987); Unknown source “lost”, p. 3."
    ]


def test_footnotes_and_citations_are_one_series() -> None:
    rendered = render("A[^a] B[@arden-1987] C[^a]\n\n[^a]: A *remark*.[@arden-1987, p. 1]\n", LINKS, REFERENCES)
    assert [note.number for note in rendered.notes] == [1, 2, 3]
    assert rendered.notes[0].html.startswith("A <em>remark</em>.<sup")
    assert rendered.notes[0].back_links == ("ref-1", "ref-1-2")
    assert rendered.notes[2].html.endswith("p. 1.")
    assert "remark" not in rendered.html


def test_a_footnote_without_text_stays_as_typed() -> None:
    assert html("A[^nothing]") == "<p>A[^nothing]</p>\n"


def test_a_table_has_its_caption_and_can_be_scrolled() -> None:
    out = html("Table: Strength\n| what | figure |\n| --- | --- |\n| men | 50,000 |\n")
    assert out.startswith(
        '<div class="scroll" role="region" tabindex="0" aria-label="Strength"><table><caption>Strength'
    )
    assert '<th scope="col">what</th>' in out
    assert "Table:" not in out


def test_foreign_words_carry_their_language() -> None:
    assert html("[Власов]{lang=ru}") == '<p><span lang="ru">Власов</span></p>\n'


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,x)",
        '<img src=x onerror="alert(1)">',
        "[x]{onclick=alert(1)}",
        "[[Edgar Tarlow|<script>]]",
        "[@<script>]",
        "![x](https://elsewhere.example/x.png)",
        "<style>p{}</style>",
    ],
)
def test_markup_of_an_attacker_is_text(evil: str) -> None:
    for tag, attributes in elements(html(evil)):
        assert tag in {"p", "a", "sup", "code"}
        assert attributes.keys() <= {"href", "id", "class", "aria-label"}
        assert attributes.get("href", "#").startswith(("#", "/", "https://elsewhere.example/"))


def test_the_source_tells_what_must_be_looked_up() -> None:
    found = source(
        "See [[Edgar Tarlow|him]] and [[A#B]].[@x-1, p. 4; @y]\n\n## Heading\n\nA[^1]\n\n[^1]: [[In a note]][@z]\n"
    )
    assert found.links == ("Edgar Tarlow", "A#B", "In a note")
    assert found.citations == (Cited("x-1", "p. 4"), Cited("y"), Cited("z"))
    assert found.plain == "See him and B. Heading A"
    assert found.words == 6


def test_the_same_text_is_rendered_once() -> None:
    render.cache_clear()
    render("Some *text*.", LINKS, REFERENCES)
    render("Some *text*.", LINKS, REFERENCES)
    assert render.cache_info().misses == 1


def test_very_strange_text_is_rendered() -> None:
    for text in ("\0", "[" * 5000, "[[" * 3000, "[@" * 3000, "|" * 2000, "> " * 500 + "x", "*" * 5000):
        render(text)
