"""`manage.py check_content`: every fault of files with content in a line, before anything is loaded."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from articles.models import Article
from quotes.models import Quote
from rlm_site.fixture_files import fixture_files
from rlm_site.management.commands import serve
from rlm_site.testing.databases import FOLDERS, OWN

Row = dict[str, Any]


class Files:
    """A copy of the tests' content, to be spoilt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for path in fixture_files(FOLDERS[OWN]):
            (folder / path.name).write_bytes(path.read_bytes())

    def rows(self, name: str) -> list[Row]:
        return json.loads((self.folder / f"{name}.json").read_text())

    def write(self, name: str, rows: list[Any]) -> None:
        (self.folder / f"{name}.json").write_text(json.dumps(rows, indent=1))

    def change(self, name: str, number: int, /, **fields: Any) -> None:
        rows = self.rows(name)
        rows[number]["fields"] |= fields
        self.write(name, rows)

    def add(self, name: str, model: str, /, **fields: Any) -> None:
        self.write(name, [*self.rows(name), {"model": model, "fields": fields}])

    def check(self) -> list[str]:
        """Return what the command says of them."""
        said = StringIO()
        with pytest.raises(CommandError):
            call_command("check_content", *map(str, sorted(self.folder.glob("*.json"))), stdout=said)
        return [line.removeprefix(f"{self.folder}/") for line in said.getvalue().splitlines()]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_the_tests_own_content_has_no_fault_and_no_database_is_asked() -> None:
    said = StringIO()
    call_command("check_content", *map(str, fixture_files(FOLDERS[OWN])), stdout=said)
    assert said.getvalue() == "6 files, 108 rows: no problems found.\n"


@pytest.mark.content
def test_the_content_has_no_fault() -> None:
    said = StringIO()
    call_command("check_content", stdout=said)
    assert said.getvalue().endswith(" no problems found.\n")


def test_an_address_that_two_have_is_named_with_both_places(files: Files) -> None:
    files.add("articles", "articles.article", title="Another", slug="the-source", parent=["", "yarle-valley"])
    [line] = files.check()
    assert line.startswith("articles.json:")
    assert "article “yarle-valley/the-source”: " in line
    assert "articles.json:12 is the same row" in line


