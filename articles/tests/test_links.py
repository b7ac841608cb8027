"""Links follow the pages and headings that they name, and those that lead nowhere are known."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache, partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.test import Client
from django.utils import timezone

from articles import backlinks, links, markdown, review_checks, topics
from articles.models import Article, HeadingId, Link, Reference
from quotes.models import Person, Quote
from rlm_site.history import revisions
from rlm_site.indexing import queue
from rlm_site.indexing.models import SetAside
from rlm_site.tests.editor import delete, delete_selected, form_data, run_action, signed_in, transition

pytestmark = pytest.mark.django_db

LIST = "/admin/articles/article/"


def page(title: str = "Quagga", **fields: Any) -> Article:
    slug = title.lower().replace(" ", "-")
    return Article.objects.create(**{"title": title, "slug": slug, "published": True, **fields})


def text(client: Client, row: Article) -> str:
    html: str = client.get(row.get_absolute_url()).content.decode()
    return html.partition('<div class="text">')[2].partition("</article>")[0]


def broken() -> dict[str, list[str]]:
    queue.process_queue()
    found: dict[str, list[str]] = {}
    for link in review_checks.broken_links(timezone.now()):
        found.setdefault(str(link.row), []).append(link.target)
    return found


def linking_to(*rows: Any, user: Any = None) -> list[tuple[str, str, bool]]:
    queue.process_queue()
    found = backlinks.backlinks_of(rows, user or User(is_superuser=True, is_active=True), timezone.now())
    return [(link.title, link.target, link.is_draft) for link in found]


def change(row: Any) -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"


# Names


def test_a_link_by_name_follows_its_page(client: Client) -> None:
    okapi = page("Okapi")
    stripes = page("Stripes", parent=okapi)
    gnu = page("Gnu", body="[[Okapi]] [[Okapi#Stripes]]")
    assert '<a href="/okapi/">Okapi</a> <a href="/okapi/stripes/">Stripes</a>' in text(client, gnu)
    Article.objects.filter(pk=okapi.pk).update(title="The Okapi", slug="the-okapi")
    assert '<a href="/the-okapi/">Okapi</a> <a href="/the-okapi/stripes/">Stripes</a>' in text(client, gnu)
    Article.objects.filter(pk=stripes.pk).update(parent=gnu, title="Few Stripes", slug="few-stripes")
    assert '<a href="/the-okapi/">Okapi</a> <a href="/gnu/few-stripes/">Stripes</a>' in text(client, gnu)
    assert broken() == {}


def test_a_page_that_has_the_name_by_now_comes_before_one_that_had_it(client: Client) -> None:
    okapi, gnu = page("Okapi"), page("Gnu", body="[[Okapi]]")
    queue.process_queue()
    Article.objects.filter(pk=okapi.pk).update(title="Eland", slug="eland")
    assert '<a href="/eland/">' in text(client, gnu)
    page("Okapi")
    assert '<a href="/okapi/">' in text(client, gnu)


def test_a_name_that_only_editors_know_is_no_link(client: Client) -> None:
    okapi, gnu = page("Okapi"), page("Gnu", body="[[Okapi]]")
    queue.process_queue()
    Article.objects.filter(pk=okapi.pk).update(slug="secret", published=False)
    assert "<a" not in text(client, gnu)
    assert broken() == {"Gnu": ["[[Okapi]]"]}


# Headings


def test_a_link_to_a_heading_works_after_it_is_reworded(client: Client) -> None:
    okapi = page("Okapi", body="## Food\n\n## The river\n\n## Calls")
    page("Gnu", body="[x](/okapi/#the-river)")
    assert 'id="the-river"' in text(client, okapi)
    for heading in ("The river Yarle", "At the river", "Water"):
        Article.objects.filter(pk=okapi.pk).update(body=f"## Food\n\n## {heading}\n\n## Calls")
        found = text(client, okapi)
        assert found.count('<span id="the-river"></span>') == found.count('id="the-river"') == 1
        assert f'<span id="the-river"></span>{heading}</h2>' in found or f"</span>{heading}</h2>" in found
        assert broken() == {}
    Article.objects.filter(pk=okapi.pk).update(body="## Food\n\n## Calls")
    assert 'id="the-river"' not in text(client, okapi)
    assert broken() == {"Gnu": ["/okapi/#the-river"]}


def test_an_id_of_before_gives_way_to_a_heading_that_has_it(client: Client) -> None:
    okapi = page("Okapi", body="## Food")
    queue.process_queue()
    Article.objects.filter(pk=okapi.pk).update(body="## Meals")
    assert '<h2 id="meals"><span id="food"></span>Meals</h2>' in text(client, okapi)
    Article.objects.filter(pk=okapi.pk).update(body="## Meals\n\n## Food")
    assert text(client, okapi).count('id="food"') == 1
    assert '<h2 id="food">Food</h2>' in text(client, okapi)


def test_headings_that_change_places_keep_their_ids(client: Client) -> None:
    okapi = page("Okapi", body="## One\n\n## Two\n\n## Three")
    queue.process_queue()
    Article.objects.filter(pk=okapi.pk).update(body="## Three\n\n## Two again\n\n## One")
    assert [row.leads_to for row in HeadingId.objects.filter(article=okapi, position=None)] == []
    found = text(client, okapi)
    assert all(f'<h2 id="{name}">' in found for name in ("one", "three"))


def test_headings_among_others_are_known_by_their_words(client: Client) -> None:
    okapi = page("Okapi", body="## Life on the river\n\n## Notes on sources")
    queue.process_queue()
    Article.objects.filter(pk=okapi.pk).update(body="## Range\n\n## The sources\n\n## Life at the river")
    found = text(client, okapi)
    assert '<span id="notes-on-sources"></span>The sources' in found
    assert '<span id="life-on-the-river"></span>Life at the river' in found


# What leads nowhere


def test_each_kind_of_link_that_leads_nowhere_is_listed() -> None:
    Reference.objects.create(key="zorb-1950", title="On Zorblax")
    person = Person.objects.create(name="Edgar Zorb", slug="edgar-zorb")
    quote = Quote.objects.create(text="A hope of stripes.", person=person, published=True)
    hidden = Quote.objects.create(text="Nobody may see it.", person=person)
    page("Draft", published=False, body="[[Nowhere]]")
    page("Kudu", body="## Horns")
    good = [
        f"[q]({quote.get_absolute_url()})", f"[q](/quotes/{quote.pk}/other-words/)", "[p](/quotes/people/edgar-zorb/)",
        "[s](/search/?q=kudu)", "[h](/)", "[k](/kudu/#horns)", "[k](/KUDU/)", f"[k]({settings.SITE_URL}/kudu/)",
        "[c](/kudu/#quotations)", "[e](https://other.example/no/)", "[m](mailto:a@b.example)", "[@zorb-1950]",
    ]  # fmt: skip
    bad = {
        f"[h]({hidden.get_absolute_url()})": hidden.get_absolute_url(),
        f"[n]({settings.SITE_URL}/no/)": f"{settings.SITE_URL}/no/",
        "[n](/no/such/)": "/no/such/",
        "[n](/quotes/99999999/)": "/quotes/99999999/",
        "[n](/kudu/#tail)": "/kudu/#tail",
        "[n](/quotes/people/no/)": "/quotes/people/no/",
        "[n](/draft/)": "/draft/",
        "[[Draft]]": "[[Draft]]",
        "[y](#not-there)": "#not-there",
        "[@no-such]": "[@no-such]",
    }
    page("Okapi", body=" ".join([*good, *bad]))
    assert broken() == {"Okapi": sorted(bad.values())}


def test_what_takes_the_place_of_a_withdrawn_page_is_followed(client: Client) -> None:
    now = timezone.now()
    page("Kudu")
    page("Okapi", retire_at=now - timedelta(days=1), publish_at=now - timedelta(days=2), retired_to="/kudu/")
    lost = page("Eland", retire_at=now - timedelta(days=1), publish_at=now - timedelta(days=2), retired_to="/no/such/")
    page("Gnu", body="[x](/okapi/) [y](/eland/)")
    assert client.get("/okapi/", follow=True).status_code == 200
    assert broken() == {"Eland": ["/no/such/"], "Gnu": ["/eland/"]}
    Article.objects.filter(pk=lost.pk).update(retired_to="/kudu/")
    assert broken() == {}


def test_the_page_of_broken_links_names_page_link_and_reason() -> None:
    editor = signed_in()
    dashboard = editor.get("/admin/").content.decode()
    assert "There are no broken links." in dashboard
    okapi = page("Okapi", body="[x](/no/such/) [[Nowhere]]")
    assert f'<a href="{LIST}broken-links/"><b>1</b> article</a>' in editor.get("/admin/").content.decode()
    listed = editor.get(f"{LIST}broken-links/").content.decode()
    assert f'<a href="{change(okapi)}">Okapi</a>' in listed
    assert "<code>/no/such/</code>" in listed
    assert "The linked page does not exist" in listed
    assert Client().get(f"{LIST}broken-links/").status_code == 302


# What links here


def test_links_are_found_by_every_name_and_address() -> None:
    okapi = page("Okapi")
    stripes = page("Stripes", parent=okapi, body="[[Okapi]]")
    queue.process_queue()
    Article.objects.filter(pk=okapi.pk).update(slug="the-okapi")
    page("Gnu", body="[[okapi]] [[Okapi#Stripes]] [a](/okapi/) [b](/the-okapi/?x#y)")
    page("Eland", retired_to="/the-okapi/")
    page("Kudu", body="[[Kudu]] [elsewhere](/okapi-and-others/) [[Okapi#Other]]")
    assert linking_to(okapi) == [
        ("Eland", "/the-okapi/", False),
        ("Gnu", "/okapi/", False),
        ("Gnu", "/the-okapi/?x#y", False),
        ("Gnu", "[[okapi]]", False),
        ("Okapi - Stripes", "[[Okapi]]", False),
    ]
    assert linking_to(stripes) == [("Gnu", "[[Okapi#Stripes]]", False)]
    assert linking_to(okapi, stripes) == [
        ("Eland", "/the-okapi/", False),
        ("Gnu", "/okapi/", False),
        ("Gnu", "/the-okapi/?x#y", False),
        ("Gnu", "[[Okapi#Stripes]]", False),
        ("Gnu", "[[okapi]]", False),
    ]


def test_links_of_drafts_count_until_they_are_published_or_discarded() -> None:
    okapi, gnu = page("Okapi"), page("Gnu")
    queue.process_queue()
    revisions.save_draft(gnu, {"body": "[[Okapi]]", "tags": []})
    assert linking_to(okapi) == [("Gnu", "[[Okapi]]", True)]
    assert linking_to(okapi, user=AnonymousUser()) == [("Gnu", "[[Okapi]]", True)]
    editor = signed_in()
    transition(editor, gnu, "publish")
    assert linking_to(okapi) == [("Gnu", "[[Okapi]]", False)]
    revisions.save_draft(gnu, {"body": "Nothing", "tags": []})
    assert linking_to(okapi) == [("Gnu", "[[Okapi]]", False)]


def test_drafts_are_known_only_to_those_who_may_read_them() -> None:
    okapi = page("Okapi")
    page("Plan", published=False, body="[[Okapi]]")
    assert linking_to(okapi) == [("Plan", "[[Okapi]]", False)]
    assert linking_to(okapi, user=AnonymousUser()) == []


def test_a_row_that_sql_writes_or_deletes_is_indexed_too() -> None:
    okapi, gnu = page("Okapi"), page("Gnu")
    queue.process_queue()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE articles_article SET body = '[[Okapi]]' WHERE id = %s", [gnu.pk])
    assert linking_to(okapi) == [("Gnu", "[[Okapi]]", False)]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM articles_article WHERE id = %s", [gnu.pk])
    assert linking_to(okapi) == []
    assert not Link.objects.filter(source_kind="article", source_id=gnu.pk).exists()


def test_the_form_of_each_kind_of_record_lists_what_links_there() -> None:
    editor = signed_in()
    person = Person.objects.create(name="Edgar Zorb", slug="edgar-zorb")
    quote = Quote.objects.create(text="A hope of stripes.", person=person, published=True)
    reference = Reference.objects.create(key="Zorb-1950", title="On Zorblax")
    okapi = page("Okapi")
    body = f"[[Okapi]] [p](/quotes/people/edgar-zorb/) [q](/quotes/{quote.pk}/older-words/) [@zorb-1950]"
    gnu = page("Gnu", body=body)
    for row, typed in (
        (okapi, "[[Okapi]]"),
        (person, "/quotes/people/edgar-zorb/"),
        (quote, f"/quotes/{quote.pk}/older-words/"),
        (reference, "[@zorb-1950]"),
    ):
        shown = editor.get(change(row)).content.decode()
        assert f'<li><a href="{change(gnu)}">Gnu</a> <code>{typed}</code></li>' in shown
    assert "No page on this site links here." in editor.get(change(gnu)).content.decode()


# Before something is lost


def test_what_will_lead_nowhere_is_named_before_a_page_is_deleted_or_withdrawn() -> None:
    editor = signed_in()
    okapi = page("Okapi")
    stripes = page("Stripes", parent=okapi, body="[[Okapi]]")
    gnu = page("Gnu", body="[[Okapi#Stripes]]")
    for address in (f"/admin/articles/article/{okapi.pk}/delete/", f"/admin/articles/article/{stripes.pk}/delete/"):
        shown = editor.get(address).content.decode()
        assert "Links that will be broken" in shown
        assert f'<a href="{change(gnu)}">Gnu</a> <code>[[Okapi#Stripes]]</code>' in shown
        assert "<code>[[Okapi]]</code>" not in shown  # which is deleted with its page, or not affected
    assert "<code>[[Okapi#Stripes]]</code>" in run_action(editor, "delete_selected", okapi).content.decode()
    shown = editor.get(f"/admin/articles/article/{stripes.pk}/times/").content.decode()
    assert "<code>[[Okapi#Stripes]]</code>" in shown
    assert "What links here" not in editor.get(f"/admin/articles/article/{gnu.pk}/times/").content.decode()
    delete(editor, stripes)
    assert broken() == {"Gnu": ["[[Okapi#Stripes]]"]}
    delete_selected(editor, okapi)
    assert broken() == {"Gnu": ["[[Okapi#Stripes]]"]}


def test_links_that_a_move_would_break_are_asked_about() -> None:
    editor = signed_in()
    okapi, kudu = page("Okapi"), page("Kudu")
    horns = page("The Horns", slug="horns", parent=okapi)
    page("Tail", parent=okapi, body="[[The Horns]]")
    page("Gnu", body="[[Okapi#horns]]")
    page("Plan", published=False, parent=okapi, body="[[The Horns]]")
    typed = form_data(editor.get(change(horns)), parent=kudu.pk)
    asked = editor.post(change(horns), typed)
    assert asked.status_code == 200
    shown = asked.content.decode()
    assert "The link [[The Horns]] on “Okapi - Tail” will be broken." in shown
    assert "1 more page" in shown
    assert "Gnu" not in str(asked.context["errors"])
    horns.refresh_from_db()
    assert horns.parent == okapi
    saved = editor.post(change(horns), form_data(asked, parent=kudu.pk, take_addresses=ticked(asked)))
    assert saved.status_code == 302
    horns.refresh_from_db()
    assert horns.parent == kudu
    assert broken() == {"Okapi - Tail": ["[[The Horns]]"]}


def ticked(asked: Any) -> str:
    value: str = asked.context["adminform"].form.fields["take_addresses"].widget.value
    return value


def test_a_new_title_is_checked_for_links_before_it_is_published() -> None:
    editor = signed_in()
    okapi = page("The Okapi", slug="okapi")
    page("Gnu", body="[[The Okapi]] [[Okapi]]")
    editor.post(change(okapi), form_data(editor.get(change(okapi)), title="A Giraffe"))
    shown = editor.get(f"/admin/articles/article/{okapi.pk}/publish/").content.decode()
    assert "The link on “Gnu” uses the old title of this page <code>[[The Okapi]]</code>" in shown
    assert "<code>[[Okapi]]</code>" not in shown


# At random


HEADINGS = ("Food", "Calls", "The river", "Sources", "Range", "Names")


class Trial:
    """Pages that link to each other, and acts drawn at random that break or keep links."""

    def __init__(self, seed: int, pages: int) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - a trial that can be repeated
        self.number = 0
        self.now = timezone.now()
        for key in range(20):
            Reference.objects.create(key=f"key-{key}", title=f"Book {key}")
        for _each in range(pages // 5):
            self._add(None)
        for _each in range(pages - pages // 5):
            self._add(self.draw.choice(self._rows(parent=None)))
        self.rows = self._rows()
        for row in self.rows:
            Article.objects.filter(pk=row.pk).update(body=self._body())
        queue.process_queue()

    def _rows(self, **having: Any) -> list[Article]:
        return list(Article.objects.filter(slug__startswith="t-", **having).for_links())

    def _number(self) -> int:
        self.number += 1
        return self.number

    def _name(self) -> str:
        return f"{self.draw.choice(('Hill', 'Mill', 'The Old House'))} {self._number()}"

    def _add(self, parent: Article | None) -> None:
        name = self._name()
        slug = f"t-{name.lower().replace(' ', '-')}"
        Article.objects.create(title=name, slug=slug, parent=parent, published=True)

    def _body(self) -> str:
        headings = self.draw.sample(HEADINGS, 3)
        return "".join(f"## {heading}\n\n{self._link()} {self._link()}\n\n" for heading in headings)

    def _link(self) -> str:
        row = self.draw.choice(self.rows)
        heading = self.draw.choice(HEADINGS).lower().replace(" ", "-")
        name = self.draw.choice((row.title, row.slug))
        return self.draw.choice(
            (
                f"[[{row.topic.title}#{name}]]" if row.parent else f"[[{name}]]",
                f"[[{name}]]",
                f"[x]({row.get_absolute_url()})",
                f"[x]({row.get_absolute_url()}#{heading})",
                f"[x](#{heading})",
                f"[@key-{self.draw.randrange(22)}]",
            )
        )

    def act(self) -> None:
        self.rows = self._rows()
        row = self.draw.choice(self.rows)
        rows = Article.objects.filter(pk=row.pk)
        acts: list[Callable[[], Any]] = [
            lambda: rows.update(slug=f"t-{self._name().lower().replace(' ', '-')}"),
            lambda: rows.update(title=self._name()),
            lambda: rows.filter(parent__isnull=False).update(parent=self.draw.choice(self._rows(parent=None))),
            lambda: rows.update(published=self.draw.random() < 0.5),
            lambda: rows.update(
                publish_at=self.now - timedelta(days=2),
                retire_at=self.now - timedelta(days=1),
                retired_to=self.draw.choice(["", *(other.get_absolute_url() for other in self.rows)]),
            ),
            lambda: rows.update(retire_at=None, publish_at=None),
            lambda: rows.filter(parent__isnull=False).delete(),
            lambda: self._reword(rows),
            lambda: rows.update(body=self._body()),
            lambda: Reference.objects.filter(key=f"key-{self.draw.randrange(20)}").update(key=f"new-{self._number()}"),
        ]
        self.draw.choice(acts)()
        queue.process_queue()

    def _reword(self, rows: Any) -> None:
        body = rows.values_list("body", flat=True)[0]
        heading = self.draw.choice(HEADINGS)
        rows.update(body=body.replace(f"## {heading}\n", f"## {heading} of the {self._name()}\n"))

    def leading_nowhere(self, client: Client) -> Iterator[tuple[str, str]]:
        """Yield the page and the target of each link that a reader cannot follow."""
        now = timezone.now()
        follows = cache(partial(_follows, client))
        for row in Article.objects.published(now).select_related("parent"):
            rendered = topics.render_text(row, now)
            addresses = links.link_addresses(markdown.source(row.body).links, row, now)
            for ref in links.refs_in(markdown.source(row.body)):
                if ref.kind == Link.Kind.NAME:
                    if ref.target not in addresses or client.get(addresses[ref.target]).status_code != 200:
                        yield str(row), f"[[{ref.target}]]"
                elif ref.kind == Link.Kind.CITATION:
                    if ref.target in rendered.missing_references:
                        yield str(row), f"[@{ref.target}]"
                elif not follows(ref.target, row):
                    yield str(row), ref.target
        for row in Article.objects.filter(published=True).exclude(retired_to="").select_related("parent"):
            if not follows(row.retired_to, row):
                yield str(row), row.retired_to


def _follows(client: Client, address: str, beside: Article) -> bool:
    parts = urlsplit(address)
    response = client.get(parts.path or beside.get_absolute_url(), follow=True)
    return response.status_code == 200 and (not parts.fragment or f'id="{parts.fragment}"' in response.content.decode())


@pytest.mark.full
def test_after_acts_at_random_every_link_works_or_is_listed(client: Client) -> None:
    trial = Trial(1845, pages=300)
    for _act in range(300):
        trial.act()
    expected = sorted(set(trial.leading_nowhere(client)))
    listed = sorted((page, target) for page, targets in broken().items() for target in targets)
    assert {*listed} - {*expected} == {*expected} - {*listed} == set()
    assert len(expected) > 30


@pytest.mark.parametrize(
    "typed",
    [
        "[x](/a%00b/)", "[x](/a%07b/#c%0B)", "[x](/%ff%fe/)", "[x](/%ED%A0%80/)", f"[x](/quotes/{'9' * 40}/)",
        "[x](/quotes/²/)",
        f"[x](/{'a' * 5_000}/)", f"[[{'a' * 5_000}]]", "[x](//[/)", "[x](/a\\b)", "[[a#b#c]]", "[[ ]]",
        f"[x](/{'%D0%90' * 400}/)", "[x](/?a=%00#%00)", "[x](#%00)", "[x](/a b/)", "[x](</a b/>)", "[[\u200b]]",
    ],
)  # fmt: skip
def test_no_link_keeps_a_page_from_being_indexed(typed: str, client: Client) -> None:
    okapi = page("Okapi", body=f"## Food\n\nA word. {typed}")
    queue.process_queue()
    assert not SetAside.objects.exists()
    assert client.get("/okapi/").status_code == 200
    broken()
    assert linking_to(okapi) == []
    assert review_checks.check_article(okapi, timezone.now())
