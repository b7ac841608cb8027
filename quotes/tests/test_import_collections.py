"""An import belongs to one collection, leaves those of others alone, and says what became of its quotations."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from quotes.importing import importer
from quotes.models import Collection, Person, Quote, Work

pytestmark = pytest.mark.django_db

ROW = {"text": "The quagga grazes where the wombat digs.", "author": "Ambrose Quill"}
OTHER = {"text": "A numbat naps at noon.", "author": "Ambrose Quill"}
NEW = ("--collection", "beasts", "--name", "Of Beasts")

Command = Callable[..., str]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """`command(rows, *options)` returns what the import of these rows prints."""

    def run(rows: list[dict[str, Any]], *options: str, name: str = "new.jsonl") -> str:
        path = tmp_path / name
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        output = StringIO()
        call_command("import_quotes", str(path), *options, stdout=output)
        return output.getvalue()

    return run


def error_of(command: Command, *arguments: Any) -> str:
    before = (Quote.objects.count(), Collection.objects.count())
    with pytest.raises(CommandError) as caught:
        command(*arguments)
    assert (Quote.objects.count(), Collection.objects.count()) == before
    return str(caught.value)


def the(text: str) -> Quote:
    return Quote.objects.get(text__startswith=text)


# Which collection


def test_a_file_without_a_collection_is_refused_with_the_remedy(command: Command) -> None:
    told = error_of(command, [ROW, OTHER])
    assert "line 1: names no collection. Say which one the file belongs to: --collection SLUG" in told
    assert told.endswith("Nothing was written.")


def test_a_collection_that_is_not_there_is_named_with_those_that_are(command: Command) -> None:
    Collection.objects.create(name="Familiar Quotations", slug="bartlett")
    told = error_of(command, [ROW], "--collection", "beasts")
    assert "there is no collection “beasts”. Give its --name too, and it is added. On the site: bartlett." in told
    assert "Name it: --collection SLUG" in error_of(command, [ROW], "--name", "Of Beasts")
    assert "url: Enter a valid URL." in error_of(command, [ROW], *NEW, "--url", "nowhere")


def test_a_new_collection_is_made_with_the_import(command: Command) -> None:
    details = {"source": "A book.", "url": "https://example.org/b", "licence": "public domain", "trust": "printed"}
    options = [word for name, value in details.items() for word in (f"--{name}", value)]
    assert "Dry run" in command([ROW], *NEW, *options, "--dry-run")
    assert not Collection.objects.exists()
    command([ROW], *NEW, *options)
    collection = Collection.objects.get()
    assert (collection.slug, collection.name, collection.register) == ("beasts", "Of Beasts", "serious")
    assert {name: getattr(collection, name) for name in details} == details
    assert the("The quagga").collection == collection
    assert not the("The quagga").revisions.exists()  # the history of a new one is its import
    command([OTHER], *NEW, *options)  # the same words again are no other collection
    assert collection.quotes.count() == 2
    told = error_of(command, [OTHER], *NEW, "--licence", "CC0")
    assert "its licence is “public domain”, not “CC0”. Change it in the admin, or leave it out here." in told


@pytest.mark.parametrize(
    ("options", "policy"),
    [
        ((), "automatic"),
        (("--register", "light"), "pinned"),
        (("--register", "light", "--policy", "automatic"), "automatic"),
        (("--policy", "pinned"), "pinned"),
    ],
)
def test_a_light_collection_is_pinned_unless_somebody_decides_otherwise(
    command: Command, options: tuple[str, ...], policy: str
) -> None:
    command([ROW], *NEW, *options)
    assert Collection.objects.get().pick_policy == policy


def test_a_row_may_name_its_collection_by_slug_or_describe_it(command: Command) -> None:
    described = {"slug": "beasts", "name": "Of Beasts", "register": "light"}
    command([{**OTHER, "collection": "beasts"}, {**ROW, "collection": described}])
    beasts = Collection.objects.get()
    assert (beasts.pick_policy, beasts.quotes.count()) == ("pinned", 2)
    command([{"text": "Nobody said this.", "key": "none", "collection": None}])
    assert Quote.objects.get(key="none").collection is None


def test_a_csv_file_names_it_in_a_cell(tmp_path: Path) -> None:
    Collection.objects.create(slug="beasts", name="Of Beasts")
    path = tmp_path / "new.csv"
    cell = '"{""slug"": ""birds"", ""name"": ""Of Birds""}"'
    path.write_text(f"text,author,collection\nA numbat naps.,Quill,beasts\nEmus run at dawn.,Quill,{cell}\n")
    call_command("import_quotes", str(path), stdout=StringIO())
    assert [str(quote.collection) for quote in (the("A numbat"), the("Emus"))] == ["Of Beasts", "Of Birds"]


@pytest.mark.parametrize(
    ("collection", "told"),
    [
        ("birds", "field collection: there is no collection “birds”; give its name too"),
        ("no slug", "field collection.slug: “no slug” is not a slug"),
        (7, "field collection: “7” is not an object"),
        ({"name": "x"}, "field collection.slug: is missing or empty."),
        ({"slug": "x", "name": "x", "register": "gay"}, "field collection.register: “gay” is not allowed; use one of"),
        ({"slug": "x", "name": "x", "colour": "red"}, "field collection.colour: unknown field"),
        ({"slug": "x", "name": "x", "url": "javascript:x"}, "does not begin with https:// or http://"),
        ({"slug": "x", "name": "x" * 201}, "field collection.name: has 201 characters; at most 200 are allowed."),
    ],
)
def test_a_row_with_a_wrong_collection_is_refused(command: Command, collection: Any, told: str) -> None:
    assert told in error_of(command, [{**ROW, "collection": collection}])


def test_rows_that_contradict_each_other_or_the_command_are_refused(command: Command) -> None:
    both = [{**row, "collection": {"slug": "x", "name": name}} for row, name in ((ROW, "X"), (OTHER, "Y"))]
    assert "line 2, field collection: “x” is described differently on line 1" in error_of(command, both)
    told = error_of(command, [{**ROW, "collection": "birds"}], *NEW)
    assert "“birds” is not the collection of this import, “beasts”; leave out --collection, or the field." in told


def test_an_import_never_changes_a_collection_that_is_there(command: Command) -> None:
    Collection.objects.create(slug="beasts", name="Of Beasts", register="light", pick_policy="pinned")
    described = {"slug": "beasts", "name": "Of Beasts", "pick_policy": "automatic"}
    report = command([{**ROW, "collection": described}])
    assert Collection.objects.get().pick_policy == "pinned"
    assert "Described differently in the file, and left unchanged:\n  the collection “Of Beasts”" in report


# What belongs to others


@pytest.fixture
def birds(command: Command) -> Collection:
    """Return another collection, with one quotation by its key, one without, and a person and a work of its own."""
    rows = [
        {
            "key": "emu",
            "text": "An emu runs where no owl flies.",
            "locator": "p. 1",
            "person": {"slug": "ann-quill", "name": "Ann Quill", "born": 1801},
            "work": {"title": "Birds", "kind": "poem"},
        },
        {"text": "Seven herons are company enough.", "author": "Bea Quill"},
    ]
    command(rows, "--collection", "birds", "--name", "Of Birds")
    return Collection.objects.get(slug="birds")


def everything_of(collection: Collection) -> list[Any]:
    ids = collection.quotes.order_by("pk").values()
    return [*ids, *Person.objects.order_by("pk").values(), *Work.objects.order_by("pk").values()]


def test_a_second_collection_changes_nothing_of_the_first(command: Command, birds: Collection) -> None:
    before = everything_of(birds)
    report = command(
        [
            {"key": "emu", "text": "An emu runs.", "locator": "p. 2"},  # a key that is given
            {
                "text": "Seven herons are company enough.",
                "author": "Bea Quill",
                "locator": "p. 3",
            },  # and one that is not
            {"text": "“An emu runs where no owl flies!”", "author": "Somebody Else"},  # the same quotation
            {"key": "owl", "text": "The owl is late.", "person": {"slug": "ann-quill", "name": "Anna Q."}},
            {"key": "gull", "text": "A gull is never alone.", "work": {"title": "Birds", "kind": "book"}},
        ],
        *NEW,
    )
    assert [row for row in everything_of(birds) if row in before] == before
    for told in (
        "       2 added\n",
        "       2 of another collection, left unchanged\n",
        "       1 duplicates, not added\n",
        "In another collection and left unchanged; --take-over changes them too:\n  line 1: emu: in the collection",
        "line 3: same quotation as emu (same words; in the collection “Of Birds”)",
        "  “Ann Quill”, which other collections use too",
        "  “Birds”, which other collections use too",
    ):
        assert told in report, told
    assert Person.objects.get(slug="ann-quill").name == "Ann Quill"


def test_what_belongs_to_others_is_taken_over_only_in_words(command: Command, birds: Collection) -> None:
    row = {"key": "emu", "text": "An emu runs.", "person": {"slug": "ann-quill", "name": "Anna Q."}}
    report = command([row], *NEW, "--take-over")
    assert "1 changed" in report
    emu = Quote.objects.get(key="emu")
    assert (emu.text, str(emu.person), str(emu.collection)) == ("An emu runs.", "Anna Q.", "Of Beasts")
    assert birds.quotes.count() == 1
    assert emu.revisions.first().content["collection"] == emu.collection_id
    assert "1 unchanged" in command([row], *NEW)


def test_what_is_in_no_collection_is_another_collections_too(command: Command) -> None:
    quote = Quote.objects.get(key="sommer-honest-men")
    row = {"key": quote.key, "text": "Millers are men."}
    assert "line 1: sommer-honest-men: in no collection" in command([row], *NEW)
    quote.refresh_from_db()
    assert (quote.text == "Millers are men.", quote.collection) == (False, None)
    assert "1 changed" in command([{**row, "collection": None}])
    command([row], *NEW, "--take-over")
    assert str(Quote.objects.get(key=quote.key).collection) == "Of Beasts"


# The status


@pytest.mark.parametrize(
    ("trust", "status"), [("checked", "reported"), ("printed", "reported"), ("unchecked", "unverified")]
)
def test_rows_without_a_status_have_that_of_their_collection(command: Command, trust: str, status: str) -> None:
    rows = [ROW, {**OTHER, "status": "disputed"}]
    report = command(rows, *NEW, "--trust", trust)
    assert [the("The quagga").status, the("A numbat").status] == [status, "disputed"]
    assert f"       1 added as {status}, by the trust in the collection “Of Beasts”\n" in report
    assert "       1 added as disputed, in their rows\n" in report


def test_what_was_asked_of_the_status_is_told_beside_what_was_written_and_kept(command: Command) -> None:
    third = {"text": "Okapis are shy.", "tags": ["check-two-passages"], "author": ""}
    command([OTHER], *NEW)
    report = command([ROW, OTHER, third, {"text": "Gnus gnaw.", "status": "disputed"}], *NEW, "--status", "reported")
    assert "       2 added as reported, by --status reported\n" in report
    assert "       1 added as disputed, in their rows\n" in report
    assert "       1 on the site before keep their status; --status is for new quotations\n" in report
    assert "marked for checking in the file\n" in report
    assert [the(text).status for text in ("The quagga", "A numbat", "Okapis")] == ["reported", "unverified", "reported"]


# What may be picked


def test_the_report_says_how_many_may_be_picked_and_why_not_the_others(command: Command) -> None:
    rows = [
        ROW,
        {**OTHER, "status": "disputed"},
        {"text": "Okapis are shy.", "published": False},
        {"text": "Gnus gnaw at dawn.", "auto_pick": False},
    ]
    report = command(rows, *NEW, "--trust", "printed", "--auto-pick")
    assert "       1 of the 4 written may be picked by the site\nThe other 3 may not:\n" in report
    for told in (
        "1: The status is “disputed”",
        "1: Readers cannot see them now.",
        "1: “May be picked by the site” is off.",
    ):
        assert f"  {told}" in report, told
    assert set(Quote.objects.pickable(timezone.now()).filter(collection__slug="beasts")) == {the("The quagga")}


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--trust", "printed"), "“May be picked by the site” is off. Import new quotations with “auto-pick”"),
        (("--auto-pick",), "The status is “unverified”, and the site picks only verified and reported quotations."),
        (
            ("--auto-pick", "--trust", "printed", "--register", "light"),
            "The collection “Of Beasts” is shown only where",
        ),
    ],
)
@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)])
def test_no_import_is_silently_never_picked(
    command: Command, options: tuple[str, ...], why: str, dry_run: tuple[str, ...]
) -> None:
    report = command([ROW, OTHER], *NEW, *options, *dry_run)
    assert "       0 of the 2 written may be picked by the site\nThe other 2 may not:\n" in report
    assert f"  2: {why}" in report
    assert not Quote.objects.pickable(timezone.now()).filter(collection__slug="beasts").exists()


def test_the_option_does_what_it_says(command: Command) -> None:
    report = command([ROW, OTHER], *NEW, "--trust", "printed", "--auto-pick")
    assert "       2 of the 2 written may be picked by the site\n" in report
    assert "may not:" not in report
    assert Quote.objects.pickable(timezone.now()).filter(collection__slug="beasts").count() == 2


def test_the_option_says_that_it_changes_nothing_that_was_there(command: Command) -> None:
    command([ROW], *NEW, "--trust", "printed")
    report = command([ROW], *NEW, "--auto-pick")
    assert "--auto-pick is for new quotations; 1 were on the site before." in report
    assert not the("The quagga").auto_pick
    command([{**ROW, "auto_pick": True}], *NEW)
    assert the("The quagga").auto_pick


# Export


def test_an_export_names_the_collections_and_an_import_makes_them_again(command: Command, tmp_path: Path) -> None:
    options = ("--register", "light", "--trust", "checked", "--url", "https://example.org/", "--source", "Two\nlines.")
    command([ROW], *NEW, *options)
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    call_command("export_quotes", str(first), stdout=StringIO())
    assert len(importer.run(first).plan.unchanged) == Quote.objects.count()
    Quote.objects.all().delete()
    Collection.objects.all().delete()
    call_command("import_quotes", str(first), stdout=StringIO())
    call_command("export_quotes", str(second), stdout=StringIO())
    assert first.read_bytes() == second.read_bytes()
    assert Collection.objects.get().source == "Two\nlines."


# Text in a wrong encoding


@pytest.mark.parametrize(
    ("field", "row"),
    [
        ("text", {"text": "It isnâ€™t the wombat."}),
        ("author", {**ROW, "author": "Charlotte BrontÃ«"}),
        ("person.name", {"key": "x", "text": "Wombats dig.", "person": {"name": "Àëåêñàíäð Ïóøêèí"}}),
        ("index_terms.note", {"text": "Wombats dig.", "index_terms": [{"word": "dig", "note": "РџСЂРёРІРµС‚"}]}),
        ("tags", {**ROW, "tags": ["cafÃ©"]}),
    ],
)  # fmt: skip
def test_text_that_was_read_in_a_wrong_encoding_is_refused(command: Command, field: str, row: dict[str, Any]) -> None:
    told = error_of(command, [OTHER, row], *NEW)
    assert f"line 2, field {field}: “" in told
    assert "” is probably “" in told


def test_a_lost_letter_is_refused_with_its_place(command: Command) -> None:
    told = error_of(command, [OTHER, {"text": "Caf\ufffd society."}], *NEW)
    assert "line 2, field text: cannot be stored: Character 4 is U+FFFD" in told


def test_real_words_of_other_languages_are_imported(command: Command) -> None:
    texts = ("AMANHÃ… João disse: “É…”", "Spaß“, sagte er.", "«Déjà\xa0», dit-elle.", "ПРИВЕТ, Пётр и Різдво", "日本語")
    command([{"key": f"real-{number}", "text": text} for number, text in enumerate(texts)], *NEW)
    assert Quote.objects.filter(text__in=texts).count() == len(texts)


def test_texts_of_nearly_nothing_are_imported(command: Command) -> None:
    texts = ("ъ", "Твердый знак ъ стоит", "the", "…!", "\u0301", "😀", "一", "'s")
    report = command([{"key": f"odd-{number}", "text": text} for number, text in enumerate(texts)], *NEW)
    assert f"{len(texts)} added" in report
