"""A file of quotations is refused, mended and imported, in Chromium."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from rlm_site.testing.browser import barriers
from rlm_site.testing.served import Site
from rlm_site.tests.import_files import csv_of

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page

    NewPage = Callable[..., Page]
    Login = Callable[["Page"], None]

pytestmark = pytest.mark.browser

ROWS = [
    {"key": f"browser-{number}", "text": text, "person": person, "auto_pick": "no", "tags": "bread"}
    for number, (text, person) in enumerate(
        [("Okapis browse by night.", ""), ("Gnus gnaw.", "lena-sommer"), ("An emu is no zebra.", "lena-sommer")]
    )
]


def send(page: "Page", *rows: dict[str, str]) -> None:
    file: FilePayload = {"name": "zoo.csv", "mimeType": "text/csv", "buffer": csv_of(*rows)}
    page.get_by_label("File").set_input_files(file)
    if page.get_by_role("option", name="Of Beasts").count():
        page.locator("select[name=collection]").select_option("Of Beasts")
    else:
        page.get_by_label("Name").fill("Of Beasts")
    page.get_by_role("button", name="Preview changes").click()


@pytest.mark.full
def test_a_file_with_three_wrong_rows_is_refused_mended_and_imported(
    new_page: "NewPage", editor_login: "Login", server: Site
) -> None:
    page = new_page()
    editor_login(page)
    page.goto("/admin/quotes/quote/")
    page.get_by_role("link", name="Import…").click()
    found = barriers(page)
    send(page, ROWS[0] | {"text": ""}, ROWS[1] | {"person": "nobody"}, ROWS[2] | {"auto_pick": "maybe"})
    summary = page.get_by_role("alert")
    assert summary.get_by_role("listitem").all_inner_texts() == [
        "Line 2, text: This field cannot be blank.",
        "Line 3, person: There is no person with the slug “nobody”.",
        "Line 4, auto_pick: “maybe” is not valid. Write yes or no.",
    ]
    assert summary.evaluate("summary => summary === document.activeElement")
    found += barriers(page)
    page.goto("/admin/quotes/quote/?q=browser-")
    assert page.get_by_text("Nothing matches.").count() == 1

    page.get_by_role("link", name="Import…").click()
    send(page, *ROWS)
    page.get_by_role("heading", name="zoo.csv").wait_for()
    assert "3 records would be added." in page.locator("#content-main").inner_text()
    found += barriers(page)
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_selector(".success")
    assert "Imported zoo.csv: 3 added, 0 changed, 0 unchanged." in page.locator(".success").inner_text()
    page.goto("/admin/quotes/quote/?q=browser-")
    assert page.locator("#result_list tbody tr").count() == 3

    page.get_by_role("link", name="Import…").click()
    send(page, ROWS[0] | {"text": "Okapis browse by day."})
    page.get_by_role("heading", name="zoo.csv").wait_for()
    assert page.locator("td del").text_content() == "removed: night"
    assert page.locator("td ins").text_content() == "added: day"
    found += barriers(page)
    assert found == []


@pytest.mark.full
@pytest.mark.parametrize(("width", "dark"), [(390, False), (390, True), (1400, True)])
def test_the_pages_of_an_import_have_no_barriers(
    width: int, dark: bool, new_page: "NewPage", editor_login: "Login"
) -> None:
    page = new_page(width, 800, dark)
    editor_login(page)
    page.goto("/admin/quotes/quote/import/")
    found = barriers(page)
    send(page, ROWS[0] | {"key": "seen", "text": "A wholly new saying of the browser."})
    page.get_by_role("button", name="Import", exact=True).wait_for()
    found += barriers(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Choose another file").click()
    send(page, ROWS[0] | {"text": ""})
    page.get_by_role("alert").wait_for()
    found += barriers(page)
    assert found == []


@pytest.mark.full
def test_an_export_is_downloaded(new_page: "NewPage", editor_login: "Login") -> None:
    page = new_page()
    editor_login(page)
    page.goto("/admin/rlm_site/tag/?q=bread")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    assert download.value.suggested_filename.startswith("tags-")
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert text.startswith("name,slug,description,brings_quotations,advises_silence\nbread,bread,")
