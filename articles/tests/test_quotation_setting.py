"""Whether a page shows quotations that the site picks, only chosen ones, or none: its own setting or its topic's."""

from typing import Any

import pytest
from django.core import serializers
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from articles import placements, previews, quotation_panel
from articles.models import Article, QuoteChoice
from quotes.models import Quote
from rlm_site.history import revisions
from rlm_site.history.drafts import Draft
from rlm_site.indexing import queue
from rlm_site.tests.editor import form_data, signed_in, transition

pytestmark = pytest.mark.django_db

ADDRESS = "/yarle-valley/the-millers/"
ADD = "/admin/articles/article/add/"


@pytest.fixture
def valley() -> Article:
    return Article.objects.get(slug="yarle-valley")


@pytest.fixture
def millers() -> Article:
    return Article.objects.select_related("parent").get(slug="the-millers")


def has_quotations(client: Client, address: str = ADDRESS) -> bool:
    return "Famous quotes" in client.get(address).content.decode()


def panel(article: Article, **form: Any) -> quotation_panel.Panel:
    row = Article.objects.select_related("parent").get(pk=article.pk)
    return quotation_panel.build_panel(Draft.of(row), form, Quote.objects.all(), timezone.now())


def change(article: Article) -> str:
    return f"/admin/articles/article/{article.pk}/change/"


@pytest.mark.parametrize("own", Article.Quotations.values)
@pytest.mark.parametrize("topics", [None, *Article.Quotations.values])
def test_a_section_follows_its_topic_only_if_it_is_set_so_and_a_topic_follows_none(
    own: str, topics: str | None
) -> None:
    topic = Article(title="Okapi", quotations=topics) if topics else None
    applied = Article(title="Stripes", parent=topic, quotations=own).applied_quotations
    followed = own if own != "topic" else topics or "automatic"
    assert applied == (followed if followed != "topic" else "automatic")


def test_a_section_of_two_levels_follows_nobody_in_circles() -> None:
    one, other = Article(title="One", quotations="topic"), Article(title="Other", quotations="topic")
    one.parent, other.parent = other, one
    assert one.applied_quotations == "automatic"


def test_readers_see_a_section_follow_its_topic_at_once(valley: Article, millers: Article, client: Client) -> None:
    assert millers.quotations == "topic"
    assert has_quotations(client)
    for setting, shown in (("none", False), ("automatic", True), ("chosen", False), ("topic", True)):
        Article.objects.filter(pk=valley.pk).update(quotations=setting)
        assert has_quotations(client) == shown, setting


def test_a_section_with_its_own_setting_does_not_follow(valley: Article, millers: Article, client: Client) -> None:
    Article.objects.filter(pk=millers.pk).update(quotations="automatic")
    Article.objects.filter(pk=valley.pk).update(quotations="none")
    assert has_quotations(client)


def test_pins_of_a_following_section_are_shown_where_the_topic_shows_chosen_ones(
    valley: Article, millers: Article, client: Client
) -> None:
    pinned = Quote.objects.get(key="herbert-all-griefs")
    QuoteChoice.objects.create(article=millers, quote=pinned, action="pin")
    Article.objects.filter(pk=valley.pk).update(quotations="chosen")
    assert client.get(ADDRESS).content.decode().count("<blockquote") == 1
    Article.objects.filter(pk=valley.pk).update(quotations="none")
    assert not has_quotations(client)


def test_the_page_of_a_quotation_no_longer_lists_a_page_that_follows_into_silence(
    valley: Article, client: Client
) -> None:
    quote = Quote.objects.get(key="sommer-honest-men")
    assert "The Millers" in client.get(quote.get_absolute_url()).content.decode()
    Article.objects.filter(pk=valley.pk).update(quotations="none")
    assert placements.articles_showing(quote, timezone.now()) == []
    assert "The Millers" not in client.get(quote.get_absolute_url()).content.decode()


