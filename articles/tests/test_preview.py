from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.test import Client
from django.utils import timezone

from articles import previews
from articles.models import Article
from quotes.models import Quote
from rlm_site.history import revisions
from rlm_site.history.models import PreviewLink, Revision
from rlm_site.tests.editor import count_queries, signed_in, transition
from rlm_site.tests.html import parse, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft() -> Revision:
    """Return a working copy of The Millers with another title, text and tag."""
    section = Article.objects.get(slug="the-millers")
    section.title, section.body = "The Zorblax Millers", "A new text about *Zorblax*."
    return revisions.record_revision(section)


def preview(client: Client, revision: Revision) -> Any:
    return client.get(previews.link_address(previews.create_link(revision)))


def test_the_link_shows_the_unpublished_text_in_its_place(client: Client, draft: Revision) -> None:
    response = preview(client, draft)
    document = parse(response)
    assert response.status_code == 200
    assert text_of(document.find(".//h1")) == "Yarle Valley - The Zorblax Millers"
    assert "A new text about Zorblax." in text_of(document)
    neighbours = {link.get("rel"): link.get("href") for link in document.iter("a")}
    assert neighbours["prev"] == "/yarle-valley/the-great-flood/"


def test_readers_go_on_seeing_the_published_text(client: Client, draft: Revision) -> None:
    preview(client, draft)
    text = client.get("/yarle-valley/the-millers/").content.decode()
    assert "Zorblax" not in text


def test_it_is_neither_indexed_nor_stored(client: Client, draft: Revision) -> None:
    response = preview(client, draft)
    assert "noindex" in response["X-Robots-Tag"]
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies


@pytest.mark.parametrize("published", [True, False])
def test_a_section_of_an_unpublished_topic_can_be_previewed(client: Client, published: bool) -> None:
    topic = Article.objects.create(title="Zorblax", slug="zorblax", published=False)
    section = Article.objects.create(parent=topic, title="Heights", slug="heights", body="High.", published=published)
    response = preview(client, revisions.record_revision(section))
    assert response.status_code == 200
    assert text_of(parse(response).find(".//h1")) == "Zorblax - Heights"


def test_an_unpublished_topic_can_be_previewed(client: Client) -> None:
    topic = Article.objects.create(title="Zorblax", slug="zorblax", body="Quiet.", published=False)
    response = preview(client, revisions.record_revision(topic))
    assert response.status_code == 200
    assert "Quiet." in text_of(parse(response))


def test_a_preview_shows_no_other_unpublished_page(client: Client, draft: Revision) -> None:
    topic = Article.objects.get(slug="yarle-valley")
    Article.objects.create(parent=topic, title="Hidden Heights", slug="hidden-heights", published=False, position=10)
    assert "Hidden Heights" not in preview(client, draft).content.decode()


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: "x" + token, lambda token: token + "é"])
def test_a_tampered_link_is_not_found(client: Client, draft: Revision, change: Any) -> None:
    token = previews.link_address(previews.create_link(draft)).removeprefix("/preview/").removesuffix("/")
    assert client.get(f"/preview/{change(token)}/").status_code == 404


@pytest.mark.parametrize("token", ["x", ":", "::", "a:b:c", "%00", "%ff", "x" * 9000])
def test_nonsense_is_not_found(client: Client, token: str) -> None:
    assert client.get(f"/preview/{token}/").status_code == 404


def test_a_signature_made_for_something_else_opens_nothing(client: Client, draft: Revision) -> None:
    link = previews.create_link(draft)
    token = signing.Signer(salt="elsewhere").sign(str(link.pk))
    assert client.get(f"/preview/{token}/").status_code == 404
    assert client.get(f"/preview/{signing.dumps(draft.pk, salt='articles.preview')}/").status_code == 404


def test_a_link_shows_the_version_it_was_made_for(client: Client, draft: Revision) -> None:
    address = previews.link_address(previews.create_link(draft))
    section = Article.objects.get(slug="the-millers")
    section.body = "A later text about *Quaggas*."
    revisions.record_revision(section)
    assert "A new text about" in client.get(address).content.decode()
    assert "Quaggas" not in client.get(address).content.decode()


def assert_closed(response: Any, words: str) -> None:
    assert response.status_code == 410
    assert words in text_of(parse(response).find(".//main"))
    assert "Zorblax" not in response.content.decode()
    assert "noindex" in response["X-Robots-Tag"]
    assert "no-store" in response["Cache-Control"]


def test_an_expired_link_says_so(client: Client, draft: Revision) -> None:
    link = previews.create_link(draft)
    assert timedelta(days=13) < link.expires - timezone.now() <= timedelta(days=14)
    PreviewLink.objects.update(expires=timezone.now())
    assert_closed(client.get(previews.link_address(link)), "This preview link has expired")


def test_a_link_that_was_taken_back_says_so_and_others_stay_good(client: Client, draft: Revision) -> None:
    taken_back, other = previews.create_link(draft), previews.create_link(draft)
    previews.revoke_link(taken_back)
    assert_closed(client.get(previews.link_address(taken_back)), "This preview link was revoked")
    assert client.get(previews.link_address(other)).status_code == 200


