"""Many save at once, and the database is busy: what is acknowledged is kept, and what is not is said."""

import json
import random
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from rlm_site.testing.served import Site
from rlm_site.tests.editor import form_data
from rlm_site.tests.html import parse, text_of

pytestmark = pytest.mark.full

EDITORS, ARTICLES, SAVES = 8, 20, 200

PREPARE = """
import json
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
from articles.models import Article
from rlm_site.history import revisions
Sessions = import_module(settings.SESSION_ENGINE).SessionStore
sessions = []
for number in range({editors}):
    user = User.objects.create_user(f"{name}-{{number}}", password=None, is_staff=True, is_superuser={is_superuser})
    user.groups.add(Group.objects.get(name="Editors"))
    session = Sessions()
    session.update({{SESSION_KEY: str(user.pk), HASH_SESSION_KEY: user.get_session_auth_hash(),
                     BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[-1]}})
    session.create()
    sessions.append(session.session_key)
body = "\\n\\n".join(f"What editor {{number}} writes:" for number in range({editors}))
articles = [
    Article.objects.create(title=f"{name} {{number}}", slug=f"{name}-{{number}}", body=body)
    for number in range({articles})
]
for article in articles:
    revisions.record_revision(article)
print(json.dumps([sessions, [article.pk for article in articles]]))
"""

REPORT = """
import json
from articles.models import Article
from rlm_site.models import Revision
articles = {{pk: body for pk, body in Article.objects.filter(slug__startswith="{name}-").values_list("pk", "body")}}
written = Revision.objects.filter(author__username__startswith="{name}-")
revisions = [[one.author.username, one.object_id, one.content["body"]] for one in written.select_related("author")]
print(json.dumps([articles, revisions]))
"""


class Editor:
    """Somebody with a session, over HTTP."""

    def __init__(self, site: Site, session: str) -> None:
        self.site = site
        self.cookies = {"sessionid": session}

    def ask(self, path: str, form: dict[str, Any] | None = None) -> tuple[int, Any]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = encode_multipart(BOUNDARY, form) if form else None  # as a browser sends the long forms of the admin
        if form:
            headers["Content-Type"] = MULTIPART_CONTENT
        with closing(HTTPConnection(self.site.url.removeprefix("http://"), timeout=120)) as connection:
            connection.request("POST" if form else "GET", path, body, headers)
            answer = connection.getresponse()
            page = answer.read()
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _equals, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return answer.status, SimpleNamespace(content=page)

    def opened(self, article: int) -> dict[str, Any]:
        return self.opened_at(change(article))

    def opened_at(self, address: str) -> dict[str, Any]:
        status, page = self.ask(address)
        assert status == 200
        return form_data(page)


def change(article: int) -> str:
    return f"/admin/articles/article/{article}/change/"


def prepared(
    site: Site, name: str, editors: int, articles: int, is_superuser: bool = False
) -> tuple[list[Editor], list[int]]:
    script = PREPARE.format(name=name, editors=editors, articles=articles, is_superuser=is_superuser)
    sessions, keys = json.loads(site.manage("shell", "-v", "0", given=script))
    return [Editor(site, session) for session in sessions], keys


def test_of_200_saves_at_once_none_is_lost_and_none_is_silent(server: Site) -> None:
    editors, articles = prepared(server, "crowd", EDITORS, ARTICLES)
    acknowledged: list[tuple[int, int, str]] = []
    answers: list[int] = []

    def work(number: int) -> None:
        chance = random.Random(number)  # noqa: S311 - the same turns each time
        for turn in range(SAVES // EDITORS):
            article = chance.choice(articles)
            said = f"(editor {number}, turn {turn})"
            form = editors[number].opened(article)
            line = f"What editor {number} writes:"
            form["body"] = form["body"].replace(line, f"{line} {said}")
            if turn % 5 == 0:
                form["quote_words"] = f"word{number}x{turn}"  # often another one's too
            while True:
                status, page = editors[number].ask(change(article), form)
                answers.append(status)
                if status == 302:
                    acknowledged.append((number, article, said))
                    break
                assert status in {409, 503}
                if status == 503:
                    time.sleep(0.2)
                else:
                    form = form_data(page)
                    form |= {name: "mine" for name in form if name.startswith("choice-")}

    with ThreadPoolExecutor(EDITORS) as pool:
        list(pool.map(work, range(EDITORS)))

    bodies, revisions = json.loads(server.manage("shell", "-v", "0", given=REPORT.format(name="crowd")))
    assert len(acknowledged) == len(revisions) == SAVES
    assert answers.count(409) > 0
    for number, article, said in acknowledged:
        assert said in bodies[str(article)]
        mine = [body for author, of, body in revisions if (author, of) == (f"crowd-{number}", article)]
        assert any(said in body for body in mine)


# Busy


def is_sqlite(site: Site) -> bool:
    return site.database_url.startswith("sqlite")


@contextmanager
def locked(site: Site, article: int) -> Iterator[None]:
    """Hold a write transaction open on a second connection."""
    if is_sqlite(site):
        with closing(sqlite3.connect(urlsplit(site.database_url).path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        return
    import psycopg

    with psycopg.connect(site.database_url) as connection:
        connection.execute("SELECT 1 FROM articles_article WHERE id = %s FOR UPDATE", [article])
        yield
        connection.rollback()


def test_while_the_database_is_busy_nothing_is_saved_and_nothing_is_lost(server: Site) -> None:
    (editor,), (article,) = prepared(server, "busy", 1, 1)
    typed = {"title": "Typed while busy", "body": "All of it.\r\n\r\nEvery character.", "draft_id": "abcdefghij"}
    form = editor.opened(article) | typed
    with locked(server, article):
        status, page = editor.ask(change(article), form)
    assert status == 503
    shown = form_data(page)
    assert {**shown, "csrfmiddlewaretoken": ""} == {**form, "csrfmiddlewaretoken": ""}
    told = text_of(parse(page).find(".//section[@class='conflict']"))
    assert told == "The database is busy. Nothing was saved. Please save again."
    assert "saved" not in editor.cookies
    assert editor.ask(change(article), shown)[0] == 302
    assert editor.cookies["saved"] == "abcdefghij"


def test_deletions_and_actions_tell_that_the_database_is_busy(server: Site) -> None:
    (editor,), (article,) = prepared(server, "busylist", 1, 1, is_superuser=True)
    deletion = f"/admin/articles/article/{article}/delete/"
    deleting = form_data(editor.ask(deletion)[1])
    people = "/admin/quotes/person/"
    page = editor.ask(people)[1]
    boxes = [box.get("value") for box in parse(page).iter("input") if box.get("name") == "_selected_action"]
    acting = form_data(page, action="known_to_be_living", _selected_action=boxes[0])
    with locked(server, article), ThreadPoolExecutor(2) as pool:
        answers = [*pool.map(editor.ask, [deletion, people] if is_sqlite(server) else [deletion], [deleting, acting])]
    assert {status for status, _page in answers} == {302}
    told = editor.ask(deletion)
    assert told[0] == 200
    assert "The database is busy. Nothing was " in told[1].content.decode()
    assert editor.ask(deletion, deleting)[0] == 302
    assert editor.ask(deletion)[0] == 302  # it is gone
