"""Chromium on the served site; whatever a page does wrong on its own account fails the test that opened it."""

import secrets
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from rlm_site.testing.served import Site
from rlm_site.testing.variables import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

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
NO_CHROMIUM = "Chromium is not installed (Debian: apt-get install chromium)"
AXE = ROOT / "rlm_site" / "tests" / "vendor" / "axe.min.js"
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


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
    assert problems == [], problems


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
    """Return what WCAG 2.2 AA and axe's best practices find wrong with the page as it is now."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    # The bar that stays in sight covers what is below it only until somebody scrolls.
    page.evaluate("document.querySelectorAll('.submit-row').forEach((bar) => { bar.style.position = 'static'; })")
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


def sign_in(page: "Page", name: str, password: str) -> None:
    page.goto("/admin/login/?next=/admin/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/admin/")


@pytest.fixture
def editor_login(server: Site) -> "Callable[[Page], None]":
    """`editor_login(page)` signs the page's reader in as the editor that the first start made."""
    return lambda page: sign_in(page, "editor", server.password)


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
        sign_in(page, name, password)
        return name

    return login
