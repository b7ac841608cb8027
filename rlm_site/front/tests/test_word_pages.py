import pytest
from django.test import Client

from articles.models import Article
from quotes.models import Person, Quote
from rlm_site.tests.html import links, parse, text_of

pytestmark = pytest.mark.django_db


def add_quote(text: str, **fields: object) -> Quote:
    return Quote.objects.create(**{"text": text, "status": "reported", "published": True, **fields})


def shown(client: Client, address: str) -> list[str]:
    return [text_of(quotation) for quotation in parse(client.get(address)).iter("blockquote")]


def test_every_quotation_with_the_word_is_shown_and_the_word_marked(client: Client) -> None:
    document = parse(client.get("/words/millers/"))
    assert "millers" in text_of(document.find(".//h1"))
    figures = [figure for figure in document.iter("figure") if "honest men" in text_of(figure)]
    assert [text_of(mark) for figure in figures for mark in figure.iter("mark")] == ["millers"]


def test_other_forms_of_the_word_are_found_too(client: Client) -> None:
    add_quote("One zebra.")
    add_quote("Two zebras.")
    assert set(shown(client, "/words/zebra/")) == set(shown(client, "/words/zebras/")) == {"One zebra.", "Two zebras."}
    assert dict(client.get("/words/zebra/").context["forms"]) == {"zebra": 1, "zebras": 1}


def test_the_beginning_of_a_word_is_another_word(client: Client) -> None:
    add_quote("One zebrafish.")
    add_quote("One zebra.")
    assert shown(client, "/words/zebra/") == ["One zebra."]


def test_pages_with_the_word_in_their_heading_are_listed(client: Client) -> None:
    assert links(parse(client.get("/words/millers/")))["/yarle-valley/the-millers/"] == "Yarle Valley - The Millers"


def test_a_word_of_a_heading_alone_has_a_page(client: Client) -> None:
    Article.objects.create(title="The Zorblax", slug="zorblax", published=True)
    assert "/zorblax/" in links(parse(client.get("/words/zorblax/")))


def test_better_quotations_come_first(client: Client) -> None:
    add_quote("A zorblax of no standing, nobody looked it up.", status="unverified")
    add_quote("A zorblax of the best standing, looked up by two.", status="verified")
    assert [text.split(",")[0] for text in shown(client, "/words/zorblax/")] == [
        "A zorblax of the best standing",
        "A zorblax of no standing",
    ]


def test_a_misattributed_quotation_is_not_listed(client: Client) -> None:
    add_quote("A zorblax.", status="misattributed", person=Person.objects.create(name="Zorb"))
    assert client.get("/words/zorblax/").status_code == 404


def test_another_spelling_leads_to_the_page_of_the_word(client: Client) -> None:
    response = client.get("/words/Millers/")
    assert (response.status_code, response["Location"]) == (301, "/words/millers/")
    add_quote("Élan.")
    response = client.get("/words/%C3%89lan/")
    assert (response.status_code, response["Location"]) == (301, "/words/elan/")


def test_a_cyrillic_word_has_a_page(client: Client) -> None:
    add_quote("Война и мир.", language="ru")
    assert shown(client, "/words/война/") == ["Война и мир."]


def test_many_quotations_are_paged(client: Client) -> None:
    for number in range(35):
        add_quote(f"Zorblax number {number}.")
    first, second = shown(client, "/words/zorblax/"), shown(client, "/words/zorblax/?page=2")
    assert len(first) == 30
    assert len(second) == 5
    assert not set(first) & set(second)


@pytest.mark.parametrize("word", ["xyzzyx", "x" * 5000, "%00", "al%00lies", "%ff", "'", "%22", "<b>", "%F0%9F%98%80"])
def test_a_word_that_nothing_contains_is_not_found(client: Client, word: str) -> None:
    assert client.get(f"/words/{word}/").status_code in {301, 404}
    assert client.get(f"/words/{word}/", follow=True).status_code in {200, 404}


def test_a_function_word_is_not_found(client: Client) -> None:
    assert client.get("/words/the/").status_code == 404


def test_a_word_of_drafts_alone_has_no_page_in_any_spelling(client: Client) -> None:
    """Though its other forms have one: the vocabulary knows the words of drafts, and nobody is told."""
    add_quote("One zebra.")
    add_quote("Two zebras.", published=False)
    Article.objects.create(title="Quaggas", slug="quaggas")
    for word in ("zebras", "ZEBRAS", "quaggas", "Quaggas", "quagga", "neverwas"):
        assert client.get(f"/words/{word}/").status_code == 404, word
    assert client.get("/words/ZEBRA/")["Location"] == "/words/zebra/"
    assert dict(client.get("/words/zebra/").context["forms"]) == {"zebra": 1}
    Quote.objects.update(published=True)
    assert shown(client, "/words/zebras/") == ["One zebra.", "Two zebras."]
