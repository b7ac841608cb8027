"""Renaming and merging tags, undoing it, and texts that were written under the old names."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from articles.models import Article
from quotes.models import Quote, TaggedQuote
from rlm_site.history import revisions
from rlm_site.history.drafts import Draft
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.page_cache import versions
from rlm_site.redirects.models import Address
from rlm_site.tags import changes, manager
from rlm_site.tags.models import Tag, TagChange

pytestmark = pytest.mark.django_db


@pytest.fixture
def quagga() -> Tag:
    return Tag.objects.create(name="quagga", description="A striped horse.", brings_quotations=True)


@pytest.fixture
def zebra() -> Tag:
    return Tag.objects.create(name="zebra")


def article(title: str, *tags: str | Tag) -> Article:
    row = Article.objects.create(title=title, slug=title.lower(), published=True)
    row.tags.set(tags)
    return row


def quote(text: str, *tags: str | Tag) -> Quote:
    row = Quote.objects.create(text=text, published=True, status="reported")
    row.tags.set(tags)
    return row


def renamed(tag: Tag, **fields: str) -> TagChange:
    for name, value in fields.items():
        setattr(tag, name, value)
    change = changes.rename_tag(tag)
    assert change is not None
    queue.process_queue()
    return change


def merged(tag: Tag, into: Tag) -> TagChange:
    change = changes.merge_tags(Tag.objects.get(pk=tag.pk), into)
    queue.process_queue()
    return change


def tags_of(row: Any) -> list[str]:
    return sorted(row.tags.names())


# Renaming


def test_a_renamed_tag_is_found_at_its_old_address(client: Client, quagga: Tag) -> None:
    article("Horse", quagga)
    queue.process_queue()
    renamed(quagga, name="Burchell", slug="burchell")
    assert client.get("/tags/quagga/")["Location"] == "/tags/burchell/"
    assert "Burchell" in client.get("/horse/").content.decode()
    renamed(quagga, slug="plains-zebra")
    assert client.get("/tags/quagga/")["Location"] == "/tags/plains-zebra/"


def test_a_new_name_leaves_the_address_alone(client: Client, quagga: Tag) -> None:
    article("Horse", quagga)
    renamed(quagga, name="Burchell")
    assert "Burchell" in client.get("/tags/quagga/").content.decode()


def test_a_rename_is_logged_and_undone(client: Client, quagga: Tag) -> None:
    article("Horse", quagga)
    change = renamed(quagga, name="Burchell", slug="burchell")
    assert change.said == "“quagga” renamed to “Burchell”, address “quagga” changed to “burchell”"
    changes.undo_change(change)
    queue.process_queue()
    quagga.refresh_from_db()
    assert (quagga.name, quagga.slug, quagga.folded) == ("quagga", "quagga", "quagga")
    assert client.get("/tags/burchell/")["Location"] == "/tags/quagga/"


def test_what_is_no_rename_is_not_logged(quagga: Tag) -> None:
    quagga.description = "Extinct."
    assert changes.rename_tag(quagga) is None
    quagga.refresh_from_db()
    assert quagga.description == "Extinct."
    assert not TagChange.objects.exists()


def test_only_the_last_rename_of_a_tag_can_be_undone(quagga: Tag) -> None:
    first, second = renamed(quagga, name="Burchell"), renamed(quagga, name="plains zebra")
    with pytest.raises(ValidationError, match="Undo the later change first: “Burchell” renamed to “plains zebra”"):
        changes.undo_change(first)
    changes.undo_change(second)
    changes.undo_change(first)
    quagga.refresh_from_db()
    assert quagga.name == "quagga"
    with pytest.raises(ValidationError, match="already been undone"):
        changes.undo_change(first)


@pytest.mark.parametrize("taken", [{"name": "QUAGGA", "slug": "other"}, {"name": "other", "slug": "quagga"}])
def test_a_rename_is_not_undone_onto_another_tag(quagga: Tag, taken: dict[str, str]) -> None:
    change = renamed(quagga, name="Burchell", slug="burchell")
    Tag.objects.create(**taken)
    with pytest.raises(ValidationError, match="has the name or address"):
        changes.undo_change(change)
    quagga.refresh_from_db()
    assert quagga.name == "Burchell"


# Merging


def test_everything_that_had_the_tag_has_the_other_one(client: Client, quagga: Tag, zebra: Tag) -> None:
    rows = [
        article("Horse", quagga),
        article("Mare", quagga, zebra),
        quote("A horse!", quagga, "rain"),
        quote("A mare!"),
    ]
    merged(quagga, zebra)
    assert [tags_of(row) for row in rows] == [["zebra"], ["zebra"], ["rain", "zebra"], []]
    page = client.get("/tags/zebra/").content.decode()
    assert all(words in page for words in ("Horse", "Mare", "A horse!"))
    assert client.get("/tags/quagga/")["Location"] == "/tags/zebra/"
    assert "quagga" not in client.get("/horse/").content.decode()


def test_every_address_that_led_to_the_merged_tag_leads_on(client: Client, quagga: Tag, zebra: Tag) -> None:
    article("Horse", quagga)
    queue.process_queue()
    renamed(quagga, slug="burchell")
    merged(quagga, zebra)
    for path in ("/tags/quagga/", "/tags/burchell/"):
        assert client.get(path)["Location"] == "/tags/zebra/"
    donkey = Tag.objects.create(name="donkey")
    merged(zebra, donkey)
    for path in ("/tags/quagga/", "/tags/burchell/", "/tags/zebra/"):
        assert client.get(path)["Location"] == "/tags/donkey/"


@pytest.mark.parametrize("field", ["brings_quotations", "advises_silence"])
def test_a_merged_tag_comes_back_with_every_field(field: str, zebra: Tag) -> None:
    tag = Tag.objects.create(name="okapi", description="A forest giraffe.", **{field: True})
    before = Tag.objects.filter(pk=tag.pk).values().get()
    changes.undo_change(merged(tag, zebra))
    assert Tag.objects.filter(pk=before["id"]).values().get() == before


def test_a_merge_is_undone_to_the_last_detail(client: Client, quagga: Tag, zebra: Tag) -> None:
    rows = [article("Horse", quagga), article("Mare", quagga, zebra), article("Foal", zebra), quote("A horse!", quagga)]
    queue.process_queue()
    renamed(quagga, slug="burchell")
    pk, before = quagga.pk, [tags_of(row) for row in rows]
    changes.undo_change(merged(quagga, zebra))
    queue.process_queue()
    back = Tag.objects.get(name="quagga")
    assert (back.pk, back.slug, back.description, back.brings_quotations) == (pk, "burchell", "A striped horse.", True)
    assert [tags_of(row) for row in rows] == before
    assert client.get("/tags/burchell/").status_code == 200
    assert client.get("/tags/quagga/")["Location"] == "/tags/burchell/"
    assert set(Address.objects.filter(object_id=pk, kind="tag").values_list("path", flat=True)) == {
        "/tags/quagga/",
        "/tags/burchell/",
    }
    assert [change.tag for change in TagChange.objects.filter(kind="rename")] == [back]


def test_what_editors_did_after_a_merge_outlives_its_undoing(quagga: Tag, zebra: Tag) -> None:
    moved, both, gone = article("Horse", quagga), article("Mare", quagga, zebra), article("Foal", quagga)
    untagged_moved, untagged_both = article("Ass", quagga), article("Mule", quagga, zebra)
    change = merged(quagga, zebra)
    new = article("Pony", zebra)
    gone.delete()
    untagged_moved.tags.clear()
    untagged_both.tags.clear()
    changes.undo_change(change)
    assert [tags_of(row) for row in (moved, both, new, untagged_moved, untagged_both)] == [
        ["quagga"], ["quagga", "zebra"], ["zebra"], [], [],
    ]  # fmt: skip


def test_merges_into_one_tag_are_undone_in_turn(quagga: Tag, zebra: Tag) -> None:
    donkey = Tag.objects.create(name="donkey")
    row = article("Horse", quagga, donkey)
    first, second = merged(quagga, zebra), merged(donkey, zebra)
    with pytest.raises(ValidationError, match="Undo the later change first: “donkey” merged into “zebra”"):
        changes.undo_change(first)
    changes.undo_change(second)
    changes.undo_change(first)
    assert tags_of(row) == ["donkey", "quagga"]


def test_a_merge_is_not_undone_while_its_result_is_merged_itself(quagga: Tag, zebra: Tag) -> None:
    row = article("Horse", quagga)
    first = merged(quagga, zebra)
    second = merged(zebra, Tag.objects.create(name="donkey"))
    with pytest.raises(ValidationError, match="If it was merged, undo the merge first"):
        changes.undo_change(first)
    changes.undo_change(second)
    changes.undo_change(first)
    assert tags_of(row) == ["quagga"]


def test_a_merge_is_not_undone_onto_a_tag_that_took_the_name(quagga: Tag, zebra: Tag) -> None:
    row = article("Horse", quagga)
    change = merged(quagga, zebra)
    Tag.objects.create(name="Quagga", slug="new")
    with pytest.raises(ValidationError, match="has the name or address"):
        changes.undo_change(change)
    assert tags_of(row) == ["zebra"]


def test_of_two_merges_at_once_the_second_finds_the_tag_gone(quagga: Tag, zebra: Tag) -> None:
    row = article("Horse", quagga)
    again = Tag.objects.get(pk=quagga.pk)
    changes.merge_tags(quagga, zebra)
    for tag, into in ((again, zebra), (zebra, again)):
        with pytest.raises(ValidationError, match="no longer exists"):
            changes.merge_tags(tag, into)
    with pytest.raises(ValidationError, match="itself"):
        changes.merge_tags(zebra, zebra)
    assert tags_of(row) == ["zebra"]
    assert TagChange.objects.count() == 1


def test_both_tags_are_locked_in_one_order(quagga: Tag, zebra: Tag) -> None:
    """So that two people who merge them crosswise wait for each other and do not fail."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    with CaptureQueriesContext(connection) as queries:
        changes.merge_tags(zebra, quagga)
    lock = next(query["sql"] for query in queries if "FOR UPDATE" in query["sql"])
    assert 'ORDER BY "rlm_site_tag"."id"' in lock


