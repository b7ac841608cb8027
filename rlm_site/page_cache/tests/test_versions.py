"""Every change of content gives its cache tags new versions, whoever writes it and however, and no other tag one."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.management.base import SystemCheckError
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
from rlm_site.tags.models import Tag

pytestmark = pytest.mark.django_db


def execute(statement: str, *parameters: str | bool | int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def all_versions() -> dict[str, str]:
    if connection.vendor == "postgresql":
        with transaction.atomic():  # as at commit; in a transaction of its own, for the triggers, by the savepoint
            execute("SET CONSTRAINTS ALL IMMEDIATE")
            execute("SET CONSTRAINTS ALL DEFERRED")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name FROM {versions.ROW_VERSION_TABLE}")
        return versions.read_versions([name for (name,) in cursor.fetchall()]).versions


def renewed(change: Callable[[], object]) -> set[str]:
    """Return the cache tags to which a change gives new versions."""
    before = all_versions()
    change()
    after = all_versions()
    return {name for name in before | after if before.get(name) != after.get(name)}


def insert_tag_by_sql() -> None:
    execute(
        "INSERT INTO rlm_site_tag (name, slug, folded, description, brings_quotations) VALUES (%s, %s, %s, '', %s)",
        "Sql", "sql", "sql", False,
    )  # fmt: skip


CHANGES: dict[str, Callable[[], object]] = {
    "save": lambda: Article.objects.first().save(),  # type: ignore[union-attr]
    "update": lambda: Article.objects.filter(slug="the-millers").update(body="x"),
    "bulk_create": lambda: Reference.objects.bulk_create([Reference(key="new-1", title="New")]),
    "bulk_update": lambda: Person.objects.bulk_update(
        [Person(pk=Person.objects.values_list("pk")[0][0], name="N")], ["name"]
    ),
    "delete": lambda: QuoteChoice.objects.all()[0].delete(),
    "tag": lambda: Quote.objects.all()[0].tags.add("brand new"),
    "untag": lambda: TaggedArticle.objects.all()[0].delete(),
    "rename of a tag": lambda: Tag.objects.filter(slug="bread").update(name="Breads"),
    "index term": lambda: IndexTerm.objects.all()[0].delete(),
    "evidence": lambda: Check.objects.all()[0].delete(),
    "work": lambda: Work.objects.filter(title="Familiar Quotations").update(year=1906),
    "SQL": insert_tag_by_sql,
    "SQL update": lambda: execute("UPDATE quotes_quote SET text = 'x' WHERE key = 'sommer-honest-men'"),
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


def test_versions_never_repeat() -> None:
    seen = set()
    for number in range(50):
        Reference.objects.filter(key="arden-1987").update(note=str(number))
        now = all_versions()
        seen |= {now["all"], now["references"]}
    assert len(seen) == 100


TABLES = (versions.VERSION_TABLE, versions.ROW_VERSION_TABLE)


def rows_of_versions() -> list[tuple[str, str, str]]:
    """Return table, name and version of each."""
    with connection.cursor() as cursor:
        query = " UNION ALL ".join(f"SELECT '{table}', name, token FROM {table}" for table in TABLES)
        cursor.execute(f"{query} ORDER BY 1, 2")
        return cursor.fetchall()


def write_back(statement: str) -> Callable[[list[tuple[str, str, str]]], None]:
    def write(rows: list[tuple[str, str, str]]) -> None:
        for table, name, version in rows:
            for part in statement.format(table=table, name=name, version=version).split("; "):
                execute(part)

    return write


WAYS_TO_WRITE_BACK = {
    "update": write_back("UPDATE {table} SET token = '{version}' WHERE name = '{name}'"),
    "delete and insert": write_back(
        "DELETE FROM {table} WHERE name = '{name}'; INSERT INTO {table} (name, token) VALUES ('{name}', '{version}')"
    ),
    "upsert": write_back(
        "INSERT INTO {table} (name, token) VALUES ('{name}', '{version}')"
        " ON CONFLICT (name) DO UPDATE SET token = excluded.token"
    ),
    "rename": write_back(
        "DELETE FROM {table} WHERE name = '{name}'; INSERT INTO {table} (name, token) VALUES ('x', '{version}');"
        " UPDATE {table} SET name = '{name}', token = '{version}' WHERE name = 'x'"
    ),
    "twice": write_back(
        "UPDATE {table} SET token = '{version}' WHERE name = '{name}';"
        " UPDATE {table} SET token = '{version}' WHERE name = '{name}'"
    ),
}
if connection.vendor == "sqlite":
    WAYS_TO_WRITE_BACK["replace"] = write_back("REPLACE INTO {table} (name, token) VALUES ('{name}', '{version}')")


@pytest.mark.parametrize("way", WAYS_TO_WRITE_BACK)
@pytest.mark.parametrize("changes_between", [0, 1, 2])
def test_no_version_comes_back_whoever_writes_it_and_however(way: str, changes_between: int) -> None:
    """The change between is of everything; afterwards it is a version that nobody has seen."""
    before = rows_of_versions()
    seen = {version for _table, _name, version in before}
    for _change in range(changes_between):
        triggers.renew_versions()
        seen |= {version for _table, _name, version in rows_of_versions()}
    WAYS_TO_WRITE_BACK[way](before)
    after = rows_of_versions()
    assert [row[:2] for row in after] == [row[:2] for row in before]
    assert not seen & {version for _table, _name, version in after}


@pytest.mark.skipif("connection.vendor != 'sqlite'")
def test_a_client_whose_triggers_may_call_themselves_is_not_held_up() -> None:
    before = rows_of_versions()
    execute("PRAGMA recursive_triggers = ON")
    try:
        WAYS_TO_WRITE_BACK["replace"](before)
        assert "all" in renewed(lambda: execute("UPDATE quotes_quote SET text = 'x' WHERE key = 'sommer-honest-men'"))
    finally:
        execute("PRAGMA recursive_triggers = OFF")
    assert not set(before) & set(rows_of_versions())


def test_a_dump_that_is_loaded_after_a_change_gives_new_versions(tmp_path: Path) -> None:
    """Also one from when versions were models, whose rows it has."""
    dump, models = tmp_path / "dump.json", ("rlm_site.tag", "quotes.quote", "articles.article")
    call_command("dumpdata", *models, output=str(dump), verbosity=0)
    rows = json.loads(dump.read_text())
    former = {versions.VERSION_TABLE: "contentversion", versions.ROW_VERSION_TABLE: "partversion"}
    dump.write_text(
        json.dumps(
            [
                {"model": f"rlm_site.{former[table]}", "pk": name, "fields": {"token": version}}
                for table, name, version in rows_of_versions()
            ]
            + rows
        )
    )
    before = all_versions()
    Article.objects.filter(slug="the-millers").update(body="Changed.")
    changed = all_versions()
    call_command("loaddata", str(dump), verbosity=0)
    after = all_versions()
    own = f"article:{millers().pk}"
    for tag in ("all", own):
        assert len({before[tag], changed[tag], after[tag]}) == 3
    assert millers().body != "Changed."


def test_no_dump_has_versions(tmp_path: Path) -> None:
    dump = tmp_path / "dump.json"
    call_command("dumpdata", output=str(dump), verbosity=0)
    text = dump.read_text()
    assert not [name for name in ("contentversion", "partversion") if f'"rlm_site.{name}"' in text]
    assert not [version for _table, _name, version in rows_of_versions() if version in text]


def test_a_rolled_back_change_keeps_the_versions_and_the_next_one_is_new() -> None:
    before = all_versions()
    with transaction.atomic():
        Tag.objects.create(name="Undone")
        undone = all_versions()
        transaction.set_rollback(True)
    assert all_versions() == before
    Tag.objects.create(name="Done")
    assert all_versions()["all"] not in {before["all"], undone["all"]}


def millers() -> Article:
    return Article.objects.get(parent__slug="yarle-valley", slug="the-millers")


CHANGES_OF_TAGS: dict[str, tuple[Callable[[Article], object], set[str]]] = {
    "text of a section": (lambda page: Article.objects.filter(pk=page.pk).update(body="x"), {"own", "topic"}),
    "save without a change": (lambda page: page.save(), {"own", "topic"}),
    "text of a topic": (lambda page: Article.objects.filter(pk=page.parent_id).update(body="x"), {"topic"}),
    "title": (lambda page: Article.objects.filter(pk=page.pk).update(title="X"), {"own", "topic", "addresses"}),
    "facts": (lambda page: Article.objects.filter(pk=page.pk).update(facts=[{}]), {"own", "topic", "places"}),
    "times": (
        lambda page: Article.objects.filter(pk=page.pk).update(retire_at=timezone.now()),
        {"own", "topic", "addresses", "due", "places"},
    ),
    "new section": (
        lambda page: Article.objects.bulk_create([Article(pk=9000, parent=page.parent, title="N", slug="n")]),
        {"article:9000", "topic", "addresses", "due", "places"},
    ),
    "moved section": (
        lambda page: Article.objects.filter(pk=page.pk).update(parent=Article.objects.get(slug="edgar-tarlow")),
        {"own", "topic", "other topic", "addresses", "places"},
    ),
    "tag": (lambda page: TaggedArticle.objects.filter(content_object=page)[0].delete(), {"own"}),
    "tag moved": (
        lambda page: TaggedArticle.objects.filter(pk=TaggedArticle.objects.filter(content_object=page)[:1]).update(
            content_object=Article.objects.get(slug="edgar-tarlow"), tag=Tag.objects.create(name="lonely")
        ),
        {"own", "other topic", "tags"},
    ),
    "pin": (lambda page: QuoteChoice.objects.create(article=page, quote=Quote.objects.all()[0]), {"own"}),
    "published revision": (lambda page: revisions.record_revision(page, state=Revision.State.PUBLISHED), {"own"}),
    "quotation": (lambda page: Quote.objects.filter(key="sommer-honest-men").update(text="x"), {"quotes"}),
    "quotation off": (
        lambda page: Quote.objects.filter(key="sommer-honest-men").update(published=False),
        {"quotes", "due"},
    ),
    "tag of a quotation": (lambda page: TaggedQuote.objects.all()[0].delete(), {"quotes"}),
    "tag's name": (lambda page: Tag.objects.filter(slug="bread").update(name="Breads"), {"tags"}),
    "reference": (lambda page: Reference.objects.all()[0].delete(), {"references"}),
    "evidence": (lambda page: Check.objects.all()[0].delete(), set()),
}


@pytest.mark.parametrize("change", CHANGES_OF_TAGS)
def test_a_change_renews_the_tags_that_it_belongs_to_and_no_other(change: str) -> None:
    page = millers()
    names = {
        "own": f"article:{page.pk}",
        "topic": f"article:{page.parent_id}",
        "other topic": f"article:{Article.objects.get(slug='edgar-tarlow').pk}",
    }
    make, tags = CHANGES_OF_TAGS[change]
    assert renewed(lambda: make(page)) == {"all", *(names.get(tag, tag) for tag in tags)}


def test_what_readers_never_see_renews_nothing() -> None:
    page, user = millers(), User.objects.create(username="owner")

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
    assert {row.kind for row in Stale.objects.all()} == {"draft"}  # whose links are known to editors


def test_a_revision_that_is_published_or_taken_back_is_noticed() -> None:
    draft = revisions.record_revision(millers())
    row = Revision.objects.filter(pk=draft.pk)
    for state in (Revision.State.PUBLISHED, Revision.State.DRAFT):
        assert f"article:{millers().pk}" in renewed(lambda state=state: row.update(state=state))  # type: ignore[misc]


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
    quote = Quote.objects.get(key="sommer-honest-men")
    assert not Stale.objects.exists()
    Quote.objects.filter(pk=quote.pk).update(text="New words")
    assert set(Stale.objects.values_list("kind", "object_id")) == {("quote", quote.pk)}
    queue.process_queue()
    assert not Stale.objects.exists()


def test_nothing_to_index_costs_one_query(django_assert_num_queries: Callable[[int], object]) -> None:
    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        queue.ensure_indexed()


def test_who_is_overtaken_while_indexing_has_the_versions_of_what_is_indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    quote, drain = Quote.objects.filter(key="sommer-honest-men"), queue.process_queue

    def drain_and_be_overtaken() -> None:
        drain()
        quote.update(text="Newer words")
        all_versions()

    quote.update(text="New words")
    before = all_versions()
    monkeypatch.setattr(queue, "process_queue", drain_and_be_overtaken)
    indexed = queue.ensure_indexed()
    assert Stale.objects.exists()
    assert all_versions()["quotes"] != indexed.versions["quotes"] == before["quotes"]


def test_whoever_goes_on_writing_holds_up_nobody_who_indexes(monkeypatch: pytest.MonkeyPatch) -> None:
    quotes = list(Quote.objects.all()[:10])
    rebuilt: list[tuple[str, int]] = []

    def rebuild_and_be_overtaken(objects: list[tuple[str, int]]) -> None:
        rebuilt.extend(objects)
        Quote.objects.filter(pk=quotes[len(rebuilt)].pk).update(text="New words")

    monkeypatch.setattr(queue, "reindex", rebuild_and_be_overtaken)
    Quote.objects.filter(pk=quotes[0].pk).update(text="New words")
    queue.process_queue()
    assert rebuilt == [("quote", quote.pk) for quote in quotes[: queue.MAX_ROUNDS]]
    assert Stale.objects.exists()


def test_a_shared_read_is_given_only_to_those_who_asked_before_it_began() -> None:
    """Each asker is given what was written before they asked, and many askers share few reads."""
    shared, written, reads = versions.SharedRead(), 0, 0

    def read() -> str:
        nonlocal reads
        reads += 1
        seen = written
        time.sleep(0.005)
        return str(seen)

    def ask() -> bool:
        before = written
        return int(shared.get(read)) >= before

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask) for _asker in range(200)]
        while not all(each.done() for each in asked):
            written += 1
            time.sleep(0.0005)
    assert all(each.result() for each in asked)
    assert reads <= 100


def test_who_asks_while_a_read_goes_on_waits_for_the_next() -> None:
    shared, begun, release = versions.SharedRead(), Event(), Event()

    def read_slowly() -> str:
        begun.set()
        assert release.wait(10)
        return "older"

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(shared.get, read_slowly)
        assert begun.wait(10)
        later = [pool.submit(shared.get, lambda: "newer") for _asker in range(3)]
        release.set()
        assert first.result() == "older"
        assert [each.result() for each in later] == ["newer"] * 3


def test_a_read_that_fails_fails_for_all_who_share_it_and_for_nobody_later() -> None:
    shared = versions.SharedRead()

    def fail() -> str:
        raise ValueError("gone")

    with pytest.raises(ValueError, match="gone"):
        shared.get(fail)
    assert shared.get(lambda: "there again") == "there again"


def test_nothing_is_cached_of_what_has_no_version() -> None:
    known = {"all": "a", "quotes": "b", "tags": "c"}
    pinned = versions.Versions(known, stale=False)
    assert pinned.combined("quotes", "tags") == "b c"
    assert pinned.combined("quotes", "no such tag") == ""
    assert pinned._replace(committed=False).combined("quotes") == ""


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


def test_the_check_of_a_deployed_database_finds_a_missing_trigger() -> None:
    call_command("check", tags=["database"], deploy=True, databases=["default"])
    drop_a_trigger()
    with pytest.raises(SystemCheckError, match=r"rlm_site\.E001"):
        call_command("check", tags=["database"], deploy=True, databases=["default"])


def test_migrate_is_not_stopped_by_a_missing_trigger_and_puts_it_back() -> None:
    drop_a_trigger()
    call_command("migrate", skip_checks=False, verbosity=0)
    assert triggers.tables_without_trigger() == []


def test_what_changed_while_a_trigger_was_missing_counts_as_everything() -> None:
    drop_a_trigger()
    before = all_versions()
    triggers.install_triggers()
    after = all_versions()
    assert before.keys() == after.keys()
    assert not set(before.values()) & set(after.values())


def test_versions_that_are_gone_come_back() -> None:
    before = all_versions()
    execute(f"DELETE FROM {versions.VERSION_TABLE}")
    execute(f"DELETE FROM {versions.ROW_VERSION_TABLE}")
    triggers.install_triggers()
    assert all_versions().keys() == before.keys()


def test_installing_again_changes_nothing() -> None:
    before = triggers._installed(connection), all_versions()
    triggers.install_triggers()
    assert (triggers._installed(connection), all_versions()) == before
