"""The about page: what is true of every site, and above it what the editors of this one say."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from articles.models import Article
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.tests.editor import form_data, signed_in
from rlm_site.tests.html import links, parse, text_of

pytestmark = pytest.mark.django_db

BODY = "The almanac takes no side.[@arden-1987, p. 3]\n\n## House words\n\nA mill.[^1]\n\n[^1]: And a weir a weir."
TRUE_OF_EVERY_SITE = "How quotations are picked"


def about_topic(**fields: Any) -> Article:
    given = {"title": "About the Almanac", "body": BODY, "published": True, "position": 50, "quotations": "none"}
    return Article.objects.create(slug="about", **(given | fields))


def words(client: Client) -> str:
    return text_of(parse(client.get("/about/")).find(".//main"))


def headings(client: Client, level: str) -> list[str]:
    return [text_of(heading) for heading in parse(client.get("/about/")).iter(level)]


def test_without_a_topic_it_says_what_is_true_of_every_site(client: Client) -> None:
    assert headings(client, "h1") == ["About this site"]
    assert "A reference work on the valley of the Yarle" in words(client)
    assert TRUE_OF_EVERY_SITE in headings(client, "h2")


@pytest.mark.parametrize("promise", ["takes no side", "not cited", "massacre", "Every section", "for good"])
def test_without_a_topic_it_promises_nothing_that_only_editors_can_keep(client: Client, promise: str) -> None:
    assert promise not in words(client)


def test_the_topic_stands_above_with_its_notes_and_citations(client: Client) -> None:
    client.get("/about/")  # it is in memory, and has to be made anew
    about_topic()
    assert headings(client, "h1") == ["About the Almanac"]
    shown = headings(client, "h2")
    assert shown.index("House words") < shown.index(TRUE_OF_EVERY_SITE) < shown.index("Notes")
    assert "And a weir a weir." in words(client)
    assert "Works cited" in shown


def test_it_follows_every_change_of_the_topic(client: Client) -> None:
    topic = about_topic()
    assert "takes no side" in words(client)
    Article.objects.filter(pk=topic.pk).update(body="It takes the side of the mills.")
    assert "the side of the mills" in words(client)
    Article.objects.filter(pk=topic.pk).update(published=False)
    assert "the side of the mills" not in words(client)
    assert TRUE_OF_EVERY_SITE in words(client)
    topic.delete()
    assert client.get("/about/").status_code == 200


def test_a_draft_of_it_is_not_shown(client: Client) -> None:
    topic = about_topic()
    topic.body = "Not yet."
    revisions.record_revision(topic, state=Revision.State.DRAFT)
    assert "Not yet." not in words(client)


def test_its_sections_have_addresses_below_it(client: Client) -> None:
    topic = about_topic()
    Article.objects.create(parent=topic, title="Measures", slug="measures", body="An ell is an ell.", published=True)
    assert "/about/measures/" in links(parse(client.get("/about/")))
    assert client.get("/about/measures/").status_code == 200


def test_it_is_no_topic_on_the_home_page_and_once_in_the_sitemap(client: Client) -> None:
    about_topic()
    assert "About the Almanac" not in [topic.title for topic, _sentence in client.get("/").context["topics"]]
    files = [client.get(f"/sitemap-{name}.xml").content.decode() for name in ("pages", "articles")]
    assert sum(file.count("/about/</loc>") for file in files) == 1


def test_its_slug_may_be_chosen_in_the_form_and_others_of_the_site_may_not() -> None:
    editor = signed_in()
    for slug, says in (("about", 302), ("changes", 200)):
        page = editor.get("/admin/articles/article/add/")
        typed = form_data(page, title="Of the Almanac", slug=slug, summary="About it.", body=BODY)
        assert editor.post("/admin/articles/article/add/", typed).status_code == says, slug
    with pytest.raises(ValidationError):
        Article(title="Changes", slug="changes").full_clean()


def test_without_a_licence_nobody_is_told_that_copies_are_free(client: Client, settings: Any) -> None:
    assert "Our own texts are available under the licence Yarle Commons Licence. Copy them, and name" in words(client)
    settings.LICENCE_NAME = settings.LICENCE_URL = settings.LICENCE_TERMS = ""
    Article.objects.filter(slug="the-millers").update(position=7)  # its page is made anew
    assert "Our own texts have no licence" in text_of(
        parse(Client(HTTP_HOST="127.0.0.1").get("/about/")).find(".//main")
    )
    assert '"license":' not in client.get("/yarle-valley/the-millers/").content.decode()


def test_without_a_description_nothing_stands_in_its_place(client: Client, settings: Any) -> None:
    settings.SITE_DESCRIPTION = ""
    Article.objects.filter(slug="the-millers").update(position=7)
    page = parse(client.get("/"))
    assert page.find(".//meta[@name='description']") is None
    assert page.find(".//p[@class='lead']") is None
