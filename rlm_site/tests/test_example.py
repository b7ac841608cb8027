"""The example of docs/content.md: another subject, from its files alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from articles.content_files import find_faults
from rlm_site.fixture_files import fixture_files
from rlm_site.testing.databases import fresh_database
from rlm_site.testing.served import serving
from rlm_site.testing.variables import ROOT, environment

EXAMPLE = ROOT / "docs" / "example"
FILES = fixture_files(EXAMPLE)
LINES = {
    "/the-printed-book/": "containing the word book:",
    "/the-printed-book/paper-and-ink/": "containing the word ink:",
    "/the-printed-book/the-page/": "containing the word page:",
    "/the-printed-book/licensing-and-censorship/": "chosen for this page:",
    "/libraries/": "on the subject of reading:",
    "/libraries/chained-books/": "containing the word books:",
    "/libraries/lending-libraries/": "containing the word library:",
    "/libraries/reading-at-home/": "chosen for this page:",
}


def test_its_files_have_no_fault_and_are_those_that_the_site_reads() -> None:
    assert find_faults(FILES)[1] == []
    assert {path.name for path in EXAMPLE.iterdir()} == {path.name for path in [*FILES, EXAMPLE / "site.env"]}


def test_it_is_as_large_as_the_page_says() -> None:
    rows = [row for path in FILES for row in json.loads(path.read_text())]
    kinds = [row["model"] for row in rows]
    sections = [row for row in rows if "parent" in row["fields"]]
    assert (kinds.count("articles.article") - len(sections), len(sections)) == (2, 6)
    assert [kinds.count(f"quotes.{kind}") for kind in ("quote", "person")] == [12, 5]
    assert kinds.count("articles.reference") == 4


@pytest.mark.full
def test_an_empty_site_that_loads_it_shows_every_page(tmp_path: Path) -> None:
    with fresh_database(tmp_path) as url:
        command = [sys.executable, "-m", "rlm_site.testing.fill", *map(str, FILES)]
        subprocess.run(command, cwd=ROOT, env=environment(url, 8000), check=True, timeout=120)
        with serving(url, tmp_path) as site:
            for address, line in LINES.items():
                status, _headers, page = site.ask(address)
                assert (status, f"Famous quotes {line}" in page.decode()) == (200, True), address
            everything = "".join(site.ask(f"/{name}/")[2].decode() for name in ("quotes/people", "references", "tags"))
            for words in ("Milton", "Sheridan", "The Care of Books", "Papermaking", "reading"):
                assert words in everything
            assert b"/libraries/chained-books/" in site.ask("/search/?q=chained")[2]
