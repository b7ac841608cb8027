"""Quotations and people from files, and into files, at the desk."""

import csv
import hashlib
import io
import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from quotes.models import Collection, Person, Quote, Work
from rlm_site.editor import import_pages, importing
from rlm_site.history import revisions
from rlm_site.history.models import Import, Revision
from rlm_site.indexing import queue
from rlm_site.tags import changes
from rlm_site.tags.models import Tag
from rlm_site.tests import import_files
from rlm_site.tests.editor import count_queries, group_client, signed_in
from rlm_site.tests.import_files import confirm, csv_of, error_messages, json_of, shown_changes

pytestmark = pytest.mark.django_db

QUOTES = "/admin/quotes/quote/"
PEOPLE = "/admin/quotes/person/"


@pytest.fixture(autouse=True)
def beasts() -> Collection:
    """Return the collection that the tests' own quotations belong to, and their files unless they say another."""
    return Collection.objects.create(slug="beasts", name="Of Beasts")


def preview(client: Client, address: str, *file: Any, **chosen: Any) -> Any:
    return import_files.preview(client, address, *file, **{"collection": "beasts", **chosen})


def import_rows(client: Client, address: str, *file: Any, **chosen: Any) -> Any:
    return import_files.import_rows(client, address, *file, **{"collection": "beasts", **chosen})


@pytest.fixture
def editor() -> Client:
    return group_client("Editors", "edith")


@pytest.fixture
def publisher() -> Client:
    return group_client("Publishers", "paul")


def quote(key: str, text: str, *, published: bool = True, tags: tuple[str, ...] = (), **fields: Any) -> Quote:
    row = Quote.objects.create(key=key, text=text, collection=Collection.objects.get(slug="beasts"), **fields)
    content = {**revisions.content_of(row), "tags": sorted(tags)}
    if published:
        revisions.publish(row, content)
    else:
        revisions.save_draft(row, content)
    return Quote.objects.get(pk=row.pk)


@pytest.fixture
def quagga() -> Quote:
    """Return a public one, with tags and a source."""
    work = Work.objects.create(title="Striped Horses", authors="Ann Zoologist", year=1901)
    person = Person.objects.create(name="Ann Zoologist", slug="ann-zoologist")
    return quote(
        "quagga", "A quagga never forgets.", tags=("bread", "rain"), person=person, work=work, locator="ch. 1",
        status="reported",
    )  # fmt: skip


# Quotations


def test_new_quotations_are_drafts_of_the_editor(editor: Client) -> None:
    data = csv_of(
        {"key": "", "text": "A zebra\nremembers.", "person": "lena-sommer", "tags": 'bread, "Oxmoor, Tolby"'},
        {"key": "okapi", "text": "Okapis are shy.", "person": "", "tags": ""},
    )
    page = preview(editor, QUOTES, data, "zoo.csv")
    assert [(row.line, row.is_new()) for row in page.context["rows"]] == [(2, True), (4, True)]
    assert "Readers will not see it, because it is a draft." in page.content.decode()
    assert not Quote.objects.filter(text__startswith="A zebra").exists()
    assert not Tag.objects.filter(name="Oxmoor, Tolby").exists()

    done = confirm(editor, QUOTES, page)
    assert done.redirect_chain[-1][0] == QUOTES
    assert "Imported zoo.csv: 2 added, 0 changed, 0 unchanged." in done.content.decode()
    zebra, okapi = Quote.objects.get(text__startswith="A zebra"), Quote.objects.get(key="okapi")
    assert zebra.text == "A zebra\nremembers."
    assert str(zebra.person) == "Lena Sommer"
    assert sorted(zebra.tags.names()) == ["Oxmoor, Tolby", "bread"]
    assert zebra.key
    assert not zebra.published
    assert str(zebra.owner) == "edith"
    assert not zebra.auto_pick
    record = Import.objects.get()
    assert (record.name, record.digest) == ("zoo.csv", hashlib.sha256(data).hexdigest())
    assert (record.added, record.changed, record.unchanged) == (2, 0, 0)
    assert str(record.author) == "edith"
    history = Revision.objects.filter(imported=record)
    assert {(row.object_id, row.state) for row in history} == {(zebra.pk, "draft"), (okapi.pk, "draft")}
    assert history[0].comment == "Imported from zoo.csv."


