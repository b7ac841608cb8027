"""The settings are read anew for each test, with an environment of its own."""

import io
import logging
import os
import re
import runpy
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.test import Client

from rlm_site import settings as settings_module
from rlm_site.logs import RefusalFilter
from rlm_site.passwords import NameInPasswordValidator
from rlm_site.testing.variables import ROOT, environment


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
    assert settings["REVIEW_BY_ANOTHER"] is False


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


def test_mail_goes_to_the_log_unless_there_is_a_server(settings_with: Any) -> None:
    settings = settings_with()
    assert settings["EMAIL_BACKEND"].endswith(".console.EmailBackend")
    assert settings["SENDS_MAIL"] is False
    assert settings_with(EMAIL_URL="console://")["SENDS_MAIL"] is True


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "ssl"),
    [
        ("smtp://mail.example.org", "mail.example.org", 25, False, False),
        ("smtp://mail.example.org/?tls=1", "mail.example.org", 587, True, False),
        ("smtp://mail.example.org:2525?tls=0", "mail.example.org", 2525, False, False),
        ("smtps://mail.example.org", "mail.example.org", 465, False, True),
        ("smtp://[::1]:25/", "::1", 25, False, False),
    ],
)
def test_a_mail_server_is_an_address(settings_with: Any, url: str, host: str, port: int, tls: bool, ssl: bool) -> None:
    read = settings_with(EMAIL_URL=url, CONTACT_EMAIL="office@example.org")
    assert read["EMAIL_BACKEND"].endswith(".smtp.EmailBackend")
    assert [read[f"EMAIL_{name}"] for name in ("HOST", "PORT", "USE_TLS", "USE_SSL")] == [host, port, tls, ssl]
    assert read["DEFAULT_FROM_EMAIL"] == "office@example.org"


def test_name_and_password_of_the_mail_server_may_have_any_character(settings_with: Any) -> None:
    url = "smtp://office%40example.org:a%2Fb%3A%40c%23@mail.example.org:587/?tls=1"
    settings = settings_with(EMAIL_URL=url, CONTACT_EMAIL="office@example.org")
    assert (settings["EMAIL_HOST_USER"], settings["EMAIL_HOST_PASSWORD"]) == ("office@example.org", "a/b:@c#")


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.org", "smtp://", "http://mail.example.org", "smtp://u:secret-word@mail.example.org:99999",
        "smtp://u:secret-word@mail.example.org:port", "smtp://u:secret/word@mail.example.org", "console://x",
        "smtp://u:secret-word@mail.example.org/?ssl=1", "smtp://u:secret#word@mail.example.org", "smtp://[::1",
        "smtp://mail.example.org:0",
    ],
)  # fmt: skip
def test_a_mail_server_that_is_none_stops_the_start_and_shows_no_password(settings_with: Any, url: str) -> None:
    with pytest.raises(ImproperlyConfigured) as stopped:
        settings_with(EMAIL_URL=url, CONTACT_EMAIL="office@example.org")
    assert str(stopped.value).startswith("EMAIL_URL cannot be read; it must be like smtp://")
    assert "secret" not in str(stopped.value)


