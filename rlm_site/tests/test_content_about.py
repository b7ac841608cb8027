"""Each promise of the about page that a program can check. Those about quotations are also among the pages' tests."""

import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from django.test import Client
from django.utils import timezone

from articles import claims, markdown, review_checks
from articles.models import Article, Event, Reference
from articles.sources import sources_of
from articles.tests.test_citing import read_bibtex, read_ris
from quotes.models import Quote
from rlm_site.tests.html import parse, text_of, with_class

pytestmark = [pytest.mark.django_db, pytest.mark.content]

BEGAN = 1941
LONGEST = 14_000  # bytes of a section
SIGNED = (Reference.Consulted.EXTRACT, Reference.Consulted.INDIRECTLY)

# What the check of claims names and an editor has read: sums, comparisons and links whose figures have their notes
# elsewhere on the page, and negatives that name whose they are.
READ = {
    claims.VAGUE: {"death-of-a-commander", "truth-in-numbers"},
    claims.NEGATIVE: {"forced-return", "jews-in-the-camps-and-in-propaganda"},
    claims.FIGURE: {
        "return-of-the-prisoners", "ochota-august-1944", "return-and-its-numbers", "a-promised-land-in-italy",
        "the-road-home", "truth-in-numbers", "grew-to-gromyko-on-the-uniform",
        "grew-to-kennan-on-general-golubevs-letters", "joint-chiefs-to-mcnarney-on-citizenship", "dabendorf-school",
    },
    claims.NO_PLACE: set(),
}  # fmt: skip


def about(client: Client) -> Element:
    return next(parse(client.get("/about/")).iter("main"))


def addresses(element: Element) -> list[str]:
    return [str(link.get("href")) for link in element.iter("a")]


def pages() -> Iterator[Article]:
    return iter(Article.objects.published(timezone.now()).exclude(slug="about").select_related("parent"))


# “Every section is a short page about one thing and names its sources in numbered notes”, beside entries


def test_every_section_is_short_and_has_notes() -> None:
    sections = [page for page in pages() if page.parent_id]
    assert sections
    assert [page.slug for page in sections if len(page.body.encode()) > LONGEST] == []
    assert [page.slug for page in sections if not markdown.source(page.body).citations] == []


def test_entries_of_every_kind_stand_beside_the_topics() -> None:
    kinds = {page.kind for page in pages() if not page.parent_id}
    assert kinds == set(Article.Kind.values)


# “Encyclopedias that anybody can edit, and copies of them, are not cited”; “Vlasovites … is kept in quotations”


def test_no_text_links_to_an_encyclopedia_that_anybody_can_edit() -> None:
    linked = {address for page in pages() for source in sources_of(page) for address in source.addresses}
    assert linked
    assert {each for each in linked if re.search(r"wiki|fandom", each, re.IGNORECASE)} == set()


def test_events_and_facts_say_vlasovites_in_quotations_alone() -> None:
    texts = [event.text for event in Event.objects.all()]
    texts += [value for page in pages() for row in page.facts for value in row.values()]
    texts += [page.summary for page in pages() if page.slug != "vlasovites"]
    own = [re.sub(r"“[^”]*”|\[\[[^\]]*\]\]", "", text) for text in texts]
    assert [text for text in own if "vlasovite" in text.lower()] == []


# “Numbers are given with the person or the paper that gives them”; “A note gives the page”


@pytest.mark.parametrize("kind", READ)
def test_the_claims_without_a_source_are_those_that_an_editor_has_read(kind: str) -> None:
    found = {str(each.row) for each in review_checks.unsourced_claims(timezone.now()) if each.claim.kind == kind}
    read = {str(page) for page in pages() if page.slug in READ[kind]}
    assert found - read == set()


def test_every_figure_of_a_strength_names_its_source() -> None:
    rows = [row for page in pages() for row in page.facts if row["fact"] == "strength"]
    assert rows
    assert [row for row in rows if "[@" not in row["source"]] == []


def test_places_have_the_name_of_today_once_in_brackets() -> None:
    found = {page.slug: re.findall(r"\(now [^)]*\)", page.body) for page in pages()}
    assert any(found.values())
    assert {slug: names for slug, names in found.items() if len(names) > len(set(names))} == {}


# “A small circle, °, after a work”


def test_of_every_work_it_is_recorded_how_it_was_consulted() -> None:
    assert list(Reference.objects.filter(consulted="").values_list("key", flat=True)) == []


def test_the_circle_stands_after_those_works_that_were_consulted_in_extract(client: Client) -> None:
    entries = {item.get("id"): item for item in parse(client.get("/references/")).iter("li") if item.get("id")}
    signed = {key for key, entry in entries.items() if with_class(entry, "sign")}
    assert signed == {row.key for row in Reference.objects.filter(consulted__in=SIGNED) if row.key in entries}
    assert 0 < len(signed) < len(entries)


def test_the_circle_is_explained_once_where_it_leads(client: Client) -> None:
    page = about(client)
    [heading] = [each for each in page.iter("h2") if any(inner.get("id") == "site_sign" for inner in each.iter())]
    assert "°" in text_of(heading)
    assert text_of(page).count("A small circle") == 1


# Quotations


def test_the_rules_of_picking_are_told_further_down(client: Client) -> None:
    headings = [text_of(heading) for heading in about(client).iter("h2")]
    assert headings.index("Quotations") < headings.index("How quotations are picked")


def test_most_who_are_quoted_lived_before_the_events() -> None:
    died = [year for year in Quote.objects.filter(published=True).values_list("person__died", flat=True) if year]
    assert sum(year < BEGAN for year in died) > len(died) / 2


# “How to cite”, “Errors”, “Coordinates and map”


def test_a_page_tells_how_to_cite_it_in_three_forms(client: Client) -> None:
    page = parse(client.get("/andrey-vlasov/"))
    [cite] = with_class(page, "cite")
    assert "Cite this page" in text_of(cite)
    version = next(address for address in addresses(cite) if re.fullmatch(r"/andrey-vlasov/versions/\d+/", address))
    assert client.get(version).status_code == 200
    assert version in text_of(cite)
    forms = next(address for address in addresses(cite) if "/cit" in address)
    assert {"BibTeX", "RIS"} <= set(text_of(parse(client.get(forms))).replace(",", " ").split())


def test_the_bibliography_can_be_downloaded_in_both_formats(client: Client) -> None:
    listed = {item.get("id") for item in parse(client.get("/references/")).iter("li") if item.get("id")}
    assert {entry["key"] for entry in read_bibtex(client.get("/references/all.bib").content.decode())} == listed
    assert {entry["id"] for entry in read_ris(client.get("/references/all.ris").content.decode())} == listed


@pytest.mark.parametrize("contact", ["", "editors@river.example"])
def test_below_stands_where_an_error_is_told_and_where_corrections_are_listed(
    client: Client, settings: Any, contact: str
) -> None:
    settings.CONTACT_EMAIL = contact
    below = text_of(about(client)).partition("Contact and corrections")[2]
    assert contact in below
    assert "/changes/" in addresses(about(client))


def test_coordinates_name_their_source_and_the_map_its_own(client: Client) -> None:
    rows = [row for page in pages() for row in page.facts if row["fact"] == "coordinates"]
    assert sum("[@geonames" in row["source"] for row in rows) > len(rows) / 2
    assert [row for row in rows if "[@" not in row["source"]] == []
    assert "Natural Earth" in text_of(parse(client.get("/map/")))
