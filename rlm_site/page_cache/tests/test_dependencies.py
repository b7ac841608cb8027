"""The functions that read say what a page depends on."""

from collections.abc import Iterator

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from rlm_site.page_cache import versions
from rlm_site.page_cache.decorators import public_page
from rlm_site.page_cache.dependencies import collect_dependencies, depends_on
from rlm_site.page_cache.versions import Versions

PINNED = Versions({"all": "a", "quotes": "q", "tags": "t"}, stale=False)


@pytest.fixture
def collected() -> Iterator[dict[str, str]]:
    with collect_dependencies() as dependencies:
        versions.pin(PINNED)
        yield dependencies


def test_a_named_tag_has_the_version_that_was_pinned(collected: dict[str, str]) -> None:
    assert depends_on("quotes", "tags") == "q t"
    assert collected == {"quotes": "q", "tags": "t"}


def test_a_row_has_the_version_that_was_read_with_it(collected: dict[str, str]) -> None:
    assert depends_on("article:5", version="v") == "v"
    assert collected == {"article:5": "v"}


def test_of_two_versions_the_first_counts(collected: dict[str, str]) -> None:
    depends_on("quotes")
    depends_on("article:5", version="older")
    versions.pin(PINNED._replace(versions={"quotes": "newer"}))
    assert depends_on("quotes") == "newer"
    depends_on("article:5", version="newer")
    assert collected == {"quotes": "q", "article:5": "older"}


@pytest.mark.parametrize("version", [None, ""])
def test_a_tag_without_a_version_is_never_current(collected: dict[str, str], version: str | None) -> None:
    assert depends_on("no such tag", version=version) == ""
    assert collected == {"no such tag": ""}


@pytest.mark.parametrize("pinned", [versions.UNKNOWN, PINNED._replace(stale=True), PINNED._replace(committed=False)])
def test_nothing_is_cached_under_versions_that_are_not_sure(collected: dict[str, str], pinned: Versions) -> None:
    versions.pin(pinned)
    assert depends_on("quotes") == ""


def test_outside_a_page_nothing_is_collected_nor_pinned() -> None:
    versions.pin(PINNED)
    assert versions.pinned_or_unknown() == versions.UNKNOWN
    assert depends_on("quotes") == ""
    with collect_dependencies() as dependencies:
        pass
    assert depends_on("quotes", version="q") == "q"
    assert dependencies == {}


def test_one_page_knows_nothing_of_the_one_before(collected: dict[str, str]) -> None:
    depends_on("quotes")
    with collect_dependencies() as inner:
        depends_on("tags")
    assert inner == {"tags": "t"}
    assert collected == {"quotes": "q"}


def _quotes(request: HttpRequest) -> HttpResponse:
    depends_on("quotes", version="q")
    return HttpResponse()


def test_a_view_says_once_that_all_that_it_reads_is_tracked(rf: RequestFactory) -> None:
    request = rf.get("/")
    assert public_page(tracks_dependencies=True)(_quotes)(request).depends_on == {"quotes": "q"}
    assert public_page(_quotes)(request).depends_on is None
    assert public_page(parameters=("page",))(_quotes)(request).depends_on is None