def test_a_link_dies_with_its_draft(client: Client, draft: Revision) -> None:
    section = Article.objects.get(slug="the-millers")
    editor = signed_in()
    link = previews.create_link(draft)
    published = revisions.published_revision(section)
    assert published is not None
    of_published = previews.create_link(published)
    transition(editor, section, "discard")
    assert_closed(client.get(previews.link_address(link)), "The draft behind this preview link was discarded")
    assert "Closed: the draft was discarded" in editor.get(links(section)).content.decode()
    assert client.get(previews.link_address(of_published)).status_code == 200
    section.title = "The Zorblax Millers once more"
    after = previews.create_link(revisions.record_revision(section))
    assert client.get(previews.link_address(after)).status_code == 200
    assert_closed(client.get(previews.link_address(link)), "The draft behind this preview link was discarded")


def test_a_link_outlives_the_publication_of_its_draft(client: Client, draft: Revision) -> None:
    section = Article.objects.get(slug="the-millers")
    link = previews.create_link(draft)
    transition(signed_in(), section, "publish", kind="none")
    section.refresh_from_db()
    section.title = "Another draft"
    revisions.record_revision(section)
    transition(signed_in("other"), section, "discard")
    assert client.get(previews.link_address(link)).status_code == 200


@pytest.mark.parametrize("withdrawn", ["the-millers", "yarle-valley"])
def test_a_link_closes_when_its_page_is_withdrawn(client: Client, draft: Revision, withdrawn: str) -> None:
    before = previews.create_link(draft)
    Article.objects.filter(slug=withdrawn).update(retire_at=timezone.now() + timedelta(hours=1))
    assert client.get(previews.link_address(before)).status_code == 200
    Article.objects.filter(slug=withdrawn).update(retire_at=timezone.now())
    assert_closed(client.get(previews.link_address(before)), "This page was withdrawn after the link was created")
    after = previews.create_link(draft)  # by an editor who knows that it is withdrawn
    assert client.get(previews.link_address(after)).status_code == 200


def test_a_link_to_a_revision_that_is_gone_is_not_found(client: Client, draft: Revision) -> None:
    address = previews.link_address(previews.create_link(draft))
    Article.objects.get(slug="the-millers").delete()
    assert client.get(address).status_code == 404


def test_a_revision_of_a_quotation_opens_no_page(client: Client) -> None:
    quote = Quote.objects.create(text="A zorblax.", status="reported")
    assert preview(client, revisions.record_revision(quote)).status_code == 404


def test_previews_are_kept_out_of_the_sitemap_and_away_from_robots(client: Client, draft: Revision) -> None:
    assert b"/preview/" not in client.get("/sitemap.xml").content
    assert b"Disallow: /preview/" in client.get("/robots.txt").content


# The page of links at the desk


def links(article: Article) -> str:
    return f"/admin/articles/article/{article.pk}/preview-links/"


def test_a_link_is_made_shown_and_taken_back_at_the_desk(client: Client) -> None:
    quagga = Article.objects.create(title="Quagga", slug="quagga", body="Not for everybody yet.")
    editor = signed_in("editor")
    editor.post(links(quagga), {"make": ""})
    link = PreviewLink.objects.get()
    page = editor.get(links(quagga)).content.decode()
    assert f">http://127.0.0.1:8000{previews.link_address(link)}</a>" in page
    assert "Version 1, created by editor on" in page
    assert "Not for everybody yet." in client.get(previews.link_address(link)).content.decode()
    editor.post(links(quagga), {"revoke": str(link.pk)})
    page = editor.get(links(quagga)).content.decode()
    assert previews.link_address(link) not in page
    assert "Revoked on" in page
    assert client.get(previews.link_address(link)).status_code == 410


def test_a_new_link_is_for_the_newest_version(client: Client, draft: Revision) -> None:
    section = Article.objects.get(slug="the-millers")
    signed_in().post(links(section), {"make": ""})
    assert PreviewLink.objects.get().revision == draft
    revisions.record_revision(Article.objects.get(slug="the-millers"), state=Revision.State.DISCARDED)
    signed_in("other").post(links(section), {"make": ""})
    assert PreviewLink.objects.latest("pk").revision == revisions.published_revision(section)


@pytest.mark.parametrize("key", ["", "x", "0", "99999999999999999999"])
def test_only_a_link_of_this_page_is_taken_back(draft: Revision, key: str) -> None:
    link = previews.create_link(draft)
    quagga = Article.objects.create(title="Quagga", slug="quagga")
    editor = signed_in()
    assert editor.post(links(quagga), {"revoke": key}).status_code == 404
    assert editor.post(links(quagga), {"revoke": str(link.pk)}).status_code == 404
    assert PreviewLink.objects.get().revoked is None


