"""Lists of entries, the glossary, the index, and the facts of an entry."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from articles import entries
from articles.models import Article, Reference
from quotes.models import Person
from rlm_site.tests.editor import count_queries
from rlm_site.tests.html import links, parse, text_of, with_class
from rlm_site.text.slugs import slug_for

pytestmark = pytest.mark.django_db

LISTS = {
    "/people/": "person",
    "/places/": "place",
    "/documents/": "document",
    "/glossary/": "term",
    "/index/": "person",
}


def row(fact: str, value: str, detail: str = "", source: str = "") -> dict[str, str]:
    return {"fact": fact, "value": value, "detail": detail, "source": source}


def name(text: str, language: str = "", note: str = "") -> dict[str, str]:
    return {"name": text, "language": language, "note": note}


def add(title: str, kind: str = "person", **fields: Any) -> Article:
    given = {"slug": slug_for(title), "kind": kind, "body": f"{title} is here.", "published": True}
    return Article.objects.create(title=title, **(given | fields))


def main_text(client: Client, address: str) -> str:
    return text_of(parse(client.get(address)).find(".//main"))


@pytest.mark.parametrize("address", LISTS)
def test_an_empty_list_says_so(client: Client, address: str) -> None:
    Article.objects.all().delete()
    text = main_text(client, address)
    assert "yet." in text
    assert list(parse(client.get(address)).iter("h2")) == []


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize(
    "hidden",
    [
        {"published": False},
        {"publish_at": timezone.now() + timedelta(days=1)},
        {"retire_at": timezone.now() - timedelta(days=1)},
    ],
)
def test_only_public_entries_are_listed(client: Client, address: str, hidden: dict[str, Any]) -> None:
    add("Shown Okapi", LISTS[address], summary="Striped.")
    add("Hidden Gnu", LISTS[address], summary="Unseen.", aliases=[name("Hidden Wildebeest")], **hidden)
    text = main_text(client, address)
    assert "Shown Okapi" in text
    assert "Hidden" not in text


@pytest.mark.parametrize("address", LISTS)
def test_lists_cost_the_same_however_much_there_is(client: Client, address: str) -> None:
    kind = LISTS[address]
    first = {"person": "born", "place": "event", "document": "date", "term": "expansion"}[kind]
    facts = [row(first, "1901", "[[Edgar Tarlow]]", "[@arden-1987, p. 4]")]
    add("Okapi", kind, facts=facts, aliases=[name("Ab")])
    few = count_queries(client, address)
    for number in range(12):
        aliases = [name(f"Name {number} {place}", "ru" if place % 2 else "") for place in range(5)]
        add(f"Okapi {number}", kind, facts=facts * 6, aliases=aliases, summary="" if number % 2 else "Striped.")
    assert count_queries(client, address) <= few <= 6


def test_an_entry_costs_the_same_however_many_facts_and_names_it_has(client: Client) -> None:
    fact = row("role", "Miller of [[Edgar Tarlow]]", "from [[Yarle Valley]]", "[@arden-1987, p. 4]")
    add("Okapi", facts=[fact], aliases=[name("Окапи", "ru")])
    few = count_queries(client, "/okapi/")
    many = [{**fact, "detail": f"in {number}"} for number in range(60)]
    add("Gnu", facts=many, aliases=[name(f"Gnu {number}", "ru") for number in range(60)])
    assert count_queries(client, "/gnu/") <= few


def test_people_stand_under_their_letters_by_sort_title_with_their_dates(client: Client) -> None:
    add("Andrey Zorb", sort_title="Zorb, Andrey", facts=[row("born", "1901"), row("died", "1946-08-01")])
    add("Émile Arden", sort_title="Ábel, Émile", summary="A miller.")
    add("Власов")
    add("7th Man", sort_title="")
    document = parse(client.get("/people/"))
    assert [text_of(heading) for heading in document.iter("h2")] == ["0–9", "A", "Z", "В"]
    assert [text_of(heading) for heading in document.iter("h3")] == [
        "7th Man", "Ábel, Émile", "Zorb, Andrey 1901–1946", "Власов",
    ]  # fmt: skip
    assert "A miller." in text_of(document)
    assert "Andrey Zorb is here." in text_of(document)  # where nobody has written a summary


def test_places_name_their_countries_today(client: Client) -> None:
    add("Tolby", "place", facts=[row("country", "[[Yarle Valley|Valley]] *Republic*")])
    assert text_of(next(parse(client.get("/places/")).iter("h3"))) == "Tolby Valley Republic"


def test_documents_stand_in_the_order_of_their_dates(client: Client) -> None:
    add("Undated", "document")
    add("Later", "document", facts=[row("date", "1944-11-14"), row("date", "1900")])
    add("Earlier", "document", facts=[row("date", "c. 1942-12")])
    page = client.get("/documents/")
    assert [entry.article.title for entry in page.context["page"]] == ["Earlier", "Later", "Undated"]
    document = parse(page)
    assert [(date.get("datetime"), text_of(date)) for date in document.iter("time")] == [
        ("1942-12", "c. December 1942"),
        ("1944-11-14", "14 November 1944"),
    ]
    assert list(links(document).values())[:3] == ["Earlier", "Later", "Undated"]


def test_the_index_has_every_name_of_every_entry_once(client: Client) -> None:
    Article.objects.all().delete()
    add(
        "Andrey Zorb",
        sort_title="Zorb, Andrey",
        aliases=[name("Зорб, Андрей", "ru"), name("zorb, andrey"), name("Sorb")],
    )
    add("Abwehr", "term", body="", summary="An office.")
    add("About", slug="about")
    topic = add("Mills", "subject")
    Article.objects.create(parent=topic, title="A Section", slug="a-section", published=True)
    document = parse(client.get("/index/"))
    lines = [text_of(item) for section in document.iter("section") for item in section.iter("li")]
    assert lines == ["Abwehr", "Mills", "Sorb → Andrey Zorb", "Zorb, Andrey", "Зорб, Андрей → Andrey Zorb"]
    assert [element.text for element in document.iter("span") if element.get("lang") == "ru"] == ["Зорб, Андрей"]
    assert links(document)["/glossary/#abwehr"] == "Abwehr"
    letters = [link.get("href") for each in with_class(document, "letters") for link in each.iter("a")]
    ids = {element.get("id") for element in document.iter()}
    assert {str(letter)[1:] for letter in letters} <= ids


def test_a_long_index_has_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("articles.entry_views.NAMES_A_PAGE", 3)
    Article.objects.all().delete()
    for number in range(4):
        add(f"Okapi {number}")
    assert "Okapi 2" in main_text(client, "/index/")
    assert "Okapi 3" not in main_text(client, "/index/")
    assert "Okapi 3" in main_text(client, "/index/?page=2")


def test_the_letters_of_a_long_index_lead_to_its_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("articles.entry_views.NAMES_A_PAGE", 2)
    Article.objects.all().delete()
    for title in ("Aardvark", "Badger", "Beaver", "Civet"):
        add(title)

    def letters(address: str) -> list[str | None]:
        [nav] = with_class(parse(client.get(address)), "letters")
        return [link.get("href") for link in nav.iter("a")]

    assert letters("/index/") == ["#letter_A", "#letter_B", "?page=2#letter_C"]
    assert letters("/index/?page=2") == ["?page=1#letter_A", "?page=1#letter_B", "#letter_C"]


# The glossary


def test_a_gloss_has_its_place_in_the_glossary_and_no_page_of_its_own(client: Client) -> None:
    facts = [row("expansion", "Amt *Ausland*", "", "[@arden-1987, p. 4]"), row("original", "Abwehr", "de")]
    add("Abwehr", "term", body="", summary="An office.", facts=facts, aliases=[name("Абвер", "ru")])
    response = client.get("/abwehr/")
    assert (response.status_code, response["Location"]) == (302, "/glossary/#abwehr")
    document = parse(client.get("/glossary/"))
    [gloss] = [item for item in document.iter("li") if item.get("id") == "abwehr"]
    assert text_of(gloss) == (
        "Abwehr An office. In Russian Абвер Original Abwehr Stands for Amt Ausland (Arden 1987, p. 4)"
    )
    assert [link.get("href") for link in gloss.iter("a")] == ["/references/#arden-1987"]
    assert [element.get("lang") for element in gloss.iter("span") if element.get("lang")] == ["ru", "de"]


def test_a_term_with_a_text_has_a_page_that_the_glossary_links(client: Client) -> None:
    add("Abwehr", "term", summary="An office.")
    assert client.get("/abwehr/").status_code == 200
    assert links(parse(client.get("/glossary/")))["/abwehr/"] == "Abwehr"


def test_a_gloss_is_in_no_sitemap(client: Client) -> None:
    add("Abwehr", "term", body="", summary="An office.")
    add("Okapi", "term", summary="An animal.")
    addresses = client.get("/sitemap-articles.xml").content.decode()
    assert "abwehr" not in addresses
    assert "/okapi/" in addresses
    assert "/all/" not in addresses


def test_the_sitemap_has_the_lists_that_have_entries(client: Client) -> None:
    Article.objects.all().delete()
    assert "/people/</loc>" in client.get("/sitemap-pages.xml").content.decode()  # of the authors of quotations
    assert "8000/people/" not in client.get("/sitemap-pages.xml").content.decode()
    add("Okapi")
    addresses = client.get("/sitemap-pages.xml").content.decode()
    assert "8000/people/</loc>" in addresses
    assert "8000/index/</loc>" in addresses
    assert "8000/places/" not in addresses


# Facts


def table(client: Client, address: str) -> dict[str, list[str]]:
    [facts] = parse(client.get(address)).iter("dl")
    found: dict[str, list[str]] = {}
    for element in facts.iter():
        if element.tag == "dt":
            found[text_of(element)] = values = []
        elif element.tag == "dd":
            values.append(text_of(element))
    return found


def test_facts_are_read_with_their_links_citations_and_dates(client: Client) -> None:
    facts = [
        row("died", "1946-08-01", "hanged by [[Edgar Tarlow|Tarlow]]", "[@arden-1987, p. 4]"),
        row("born", "1901", "at *Lomakino*"),
        row("born", "c. 1900-09", "", "Moss; [@moss-mills]"),
        row("strength", "not of a person"),
    ]
    add("Okapi", facts=facts, aliases=[name("Okapy"), name("Окапи", "ru", "as printed"), name("Окапій", "uk")])
    assert list(table(client, "/okapi/").items()) == [
        ("In Russian", ["Окапи, as printed"]),
        ("In Ukrainian", ["Окапій"]),
        ("Born", ["1901, at Lomakino", "c. September 1900 (Moss; (Moss))"]),
        ("Died", ["1 August 1946, hanged by Tarlow (Arden 1987, p. 4)"]),
        ("Also written", ["Okapy"]),
    ]
    document = parse(client.get("/okapi/"))
    [facts_shown] = document.iter("dl")
    assert [(link.get("href"), text_of(link)) for link in facts_shown.iter("a")] == [
        ("/references/#moss-mills", "Moss"),
        ("/edgar-tarlow/", "Tarlow"),
        ("/references/#arden-1987", "Arden 1987"),
    ]
    assert [element.get("datetime") for element in document.iter("time")][:2] == ["1901", "1900-09"]


def test_what_a_fact_says_is_escaped(client: Client) -> None:
    add("Okapi", facts=[row("role", "<b>x</b>", "<script>", '"><i>')], aliases=[name("<u>")])
    page = client.get("/okapi/").content.decode()
    for markup in ("<b>", "<script>", "<i>", "<u>"):
        assert markup not in page.partition("<main")[2]


def test_figures_that_differ_stand_in_a_table_with_who_gives_them(client: Client) -> None:
    facts = [row("strength", "40,000", "men", "[@arden-1987]"), row("strength", "50,000", "with the air force", "Moss")]
    add("Yarle Guard", "formation", facts=facts)
    [figures] = parse(client.get("/yarle-guard/")).iter("tbody")
    assert [[text_of(cell) for cell in line.iter("td")] for line in figures.iter("tr")] == [
        ["40,000", "men", "Arden 1987"],
        ["50,000", "with the air force", "Moss"],
    ]


def test_a_work_that_facts_alone_cite_is_in_the_bibliography(client: Client) -> None:
    Reference.objects.create(key="okapi-1950", title="Stripes", authors="Blax, Zora", year="1950")
    add("Okapi", facts=[row("role", "miller", "", "[@okapi-1950]")])
    [item] = [each for each in parse(client.get("/references/")).iter("li") if each.get("id") == "okapi-1950"]
    assert "/okapi/" in [link.get("href") for link in item.iter("a")]
    assert "Blax, Zora. Stripes (1950)." in text_of(with_class(parse(client.get("/okapi/")), "cited")[0])


def test_a_section_shows_no_facts(client: Client) -> None:
    Article.objects.filter(slug="the-millers").update(facts=[row("role", "miller")], kind="person")
    assert list(parse(client.get("/yarle-valley/the-millers/")).iter("dl")) == []


# Linked data


def about(client: Client, address: str) -> dict[str, Any] | None:
    [script] = parse(client.get(address)).findall(".//script[@type='application/ld+json']")
    found: dict[str, Any] | None = json.loads(text_of(script))["@graph"][0].get("about")
    return found


def test_linked_data_says_what_an_entry_is_about(client: Client) -> None:
    facts = [row("born", "1901-09-14"), row("died", "1946-08-01"), row("died", "1946-08-02")]
    add("Okapi", facts=facts, aliases=[name("Окапи", "ru")])
    assert about(client, "/okapi/") == {
        "@type": "Person",
        "name": "Okapi",
        "alternateName": ["Окапи"],
        "birthDate": "1901-09-14",
    }
    add("Tolby", "place", facts=[row("coordinates", "52.5, -13.25")])
    assert about(client, "/tolby/") == {
        "@type": "Place",
        "name": "Tolby",
        "geo": {"@type": "GeoCoordinates", "latitude": 52.5, "longitude": -13.25},
    }
    add("Charter", "document", facts=[row("date", "1942-07-11/1942-07-12")])
    assert about(client, "/charter/") == {"@type": "CreativeWork", "name": "Charter"}
    assert about(client, "/yarle-valley/") is None


# Authors of quotations


def test_an_entry_and_its_author_of_quotations_lead_to_each_other(client: Client) -> None:
    person = Person.objects.get(slug="lena-sommer")
    entry = add("Lena Sommer", person=person)
    count = client.get("/quotes/people/lena-sommer/").context["page"].paginator.count
    assert links(parse(client.get("/lena-sommer/")))["/quotes/people/lena-sommer/"] == "Quotations by Lena Sommer"
    assert f"Quotations by Lena Sommer ({count})" in main_text(client, "/lena-sommer/")
    assert links(parse(client.get("/quotes/people/lena-sommer/")))["/lena-sommer/"] == "Lena Sommer"
    Article.objects.filter(pk=entry.pk).update(published=False)
    assert "/lena-sommer/" not in links(parse(client.get("/quotes/people/lena-sommer/")))
    person.quotes.update(published=False)
    Article.objects.filter(pk=entry.pk).update(published=True)
    assert "/quotes/people/lena-sommer/" not in links(parse(client.get("/lena-sommer/")))


def test_the_former_address_of_a_person_leads_to_the_present_one(client: Client) -> None:
    def answer(address: str) -> tuple[int, str]:
        response = client.get(address)
        return response.status_code, response.headers.get("Location", "")

    assert answer("/people/lena-sommer/") == (301, "/quotes/people/lena-sommer/")
    person = Person.objects.get(slug="lena-sommer")
    person.slug = "sommer"
    person.save()
    client.get("/")
    assert answer("/people/lena-sommer/") == (301, "/quotes/people/sommer/")
    assert answer("/quotes/people/lena-sommer/") == (301, "/quotes/people/sommer/")
    assert answer("/people/nobody/")[0] == 404
    assert answer("/people/edgar-tarlow/")[0] == 404  # who has no quotation


def test_names_are_sorted_without_accents_and_signs() -> None:
    names = ["Ёлкин", "“Zorb”", "Émile", "eland", "10th", "Abel"]
    assert sorted(names, key=entries.sort_key) == ["10th", "Abel", "eland", "Émile", "“Zorb”", "Ёлкин"]
