"""Who asks is worked out once: only the operator's own proxies are believed, and nothing spoofed gets past them."""

from ipaddress import ip_network
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from rlm_site.client_address import limited_address, parse_address, resolve_client
from rlm_site.tests.editor import form_data

PASSWORD = "a long enough pass phrase"


@pytest.fixture
def behind_proxies(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1"), ip_network("172.16.0.0/12"), ip_network("fd00::/8")]


def resolved(peer: str, **headers: str) -> dict[str, Any]:
    environ: dict[str, Any] = {"REMOTE_ADDR": peer, "HTTP_HOST": "127.0.0.1", "wsgi.url_scheme": "http", **headers}
    resolve_client(environ)
    return environ


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("127.0.0.1", "9.9.9.9", "9.9.9.9"),
        ("127.0.0.1", "6.6.6.6, 9.9.9.9", "9.9.9.9"),  # the client has written the first itself
        ("127.0.0.1", "9.9.9.9, 172.17.0.3", "9.9.9.9"),  # two proxies of ours
        ("127.0.0.1", "6.6.6.6, 9.9.9.9, 172.17.0.3, 127.0.0.1", "9.9.9.9"),
        ("172.31.255.255", "9.9.9.9", "9.9.9.9"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:127.0.0.1", "::ffff:9.9.9.9", "9.9.9.9"),
        ("127.0.0.1", "9.9.9.9:4711", "9.9.9.9"),
        ("127.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("127.0.0.1", "[2001:db8::7]", "2001:db8::7"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "172.17.0.3", "172.17.0.3"),  # our own machines ask too
        ("127.0.0.1", "9.9.9.9, unknown", "127.0.0.1"),  # what stands left of nonsense is not believed
        ("127.0.0.1", "9.9.9.9, , 172.17.0.3", "172.17.0.3"),
        ("127.0.0.1", "9.9.9.9, 1.2.3", "127.0.0.1"),
        ("127.0.0.1", "9.9.9.9, 1.2.3.4:x", "127.0.0.1"),
        ("127.0.0.1", "9.9.9.9, [::1", "127.0.0.1"),
        ("127.0.0.1", "9.9.9.9, fe80::1%eth0", "127.0.0.1"),
        ("127.0.0.1", "9.9.9.9, ٣.3.3.3", "127.0.0.1"),
        ("8.8.8.8", "9.9.9.9", "8.8.8.8"),
        ("172.32.0.1", "9.9.9.9", "172.32.0.1"),
        ("", "9.9.9.9", ""),
    ],
)
@pytest.mark.usefixtures("behind_proxies")
def test_the_rightmost_address_that_is_no_proxy_of_ours_is_the_client(peer: str, forwarded: str, client: str) -> None:
    assert resolved(peer, HTTP_X_FORWARDED_FOR=forwarded)["REMOTE_ADDR"] == client


FORWARDED = {
    "HTTP_X_FORWARDED_FOR": "9.9.9.9",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "elsewhere.example",
    "HTTP_X_FORWARDED_PORT": "1",
    "HTTP_X_FORWARDED_PREFIX": "/x",
    "HTTP_FORWARDED": "for=9.9.9.9;proto=https",
    "HTTP_X_REAL_IP": "9.9.9.9",
}


@pytest.mark.parametrize("peer", ["8.8.8.8", "127.0.0.1", "", "nonsense"])
def test_without_proxies_of_ours_nothing_that_is_forwarded_counts(peer: str) -> None:
    environ = resolved(peer, **FORWARDED)
    assert (environ["REMOTE_ADDR"], environ["HTTP_HOST"], environ["wsgi.url_scheme"]) == (peer, "127.0.0.1", "http")
    assert not environ.keys() & FORWARDED.keys()


@pytest.mark.usefixtures("behind_proxies")
def test_no_forwarded_header_is_left_to_read() -> None:
    environ = resolved("127.0.0.1", **FORWARDED)
    assert not environ.keys() & FORWARDED.keys()
    assert (environ["HTTP_HOST"], environ["wsgi.url_scheme"]) == ("elsewhere.example", "https")


@pytest.mark.parametrize(
    ("scheme", "host", "kept"),
    [
        ("https", "example.org:8443", ("https", "example.org:8443")),
        ("http, https", "spoofed.example, example.org", ("https", "example.org")),
        ("https, http", "example.org", ("http", "example.org")),
        ("ftp", "a b", ("http", "127.0.0.1")),
        ("", "", ("http", "127.0.0.1")),
        ("https\n", "example.org/x", ("https", "127.0.0.1")),
    ],
)
@pytest.mark.usefixtures("behind_proxies")
def test_scheme_and_host_are_those_of_the_nearest_proxy(scheme: str, host: str, kept: tuple[str, str]) -> None:
    environ = resolved("127.0.0.1", HTTP_X_FORWARDED_PROTO=scheme, HTTP_X_FORWARDED_HOST=host)
    assert (environ["wsgi.url_scheme"], environ["HTTP_HOST"]) == kept


@pytest.mark.usefixtures("behind_proxies")
def test_a_client_that_is_known_stays_who_it_is() -> None:
    environ = resolved("127.0.0.1", HTTP_X_FORWARDED_FOR="127.0.0.1")
    resolve_client(environ | {"HTTP_X_FORWARDED_FOR": "6.6.6.6"})
    assert environ["REMOTE_ADDR"] == "127.0.0.1"


@pytest.mark.usefixtures("behind_proxies")
def test_a_request_by_https_is_secure() -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_PROTO="https")
    resolve_client(request.META)
    assert request.is_secure()


