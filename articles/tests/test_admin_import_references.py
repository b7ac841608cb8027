"""References from files, and into files, at the desk."""

import pytest
from django.test import Client

from articles.models import Reference
from rlm_site.history.models import Import
from rlm_site.tests.editor import group_client
from rlm_site.tests.import_files import confirm, csv_of, error_messages, json_of, preview, shown_changes

pytestmark = pytest.mark.django_db

REFERENCES = "/admin/articles/reference/"


@pytest.fixture
def editor() -> Client:
    return group_client("Editors")


def test_references_are_added_and_changed(editor: Client, client: Client) -> None:
    data = csv_of(
        {"key": "arden-1987", "kind": "book", "title": "Mills and Their Millers", "year": "1987"},
        {"key": "okapi-1901", "kind": "", "title": "On the Okapi", "year": "c. 1901"},
    )
    page = preview(editor, REFERENCES, data)
    assert set(shown_changes(page)["arden-1987: Mills and Their Millers"]) == {"title"}
    confirm(editor, REFERENCES, page)
    okapi = Reference.objects.get(key="okapi-1901")
    assert (okapi.kind, okapi.language, okapi.year) == ("book", "en", "c. 1901")
    assert "Mills and Their Millers" in client.get("/references/").content.decode()
    assert (Import.objects.get().added, Import.objects.get().changed) == (1, 1)


def test_what_is_wrong_is_told_by_line_and_field(editor: Client) -> None:
    row = {"key": "okapi", "title": "On the Okapi", "url": "https://example.org/", "kind": "book"}
    data = json_of(
        row,
        row | {"key": ""},
        row | {"key": "b", "url": "example"},
        row | {"key": "c", "kind": None},
        row | {"key": "d", "title": "a\nb"},
        row | {"key": "arden-1987", "kind": ""},
        row | {"key": "e", "title": "x" * 401},
    )
    found = error_messages(preview(editor, REFERENCES, data, "references.json"))
    assert [line.split(": ")[0] for line in found] == [
        "line 1, key", "line 1, url", "line 1, title", "line 1, kind", "line 1, title"
    ]  # fmt: skip


@pytest.mark.parametrize("keys", [["Arden-1987"], ["okapi-1901", "Okapi-1901"]], ids=["stored", "in one file"])
def test_keys_that_differ_in_capitals_alone_are_refused(editor: Client, keys: list[str]) -> None:
    page = preview(editor, REFERENCES, csv_of(*({"key": key, "title": "Okapi"} for key in keys)))
    [told] = error_messages(page)
    assert told.startswith(f"line {len(keys) + 1}, key: “{keys[0].lower()}” differs from this key only in capitals")
    assert not Reference.objects.filter(title="Okapi").exists()


def test_an_export_is_imported_again_without_a_change(editor: Client) -> None:
    for ending in ("csv", "json"):
        exported = editor.get(f"{REFERENCES}export/{ending}/").content
        page = preview(editor, REFERENCES, exported, f"references.{ending}")
        assert (error_messages(page), page.context["rows"]) == ([], [])
        assert page.context["unchanged"] == Reference.objects.count()


def test_authors_import_none() -> None:
    assert preview(group_client("Authors"), REFERENCES, csv_of({"key": "a", "title": "b"})).status_code == 403
    assert not Reference.objects.filter(key="a").exists()