def test_a_public_quotation_gets_a_draft_from_who_may_not_publish(
    editor: Client, client: Client, quagga: Quote
) -> None:
    page = preview(editor, QUOTES, csv_of({"key": "quagga", "text": "A quagga always forgets."}))
    assert shown_changes(page) == {str(Quote(text="A quagga always forgets.", person=quagga.person)): {
        "text": "A quagga [-never-]{+always+} forgets."
    }}  # fmt: skip
    assert "Readers will see the published text until the draft is published." in page.content.decode()
    confirm(editor, QUOTES, page)
    assert "never" in client.get(quagga.get_absolute_url()).content.decode()
    draft = revisions.working_copy(quagga)
    assert draft is not None
    assert draft.content["text"] == "A quagga always forgets."
    assert draft.content["tags"] == ["bread", "rain"]
    assert draft.imported == Import.objects.get()
    assert draft.base == revisions.published_revision(quagga)


def test_a_public_quotation_is_published_by_who_may_publish(publisher: Client, client: Client, quagga: Quote) -> None:
    data = csv_of({"key": "quagga", "text": "A quagga always forgets.", "tags": "bread, river"})
    page = preview(publisher, QUOTES, data)
    assert "Readers will see it at once." in page.content.decode()
    confirm(publisher, QUOTES, page)
    quagga.refresh_from_db()
    assert "always" in client.get(quagga.get_absolute_url()).content.decode()
    assert sorted(quagga.tags.names()) == ["bread", "river"]
    live = revisions.published_revision(quagga)
    assert live is not None
    assert (live.kind, live.imported) == ("none", Import.objects.get())
    assert (quagga.person, quagga.locator) == (Person.objects.get(slug="ann-zoologist"), "ch. 1")


@pytest.mark.parametrize(("group", "public"), [("Editors", False), ("Publishers", True)])
def test_the_file_asks_for_publication_and_only_a_publisher_grants_it(group: str, public: bool) -> None:
    old = quote("zebra", "A zebra remembers.", published=False)
    data = csv_of(
        {"key": "zebra", "text": "A zebra remembers.", "published": "yes"},
        {"key": "okapi", "text": "Okapis are shy.", "published": "yes"},
        {"key": "gnu", "text": "The gnu is new.", "published": "no"},
        {"key": "emu", "text": "An emu runs.", "published": ""},
    )
    import_rows(group_client(group), QUOTES, data)
    states = dict(Quote.objects.values_list("key", "published"))
    assert [states[key] for key in ("zebra", "okapi", "gnu", "emu")] == [public, public, False, False]
    assert Import.objects.get().unchanged == (0 if public else 1)
    newest = old.revisions.order_by("-number")[0]
    assert (newest.state, newest.kind) == (("published", "new") if public else ("draft", "none"))


def test_where_another_has_to_review_a_file_publishes_nothing(publisher: Client, quagga: Quote, settings: Any) -> None:
    settings.REVIEW_BY_ANOTHER = True
    data = csv_of(
        {"key": "quagga", "text": "A quagga always forgets.", "published": ""},
        {"key": "okapi", "text": "Okapis are shy.", "published": "yes"},
    )
    import_rows(publisher, QUOTES, data)
    quagga.refresh_from_db()
    assert quagga.text == "A quagga never forgets."
    assert revisions.working_copy(quagga) is not None
    assert not Quote.objects.get(key="okapi").published


def test_a_publisher_does_not_pass_over_somebodys_draft(publisher: Client, quagga: Quote) -> None:
    import_rows(group_client("Editors", "edith"), QUOTES, csv_of({"key": "quagga", "text": "A quagga always forgets."}))
    page = preview(publisher, QUOTES, csv_of({"key": "quagga", "locator": "ch. 2"}))
    assert error_messages(page) == [
        "line 2, key: edith has an unpublished draft of this quotation. Publish or discard the draft first."
    ]


def test_an_editors_file_changes_the_draft_as_editors_see_it(editor: Client, quagga: Quote) -> None:
    import_rows(editor, QUOTES, csv_of({"key": "quagga", "text": "A quagga always forgets."}))
    page = preview(editor, QUOTES, csv_of({"key": "quagga", "text": "A quagga seldom forgets."}))
    assert [*shown_changes(page).values()] == [{"text": "A quagga [-always-]{+seldom+} forgets."}]
    confirm(editor, QUOTES, page)
    draft = revisions.working_copy(quagga)
    assert draft is not None
    assert draft.content["text"] == "A quagga seldom forgets."


