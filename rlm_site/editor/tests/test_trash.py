"""What is deleted at the desk comes back whole, or it is said what stands in the way and nothing changes."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.test import Client

from articles.models import Article, HeadingWord, QuoteChoice, Reference
from quotes.models import Check, IndexTerm, Person, Quote, QuoteWord, TaggedQuote, Work
from rlm_site.history import revisions, trash
from rlm_site.history.models import Deletion, Revision
from rlm_site.indexing import queue
from rlm_site.redirects.models import Address
from rlm_site.search.models import SearchDocument
from rlm_site.tags.models import Tag
from rlm_site.tests.editor import count_queries, form_data, group_client, signed_in
from rlm_site.tests.html import parse, text_of

pytestmark = pytest.mark.django_db

LIST = "/admin/rlm_site/deletion/"


def address(row: Any, page: str) -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/{page}/"


def delete(somebody: Client, row: Any) -> Deletion:
    page = somebody.get(address(row, "delete"))
    assert somebody.post(address(row, "delete"), form_data(page)).status_code == 302
    assert not type(row).objects.filter(pk=row.pk).exists()
    return Deletion.objects.latest("pk")


def recover(somebody: Client, deletion: Deletion, **typed: Any) -> Any:
    page = somebody.get(address(deletion, "change"))
    return somebody.post(address(deletion, "change"), form_data(page, **typed))


def stored() -> dict[str, list[Any]]:
    """Every row of content and of what is derived of it, as the database has it."""
    queue.process_queue()
    tables: list[type[Model]] = [Article, QuoteChoice, Reference, Quote, Person, Work, Check, IndexTerm, Tag]
    tables += Tag.through_models()
    rows: dict[str, list[Any]] = {
        table._meta.label: list(table._default_manager.order_by("pk").values()) for table in tables
    }
    rows["addresses"] = sorted(Address.objects.values_list("path", "kind", "object_id"))
    rows["heading words"] = sorted(HeadingWord.objects.values_list("article", "word"))
    rows["words"] = sorted(QuoteWord.objects.values_list("word__text", "quote", "rank", "contained"))
    rows["found"] = sorted(SearchDocument.objects.values_list("source", "object_id", "title", "text"))
    return rows


@pytest.fixture
def topic() -> Article:
    """Return a topic with sections, tags, choices, an old address and a history."""
    topic = Article.objects.get(slug="yarle-valley")
    queue.process_queue()
    Article.objects.filter(parent=topic, slug="the-millers").update(slug="millers")
    queue.process_queue()
    section = topic.sections.get(slug="millers")
    quote = Quote.objects.exclude(choices__article=section).order_by("pk")[0]
    QuoteChoice.objects.create(article=section, quote=quote, reason="A zorblax.")
    revisions.record_external_changes(section)
    revisions.save_draft(section, {**revisions.content_of(section), "title": "The Zorblaxes"})
    return topic


def test_a_topic_with_its_sections_comes_back_as_it_was(topic: Article, client: Client) -> None:
    editor, before = signed_in(), stored()
    page = client.get("/yarle-valley/millers/").content
    deletion = delete(editor, topic)
    assert client.get("/yarle-valley/millers/").status_code == 410
    assert stored() != before
    assert recover(editor, deletion)["Location"] == LIST
    assert stored() == before
    assert client.get("/yarle-valley/millers/").content == page
    assert client.get("/yarle-valley/the-millers/")["Location"] == "/yarle-valley/millers/"


def test_drafts_outlive_a_deletion_and_the_recovery_stands_in_the_history(topic: Article) -> None:
    editor, section = signed_in("anna"), topic.sections.get(slug="millers")
    recover(editor, delete(editor, topic))
    newest = section.revisions.order_by("-number")[0]
    assert (newest.act, newest.state, str(newest.author)) == ("recovered", "published", "anna")
    copy = revisions.working_copy(section)
    assert copy is not None
    assert copy.content["title"] == "The Zorblaxes"
    assert topic.revisions.order_by("-number")[0].act == Revision.Act.RECOVERED


def test_readers_are_told_of_no_change_by_a_recovery(topic: Article, client: Client) -> None:
    editor = signed_in()
    client.get("/changes/")
    before = client.get("/changes/").content
    recover(editor, delete(editor, topic))
    assert client.get("/changes/").content == before


def test_it_can_be_deleted_and_recovered_again(topic: Article) -> None:
    editor, before = signed_in(), stored()
    first = delete(editor, topic)
    recover(editor, first)
    second = delete(editor, topic)
    assert second != first
    recover(editor, second)
    assert stored() == before


def test_what_was_not_public_stays_so(client: Client) -> None:
    article = Article.objects.create(title="Zorblax", slug="zorblax", body="Nothing.")
    editor = signed_in()
    recover(editor, delete(editor, article))
    article.refresh_from_db()
    assert not article.published
    assert client.get("/zorblax/").status_code == 404
    assert article.revisions.order_by("-number")[0].state == Revision.State.DRAFT


def test_moments_come_back_to_the_microsecond(topic: Article) -> None:
    moment = datetime(2026, 5, 4, 3, 2, 1, 123456, UTC)
    Article.objects.filter(pk=topic.pk).update(created=moment, updated=moment, retire_at=moment.replace(year=2999))
    editor = signed_in()
    recover(editor, delete(editor, topic))
    topic.refresh_from_db()
    assert (topic.created, topic.updated, topic.retire_at) == (moment, moment, moment.replace(year=2999))


def test_what_was_deleted_when_moments_were_kept_to_the_millisecond_comes_back(topic: Article) -> None:
    moment = datetime(2026, 5, 4, 3, 2, 1, 123000, UTC)
    Article.objects.filter(pk=topic.pk).update(created=moment, updated=moment)
    editor, rows = signed_in(), json.loads(serializers.serialize("json", [Article.objects.get(pk=topic.pk)]))
    deletion = delete(editor, topic)
    assert rows[0]["fields"]["created"] == "2026-05-04T03:02:01.123Z"
    deletion.rows["rows"][0] = rows[0]
    deletion.save()
    recover(editor, deletion)
    topic.refresh_from_db()
    assert (topic.created, topic.updated) == (moment, moment)


def test_a_quotation_comes_back_with_evidence_words_and_those_who_name_it() -> None:
    quote = Quote.objects.filter(checks__isnull=False, tags__isnull=False).order_by("pk")[0]
    other = Quote.objects.exclude(pk=quote.pk).order_by("pk")[0]
    IndexTerm.objects.create(quote=quote, word="zorblax")
    QuoteChoice.objects.get_or_create(article=Article.objects.order_by("pk")[0], quote=quote)
    Quote.objects.filter(pk=other.pk).update(version_of=quote)
    editor, before = signed_in(), stored()
    deletion = delete(editor, quote)
    other.refresh_from_db()
    assert other.version_of is None
    recover(editor, deletion)
    assert stored() == before


@pytest.mark.parametrize("model", [Person, Work, Reference, Tag])
def test_people_works_references_and_tags_come_back_too(model: Any) -> None:
    if model is Tag:
        row = max(
            Tag.objects.all(), key=lambda tag: sum(t.objects.filter(tag=tag).count() for t in Tag.through_models())
        )
    else:
        fields = {"key": "zorblax"} if model is Reference else {"slug": "zorblax"} if model is Person else {}
        row = model.objects.create(**fields, **{"name" if model is Person else "title": "Zorblax"})
    editor, before = signed_in(), stored()
    recover(editor, delete(editor, row))
    assert stored() == before


def test_all_that_a_list_deletes_comes_back(topic: Article) -> None:
    """A section that goes with its topic is kept once."""
    section = topic.sections.order_by("pk")[0]
    other = Article.objects.topics().exclude(pk=topic.pk).order_by("pk")[0]
    editor, before, there = signed_in(), stored(), Deletion.objects.count()
    place = "/admin/articles/article/"
    chosen = {"action": "delete_selected", "_selected_action": [topic.pk, section.pk, other.pk]}
    asked = editor.post(place, {**form_data(editor.get(f"{place}?all=")), **chosen})
    assert asked.status_code == 200
    editor.post(place, {**form_data(asked), **chosen, "post": "yes"})
    assert not Article.objects.filter(pk__in=[topic.pk, section.pk, other.pk]).exists()
    deletions = Deletion.objects.order_by("pk")[there:]
    assert {deletion.title for deletion in deletions} == {topic.title, other.title}
    for deletion in deletions:
        recover(editor, deletion)
    assert stored() == before


def test_what_was_on_thousands_of_pages_makes_no_more_queries_than_what_was_on_ten() -> None:
    editor, counts = signed_in(), []
    for name, count in (("few", 10), ("many", 3000)):
        tag = Tag.objects.create(name=name, slug=name)
        made = Quote.objects.bulk_create(Quote(text=name, key=f"{name}-{number}") for number in range(count))
        TaggedQuote.objects.bulk_create(TaggedQuote(tag=tag, content_object=quote) for quote in made)
        [deletion] = trash.move_to_trash([tag], None)
        tag.delete()
        counts.append(count_queries(editor, address(deletion, "change")))
    assert counts[1] <= counts[0] <= 25


def test_whoever_deletes_is_told_where_it_can_come_back(topic: Article) -> None:
    editor = signed_in()
    deletion = delete(editor, topic)
    assert address(deletion, "change") in editor.get("/admin/articles/article/").content.decode()


# What stands in the way


def test_a_slug_that_another_page_has_got_stands_in_the_way(topic: Article) -> None:
    editor = signed_in()
    deletion = delete(editor, topic)
    other = Article.objects.create(title="Zorblax", slug=topic.slug)
    before = stored()
    page = editor.get(address(deletion, "change"))
    text = text_of(parse(page).find(".//*[@id='content-main']"))
    assert "The slug “yarle-valley” is now used by “Zorblax”." in text
    assert "Change it there, or delete that record" in text
    assert address(other, "change") in page.content.decode()
    assert "<form" not in page.content.decode().split('id="content-main"')[1]
    assert editor.post(address(deletion, "change")).status_code == 409
    assert stored() == before
    other.slug = "zorblax"
    other.save()
    assert recover(editor, deletion).status_code == 302


def test_a_section_waits_for_its_topic(topic: Article) -> None:
    editor = signed_in()
    section = topic.sections.order_by("pk")[0]
    first = delete(editor, section)
    second = delete(editor, topic)
    page = editor.get(address(first, "change")).content.decode()
    assert "the article “Yarle Valley” has since been deleted. Restore it first." in page
    assert address(second, "change") in page
    assert editor.post(address(first, "change")).status_code == 409
    assert recover(editor, second).status_code == 302
    assert recover(editor, first).status_code == 302
    assert Article.objects.filter(pk=section.pk, parent=topic).exists()


def test_a_pin_of_a_quotation_that_was_deleted_since_is_left_out_only_when_somebody_says_so(topic: Article) -> None:
    editor, section = signed_in(), topic.sections.get(slug="millers")
    quote = section.quote_choices.get(reason="A zorblax.").quote
    first = delete(editor, topic)
    second = delete(editor, quote)
    before = stored()
    page = editor.get(address(first, "change")).content.decode()
    assert "has since been deleted. Restore it first." in page
    assert address(second, "change") in page
    assert editor.post(address(first, "change")).status_code == 409
    assert stored() == before
    assert recover(editor, first, without_lost="on").status_code == 302
    assert Article.objects.filter(pk=section.pk).exists()
    assert not section.quote_choices.filter(reason="A zorblax.").exists()


def test_a_quotation_waits_for_its_person() -> None:
    person = Person.objects.create(name="Zorblax", slug="zorblax")
    quote = Quote.objects.create(text="A zorblax.", person=person)
    editor = signed_in()
    first = delete(editor, quote)
    second = delete(editor, person)
    assert editor.post(address(first, "change")).status_code == 409
    recover(editor, second)
    recover(editor, first)
    assert Quote.objects.get(pk=quote.pk).person == person


def test_an_account_that_is_gone_is_no_obstacle(topic: Article) -> None:
    owner = User.objects.create(username="boris")
    Article.objects.filter(pk=topic.pk).update(owner=owner)
    editor = signed_in()
    deletion = delete(editor, topic)
    owner.delete()
    recover(editor, deletion)
    assert Article.objects.get(pk=topic.pk).owner is None


def test_an_old_address_that_leads_elsewhere_by_now_goes_on_to_do_so(topic: Article, client: Client) -> None:
    editor = signed_in()
    deletion = delete(editor, topic)
    other = Article.objects.create(title="Zorblax", slug="zorblax", published=True)
    queue.process_queue()
    Address.objects.create(path="/yarle-valley/the-millers/", kind="article", object_id=other.pk)
    assert recover(editor, deletion).status_code == 302
    assert client.get("/yarle-valley/the-millers/")["Location"] == "/zorblax/"


def test_nothing_is_recovered_twice(topic: Article) -> None:
    editor = signed_in()
    deletion = delete(editor, topic)
    recover(editor, deletion)
    with pytest.raises(ValidationError, match="already been restored"):
        trash.recover(deletion, None)
    assert editor.post(address(deletion, "change")).status_code == 409
    assert "Restored on" in editor.get(address(deletion, "change")).content.decode()


# The list, and who may


def test_the_list_says_what_was_deleted_by_whom_and_what_is_in_it(topic: Article) -> None:
    editor = signed_in("anna")
    sections = topic.sections.count()
    deletion = delete(editor, topic)
    page = text_of(parse(editor.get(LIST)).find(".//*[@id='result_list']/tbody"))
    assert "Yarle Valley" in page
    assert f"{sections + 1} articles" in page
    assert "anna" in page
    assert "Restore…" in page
    recover(editor, deletion)
    assert "Restore…" not in editor.get(LIST).content.decode()
    assert deletion not in editor.get(f"{LIST}?recovered=no").context["cl"].result_list


def test_the_list_makes_as_many_queries_for_many_as_for_one(topic: Article) -> None:
    editor = signed_in()
    delete(editor, topic)
    one = count_queries(editor, LIST)
    for quote in Quote.objects.order_by("pk")[:10]:
        trash.move_to_trash([quote], None)
    assert count_queries(editor, LIST) <= one
    assert one <= 15


def test_whoever_deletes_nothing_sees_and_recovers_nothing(topic: Article) -> None:
    deletion = delete(signed_in(), topic)
    for somebody in (group_client("Authors"), group_client("Editors")):
        assert somebody.get(LIST).status_code == 403
        assert somebody.get(address(deletion, "change")).status_code == 403
        assert somebody.post(address(deletion, "change"), {"without_lost": "on"}).status_code == 403
    assert not Article.objects.filter(pk=topic.pk).exists()


def test_who_may_delete_one_kind_sees_only_that(topic: Article) -> None:
    editor = signed_in()
    deletion = delete(editor, topic)
    delete(editor, Quote.objects.order_by("pk")[0])
    somebody = signed_in("boris", "delete_quote", "view_quote")
    assert [row.content_type.model for row in somebody.get(LIST).context["cl"].result_list] == ["quote"]
    never = deletion.pk + 1000
    for pk in (deletion.pk, never):  # it is not said whether there is one
        assert somebody.post(f"{LIST}{pk}/change/", {"without_lost": "on"}).status_code == 404
    assert not Article.objects.filter(pk=topic.pk).exists()


def test_only_whoever_could_delete_a_record_reads_its_history_after_it_is_deleted(topic: Article) -> None:
    revision = topic.sections.get(slug="millers").revisions.latest("number")
    assert revision.content["title"] == "The Zorblaxes"
    page = address(revision, "change")
    readers = [group_client(name) for name in ("Authors", "Editors", "Publishers")]
    assert ["The Zorblaxes" in reader.get(page).content.decode() for reader in readers] == [True, True, True]
    delete(signed_in(), topic)
    assert ["The Zorblaxes" in reader.get(page).content.decode() for reader in readers] == [False, False, True]
    for place in ("/admin/", "/admin/rlm_site/revision/"):
        assert ["The Zorblaxes" in reader.get(place).content.decode() for reader in readers] == [False, False, True]


def test_only_a_publisher_brings_a_public_page_back(topic: Article) -> None:
    deletion = delete(signed_in(), topic)
    somebody = signed_in("boris", "delete_article", "change_article")
    assert "Ask a publisher" in somebody.get(address(deletion, "change")).content.decode()
    assert somebody.post(address(deletion, "change")).status_code == 403
    assert not Article.objects.filter(pk=topic.pk).exists()
    assert recover(group_client("Publishers"), deletion).status_code == 302
    assert Article.objects.filter(pk=topic.pk).exists()


def test_whoever_may_not_delete_deletes_nothing(topic: Article) -> None:
    for somebody in (group_client("Authors"), group_client("Editors")):
        assert somebody.post(address(topic, "delete"), {"post": "yes"}).status_code == 403
    assert Article.objects.filter(pk=topic.pk).exists()
    assert not Deletion.objects.exists()


def test_what_is_still_in_use_is_neither_deleted_nor_kept_as_deleted() -> None:
    person = Person.objects.filter(quotes__isnull=False).order_by("pk")[0]
    editor = signed_in()
    page = editor.get(address(person, "delete"))
    assert editor.post(address(person, "delete"), form_data(page, post="yes")).status_code == 200
    assert Person.objects.filter(pk=person.pk).exists()
    assert not Deletion.objects.exists()