def test_only_whoever_may_change_the_page_makes_and_sees_links(draft: Revision) -> None:
    previews.create_link(draft)
    section = Article.objects.get(slug="the-millers")
    for somebody in (signed_in("looker", "view_article"), signed_in("author", "view_article", "add_article")):
        assert somebody.get(links(section)).status_code == 403
        assert somebody.post(links(section), {"make": ""}).status_code == 403
        assert somebody.post(links(section), {"revoke": str(PreviewLink.objects.get().pk)}).status_code == 403
    assert Client(HTTP_HOST="127.0.0.1").post(links(section), {"make": ""}).status_code == 302
    assert PreviewLink.objects.filter(revoked=None).count() == 1
    author = User.objects.get(username="author")
    own = Article.objects.create(title="Quagga", slug="quagga", owner=author)
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(author)
    assert client.post(links(own), {"make": ""}).status_code == 302
    assert PreviewLink.objects.filter(author=author).count() == 1


def test_the_page_of_links_makes_as_many_queries_for_many_as_for_few(draft: Revision) -> None:
    section, editor = Article.objects.get(slug="the-millers"), signed_in()
    previews.create_link(draft, User.objects.get())
    few = count_queries(editor, links(section))
    for _number in range(10):
        previews.create_link(draft, User.objects.get())
    assert count_queries(editor, links(section)) == few <= 12


# A whole topic


@pytest.fixture
def topic() -> Article:
    """Return a topic with a draft, a published section with a draft, and one without any history."""
    above = Article.objects.create(title="Zorblax", slug="zorblax", body="Quiet.")
    for place, (title, published) in enumerate([("Heights", False), ("Depths", True), ("Shores", False)], 1):
        fields = {"slug": title.lower(), "published": published, "position": place}
        Article.objects.create(title=title, parent=above, body=f"{title} as they were.", **fields)
    for section in above.sections.exclude(title="Shores"):
        revisions.record_external_changes(section)
        revisions.save_draft(section, revisions.content_of(section) | {"body": f"{section.title} as drafted."})
    return above


def whole(topic: Article) -> PreviewLink:
    revisions.record_external_changes(topic)
    newest = topic.revisions.order_by("-number")[0]
    return previews.create_link(newest, whole_topic=True)


def texts(client: Client, link: PreviewLink) -> list[str]:
    """Follow the links of a preview, and return what its pages say, the topic's first."""
    start = client.get(previews.link_address(link))
    addresses = [a.get("href", "") for a in parse(start).iterfind(".//nav[@class='preview-pages']//a")]
    return [text_of(parse(client.get(address)).find(".//main")) for address in addresses]


def test_one_link_shows_a_topic_with_the_drafts_of_its_sections(client: Client, topic: Article) -> None:
    link = whole(topic)
    later = topic.sections.get(title="Heights")
    revisions.save_draft(later, revisions.content_of(later) | {"body": "Changed since."})
    found = texts(client, link)
    for text, said in zip(
        found, ["Quiet.", "Heights as drafted.", "Depths as drafted.", "Shores as they were."], strict=True
    ):
        assert said in text
    page = client.get(previews.link_address(link, later))
    assert "noindex" in page["X-Robots-Tag"]
    assert "no-store" in page["Cache-Control"]


def test_a_discarded_draft_of_a_section_is_not_shown(client: Client, topic: Article) -> None:
    link = whole(topic)
    for title in ("Heights", "Depths"):
        section = topic.sections.get(title=title)
        copy = revisions.working_copy(section)
        assert copy is not None
        revisions.record_revision(section, state="discarded", content=copy.content)
    heights, depths = (topic.sections.get(title=title) for title in ("Heights", "Depths"))
    assert client.get(previews.link_address(link, heights)).status_code == 404
    assert "Depths as they were." in client.get(previews.link_address(link, depths)).content.decode()


def test_a_link_to_one_page_shows_no_section(client: Client, topic: Article, draft: Revision) -> None:
    section = topic.sections.get(title="Heights")
    single = previews.create_link(whole(topic).revision)
    assert "preview-pages" not in client.get(previews.link_address(single)).content.decode()
    assert client.get(previews.link_address(single, section)).status_code == 404
    elsewhere = Article.objects.get(slug="the-millers")
    assert client.get(previews.link_address(whole(topic), elsewhere)).status_code == 404


def test_a_section_that_is_withdrawn_or_a_link_that_is_revoked_is_closed(client: Client, topic: Article) -> None:
    link = whole(topic)
    section = topic.sections.get(title="Depths")
    Article.objects.filter(pk=section.pk).update(retire_at=timezone.now())
    assert client.get(previews.link_address(link, section)).status_code == 404
    previews.revoke_link(link)
    assert client.get(previews.link_address(link, topic.sections.get(title="Shores"))).status_code == 410


def test_who_may_not_edit_the_sections_makes_no_link_to_the_whole(topic: Article) -> None:
    editor, author = signed_in("editor"), signed_in("author", "add_article", "view_article")
    address = f"/admin/articles/article/{topic.pk}/preview-links/"
    Article.objects.filter(pk=topic.pk).update(owner=User.objects.get(username="author"))
    assert author.get(address).status_code == 200
    assert author.post(address, {"make_all": ""}).status_code == 403
    editor.post(address, {"make_all": ""})
    assert "whole topic" in editor.get(address).content.decode()
    assert PreviewLink.objects.filter(whole_topic=True).count() == 1
