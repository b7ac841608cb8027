"""Every answer carries the site's policy; no reader is given a cookie."""

import re

import pytest
from django.test import Client

from articles.models import Article
from quotes.models import Quote

pytestmark = pytest.mark.django_db

READERS_PAGES = [
    "/", "/about/", "/changes/", "/quotes/people/", "/quotes/people/lena-sommer/",
    "/quotes/", "/quotes/?tag=bread", "/references/",
    "/yarle-valley/", "/yarle-valley/the-millers/", "/search/", "/search/?q=rain", "/tags/",
    "/tags/bread/", "/words/millers/", "/feeds/changes/", "/feeds/quotes/", "/sitemap.xml", "/robots.txt", "/healthz",
    "/no-such-page/", "/preview/x/", "/quotes/1/", "/yarle-valley", "/static/no-such-file.css",
]  # fmt: skip


def policy(response: object) -> dict[str, str]:
    directives = response.headers["Content-Security-Policy"].split(";")  # type: ignore[attr-defined]
    return {name: value for name, _space, value in (directive.strip().partition(" ") for directive in directives)}


def assert_strict(response: object) -> None:
    directives = policy(response)
    assert directives["default-src"] == "'none'"
    for name in ("script-src", "style-src", "img-src", "connect-src", "form-action"):
        assert directives[name] == "'self'", name
    assert directives["frame-ancestors"] == directives["base-uri"] == "'none'"
    assert "unsafe" not in response.headers["Content-Security-Policy"]  # type: ignore[attr-defined]
    headers = response.headers  # type: ignore[attr-defined]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert_closed_to_others(response)


def assert_closed_to_others(response: object) -> None:
    headers = response.headers  # type: ignore[attr-defined]
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    policy = headers["Permissions-Policy"].split(", ")
    assert {"camera=()", "geolocation=()", "microphone=()", "payment=()"} <= {*policy}
    assert all(feature.endswith("=()") for feature in policy)


def test_a_static_file_is_closed_to_others_too(client: Client) -> None:
    page = client.get("/about/").content.decode()
    [address, *_more] = re.findall(r'href="(/static/css/[^"]*)"', page)
    response = client.get(address)
    response.close()
    assert response.status_code == 200
    assert_closed_to_others(response)


def test_no_answer_is_kept_unasked(client: Client) -> None:
    """Browsers keep a redirect, which may turn back, and a page that is gone for good if nobody tells them not to."""
    row = Article.objects.create(title="Zorblax", slug="zorblax", published=True)
    client.get("/zorblax/")
    Article.objects.filter(pk=row.pk).update(slug="zorblaxia")
    answers = {path: client.get(path) for path in (*READERS_PAGES, "/zorblax/", "/admin/")}
    row.delete()
    answers |= {"gone": client.get("/zorblaxia/")}
    assert {answer.status_code for answer in answers.values()} >= {200, 301, 302, 404, 410}
    for path, answer in answers.items():
        assert {"no-cache", "no-store"} & {*answer.headers.get("Cache-Control", "").replace(",", " ").split()}, path


def test_a_page_that_failed_is_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_closed_to_others(client.get("/about/"))
    assert_closed_to_others(client.get("/about/"))
    monkeypatch.setattr("rlm_site.front.changes.notable_changes", None)
    client.raise_request_exception = False
    response = client.get("/changes/?page=2")
    assert response.status_code == 500
    assert_closed_to_others(response)


@pytest.mark.parametrize("address", READERS_PAGES)
def test_a_reader_s_page_has_the_policy_and_sets_no_cookie(client: Client, address: str) -> None:
    response = client.get(address)
    assert_strict(response)
    assert not response.cookies
    assert "cookie" not in response.headers.get("Vary", "").lower()


def test_the_page_of_a_quotation_too(client: Client) -> None:
    response = client.get(Quote.objects.all()[0].get_absolute_url())
    assert response.status_code == 200
    assert_strict(response)
    assert not response.cookies


@pytest.mark.parametrize(
    "address", ["/", "/search/?q=rain", "/yarle-valley/the-millers/", "/feeds/quotes/", "/tags/bread/"]
)
def test_a_refused_method_has_the_policy(client: Client, address: str) -> None:
    response = client.post(address)
    assert response.status_code == 405
    assert_strict(response)
    assert not response.cookies


def test_a_request_for_another_host_is_refused_under_the_policy() -> None:
    response = Client(HTTP_HOST="elsewhere.example").get("/")
    assert response.status_code == 400
    assert_strict(response)


@pytest.mark.parametrize("address", ["/admin/login/", "/admin/", "/admin/no-such-page/"])
def test_the_editors_pages_have_the_policy(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code in {200, 302}
    assert_strict(response)


def test_a_signed_in_editor_sees_pages_without_anything_of_their_session(client: Client, admin_client: Client) -> None:
    admin_client.defaults["HTTP_HOST"] = "127.0.0.1"
    address = "/yarle-valley/the-millers/"
    assert admin_client.get(address).content == client.get(address).content
    assert not admin_client.get(address).cookies


def test_forwarded_headers_of_anybody_are_ignored() -> None:
    stranger = Client(HTTP_HOST="127.0.0.1", HTTP_X_FORWARDED_HOST="elsewhere.example", HTTP_X_FORWARDED_PROTO="https")
    response = stranger.get("/yarle-valley/")
    assert response.status_code == 200
    assert b"elsewhere.example" not in response.content
