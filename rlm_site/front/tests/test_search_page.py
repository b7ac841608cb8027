import pytest
from django.test import Client

from articles.models import Article
from quotes.models import Quote
from rlm_site.search import sql
from rlm_site.tags.models import Tag
from rlm_site.tests.html import links, parse, text_of

pytestmark = pytest.mark.django_db


def test_topics_sections_and_quotations_are_found_in_one_list(client: Client) -> None:
    topic = Article.objects.create(title="The Zorblax", slug="zorblax", published=True)
    Article.objects.create(parent=topic, title="Its Heights", slug="heights", body="Of the zorblax.", published=True)
    quote = Quote.objects.create(text="No zorblax, no friend.", status="reported", published=True)
    document = parse(client.get("/search/?q=zorblax"))
    [results] = list(document.iter("ol"))
    addresses = [link.get("href") for link in results.iter("a")]
    assert addresses[0] == "/zorblax/"
    assert set(addresses) == {"/zorblax/", "/zorblax/heights/", quote.get_absolute_url()}
    assert "3 results" in text_of(document.find(".//main"))


def test_found_words_are_marked(client: Client) -> None:
    Article.objects.create(title="Zorb", slug="zorb", body="Long after the zorblax came.", published=True)
    [results] = list(parse(client.get("/search/?q=zorblax")).iter("ol"))
    assert [text_of(mark) for mark in results.iter("mark")] == ["zorblax"]


def test_what_was_asked_stands_in_the_box_again(client: Client) -> None:
    document = parse(client.get("/search/", {"q": '"Zorb" & <lax>'}))
    boxes = [field.get("value") for field in document.iter("input") if field.get("name") == "q"]
    assert '"Zorb" & <lax>' in boxes


def test_filters_by_kind_and_tag_show_their_counts_and_narrow(client: Client) -> None:
    topic = Article.objects.create(title="The Zorblax", slug="zorblax", published=True)
    topic.tags.add("bread")
    Quote.objects.create(text="No zorblax.", status="reported", published=True)
    both = client.get("/search/?q=zorblax")
    assert dict(both.context["results"].kinds) == {"topic": 1, "quotation": 1}
    assert both.context["results"].tags == [(Tag.objects.get(slug="bread"), 1)]
    addresses = links(parse(both))
    assert "?q=zorblax&kind=topic" in addresses
    assert "?q=zorblax&tag=bread" in addresses
    assert client.get("/search/?q=zorblax&kind=quotation").context["results"].total == 1
    assert client.get("/search/?q=zorblax&tag=bread").context["results"].total == 1
    assert client.get("/search/?q=zorblax&tag=bread&kind=quotation").context["results"].total == 0


def test_a_filter_can_be_taken_away(client: Client) -> None:
    addresses = links(parse(client.get("/search/?q=rain&kind=quotation&tag=rain")))
    assert {"?q=rain&tag=rain", "?q=rain&kind=quotation"} <= set(addresses)


@pytest.mark.parametrize("asked", ["q=rain&kind=beautiful", "q=rain&tag=no-such-tag", "tag=%ff"])
def test_filters_that_name_nothing_are_not_found(client: Client, asked: str) -> None:
    assert client.get(f"/search/?{asked}").status_code == 404


def test_a_tag_of_nothing_public_is_no_filter(client: Client) -> None:
    Article.objects.create(title="Zorb", slug="zorb", published=False).tags.add("zorblaxian")
    response = client.get("/search/?q=rain&tag=zorblaxian")
    assert response.status_code == 404


def test_nothing_found_offers_a_spelling_and_the_topics(client: Client) -> None:
    Article.objects.create(title="The Zorblax", slug="zorblax", published=True)
    document = parse(client.get("/search/?q=zroblax"))
    assert "Did you mean zorblax?" in text_of(document.find(".//main"))
    assert "?q=zorblax" in links(document)
    assert "/edgar-tarlow/" in links(document)


def test_an_empty_search_offers_the_topics(client: Client) -> None:
    for address in ("/search/", "/search/?q=", "/search/?q=%20"):
        response = client.get(address)
        assert response.status_code == 200
        assert "/edgar-tarlow/" in links(parse(response))


def add_many() -> None:
    for number in range(25):
        Article.objects.create(title=f"Rain {number}", slug=f"rain-{number}", published=True)


