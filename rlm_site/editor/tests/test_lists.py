"""Lists of the admin take the filters that they show; nothing else that is asked of them reaches the database."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.messages.storage.cookie import CookieStorage
from django.db import connection, models
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from rlm_site.tests.editor import signed_in, user_of

pytestmark = pytest.mark.django_db

LOOKUPS = ["", "__regex", "__iregex", "__contains", "__icontains", "__gt", "__in", "__range", "__isnull", "__year"]
MARK = "zqx"  # in every value, to be looked for in queries
ARTICLES = "/admin/articles/article/"


@pytest.fixture
def editor() -> Client:
    return signed_in()


def admins() -> list[Any]:
    return sorted(admin.site._registry.values(), key=lambda each: each.opts.label)


def list_of(model_admin: Any) -> str:
    return f"/admin/{model_admin.opts.app_label}/{model_admin.opts.model_name}/"


def paths(model: type[models.Model], depth: int = 2) -> Iterator[str]:
    """Yield the names by which a query can reach the fields of a model and of those that it leads to."""
    for field in model._meta.get_fields():
        yield field.name
        related = getattr(field, "related_model", None)
        if depth > 1 and isinstance(related, type):
            yield from (f"{field.name}__{path}" for path in paths(related, depth - 1))


def request_for(client: Client, address: str) -> Any:
    """Return the request of somebody who is signed in, as views get it."""
    request = RequestFactory().get(address)
    request.user = user_of(client)
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    return request


def offered_by(model_admin: Any, request: Any) -> set[str]:
    filters = model_admin.get_changelist_instance(request).get_filters(request)[0]
    hidden = {f"{model_admin.date_hierarchy}__{part}" for part in ("year", "month", "day", "gte", "lt")}
    return {name for each in filters for name in each.expected_parameters() if name} | hidden


@pytest.mark.parametrize("model_admin", admins(), ids=lambda each: each.opts.label)
def test_no_look_up_reaches_the_database(editor: Client, model_admin: Any) -> None:
    address = list_of(model_admin)
    offered = offered_by(model_admin, request_for(editor, address))
    # also those of filters that are not shown while there is nothing to choose
    offered |= {each.parameter_name for each in model_admin.list_filter if hasattr(each, "parameter_name")}
    related = [each[0] for each in model_admin.list_filter if isinstance(each, tuple)]
    offered |= {f"{name}__{lookup}" for name in related for lookup in ("id__exact", "isnull")}
    for path in paths(model_admin.model):
        for lookup in LOOKUPS if "__" not in path else LOOKUPS[:3]:
            if (name := f"{path}{lookup}") in offered:
                continue
            request = request_for(editor, f"{address}?{name}=({MARK}%2B)%2B%24")
            with CaptureQueriesContext(connection) as queries, pytest.raises(IncorrectLookupParameters):
                model_admin.get_changelist_instance(request)
            assert [query["sql"] for query in queries if MARK in query["sql"]] == [], name


@pytest.mark.full
@pytest.mark.parametrize("model_admin", admins(), ids=lambda each: each.opts.label)
def test_what_a_list_offers_with_any_value_is_no_failure(editor: Client, model_admin: Any) -> None:
    address = list_of(model_admin)
    names = ["o", "p", "q", "e", "all", "_facets", "_popup", "_to_field", "_changelist_filters"]
    names += sorted(offered_by(model_admin, request_for(editor, address)))
    for name in names:
        for value in ("x", "%00", "9" * 30, "-1.x", "1." * 5000, "a " * 1500):
            response = editor.get(f"{address}?{name}={value}", follow=True)
            assert response.status_code in {200, 400}, (name, value[:20])


@pytest.mark.parametrize("query", ["title__regex=(", "title__contains=a", "owner__username__startswith=e", "id__in=1"])
def test_a_look_up_that_is_not_offered_leads_to_the_list(editor: Client, query: str) -> None:
    response = editor.get(f"{ARTICLES}?{query}")
    assert response["Location"] == f"{ARTICLES}?e=1"
    told = [str(message) for message in editor.get(response["Location"]).context["messages"]]
    assert told[-1] == "Part of the address is not valid. The list is shown without it."


def test_a_filter_is_given_once(editor: Client) -> None:
    query = "&".join(f"kind__exact={number}" for number in range(900))
    response = editor.get(f"/admin/articles/reference/?{query}")
    assert response["Location"] == "/admin/articles/reference/?e=1"


@pytest.mark.parametrize("search", ["a " * 1500, "дом " * 1500, "x" * 201, " ".join(map(str, range(13)))])
def test_a_search_that_is_too_long_is_told(editor: Client, search: str) -> None:
    for model_admin in admins():
        if not model_admin.search_fields:
            continue
        response = editor.get(list_of(model_admin), {"q": search})
        assert response.status_code == 200, model_admin
        assert "Search for at most 12 words and 200 characters." in response.content.decode()


def test_the_longest_search_is_answered(editor: Client) -> None:
    for model_admin in admins():
        response = editor.get(list_of(model_admin), {"q": " ".join(f"дом{number}" for number in range(12))})
        assert response.status_code == 200, model_admin


@pytest.mark.parametrize("term", ["a " * 1500, "x" * 5000, "("])
def test_a_suggestion_for_nonsense_is_none(editor: Client, term: str) -> None:
    address = "/admin/autocomplete/?app_label=quotes&model_name=quote&field_name=person"
    response = editor.get(f"{address}&term={term}")
    assert response.status_code in {200, 400}
    if response.status_code == 200:
        assert response.json()["results"] == []


@pytest.mark.full
@pytest.mark.parametrize("model_admin", admins(), ids=lambda each: each.opts.label)
def test_a_form_opens_whatever_its_address_would_fill_in(editor: Client, model_admin: Any) -> None:
    address = f"{list_of(model_admin)}add/"
    if not model_admin.has_add_permission(request_for(editor, list_of(model_admin))):
        return
    names = [field.name for field in model_admin.model._meta.get_fields()] + ["tags", "_to_field", "_popup", "x"]
    for name in names:
        for value in ("x", "%00", "9" * 30, "-1", "1,2,x", "%D9%A3", "," * 2000):
            response = editor.get(f"{address}?{name}={value}")
            assert response.status_code in {200, 302, 400}, (name, value[:20])


@pytest.mark.django_db
def test_an_address_that_is_wrong_after_it_was_refused_leads_to_the_bare_list() -> None:
    client = signed_in()
    response = client.get("/admin/quotes/quote/?e=x&parent=1")
    assert (response.status_code, response["Location"]) == (302, "/admin/quotes/quote/?e=1")
    assert client.get(response["Location"]).status_code == 200
