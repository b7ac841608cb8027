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
def gannett() -> Quote:
    return Quote.objects.get(key="gannett-indirect-influence")


def test_it_shows_the_quotation_with_its_attribution(client: Client, gannett: Quote) -> None:
    document = parse(client.get(gannett.get_absolute_url()))
    assert text_of(document.find(".//main//blockquote")) == gannett.text
    assert (
        "Mrs. William C. Gannett, U.S. suffragist. As quoted in History of Woman Suffrage, vol. 5, ch. 8, "
        "by Ida Husted Harper (1922)"
    ) in text_of(document.find(".//main"))
    assert links(document)["/people/mrs-william-c-gannett/"] == "Mrs. William C. Gannett"


def test_both_the_primary_and_the_later_source_are_shown(client: Client) -> None:
    quote = Quote.objects.get(key="wordsworth-thou-has-left-behind")
    text = text_of(parse(client.get(quote.get_absolute_url())).find(".//main"))
    assert "To Toussaint L'Ouverture" in text or "To Toussaint L’Ouverture" in text
    assert "Familiar Quotations" in text


def test_it_lists_the_pages_that_show_it(client: Client, gannett: Quote) -> None:
    shown = links(parse(client.get(gannett.get_absolute_url())))
    assert shown["/russian-liberation-movement/the-allies/"] == "Russian Liberation Movement - The Allies"


def test_the_pages_that_show_it_are_exactly_those_on_which_it_stands(client: Client, gannett: Quote) -> None:
    listed = client.get(gannett.get_absolute_url()).context["showing"]
    text = gannett.text.partition("allies")[0]
    standing = [
        article
        for article in Article.objects.filter(parent__slug="russian-liberation-movement").select_related("parent")
        if any(
            text_of(quotation).startswith(text)
            for quotation in parse(client.get(article.get_absolute_url())).iter("blockquote")
        )
    ]
    assert [
        article for article in listed if article.parent and article.parent.slug == "russian-liberation-movement"
    ] == (standing)


def test_a_pin_adds_a_page_and_a_ban_removes_one(client: Client, gannett: Quote) -> None:
    QuoteChoice.objects.create(article=Article.objects.get(slug="the-allies"), quote=gannett, action="ban")
    QuoteChoice.objects.create(article=Article.objects.get(slug="forced-return"), quote=gannett, action="pin")
    shown = links(parse(client.get(gannett.get_absolute_url())))
    assert "/russian-liberation-movement/the-allies/" not in shown
    assert "/russian-liberation-movement/forced-return/" in shown


def test_evidence_is_shown(client: Client, gannett: Quote) -> None:
    work = Work.objects.create(title="Zorblax Papers", authors="Zora Blax", year=1901)
    Check.objects.create(
        quote=gannett,
        checked_by="A. Reader",
        checked_on=date(2026, 5, 4),
        work=work,
        place="p. 12",
        found="As printed.",
    )
    text = text_of(parse(client.get(gannett.get_absolute_url())).find(".//main"))
    assert "4 May 2026" in text
    assert "A. Reader" in text
    assert "Zorblax Papers, p. 12" in text
    assert "As printed." in text


def test_a_misattributed_quotation_says_whose_it_really_is(client: Client) -> None:
    quote = Quote.objects.get(key="stael-providence-has-given-to-the-french")
    true = Quote.objects.get(key="richter-providence-has-given")
    document = parse(client.get(quote.get_absolute_url()))
    assert "Not by Madame de Staël" in text_of(document.find(".//main"))
    assert true.get_absolute_url() in links(document)
    assert "/people/madame-de-stael/" not in links(document)
    [script] = document.findall(".//script[@type='application/ld+json']")
    assert "creator" not in json.loads(text_of(script))["@graph"][0]


def test_the_true_source_is_not_named_while_it_is_a_draft(client: Client) -> None:
    quote = Quote.objects.get(key="stael-providence-has-given-to-the-french")
    true = Quote.objects.get(key="richter-providence-has-given")
    Quote.objects.filter(pk=true.pk).update(published=False)
    assert true.get_absolute_url() not in links(parse(client.get(quote.get_absolute_url())))


def test_another_wording_is_linked_only_while_it_is_public(client: Client, gannett: Quote) -> None:
    other = Quote.objects.create(text="A shorter zorblax.", status="reported", published=True)
    Quote.objects.filter(pk=gannett.pk).update(version_of=other)
    assert other.get_absolute_url() in links(parse(client.get(gannett.get_absolute_url())))
    Quote.objects.filter(pk=other.pk).update(publish_at=timezone.now() + timedelta(hours=1))
    assert other.get_absolute_url() not in links(parse(client.get(gannett.get_absolute_url())))


def test_a_disputed_quotation_is_attributed_with_care(client: Client) -> None:
    quote = Quote.objects.get(key="roland-o-liberty-liberty-how")
    text = text_of(parse(client.get(quote.get_absolute_url())).find(".//main"))
    assert "Attributed to Madame Roland" in text
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
    text = "<script>alert(1)</script> & allies"
    quote = Quote.objects.create(text=text, person=person, status="reported", published=True)
    document = parse(client.get(quote.get_absolute_url()))
    assert text_of(document.find(".//main//blockquote")) == text
    assert document.find(".//main//script") is None
    assert "<i>Zora</i> & Co" in text_of(document.find(".//main"))


def test_linked_data_have_creator_and_source(client: Client, gannett: Quote) -> None:
    [script] = parse(client.get(gannett.get_absolute_url())).findall(".//script[@type='application/ld+json']")
    quotation, crumbs = json.loads(text_of(script))["@graph"]
    assert quotation["@type"] == "Quotation"
    assert quotation["text"] == gannett.text
    assert quotation["creator"] == {"@type": "Person", "name": "Mrs. William C. Gannett"}
    assert quotation["isPartOf"]["name"] == "History of Woman Suffrage"
    assert quotation["isPartOf"]["author"] == "Ida Husted Harper"
    assert quotation["isPartOf"]["datePublished"] == "1922"
    assert quotation["url"] == f"http://127.0.0.1:8000{gannett.get_absolute_url()}"
    assert crumbs["@type"] == "BreadcrumbList"


def test_open_graph_and_canonical_are_those_of_the_quotation(client: Client, gannett: Quote) -> None:
    document = parse(client.get(gannett.get_absolute_url()))
    address = f"http://127.0.0.1:8000{gannett.get_absolute_url()}"
    assert meta(document, "og:url") == address
    assert [link.get("href") for link in document.iter("link") if link.get("rel") == "canonical"] == [address]


def test_a_withdrawn_quotation_says_so_or_leads_on(client: Client) -> None:
    past = timezone.now() - timedelta(days=1)
    quote = Quote.objects.create(text="A zorblax.", status="reported", published=True, retire_at=past)
    address = f"/quotes/{quote.pk}/a-zorblax/"
    response = client.get(address)
    assert response.status_code == 410
    assert "zorblax." not in text_of(parse(response).find(".//main"))
    Quote.objects.filter(pk=quote.pk).update(retired_to="/people/susan-sontag/")
    response = client.get(address)
    assert (response.status_code, response["Location"]) == (301, "/people/susan-sontag/")
    Quote.objects.filter(pk=quote.pk).update(retired_to=address)
    assert client.get(address).status_code == 410


@pytest.mark.parametrize("address", ["/quotes/987654/", "/quotes/987654/no-such/", f"/quotes/{'9' * 40}/x/"])
def test_a_number_that_no_quotation_has_is_not_found(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404