def test_mail_needs_a_sender(settings_with: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL is set but CONTACT_EMAIL is not"):
        settings_with(EMAIL_URL="smtp://mail.example.org")


def test_proxies_are_addresses_and_networks(settings_with: Any) -> None:
    proxies = settings_with(TRUSTED_PROXIES="127.0.0.1, 172.16.0.0/12,fd00::/8,")["TRUSTED_PROXIES"]
    assert [str(network) for network in proxies] == ["127.0.0.1/32", "172.16.0.0/12", "fd00::/8"]


@pytest.mark.parametrize(
    ("value", "meant"), [("true", True), ("YES", True), (" on ", True), ("1", True), ("off", False)]
)
def test_yes_and_no_are_said_in_some_words(settings_with: Any, value: str, meant: bool) -> None:
    assert settings_with(REVIEW_BY_ANOTHER=value)["REVIEW_BY_ANOTHER"] is meant


@pytest.mark.parametrize(
    ("url", "kept", "host"),
    [
        ("https://Example.ORG/", "https://example.org", "example.org"),
        ("http://192.168.0.5:8000", "http://192.168.0.5:8000", "192.168.0.5"),
        ("http://[::1]:8000", "http://[::1]:8000", "[::1]"),
    ],
)
def test_the_address_is_as_browsers_send_it(settings_with: Any, url: str, kept: str, host: str) -> None:
    settings = settings_with(SITE_URL=url)
    assert (settings["SITE_URL"], settings["ALLOWED_HOSTS"][0]) == (kept, host)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"PORT": "eighty"}, "PORT is 'eighty'; it must be a number from 1 to 65535."),
        ({"PORT": "0"}, "PORT is '0'; it must be a number from 1 to 65535."),
        ({"PORT": "65536"}, "PORT is '65536'; it must be a number from 1 to 65535."),
        ({"PORT": "٣"}, "PORT is '٣'; it must be a number from 1 to 65535."),
        ({"DEBUG": "maybe"}, "DEBUG is 'maybe'; it must be true or false."),
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing or shorter than 40 characters"),
        ({"SECRET_KEY": "secret"}, "SECRET_KEY is missing or shorter than 40 characters"),
        ({"SITE_URL": "example.org"}, "SITE_URL is 'example.org'; it must be a scheme and a host"),
        ({"SITE_URL": "ftp://example.org"}, "SITE_URL is 'ftp://example.org'; it must be a scheme and a host"),
        (
            {"SITE_URL": "https://example.org/rlm"},
            "SITE_URL is 'https://example.org/rlm'; it must be a scheme and a host",
        ),
        (
            {"SITE_URL": "https://user:word@example.org"},
            "SITE_URL is 'https://user:word@example.org'; it must be a scheme",
        ),
        ({"SITE_URL": "https://example.org#x"}, "SITE_URL is 'https://example.org#x'; it must be a scheme and a host"),
        ({"SITE_URL": "https://пример.рф"}, "SITE_URL is 'https://пример.рф'; it must be a scheme and a host"),
        ({"HOST": "everywhere"}, "HOST is 'everywhere'; it must be an address of this machine, such as 127.0.0.1"),
        ({"DEBUG": ""}, "DEBUG is ''; it must be true or false."),
        ({"REVIEW_BY_ANOTHER": "ture"}, "REVIEW_BY_ANOTHER is 'ture'; it must be true or false."),
        ({"TRUSTED_PROXIES": "nginx"}, "TRUSTED_PROXIES: 'nginx' does not appear to be an IPv4 or IPv6 network"),
        ({"TRUSTED_PROXIES": "127.0.0.1/8"}, "TRUSTED_PROXIES: 127.0.0.1/8 has host bits set; list addresses"),
        ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "TRUSTED_PROXIES trusts every address; list only your own proxies."),
        (
            {"CONTACT_EMAIL": "office"},
            "CONTACT_EMAIL is 'office'; it must be an email address, such as office@example.org.",
        ),
        ({"SITE_NAME": ""}, "SITE_NAME has 0 characters; it must have 1 to 100."),
        ({"SITE_DESCRIPTION": "x" * 301}, "SITE_DESCRIPTION has 301 characters; it must have 0 to 300."),
        (
            {"SITE_LANGUAGE": "English"},
            "SITE_LANGUAGE is 'English'; it must be a language tag, such as en, de or pt-BR.",
        ),
        ({"LICENCE_URL": "javascript:alert(1)"}, "LICENCE_URL is 'javascript:alert(1)'; it must be the address of the"),
        ({"BASE_MAP": "../europe"}, "BASE_MAP is '../europe'; it must be the NAME of static/img/map/NAME.json"),
        ({"BASE_MAP": "atlantis"}, "BASE_MAP is 'atlantis'; it must be the NAME of"),
        ({"LICENCE_NAME": ""}, "LICENCE_URL is set but LICENCE_NAME is not; set LICENCE_NAME too."),
        ({"SITE_NAME": "a\nb"}, "SITE_NAME contains a character that cannot be printed; type it again."),
        ({"TIME_ZONE": "Prague"}, "TIME_ZONE is 'Prague'; it must be a time zone, such as Europe/Prague."),
        (
            {"DATABASE_URL": "sqlite:///:memory:"},
            "DATABASE_URL does not name a file; use, for example, sqlite:////srv/site/db.sqlite3",
        ),
        (
            {"DATABASE_URL": "postgres://u:word@h/d?server_side_binding=flase"},
            "server_side_binding in DATABASE_URL is 'flase'; it must be true or false.",
        ),
        (
            {"REVIEW_BY_ANOTER": "true"},
            "The environment variable REVIEW_BY_ANOTER is not known; rename it to REVIEW_BY_ANOTHER",
        ),
        (
            {"trusted_proxies": "::1"},
            "The environment variable trusted_proxies is not known; rename it to TRUSTED_PROXIES",
        ),
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


# .env


