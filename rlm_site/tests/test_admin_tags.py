"""Tags at the editors' desk."""

import pytest
from django.test import Client

from articles.models import Article
from quotes.models import Quote
from rlm_site.models import Tag
from rlm_site.tests.desk import count_queries, filled, signed_in

pytestmark = pytest.mark.django_db

ADD = "/admin/rlm_site/tag/add/"
LIST = "/admin/rlm_site/tag/"


@pytest.fixture
def editor() -> Client:
    return signed_in()


def change(tag: Tag) -> str:
    return f"/admin/rlm_site/tag/{tag.pk}/change/"


def test_a_tag_is_created_renamed_and_deleted(editor: Client, client: Client) -> None:
    assert editor.post(ADD, filled(editor.get(ADD), name="Щука", description="A fish.")).status_code == 302
    tag = Tag.objects.get(name="Щука")
    assert tag.slug == "shchuka"
    article = Article.objects.create(title="Quagga", slug="quagga", published=True)
    article.tags.add(tag)
    assert "A fish." in client.get("/tags/shchuka/").content.decode()
    editor.post(change(tag), filled(editor.get(change(tag)), name="Щуки"))
    assert "Щуки" in client.get("/quagga/").content.decode()
    editor.post(f"/admin/rlm_site/tag/{tag.pk}/delete/", {"post": "yes"})
    assert client.get("/tags/shchuka/").status_code == 404
    assert "Щуки" not in client.get("/quagga/").content.decode()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "EXILE"}, "name"),
        ({"name": 'say "no"'}, "name"),
        ({"name": "!?"}, "name"),
        ({"name": "Quagga", "slug": "exile"}, "slug"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(editor: Client, typed: dict[str, str], field: str) -> None:
    before = Tag.objects.count()
    response = editor.post(ADD, filled(editor.get(ADD), description="“T” & <T>", **typed))
    assert list(response.context["adminform"].form.errors) == [field]
    assert filled(response)["description"] == "“T” & <T>"
    assert Tag.objects.count() == before


@pytest.mark.parametrize("term", ["щука", "ЩУКА", "Щу", "чёрная  щука", "ЧЕРНАЯ"])
def test_tags_are_found_whatever_the_case_and_accents(editor: Client, term: str) -> None:
    tag = Tag.objects.create(name="Чёрная щука")
    assert list(editor.get(LIST, {"q": term}).context["cl"].result_list) == [tag]


def test_the_list_says_how_often_a_tag_is_used_and_which_may_bring_quotations(editor: Client) -> None:
    tag = Tag.objects.create(name="quagga", brings_quotations=True)
    for number in range(3):
        Quote.objects.create(text=f"Quote {number}").tags.add(tag)
    Article.objects.create(title="Quagga", slug="quagga").tags.add(tag)
    page = editor.get(f"{LIST}?q=quagga&brings_quotations__exact=1").content.decode()
    assert '<td class="field-uses">4</td>' in page


def test_pages_of_a_tag_make_as_many_queries_for_many_uses_as_for_few(editor: Client) -> None:
    tag = Tag.objects.create(name="quagga")
    addresses = [f"{LIST}?q=quagga", change(tag), f"/admin/rlm_site/tag/{tag.pk}/delete/"]

    def use(count: int) -> None:
        for number in range(count):
            Quote.objects.create(text=f"Quote {number}").tags.add(tag)
            Tag.objects.create(name=f"quagga {count} {number}")

    use(1)
    few = [count_queries(editor, address) for address in addresses]
    use(20)
    assert [count_queries(editor, address) for address in addresses] == few
    assert max(few) <= 15
