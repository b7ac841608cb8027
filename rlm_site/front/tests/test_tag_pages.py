import pytest
from django.test import Client

from articles.models import Article
from quotes.models import Person, Quote
from rlm_site.tags.models import Tag
from rlm_site.tests.html import links, parse, text_of

pytestmark = pytest.mark.django_db


def counts(client: Client) -> dict[str, int]:
    return {tag.name: count for tag, count in client.get("/tags/").context["tags"]}


def misattributed(text: str) -> Quote:
    person = Person.objects.create(name="Nobody in Particular")
    return Quote.objects.create(text=text, status="misattributed", person=person, published=True)


@pytest.fixture
def zorblax() -> Tag:
    """Make a tag on a topic, a section, a quotation and a misattributed quotation."""
    topic = Article.objects.create(title="Zorb", slug="zorb", published=True)
    section = Article.objects.create(parent=topic, title="Lax", slug="lax", published=True)
    quote = Quote.objects.create(text="A friend of Zorb.", status="reported", published=True)
    wrong = misattributed("No friend of Zorb.")
    for thing in (topic, section, quote, wrong):
        thing.tags.add("zorblax")
    section.tags.add("bread")
    quote.tags.add("bread", "rain")
    return Tag.objects.get(name="zorblax")


def test_all_tags_are_listed_with_how_many_things_have_them(client: Client, zorblax: Tag) -> None:
    before = counts(client)
    assert before["zorblax"] == 3
    assert len(before) == 7
    document = parse(client.get("/tags/"))
    assert "zorblax (3)" in links(document)["/tags/zorblax/"]
    assert list(before) == sorted(before, key=str.lower)


def test_a_tag_that_nothing_has_is_nowhere(client: Client) -> None:
    Tag.objects.create(name="zorblax", slug="zorblax")
    assert "zorblax" not in counts(client)
    assert client.get("/tags/zorblax/").status_code == 404


def test_the_page_of_a_tag_shows_topics_sections_and_quotations_together(client: Client, zorblax: Tag) -> None:
    document = parse(client.get("/tags/zorblax/"))
    shown = links(document)
    assert shown["/zorb/"] == "Zorb"
    assert shown["/zorb/lax/"] == "Zorb - Lax"
    assert [text_of(quotation) for quotation in document.iter("blockquote")] == ["A friend of Zorb."]


def test_the_count_on_the_list_is_what_the_page_of_the_tag_shows(client: Client, zorblax: Tag) -> None:
    expected = counts(client)
    for name in ("zorblax", "bread", "rain", "craft"):
        context = client.get(f"/tags/{name}/").context
        assert context["page"].paginator.count + context["quote_count"] == expected[name], name


def test_a_tag_only_of_a_misattributed_quotation_is_not_listed(client: Client) -> None:
    wrong = misattributed("No friend of Zorb.")
    wrong.tags.add("zorblax")
    assert "zorblax" not in counts(client)
    assert client.get("/tags/zorblax/").status_code == 404


def test_related_tags_stand_beside_it_most_frequent_first(client: Client, zorblax: Tag) -> None:
    related = [(tag.name, count) for tag, count in client.get("/tags/zorblax/").context["related"]]
    assert related == [("bread", 2), ("rain", 1)]
    assert "/tags/bread/" in links(parse(client.get("/tags/zorblax/")))


def test_the_description_of_a_tag_is_shown(client: Client, zorblax: Tag) -> None:
    Tag.objects.filter(pk=zorblax.pk).update(description="What befell Zorb.")
    assert "What befell Zorb." in text_of(parse(client.get("/tags/zorblax/")).find(".//main"))


def test_more_quotations_than_fit_lead_to_the_filtered_list(client: Client, zorblax: Tag) -> None:
    for number in range(12):
        Quote.objects.create(text=f"Friend {number}.", status="reported", published=True).tags.add("zorblax")
    document = parse(client.get("/tags/zorblax/"))
    assert client.get("/tags/zorblax/").context["quote_count"] == 13
    assert len(list(document.iter("blockquote"))) == 10
    assert "/quotes/?tag=zorblax" in links(document)


def test_many_pages_are_paged(client: Client, zorblax: Tag) -> None:
    topic = Article.objects.get(slug="zorb")
    for number in range(30):
        Article.objects.create(parent=topic, title=f"Lax {number}", slug=f"lax-{number}", published=True).tags.add(
            "zorblax"
        )
    first, second = client.get("/tags/zorblax/"), client.get("/tags/zorblax/?page=2")
    assert first.context["page"].paginator.count == 32
    assert len(second.context["page"]) == 2
    assert not {row.pk for row in first.context["page"]} & {row.pk for row in second.context["page"]}


def test_a_new_tag_and_a_removed_one_are_seen_at_once(client: Client, zorblax: Tag) -> None:
    client.get("/tags/zorblax/")
    Article.objects.get(slug="lax").tags.remove("zorblax")
    assert "/zorb/lax/" not in links(parse(client.get("/tags/zorblax/")))
    assert counts(client)["zorblax"] == 2


@pytest.mark.parametrize("address", ["/tags/no-such-tag/", "/tags/a%20b/", "/tags/" + "x" * 500 + "/"])
def test_unknown_tags_are_not_found(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404