def test_what_the_file_does_not_name_stays_and_an_empty_cell_empties(publisher: Client, quagga: Quote) -> None:
    data = csv_of({"key": "quagga", "text": "A quagga never forgets.", "locator": "", "tags": "", "work": ""})
    page = preview(publisher, QUOTES, data)
    assert [*shown_changes(page).values()] == [
        {"locator": "[-ch. 1-]", "work": "[-Striped Horses, Ann Zoologist, 1901-]", "tags": "[-bread-][-, rain-]"}
    ]
    confirm(publisher, QUOTES, page)
    quagga.refresh_from_db()
    assert (quagga.locator, quagga.work, quagga.status) == ("", None, "reported")
    assert str(quagga.person) == "Ann Zoologist"
    assert not quagga.tags.exists()


def test_rows_that_change_nothing_are_left_alone(editor: Client, quagga: Quote) -> None:
    before = Revision.objects.count()
    data = csv_of(
        {"key": "quagga", "text": "A quagga never forgets. ", "tags": "Rain, bread", "work": "Striped Horses"}
    )
    page = preview(editor, QUOTES, data)
    assert page.context["unchanged"] == 1
    assert "There is nothing to import." in page.content.decode()
    assert Revision.objects.count() == before


def test_what_is_wrong_is_told_by_line_and_field_and_nothing_is_written(publisher: Client, quagga: Quote) -> None:
    before = Quote.objects.count()
    good = {"key": "okapi", "text": "Okapis are shy.", "person": "", "work": "", "status": "", "auto_pick": ""}
    data = csv_of(
        good,
        good | {"key": "a", "text": ""},
        good | {"key": "b", "text": "One text of words", "auto_pick": "maybe", "status": "sure"},
        good | {"key": "c", "text": "Two other phrases", "person": "nobody", "work": "No Such Work"},
        good | {"key": "okapi", "text": "Three further sayings"},
        good | {"key": "d e", "text": "Four beasts"},
        good | {"key": "e", "text": "Five horses", "status": "verified"},
    )
    page = preview(publisher, QUOTES, data)
    assert error_messages(page) == [
        "line 3, text: This field cannot be blank.",
        "line 4, auto_pick: “maybe” is not valid. Write yes or no.",
        "line 4, status: Value 'sure' is not a valid choice.",
        "line 5, person: There is no person with the slug “nobody”.",
        "line 5, work: There is no work “No Such Work”. Add it first.",
        "line 6, key: Line 2 is about the same record.",
        "line 7, key: Enter a valid “slug” consisting of letters, numbers, underscores or hyphens.",
        "line 8, status: A verified quotation needs evidence. Add the evidence on its own page.",
    ]
    text = page.content.decode()
    assert "rows.csv: nothing was imported. Please correct 6 rows:" in text
    assert 'name="upload"' not in text
    assert Quote.objects.count() == before
    assert not Import.objects.exists()


def test_a_public_quotation_is_not_taken_back_by_a_file(publisher: Client, quagga: Quote) -> None:
    page = preview(publisher, QUOTES, csv_of({"key": "quagga", "published": "no"}))
    assert error_messages(page) == ["line 2, published: The quotation is public. Unpublish it on its own page."]


def test_the_same_quotation_is_not_brought_twice(editor: Client, quagga: Quote) -> None:
    data = csv_of(
        {"key": "", "text": "“A Quagga never forgets!”", "version_of": ""},
        {"key": "", "text": "Okapis are shy animals of the forest.", "version_of": ""},
        {"key": "", "text": "Okapis are shy animals of the forest", "version_of": ""},
        {"key": "", "text": "A quagga never forgets", "version_of": "quagga"},
    )
    assert error_messages(preview(editor, QUOTES, data)) == [
        "line 2, text: This is the same quotation as the stored one with the key quagga. Give that key, or give it as"
        " version_of.",
        "line 4, text: This is the same quotation as line 3. Give that key, or give it as version_of.",
    ]


def test_works_of_one_title_are_told_apart_by_authors_and_year(editor: Client, quagga: Quote) -> None:
    other = Work.objects.create(title="Striped Horses", authors="Bob Hunter", year=1950)
    page = preview(editor, QUOTES, csv_of({"key": "quagga", "work": "Striped Horses"}))
    assert error_messages(page) == [
        "line 2, work: 2 works have this title. Give the authors and the year in their own columns."
    ]
    row = {"key": "quagga", "work": "Striped Horses", "work_authors": "Bob Hunter", "work_year": "1950"}
    import_rows(editor, QUOTES, csv_of(row))
    draft = revisions.working_copy(quagga)
    assert draft is not None
    assert draft.content["work"] == other.pk
    page = preview(editor, QUOTES, csv_of(row | {"work": ""}))
    assert error_messages(page) == [
        "line 2, work: The authors or the year are given, but not the title. Add the title."
    ]