def test_reports_and_the_preview_of_an_import_ask_for_the_setting_that_applies() -> None:
    editor = signed_in()
    for setting, wants in (("topic", True), ("none", False)):
        Article.objects.filter(slug="tolby-market").update(quotations=setting)
        queue.ensure_indexed()
        report = quotation_panel.quotation_coverage(timezone.now()).unanswered
        listed = editor.get("/admin/articles/article/?check=no-quotation").context["cl"].result_list
        for rows in (report, listed):
            assert ("fire-9-august-1790" in {row.slug for row in rows}) == wants
        assert bool(placements.picks_by_heading()["Tolby Market - Bread Before Noon"]) == wants


# However a row is written


def test_a_new_section_follows_its_topic_however_it_is_written(valley: Article, client: Client) -> None:
    Article.objects.create(title="Millers one", slug="one", parent=valley, published=True)
    Article.objects.bulk_create([Article(title="Millers two", slug="two", parent=valley, published=True)])
    written = serializers.serialize("json", Article.objects.filter(slug="one"))
    assert '"quotations": "topic"' in written
    Article.objects.filter(pk=valley.pk).update(quotations="none")
    for slug in ("one", "two"):
        assert not has_quotations(client, f"/yarle-valley/{slug}/")


def test_a_file_that_says_nothing_makes_a_section_follow_and_a_topic_pick(tmp_path: Any, client: Client) -> None:
    rows = """[
 {"model": "articles.article", "fields": {"title": "Okapi valley", "slug": "okapi", "published": true}},
 {"model": "articles.article",
  "fields": {"parent": ["", "okapi"], "title": "Rain", "slug": "rain", "published": true}}]"""
    path = tmp_path / "okapi.json"
    path.write_text(rows, "utf-8")
    call_command("loaddata", path, verbosity=0)
    assert has_quotations(client, "/okapi/")
    assert has_quotations(client, "/okapi/rain/")
    Article.objects.filter(slug="okapi").update(quotations="chosen")
    assert not has_quotations(client, "/okapi/rain/")


