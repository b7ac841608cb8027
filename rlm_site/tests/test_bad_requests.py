"""Whatever is asked, the answer is a page that helps: never a 500."""

import pytest
from django.test import Client

from rlm_site.tests.editor import form_data, signed_in, user_of
from rlm_site.tests.html import links, parse, text_of

pytestmark = pytest.mark.django_db

PAGES = [
    "/", "/about/", "/changes/", "/quotes/people/", "/quotes/people/lena-sommer/",
    "/quotes/", "/references/", "/search/", "/tags/",
    "/tags/bread/", "/words/millers/", "/yarle-valley/", "/yarle-valley/the-millers/",
    "/feeds/changes/", "/feeds/quotes/", "/sitemap.xml", "/robots.txt", "/healthz", "/preview/x/", "/favicon.ico",
]  # fmt: skip
NONSENSE = ["%00", "%ff", "-1", "9" * 40, "9" * 5000, "x" * 10_000, "%0d%0aX: y", "🙂", "٣"]
PARAMETERS = {
    "page": ["/", "/quotes/", "/tags/bread/", "/search/?q=rain&"],
    "q": ["/search/"],
    "tag": ["/quotes/", "/search/?q=rain&"],
    "person": ["/quotes/"],
    "word": ["/quotes/"],
    "status": ["/quotes/"],
    "kind": ["/search/?q=rain&"],
    "p": ["/sitemap.xml"],
    "page%5B%5D": ["/changes/"],
}


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_no_value_in_the_query_string_breaks_a_page(client: Client, parameter: str) -> None:
    for address in PARAMETERS[parameter]:
        for nonsense in NONSENSE:
            response = client.get(f"{address}{'' if '?' in address else '?'}{parameter}={nonsense}")
            assert response.status_code in {200, 404}, (address, parameter, nonsense[:20])


@pytest.mark.parametrize("query", ["%", "=", "&&&", "?", "page=1&page=2&page=%00", "\xff", "a" * 10_000, "=%00&%00="])
def test_no_query_string_breaks_a_page(client: Client, query: str) -> None:
    for address in (
        "/",
        "/about/",
        "/search/",
        "/yarle-valley/the-millers/",
        "/feeds/quotes/",
        "/preview/x/",
    ):
        assert client.get(address, QUERY_STRING=query).status_code in {200, 404}, address


@pytest.mark.parametrize(
    "address", ["/", "/quotes/", "/changes/", "/tags/bread/", "/words/rain/", "/quotes/people/lena-sommer/"]
)
def test_a_page_number_beyond_the_last_shows_what_there_is(client: Client, address: str) -> None:
    response = client.get(f"{address}?page=9999")
    assert response.status_code == 200
    assert response.context["page"].object_list