def test_a_json_file_says_yes_no_numbers_and_lists_in_its_own_way(editor: Client) -> None:
    data = json_of(
        {"key": "okapi", "text": "Okapis are shy.", "auto_pick": True, "year_said": -43, "tags": ["rain", "a, b"]},
        {"key": "gnu", "text": "The gnu is new.", "person": None},
    )
    import_rows(editor, QUOTES, data, "zoo.json")
    okapi = Quote.objects.get(key="okapi")
    assert (okapi.auto_pick, okapi.year_said, sorted(okapi.tags.names())) == (True, -43, ["a, b", "rain"])
    assert Quote.objects.get(key="gnu").auto_pick is False
    wrong = json_of({"key": "okapi", "auto_pick": 5, "tags": "rain", "text": 7}, {"key": "gnu", "tags": [1]})
    assert error_messages(preview(editor, QUOTES, wrong, "zoo.json")) == [
        "line 1, text: 7 is not text.",
        "line 1, auto_pick: “5” is not valid. Write yes or no.",
        "line 1, tags: 1 is not text.",
    ]


def test_an_old_name_of_a_tag_means_what_it_has_become(editor: Client, quagga: Quote) -> None:
    changes.merge_tags(Tag.objects.get(name="rain"), Tag.objects.get(name="river"))
    queue.process_queue()
    page = preview(editor, QUOTES, csv_of({"key": "quagga", "tags": "bread, rain"}))
    assert page.context["unchanged"] == 1


# Between preview and import


def test_what_somebody_changed_after_the_preview_is_named_and_nothing_is_imported(
    editor: Client, publisher: Client, quagga: Quote
) -> None:
    data = csv_of({"key": "quagga", "text": "A quagga always forgets."}, {"key": "okapi", "text": "Okapis are shy."})
    page = preview(editor, QUOTES, data)
    import_rows(publisher, QUOTES, csv_of({"key": "quagga", "text": "A quagga seldom forgets."}))
    response = confirm(editor, QUOTES, page)
    assert response.status_code == 409
    assert "Changed since this preview: ““A quagga seldom forgets.”, Ann Zoologist”" in response.content.decode()
    assert next(iter(shown_changes(response).values())) == {"text": "A quagga [-seldom-]{+always+} forgets."}
    assert not Quote.objects.filter(key="okapi").exists()
    assert Import.objects.count() == 1
    assert revisions.working_copy(quagga) is None
    confirm(editor, QUOTES, response)  # on the preview of how it stands now
    assert Quote.objects.filter(key="okapi").exists()
    draft = revisions.working_copy(quagga)
    assert draft is not None
    assert draft.content["text"] == "A quagga always forgets."


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda: Quote.objects.filter(key="quagga").update(locator="ch. 9"),
        lambda: Quote.objects.get(key="quagga").tags.add("river"),
        lambda: revisions.save_draft(
            quagga := Quote.objects.get(key="quagga"), {**revisions.content_of(quagga), "locator": "ch. 7"}
        ),
        lambda: Quote.objects.create(key="okapi", text="Somebody else's okapi."),
        lambda: Quote.objects.get(key="quagga").delete(),
    ],
)
def test_any_change_after_the_preview_counts(editor: Client, quagga: Quote, meanwhile: Any) -> None:
    data = csv_of({"key": "quagga", "text": "A quagga always forgets."}, {"key": "okapi", "text": "Okapis are shy."})
    page = preview(editor, QUOTES, data)
    meanwhile()
    before = Revision.objects.count(), Quote.objects.count()
    response = confirm(editor, QUOTES, page)
    assert response.status_code == 409
    assert "Changed since this preview" in response.content.decode()
    assert (Revision.objects.count(), Quote.objects.count()) == before
    assert not Import.objects.exists()


