"""Terms of the glossary in texts: found, linked where they first stand, explained below."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from articles import markdown
from articles.markdown_terms import Term, arranged, find_terms
from articles.models import Article
from rlm_site.testing.databases import on_postgresql
from rlm_site.testing.growth import Growth
from rlm_site.tests.html import parse, text_of, with_class
from rlm_site.text.limits import MAX_TEXT

TERMS = (
    Term("Osttruppen", "ost"),
    Term("eastern troops", "ost"),
    Term("eastern", "east"),
    Term("ROA", "roa"),
    Term("РОА", "roa"),
    Term("displaced person", "dp"),
    Term("DP", "dp"),
    Term("служба", "service"),
    Term("woman", "woman"),
)


def found(text: str) -> list[tuple[str, str]]:
    return [(each.id, text[each.start : each.end]) for each in find_terms(text, arranged(TERMS))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Osttruppen fought.", [("ost", "Osttruppen")]),
        ("OSTTRUPPEN", [("ost", "OSTTRUPPEN")]),
        ("Eastern troops, and the eastern front.", [("ost", "Eastern troops"), ("east", "eastern")]),
        ("eastern\ntroop’s", [("ost", "eastern\ntroop")]),
        ("eastern-troops", [("ost", "eastern-troops")]),
        ("eastern, troops", [("east", "eastern")]),
        ("the ROA’s men and the ROA", [("roa", "ROA")]),
        ("roa, Roa, ROAD, broad, PROA", []),
        ("РОА", [("roa", "РОА")]),
        ("Two Displaced Persons", [("dp", "Displaced Persons")]),
        ("two DPs", [("dp", "DPs")]),
        ("women", [("woman", "women")]),
        ("на службе", [("service", "службе")]),
        ("anti-Osttruppen and Osttruppen-like", []),
        ("Osttruppen—so", [("ost", "Osttruppen")]),
        ("", []),
    ],
)
def test_terms_are_found_as_whole_words_in_all_their_forms(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


def terms_of(text: str, **more: Any) -> list[str]:
    return [markup.partition("</a>")[0] for markup in _html(text, **more).split('class="term" ')[1:]]


def _html(text: str, **more: Any) -> str:
    return str(markdown.render(text, (("Known", "/known/"),), (), (), TERMS, **more).html)


@pytest.mark.parametrize(
    "text",
    [
        "[ROA](/x/)",
        "[*the* ROA men](/x/)",
        "[[Known|ROA]]",
        "[[ROA]]",
        "## ROA",
        "`ROA`",
        "    ROA",
        "```\nROA\n```",
        "x[^a]\n\n[^a]: ROA",
        "x^[ROA]",
        "| ROA |\n| --- |\n| x |",
        "Table: ROA\n\n| a |\n| --- |\n| x |",
        "www.x.de/ROA",
        "<!-- ROA -->",
        "*R*OA",
    ],
)
def test_links_headings_code_and_notes_stay_as_they_are(text: str) -> None:
    assert markdown.render(text, (("Known", "/known/"),), (), (), TERMS).terms == ()
    assert terms_of(text) == []


def test_only_the_first_place_of_a_term_is_linked() -> None:
    assert _html("The ROA, *the ROA* and РОА.") == (
        '<p>The <a class="term" href="#term-roa" id="ref-term-roa">ROA</a>, <em>the ROA</em> and РОА.</p>\n'
    )


@pytest.mark.parametrize("text", ["**eastern troops**", "a eastern\ntroops b", "- eastern troops", "> Eastern troops."])
def test_the_words_of_a_text_are_the_same_with_terms(text: str) -> None:
    rendered = markdown.render(text, (), (), (), TERMS)
    assert rendered.terms == ("ost",)
    plain = str(markdown.render(text).html)
    html = str(rendered.html)
    link = html[html.index('<a class="term"') : html.index(">", html.index('<a class="term"')) + 1]
    assert html.replace(link, "").replace("</a>", "") == plain


def test_what_is_parsed_for_one_is_not_changed_for_another() -> None:
    text = "The ROA. " * 2000  # long enough to be kept while it is worked on
    assert markdown.render(text, (), (), (), TERMS).terms == ("roa",)
    assert markdown.render(text).terms == ()
    assert "term" not in markdown.render(text).html


def test_no_term_takes_the_id_of_a_heading() -> None:
    rendered = markdown.render("## Term ROA\n\nThe ROA.", (), (), (), TERMS)
    assert rendered.headings[0].id == "term-roa"
    assert rendered.terms == ()
    former = markdown.render("## Now\n\nThe ROA.", (), (), (("now", "term-roa"),), TERMS)
    assert former.terms == ()


def test_all_ids_of_a_part_begin_with_its_own() -> None:
    rendered = markdown.render(
        "## Now\n\nROA[@a] [there](#now) [up](/x/#now)", (), (), (("now", "then"),), TERMS, "mills_"
    )
    html = str(rendered.html)
    assert '<h3 id="mills_now"><span id="mills_then"></span>Now</h3>' in html
    assert 'href="#mills_term-roa" id="mills_ref-term-roa"' in html
    assert 'href="#mills_note-1" id="mills_ref-1"' in html
    assert '<a href="#mills_now">there</a> <a href="/x/#now">up</a>' in html
    assert rendered.notes[0].id == "mills_note-1"
    assert rendered.notes[0].back_links == ("mills_ref-1",)
    assert rendered.headings[0].id == "mills_now"


# Pages


def add_term(title: str = "ROA", slug: str = "roa", **fields: Any) -> Article:
    given = {"kind": "term", "summary": "Army of the valley.", "published": True, **fields}
    return Article.objects.create(title=title, slug=slug, **given)


def add_page(body: str, **fields: Any) -> Article:
    return Article.objects.create(title="Okapi", slug="okapi", body=body, published=True, **fields)


@pytest.mark.django_db
def test_a_page_explains_its_terms_below_the_notes(client: Client) -> None:
    add_term(aliases=[{"name": "Valley Army", "language": "", "note": ""}])
    add_page("The Valley Army marched.")
    document = parse(client.get("/okapi/"))
    [link] = with_class(document, "term")
    assert (link.get("href"), text_of(link)) == ("#term-roa", "Valley Army")
    [explained] = [item for item in document.iter("li") if item.get("id") == "term-roa"]
    assert text_of(explained) == "ROA: Army of the valley. ↩"
    assert [(back.get("href"), back.get("aria-label")) for back in explained.iter("a")] == [
        ("#ref-term-roa", "Back to ROA in the text")
    ]


@pytest.mark.django_db
def test_a_term_with_a_page_of_its_own_is_linked_and_never_explained_there(client: Client) -> None:
    add_term(body="The ROA was the army of the valley.")
    add_page("The ROA marched.")
    [explained] = [item for item in parse(client.get("/okapi/")).iter("li") if item.get("id") == "term-roa"]
    assert "/roa/" in [link.get("href") for link in explained.iter("a")]
    assert with_class(parse(client.get("/roa/")), "term") == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields",
    [
        {"published": False},
        {"publish_at": timezone.now() + timedelta(days=1)},
        {"retire_at": timezone.now() - timedelta(days=1)},
        {"summary": ""},
        {"kind": "subject"},
    ],
)
def test_only_public_terms_with_a_definition_are_explained(client: Client, fields: dict[str, Any]) -> None:
    add_term(**fields)
    add_page("The ROA marched.")
    page = client.get("/okapi/").content.decode()
    assert 'class="term"' not in page
    assert "Army of the valley" not in page


@pytest.mark.django_db
def test_a_changed_definition_is_on_the_page_at_once(client: Client) -> None:
    term = add_term()
    add_page("The ROA marched.")
    assert "Army of the valley." in client.get("/okapi/").content.decode()
    Article.objects.filter(pk=term.pk).update(summary="Another army.")
    assert "Another army." in client.get("/okapi/").content.decode()
    Article.objects.filter(pk=term.pk).update(title="KONR")
    assert 'class="term"' not in client.get("/okapi/").content.decode()


# Time


MANY = arranged((*(Term(f"a {'b ' * (n % 7)}c{n}", str(n)) for n in range(2000)), Term("a a a a a a a b", "a")))

TEXTS: dict[str, Callable[[int], str]] = {
    "beginnings of terms": lambda size: "a " * (size // 2),
    "nearly terms": lambda size: "a b b b b b b " * (size // 14),
    "different words": lambda size: " ".join(f"w{n}" for n in range(size // 7)),
    "terms": lambda size: " ".join(f"a {'b ' * (n % 7)}c{n % 2000}" for n in range(size // 14)),
    "hyphens": lambda size: "a-" * (size // 2),
    "Cyrillic": lambda size: "служба " * (size // 7),
}


@pytest.mark.full
@pytest.mark.skipif(on_postgresql(), reason="no database is asked, and once is enough")
@pytest.mark.parametrize("kind", TEXTS)
def test_finding_terms_takes_time_in_proportion_to_the_text(kind: str) -> None:
    Growth(kind, MAX_TEXT, TEXTS[kind], lambda text: list(find_terms(text, MANY))).check()
