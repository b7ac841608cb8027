"""The history of a record: its list, two versions side by side, and an old one as the next draft."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils import timezone

from articles.models import Article
from quotes.models import Person, Quote
from rlm_site.editor.concurrency import locking
from rlm_site.history import revisions
from rlm_site.history.models import Import, Revision
from rlm_site.tags import changes
from rlm_site.tests.editor import count_queries, form_data, group_client, signed_in, user_of
from rlm_site.tests.html import parse, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def section() -> Article:
    article = Article.objects.get(slug="the-millers")
    revisions.record_external_changes(article)
    return article


def history(row: Any, *further: object) -> str:
    parts = "".join(f"{part}/" for part in further)
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/history/{parts}"


def draft(row: Any, **changed: Any) -> Revision:
    revisions.record_external_changes(row)
    head = revisions.working_copy(row) or revisions.published_revision(row)
    assert head is not None
    return revisions.save_draft(row, {**head.content, **changed})


def restore(somebody: Client, row: Any, number: int, **typed: Any) -> Any:
    address = history(row, number, "restore")
    return somebody.post(address, form_data(somebody.get(address), **typed))


# The list


def test_it_says_who_did_what_when_and_why(section: Article) -> None:
    editor = signed_in("anna")
    anna = user_of(editor)
    imported = Import.objects.create(name="many.csv", digest="f" * 64, model=ContentType.objects.get_for_model(section))
    revisions.record_revision(section, author=anna, comment="Two zorblaxes.", imported=imported)
    published = Revision.State.PUBLISHED
    revisions.record_revision(section, state=published, kind=Revision.Kind.CORRECTION, note="There was one zorblax.")
    revisions.record_revision(section, state=published, act=Revision.Act.PLACE)
    rows = [text_of(row) for row in parse(editor.get(history(section))).findall(".//ol[@class='versions']/li")]
    assert [row.split()[1] for row in rows] == ["4", "3", "2", "1"]
    moved, corrected, drafted, _first = rows
    assert "Moved" in moved
    assert "Published" in corrected
    assert "For readers: correction, “There was one zorblax.”" in corrected
    assert "Draft anna" in drafted
    assert "Two zorblaxes." in drafted
    assert "Imported from many.csv" in drafted


def test_the_newest_two_are_chosen_to_be_compared(section: Article) -> None:
    draft(section, title="Zorblax")
    draft(section, title="Zorblaxes")
    document = parse(signed_in().get(history(section)))
    chosen = {field.get("name"): field.get("value") for field in document.iter("input") if field.get("checked") == ""}
    newest = section.revisions.count()
    assert chosen == {"from": str(newest - 1), "to": str(newest)}


def test_a_row_that_was_changed_from_outside_has_a_version_for_it(section: Article) -> None:
    Article.objects.filter(pk=section.pk).update(body="Written by another program.")
    assert "Changed by another program" in signed_in().get(history(section)).content.decode()
    assert section.revisions.order_by("-number")[0].content["body"] == "Written by another program."


def test_a_long_history_is_paged_and_makes_as_many_queries_as_a_short_one(section: Article) -> None:
    editor = signed_in()
    few = count_queries(editor, history(section))
    anna = user_of(editor)
    for number in range(60):
        revisions.record_revision(section, author=anna, comment=f"Zorblax {number}.")
    assert count_queries(editor, history(section)) <= few + 1  # the count of pages
    assert "Zorblax 59." in editor.get(history(section)).content.decode()
    assert "Zorblax 0." in editor.get(f"{history(section)}?page=2").content.decode()
    assert few <= 15


# Two versions


def test_any_two_versions_stand_side_by_side(section: Article) -> None:
    draft(section, title="One Zorblax", body="The zorblax was green.", tags=["bread"])
    draft(section, title="Two Zorblaxes")
    draft(section, title="Three Zorblaxes", body="The zorblax was blue.", tags=["zorblax"])
    page = signed_in().get(f"{history(section, 'compare')}?from=2&to=4")
    assert [difference.name for difference in page.context["differences"]] == ["title", "body", "tags"]
    text = page.content.decode()
    assert '<del><span class="visually-hidden">removed: </span>green</del>' in text
    assert '<ins><span class="visually-hidden">added: </span>blue</ins>' in text
    assert "Version 2" in text
    assert "Version 4" in text


def test_the_older_one_stands_first_however_they_were_chosen(section: Article) -> None:
    draft(section, title="One Zorblax")
    draft(section, title="Two Zorblaxes")
    page = signed_in().get(f"{history(section, 'compare')}?from=3&to=2")
    assert [side.number for side in page.context["sides"]] == [2, 3]


def test_without_a_choice_the_last_change_is_shown(section: Article) -> None:
    draft(section, title="One Zorblax")
    draft(section, title="Two Zorblaxes")
    page = signed_in().get(history(section, "compare"))
    assert [side.number for side in page.context["sides"]] == [2, 3]


def test_what_acts_at_once_is_compared_too(section: Article) -> None:
    revisions.record_revision(section, state="published", act="choices")
    section.slug, section.position, section.retire_at = "zorblax", 77, timezone.now()
    section.save()
    section.quote_choices.create(quote=Quote.objects.order_by("pk")[0], reason="A zorblax.")
    revisions.record_revision(section, state="published", act="place")
    found = signed_in().get(history(section, "compare")).context["differences"]
    assert {difference.name for difference in found} == {"slug", "position", "retire_at", "choices"}


@pytest.mark.parametrize("query", ["from=1&to=99", "from=x", "to=²", "from=-1", "from=99999999999999999999"])
def test_a_version_that_is_not_there_is_not_found(query: str, section: Article) -> None:
    assert signed_in().get(f"{history(section, 'compare')}?{query}").status_code == 404


def test_comparing_makes_few_queries_however_much_has_changed() -> None:
    editor = signed_in()
    one, *others = Quote.objects.exclude(person=None).exclude(work=None).order_by("pk")[:4]
    people, works, sayings = ([getattr(quote, name) for quote in others] for name in ("person_id", "work_id", "pk"))
    draft(one, person=people[0], work=works[0], quoted_in=works[1], true_source=sayings[0], version_of=sayings[1])
    draft(one, person=people[1], work=works[1], quoted_in=works[2], true_source=sayings[1], version_of=sayings[2])
    assert len(editor.get(history(one, "compare")).context["differences"]) == 5
    assert count_queries(editor, history(one, "compare")) <= 20  # one for each record that a version names


def test_a_version_of_an_article_can_be_seen_as_readers_would(section: Article, client: Client) -> None:
    draft(section, title="One Zorblax", body="The zorblax was *green*.", tags=["zorblax"])
    draft(section, title="Two Zorblaxes")
    editor = signed_in()
    assert history(section, 2, "preview") in editor.get(history(section)).content.decode()
    page = editor.get(history(section, 2, "preview"))
    assert "One Zorblax" in text_of(parse(page).find(".//h1"))
    assert "The zorblax was <em>green</em>." in page.content.decode()
    assert page["X-Robots-Tag"] == "noindex, nofollow"
    assert client.get(history(section, 2, "preview")).status_code == 302
    assert signed_in("stranger", "view_quote").get(history(section, 2, "preview")).status_code == 403
    assert editor.get(history(section, 99, "preview")).status_code == 404


def test_what_is_not_a_page_has_no_preview_of_its_versions() -> None:
    quote = Quote.objects.order_by("pk")[0]
    draft(quote, text="A zorblax.")
    editor = signed_in()
    assert "preview/" not in editor.get(history(quote)).content.decode().split('class="versions"')[1]
    assert editor.get(history(quote, 1, "preview")).status_code == 404


# An old version as the next draft


def test_an_old_version_comes_back_as_a_draft_and_readers_see_nothing(section: Article, client: Client) -> None:
    editor, before = signed_in(), client.get(section.get_absolute_url()).content
    row = Article.objects.filter(pk=section.pk).values().get()
    draft(section, title="The Zorblax", body="About the zorblax.", tags=["zorblax"])
    response = restore(editor, section, 1, comment="The zorblax was a hoax.")
    assert response["Location"] == f"/admin/articles/article/{section.pk}/change/"
    copy = revisions.working_copy(section)
    assert copy is not None
    assert copy.state == Revision.State.DRAFT
    assert copy.content == section.revisions.get(number=1).content
    assert copy.comment == "Restored version 1. The zorblax was a hoax."
    assert copy.author is not None
    assert Article.objects.filter(pk=section.pk).values().get() == row
    assert client.get(section.get_absolute_url()).content == before


def test_a_restored_version_is_undone_as_any_draft_is(section: Article) -> None:
    editor = signed_in()
    draft(section, title="The Zorblax")
    draft(section, title="The Quagga")
    restore(editor, section, 2)
    restore(editor, section, 3)
    copy = revisions.working_copy(section)
    assert copy is not None
    assert copy.content["title"] == "The Quagga"
    assert section.revisions.count() == 5


def test_a_record_that_was_never_public_follows_the_version(client: Client) -> None:
    article = Article.objects.create(title="Zorblax", slug="zorblax")
    revisions.record_revision(article)
    revisions.save_draft(article, {**revisions.content_of(article), "title": "Quagga", "tags": ["quagga"]})
    restore(signed_in(), article, 1)
    article.refresh_from_db()
    assert article.title == "Zorblax"
    assert not article.tags.exists()
    assert client.get("/zorblax/").status_code == 404


def test_what_was_saved_meanwhile_is_not_overlooked(section: Article) -> None:
    editor, other = signed_in(), user_of(group_client("Editors", "boris"))
    draft(section, title="The Zorblax")
    address = history(section, 1, "restore")
    form = form_data(editor.get(address), comment="Mine.")
    content = section.revisions.get(number=2).content
    revisions.save_draft(section, {**content, "title": "The Quagga"}, author=other)
    response = editor.post(address, form)
    assert response.status_code == 409
    page = response.content.decode()
    assert "boris saved version 3 on" in page
    [title] = [difference for difference in response.context["differences"] if difference.name == "title"]
    assert "".join(part.text for part in title.before) == "The Quagga"
    assert section.revisions.count() == 3
    assert editor.post(address, form_data(response)).status_code == 302
    assert section.revisions.order_by("-number")[0].comment == "Restored version 1. Mine."


def test_a_form_without_its_number_or_with_too_long_a_comment_restores_nothing(section: Article) -> None:
    editor, address = signed_in(), history(section, 1, "restore")
    draft(section, title="The Zorblax")
    for form in ({}, {"seen": "x"}, {"seen": 2, "comment": "a" * 1000}):
        page = editor.post(address, form)
        assert page.status_code == 200
        assert section.revisions.count() == 2
    assert "a" * 1000 in page.content.decode()


def test_where_the_database_is_busy_the_comment_is_kept(section: Article, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def never() -> Iterator[None]:
        raise locking.BusyError
        yield

    draft(section, title="The Zorblax")
    editor = signed_in()
    form = form_data(editor.get(history(section, 1, "restore")), comment="It was a hoax.")
    monkeypatch.setattr(locking, "write_transaction", never)
    page = editor.post(history(section, 1, "restore"), form)
    assert page.status_code == 409
    assert "The database is busy." in page.content.decode()
    assert form_data(page)["comment"] == "It was a hoax."
    assert section.revisions.count() == 2


def test_a_person_who_was_deleted_since_does_not_come_back(client: Client) -> None:
    person = Person.objects.create(name="Zorblax", slug="zorblax")
    quote = Quote.objects.create(text="A zorblax.", person=person)
    revisions.record_revision(quote)
    other = Person.objects.exclude(pk=person.pk)[0]
    revisions.save_draft(quote, {**revisions.content_of(quote), "person": other.pk, "text": "Two zorblaxes."})
    person.delete()
    editor = signed_in()
    assert "Person will not change" in editor.get(history(quote, 1, "restore")).content.decode()
    restore(editor, quote, 1)
    quote.refresh_from_db()
    assert (quote.text, quote.person) == ("A zorblax.", other)


def test_a_tag_comes_back_under_the_name_it_has_now(section: Article) -> None:
    draft(section, tags=["zorblax"])
    section.tags.add("zorblax")
    tag = section.tags.get(name="zorblax")
    draft(section, tags=[])
    tag.name = "quagga"
    changes.rename_tag(tag)
    restore(signed_in(), section, 2)
    copy = revisions.working_copy(section)
    assert copy is not None
    assert copy.content["tags"] == ["quagga"]


def test_there_is_nothing_to_restore_of_what_stands_in_the_form(section: Article) -> None:
    editor = signed_in()
    assert "nothing to restore" in editor.get(history(section, 1, "restore")).content.decode()
    assert editor.post(history(section, 1, "restore"), {"seen": 1}).status_code == 409
    assert section.revisions.count() == 1


# Who may


def test_authors_look_at_the_history_of_all_and_restore_only_what_they_began(section: Article) -> None:
    draft(section, title="The Zorblax")
    author = group_client("Authors")
    for address in (history(section), history(section, "compare")):
        assert author.get(address).status_code == 200
    assert "Restore" not in author.get(history(section)).content.decode()
    assert author.get(history(section, 1, "restore")).status_code == 403
    assert author.post(history(section, 1, "restore"), {"seen": 2}).status_code == 403
    assert section.revisions.count() == 2
    Article.objects.filter(pk=section.pk).update(owner=user_of(author))
    assert restore(author, section, 1).status_code == 302


def test_whoever_may_not_see_the_record_does_not_see_its_history(section: Article) -> None:
    draft(section, title="The Zorblax")
    stranger = signed_in("stranger", "view_quote", "view_revision")
    for address in (history(section), history(section, "compare"), history(section, 1, "restore")):
        assert stranger.get(address).status_code == 403
    version = section.revisions.order_by("-number")[0]
    assert stranger.get(f"/admin/rlm_site/revision/{version.pk}/change/").status_code == 302
    assert "The Zorblax" not in stranger.get("/admin/rlm_site/revision/").content.decode()


def test_a_record_that_is_gone_has_no_pages(section: Article) -> None:
    editor, addresses = signed_in(), (history(section, "compare"), history(section, 1, "restore"))
    section.delete()
    for address in addresses:
        assert editor.get(address).status_code in {302, 404}