def test_what_became_wrong_after_the_preview_is_told_and_nothing_is_imported(editor: Client, quagga: Quote) -> None:
    data = csv_of({"key": "okapi", "text": "Okapis are shy.", "work": ""}, {"key": "gnu", "text": "Gnus.", "work": "W"})
    work = Work.objects.create(title="W")
    page = preview(editor, QUOTES, data)
    work.delete()
    response = confirm(editor, QUOTES, page)
    assert error_messages(response) == ["line 3, work: There is no work “W”. Add it first."]
    assert not Quote.objects.filter(key="okapi").exists()
    assert not Import.objects.exists()


def test_a_preview_is_confirmed_by_whom_it_was_made_for_and_within_a_day(editor: Client, monkeypatch: Any) -> None:
    page = preview(editor, QUOTES, csv_of({"key": "okapi", "text": "Okapis are shy."}))
    other = confirm(group_client("Editors", "emma"), QUOTES, page)
    assert "The preview has expired. Nothing was imported" in other.content.decode()
    monkeypatch.setattr(import_pages, "PREVIEW_SECONDS", -1)
    assert "The preview has expired." in confirm(editor, QUOTES, page).content.decode()
    forged = editor.post(f"{QUOTES}import/", {"upload": "forged", "seen": "forged"}, follow=True)
    assert "The preview has expired." in forged.content.decode()
    assert not Quote.objects.filter(key="okapi").exists()


def test_a_preview_writes_nothing_and_holds_no_lock(editor: Client, quagga: Quote) -> None:
    data = csv_of({"key": "quagga", "text": "A quagga always forgets.", "tags": "new tag"}, {"key": "a", "text": "B c"})
    queue.process_queue()
    with CaptureQueriesContext(connection) as queries:
        preview(editor, QUOTES, data)
    words = ("INSERT", "UPDATE", "DELETE", "BEGIN")
    assert [query["sql"] for query in queries if query["sql"].startswith(words) or "FOR UPDATE" in query["sql"]] == []
    assert not Tag.objects.filter(name="new tag").exists()


def test_the_history_of_the_desk_names_the_file(editor: Client, quagga: Quote) -> None:
    import_rows(editor, QUOTES, csv_of({"key": "quagga", "text": "A quagga always forgets."}), "zoo.csv")
    entry = LogEntry.objects.get(object_id=str(quagga.pk))
    assert entry.change_message == f"Imported from {Import.objects.get()}."
    record = Import.objects.get()
    listed = editor.get("/admin/rlm_site/import/")
    assert "zoo.csv" in listed.content.decode()
    page = editor.get(f"/admin/rlm_site/import/{record.pk}/change/").content.decode()
    assert record.digest not in page
    assert record.digest in signed_in("root").get(f"/admin/rlm_site/import/{record.pk}/change/").content.decode()
    assert f"/admin/rlm_site/revision/?imported={record.pk}" in page
    assert editor.get(f"/admin/rlm_site/revision/?imported={record.pk}").context["cl"].result_count == 1
    assert group_client("Authors").get("/admin/rlm_site/import/").status_code == 403


# Files that are refused


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        ("zoo.xlsx", b"PK", "The file name must end in .csv or .json."),
        (
            "zoo.csv",
            b"key,text\nokapi,\xc9\n",
            "Line 2 is not valid UTF-8: it contains the byte 0xC9. Save the file as UTF-8.",
        ),
        ("zoo.csv", b"key,text,colour\na,b,c\n", "Unknown column “colour”."),
        ("zoo.csv", b"key,text,text\na,b,c\n", "The column “text” appears twice."),
        ("zoo.csv", b"text\nb\n", "The column “key” is missing. It says which record each row is about."),
        ("zoo.csv", b"key,text\n", "The file has no rows."),
        ("zoo.csv", b"", "The submitted file is empty."),
        ("zoo.json", b'[{"key": "a"}', "Line 1 is not valid JSON: expecting ',' delimiter."),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_beside_its_field(
    editor: Client, name: str, data: bytes, error: str
) -> None:
    page = preview(editor, QUOTES, data, name)
    assert error_messages(page) == [error]
    assert not Import.objects.exists()


