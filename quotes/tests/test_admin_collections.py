"""Collections in the admin: their list and form, and imports into one of them."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from quotes.models import Collection, Person, Quote
from rlm_site.history import revisions
from rlm_site.history.models import Import
from rlm_site.tests.editor import count_queries, delete, form_data, group_client, signed_in, transition
from rlm_site.tests.import_files import confirm, csv_of, error_messages, import_rows, json_of, preview, shown_changes

pytestmark = pytest.mark.django_db

COLLECTIONS = "/admin/quotes/collection/"
QUOTES = "/admin/quotes/quote/"
OKAPI = {"key": "okapi", "text": "Okapis are shy."}
NEW = {"name": "Of Beasts", "register": "serious", "trust": "printed", "pick_policy": ""}


@pytest.fixture
def editor() -> Client:
    return group_client("Editors")


@pytest.fixture
def birds() -> Collection:
    """Return a collection with one quotation that the site may pick, and one that it may not."""
    birds = Collection.objects.create(slug="birds", name="Of Birds", trust="printed")
    Quote.objects.create(key="emu", text="An emu runs.", collection=birds, published=True, status="reported")
    Quote.objects.create(key="owl", text="An owl sleeps.", collection=birds, published=True)
    return birds


# List, form and deletion


def test_the_list_counts_all_and_those_that_may_be_picked(editor: Client, birds: Collection) -> None:
    Collection.objects.create(slug="beasts", name="Of Beasts")
    page = editor.get(COLLECTIONS)
    rows = [(row.name, row.quote_count, row.pickable_count) for row in page.context["cl"].result_list]
    assert rows == [("Of Beasts", 0, 0), ("Of Birds", 2, 1)]
    assert f'href="{QUOTES}?collection__id__exact={birds.pk}"' in page.content.decode()
    listed = editor.get(f"{QUOTES}?collection__id__exact={birds.pk}").context["cl"].result_list
    assert {quote.key for quote in listed} == {"emu", "owl"}
    Collection.objects.filter(slug="birds").update(pick_policy="pinned")
    assert editor.get(COLLECTIONS).context["cl"].result_list[1].pickable_count == 0


def test_the_list_makes_as_many_queries_for_many_as_for_few(editor: Client, birds: Collection) -> None:
    few = [count_queries(editor, address) for address in (COLLECTIONS, QUOTES)]
    for number in range(10):
        collection = Collection.objects.create(name=f"Collection {number}")
        Quote.objects.create(text=f"Quagga number {number}.", collection=collection, published=True)
    assert [count_queries(editor, address) for address in (COLLECTIONS, QUOTES)] == few


@pytest.mark.parametrize(
    ("typed", "policy"),
    [
        ({"register": "serious"}, "automatic"),
        ({"register": "light"}, "pinned"),
        ({"register": "light", "pick_policy": "automatic"}, "automatic"),
        ({"register": "serious", "pick_policy": "pinned"}, "pinned"),
    ],
)
def test_a_new_one_that_is_light_is_pinned_unless_the_editor_decides(
    editor: Client, typed: dict[str, str], policy: str
) -> None:
    page = editor.get(f"{COLLECTIONS}add/")
    editor.post(f"{COLLECTIONS}add/", form_data(page, name="Wits & Wags", **typed))
    made = Collection.objects.get()
    assert (made.slug, made.pick_policy, made.register) == ("wits-wags", policy, typed["register"])
    assert editor.get(f"{COLLECTIONS}{made.pk}/history/").status_code == 200


def test_a_change_of_the_register_keeps_the_policy_that_was_chosen(editor: Client, birds: Collection) -> None:
    address = f"{COLLECTIONS}{birds.pk}/change/"
    editor.post(address, form_data(editor.get(address), register="light"))
    birds.refresh_from_db()
    assert (birds.register, birds.pick_policy, birds.slug) == ("light", "automatic", "birds")
    page = editor.post(address, form_data(editor.get(address), name="", source="Typed."))
    assert "Typed." in page.content.decode()


def test_one_that_is_used_cannot_be_deleted_and_another_can_be_recovered(birds: Collection) -> None:
    publisher = group_client("Publishers")
    page = publisher.get(f"{COLLECTIONS}{birds.pk}/delete/")
    assert "An emu runs." in page.content.decode()
    delete(publisher, birds)
    assert Collection.objects.filter(pk=birds.pk).exists()
    Quote.objects.filter(collection=birds).update(collection=None)
    delete(publisher, birds)
    assert not Collection.objects.exists()


@pytest.mark.parametrize(
    ("group", "statuses"), [("Authors", (200, 403, 403)), ("Editors", (200, 200, 403)), ("Publishers", (200, 200, 200))]
)
def test_groups_do_with_collections_what_they_do_with_works(
    group: str, statuses: tuple[int, ...], birds: Collection
) -> None:
    client = group_client(group)
    pages = (COLLECTIONS, f"{COLLECTIONS}add/", f"{COLLECTIONS}{birds.pk}/delete/")
    assert tuple(client.get(page).status_code for page in pages) == statuses


def test_the_collection_of_a_quotation_is_drafted_compared_and_restored(birds: Collection) -> None:
    publisher = group_client("Publishers")
    quote = Quote.objects.get(key="emu")
    address = f"{QUOTES}{quote.pk}/change/"
    publisher.post(address, form_data(publisher.get(address), collection="", similar=""))
    quote.refresh_from_db()
    assert quote.collection == birds
    draft = revisions.working_copy(quote)
    assert draft is not None
    assert draft.content["collection"] is None
    compared = publisher.get(f"{QUOTES}{quote.pk}/publish/").content.decode()
    assert "Of Birds" in compared
    transition(publisher, quote, "publish")
    quote.refresh_from_db()
    assert quote.collection is None
    first = quote.revisions.order_by("number").first()
    assert first is not None
    page = publisher.get(f"{QUOTES}{quote.pk}/history/{first.number}/restore/")
    assert page.status_code == 200
    publisher.post(f"{QUOTES}{quote.pk}/history/{first.number}/restore/", form_data(page))
    draft = revisions.working_copy(quote)
    assert draft is not None
    assert draft.content["collection"] == birds.pk


# Import


def test_a_file_that_adds_quotations_needs_a_collection(editor: Client) -> None:
    page = preview(editor, QUOTES, csv_of(OKAPI), auto_pick="on")
    assert error_messages(page) == [
        "Line 2 adds a quotation and names no collection (1 such lines). Choose a collection, name a new one, or give "
        "the file a column “collection”."
    ]
    assert (
        'name="auto_pick" aria-describedby="id_auto_pick_helptext" id="id_auto_pick" checked' in page.content.decode()
    )
    assert not Quote.objects.filter(key="okapi").exists()


def test_one_that_only_changes_quotations_needs_none(editor: Client, birds: Collection) -> None:
    import_rows(editor, QUOTES, csv_of({"key": "emu", "text": "An emu strides."}))
    draft = revisions.working_copy(Quote.objects.get(key="emu"))
    assert draft is not None
    assert (draft.content["text"], draft.content["collection"]) == ("An emu strides.", birds.pk)


def test_rows_may_name_their_collection_themselves(editor: Client, birds: Collection) -> None:
    rows = csv_of({**OKAPI, "collection": "birds"}, {"key": "emu", "text": "An emu runs.", "collection": ""})
    page = preview(editor, QUOTES, rows)
    assert [*shown_changes(page).values()][1] == {"collection": "[-Of Birds-]"}
    confirm(editor, QUOTES, page)
    okapi = Quote.objects.get(key="okapi")
    assert (okapi.collection, okapi.status) == (birds, "reported")
    told = error_messages(preview(editor, QUOTES, csv_of({"key": "gnu", "text": "Gnus gnaw.", "collection": "beasts"})))
    assert told == ["line 2, collection: There is no collection with the slug “beasts”."]


def test_a_collection_is_made_together_with_the_import(editor: Client) -> None:
    new = {**NEW, "source": "A book.", "url": "example.org/beasts", "licence": "public domain"}
    page = preview(editor, QUOTES, csv_of(OKAPI), **new)
    assert "Collection: Of Beasts (new)." in page.context["remarks"]
    assert not Collection.objects.exists()
    done = confirm(editor, QUOTES, page)
    made = Collection.objects.get()
    assert (made.slug, made.url, made.pick_policy) == ("of-beasts", "https://example.org/beasts", "automatic")
    okapi = Quote.objects.get(key="okapi")
    assert (okapi.collection, okapi.status, okapi.auto_pick) == (made, "reported", False)
    assert "Collection: Of Beasts (new)." in done.content.decode()
    draft = revisions.working_copy(okapi)
    assert draft is not None
    assert draft.content["collection"] == made.pk


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({**NEW, "collection": "birds"}, "Choose a collection or name a new one, not both."),
        ({**NEW, "name": "Of Birds"}, "There is a collection with this name. Choose it above."),
        ({**NEW, "name": "", "source": "A book."}, "Give the new collection a name."),
        ({**NEW, "url": "no where"}, "Enter a valid URL."),
        ({**NEW, "register": "gay"}, "Select a valid choice. gay is not one of the available choices."),
        ({"name": "Of Beasts"}, "This field cannot be blank."),
        ({"collection": "beasts"}, "Select a valid choice. That choice is not one of the available choices."),
    ],
)
def test_what_is_wrong_with_the_choice_is_told_beside_it_and_what_was_typed_stays(
    editor: Client, birds: Collection, typed: dict[str, str], told: str
) -> None:
    page = preview(editor, QUOTES, csv_of(OKAPI), **typed, auto_pick="on")
    assert told in error_messages(page)
    assert form_data(page)["name"] == typed.get("name", "")
    assert form_data(page)["auto_pick"] == "on"


def test_what_was_chosen_stays_where_rows_are_refused(editor: Client, birds: Collection) -> None:
    page = preview(
        editor, QUOTES, csv_of({**OKAPI, "text": ""}), collection="birds", auto_pick="on", **NEW | {"name": ""}
    )
    assert error_messages(page) == ["line 2, text: This field cannot be blank."]
    assert (form_data(page)["collection"], form_data(page)["auto_pick"]) == ("birds", "on")


def test_who_may_not_add_collections_chooses_one(birds: Collection) -> None:
    may = ("view_quote", "add_quote", "change_quote", "import_quote", "view_collection")
    helper = signed_in("helper", *may)
    assert 'name="licence"' not in helper.get(f"{QUOTES}import/").content.decode()
    assert error_messages(preview(helper, QUOTES, csv_of(OKAPI), **NEW))
    import_rows(helper, QUOTES, csv_of(OKAPI), collection="birds")
    assert Collection.objects.get() == birds


def test_a_collection_that_is_deleted_after_the_preview_is_missed(editor: Client) -> None:
    beasts = Collection.objects.create(slug="beasts", name="Of Beasts")
    page = preview(editor, QUOTES, csv_of(OKAPI), collection="beasts")
    beasts.delete()
    assert "The collection has been deleted. Choose another." in confirm(editor, QUOTES, page).content.decode()
    assert not Import.objects.exists()


def test_quotations_of_other_collections_stay_unless_they_are_to_be_taken_over(birds: Collection) -> None:
    publisher = group_client("Publishers")
    rows = csv_of({"key": "emu", "text": "Another text."}, {"key": "sommer-honest-men", "text": "A third text."}, OKAPI)
    page = preview(publisher, QUOTES, rows, **NEW)
    assert [row.instance.key for row in page.context["rows"]] == ["okapi"]
    assert (
        "About quotations of other collections, which stay as they are (2): lines 2, 3. To change them, choose the "
        "file again and tick “Take over”."
    ) in page.context["remarks"]
    confirm(publisher, QUOTES, page)
    assert Quote.objects.get(key="emu").collection == birds
    assert Quote.objects.get(key="emu").text == "An emu runs."
    beasts = Collection.objects.get(name="Of Beasts")
    import_rows(publisher, QUOTES, rows, collection=beasts.slug, take_over="on")
    assert {quote.key for quote in beasts.quotes.all()} == {"emu", "sommer-honest-men", "okapi"}


def test_a_new_collection_takes_over_rows_whose_text_is_the_same(birds: Collection) -> None:
    publisher = group_client("Publishers")
    rows = csv_of(
        {"key": "emu", "text": "An emu runs."},
        {"key": "sommer-honest-men"} | {"text": Quote.objects.get(key="sommer-honest-men").text},
    )
    import_rows(publisher, QUOTES, rows, **NEW, take_over="on")
    assert Collection.objects.get(name="Of Beasts").quotes.count() == 2


def test_a_row_that_names_another_collection_than_the_one_chosen_is_refused(editor: Client, birds: Collection) -> None:
    Collection.objects.create(slug="beasts", name="Of Beasts")
    page = preview(editor, QUOTES, csv_of({**OKAPI, "collection": "birds"}), collection="beasts")
    assert error_messages(page) == [
        "line 2, collection: The row names another collection than the one chosen, Of Beasts. Leave one of them out."
    ]


@pytest.mark.parametrize(
    ("typed", "allowed", "why"),
    [
        ({**NEW, "auto_pick": "on"}, 1, ""),
        (NEW, 0, "“May be picked by the site” is off."),
        ({**NEW, "auto_pick": "on", "trust": "unchecked"}, 0, "The status is “unverified”"),
        ({**NEW, "auto_pick": "on", "register": "light"}, 0, "The collection “Of Beasts” is shown only where"),
    ],
)
def test_it_is_told_how_many_may_be_picked_and_why_not_the_others(
    typed: dict[str, Any], allowed: int, why: str
) -> None:
    publisher = group_client("Publishers")
    page = preview(publisher, QUOTES, csv_of({**OKAPI, "published": "yes"}), **typed)
    done = confirm(publisher, QUOTES, page)
    for text in (" ".join(page.context["remarks"]), done.content.decode()):
        assert f"{allowed} of these 1 quotations may be picked by the site." in text
        assert why in text
        assert ("Not picked:" in text) is not allowed
    assert Quote.objects.pickable(timezone.now()).filter(key="okapi").count() == allowed


def test_a_draft_is_picked_once_it_is_published(editor: Client) -> None:
    page = preview(editor, QUOTES, csv_of(OKAPI), **NEW, auto_pick="on")
    assert any("Readers cannot see them now. Publish them." in remark for remark in page.context["remarks"])


# Text in a wrong encoding


def test_text_in_a_wrong_encoding_is_refused_by_line_and_field(editor: Client, birds: Collection) -> None:
    page = preview(editor, QUOTES, json_of({**OKAPI, "text": "Okapis arenâ€™t bold."}), "a.json", collection="birds")
    assert error_messages(page) == [
        "line 1, text: “arenâ€™t” is probably “aren’t”, read in a wrong encoding (character 12). Correct it, or "
        "save the original file as UTF-8 again."
    ]
    people = csv_of({"slug": "", "name": "Ãngelo BrontÃ«"})
    assert "is probably “Brontë”" in error_messages(preview(editor, "/admin/quotes/person/", people))[0]


def test_the_form_warns_of_text_in_a_wrong_encoding_and_saves_it(editor: Client) -> None:
    address = "/admin/quotes/person/add/"
    saved = editor.post(address, form_data(editor.get(address), name="Charlotte BrontÃ«"), follow=True)
    assert Person.objects.filter(name="Charlotte BrontÃ«").exists()
    assert "this is probably “Brontë”, read in a wrong encoding <code>BrontÃ«</code>" in saved.content.decode()
    person = Person.objects.get(name="Charlotte BrontÃ«")
    address = f"/admin/quotes/person/{person.pk}/change/"
    saved = editor.post(address, form_data(editor.get(address), name="Ângela Brontë, IRMÃ…"), follow=True)
    assert "read in a wrong encoding" not in saved.content.decode()


def test_a_draft_with_text_in_a_wrong_encoding_is_told_before_it_is_published() -> None:
    publisher = group_client("Publishers")
    address = f"{QUOTES}add/"
    typed = {"text": "Wombats arenâ€™t bold.", "tags": "cafÃ©", "key": "wombat"}
    saved = publisher.post(address, form_data(publisher.get(address), **typed), follow=True)
    assert saved.content.decode().count("read in a wrong encoding") == 2
    quote = Quote.objects.get(key="wombat")
    asked = publisher.get(f"{QUOTES}{quote.pk}/publish/").content.decode()
    assert "Text: this is probably “aren’t”, read in a wrong encoding" in asked
    assert "Tags: this is probably “café”, read in a wrong encoding" in asked


def test_a_hard_sign_beside_a_similar_text_is_saved() -> None:
    publisher = group_client("Publishers")
    Quote.objects.create(key="sign", text="ъ", published=True)
    for number, text in enumerate(("ъ!", "Ъъ", "the", "😀", "—", "\u0301")):
        address = f"{QUOTES}add/"
        page = publisher.post(address, form_data(publisher.get(address), text=text, key=f"odd-{number}"))
        assert page.status_code in (200, 302)
    rows = csv_of({"key": "odd", "text": "Ъ ъ ъ"}, {"key": "odder", "text": "ъ"})
    assert "line 3, text: This is the same quotation" in error_messages(preview(publisher, QUOTES, rows, **NEW))[0]
