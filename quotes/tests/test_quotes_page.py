import pytest
from django.test import Client

from quotes.models import Person, Quote
from rlm_site.tags.models import Tag
from rlm_site.tests.html import parse, text_of

pytestmark = pytest.mark.django_db


def shown(client: Client, address: str) -> list[str]:
    """Return the texts of the quotations on a page."""
    return [text_of(quotation) for quotation in parse(client.get(address)).iter("blockquote")]


def total(client: Client, address: str) -> int:
    return int(client.get(address).context["page"].paginator.count)


def add_many() -> None:
    for number in range(45):
        Quote.objects.create(text=f"Zorblax number {number}.", status="reported", published=True)


def test_all_public_quotations_are_listed_by_pages(client: Client) -> None:
    add_many()
    count = Quote.objects.exclude(status="misattributed").count()
    assert total(client, "/quotes/") == count
    first, second = shown(client, "/quotes/"), shown(client, "/quotes/?page=2")
    assert len(first) == len(second) == 20
    assert not set(first) & set(second)
    last = shown(client, f"/quotes/?page={-(-count // 20)}")
    assert len(last) == (count % 20 or 20)


def test_each_leads_to_its_own_page_and_to_its_author(client: Client) -> None:
    Person.objects.create(name="Zora Blax", sort_name="Aaa", slug="zora-blax")
    quote = Quote.objects.create(
        text="A zorblax.", person=Person.objects.get(slug="zora-blax"), status="reported", published=True
    )
    document = parse(client.get("/quotes/?word=zorblax"))
    addresses = {link.get("href") for link in document.iter("a")}
    assert {quote.get_absolute_url(), "/quotes/people/zora-blax/"} <= addresses


def test_the_filters_narrow_the_list_and_work_together(client: Client) -> None:
    bread = Tag.objects.get(slug="bread")
    tagged = Quote.objects.filter(tagged_items__tag=bread).exclude(status="misattributed")
    assert total(client, "/quotes/?tag=bread") == tagged.count() > 0
    by_sommer = Quote.objects.filter(person__slug="lena-sommer")
    assert total(client, "/quotes/?person=lena-sommer") == by_sommer.count() > 0
    assert len(shown(client, "/quotes/?word=millers&person=lena-sommer")) == 1
    assert total(client, "/quotes/?status=disputed") == Quote.objects.filter(status="disputed").count()
    assert shown(client, "/quotes/?status=disputed&person=lena-sommer") == []


def test_a_word_is_found_whole_and_in_any_spelling(client: Client) -> None:
    Quote.objects.create(text="Élan of the zorblax", status="reported", published=True)
    assert shown(client, "/quotes/?word=ELAN") == ["Élan of the zorblax"]
    assert shown(client, "/quotes/?word=zorb") == []


def test_nothing_found_is_said_with_a_way_back(client: Client) -> None:
    response = client.get("/quotes/?word=xyzzyx")
    assert response.status_code == 200
    assert "No quotation matches all of these filters." in text_of(parse(response).find(".//main"))


@pytest.mark.parametrize(
    "query", ["tag=no-such-tag", "person=nobody", "status=beautiful", "status=%00x", "tag=%ff", "person=" + "x" * 10000]
)
def test_filters_that_name_nothing_are_not_found(client: Client, query: str) -> None:
    assert client.get(f"/quotes/?{query}").status_code == 404


def test_a_misattributed_quotation_is_in_no_list(client: Client) -> None:
    text = Quote.objects.get(status="misattributed").text
    assert text not in shown(client, "/quotes/?word=map")
    assert shown(client, "/quotes/?status=misattributed") == []
    assert "/quotes/?status=misattributed" not in client.get("/quotes/").content.decode()


def test_paging_keeps_the_filters(client: Client) -> None:
    add_many()
    addresses = {link.get("href") for link in parse(client.get("/quotes/?status=reported")).iter("a")}
    assert any("status=reported" in str(address) and "page=2" in str(address) for address in addresses)


def test_a_filtered_list_is_not_indexed(client: Client) -> None:
    assert "noindex" in client.get("/quotes/?tag=bread").content.decode()
    assert "noindex" not in client.get("/quotes/").content.decode()