@pytest.mark.parametrize(
    ("name", "number", "fields", "told"),
    [
        ("quotes", 0, {"status": "sure"}, ["status: ", "sure", "Use one of: verified, reported,"]),
        ("quotes", 0, {"text": " "}, ["text: "]),
        ("quotes", 0, {"text": "one\ntw\x07o"}, ["text: Line 2, character 3 is U+0007", "follows “tw”"]),
        ("quotes", 0, {"year_said": 0}, ["year_said: There is no year 0"]),
        ("quotes", 0, {"colour": "red"}, ["colour: unknown field."]),
        ("quotes", 0, {"statu": "reported"}, ["Did you mean “status”?"]),
        ("quotes", 0, {"person": ["vera-march"]}, ["person: there is no person", "Did you mean “vera-marsh”?"]),
        ("quotes", 0, {"person": None, "status": "misattributed"}, ["status: A misattributed quotation needs"]),
        ("quotes", 0, {"publish_at": "2026-02-02", "retire_at": "2026-01-01"}, ["retire_at: “Public until” must be"]),
        ("people", 0, {"died": 1700}, ["died: The year of death is before"]),
        ("people", 0, {"aliases": "Vera"}, ["aliases: Enter a list."]),
        ("references", 0, {"url": "javascript:alert(1)"}, ["url: "]),
        ("tags", 0, {"name": 'br"ead'}, ["tag “br\"ead”: A tag cannot contain straight quotation marks"]),
        ("articles", 0, {"title": "x" * 201}, ["title: ", "at most 200 characters"]),
        ("articles", 0, {"title": "…"}, ["title: Enter a title with at least one letter"]),
        ("articles", 1, {"body": "Two.\n[@arden-1978]"}, ["body, line 2: it cites", "Did you mean “arden-1987”?"]),
        ("articles", 1, {"body": "[[The Milers]]"}, ["body, line 1: [[The Milers]] does not lead to a page."]),
        ("articles", 1, {"body": "One.\n\n![A tank](x.jpg)"}, ["body, line 3: Images are not shown", ": ![A tank]"]),
        ("articles", 1, {"body": "One[^x]"}, ["yarle-valley/", "body, line 1: This note has no text", "[^x]"]),
        ("articles", 1, {"body": "## One\n" * 600}, ["body: The text has 600 headings; at most 500 are allowed"]),
        ("articles", 1, {"title": "F#m"}, ["title: Links such as [[Title]] cannot find this page"]),
        ("articles", 1, {"body": None}, ["body: null is not allowed"]),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_row_field_and_remedy(
    files: Files, name: str, number: int, fields: Row, told: list[str]
) -> None:
    files.change(name, number, **fields)
    lines = [line for line in files.check() if line.startswith(f"{name}.json:")]
    assert any(all(words in line for words in told) for line in lines), lines


def test_keys_of_references_that_differ_in_capitals_alone_are_refused(files: Files) -> None:
    files.add("references", "articles.reference", key="Arden-1987", title="Quagga")
    [line] = files.check()
    assert "reference “Arden-1987”, key: " in line
    assert "references.json:2 differs only in capitals, which citations ignore; choose another key." in line


def test_a_reserved_address_is_refused(files: Files) -> None:
    files.add("articles", "articles.article", title="Search", slug="search")
    [line] = files.check()
    assert "article “search”, slug: “search” is reserved for the site itself. Choose another slug" in line


def test_a_section_has_no_sections(files: Files) -> None:
    rows = files.rows("articles")
    rows[1]["pk"] = 77
    rows.append({"model": "articles.article", "fields": {"title": "Deep", "parent": 77}})
    files.write("articles", rows)
    [line] = files.check()
    assert "parent: Choose a topic. A section cannot have sections of its own." in line


def test_what_follows_from_a_fault_is_not_told(files: Files) -> None:
    """The checks and tags of a quotation are not missing because its person is."""
    files.change("quotes", 0, person=["nobody"])
    assert len(files.check()) == 1


def test_every_fault_is_told_at_once(files: Files) -> None:
    files.change("quotes", 0, status="sure", year_said=99999)
    files.change("quotes", 1, language="x" * 13)
    files.change("people", 0, name="")
    assert len(files.check()) == 4


def test_a_file_that_is_no_json_is_named_with_line_and_column(files: Files) -> None:
    (files.folder / "tags.json").write_text('[\n {"model": "rlm_site.tag",}\n]')
    assert files.check() == [
        "tags.json:2: the file is not valid JSON: expecting property name enclosed in double quotes at column 27."
    ]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (5, "a row must be an object with “model” and “fields”."),
        ({"model": "rlm_site.tags", "fields": {}}, "there is no model “rlm_site.tags”. Did you mean “rlm_site.tag”?"),
        ({"model": "articles.article", "fields": [], "pk": 1}, "a row must be an object with “model” and “fields”."),
    ],
)  # fmt: skip
def test_what_is_no_row_is_named(files: Files, row: Any, told: str) -> None:
    files.write("works", [*files.rows("works"), row])
    assert [line.split(": ", 1)[1] for line in files.check()] == [told]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = StringIO()
    with pytest.raises(CommandError, match=r"1 problem in 1 of 1 files"):
        call_command("check_content", str(tmp_path / "none.json"), stdout=said)
    assert "cannot be read: No such file or directory" in said.getvalue()


@pytest.mark.django_db
def test_a_start_loads_nothing_where_anything_is_wrong(files: Files, settings: Any) -> None:
    settings.FIXTURE_DIRS = [files.folder]
    Article.objects.all().delete()
    Quote.objects.all().delete()
    files.change("articles", 0, quotations="many")
    said = StringIO()
    with pytest.raises(CommandError, match=r"^1 problem in 1 of 6 files\.$"):
        serve.Command(stdout=said).load_content()
    assert "articles.json:2: article “yarle-valley”, quotations: " in said.getvalue()
    assert not Article.objects.exists()
    files.change("articles", 0, quotations="none")
    serve.Command(stdout=said).load_content()
    assert Article.objects.count() == 15