def test_a_file_of_too_many_rows_names_the_command_that_reads_more(editor: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(importing, "MOST_ROWS", 1)
    data = csv_of({"key": "a", "text": "b"}, {"key": "c", "text": "d"})
    assert error_messages(preview(editor, QUOTES, data)) == [
        "The file has 2 rows; at most 1 can be imported at once. Split it into several files."
        " For larger files, ask the operator of the site to run `manage.py import_quotes`."
    ]
    people = csv_of({"slug": "a", "name": "b"}, {"slug": "c", "name": "d"})
    assert error_messages(preview(editor, PEOPLE, people)) == [
        "The file has 2 rows; at most 1 can be imported at once. Split it into several files."
    ]
    monkeypatch.setattr(import_pages, "MOST_BYTES", 1_000_000)
    assert error_messages(preview(editor, QUOTES, b"key,text\n" + b"a" * 1_000_000)) == [
        "The file is larger than 1 MB. Split it into several files."
    ]


# Who may


@pytest.mark.parametrize("address", [QUOTES, PEOPLE])
def test_authors_and_readers_import_nothing(address: str) -> None:
    data = csv_of({"key": "okapi", "text": "Okapis are shy."})
    for lesser in (
        group_client("Authors"),
        signed_in("helper", "view_quote", "add_quote", "change_quote", "change_person"),
    ):
        assert lesser.get(f"{address}import/").status_code == 403
        assert preview(lesser, address, data).status_code == 403
        assert lesser.post(f"{address}import/", {"upload": "x"}).status_code == 403
        assert f"{address}import/" not in lesser.get(QUOTES).content.decode()
    assert not Quote.objects.filter(key="okapi").exists()


def test_strangers_import_and_export_nothing(client: Client) -> None:
    for page in ("import/", "export/csv/", "export/json/"):
        assert client.get(f"{QUOTES}{page}").status_code == 302
    assert signed_in("other", "view_article").get(f"{QUOTES}export/csv/").status_code == 403


# Export


def exported(client: Client, address: str, ending: str = "json", query: str = "") -> list[dict[str, Any]]:
    response = client.get(f"{address}export/{ending}/{query}")
    assert response.status_code == 200
    assert "attachment; filename=" in response["Content-Disposition"]
    rows: list[dict[str, Any]] = json.loads(response.content)
    return rows


def test_an_export_is_imported_again_without_a_change(editor: Client, quagga: Quote) -> None:
    quote("zebra", "A zebra\n“remembers”, it said.", published=False, tags=("Oxmoor, Tolby",), year_said=-43)
    for ending in ("csv", "json"):
        response = editor.get(f"{QUOTES}export/{ending}/")
        page = preview(editor, QUOTES, response.content, f"quotes.{ending}", collection="")
        assert error_messages(page) == []
        assert page.context["rows"] == []
        assert page.context["unchanged"] == Quote.objects.count()


TEXTS = ['=HYPERLINK("http://x")', "+1 more", "-and so on", "@all", "'=1", "''+2", "'Tis the season", "＝1", "a\n=b"]


def test_no_cell_of_a_csv_export_is_a_formula_and_each_comes_back_as_it_was(editor: Client) -> None:
    for number, text in enumerate(TEXTS):
        quote(f"formula-{number}", text, name_as_printed=text.replace("\n", " "))
    response = editor.get(f"{QUOTES}export/csv/")
    rows = csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline=""))
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell[:1] in {*"=+@-\t\r＝"} and not cell.lstrip("-").isdigit()]
    page = preview(editor, QUOTES, response.content, "quotes.csv", collection="")
    assert error_messages(page) == []
    assert (page.context["rows"], page.context["unchanged"]) == ([], Quote.objects.count())


def test_an_export_has_what_the_list_shows(editor: Client, quagga: Quote) -> None:
    rows = exported(editor, QUOTES, query="?q=quagga")
    assert [row["key"] for row in rows] == ["quagga"]
    assert rows[0]["tags"] == ["bread", "rain"]
    assert (rows[0]["work"], rows[0]["work_authors"], rows[0]["work_year"]) == ("Striped Horses", "Ann Zoologist", 1901)
    assert rows[0]["published"] is True
    page = editor.get(f"{QUOTES}?q=quagga").content.decode()
    assert f'href="{QUOTES}export/csv/?q=quagga"' in page
    assert editor.get(f"{QUOTES}export/csv/?nonsense=1")["Location"] == f"{QUOTES}?nonsense=1"
    assert editor.get(f"{QUOTES}export/xlsx/").status_code == 404


