"""The settings are read anew for each test, with an environment of its own."""

import re
import runpy
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from rlm_site.testing.variables import ROOT


@pytest.fixture
def settings_with(monkeypatch: pytest.MonkeyPatch) -> Any:
    def read(**variables: str) -> dict[str, Any]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "rlm_site" / "settings.py"))

    return read


def test_without_a_word_from_the_operator_the_site_is_closed(settings_with: Any) -> None:
    settings = settings_with()
    assert settings["DEBUG"] is False
    assert settings["HOST"] == "127.0.0.1"
    assert settings["ALLOWED_HOSTS"] == ["127.0.0.1", "127.0.0.1", "localhost", "[::1]"]
    assert settings["TRUSTED_PROXIES"] == []
    assert settings["SECURE_PROXY_SSL_HEADER"] is None
    assert settings["USE_X_FORWARDED_HOST"] is False


def test_in_development_no_page_comes_from_memory(settings_with: Any) -> None:
    assert settings_with()["PAGE_CACHE_BYTES"] > 0
    assert settings_with(DEBUG="true")["PAGE_CACHE_BYTES"] == 0


def test_the_port_is_part_of_the_default_address(settings_with: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SITE_URL")
    assert settings_with(PORT="8123")["SITE_URL"] == "http://127.0.0.1:8123"


def test_an_https_address_makes_cookies_and_transport_secure(settings_with: Any) -> None:
    settings = settings_with(SITE_URL="https://example.org/")
    assert settings["SITE_URL"] == "https://example.org"
    assert settings["ALLOWED_HOSTS"][0] == "example.org"
    assert settings["CSRF_TRUSTED_ORIGINS"] == ["https://example.org"]
    secure = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT")
    assert [settings[name] for name in secure] == [True, True, True]
    assert settings["SECURE_HSTS_SECONDS"] == 31536000


def test_an_http_address_promises_nothing_that_it_cannot_keep(settings_with: Any) -> None:
    settings = settings_with(SITE_URL="http://127.0.0.1:8123")
    assert not settings["SESSION_COOKIE_SECURE"]
    assert not settings["SECURE_SSL_REDIRECT"]
    assert settings["SECURE_HSTS_SECONDS"] == 0


def test_a_trusted_proxy_may_say_that_the_reader_came_by_https(settings_with: Any) -> None:
    settings = settings_with(TRUSTED_PROXIES="127.0.0.1,10.0.0.2")
    assert settings["TRUSTED_PROXIES"] == ["127.0.0.1", "10.0.0.2"]
    assert settings["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"PORT": "eighty"}, "PORT is 'eighty'; give a number from 1 to 65535."),
        ({"PORT": "0"}, "PORT is '0'; give a number from 1 to 65535."),
        ({"PORT": "65536"}, "PORT is '65536'; give a number from 1 to 65535."),
        ({"PORT": "٣"}, "PORT is '٣'; give a number from 1 to 65535."),
        ({"DEBUG": "maybe"}, "DEBUG is 'maybe'; give true or false."),
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing or shorter than 40 characters"),
        ({"SECRET_KEY": "secret"}, "SECRET_KEY is missing or shorter than 40 characters"),
        ({"SITE_URL": "example.org"}, "SITE_URL is 'example.org'; give scheme and host"),
        ({"SITE_URL": "ftp://example.org"}, "SITE_URL is 'ftp://example.org'; give scheme and host"),
        ({"SITE_URL": "https://example.org/rlm"}, "SITE_URL is 'https://example.org/rlm'; give scheme and host"),
        ({"DATABASE_URL": "mysql://user:word@host/name"}, "DATABASE_URL must begin with sqlite:/// or postgres://."),
    ],
)
def test_a_wrong_value_stops_the_start_and_says_why(settings_with: Any, variables: dict[str, str], said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=re.escape(said)):
        settings_with(**variables)


def test_sqlite_is_set_up_as_a_servers_database(settings_with: Any) -> None:
    database = settings_with(DATABASE_URL="sqlite:////srv/site/db.sqlite3")["DATABASES"]["default"]
    assert database["NAME"] == "/srv/site/db.sqlite3"
    assert database["CONN_MAX_AGE"] is None
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]
    assert "synchronous=FULL" in database["OPTIONS"]["init_command"]


def test_postgresql_needs_no_other_setting(settings_with: Any) -> None:
    database = settings_with(DATABASE_URL="postgres://site:word@db.example.org/encyclopedia")["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["HOST"], database["NAME"]) == ("db.example.org", "encyclopedia")
    assert database["OPTIONS"]["server_side_binding"] is True


def test_statements_are_not_prepared_behind_a_pooler_if_the_address_says_so(settings_with: Any) -> None:
    url = "postgres://site:word@db.example.org/encyclopedia?server_side_binding=false"
    options = settings_with(DATABASE_URL=url)["DATABASES"]["default"]["OPTIONS"]
    assert (options["server_side_binding"], options["prepare_threshold"]) == (False, None)


def test_the_content_security_policy_allows_nothing_inline_and_no_other_host(settings_with: Any) -> None:
    policy = settings_with()["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]
    assert policy["default-src"] == ["'none'"]
    assert {source for sources in policy.values() for source in sources} == {"'none'", "'self'"}


def test_a_foreign_host_is_refused() -> None:
    assert Client(HTTP_HOST="example.net").get("/about/").status_code == 400


@pytest.mark.django_db
def test_a_forwarded_host_counts_for_nothing_without_a_trusted_proxy(client: Client) -> None:
    answer = client.get("/robots.txt", headers={"x-forwarded-host": "example.net", "x-forwarded-proto": "https"})
    assert answer.status_code == 200
    assert b"example.net" not in answer.content


def test_the_readme_lists_every_variable() -> None:
    read = re.findall(r'\benv(?:\.\w+)?\("([A-Z_]+)"', (ROOT / "rlm_site/settings.py").read_text())
    listed = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert sorted(read) == sorted(listed)
