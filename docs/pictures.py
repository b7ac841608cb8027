"""Take the pictures of docs/editing.md, in Chromium, of a site with the content of the tests.

.venv/bin/python docs/pictures.py [FOLDER]
"""

import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, FloatRect, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rlm_site.testing import databases  # noqa: E402
from rlm_site.testing.browser import CHROMIUM, CHROMIUM_FLAGS, MEMBER, NO_CHROMIUM, sign_in  # noqa: E402
from rlm_site.testing.served import Site, serving  # noqa: E402

EDIT = "/admin/articles/article/"
SIZE: ViewportSize = {"width": 1400, "height": 800}
SHOWN: FloatRect = {"x": 0, "y": 0, "width": 1200, "height": 720}  # of a page; the rest is empty
FIRST_WORDS = "In the spring of 1845"


def main(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    if CHROMIUM is None:
        sys.exit(NO_CHROMIUM)
    with _site() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        _take(folder, site, browser)
        browser.close()


@contextmanager
def _site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'db.sqlite3'}"
        if failure := databases.fill(url, databases.OWN):
            sys.exit(failure)
        with serving(url, folder) as site:
            yield site


def _take(folder: Path, site: Site, browser: Browser) -> None:
    vera = _member(site, browser, "vera", "Editors")
    _open(vera, "Low Water")
    _type(vera, "In a dry summer", "In every dry summer")
    vera.click("[name=_continue]")
    vera.click("[name=_review]")
    vera.click("[type=submit].default")
    lena, paul = (_member(site, browser, name, "Publishers") for name in ("lena", "paul"))
    _shoot(lena, "/admin/", folder / "dashboard.png")

    for page in (lena, paul):
        _open(page, "The Millers")
    _shoot(lena, "", folder / "writing.png")
    lena.click("#quotations > summary")
    lena.set_viewport_size({"width": 1400, "height": 1600})
    _shoot(lena, "", folder / "quotations.png", "#quotations")
    lena.set_viewport_size(SIZE)

    _type(paul, FIRST_WORDS, "In the wet spring of 1845")
    paul.click("[name=_continue]")
    _type(lena, FIRST_WORDS, "In the early spring of 1845")
    lena.click("[name=_continue]")
    _shoot(lena, "", folder / "conflict.png")

    _open(paul, "The Millers")
    paul.click("[name=_publish]")
    _shoot(paul, "", folder / "publishing.png")


def _open(page: Page, title: str) -> None:
    page.goto(f"{EDIT}?q={title}")
    page.click(f"#result_list a:text-is('{title}')")
    page.wait_for_load_state("networkidle")


def _type(page: Page, old: str, new: str) -> None:
    text = page.input_value("#id_body")
    page.fill("#id_body", text.replace(old, new) if old in text else f"{new}. {text}")


def _member(site: Site, browser: Browser, name: str, group: str) -> Page:
    """Return a page of somebody who has signed in."""
    password = secrets.token_urlsafe(20)
    site.manage("shell", given=MEMBER.format(name=name, password=password, group=group))
    page = browser.new_page(base_url=site.url, viewport=SIZE)
    sign_in(page, name, password)
    return page


def _shoot(page: Page, address: str, path: Path, part: str = "") -> None:
    if address:
        page.goto(address)
    page.wait_for_load_state("networkidle")
    page.wait_for_selector("[aria-busy]", state="detached")
    if part:
        page.locator(part).screenshot(path=path, animations="disabled")
    else:
        page.screenshot(path=path, animations="disabled", clip=SHOWN)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures")