def test_nothing_unpublished_leaks_to_a_lesser_role(editor: Client, quagga: Quote) -> None:
    quote("zebra", "A zebra remembers.", published=False)
    import_rows(editor, QUOTES, csv_of({"key": "quagga", "text": "A quagga always forgets."}))
    author = group_client("Authors", "ann")
    mine = quote("okapi", "Okapis are shy.", published=False)
    Quote.objects.filter(pk=mine.pk).update(owner=author.session["_auth_user_id"])
    rows = {row["key"]: row["text"] for row in exported(author, QUOTES)}
    assert "zebra" not in rows
    assert rows["quagga"] == "A quagga never forgets."
    assert rows["okapi"] == "Okapis are shy."
    assert "zebra" in {row["key"] for row in exported(editor, QUOTES)}


def test_an_export_of_too_many_rows_asks_for_fewer(editor: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(import_pages, "MOST_EXPORTED", 2)
    response = editor.get(f"{QUOTES}export/csv/?auto_pick__exact=1", follow=True)
    assert response.redirect_chain[-1][0] == f"{QUOTES}?auto_pick__exact=1"
    assert "The list has more than 2 records." in response.content.decode()


def test_the_pages_make_as_many_queries_for_many_rows_as_for_few(editor: Client) -> None:
    addresses = [f"{QUOTES}import/", f"{QUOTES}export/csv/?q=okapi", f"{QUOTES}export/json/?q=okapi"]
    addresses += ["/admin/rlm_site/import/", f"{PEOPLE}export/csv/?q=okapi"]

    def make(count: int) -> None:
        for number in range(count):
            key = f"okapi-{count}-{number}"
            person = Person.objects.create(name=key, slug=key)
            quote(key, f"{key} is shy.", tags=("rain",), person=person)
            Import.objects.create(name="a", digest="b", model_id=Import.objects.count() + 1)

    make(1)
    few = [count_queries(editor, address) for address in addresses]
    make(10)
    assert [count_queries(editor, address) for address in addresses] == few
    assert max(few) <= 20


# People


def test_people_are_added_and_changed(editor: Client, client: Client, quagga: Quote) -> None:
    data = csv_of(
        {"slug": "ann-zoologist", "name": "Ann Zoologist", "born": "1870", "died": "", "born_circa": "yes",
         "aliases": "A. Z.; Ann of the Stripes", "living_checked_on": "1901-02-03"},
        {"slug": "", "name": "Żywiciel Łoś", "born": "", "died": "-43", "born_circa": "", "aliases": "",
         "living_checked_on": ""},
    )  # fmt: skip
    page = preview(editor, PEOPLE, data)
    assert shown_changes(page)["Ann Zoologist"] == {
        "born": "{+1870+}",
        "born_circa": "[-no-]{+yes+}",
        "aliases": "{+A. Z.+}{+\nAnn of the Stripes+}",
        "living_checked_on": "{+3 February 1901+}",
    }
    confirm(editor, PEOPLE, page)
    ann = Person.objects.get(slug="ann-zoologist")
    assert (ann.born, ann.died, ann.born_circa, ann.aliases) == (1870, None, True, ["A. Z.", "Ann of the Stripes"])
    assert Person.objects.get(slug="zywiciel-los").died == -43
    assert "c. 1870" in client.get(quagga.get_absolute_url()).content.decode()
    assert Import.objects.get().model.model == "person"
    again = preview(editor, PEOPLE, editor.get(f"{PEOPLE}export/csv/").content)
    assert (error_messages(again), again.context["rows"]) == ([], [])


def test_what_is_wrong_with_people_is_told_by_line_and_field(editor: Client) -> None:
    person = {"slug": "", "name": "Okapi Jones", "born": "", "died": "", "living_checked_on": "", "kind": ""}
    data = csv_of(
        person | {"name": "", "kind": "person"},
        person | {"born": "1900?", "living_checked_on": "3/4/1900"},
        person | {"born": "1900", "died": "1899", "kind": "ghost"},
        person | {"name": "Lena Sommer"},
        person | {"born": "99999999"},
    )
    assert error_messages(preview(editor, PEOPLE, data)) == [
        "line 2, name: This field cannot be blank.",
        "line 3, born: “1900?” is not a year. Write it as 1862, or as -43 for 43 BC.",
        "line 3, living_checked_on: “3/4/1900” is not a date. Write it as 2024-02-11.",
        "line 4, kind: Value 'ghost' is not a valid choice.",
        "line 4, died: The year of death is before the year of birth.",
        "line 5, slug: Lena Sommer already exists. Give the slug “lena-sommer”, or a new slug for another person.",
        "line 6, born: “99999999” is not a year. Write it as 1862, or as -43 for 43 BC.",
    ]