def test_a_merge_makes_readers_pages_new(quagga: Tag, zebra: Tag) -> None:
    article("Horse", quagga)
    queue.process_queue()
    before = versions.read_versions()
    changes.merge_tags(quagga, zebra)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    after = versions.read_versions()
    assert after.versions["all"] != before.versions["all"]
    assert after.stale
    assert not before.stale


def test_a_merge_and_its_undoing_make_few_queries_however_much_moves(quagga: Tag, zebra: Tag) -> None:
    def use(count: int) -> None:
        rows = Quote.objects.bulk_create(Quote(text=f"Quote {number}") for number in range(count))
        TaggedQuote.objects.bulk_create(TaggedQuote(tag=quagga, content_object=row) for row in rows)
        TaggedQuote.objects.bulk_create(TaggedQuote(tag=zebra, content_object=row) for row in rows[: count // 10])

    def queries() -> list[int]:
        queue.process_queue()
        tag = Tag.objects.get(name="quagga")
        with CaptureQueriesContext(connection) as merging:
            change = changes.merge_tags(tag, zebra)
        with CaptureQueriesContext(connection) as undoing:
            changes.undo_change(change)
        return [len(merging), len(undoing)]

    use(10)
    few = queries()
    use(2000)
    assert queries() == few
    assert max(few) <= 30


# Texts that were written under an old name


def working_copy(row: Article, *tags: str) -> Revision:
    revisions.record_external_changes(row)
    return revisions.save_draft(row, {**revisions.content_of(row), "title": "A New Title", "tags": sorted(tags)})


@pytest.mark.parametrize("old", ["quagga", "QUAGGA"])
def test_a_working_copy_that_names_a_merged_tag_publishes_the_other_one(quagga: Tag, zebra: Tag, old: str) -> None:
    row = article("Horse", quagga)
    copy = working_copy(row, old, "rain")
    merged(quagga, zebra)
    assert Draft.at(row, copy).tags == ["rain", "zebra"]
    revisions.publish(row, copy.content)
    assert tags_of(row) == ["rain", "zebra"]
    assert not Tag.objects.filter(folded="quagga").exists()


def test_a_working_copy_that_names_a_renamed_tag_publishes_the_renamed_one(quagga: Tag) -> None:
    row = article("Horse")
    copy = working_copy(row, "quagga")
    renamed(quagga, name="Burchell")
    renamed(quagga, name="plains zebra")
    revisions.publish(row, copy.content)
    assert tags_of(row) == ["plains zebra"]


def test_a_working_copy_of_between_a_rename_and_its_undoing_means_the_same_tag(quagga: Tag) -> None:
    row = article("Horse")
    change = renamed(quagga, name="Burchell")
    copy = working_copy(row, "Burchell")
    changes.undo_change(change)
    revisions.publish(row, copy.content)
    assert list(row.tags.all()) == [quagga]


def test_a_working_copy_that_names_a_merged_tag_finds_it_back_when_that_is_undone(quagga: Tag, zebra: Tag) -> None:
    row = article("Horse", quagga)
    copy = working_copy(row, "quagga")
    changes.undo_change(merged(quagga, zebra))
    revisions.publish(row, copy.content)
    assert tags_of(row) == ["quagga"]


def test_names_follow_renames_and_merges_one_after_the_other(quagga: Tag, zebra: Tag) -> None:
    renamed(quagga, name="Burchell")
    merged(quagga, zebra)
    renamed(zebra, name="Equus")
    assert manager.current_names(["quagga", "burchell", "ZEBRA", "no such tag"]) == ["Equus", "no such tag"]


def test_a_tag_that_has_the_name_now_is_the_one_that_is_meant(quagga: Tag, zebra: Tag) -> None:
    merged(quagga, zebra)
    new = Tag.objects.create(name="Quagga")
    assert manager.find_tags(["quagga"]) == {"quagga": new}


def test_a_name_of_a_tag_that_was_deleted_makes_a_new_one(quagga: Tag, zebra: Tag) -> None:
    merged(quagga, zebra)
    zebra.delete()
    row = article("Horse", "quagga")
    assert tags_of(row) == ["quagga"]


@pytest.mark.parametrize("what", ["rename", "merge"])
def test_neither_is_taken_for_a_change_from_outside(quagga: Tag, zebra: Tag, what: str) -> None:
    row = article("Horse", quagga)
    revisions.publish(row, revisions.content_of(row))
    if what == "rename":
        renamed(quagga, name="Burchell")
    else:
        merged(quagga, zebra)
    row = Article.objects.get(pk=row.pk)
    assert revisions.record_external_changes(row) is None
    row.tags.add("rain")
    assert revisions.record_external_changes(row) is not None


def test_names_that_are_known_cost_one_query_and_others_two_more(quagga: Tag, zebra: Tag) -> None:
    merged(quagga, zebra)
    for names, count in ((["zebra", "bread"], 1), (["quagga", "zebra"], 3), (["no such tag"], 3)):
        with CaptureQueriesContext(connection) as queries:
            manager.current_names(names)
        assert len(queries) <= count
