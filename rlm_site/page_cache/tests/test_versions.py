"""Every change of what pages are made of is noticed, whoever writes it and however, and by the right pages alone."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from articles.models import Article, QuoteChoice, Reference, TaggedArticle
from quotes.models import Check, IndexTerm, Person, Quote, TaggedQuote, Word, Work
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.indexing.models import Stale
from rlm_site.page_cache import triggers, versions
from rlm_site.page_cache.checks import check_triggers
from rlm_site.page_cache.models import PartVersion
from rlm_site.tags.models import Tag

pytestmark = pytest.mark.django_db


def execute(statement: str, *parameters: str | bool | int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def tokens() -> dict[str, str]:
    if connection.vendor == "postgresql":
        with transaction.atomic():  # as at commit; in a transaction of its own, for the triggers, by the savepoint
            execute("SET CONSTRAINTS ALL IMMEDIATE")
            execute("SET CONSTRAINTS ALL DEFERRED")
    return versions.versions_of(PartVersion.objects.values_list("name", flat=True))


def renewed(change: Callable[[], object]) -> set[str]:
    """The names of the tokens that a change renews."""
    before = tokens()
    change()
    after = tokens()
    return {name for name in before | after if before.get(name) != after.get(name)}


def insert_tag_by_sql() -> None:
    execute(
        "INSERT INTO rlm_site_tag (name, slug, folded, description, brings_quotations) VALUES (%s, %s, %s, '', %s)",
        "Sql", "sql", "sql", False,
    )  # fmt: skip


CHANGES: dict[str, Callable[[], object]] = {
    "save": lambda: Article.objects.first().save(),  # type: ignore[union-attr]
    "update": lambda: Article.objects.filter(slug="the-allies").update(body="x"),
    "bulk_create": lambda: Reference.objects.bulk_create([Reference(key="new-1", title="New")]),
    "bulk_update": lambda: Person.objects.bulk_update(
        [Person(pk=Person.objects.values_list("pk")[0][0], name="N")], ["name"]
    ),
    "delete": lambda: QuoteChoice.objects.all()[0].delete(),
    "tag": lambda: Quote.objects.all()[0].tags.add("brand new"),
    "untag": lambda: TaggedArticle.objects.all()[0].delete(),
    "rename of a tag": lambda: Tag.objects.filter(slug="exile").update(name="Exiles"),
    "index term": lambda: IndexTerm.objects.all()[0].delete(),
    "evidence": lambda: Check.objects.all()[0].delete(),
    "work": lambda: Work.objects.filter(title="Familiar Quotations").update(year=1906),
    "SQL": insert_tag_by_sql,
    "SQL update": lambda: execute("UPDATE quotes_quote SET text = 'x' WHERE key = 'sontag-liberal-intellectuals'"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_gives_the_content_a_new_version(change: str) -> None:
    assert "all" in renewed(CHANGES[change])


def test_loaddata_gives_the_content_a_new_version(tmp_path: Path) -> None:
    fixture = tmp_path / "one.json"
    row = {"model": "rlm_site.tag", "fields": {"name": "Loaded", "slug": "loaded"}}
    fixture.write_text(json.dumps([row]))
    assert renewed(lambda: call_command("loaddata", str(fixture), verbosity=0)) == {"all", "tags"}
    assert Tag.objects.get(slug="loaded").folded == "loaded"


def test_tokens_never_repeat() -> None:
    seen = set()
    for number in range(50):
        Reference.objects.filter(key="andreyev-1987").update(note=str(number))
        now = tokens()
        seen |= {now["all"], now["references"]}
    assert len(seen) == 100


def test_a_rolled_back_change_keeps_the_tokens_and_the_next_one_is_new() -> None:
    before = tokens()
    with transaction.atomic():
        Tag.objects.create(name="Undone")
        undone = tokens()
        transaction.set_rollback(True)
    assert tokens() == before
    Tag.objects.create(name="Done")
    assert tokens()["all"] not in {before["all"], undone["all"]}


def allies() -> Article:
    return Article.objects.get(parent__slug="russian-liberation-movement", slug="the-allies")


PARTS: dict[str, tuple[Callable[[Article], object], set[str]]] = {
    "text of a section": (lambda page: Article.objects.filter(pk=page.pk).update(body="x"), {"own", "topic"}),
    "save without a change": (lambda page: page.save(), {"own", "topic"}),
    "text of a topic": (lambda page: Article.objects.filter(pk=page.parent_id).update(body="x"), {"topic"}),
    "title": (lambda page: Article.objects.filter(pk=page.pk).update(title="X"), {"own", "topic", "addresses"}),
    "times": (
        lambda page: Article.objects.filter(pk=page.pk).update(retire_at=timezone.now()),
        {"own", "topic", "addresses", "due"},
    ),
    "new section": (
        lambda page: Article.objects.bulk_create([Article(pk=9000, parent=page.parent, title="N", slug="n")]),
        {"article:9000", "topic", "addresses", "due"},
    ),
    "moved section": (
        lambda page: Article.objects.filter(pk=page.pk).update(parent=Article.objects.get(slug="andrey-vlasov")),
        {"own", "topic", "other topic", "addresses"},
    ),
    "tag": (lambda page: TaggedArticle.objects.filter(content_object=page)[0].delete(), {"own"}),
    "tag moved": (
        lambda page: TaggedArticle.objects.filter(pk=TaggedArticle.objects.filter(content_object=page)[:1]).update(
            content_object=Article.objects.get(slug="andrey-vlasov"), tag=Tag.objects.create(name="lonely")
        ),
        {"own", "other topic", "tags"},
    ),
    "pin": (lambda page: QuoteChoice.objects.create(article=page, quote=Quote.objects.all()[0]), {"own"}),
    "published revision": (lambda page: revisions.record_revision(page, state=Revision.State.PUBLISHED), {"own"}),
    "quotation": (lambda page: Quote.objects.filter(key="sontag-liberal-intellectuals").update(text="x"), {"quotes"}),
    "quotation off": (
        lambda page: Quote.objects.filter(key="sontag-liberal-intellectuals").update(published=False),
        {"quotes", "due"},
    ),
    "tag of a quotation": (lambda page: TaggedQuote.objects.all()[0].delete(), {"quotes"}),
    "tag's name": (lambda page: Tag.objects.filter(slug="exile").update(name="Exiles"), {"tags"}),
    "reference": (lambda page: Reference.objects.all()[0].delete(), {"references"}),
    "evidence": (lambda page: Check.objects.all()[0].delete(), set()),
}


@pytest.mark.parametrize("change", PARTS)
def test_a_change_renews_the_parts_that_it_belongs_to_and_no_other(change: str) -> None:
    page = allies()
    names = {
        "own": f"article:{page.pk}",
        "topic": f"article:{page.parent_id}",
        "other topic": f"article:{Article.objects.get(slug='andrey-vlasov').pk}",
    }
    make, parts = PARTS[change]
    assert renewed(lambda: make(page)) == {"all", *(names.get(part, part) for part in parts)}


def test_what_readers_never_see_renews_nothing() -> None:
    page, user = allies(), User.objects.create(username="owner")

    def work_at_the_desk() -> None:
        draft = revisions.record_revision(page)
        Revision.objects.filter(pk=draft.pk).update(state=Revision.State.IN_REVIEW, comment="Please look.")
        Revision.objects.filter(pk=draft.pk).delete()
        Article.objects.filter(pk=page.pk).update(owner=user)
        Quote.objects.update(owner=user)
        user.delete()
        Session.objects.create(session_key="k", session_data="", expire_date=timezone.now())
        Word.objects.create(text="zyx", form="zyx")

    assert renewed(work_at_the_desk) == set()
    assert not Stale.objects.exists()


def test_a_revision_that_is_published_or_taken_back_is_noticed() -> None:
    draft = revisions.record_revision(allies())
    row = Revision.objects.filter(pk=draft.pk)
    for state in (Revision.State.PUBLISHED, Revision.State.DRAFT):
        assert f"article:{allies().pk}" in renewed(lambda state=state: row.update(state=state))  # type: ignore[misc]


@pytest.mark.skipif("connection.vendor != 'sqlite'")
def test_a_row_that_another_client_replaces_is_missed() -> None:
    topic = Article.objects.create(title="Replaced", slug="replaced")
    columns = ", ".join(field.column or "" for field in Article._meta.concrete_fields if not field.primary_key)
    queue.process_queue()
    replace = f"INSERT OR REPLACE INTO articles_article (id, {columns}) SELECT 9000, {columns} FROM articles_article"
    assert f"article:{topic.pk}" in renewed(lambda: execute(f"{replace} WHERE id = %s", topic.pk))
    assert ("article", topic.pk) in set(Stale.objects.values_list("kind", "object_id"))
    assert not Article.objects.filter(pk=topic.pk).exists()


@pytest.mark.skipif("connection.vendor != 'sqlite'")
def test_a_row_that_takes_the_number_of_another_is_missed_where_that_was() -> None:
    choice, other = QuoteChoice.objects.all()[0], Article.objects.create(title="Other", slug="other")
    assert choice.article_id != other.pk
    columns = "(id, article_id, quote_id, action, position, reason)"
    statement = f"REPLACE INTO articles_quotechoice {columns} VALUES (%s, %s, %s, 'pin', 0, '')"
    assert renewed(lambda: execute(statement, choice.pk, other.pk, choice.quote_id)) == {
        "all",
        f"article:{choice.article_id}",
        f"article:{other.pk}",
    }


@pytest.mark.skipif("connection.vendor != 'sqlite'")
def test_insert_or_ignore_of_another_client_is_noticed() -> None:
    statement = "INSERT OR IGNORE INTO rlm_site_tag (name, slug, folded, description, brings_quotations)"
    assert renewed(lambda: execute(f"{statement} VALUES ('I', 'i', 'i', '', %s)", False)) == {"all", "tags"}


@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_a_table_that_is_emptied_at_once_is_noticed() -> None:
    changed = renewed(lambda: execute("TRUNCATE articles_quotechoice"))
    assert changed == {"all", *(f"article:{pk}" for pk in Article.objects.values_list("pk", flat=True))}


def test_only_what_changed_is_stale() -> None:
    quote = Quote.objects.get(key="sontag-liberal-intellectuals")
    assert not Stale.objects.exists()
    Quote.objects.filter(pk=quote.pk).update(text="New words")
    assert set(Stale.objects.values_list("kind", "object_id")) == {("quote", quote.pk)}
    queue.process_queue()
    assert not Stale.objects.exists()


def test_settling_is_one_query_when_nothing_changed(django_assert_num_queries: Callable[[int], object]) -> None:
    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        queue.ensure_indexed()


def test_who_is_overtaken_while_settling_has_tokens_of_what_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    quote, drain = Quote.objects.filter(key="sontag-liberal-intellectuals"), queue.process_queue

    def drain_and_be_overtaken() -> None:
        drain()
        quote.update(text="Newer words")
        tokens()

    quote.update(text="New words")
    before = tokens()
    monkeypatch.setattr(queue, "process_queue", drain_and_be_overtaken)
    settled = queue.ensure_indexed()
    assert Stale.objects.exists()
    assert tokens()["quotes"] != settled.tokens["quotes"] == before["quotes"]


def test_whoever_goes_on_writing_holds_up_nobody_who_settles(monkeypatch: pytest.MonkeyPatch) -> None:
    quotes = list(Quote.objects.all()[:10])
    rebuilt: list[tuple[str, int]] = []

    def rebuild_and_be_overtaken(objects: list[tuple[str, int]]) -> None:
        rebuilt.extend(objects)
        Quote.objects.filter(pk=quotes[len(rebuilt)].pk).update(text="New words")

    monkeypatch.setattr(queue, "reindex", rebuild_and_be_overtaken)
    Quote.objects.filter(pk=quotes[0].pk).update(text="New words")
    queue.process_queue()
    assert rebuilt == [("quote", quote.pk) for quote in quotes[: queue.ROUNDS]]
    assert Stale.objects.exists()


def test_nothing_is_remembered_of_what_has_no_token() -> None:
    tokens = {"all": "a", "quotes": "b", "tags": "c"}
    state = versions.Versions(tokens, stale=False)
    assert state.of("quotes", "tags") == "b c"
    assert state.of("quotes", "no such part") == ""
    assert versions.Versions(tokens, stale=False, committed=False).of("quotes") == ""


def drop_a_trigger() -> None:
    name, table = next(
        (name, table) for name, table in triggers._installed(connection).items() if table == "articles_article"
    )
    execute(f"DROP TRIGGER {name}" + (f" ON {table}" if connection.vendor == "postgresql" else ""))


def test_a_missing_trigger_is_an_error_and_comes_back() -> None:
    assert check_triggers(["default"]) == []
    drop_a_trigger()
    (error,) = check_triggers(["default"])
    assert error.id == "rlm_site.E001"
    assert "articles_article" in error.msg
    triggers.install_triggers()
    assert triggers.tables_without_trigger() == []


def test_what_changed_while_a_trigger_was_missing_counts_as_everything() -> None:
    drop_a_trigger()
    before = tokens()
    triggers.install_triggers()
    after = tokens()
    assert before.keys() == after.keys()
    assert not set(before.values()) & set(after.values())


def test_tokens_that_are_gone_come_back() -> None:
    before = tokens()
    execute(f"DELETE FROM {versions.VERSION_TABLE}")
    execute(f"DELETE FROM {versions.PART_TABLE}")
    triggers.install_triggers()
    assert tokens().keys() == before.keys()


def test_installing_again_changes_nothing() -> None:
    before = triggers._installed(connection), tokens()
    triggers.install_triggers()
    assert (triggers._installed(connection), tokens()) == before
