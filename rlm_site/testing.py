"""What the tests of all apps share; loaded by pytest as a plugin (see pyproject.toml).

The test database holds the site's own fixtures, so that tests read real content; each test is rolled back. Tests
marked `browser` read the site as it is served: a process of its own, started as `make run` starts it.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.test import Client

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the servers are ended with the tests


# The tests' own settings, whatever the operator's .env says; only a DATABASE_URL given to this very run counts.
os.environ.update(
    SECRET_KEY=secrets.token_urlsafe(50),
    DEBUG="false",
    HOST="127.0.0.1",
    PORT="8000",
    SITE_URL="http://127.0.0.1:8000",
    SITE_NAME="Russian Liberation Movement",
    CONTACT_EMAIL="",
    TRUSTED_PROXIES="",
    TIME_ZONE="UTC",
)
os.environ.setdefault("DATABASE_URL", f"sqlite:///{ROOT / 'var' / 'db.sqlite3'}")
# Playwright keeps an event loop in the thread of the tests, which Django would take for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

FIXTURES = ["tags", "people", "works", "quotes", "references", "articles"]


@pytest.fixture(scope="session", autouse=True)
def content(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any) -> None:
    if not any(item.get_closest_marker("django_db") for item in request.session.items):
        return  # then there is no test database, and the site's own is none of our business
    from rlm_site.indexing import queue

    with django_db_blocker.unblock():
        call_command("loaddata", *FIXTURES, verbosity=0)
        queue.process_queue()


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """Pages name hashed files, as in production."""
    from rlm_site import static_files

    if not static_files.are_collected():
        static_files.collect()


@pytest.fixture
def client() -> Client:
    """A reader: no cookie, the site's own host."""
    return Client(HTTP_HOST="127.0.0.1")


# The site as it is served


@dataclass(frozen=True)
class Site:
    """A running `manage.py serve`."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    database_url: str
    patience: float = 10  # seconds that an asker waits for an answer

    @property
    def password(self) -> str:
        """The editor's, as the first start printed it."""
        lines = self.log.read_text().splitlines()
        return next(line.split()[1] for line in lines if line.startswith("  password"))

    def manage(self, *arguments: str, given: str = "") -> str:
        """What a management command says, in a process of its own over the same database."""
        command = [sys.executable, "manage.py", *arguments]
        where = environment(self.database_url, urlsplit(self.url).port or 0)
        done = subprocess.run(command, cwd=ROOT, env=where, input=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, path: str, form: str = "", **headers: str) -> tuple[int, Message, bytes]:
        """Status, headers and body of the answer as it came: nothing followed, nothing unpacked. A form is posted."""
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=self.patience)
        try:
            if form:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request("POST" if form else "GET", path, form or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(database_url: str, port: int) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": database_url, "PORT": str(port), "SITE_URL": f"http://127.0.0.1:{port}"}


@contextmanager
def serving(database_url: str, folder: Path) -> Iterator[Site]:
    """The site on a free port of loopback until the block ends; what it says is kept in the folder."""
    port = free_port()
    log = folder / f"serve-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env=environment(database_url, port),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    site = Site(f"http://127.0.0.1:{port}", process, log, database_url)
    try:
        _wait_until_healthy(site)
        yield site
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_healthy(site: Site, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if site.process.poll() is not None:
            break
        with suppress(OSError):
            if site.ask("/healthz")[0] == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"the site did not start:\n{site.log.read_text()}")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, static_files: None) -> Iterator[Site]:
    """The site with all its content, on a fresh database of the kind that the tests run on."""
    folder = tmp_path_factory.mktemp("site")
    with _fresh_database(folder) as url, serving(url, folder) as site:
        yield site


@contextmanager
def _fresh_database(folder: Path) -> Iterator[str]:
    url = os.environ["DATABASE_URL"]
    if not url.startswith("postgres"):
        yield f"sqlite:///{folder / 'db.sqlite3'}"
        return
    import psycopg

    name = f"served_in_tests_{secrets.token_hex(4)}"  # several fixtures may have one at a time
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