@pytest.fixture
def settings_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], dict[str, Any]]:
    """Return the settings of a copy beside a `.env` with these bytes, which alone say what they are."""
    (tmp_path / "rlm_site").mkdir()
    shutil.copy(ROOT / "rlm_site" / "settings.py", tmp_path / "rlm_site")

    def read(env: bytes) -> dict[str, Any]:
        (tmp_path / ".env").write_bytes(env)
        return runpy.run_path(str(tmp_path / "rlm_site" / "settings.py"))

    for name in settings_module.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return read


SECRET = b"k" * 30 + b"-" + b"z" * 30
KEY = b"SECRET_KEY=" + SECRET


def test_a_variable_may_stand_in_a_file(settings_of: Any) -> None:
    settings = settings_of(b"# ours\n\n" + KEY + b"\r\nexport SITE_NAME='Yarle Almanac'\nREVIEW_BY_ANOTHER=true \n")
    assert settings["SECRET_KEY"] == SECRET.decode()
    assert (settings["SITE_NAME"], settings["REVIEW_BY_ANOTHER"]) == ("Yarle Almanac", True)


def test_what_tells_of_the_subject_stands_with_the_content(settings_of: Any, tmp_path: Path) -> None:
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures/site.env").write_text("SITE_NAME=Yarle Almanac\nSITE_LANGUAGE=cy\n")
    settings = settings_of(KEY + b"\nSITE_NAME=Almanac")
    assert (settings["SITE_NAME"], settings["SITE_LANGUAGE"]) == ("Almanac", "cy")
    (tmp_path / "fixtures/site.env").write_text("SITE_NAME=Yarle Almanac\nDEBUG=true\n")
    with pytest.raises(
        ImproperlyConfigured, match=r"Line 2 of .*site\.env sets DEBUG, which does not belong in this file"
    ):
        settings_of(KEY)


def test_without_a_word_on_its_subject_a_site_has_the_name_of_its_host(settings_of: Any) -> None:
    settings = settings_of(KEY + b"\nSITE_URL=https://almanac.example")
    assert (settings["SITE_NAME"], settings["SITE_LANGUAGE"]) == ("almanac.example", "en")
    assert settings["SITE_DESCRIPTION"] == settings["LICENCE_NAME"] == settings["LICENCE_URL"] == ""


def test_the_interface_is_in_the_language_of_the_texts_where_it_is_translated(settings_of: Any, tmp_path: Path) -> None:
    assert settings_of(KEY + b"\nSITE_LANGUAGE=pt-BR")["LANGUAGE_CODE"] == "en"
    (tmp_path / "locale/pt_BR/LC_MESSAGES").mkdir(parents=True)
    (tmp_path / "locale/pt_BR/LC_MESSAGES/django.mo").touch()
    assert settings_of(KEY + b"\nSITE_LANGUAGE=pt-BR")["LANGUAGE_CODE"] == "pt-br"


def test_the_environment_comes_before_the_file(settings_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8123")
    assert settings_of(KEY + b"\nPORT=8000")["PORT"] == 8123


def test_a_byte_order_mark_is_no_part_of_a_name(settings_of: Any) -> None:
    assert settings_of(b"\xef\xbb\xbf" + KEY)["SECRET_KEY"] == SECRET.decode()


def test_a_value_is_what_was_written(settings_of: Any) -> None:
    assert settings_of(b"SECRET_KEY=$" + SECRET)["SECRET_KEY"] == f"${SECRET.decode()}"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (b"REVIEW_BY_ANOTER=true", "Line 2 of .* sets REVIEW_BY_ANOTER, .* did you mean REVIEW_BY_ANOTHER"),
        (b"site_url=https://x", "Line 2 of .* sets site_url, .* did you mean SITE_URL"),
        (b"POSTGRES_PASSWORD=" + SECRET, "Line 2 of .* sets POSTGRES_PASSWORD, which is not a variable of this site"),
        (KEY, "Line 2 of .* sets SECRET_KEY a second time"),
        (b"PORT: 80", "Line 2 of .* is not NAME=value"),
        (SECRET, "Line 2 of .* is not NAME=value"),
        (b"SITE_NAME=\xff" + SECRET, "is not UTF-8 text; save it as UTF-8"),
        (b"DEBUG=ture", "DEBUG is 'ture'; it must be true or false."),
    ],
)
def test_a_line_that_is_wrong_stops_the_start_and_no_value_of_the_key_is_said(
    settings_of: Any, lines: bytes, said: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=said) as error:
        settings_of(KEY + b"\n" + lines)
    assert SECRET.decode() not in str(error.value)