@pytest.mark.parametrize("text", ["", "x", "1.2.3.4.5", "1.2.3.4:99999", ":80", "[]", "[1", "::1%1", "1" * 5000])
def test_nonsense_is_no_address(text: str) -> None:
    assert parse_address(text) is None


def test_a_network_of_ipv6_is_one_client() -> None:
    assert limited_address("2001:db8:1:2:3::4") == limited_address("2001:db8:1:2:ffff::1") == "2001:db8:1:2::"
    assert limited_address("2001:db8:1:3::") != limited_address("2001:db8:1:2::")
    assert limited_address("9.9.9.9") == "9.9.9.9"
    assert limited_address("") == ""


# Who guesses passwords


def sign_in(password: str, forwarded: str, peer: str = "127.0.0.1") -> int:
    client = Client(HTTP_HOST="127.0.0.1", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    form = form_data(client.get("/admin/login/"), username="pub", password=password)
    return int(client.post("/admin/login/", form).status_code)


@pytest.fixture
def pub(db: None) -> User:
    return User.objects.create_user("pub", password=PASSWORD, is_staff=True)


@pytest.mark.usefixtures("behind_proxies", "pub")
def test_whoever_guesses_locks_nobody_else_out(settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    assert [sign_in("guess", "6.6.6.6") for _ in range(4)] == [200, 200, 429, 429]
    assert sign_in(PASSWORD, "6.6.6.6") == 429
    assert sign_in(PASSWORD, "9.9.9.9, 6.6.6.6") == 429
    assert sign_in(PASSWORD, "9.9.9.9") == 302
    assert sign_in(PASSWORD, "6.6.6.6, 9.9.9.9") == 302


@pytest.mark.usefixtures("pub")
def test_without_a_proxy_nobody_escapes_by_a_header(settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    assert [sign_in("guess", f"6.6.6.{number}", peer="8.8.8.8") for number in range(3)] == [200, 200, 429]
    assert sign_in(PASSWORD, "9.9.9.9", peer="8.8.8.8") == 429
    assert sign_in(PASSWORD, "", peer="9.9.9.9") == 302


@pytest.mark.usefixtures("behind_proxies", "pub")
def test_an_address_of_the_same_network_is_the_same_client(settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    assert [sign_in("guess", f"2001:db8::{number}") for number in range(3)] == [200, 200, 429]
    assert sign_in(PASSWORD, "2001:db8:0:1::1") == 302


@pytest.mark.usefixtures("behind_proxies", "pub")
def test_a_failure_does_not_renew_the_lock(settings: Any) -> None:
    from axes.models import AccessAttempt

    settings.AXES_FAILURE_LIMIT = 2
    assert [sign_in("guess", "6.6.6.6") for _ in range(2)] == [200, 429]
    locked = AccessAttempt.objects.get()
    assert sign_in("guess", "6.6.6.6") == 429
    again = AccessAttempt.objects.get()
    assert (again.attempt_time, again.failures_since_start) == (locked.attempt_time, locked.failures_since_start)
