"""The editors' desk as a whole: who gets in, what it shows, and that nothing in it runs inline."""

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import Client

from articles.models import Article, Reference
from quotes.models import Person, Quote, Word, Work
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.redirects.models import Address
from rlm_site.tags.models import Tag
from rlm_site.tests.editor import count_queries, form_data, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> Client:
    return signed_in()


def pages() -> list[str]:
    """One address of every kind of page."""
    models: list[Any] = [Article, Reference, Quote, Person, Work, Tag, Revision, Address, User]
    addresses = ["/admin/", "/admin/quotes/", "/admin/password_change/", "/admin/quotes/person/add/?_popup=1"]
    for model in models:
        place = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        row = model._default_manager.order_by("pk")[0]
        addresses += [place, f"{place}?q=bread", f"{place}{row.pk}/change/", f"{place}{row.pk}/history/"]
        if model not in {Revision, Address}:
            addresses.append(f"{place}add/")
        if model is not Revision:
            addresses.append(f"{place}{row.pk}/delete/")
    return [*addresses, "/admin/auth/group/add/", "/admin/axes/accessattempt/"]


@pytest.mark.parametrize("address", ["/admin/", "/admin/articles/article/", "/admin/quotes/quote/add/"])
def test_strangers_and_readers_with_an_account_are_asked_to_log_in(client: Client, address: str) -> None:
    assert client.get(address)["Location"] == f"/admin/login/?next={address}"
    client.force_login(User.objects.create(username="reader"))
    assert client.get(address)["Location"] == f"/admin/login/?next={address}"


def test_every_page_answers_and_has_nothing_inline(editor: Client) -> None:
    queue.process_queue()
    addresses = [(address, editor.get(address)) for address in pages()]
    addresses.append(("/admin/login/", Client(HTTP_HOST="127.0.0.1").get("/admin/login/")))
    for address, response in addresses:
        assert response.status_code == 200, address
        policy = response["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "script-src 'self'" in policy
        page = response.content.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)[^>]*>", page), address
        assert "/static/css/tokens" in page
        assert "/static/css/admin" in page


def test_the_desk_bears_the_name_of_the_site_and_leads_to_it(editor: Client) -> None:
    page = editor.get("/admin/").content.decode()
    assert ">Yarle Almanac</a>" in page
    assert '<a href="/">View site</a>' in page


def test_only_our_tags_are_there(editor: Client) -> None:
    page = editor.get("/admin/").content.decode()
    assert 'href="/admin/rlm_site/tag/"' in page
    assert "/admin/taggit/" not in page
    assert "/admin/quotes/word/" not in page


def test_an_editor_sees_what_the_operator_allows() -> None:
    page = signed_in("anna", "change_article", "view_quote").get("/admin/").content.decode()
    assert 'href="/admin/articles/article/"' in page
    assert "/admin/auth/" not in page
    assert "/admin/articles/article/add/" not in page


def test_somebody_who_guesses_passwords_is_told_to_wait(client: Client, settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    User.objects.create(username="editor", password="!", is_staff=True)
    form = form_data(client.get("/admin/login/"), username="editor", password="guess")
    for _guess in range(2):
        assert client.post("/admin/login/", form).status_code == 200
    response = client.post("/admin/login/", form)
    assert response.status_code == 429
    page = response.content.decode()
    assert "Too many failed sign-ins" in page
    assert "Wait 15 minutes" in page


def test_the_history_is_read_and_never_written(editor: Client) -> None:
    revision = Revision.objects.filter(content__has_key="body").order_by("pk")[0]
    address = f"/admin/rlm_site/revision/{revision.pk}/"
    assert revision.content["title"] in editor.get(f"{address}change/").content.decode()
    assert editor.post(f"{address}change/", {"note": "Forged."}).status_code == 403
    assert editor.post(f"{address}delete/", {"post": "yes"}).status_code == 403
    assert editor.get("/admin/rlm_site/revision/add/").status_code == 403
    assert Revision.objects.filter(pk=revision.pk).exclude(note="Forged.").exists()


def test_the_history_leads_to_the_record_and_to_what_a_version_changed(editor: Client) -> None:
    article = Article.objects.get(slug="the-millers")
    revisions.record_external_changes(article)
    version = revisions.save_draft(article, {**revisions.content_of(article), "title": "The Zorblaxes"})
    page = editor.get(f"/admin/rlm_site/revision/{version.pk}/change/").content.decode()
    assert f'href="/admin/articles/article/{article.pk}/change/"' in page
    [compare] = re.findall(r'href="(/admin/articles/article/\d+/history/compare/[^"]*)"', page)
    assert "The Zorblaxes" in page
    assert "Zorblaxes</ins>" in editor.get(html.unescape(compare)).content.decode()


def test_viewing_on_site_leads_to_what_readers_find_alone(editor: Client) -> None:
    def leads_to(row: Any, key: int | None = None) -> str:
        content_type = ContentType.objects.get_for_model(row)
        response = editor.get(f"/admin/r/{content_type.pk}/{key or row.pk}/")
        assert response.status_code in {302, 404}
        return response.headers.get("Location", "")

    article = Article.objects.create(title="Quagga", slug="quagga")
    person = Person.objects.create(name="Quagga", slug="quagga")
    tag = Tag.objects.create(name="quagga")
    article.tags.add(tag)
    quote = Quote.objects.create(text="A quagga.", status="reported", person=person)
    queue.process_queue()
    rows: list[Any] = [article, person, tag, quote]
    assert [leads_to(row) for row in [*rows, Word.objects.get(text="quagga"), User.objects.get()]] == [""] * 6
    for row in rows[:3]:
        page = editor.get(f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/").content.decode()
        assert "viewsitelink" not in page
    Article.objects.filter(pk=article.pk).update(published=True)
    Quote.objects.filter(pk=quote.pk).update(published=True)
    assert [leads_to(row) for row in rows] == [row.get_absolute_url() for row in rows]
    assert leads_to(article, 987654321) == ""


def test_an_old_address_can_be_given_up(editor: Client, client: Client) -> None:
    article = Article.objects.create(title="Quagga", slug="quagga", published=True)
    queue.process_queue()
    Article.objects.filter(pk=article.pk).update(slug="quokka")
    assert client.get("/quagga/")["Location"] == "/quokka/"
    old = Address.objects.get(path="/quagga/")
    assert old in editor.get("/admin/rlm_site/address/?q=quagga").context["cl"].result_list
    editor.post(f"/admin/rlm_site/address/{old.pk}/delete/", {"post": "yes"})
    assert client.get("/quagga/").status_code == 404


def test_what_happened_and_old_addresses_are_listed_with_few_queries(editor: Client) -> None:
    addresses = ["/admin/rlm_site/revision/?all=", "/admin/rlm_site/address/"]
    assert max(count_queries(editor, address) for address in addresses) <= 15
