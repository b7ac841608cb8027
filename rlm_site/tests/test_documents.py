"""What the documents name is there: files, commands, targets and fields."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import get_commands

from rlm_site.testing.variables import ROOT
from rlm_site.tests.test_house_rules import FLOORS

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("**/tests/**/README.md")])
NOT_IN_THE_REPOSITORY = ("var", ".env", ".venv", "locale")


def names(pattern: str) -> list[Any]:
    """Return what the pattern finds in documents, each with its place."""
    found = [
        pytest.param(match[1], path, id=f"{path.relative_to(ROOT)}:{match[1]}")
        for path in DOCUMENTS
        for match in re.finditer(pattern, path.read_text())
    ]
    return list({parameter.id: parameter for parameter in found}.values())


def test_the_documents_are_found() -> None:
    written = {path.relative_to(ROOT).as_posix() for path in DOCUMENTS}
    assert written > {"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/operating.md"}


@pytest.mark.parametrize(("link", "document"), names(r"\]\((?!https?:|mailto:|#)([^)#]+)(?:#[^)]*)?\)"))
def test_a_link_leads_to_a_file(link: str, document: Path) -> None:
    assert (document.parent / link).exists()


@pytest.mark.parametrize(
    ("name", "document"),
    names(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|json|toml|yaml|yml|html|css|js|md|txt))`"),
)
def test_a_file_that_is_named_is_there(name: str, document: Path) -> None:
    if name.split("/")[0] not in NOT_IN_THE_REPOSITORY and document.name != "CHANGELOG.md":
        folders = (ROOT / folder for folder in ("rlm_site", "articles", "quotes", "fixtures"))
        places = [ROOT, *folders, document.parent, document.parent.parent]
        assert any((place / name).exists() for place in places)


@pytest.mark.parametrize(("command", "_document"), names(r"manage\.py ([a-z_]+)"))
def test_a_command_that_is_named_is_there(command: str, _document: Path) -> None:
    assert command in get_commands()


@pytest.mark.parametrize(("target", "_document"), names(r"(?m)(?:`|^)make ([a-z-]+)"))
def test_a_target_that_is_named_is_there(target: str, _document: Path) -> None:
    assert re.search(rf"(?m)^{target}:", (ROOT / "Makefile").read_text())


def test_docs_content_names_every_field_of_every_record() -> None:
    text = (ROOT / "docs/content.md").read_text()
    written = {}
    for part in re.split(r"(?m)^### ", text)[1:]:
        label = re.match(r"`([a-z_.]+)`", part)
        table = re.split(r"(?m)^#", part)[0]
        if label:
            firsts = re.findall(r"(?m)^\| (`[^|]*) \|", table)
            written[label[1]] = {name for first in firsts for name in re.findall(r"`(\w+)`", first)}
    fields = {
        label: {field.name for field in apps.get_model(label)._meta.concrete_fields} - {"id", "folded"}
        for label in written
    }
    assert len(fields) == 14
    assert written == fields


def test_docs_editing_says_what_the_screen_says() -> None:
    text = " ".join((ROOT / "docs/editing.md").read_text().split())
    said = {words for words in re.findall(r"\*\*([^*]+)\*\*", text) if words != "bold" and not words.endswith(".")}
    assert len(said) > 20
    sources = [path for app in ("templates", "rlm_site", "articles", "quotes") for path in (ROOT / app).rglob("*.*")]
    screen = "\n".join(
        path.read_text() for path in sources if path.suffix in {".py", ".html"} and "tests" not in path.parts
    )
    assert [words for words in said if not re.search(rf"[\"'>]{re.escape(words)}[\"'<]", screen)] == []


@pytest.mark.browser
@pytest.mark.full
def test_the_pictures_can_be_taken_again(tmp_path: Path) -> None:
    command = [sys.executable, "docs/pictures.py", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=300)
    written = set(re.findall(r"\(pictures/([\w.]+)\)", (ROOT / "docs/editing.md").read_text()))
    stored = {path.name for path in (ROOT / "docs" / "pictures").iterdir()}
    assert {path.name for path in tmp_path.iterdir()} == written == stored


def test_every_release_has_its_commit_and_the_databases_of_it() -> None:
    releases = re.findall(r"(?ms)^## (\d+\.\d+\.\d+) .*?commit `([0-9a-f]{7})`", (ROOT / "CHANGELOG.md").read_text())
    assert "1.0.0" in dict(releases)
    stored = ROOT / "rlm_site" / "tests" / "databases"
    wanted = {f"{commit}.{kind}.xz" for _version, commit in releases for kind in ("sqlite3", "postgresql.sql")}
    assert wanted <= {path.name for path in stored.iterdir()}


@pytest.mark.parametrize("name", ["README.md", "docs/architecture.md"])
def test_the_rule_of_imports_is_written_as_it_is_tested(name: str) -> None:
    line = re.search(r"(?m)^> (text → .*)$", (ROOT / name).read_text())
    assert line
    written = [set(floor.split(", ")) for floor in line[1].split(" → ")]
    tested = [{package.removeprefix("rlm_site.") for package in floor} for floor in FLOORS]
    assert len(written) == len(tested)
    assert [floor for floor, whole in zip(written, tested, strict=True) if not floor <= whole] == []
