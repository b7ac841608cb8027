"""The sign after works that were consulted in extract or indirectly, wherever a work is named, and what it means."""

from urllib.parse import urldefrag
from xml.etree.ElementTree import Element

import pytest
from django.test import Client

from articles import citations, citing
from articles.models import Article, Reference
from articles.tests.test_citing import read_bibtex, read_ris
from rlm_site.tests.editor import count_queries
from rlm_site.tests.html import parse, text_of, with_class

pytestmark = pytest.mark.django_db

Consulted = Reference.Consulted
TOLD = {Consulted.EXTRACT: "consulted in extract", Consulted.INDIRECTLY: "consulted as cited by others"}
SOURCE = [{"fact": "role", "value": "a miller", "detail": "", "source": "[@zorb, p. 9]"}]


@pytest.fixture
def work() -> Reference:
    """Return a work that is cited in notes, in full and in short, and in facts."""
    work = Reference.objects.create(
        key="zorb", title="On Zorblax", authors="Blax, Zora", year="1950", note="as printed in Tolby"
    )
    body = "It is.[@zorb, p. 1] It was.[@zorb, p. 2]"
    Article.objects.create(title="Okapi", slug="okapi", kind="person", body=body, facts=SOURCE, published=True)
    return work


def consult(work: Reference, how: str) -> None:
    Reference.objects.filter(pk=work.pk).update(consulted=how)


def signs(element: Element) -> list[tuple[str, str | None, str | None]]:
    """Return the signs in an element: what is seen, what is announced, and where it leads."""
    return [(text_of(sign), sign.get("aria-label"), sign.get("href")) for sign in with_class(element, "sign")]


def element(document: Element, name: str) -> Element:
    return next(each for each in document.iter() if each.get("id") == name)


@pytest.mark.parametrize("how", Consulted.values)
def test_a_work_has_the_sign_wherever_it_is_named_if_it_was_not_seen_as_it_is_cited(
    client: Client, work: Reference, how: str
) -> None:
    consult(work, how)
    page, bibliography = parse(client.get("/okapi/")), parse(client.get("/references/"))
    named = [
        element(page, "note-1"),
        element(page, "note-2"),
        *with_class(page, "facts"),
        *with_class(page, "cited"),
        element(bibliography, "zorb"),
    ]
    assert len(named) == 5
    told = TOLD.get(Consulted(how))
    expected = [("°", told, "/about/#site_sign")] if told else []
    assert [signs(each) for each in named] == [expected] * 5


def test_the_sign_follows_the_work_and_stands_before_the_place(client: Client, work: Reference) -> None:
    consult(work, "extract")
    page = parse(client.get("/okapi/"))
    assert "On Zorblax (1950)°, p. 1 (as printed in Tolby)." in text_of(element(page, "note-1"))
    assert "Blax°, p. 2." in text_of(element(page, "note-2"))
    assert "(1950). As printed in Tolby.°" in text_of(element(parse(client.get("/references/")), "zorb"))


def test_the_sign_follows_every_change_at_once_and_costs_no_query(client: Client, work: Reference) -> None:
    counted = []
    for how in ("", "extract", "whole", "indirectly"):
        consult(work, how)
        counted.append(count_queries(client, "/okapi/"))
        shown = [len(signs(parse(client.get(address)))) > 0 for address in ("/okapi/", "/references/")]
        assert shown == [how in TOLD] * 2, how
    assert len(set(counted)) == 1


@pytest.mark.parametrize("how", Consulted.values)
def test_files_for_other_programs_say_it_in_their_notes(work: Reference, how: str) -> None:
    work.consulted = how
    told = TOLD.get(Consulted(how))
    note = f"as printed in Tolby; {told}" if told else "as printed in Tolby"
    assert read_bibtex(citing.bibtex([citations.as_work(work)]))[0]["note"] == note
    assert read_ris(citing.ris([citations.as_work(work)]))[0]["notes"] == [note]
    work.note = ""
    assert read_ris(citing.ris([citations.as_work(work)]))[0].get("notes", []) == ([told] if told else [])


ABOUT = [
    ("", "A small circle, °, after a work"),
    ("It takes no side.", "A small circle, °, after a work"),
    ("At 52° north.\n\n## Rules\n\nNone.", "A small circle, °, after a work"),
    ("## Rules\n\nNone.\n\n## Sources and the sign °\n\nNot seen whole.", "Sources and the sign °"),
    ("## Signs: °\n\nNot seen whole.\n\n## More of ° and others\n\nAs above.", "Signs: °"),
]


@pytest.mark.parametrize(("body", "explained"), ABOUT)
def test_the_sign_leads_to_the_one_explanation(client: Client, work: Reference, body: str, explained: str) -> None:
    consult(work, "extract")
    if body:
        Article.objects.create(title="About", slug="about", body=body, published=True)
    [(_seen, _told, address), *_others] = signs(parse(client.get("/okapi/")))
    path, name = urldefrag(str(address))
    about = parse(client.get(path))
    found = [each for each in about.iter() if each.get("id") == name]
    assert len(found) == 1
    above = next(each for each in about.iter() if found[0] in list(each))
    assert explained in text_of(found[0]) + text_of(above)
    assert ("A small circle" in text_of(about)) == explained.startswith("A small circle")
