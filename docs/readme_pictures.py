"""Take the pictures of README.md, in Chromium, of a site with its own content.

.venv/bin/python docs/readme_pictures.py [FOLDER]
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rlm_site.testing import databases  # noqa: E402
from rlm_site.testing.browser import CHROMIUM, CHROMIUM_FLAGS, NO_CHROMIUM  # noqa: E402
from rlm_site.testing.served import serving  # noqa: E402

# The tests have a site of their own; here its name is the one that fixtures/site.env gives.
for name in ("SITE_NAME", "SITE_DESCRIPTION", "LICENCE_NAME", "LICENCE_URL", "LICENCE_TERMS"):
    os.environ.pop(name, None)

SECTION = "/russian-liberation-movement/the-allies/"
PICTURES: tuple[tuple[str, str, int, int, Literal["light", "dark"]], ...] = (
    ("front-page.png", "/", 1400, 1500, "light"),
    ("model-page-wide.png", SECTION, 1400, 2300, "light"),
    ("model-page-narrow-dark.png", SECTION, 390, 1300, "dark"),
)


def main(folder: Path) -> None:
    if CHROMIUM is None:
        sys.exit(NO_CHROMIUM)
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name) / 'db.sqlite3'}"
        if failure := databases.fill(url, databases.REAL):
            sys.exit(failure)
        with serving(url, Path(name)) as site, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
            for file, address, width, height, scheme in PICTURES:
                page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                page.goto(site.url + address)
                page.screenshot(path=folder / file)
            browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs")
