"""`manage.py export_quotes`: everything, in a form that makes the same content and the same bytes again."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from quotes import exporting
from quotes.models import Check, IndexTerm, Person, Quote, QuoteWord, TaggedQuote, Work
from rlm_site.indexing import queue
from rlm_site.indexing.models import Stale
from rlm_site.search.models import SearchDocument
from rlm_site.tags.models import Tag

pytestmark = pytest.mark.django_db


def exported(path: Path) -> bytes:
    call_command("export_quotes", str(path), stdout=StringIO())
    return path.read_bytes()


def remove_all_quotations() -> None:
    Quote.objects.update(true_source=None, version_of=None)
    Quote.objects.all().delete()
    for model in (Work, Person):
        model.objects.all().delete()
    queue.process_queue()
    assert not QuoteWord.objects.exists()


def index() -> set[tuple[str, str, int, bool]]:
    """Return the word index by keys and words; a tag counts by its name, whatever its id."""
    tags = {f"#{pk}": f"#{name}" for pk, name in Tag.objects.values_list("pk", "name")}
    rows = QuoteWord.objects.values_list("quote__key", "word__text", "rank", "contained")
    return {(key, tags.get(word, word), rank, contained) for key, word, rank, contained in rows}


def test_export_import_into_an_empty_site_and_export_give_the_same_bytes(tmp_path: Path) -> None:
    Quote.objects.filter(key="heraclitus-twice-into-the-same-river").update(
        publish_at="2030-01-01T00:00:00.25Z", retired_to="/quotes/", year_said=-440, name_as_printed="Heráclitus"
    )
    queue.process_queue()
    first = exported(tmp_path / "first.jsonl")
    indexed, documents = index(), SearchDocument.objects.filter(source="quote").count()
    remove_all_quotations()
    call_command("import_quotes", str(tmp_path / "first.jsonl"), stdout=StringIO())
    assert exported(tmp_path / "second.jsonl") == first
    assert index() == indexed
    assert SearchDocument.objects.filter(source="quote").count() == documents
    assert not Stale.objects.exists()


def test_the_export_holds_every_row_of_the_site(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in exported(tmp_path / "all.jsonl").decode().splitlines()]
    assert [row["key"] for row in rows] == sorted(Quote.objects.values_list("key", flat=True))
    assert sum(len(row["tags"]) for row in rows) == TaggedQuote.objects.count()
    assert sum(len(row["index_terms"]) for row in rows) == IndexTerm.objects.count()
    assert sum(len(row["checks"]) for row in rows) == Check.objects.count()
    by_key = {row["key"]: row for row in rows}
    garland = by_key["garland-weights-and-measures"]
    assert garland["person"]["name"] == "Mrs. Edmund T. Garland"
    assert (garland["quoted_in"]["title"], garland["quoted_in_locator"]) == (
        "History of the Yarle Mills",
        "vol. 5, ch. 8",
    )
    assert by_key["ecclesiastes-cast-thy-bread"]["index_terms"][0]["word"] == "bread"
    assert {row["true_source"] for row in rows} == {"", "marsh-a-river-reads-no-map"}


def test_no_field_of_a_quotation_is_forgotten() -> None:
    quote = Quote.objects.select_related("person", "work", "quoted_in").first()
    assert quote
    of_this_site = {"id", "owner"}
    assert {field.name for field in Quote._meta.concrete_fields} - of_this_site <= exporting.row_of(quote).keys()
    for model, row in ((Person, exporting.row_of(quote)["person"]), (Work, exporting.row_of(quote)["quoted_in"])):
        assert {field.name for field in model._meta.concrete_fields} - {"id"} == row.keys()


def test_without_a_file_the_output_gets_the_lines() -> None:
    output = StringIO()
    call_command("export_quotes", stdout=output)
    assert output.getvalue() == "".join(f"{line}\n" for line in exporting.lines())


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_quotes", str(tmp_path / "nowhere" / "all.jsonl"))


def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "all.jsonl"
    path.write_text("old\n")

    def fails(quote: Quote) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(exporting, "row_of", fails)
    with pytest.raises(KeyboardInterrupt):
        exported(path)
    assert [file.name for file in tmp_path.iterdir()] == ["all.jsonl"]
    assert path.read_text() == "old\n"
