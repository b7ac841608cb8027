"""Tags at the editors' desk."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from articles.models import Article
from quotes.models import Quote
from rlm_site.tags import changes
from rlm_site.tags.models import Tag, TagChange
from rlm_site.tests.editor import count_queries, delete, form_data, group_client, signed_in

pytestmark = pytest.mark.django_db

ADD = "/admin/rlm_site/tag/add/"
LIST = "/admin/rlm_site/tag/"
SUGGESTIONS = "/admin/rlm_site/tag/suggestions/"


@pytest.fixture
def editor() -> Client:
    return signed_in()


def change(tag: Tag) -> str:
    return f"/admin/rlm_site/tag/{tag.pk}/change/"


def test_a_tag_is_created_renamed_and_deleted(editor: Client, client: Client) -> None:
    assert editor.post(ADD, form_data(editor.get(ADD), name="Щука", description="A fish.")).status_code == 302
    tag = Tag.objects.get(name="Щука")
    assert tag.slug == "shchuka"
    article = Article.objects.create(title="Quagga", slug="quagga", published=True)
    article.tags.add(tag)
    assert "A fish." in client.get("/tags/shchuka/").content.decode()
    editor.post(change(tag), form_data(editor.get(change(tag)), name="Щуки"))
    assert "Щуки" in client.get("/quagga/").content.decode()
    delete(editor, tag)
    assert client.get("/tags/shchuka/").status_code == 410
    assert "Щуки" not in client.get("/quagga/").content.decode()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "BREAD"}, "name"),
        ({"name": 'say "no"'}, "name"),
        ({"name": "!?"}, "name"),
        ({"name": "Quagga", "slug": "bread"}, "slug"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(editor: Client, typed: dict[str, str], field: str) -> None:
    before = Tag.objects.count()
    response = editor.post(ADD, form_data(editor.get(ADD), description="“T” & <T>", **typed))
    assert list(response.context["adminform"].form.errors) == [field]
    assert form_data(response)["description"] == "“T” & <T>"
    assert Tag.objects.count() == before


@pytest.mark.parametrize("term", ["щука", "ЩУКА", "Щу", "чёрная  щука", "ЧЕРНАЯ"])
def test_tags_are_found_whatever_the_case_and_accents(editor: Client, term: str) -> None:
    tag = Tag.objects.create(name="Чёрная щука")
    assert list(editor.get(LIST, {"q": term}).context["cl"].result_list) == [tag]


def test_the_list_says_how_often_a_tag_is_used_and_which_may_bring_quotations(editor: Client) -> None:
    tag = Tag.objects.create(name="quagga", brings_quotations=True)
    for number in range(3):
        Quote.objects.create(text=f"Quote {number}").tags.add(tag)
    Article.objects.create(title="Quagga", slug="quagga").tags.add(tag)
    page = editor.get(f"{LIST}?q=quagga&brings_quotations__exact=1").content.decode()
    assert '<td class="field-uses">4</td>' in page


# Silence


def test_a_tag_that_advises_silence_supplies_no_quotations(editor: Client) -> None:
    typed = {"name": "Quagga", "description": "A striped horse.", "advises_silence": "on"}
    refused = editor.post(ADD, form_data(editor.get(ADD), **typed, brings_quotations="on"))
    assert "Choose one of the two." in str(refused.context["adminform"].form.errors["advises_silence"])
    assert form_data(refused)["description"] == "A striped horse."
    editor.post(ADD, form_data(refused, brings_quotations=None))
    tag = Tag.objects.get(name="Quagga")
    assert (tag.advises_silence, tag.brings_quotations) == (True, False)
    assert [*editor.get(f"{LIST}?advises_silence__exact=1").context["cl"].result_list] == [tag]


def _update_by_sql(tag: Tag) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE rlm_site_tag SET advises_silence = %s WHERE id = %s", [True, tag.pk])


@pytest.mark.parametrize(
    "write",
    [
        lambda tag: Tag.objects.filter(pk=tag.pk).update(advises_silence=True),
        lambda tag: Tag.objects.create(name="okapi", advises_silence=True, brings_quotations=True),
        lambda tag: Tag.objects.bulk_create(
            [Tag(name="okapi", slug="o", advises_silence=True, brings_quotations=True)]
        ),
        _update_by_sql,
    ],
)
def test_no_tag_does_both_however_it_is_written(write: Callable[[Tag], object]) -> None:
    tag = Tag.objects.create(name="quagga", brings_quotations=True)
    with pytest.raises(DatabaseError, match="choose one of the two"), transaction.atomic():
        write(tag)
    assert not Tag.objects.filter(advises_silence=True).exists()


def test_a_program_that_does_not_know_the_field_can_write_tags() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rlm_site_tag (name, slug, folded, description, brings_quotations) VALUES (%s, %s, %s, '', %s)",
            ["okapi", "okapi", "okapi", True],
        )
    assert Tag.objects.get(name="okapi").advises_silence is False


# Suggestions


def suggested(client: Client, typed: str, *chosen: str) -> list[str]:
    names: list[str] = client.get(SUGGESTIONS, {"typed": typed, "chosen": chosen}).json()["names"]
    return names


def test_used_tags_are_suggested_first_and_at_most_ten() -> None:
    editor = group_client("Authors")
    for number in range(12):
        Tag.objects.create(name=f"quagga {number:02}")
    Quote.objects.create(text="A").tags.add("quagga 11")
    Article.objects.create(title="B", slug="b").tags.add("striped quagga", "aquaggas")
    names = suggested(editor, "quagga")
    assert names[:4] == ["quagga 11", "striped quagga", "aquaggas", "quagga 00"]
    assert len(names) == 10


@pytest.mark.parametrize("typed", ["ЧЕРНАЯ", "чёрная  щ", "Щу", "ука"])
def test_suggestions_know_neither_case_nor_accents(editor: Client, typed: str) -> None:
    Tag.objects.create(name="Чёрная щука")
    assert suggested(editor, typed) == ["Чёрная щука"]


def test_what_is_chosen_already_is_not_suggested(editor: Client) -> None:
    Tag.objects.create(name="Quagga")
    assert suggested(editor, "quag") == ["Quagga"]
    assert suggested(editor, "quag", "QUÁGGA", "bread") == []


@pytest.mark.parametrize("typed", ["", "  ", "\0", "%", "_", "no such tag", "a" * 5000])
def test_nothing_is_suggested_for_nothing_and_nonsense(editor: Client, typed: str) -> None:
    assert suggested(editor, typed) == []


def test_suggestions_are_for_those_who_may_write_something(client: Client) -> None:
    assert client.get(SUGGESTIONS).status_code == 302
    assert signed_in("reader", "view_article", "view_tag").get(SUGGESTIONS).status_code == 403
    for permission in ("add_article", "change_quote", "change_tag"):
        assert signed_in(permission, permission).get(SUGGESTIONS).status_code == 200


@pytest.mark.parametrize("address", ["/admin/articles/article/add/", "/admin/quotes/quote/add/"])
def test_every_field_of_tags_asks_for_suggestions(editor: Client, address: str) -> None:
    page = editor.get(address).content.decode()
    field = page.split('name="tags"')[1].split(">")[0]
    assert f'data-tag-suggestions="{SUGGESTIONS}"' in field
    assert 'src="/static/js/tags' in page


# Renaming


def test_a_new_name_is_logged_and_leaves_the_address(editor: Client) -> None:
    tag = Tag.objects.create(name="quagga")
    editor.post(change(tag), form_data(editor.get(change(tag)), name="Burchell"))
    tag.refresh_from_db()
    assert (tag.name, tag.slug) == ("Burchell", "quagga")
    logged = TagChange.objects.get()
    assert logged.author is not None
    assert (logged.said, logged.author.username) == ("“quagga” renamed to “Burchell”", "editor")
    assert logged.said in editor.get(change(tag)).content.decode()


def test_the_address_follows_the_name_where_it_is_emptied(editor: Client) -> None:
    tag = Tag.objects.create(name="quagga")
    editor.post(change(tag), form_data(editor.get(change(tag)), name="Burchell", slug=""))
    tag.refresh_from_db()
    assert (tag.name, tag.slug) == ("Burchell", "burchell")


@pytest.mark.parametrize("name", ["BREAD", "bréad", " bread "])
def test_no_rename_makes_two_of_one_name(editor: Client, name: str) -> None:
    tag = Tag.objects.create(name="quagga")
    response = editor.post(change(tag), form_data(editor.get(change(tag)), name=name))
    assert list(response.context["adminform"].form.errors) == ["name"]
    assert not TagChange.objects.exists()


def test_who_may_not_rename_may_still_describe() -> None:
    tag = Tag.objects.create(name="quagga")
    helper = signed_in("helper", "view_tag", "change_tag")
    page = helper.get(change(tag))
    sent = {**form_data(page, description="A striped horse."), "name": "Burchell", "slug": "burchell"}
    assert helper.post(change(tag), sent).status_code == 302
    tag.refresh_from_db()
    assert (tag.name, tag.slug, tag.description) == ("quagga", "quagga", "A striped horse.")


def test_a_rename_is_undone_from_the_log_on_the_page(editor: Client) -> None:
    tag = Tag.objects.create(name="quagga")
    editor.post(change(tag), form_data(editor.get(change(tag)), name="Burchell"))
    undo = f"/admin/rlm_site/tag/changes/{TagChange.objects.get().pk}/undo/"
    assert f'action="{undo}"' in editor.get(change(tag)).content.decode()
    assert editor.get(undo).status_code == 405
    assert editor.post(undo)["Location"] == change(tag)
    page = editor.get(change(tag)).content.decode()
    assert "Undone: “quagga” renamed to “Burchell”." in page
    assert f'action="{undo}"' not in page
    tag.refresh_from_db()
    assert tag.name == "quagga"
    page = editor.post(undo, follow=True).content.decode()
    assert "This has already been undone." in page


# Merging


def merge_page(tag: Tag) -> str:
    return f"/admin/rlm_site/tag/{tag.pk}/merge/"


@pytest.fixture
def quagga() -> Tag:
    """On eleven quotations and an article, and on one more that has `zebra` too."""
    tag = Tag.objects.create(name="quagga", description="A striped horse.", brings_quotations=True)
    Tag.objects.create(name="Zebra")
    for number in range(11):
        Quote.objects.create(text=f"Quote {number}").tags.add(tag)
    Article.objects.create(title="Horse", slug="horse").tags.add(tag)
    Article.objects.create(title="Mare", slug="mare").tags.add(tag, "zebra")
    return tag


def test_what_a_merge_would_move_is_shown_before_anything_moves(editor: Client, quagga: Tag) -> None:
    assert merge_page(quagga) in editor.get(change(quagga)).content.decode()
    assert "would" not in editor.get(merge_page(quagga)).context["form"].errors
    response = editor.get(merge_page(quagga), {"into": "ZEBRA"})
    moving = {kind.kind: kind for kind in response.context["moving"]}
    assert (moving["Articles"].moved, moving["Articles"].both) == (1, 1)
    assert (moving["Quotations"].moved, moving["Quotations"].both) == (11, 0)
    page = response.content.decode()
    assert ">Horse</a>" in page
    assert ">Mare</a>" not in page
    assert page.count(">“Quote ") == 10
    assert "Only the first 10 are listed." in page
    assert "The description “A striped horse.” will be removed." in page
    assert "pages lose the quotations shown for this tag" in page
    assert quagga.taggedquote_items.count() == 11


def test_a_merge_says_what_becomes_of_the_advice_to_be_silent(editor: Client) -> None:
    war, peace = Tag.objects.create(name="war", advises_silence=True), Tag.objects.create(name="peace")
    assert (
        "“war” advises silence, but “peace” does not" in editor.get(merge_page(war), {"into": "peace"}).content.decode()
    )
    assert (
        "“war” advises silence: editors are warned" in editor.get(merge_page(peace), {"into": "war"}).content.decode()
    )


def test_two_tags_are_merged_and_the_merge_is_undone(editor: Client, quagga: Tag, client: Client) -> None:
    zebra = Tag.objects.get(name="Zebra")
    preview = editor.get(merge_page(quagga), {"into": "zebra"})
    response = editor.post(merge_page(quagga), form_data(preview), follow=True)
    assert response.redirect_chain[-1][0] == change(zebra)
    assert "“quagga” merged into “Zebra”." in response.content.decode()
    assert not Tag.objects.filter(name="quagga").exists()
    logged = TagChange.objects.get()
    undone = editor.post(f"/admin/rlm_site/tag/changes/{logged.pk}/undo/", follow=True)
    assert undone.redirect_chain[-1][0] == change(quagga)
    assert Tag.objects.get(name="quagga").pk == quagga.pk
    assert sorted(Article.objects.get(slug="mare").tags.names()) == ["Zebra", "quagga"]
    logged.refresh_from_db()
    assert logged.undone is not None
    assert str(logged.undone_by) == "editor"


@pytest.mark.parametrize(
    ("into", "told"),
    [("", "required"), ("no such tag", "no tag with this name"), ("QUAGGA", "itself"), ("\0", "Null characters")],
)
def test_what_cannot_be_merged_into_is_said_beside_the_field(editor: Client, quagga: Tag, into: str, told: str) -> None:
    for response in (editor.get(merge_page(quagga), {"into": into}), editor.post(merge_page(quagga), {"into": into})):
        assert told in str(response.context["form"].errors["into"])
    assert Tag.objects.filter(pk=quagga.pk).exists()
    assert not TagChange.objects.exists()


def test_a_tag_that_is_merged_meanwhile_is_not_found(editor: Client, quagga: Tag) -> None:
    zebra = Tag.objects.get(name="Zebra")
    changes.merge_tags(Tag.objects.get(pk=quagga.pk), zebra)
    assert editor.post(merge_page(quagga), {"into": "zebra"}).status_code == 404
    assert editor.get("/admin/rlm_site/tag/999999/merge/").status_code == 404
    assert editor.post("/admin/rlm_site/tag/changes/999999/undo/").status_code == 404


def test_a_merge_that_cannot_be_undone_says_why(editor: Client, quagga: Tag) -> None:
    zebra = Tag.objects.get(name="Zebra")
    first = changes.merge_tags(quagga, zebra)
    changes.merge_tags(Tag.objects.create(name="donkey"), zebra)
    undo = f"/admin/rlm_site/tag/changes/{first.pk}/undo/"
    assert f'action="{undo}"' not in editor.get(change(zebra)).content.decode()
    response = editor.post(undo, follow=True)
    assert response.redirect_chain[-1][0] == change(zebra)
    assert "Undo the later change first" in response.content.decode()


def test_authors_and_readers_merge_and_undo_nothing(quagga: Tag) -> None:
    zebra = Tag.objects.get(name="Zebra")
    donkey = Tag.objects.create(name="donkey")
    merged = changes.merge_tags(donkey, zebra)
    undo = f"/admin/rlm_site/tag/changes/{merged.pk}/undo/"
    for lesser in (group_client("Authors"), signed_in("helper", "view_tag", "change_tag", "delete_tag")):
        for page in (lesser.get(merge_page(quagga)), lesser.get(merge_page(quagga), {"into": "zebra"})):
            assert page.status_code == 403
        assert lesser.post(merge_page(quagga), {"into": "zebra"}).status_code == 403
        assert lesser.post(undo).status_code == 403
        shown = lesser.get(change(zebra)).content.decode()
        assert merged.said in shown
        assert undo not in shown
    assert Tag.objects.filter(pk=quagga.pk).exists()
    assert not Tag.objects.filter(name="donkey").exists()


def test_editors_merge_tags(quagga: Tag) -> None:
    editor = group_client("Editors")
    page = editor.get(merge_page(quagga), {"into": "zebra"})
    assert editor.post(merge_page(quagga), form_data(page)).status_code == 302
    assert not Tag.objects.filter(pk=quagga.pk).exists()


@pytest.mark.parametrize("address", ["/admin/taggit/tag/", "/admin/taggit/tag/merge-tags/", "/admin/taggit/"])
def test_the_librarys_own_pages_of_tags_are_not_there(editor: Client, address: str) -> None:
    assert editor.get(address).status_code == 404
    assert editor.post(address, {"new_tag_name": "quagga"}).status_code == 404


def test_pages_of_a_tag_make_as_many_queries_for_many_uses_as_for_few(editor: Client) -> None:
    tag = Tag.objects.create(name="quagga")
    Tag.objects.create(name="zebra")
    addresses = [
        f"{LIST}?q=quagga",
        change(tag),
        f"/admin/rlm_site/tag/{tag.pk}/delete/",
        f"{merge_page(tag)}?into=zebra",
        f"{SUGGESTIONS}?typed=quagga",
    ]

    def use(count: int) -> None:
        for number in range(count):
            Quote.objects.create(text=f"Quote {number}").tags.add(tag)
            Article.objects.create(title=f"Page {number}", slug=f"page-{count}-{number}").tags.add(tag)
            other = Tag.objects.create(name=f"quagga {count} {number}")
            changes.merge_tags(Tag.objects.create(name=f"okapi {count} {number}"), tag)
            other.name = f"quagga {count} and {number}"
            changes.rename_tag(other)

    use(1)
    few = [count_queries(editor, address) for address in addresses]
    use(20)
    assert [count_queries(editor, address) for address in addresses] == few
    assert max(few) <= 15
