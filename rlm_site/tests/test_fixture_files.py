"""The files of the content, compressed or not: which they are, in which order, and what is told of damaged ones."""

import gzip
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from quotes.models import Person
from rlm_site.fixture_files import find_file, fixture_files, read

ROW = {"model": "quotes.person", "fields": {"name": "Zora Blax", "slug": "zora-blax"}}


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.FIXTURE_DIRS = [tmp_path]
    return tmp_path


def compressed(path: Path, *rows: object) -> Path:
    path.write_bytes(gzip.compress(json.dumps(rows).encode()))
    return path


def test_what_others_refer_to_comes_first_and_parts_of_a_file_after_it(folder: Path) -> None:
    names = ["articles.json", "quotes-marsh.json", "zebra.json", "quotes.json", "tags.json", "people.json"]
    for name in [*names, "site.env", "quotes-arden.json.gz", "notes.txt", "quotes.json.bak"]:
        (folder / name).touch()
    order = "tags.json people.json quotes.json quotes-arden.json.gz quotes-marsh.json articles.json zebra.json"
    assert [path.name for path in fixture_files()] == order.split()
    assert fixture_files(folder / "nowhere") == []


def test_a_file_is_found_by_its_name_or_path(folder: Path) -> None:
    packed = compressed(folder / "people-more.json.gz", ROW)
    (folder / "tags.json").write_text("[]")
    assert find_file("people-more") == packed == find_file(str(packed))
    assert find_file("tags") == folder / "tags.json"
    assert find_file("nowhere") == Path("nowhere")
    assert json.loads(read(packed)) == [ROW]


@pytest.mark.django_db
def test_a_compressed_file_is_checked_and_loaded(folder: Path) -> None:
    packed = compressed(folder / "people-more.json.gz", ROW)
    said = StringIO()
    call_command("check_content", stdout=said)
    assert said.getvalue() == "1 files, 1 rows: no problems found.\n"
    call_command("loaddata", str(packed), verbosity=0)
    assert Person.objects.get(slug="zora-blax").name == "Zora Blax"


def test_faults_within_a_compressed_file_are_told_with_their_line(folder: Path) -> None:
    packed = folder / "people-more.json.gz"
    packed.write_bytes(gzip.compress(b'[\n{"model": "quotes.person",\n "fields": {"name": "Zora", "slog": "zora"}}\n]'))
    assert "people-more.json.gz:2:" in refusal()


@pytest.mark.parametrize(
    "content", [b"[]", b"", b"\x1f\x8b", gzip.compress(b"[]" * 500, mtime=0)[:-9], b"\x1f\x8b" + b"\x08" * 30]
)
def test_a_damaged_file_is_told_and_stops_nothing_else(folder: Path, content: bytes) -> None:
    (folder / "people-more.json.gz").write_bytes(content)
    told = refusal()
    assert "people-more.json.gz:1: the file " in told
    assert "1 problem in 1 of 1 files." in told


def refusal() -> str:
    said = StringIO()
    with pytest.raises(CommandError) as error:
        call_command("check_content", stdout=said)
    return f"{said.getvalue()}{error.value}"
