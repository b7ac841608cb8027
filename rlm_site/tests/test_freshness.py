"""Every change of what pages are made of is noticed, whoever writes it and however."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from articles.models import Article, QuoteChoice, Reference, TaggedArticle
from quotes.models import Check, IndexTerm, Person, Quote, Word, Work
from rlm_site import derived, freshness
from rlm_site.checks import triggers_stand
from rlm_site.models import Stale, Tag

pytestmark = pytest.mark.django_db


def execute(statement: str, *parameters: str | bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def settled_version(app: str = "all") -> str:
    if connection.vendor == "postgresql":
        execute("SET CONSTRAINTS ALL IMMEDIATE")  # as at commit
        execute("SET CONSTRAINTS ALL DEFERRED")
        execute("SELECT set_config('rlm_site.renewed', '', true)")  # as in the next transaction
    return freshness.state().versions.get(app, "")


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
    before = settled_version()
    CHANGES[change]()
    assert settled_version() != before


def test_loaddata_gives_the_content_a_new_version(tmp_path: Path) -> None:
    before = settled_version()
    fixture = tmp_path / "one.json"
    row = {"model": "rlm_site.tag", "fields": {"name": "Loaded", "slug": "loaded"}}
    fixture.write_text(json.dumps([row]))
    call_command("loaddata", str(fixture), verbosity=0)
    assert settled_version() != before
    assert Tag.objects.get(slug="loaded").folded == "loaded"


def test_versions_never_repeat() -> None:
    seen = set()
    for number in range(50):
        Reference.objects.filter(key="andreyev-1987").update(note=str(number))
        seen.add(settled_version())
    assert len(seen) == 50


def test_a_rolled_back_change_keeps_the_version_and_the_next_one_is_new() -> None:
    before = settled_version()
    with transaction.atomic():
        Tag.objects.create(name="Undone")
        undone = settled_version()
        transaction.set_rollback(True)
    assert settled_version() == before
    Tag.objects.create(name="Done")
    assert settled_version() not in {before, undone}


def test_a_change_of_articles_leaves_the_version_of_quotations_alone() -> None:
    before = settled_version("quotes")
    Article.objects.filter(slug="the-allies").update(body="x")
    assert settled_version("quotes") == before


def test_sessions_and_derived_data_throw_nothing_out() -> None:
    before = settled_version()
    Session.objects.create(session_key="k", session_data="", expire_date=timezone.now())
    Word.objects.create(text="zyx", form="zyx")
    assert settled_version() == before


def test_insert_or_ignore_of_another_client_is_noticed() -> None:
    before = settled_version()
    statement = "INSERT OR IGNORE INTO" if connection.vendor == "sqlite" else "INSERT INTO"
    execute(
        f"{statement} rlm_site_tag (name, slug, folded, description, brings_quotations) VALUES ('I', 'i', 'i', '', %s)",
        False,
    )
    assert settled_version() != before


def test_only_what_changed_is_stale() -> None:
    quote = Quote.objects.get(key="sontag-liberal-intellectuals")
    assert not Stale.objects.exists()
    Quote.objects.filter(pk=quote.pk).update(text="New words")
    assert set(Stale.objects.values_list("kind", "object_id")) == {("quote", quote.pk)}
    derived.drain()
    assert not Stale.objects.exists()


def test_settling_is_one_query_when_nothing_changed(django_assert_num_queries: Callable[[int], object]) -> None:
    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        derived.settle()


def drop_a_trigger() -> None:
    name, table = next(
        (name, table) for name, table in freshness._present(connection).items() if table == "articles_article"
    )
    execute(f"DROP TRIGGER {name}" + (f" ON {table}" if connection.vendor == "postgresql" else ""))


def test_a_missing_trigger_is_an_error_and_comes_back() -> None:
    assert triggers_stand(["default"]) == []
    drop_a_trigger()
    (error,) = triggers_stand(["default"])
    assert error.id == "rlm_site.E001"
    assert "articles_article" in error.msg
    freshness.install()
    assert freshness.missing() == []


def test_installing_again_changes_nothing(django_assert_max_num_queries: Callable[[int], object]) -> None:
    before = freshness._present(connection)
    freshness.install()
    assert freshness._present(connection) == before