def test_a_file_in_utf_16_is_refused_without_its_values(settings_of: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="is not UTF-8 text") as error:
        settings_of(KEY.decode().encode("utf-16"))
    assert SECRET.decode() not in str(error.value)


def test_a_file_that_cannot_be_read_is_said(settings_of: Any, tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()  # an account that may read everything is not kept from a file
    with pytest.raises(ImproperlyConfigured, match=r"\.env cannot be read \(is a directory\); make it readable"):
        runpy.run_path(str(tmp_path / "rlm_site" / "settings.py"))


# Files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_of_the_database_is_private(settings_of: Any, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir(mode=0o755)
    settings_of(KEY)
    assert mode(tmp_path / "var") == 0o711


def test_an_sqlite_database_is_private_whoever_made_it(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite3"
    path.touch(mode=0o644)
    path.chmod(0o644)
    url = f"sqlite:///{path}"
    command = [sys.executable, "manage.py", "migrate", "contenttypes", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=environment(url, 8000), check=True)
    assert [mode(file) for file in tmp_path.iterdir()] == [0o600] * len(list(tmp_path.iterdir()))


# Passwords


@pytest.mark.parametrize(
    "password",
    [
        "author-author-1",
        "AUTHOR-Author-2024",
        "authorauthorauthor",
        "yarle-almanac-1",
        "The Yarle Almanac",
        "Lena.Author.77",
    ],
)
def test_a_password_that_is_made_of_names_is_refused(password: str) -> None:
    author = User(username="author", first_name="Lena")
    with pytest.raises(ValidationError, match="Not counting your own names"):
        NameInPasswordValidator(12).validate(password, author)


@pytest.mark.parametrize("password", ["correct horse battery", "author of nineteen letters", "short"])
def test_a_password_with_enough_beside_names_is_taken(password: str) -> None:
    NameInPasswordValidator(12).validate(password, User(username="author"))
    NameInPasswordValidator(12).validate(password, None)


# Refusals


@pytest.mark.parametrize("host", ["192.168.0.5:8000", "elsewhere.example", "<b>x</b>"])
def test_another_host_is_told_what_sets_the_address(host: str) -> None:
    logger = logging.getLogger("django.security")
    said = io.StringIO()
    handler: Any = logger.handlers[0]
    before = handler.setStream(said)
    try:
        response = Client(HTTP_HOST=host).get("/about/")
    finally:
        handler.setStream(before)
    assert response.status_code == 400
    assert "<code>SITE_URL</code>" in response.content.decode()
    assert "<b>x" not in response.content.decode()
    [line] = said.getvalue().splitlines()
    assert host in line
    assert "SITE_URL" in line


def test_a_refusal_is_one_line_whatever_is_asked() -> None:
    record = logging.LogRecord("django.security.X", logging.ERROR, "", 0, "a\nb%s", ("\r\nc" * 1000,), None)
    assert RefusalFilter().filter(record)
    assert "\n" not in record.getMessage()
    assert len(record.getMessage()) <= 500


def test_docs_operating_lists_every_variable() -> None:
    read = set(re.findall(r'\b(?:env|_text)\("([A-Z_]+)"', (ROOT / "rlm_site/settings.py").read_text()))
    listed = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/operating.md").read_text(), re.MULTILINE)
    assert sorted(read) == sorted(listed) == sorted(settings_module.VARIABLES)


# Workers


def test_a_worker_runs_on_each_core_that_the_site_may_use(settings_with: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKERS")
    for cores, workers in (({0}, 1), ({0, 3, 5}, 3), (set(range(999)), 128)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid, cores=cores: cores)
        assert settings_with()["WORKERS"] == workers
    assert settings_with(WORKERS="7")["WORKERS"] == 7


@pytest.mark.parametrize("number", ["0", "-1", "129", "many", "1.5", "٣"])
def test_a_number_of_workers_that_is_none_stops_the_start(settings_with: Any, number: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"WORKERS is '{number}'; it must be a number from 1 to 128"):
        settings_with(WORKERS=number)


@pytest.mark.parametrize("workers", [1, 2, 4, 16, 128])
def test_the_memory_of_pages_is_bounded_for_all_workers_together(settings_with: Any, workers: int) -> None:
    settings = settings_with(WORKERS=str(workers))
    assert 700_000 < settings["PAGE_CACHE_BYTES"] <= 24 * 2**20
    assert settings["PAGE_CACHE_BYTES"] * workers <= 96 * 2**20