def test_a_topic_that_would_follow_is_picked_for_whoever_wrote_it(valley: Article, client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE articles_article SET quotations = 'topic' WHERE id = %s", [valley.pk])
    assert has_quotations(client, "/yarle-valley/")
    assert has_quotations(client)


# Moving, drafts and previews


def test_a_section_that_moves_follows_the_new_topic_and_one_that_becomes_a_topic_follows_none(
    valley: Article, millers: Article, client: Client
) -> None:
    tolby = Article.objects.get(slug="tolby-market")
    Article.objects.filter(pk=valley.pk).update(quotations="none")
    Article.objects.filter(pk=millers.pk).update(parent=tolby)
    assert has_quotations(client, "/tolby-market/the-millers/")
    Article.objects.filter(pk=tolby.pk).update(quotations="none")
    assert not has_quotations(client, "/tolby-market/the-millers/")
    Article.objects.filter(pk=millers.pk).update(parent=None)
    assert has_quotations(client, "/the-millers/")


@pytest.mark.parametrize("to", ["tolby-market", ""])
def test_an_editor_is_warned_before_a_quiet_section_moves_to_where_the_site_picks(
    valley: Article, millers: Article, to: str
) -> None:
    Article.objects.filter(pk=valley.pk).update(quotations="none")
    editor = signed_in()
    above = Article.objects.get(slug=to).pk if to else ""
    checks = f"/admin/articles/article/{millers.pk}/checks/"
    form = form_data(editor.get(change(millers)))
    warning = "it did not under the old topic"
    assert warning not in editor.post(checks, form).content.decode()
    assert warning in editor.post(checks, {**form, "parent": above}).content.decode()
    assert warning not in editor.post(checks, {**form, "parent": above, "quotations": "none"}).content.decode()
    Article.objects.filter(pk=valley.pk).update(quotations="automatic")
    assert warning not in editor.post(checks, {**form, "parent": above}).content.decode()


def test_an_editor_is_told_for_which_sections_a_topic_would_end_the_silence(valley: Article, millers: Article) -> None:
    Article.objects.filter(pk=valley.pk).update(quotations="none")
    Article.objects.filter(pk=millers.pk).update(quotations="automatic")
    editor = signed_in()
    checks = f"/admin/articles/article/{valley.pk}/checks/"
    form = form_data(editor.get(change(valley)))
    for setting, is_told in (("none", False), ("chosen", False), ("automatic", True), ("topic", True)):
        told = editor.post(checks, {**form, "quotations": setting}).content.decode()
        assert ("which follows the topic <code>Low Water</code>" in told) == is_told, setting
        assert "<code>The Millers</code>" not in told
    Article.objects.filter(pk=valley.pk).update(quotations="automatic")
    assert "which follows the topic" not in editor.post(checks, {**form, "quotations": "topic"}).content.decode()


def test_a_draft_of_a_topic_changes_its_sections_when_it_is_published(valley: Article, client: Client) -> None:
    editor = signed_in()
    editor.post(change(valley), form_data(editor.get(change(valley)), quotations="none"))
    assert has_quotations(client)
    transition(editor, valley, "publish", kind="none")
    assert not has_quotations(client)
    assert not has_quotations(client, "/yarle-valley/")


def test_the_preview_of_a_section_follows_the_published_topic_and_that_of_a_topic_its_draft(
    valley: Article, millers: Article, client: Client
) -> None:
    copy = revisions.save_draft(valley, {**revisions.content_of(valley), "quotations": "none"})
    assert not has_quotations(client, previews.link_address(previews.create_link(copy)))
    editor = signed_in()
    assert has_quotations(editor, f"/admin/articles/article/{millers.pk}/preview/")
    assert panel(millers).setting == "picked by the site, as the topic “Yarle Valley”"


def test_an_old_version_of_a_section_that_became_a_topic_can_be_restored(millers: Article, client: Client) -> None:
    revisions.record_external_changes(millers)
    first = millers.revisions.order_by("number")[0]
    assert first.content["quotations"] == "topic"
    Article.objects.filter(pk=millers.pk).update(parent=None, quotations="none")
    millers.refresh_from_db()
    revisions.record_external_changes(millers)
    revisions.save_draft(millers, first.content)
    transition(signed_in(), millers, "publish", kind="none")
    assert Article.objects.get(pk=millers.pk).quotations == "topic"
    assert has_quotations(client, "/the-millers/")


# What editors are told


def test_the_panel_says_which_setting_applies_and_whence(valley: Article, millers: Article) -> None:
    assert panel(millers).setting == "picked by the site, as the topic “Yarle Valley”"
    Article.objects.filter(pk=valley.pk).update(quotations="none")
    assert panel(millers).setting == "none, as the topic “Yarle Valley”"
    assert panel(millers, quotations="chosen").setting == "only those chosen by editors"
    assert panel(millers, parent="").setting == "picked by the site"
    assert panel(valley).setting == "none"
    assert panel(valley, quotations="topic").setting == "picked by the site"
    page = signed_in().get(change(millers)).content.decode()
    assert "Quotations: none, as the topic “Yarle Valley”." in page


def test_the_panel_of_a_topic_says_how_many_sections_follow_it(valley: Article, millers: Article) -> None:
    assert panel(millers).followers == 0
    followers = panel(valley).followers
    assert followers == Article.objects.filter(parent=valley, quotations="topic").count() > 1
    Article.objects.filter(pk=millers.pk).update(quotations="none")
    assert panel(valley).followers == followers - 1
    assert f"{followers - 1} sections follow this setting." in signed_in().get(change(valley)).content.decode()


def test_the_form_offers_it_first_for_a_new_section_and_says_what_it_means_for_a_topic(valley: Article) -> None:
    editor = signed_in()
    page = editor.get(f"{ADD}?parent={valley.pk}")
    assert form_data(page)["quotations"] == "topic"
    assert "For a topic, it means “picked by the site”." in page.content.decode()
    editor.post(ADD, form_data(page, title="Quagga", summary="An animal."))
    assert Article.objects.get(title="Quagga").quotations == "topic"