def test_results_are_paged_and_the_filters_kept(client: Client) -> None:
    add_many()
    first, second = client.get("/search/?q=rain"), client.get("/search/?q=rain&page=2")
    assert first.context["results"].total > 20
    ids = [
        {(result.kind, result.row.pk) for result in response.context["results"].results} for response in (first, second)
    ]
    assert len(ids[0]) == len(ids[1]) == 10
    assert not ids[0] & ids[1]
    assert "?q=rain&page=2" in links(parse(first))


@pytest.mark.parametrize("number", ["0", "-1", "99999", "x", "%00", "٣", "9" * 5000])
def test_any_page_number_is_safe(client: Client, number: str) -> None:
    add_many()
    response = client.get(f"/search/?q=rain&page={number}")
    assert response.status_code == 200
    assert response.context["results"].results


@pytest.mark.parametrize(
    "text",
    ['"', "*", "NEAR", "NEAR(", "a AND b OR", "title:rain", "rain*", "(", ")", "-", "^rain", "'", "\\", "\x00",
     "ra\x00in", "x" * 10_000, "rain " * 3000, "🙂", "%", "_", "\u202eraw", "{rain}", "a:*", "!rain", "& |", "<->",
     "война"],
)  # fmt: skip
def test_any_text_is_safe(client: Client, text: str) -> None:
    response = client.get("/search/", {"q": text})
    assert response.status_code == 200
    if "\x00" not in text:
        parse(response)


def test_search_results_are_not_indexed(client: Client) -> None:
    assert "noindex" in client.get("/search/?q=rain").content.decode()
    assert "Disallow: /search/" in client.get("/robots.txt").content.decode()


def test_of_very_many_results_it_is_said_that_there_are_more(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "MAX_PER_KIND", 5)
    for number in range(6):
        topic = Article.objects.create(title=f"Zorblax {number}", slug=f"zorblax-{number}", published=True)
        Article.objects.create(parent=topic, title="Zorblaxes", slug="zorblaxes", published=True)
        Quote.objects.create(text=f"No zorblax, {number} friends.", status="reported", published=True)
    page = parse(client.get("/search/?q=zorblax"))
    assert text_of(page.find(".//p[@class='found']")).startswith("At least 15 results for zorblax. The best matches")
    filters = [text_of(link) for link in page.findall(".//nav[@class='filters']//a")]
    assert filters[:3] == ["Topics (5+)", "Sections (5+)", "Quotations (5+)"]
    assert not any("(" in tag for tag in filters[3:])


def test_filters_stand_under_headings(client: Client) -> None:
    Article.objects.create(title="The Zorblax", slug="zorblax", published=True).tags.add("bread")
    Article.objects.create(title="Zorblax Field", slug="field", kind="place", published=True)
    [filters] = parse(client.get("/search/?q=zorblax")).findall(".//nav[@class='filters']")
    assert [text_of(heading) for heading in filters.iter("h2")] == ["Kinds", "Tags"]
    assert [text_of(link) for link in filters.iter("a")] == ["Places (1)", "Topics (1)", "bread (1)"]


def test_a_result_says_what_it_is_and_by_which_name_it_was_found(client: Client) -> None:
    names = [{"name": "Зорблакс", "language": "ru", "note": ""}]
    fields = {"summary": "A brigade of the river.", "aliases": names, "kind": "formation", "published": True}
    Article.objects.create(title="Quagga Brigade", slug="quagga", body="It was there.", **fields)
    [result] = parse(client.get("/search/?q=зорблакс")).findall(".//ol[@class='results']/li")
    assert text_of(result) == "Formation Quagga Brigade also Зорблакс A brigade of the river."
    assert [text_of(name) for name in result.iter("span") if name.get("lang") == "ru"] == ["Зорблакс"]


def test_results_with_some_of_the_words_are_told_apart(client: Client) -> None:
    Article.objects.create(title="The Zorblax", slug="zorblax", body="Of zeppelins.", published=True)
    told = "No page has all of these words; these have some of them."
    assert told not in text_of(parse(client.get("/search/?q=zorblax+zeppelin")).find(".//main"))
    page = parse(client.get("/search/?q=zorblax+okapi"))
    assert told in text_of(page.find(".//main"))
    assert "/zorblax/" in links(page)


def test_a_spelling_is_suggested_above_results_with_some_of_the_words(client: Client) -> None:
    Article.objects.create(title="The Zorblax", slug="zorblax", body="Of zeppelins.", published=True)
    page = parse(client.get("/search/?q=zorblax+zepplins&kind=topic"))
    assert "Did you mean zorblax zeppelins?" in text_of(page.find(".//main"))
    assert "?q=zorblax+zeppelins" in links(page)
