"""Tags from files, and into files, at the desk."""

import pytest
from django.test import Client

from articles.models import Article
from rlm_site.history.models import Import
from rlm_site.indexing import queue
from rlm_site.tags import changes
from rlm_site.tags.models import Tag, TagChange
from rlm_site.tests.editor import form_data, group_client, signed_in
from rlm_site.tests.import_files import confirm, csv_of, error_messages, import_rows, preview, shown_changes

pytestmark = pytest.mark.django_db

TAGS = "/admin/rlm_site/tag/"


@pytest.fixture
def editor() -> Client:
    return group_client("Editors")


def test_tags_are_added_and_described(editor: Client, client: Client) -> None:
    Article.objects.create(title="Horse", slug="horse", published=True).tags.add("quagga")
    data = csv_of(
        {"name": "Quagga", "description": "A striped horse.", "brings_quotations": "yes", "slug": "quagga"},
        {"name": "Щука", "description": "", "brings_quotations": "", "slug": ""},
    )
    page = preview(editor, TAGS, data)
    assert shown_changes(page)["Quagga"] == {
        "name": "[-quagga-]{+Quagga+}",
        "description": "{+A striped horse.+}",
        "brings_quotations": "[-no-]{+yes+}",
    }
    confirm(editor, TAGS, page)
    assert "A striped horse." in client.get("/tags/quagga/").content.decode()
    assert Tag.objects.get(name="Щука").slug == "shchuka"
    assert (Import.objects.get().added, Import.objects.get().changed) == (1, 1)
    assert TagChange.objects.get().said == "“quagga” renamed to “Quagga”"


def test_a_file_says_which_tags_advise_silence_and_none_that_supplies_quotations_does(editor: Client) -> None:
    import_rows(editor, TAGS, csv_of({"name": "Quagga", "advises_silence": "yes"}))
    assert Tag.objects.get(name="Quagga").advises_silence
    page = preview(editor, TAGS, csv_of({"name": "Bread", "advises_silence": "yes"}))  # which supplies quotations
    assert error_messages(page) == [
        "line 2, advises_silence: A tag cannot both supply quotations and advise silence. Choose one of the two."
    ]


def test_one_tag_has_one_row_whatever_the_case_and_accents(editor: Client) -> None:
    data = csv_of({"name": "Émigré"}, {"name": "emigre"}, {"name": 'say "no"'}, {"name": "!?"}, {"name": "BREAD"})
    assert error_messages(preview(editor, TAGS, data)) == [
        "line 3, name: Line 2 is about the same record.",
        "line 4, name: A tag cannot contain straight quotation marks. Use “ and ” instead.",
        "line 5, name: Enter a name with at least one letter or digit.",
    ]


def test_a_new_address_leaves_the_old_one_leading_to_it(editor: Client, client: Client) -> None:
    Article.objects.create(title="Horse", slug="horse", published=True).tags.add("quagga")
    queue.process_queue()
    import_rows(editor, TAGS, csv_of({"name": "quagga", "slug": "burchell"}))
    assert client.get("/tags/quagga/")["Location"] == "/tags/burchell/"
    taken = csv_of({"name": "quagga", "slug": "bread"})
    assert error_messages(preview(editor, TAGS, taken)) == ["line 2, slug: Tag with this Slug already exists."]


def test_a_file_brings_no_merged_tag_back(editor: Client) -> None:
    changes.merge_tags(Tag.objects.create(name="quagga"), Tag.objects.create(name="zebra"))
    page = preview(editor, TAGS, csv_of({"name": "Quagga"}))
    assert error_messages(page) == ["line 2, name: This tag is now called “zebra”."]


def test_who_may_not_rename_tags_renames_none_by_a_file() -> None:
    Tag.objects.create(name="quagga")
    helper = signed_in("helper", "view_tag", "add_tag", "change_tag", "import_tag")
    data = csv_of({"name": "QUAGGA", "slug": "burchell", "description": "A striped horse."})
    assert error_messages(preview(helper, TAGS, data)) == [
        "line 2, name: You do not have permission to rename tags.",
        "line 2, slug: You do not have permission to rename tags.",
    ]
    import_rows(helper, TAGS, csv_of({"name": "quagga", "description": "A striped horse."}))
    assert Tag.objects.get(name="quagga").description == "A striped horse."


def test_a_tag_that_was_renamed_after_the_preview_is_named(editor: Client) -> None:
    tag = Tag.objects.create(name="quagga")
    page = preview(editor, TAGS, csv_of({"name": "quagga", "description": "A striped horse."}))
    change = f"{TAGS}{tag.pk}/change/"
    other = signed_in("other")
    other.post(change, form_data(other.get(change), description="An extinct horse."))
    response = confirm(editor, TAGS, page)
    assert response.status_code == 409
    assert "Changed since this preview: “quagga”." in response.content.decode()
    tag.refresh_from_db()
    assert tag.description == "An extinct horse."


def test_an_export_is_imported_again_without_a_change(editor: Client) -> None:
    Tag.objects.create(name="Ochota, Warsaw", description="“A” & <b>,\nand more")
    for ending in ("csv", "json"):
        page = preview(editor, TAGS, editor.get(f"{TAGS}export/{ending}/").content, f"tags.{ending}")
        assert (error_messages(page), page.context["rows"]) == ([], [])


def test_authors_take_tags_away_and_bring_none() -> None:
    author = group_client("Authors")
    assert author.get(f"{TAGS}export/csv/").status_code == 200
    assert preview(author, TAGS, csv_of({"name": "quagga"})).status_code == 403
    assert not Tag.objects.filter(name="quagga").exists()
