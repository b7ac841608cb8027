"""Draw static/img/card.png, the picture of a shared link, in Chromium: the mark alone, so that it suits any subject.

.venv/bin/python docs/card.py [FILE]
"""

import sys
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rlm_site.testing.browser import CHROMIUM, CHROMIUM_FLAGS, NO_CHROMIUM  # noqa: E402

SIZE: ViewportSize = {"width": 1200, "height": 630}
TOKENS = ROOT / "static" / "css" / "tokens.css"
# The hairline of the header across the page, and the dot where the text begins.
CARD = """
<style>{tokens}
body {{ margin: 0; background: var(--paper) }}
path {{ stroke: var(--link); stroke-width: 4px }}
circle {{ fill: var(--link) }}
</style>
<svg width="1200" height="630"><path d="M0 316h1200"/><circle cx="412" cy="316" r="58"/></svg>
"""


def main(file: Path) -> None:
    if CHROMIUM is None:
        sys.exit(NO_CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.set_content(CARD.format(tokens=TOKENS.read_text()))
        page.screenshot(path=file)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "static" / "img" / "card.png")