ADDRESSES = [
    "/%00",
    "/%00/",
    "/%ff/",
    "/%FF%FE/x/",
    "/a%00b/c/",
    "/" + "x" * 10_000 + "/",
    "/" + "x/" * 500,
    "/..%2f..%2fetc/passwd",
    "/../../etc/passwd",
    "/.env",
    "/.git/config",
    "/wp-login.php",
    "/%2e%2e/",
    "/<script>alert(1)</script>/",
    "/'/",
    '/"/',
    "/a b/",
    "/🙂/",
    "/Война/",
    "/%D0%92%D0%BE%D0%B9%D0%BD%D0%B0/",
    "/quotes/0/",
    "/quotes/-1/",
    "/quotes/1e9/",
    f"/quotes/{'9' * 19}/",
    f"/quotes/{'9' * 30}/",
    f"/quotes/{'9' * 5000}/",
    "/quotes/%D9%A3/",
    "/quotes/x/",
    "/quotes/1/%00/",
    "/quotes/people/%00/",
    "/quotes/people/x%00/",
    "/quotes/people/" + "x" * 5000 + "/",
    "/tags/%00/",
    "/tags/%ff/",
    "/words/%00/",
    "/words/%ff/",
    "/words/a%2Fb/",
    "/words/" + "x" * 10_000 + "/",
    "/words//",
    "/preview/%00/",
    "/preview/" + "x" * 10_000 + "/",
    "/feeds/",
    "/feeds/nothing/",
    "/static/",
    "/static/%00",
    "/static/../.env",
    "/static/css/no-such.css",
    "/healthz/",
    "/robots.txt/",
    "/sitemap.xml/",
    "/index.html",
    "/edgar-tarlow/%00/",
    "/edgar-tarlow/a/b/c/",
    "/EDGAR-TARLOW/",
    "/edgar-tarlow/THE-MILLERS/",
    "/search/x/",
]


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address[:40])
def test_a_bad_address_is_not_found_or_corrected(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code in {301, 404}
    if response.status_code == 301:
        assert response["Location"].startswith("/")
        assert not response["Location"].startswith("//")
        assert client.get(response["Location"]).status_code in {200, 301, 404}
    else:
        assert text_of(parse(response).find(".//h1"))


def test_an_address_that_is_not_there_offers_a_search_for_its_words(client: Client) -> None:
    document = parse(client.get("/tarlow/edgar/"))
    boxes = [field.get("value") for field in document.iter("input") if field.get("name") == "q"]
    assert boxes == ["tarlow edgar"]
    assert "/edgar-tarlow/" in links(document)


def test_what_was_asked_is_shown_as_text(client: Client) -> None:
    document = parse(client.get("/%3Cscript%3Ealert(1)%3C/script%3E/"))
    assert document.find(".//main//script") is None


def refused(method: str, address: str) -> bool:
    response = getattr(Client(HTTP_HOST="127.0.0.1", enforce_csrf_checks=True), method)(address)
    readable = b"This page is read-only" in response.content
    return response.status_code == 405 and response["Allow"] == "GET, HEAD" and readable


@pytest.mark.parametrize("address", [address for address in PAGES if address != "/favicon.ico"])
def test_what_is_sent_to_a_page_is_refused_with_a_page(address: str) -> None:
    assert refused("post", address)


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_every_other_method_is_refused_too(method: str) -> None:
    assert refused(method, "/yarle-valley/the-millers/")


@pytest.mark.parametrize("body", [b"\x00\xff" * 5000, b"x" * 100_000, b"", b"a=1&b=2"])
def test_what_is_sent_to_a_page_is_not_read(client: Client, body: bytes) -> None:
    for kind in (
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json",
        "nonsense",
    ):
        assert client.generic("POST", "/search/", body, kind).status_code == 405


@pytest.mark.parametrize("address", [address for address in PAGES if address != "/preview/x/"])
def test_head_is_answered_as_get_without_a_body(client: Client, address: str) -> None:
    response, full = client.head(address), client.get(address)
    assert response.status_code == full.status_code
    assert response.content == b""
    assert response["Content-Type"] == full["Content-Type"]


@pytest.mark.parametrize(
    "address",
    [
        "/admin/",
        "/admin/articles/article/",
        "/admin/articles/article/1/change/",
        "/admin/articles/article/%00/change/",
        f"/admin/articles/article/{'9' * 30}/change/",
        "/admin/%00/",
        "/admin/%ff/",
        "/admin/no/such/page/",
        "/admin/login/?next=//x",
        "/admin/articles/article/?o=%00&q=%00&p=-1",
        "/admin/jsi18n/",
        "/admin/r/1/1/",
        "/admin/autocomplete/?term=%00",
    ],
)
def test_the_admin_asks_strangers_to_sign_in(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code in {200, 302, 404}
    if response.status_code == 302:
        assert response["Location"].startswith("/admin/login/")


@pytest.mark.parametrize(
    "address",
    [
        f"/admin/articles/article/?id__in={'9' * 30}",
        f"/admin/axes/accesslog/?attempt_time__year={'9' * 30}",
        "/admin/quotes/quote/?status__exact=%00",
        "/admin/quotes/quote/export/json/?status__exact=%00",
        "/admin/quotes/work/1/change/?_to_field=",
        "/admin/quotes/work/1/change/?_to_field=%00",
        "/admin/articles/article/add/?_popup=1&_to_field=%D9%A3",
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_nonsense_in_a_query_string_of_the_desk_is_no_failure(address: str, method: str) -> None:
    assert getattr(signed_in(), method)(address).status_code in {200, 302, 400, 405}


def test_a_list_that_is_asked_for_what_cannot_be_is_shown_without_that() -> None:
    response = signed_in().get(f"/admin/axes/accesslog/?attempt_time__year={'9' * 30}", follow=True)
    assert response.status_code == 200
    assert [str(message) for message in response.context["messages"]] == [
        "Part of the address is not valid. The list is shown without it."
    ]


def test_nonsense_in_a_form_of_the_desk_is_no_failure() -> None:
    editor = signed_in()
    form = f"/admin/auth/user/{user_of(editor).pk}/change/"
    assert editor.post(form, form_data(editor.get(form), groups="9" * 20)).status_code in {200, 400}
    form = "/admin/articles/article/add/"
    assert editor.post(form, form_data(editor.get(form), title="", _saveasnew="1")).status_code == 200


@pytest.mark.parametrize("parent", [*NONSENSE, "abc", "1e9", " "])
def test_a_form_of_the_desk_opens_without_a_choice_that_is_none(parent: str) -> None:
    editor = signed_in()
    assert editor.get(f"/admin/articles/article/add/?parent={parent}").status_code in {200, 302}


@pytest.mark.parametrize("parent", ["abc", "9" * 40, "9" * 5000, "٣", "-1", "1, 2"])
def test_what_was_typed_beside_a_choice_that_is_none_is_kept(parent: str) -> None:
    editor = signed_in()
    form = "/admin/articles/article/add/"
    response = editor.post(form, form_data(editor.get(form), title="The Typed Title", parent=parent))
    assert response.status_code == 200
    assert form_data(response)["title"] == "The Typed Title"
    assert b"Select a valid choice" in response.content


@pytest.mark.parametrize(
    "data", [{}, {"username": "x\x00", "password": "y\x00"}, {"username": "x" * 10_000, "password": "y" * 10_000}]
)
def test_nonsense_at_the_login_is_a_mistake_and_no_failure(client: Client, data: dict[str, str]) -> None:
    assert client.post("/admin/login/", data).status_code in {200, 403, 429}


def test_a_login_without_its_token_is_refused_with_a_page() -> None:
    response = Client(HTTP_HOST="127.0.0.1", enforce_csrf_checks=True).post("/admin/login/", {"username": "x"})
    assert response.status_code == 403
    assert text_of(parse(response).find(".//h1"))


@pytest.mark.parametrize("host", ["elsewhere.example", "127.0.0.1.elsewhere.example", "127.0.0.1:x", "a b", "", "[::1"])
def test_a_request_for_another_host_is_refused(host: str) -> None:
    assert Client(HTTP_HOST=host).get("/").status_code == 400


def test_a_query_string_with_thousands_of_parameters_is_refused_or_ignored(client: Client) -> None:
    response = client.get("/search/?" + "&".join(f"a{n}=1" for n in range(5000)))
    assert response.status_code in {200, 400}
    assert text_of(parse(response).find(".//h1"))
