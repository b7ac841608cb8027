import json
from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from articles.models import Article, QuoteChoice
from quotes.models import Check, Person, Quote, Work
from rlm_site.tests.html import links, meta, parse, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def garland() -> Quote:
    return Quote.objects.get(key="garland-weights-and-measures")


def test_it_shows_the_quotation_with_its_attribution(client: Client, garland: Quote) -> None:
    document = parse(client.get(garland.get_absolute_url()))
    assert text_of(document.find(".//main//blockquote")) == garland.text
    assert (
        "Mrs. Edmund T. Garland, Tolby baker. As quoted in History of the Yarle Mills, vol. 5, ch. 8, "
        "by Ida Marsh Hollis (1922)"
    ) in text_of(document.find(".//main"))
    assert links(document)["/quotes/people/mrs-edmund-t-garland/"] == "Mrs. Edmund T. Garland"


def test_both_the_primary_and_the_later_source_are_shown(client: Client) -> None:
    quote = Quote.objects.get(key="shakespeare-for-the-rain")
    text = text_of(parse(client.get(quote.get_absolute_url())).find(".//main"))
    assert "Twelfth Night" in text
    assert "Familiar Quotations" in text


def test_it_lists_the_pages_that_show_it(client: Client, garland: Quote) -> None:
    shown = links(parse(client.get(garland.get_absolute_url())))
    assert shown["/yarle-valley/the-millers/"] == "Yarle Valley - The Millers"


def test_the_pages_that_show_it_are_exactly_those_on_which_it_stands(client: Client, garland: Quote) -> None:
    listed = client.get(garland.get_absolute_url()).context["showing"]
    text = garland.text.partition("millers")[0]
    standing = [
        article
        for article in Article.objects.filter(parent__slug="yarle-valley").select_related("parent")
        if any(
            text_of(quotation).startswith(text)
            for quotation in parse(client.get(article.get_absolute_url())).iter("blockquote")
        )
    ]
    assert [article for article in listed if article.parent and article.parent.slug == "yarle-valley"] == (standing)


def test_a_pin_adds_a_page_and_a_ban_removes_one(client: Client, garland: Quote) -> None:
    QuoteChoice.objects.create(article=Article.objects.get(slug="the-millers"), quote=garland, action="ban")
    QuoteChoice.objects.create(article=Article.objects.get(slug="low-water"), quote=garland, action="pin")
    shown = links(parse(client.get(garland.get_absolute_url())))
    assert "/yarle-valley/the-millers/" not in shown
    assert "/yarle-valley/low-water/" in shown


def test_evidence_is_shown(client: Client, garland: Quote) -> None:
    work = Work.objects.create(title="Zorblax Papers", authors="Zora Blax", year=1901)
    Check.objects.create(
        quote=garland,
        checked_by="A. Reader",
        checked_on=date(2026, 5, 4),
        work=work,
        place="p. 12",
        found="As printed.",
    )
    text = text_of(parse(client.get(garland.get_absolute_url())).find(".//main"))
    assert "4 May 2026" in text
    assert "A. Reader" in text
    assert "Zorblax Papers, p. 12" in text
    assert "As printed." in text


def test_a_misattributed_quotation_says_whose_it_really_is(client: Client) -> None:
    quote = Quote.objects.get(key="tarlow-a-river-reads-no-map")
    true = Quote.objects.get(key="marsh-a-river-reads-no-map")
    document = parse(client.get(quote.get_absolute_url()))
    assert "Not by Edgar Tarlow" in text_of(document.find(".//main"))
    assert true.get_absolute_url() in links(document)
    assert "/quotes/people/edgar-tarlow/" not in links(document)
    [script] = document.findall(".//script[@type='application/ld+json']")
    quotation = json.loads(text_of(script))["@graph"][0]
    assert "creator" not in quotation
    assert quotation["mainEntityOfPage"]["@id"] == quotation["url"]


def test_the_true_source_is_not_named_while_it_is_a_draft(client: Client) -> None:
    quote = Quote.objects.get(key="tarlow-a-river-reads-no-map")
    true = Quote.objects.get(key="marsh-a-river-reads-no-map")
    Quote.objects.filter(pk=true.pk).update(published=False)
    assert true.get_absolute_url() not in links(parse(client.get(quote.get_absolute_url())))


