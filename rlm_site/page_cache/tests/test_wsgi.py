"""Pages in memory are answered before Django, exactly as Django answers them; whatever is not certain is Django's."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from articles.models import Article
from rlm_site.page_cache import middleware, versions
from rlm_site.page_cache import wsgi as before_django
from rlm_site.page_cache.tests.test_depends_on import fire_deferred_triggers
from rlm_site.testing.before_django import BeforeDjango
from rlm_site.tests.editor import signed_in

pytestmark = pytest.mark.django_db

MILLERS = "/yarle-valley/the-millers/"


class Clock:
    """It stands still, so that no page has a date until a test lets a second pass."""

    def __init__(self) -> None:
        self.now = time.time()

    def time(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (middleware, before_django):
        monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take what happens in the transaction of the test as committed."""
    read = versions.read_versions
    monkeypatch.setattr(versions, "content_version", lambda: read().versions["all"])
    monkeypatch.setattr(versions, "read_versions", lambda *tags, **on: read(*tags, **on)._replace(committed=True))
    middleware.MEMORY.clear()
    yield
    middleware.MEMORY.clear()


@pytest.fixture
def door() -> BeforeDjango:
    return BeforeDjango()


def is_before_django(response: Any) -> bool:
    return getattr(response, "is_before_django", False)


def warm(door: Client, path: str = MILLERS, **given: str) -> None:
    """Have the page answered from memory once, so that its headers are known."""
    for _request in range(2):
        assert door.get(path, **given).status_code == 200  # type: ignore[arg-type]


REQUESTS: dict[str, dict[str, str]] = {
    "plain": {},
    "br": {"HTTP_ACCEPT_ENCODING": "gzip, br"},
    "gzip": {"HTTP_ACCEPT_ENCODING": "gzip"},
    "with a cookie of somebody else": {"HTTP_COOKIE": "theme=dark; notsessionid=1"},
    "that knows another page": {"HTTP_IF_NONE_MATCH": '"another"'},
    "that knows a date": {"HTTP_IF_MODIFIED_SINCE": "Thu, 01 Jan 2026 00:00:00 GMT"},
    "with a forwarded header of a stranger": {"HTTP_X_FORWARDED_HOST": "evil.example"},
}


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("method", ["get", "head"])
def test_both_give_the_same_answer(door: Client, client: Client, request_: str, method: str) -> None:
    given: Any = REQUESTS[request_]
    warm(door, **given)
    ask = getattr(door, method)
    ask(MILLERS, **given)
    answer, other = ask(MILLERS, **given), getattr(client, method)(MILLERS, **given)
    assert is_before_django(answer)
    assert (answer.status_code, answer.content) == (other.status_code, other.content)
    assert dict(answer.items()) == dict(other.items())
    assert not answer.cookies


def test_both_tell_who_has_the_page_that_it_is_the_same(door: Client, client: Client) -> None:
    warm(door)
    known: Any = {"HTTP_IF_NONE_MATCH": door.get(MILLERS)["ETag"]}
    door.get(MILLERS, **known)
    answer, other = door.get(MILLERS, **known), client.get(MILLERS, **known)
    assert is_before_django(answer)
    assert (answer.status_code, answer.content, dict(answer.items())) == (304, b"", dict(other.items()))


def test_a_date_is_known_only_when_its_second_is_over(door: Client, clock: Clock) -> None:
    warm(door)
    assert "Last-Modified" not in door.get(MILLERS)
    clock.now += 1.5
    door.get(MILLERS)
    answer = door.get(MILLERS)
    assert is_before_django(answer)
    known: Any = {"HTTP_IF_MODIFIED_SINCE": answer["Last-Modified"]}
    assert [door.get(MILLERS, **known).status_code for _request in range(2)] == [304, 304]
    Article.objects.filter(slug="the-millers").update(body="Dated.")
    fire_deferred_triggers()
    assert b"Dated." in door.get(MILLERS, **known).content


@pytest.mark.parametrize(
    "given",
    [
        {"HTTP_COOKIE": "sessionid=abc"},
        {"HTTP_COOKIE": "theme=dark; sessionid=abc"},
        {"HTTP_AUTHORIZATION": "Basic eDp5"},
        {"HTTP_HOST": "evil.example"},
        {"HTTP_HOST": ""},
        {"QUERY_STRING": "utm_source=x"},
        {"REQUEST_METHOD": "POST"},
        {"REQUEST_METHOD": "OPTIONS"},
        {"PATH_INFO": "/yarle-valley/the-millers"},
        {"PATH_INFO": ""},
        {"PATH_INFO": "/\xff\xfe/"},
        {"PATH_INFO": "/healthz"},
    ],
)
def test_everything_else_is_django_s(door: Client, given: Any) -> None:
    warm(door)
    warm(door, "/")
    answers = [door.request(**{"PATH_INFO": MILLERS, **given}) for _request in range(2)]
    assert not any(map(is_before_django, answers))


def test_an_editor_is_answered_by_django(door: Client) -> None:
    warm(door)
    door.cookies = signed_in().cookies
    assert not is_before_django(door.get(MILLERS))


def test_a_site_over_https_sends_others_there(door: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    secure: Any = {"secure": True}
    warm(door, **secure)
    assert is_before_django(door.get(MILLERS, **secure))
    assert door.get(MILLERS).status_code == 301


def test_a_page_with_letters_in_its_address_is_known_by_them(door: Client) -> None:
    address = "/words/mühle/"
    warm(door)
    page = middleware.MEMORY.get(MILLERS)
    assert page is not None
    middleware.MEMORY.put(address, page)
    assert is_before_django(door.get(address))
    assert not is_before_django(door.get(address.encode().decode("latin-1")))


def test_a_page_that_django_has_not_answered_from_memory_yet_is_django_s(door: Client) -> None:
    assert [is_before_django(door.get(MILLERS)) for _request in range(3)] == [False, True, True]
    assert not is_before_django(door.get(MILLERS, headers={"Accept-Encoding": "br"}))  # with other headers


def test_the_very_next_answer_tells_a_change(door: Client) -> None:
    for number in range(20):
        warm(door)
        assert is_before_django(door.get(MILLERS))
        Article.objects.filter(slug="the-millers").update(body=f"Round {number}.")
        fire_deferred_triggers()
        assert f"Round {number}.".encode() in door.get(MILLERS).content


def test_a_page_that_is_due_is_django_s(door: Client, clock: Clock) -> None:
    Article.objects.filter(slug="edgar-tarlow").update(retire_at=timezone.now() + timedelta(hours=1))
    fire_deferred_triggers()
    warm(door)
    assert is_before_django(door.get(MILLERS))
    page = middleware.MEMORY.get(MILLERS)
    assert page is not None
    clock.now = page.until
    assert not is_before_django(door.get(MILLERS))


@pytest.mark.parametrize("version", ["", "another", DatabaseError("gone")])
def test_where_the_version_is_not_known_django_tells_what_is_the_matter(
    door: Client, monkeypatch: pytest.MonkeyPatch, version: Any
) -> None:
    def read() -> str:
        if isinstance(version, Exception):
            raise version
        return str(version)

    warm(door)
    with monkeypatch.context() as patch:
        patch.setattr(versions, "content_version", read)
        assert before_django.known_answer({**door._base_environ(), "PATH_INFO": MILLERS}) is None  # type: ignore[attr-defined]
    assert is_before_django(door.get(MILLERS))
