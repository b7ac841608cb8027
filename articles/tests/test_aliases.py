"""Other names of topics: their table follows every change, and links and addresses find topics by them."""

from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from articles.aliases import entry_at
from articles.models import Alias, Article
from rlm_site.indexing import queue

pytestmark = pytest.mark.django_db


def alias(name: str, language: str = "") -> dict[str, str]:
    return {"name": name, "language": language, "note": ""}


def topic(*names: str, title: str = "Quagga", **fields: object) -> Article:
    values = {"title": title, "slug": title.lower(), "published": True, "aliases": [alias(name) for name in names]}
    return Article.objects.create(**{**values, **fields})


def names_of(article: Article) -> list[str]:
    queue.process_queue()
    return list(Alias.objects.filter(article=article.pk).order_by("position").values_list("name", flat=True))


def by_sql(article: Article, names: list[str]) -> None:
    rows = ", ".join(f'{{"name": "{name}", "language": "", "note": ""}}' for name in names)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE articles_article SET aliases = %s WHERE id = %s", [f"[{rows}]", article.pk])


def by_save(article: Article, names: list[str]) -> None:
    article.aliases = [alias(name) for name in names]
    article.save()


def by_update(article: Article, names: list[str]) -> None:
    Article.objects.filter(pk=article.pk).update(aliases=[alias(name) for name in names])


@pytest.mark.parametrize("write", [by_sql, by_save, by_update])
def test_the_table_follows_every_change(write: Callable[[Article, list[str]], None]) -> None:
    article = topic("Щука", "Pike")
    assert names_of(article) == ["Щука", "Pike"]
    write(article, ["Pike", "Luce", "Jack"])
    assert names_of(article) == ["Pike", "Luce", "Jack"]
    assert list(Alias.objects.filter(article=article.pk).order_by("position").values_list("slug", flat=True)) == [
        "pike",
        "luce",
        "jack",
    ]
    write(article, [])
    assert names_of(article) == []


def test_the_table_forgets_what_is_deleted_and_has_what_is_created_in_bulk() -> None:
    article = topic("Pike")
    assert names_of(article) == ["Pike"]
    pk = article.pk
    Article.objects.filter(pk=pk).delete()
    queue.process_queue()
    assert not Alias.objects.filter(article=pk).exists()
    made = Article.objects.bulk_create([Article(title="Okapi", slug="okapi", aliases=[alias("Luce")])])
    assert names_of(made[0]) == ["Luce"]


def test_a_section_has_none() -> None:
    section = topic("Pike", title="Stripes", parent=topic(title="Okapi"))
    assert names_of(section) == []
    Article.objects.filter(pk=section.pk).update(parent=None)
    assert names_of(section) == ["Pike"]


def test_a_link_by_another_name_leads_to_the_topic_and_its_sections(client: Client) -> None:
    okapi = topic("ROA", "Щука", title="Okapi")
    topic(title="Stripes", parent=okapi)
    gnu = topic(title="Gnu", body="[[ROA]] [[щука|fish]] [[roa#Stripes]]")
    html = client.get("/gnu/").content.decode()
    assert '<a href="/okapi/">ROA</a> <a href="/okapi/">fish</a> <a href="/okapi/stripes/">Stripes</a>' in html
    Article.objects.filter(pk=okapi.pk).update(aliases=[])
    html = client.get("/gnu/").content.decode()
    assert "ROA fish Stripes" in html
    assert gnu.is_public(timezone.now())


def test_a_title_comes_before_another_name(client: Client) -> None:
    topic("Gnu", title="Okapi")
    topic(title="Gnu")
    topic(title="Eland", body="[[Gnu]]")
    assert '<a href="/gnu/">Gnu</a>' in client.get("/eland/").content.decode()


def test_an_address_made_of_another_name_leads_to_the_topic(client: Client) -> None:
    okapi = topic("Щука", "R.O.A.", title="Okapi")
    topic(title="Stripes", parent=okapi)
    for path, target in {
        "/shchuka/": "/okapi/",
        "/Щука/": "/okapi/",
        "/r-o-a/": "/okapi/",
        "/R.O.A./": "/okapi/",
        "/shchuka/stripes/": "/okapi/stripes/",
    }.items():
        response = client.get(path)
        assert (response.status_code, response.headers.get("Location")) == (301, target), path
    assert client.get("/shchuka/quagga/").status_code == 404
    Article.objects.filter(pk=okapi.pk).update(published=False)
    assert client.get("/shchuka/").status_code == 404


def test_nothing_that_is_not_public_is_found_by_another_name(client: Client) -> None:
    topic("Pike", title="Okapi", published=False)
    topic(title="Gnu", body="[[Pike]]")
    assert (
        "<a href" not in client.get("/gnu/").content.decode().partition('<div class="text">')[2].partition("</div>")[0]
    )
    queue.process_queue()
    assert entry_at("/pike/", timezone.now()) is None


def test_a_file_brings_them(tmp_path: "object") -> None:
    article = topic("Pike")
    path = f"{tmp_path}/articles.json"
    call_command("dumpdata", "articles.article", "--natural-foreign", "--natural-primary", output=path)
    Article.objects.filter(pk=article.pk).update(aliases=[])
    assert names_of(article) == []
    call_command("loaddata", path, verbosity=0)
    assert names_of(article) == ["Pike"]
