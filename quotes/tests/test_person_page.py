import pytest
from django.test import Client

from quotes.models import Person, Quote
from rlm_site.tests.html import parse, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def zora() -> Person:
    person = Person.objects.create(
        name="Zora Blax",
        sort_name="Blax, Zora",
        slug="zora-blax",
        born=1850,
        died=1920,
        description="U.S. zoologist",
        aliases=["Z. B.", "Mrs. Blax"],
    )
    for status in ("verified", "reported", "unverified", "disputed", "misattributed"):
        Quote.objects.create(text=f"One {status} zorblax.", person=person, status=status, published=True)
    return person


def test_name_dates_description_and_other_names_are_shown(client: Client, zora: Person) -> None:
    document = parse(client.get("/quotes/people/zora-blax/"))
    assert text_of(document.find(".//h1")) == "Zora Blax"
    text = text_of(document.find(".//main"))
    for part in ("1850–1920", "U.S. zoologist", "Z. B.", "Mrs. Blax"):
        assert part in text


def test_quotations_are_listed_and_disputed_ones_set_apart(client: Client, zora: Person) -> None:
    document = parse(client.get("/quotes/people/zora-blax/"))
    sections = {text_of(section.find(".//h2")): section for section in document.iter("section")}
    quotations = {title: [text_of(q) for q in section.iter("blockquote")] for title, section in sections.items()}
    sure = next(texts for title, texts in quotations.items() if title.startswith("Quotations"))
    disputed = next(texts for title, texts in quotations.items() if "disputed" in title)
    assert sure == ["One verified zorblax.", "One reported zorblax.", "One unverified zorblax."]
    assert disputed == ["One disputed zorblax."]


def test_what_is_not_theirs_is_never_among_their_quotations(client: Client, zora: Person) -> None:
    document = parse(client.get("/quotes/people/zora-blax/"))
    assert "One misattributed zorblax." not in [text_of(quotation) for quotation in document.iter("blockquote")]
    if "One misattributed zorblax." in text_of(document.find(".//main")):
        assert "Not by Zora Blax" in text_of(document.find(".//main"))


def test_a_person_with_only_disputed_quotations_has_a_page(client: Client) -> None:
    response = client.get("/quotes/people/margery-ford/")
    assert response.status_code == 200
    assert "The ferry takes everybody, and never asks what for." in text_of(parse(response).find(".//main"))


def test_many_quotations_are_paged_and_the_disputed_ones_are_on_every_page(client: Client, zora: Person) -> None:
    for number in range(30):
        Quote.objects.create(text=f"Zorblax number {number}.", person=zora, status="reported", published=True)
    first, second = client.get("/quotes/people/zora-blax/"), client.get("/quotes/people/zora-blax/?page=2")
    assert first.context["page"].paginator.count == 33
    assert not {quote.pk for quote in first.context["page"]} & {quote.pk for quote in second.context["page"]}
    parse(second)


@pytest.mark.parametrize("slug", ["nobody", "x" * 300])
def test_unknown_people_are_not_found(client: Client, slug: str) -> None:
    assert client.get(f"/quotes/people/{slug}/").status_code == 404