def test_another_wording_is_linked_only_while_it_is_public(client: Client, garland: Quote) -> None:
    other = Quote.objects.create(text="A shorter zorblax.", status="reported", published=True)
    Quote.objects.filter(pk=garland.pk).update(version_of=other)
    assert other.get_absolute_url() in links(parse(client.get(garland.get_absolute_url())))
    Quote.objects.filter(pk=other.pk).update(publish_at=timezone.now() + timedelta(hours=1))
    assert other.get_absolute_url() not in links(parse(client.get(garland.get_absolute_url())))


def test_a_disputed_quotation_is_attributed_with_care(client: Client) -> None:
    quote = Quote.objects.get(key="ford-the-ferry-takes-everybody")
    text = text_of(parse(client.get(quote.get_absolute_url())).find(".//main"))
    assert "Attributed to Margery Ford" in text
    assert "disputed" in text.lower()


def test_a_quotation_without_a_person_is_anonymous(client: Client) -> None:
    quote = Quote.objects.create(text="A zorblax is no friend.", status="reported", published=True)
    assert "Anonymous" in text_of(parse(client.get(quote.get_absolute_url())).find(".//main"))


def test_lines_of_verse_stay_lines(client: Client) -> None:
    quote = Quote.objects.create(text="A zorblax on a hill\nIs very still,", status="reported", published=True)
    [verse] = parse(client.get(quote.get_absolute_url())).findall(".//blockquote")
    assert [text_of(line) for line in verse.iter("span")] == ["A zorblax on a hill", "Is very still,"]


def test_the_language_of_the_text_is_declared(client: Client) -> None:
    quote = Quote.objects.create(text="Мир вам.", language="ru", status="reported", published=True)
    response = client.get(quote.get_absolute_url())
    assert quote.get_absolute_url() == f"/quotes/{quote.pk}/mir-vam/"
    [verse] = parse(response).findall(".//main//blockquote")
    assert verse.get("lang") == "ru"


def test_markup_in_a_quotation_is_text(client: Client) -> None:
    person = Person.objects.create(name="<i>Zora</i> & Co", slug="zora")
    text = "<script>alert(1)</script> & millers"
    quote = Quote.objects.create(text=text, person=person, status="reported", published=True)
    document = parse(client.get(quote.get_absolute_url()))
    assert text_of(document.find(".//main//blockquote")) == text
    assert document.find(".//main//script") is None
    assert "<i>Zora</i> & Co" in text_of(document.find(".//main"))


def test_linked_data_have_creator_and_source(client: Client, garland: Quote) -> None:
    [script] = parse(client.get(garland.get_absolute_url())).findall(".//script[@type='application/ld+json']")
    quotation, crumbs = json.loads(text_of(script))["@graph"]
    assert quotation["@type"] == "Quotation"
    assert quotation["text"] == garland.text
    assert quotation["creator"] == {"@type": "Person", "name": "Mrs. Edmund T. Garland"}
    assert quotation["isPartOf"]["name"] == "History of the Yarle Mills"
    assert quotation["isPartOf"]["author"] == "Ida Marsh Hollis"
    assert quotation["isPartOf"]["datePublished"] == "1922"
    assert quotation["url"] == f"http://127.0.0.1:8000{garland.get_absolute_url()}"
    assert crumbs["@type"] == "BreadcrumbList"


def test_open_graph_and_canonical_are_those_of_the_quotation(client: Client, garland: Quote) -> None:
    document = parse(client.get(garland.get_absolute_url()))
    address = f"http://127.0.0.1:8000{garland.get_absolute_url()}"
    assert meta(document, "og:url") == address
    assert [link.get("href") for link in document.iter("link") if link.get("rel") == "canonical"] == [address]


def test_a_withdrawn_quotation_says_so_or_leads_on(client: Client) -> None:
    past = timezone.now() - timedelta(days=1)
    quote = Quote.objects.create(text="A zorblax.", status="reported", published=True, retire_at=past)
    address = f"/quotes/{quote.pk}/a-zorblax/"
    response = client.get(address)
    assert response.status_code == 410
    assert "zorblax." not in text_of(parse(response).find(".//main"))
    Quote.objects.filter(pk=quote.pk).update(retired_to="/quotes/people/lena-sommer/")
    response = client.get(address)
    assert (response.status_code, response["Location"]) == (301, "/quotes/people/lena-sommer/")
    Quote.objects.filter(pk=quote.pk).update(retired_to=address)
    assert client.get(address).status_code == 410


@pytest.mark.parametrize("address", ["/quotes/987654/", "/quotes/987654/no-such/", f"/quotes/{'9' * 40}/x/"])
def test_a_number_that_no_quotation_has_is_not_found(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404