# The browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NO_CHROMIUM = "no Chromium is installed (Debian: apt-get install chromium)"
AXE = ROOT / "rlm_site" / "tests" / "vendor" / "axe.min.js"
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("browser"):
            if CHROMIUM is None and os.environ.get("CI") != "true":
                item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))
            # A browser that crashed has said nothing of the site: once more, in a new one. Its log stands in the error
            # only then, and not where a page was closed.
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=["(?s)TargetClosedError.*Browser logs:"]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if CHROMIUM is None and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line(f"browser tests skipped: {NO_CHROMIUM}")


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Callable[[], Browser]]":
    """`chromium()` is the browser of all tests; where it has crashed, another one."""
    if CHROMIUM is None:
        pytest.fail(NO_CHROMIUM)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started: list[Browser] = []

        def running() -> "Browser":
            if not started or not started[-1].is_connected():
                started.append(playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS))
            return started[-1]

        yield running
        for browser in started:
            browser.close()


@pytest.fixture
def new_page(chromium: "Callable[[], Browser]", server: Site) -> "Iterator[Callable[..., Page]]":
    """`new_page(width, height, dark=False)` opens a page of the served site in a browser that knows no cookie.

    The test fails when a page logs an error, breaks the Content-Security-Policy or asks another host for anything.
    """
    problems: list[str] = []
    contexts = []

    def make(width: int = 1200, height: int = 900, dark: bool = False, **options: Any) -> "Page":
        context = chromium().new_context(
            base_url=server.url,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        _watch(page, server.url, problems)
        return page

    yield make
    for context in contexts:
        context.close()
    assert problems == []


def _watch(page: "Page", home: str, problems: list[str]) -> None:
    def on_console(message: "ConsoleMessage") -> None:
        # The browser logs an error page that the test asked for as a failed resource; `on_response` knows better.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            problems.append(f"{page.url}: {message.text}")

    def on_request(request: "Request") -> None:
        if not request.url.startswith((f"{home}/", "data:", "blob:", "about:")):
            problems.append(f"{page.url} asks {request.url}")

    def on_response(response: "Response") -> None:
        if response.status >= 400 and not response.request.is_navigation_request():
            problems.append(f"{page.url}: {response.status} for {response.url}")

    page.on("console", on_console)
    page.on("request", on_request)
    page.on("response", on_response)
    page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))


def barriers(page: "Page") -> list[str]:
    """What WCAG 2.2 AA and axe's best practices find wrong with the page as it stands."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate(
        "tags => axe.run({runOnly: tags, preload: false, rules: {'target-size': {enabled: true}}})",
        AXE_TAGS,
    )
    assert found["passes"], "axe saw nothing"
    return [
        f"{violation['id']}: {violation['help']}: {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


@pytest.fixture
def axe() -> "Callable[[Page], list[str]]":
    return barriers


def _sign_in(page: "Page", name: str, password: str) -> None:
    page.goto("/admin/login/?next=/admin/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/admin/")


@pytest.fixture
def editor_login(server: Site) -> "Callable[[Page], None]":
    """`editor_login(page)` signs the page's reader in as the editor that the first start made."""
    return lambda page: _sign_in(page, "editor", server.password)


MEMBER = """
from django.contrib.auth.models import Group, User
user = User.objects.create_user("{name}", password="{password}", is_staff=True)
user.groups.add(Group.objects.get(name="{group}"))
"""


@pytest.fixture
def member_login(server: Site) -> "Callable[[Page, str], str]":
    """`member_login(page, "Authors")` signs the page in with a new account of that group, and returns its name."""

    def login(page: "Page", group: str) -> str:
        name, password = f"{group.lower()}-{secrets.token_hex(4)}", secrets.token_urlsafe(20)
        server.manage("shell", given=MEMBER.format(name=name, password=password, group=group))
        _sign_in(page, name, password)
        return name

    return login
