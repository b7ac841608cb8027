"""Two editors who merge the same two tags crosswise in the same moment, over HTTP."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from rlm_site.editor.concurrency.tests.test_saving_under_load import Editor, is_sqlite, locked, prepared
from rlm_site.testing.served import Site
from rlm_site.tests.editor import form_data

pytestmark = pytest.mark.full

PAIRS = 4

FURNISH = """
import json
from articles.models import Article
from rlm_site.models import Tag
article = Article.objects.get(pk={article})
tags = [[Tag.objects.create(name=f"{name} {{n}}, {{side}}").pk for side in "ab"] for n in range({pairs})]
article.tags.set(Tag.objects.filter(name__startswith="{name} "))
print(json.dumps(tags))
"""

REPORT = """
import json
from articles.models import Article
from rlm_site.models import Tag, TagChange
tags = Tag.objects.filter(name__startswith="{name} ").values_list("name", flat=True)
on_article = Article.objects.get(pk={article}).tags.names()
said = TagChange.objects.filter(said__contains="{name} ").values_list("said", flat=True)
print(json.dumps([sorted(tags), sorted(on_article), list(said)]))
"""


def furnished(site: Site, name: str) -> tuple[list[Editor], int, list[list[int]]]:
    """Two editors, an article, and pairs of tags that it has."""
    editors, [article] = prepared(site, name, 2, 1)
    script = FURNISH.format(article=article, name=name, pairs=PAIRS)
    return editors, article, json.loads(site.manage("shell", "-v", "0", given=script))


def report(site: Site, name: str, article: int) -> tuple[list[str], list[str], list[str]]:
    tags, on_article, said = json.loads(
        site.manage("shell", "-v", "0", given=REPORT.format(name=name, article=article))
    )
    return tags, on_article, said


def merge_page(tag: int) -> str:
    return f"/admin/rlm_site/tag/{tag}/merge/"


def test_of_two_merges_crosswise_one_is_done_and_the_other_is_told(server: Site) -> None:
    editors, article, pairs = furnished(server, "crosswise")
    names = [[f"crosswise {number}, {side}" for side in "ab"] for number in range(PAIRS)]

    def merge(side: int) -> list[int]:
        editor = editors[side]
        answers = []
        for tags, pair in zip(pairs, names, strict=True):
            form = {"into": pair[1 - side], "csrfmiddlewaretoken": tokens[side]}
            answers.append(editor.ask(merge_page(tags[side]), form)[0])
        return answers

    tokens = [form_data(editor.ask(merge_page(pairs[0][0]))[1])["csrfmiddlewaretoken"] for editor in editors]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(merge, range(2)))
    tags, on_article, said = report(server, "crosswise", article)
    # the second to come finds its tag gone, or the other one, or is told by a merge that waited for the first
    assert {status for statuses in answers for status in statuses} <= {200, 302, 404}
    assert len(tags) == len(said) == PAIRS
    assert on_article == tags


@contextmanager
def locked_tag(site: Site, tag: int) -> Iterator[None]:
    if is_sqlite(site):
        with locked(site, 0):
            yield
        return
    import psycopg

    with psycopg.connect(site.database_url) as connection:
        connection.execute("SELECT 1 FROM rlm_site_tag WHERE id = %s FOR UPDATE", [tag])
        yield
        connection.rollback()


def test_a_merge_is_refused_in_words_while_the_database_is_busy(server: Site) -> None:
    [editor, _other], article, [[tag, _into], *_rest] = furnished(server, "waiting")
    preview = f"{merge_page(tag)}?into=waiting+0%2C+b"
    form = form_data(editor.ask(preview)[1])
    with locked_tag(server, tag):
        assert editor.ask(merge_page(tag), form)[0] == 302
    page = editor.ask(preview)[1].content.decode()
    assert "The database is busy. Nothing was changed. Please try again." in page
    assert "Merge “waiting 0, a” into “waiting 0, b”" in page
    assert report(server, "waiting", article)[2] == []
