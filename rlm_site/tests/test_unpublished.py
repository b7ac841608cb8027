"""What is not public is nowhere: every place that would show a page or a quotation is asked for it."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from django.utils import timezone

from articles import previews
from articles.models import Article, Event, QuoteChoice, Reference
from quotes.models import Check, IndexTerm, Person, Quote, Word, Work
from rlm_site.front.sitemaps import SITEMAPS
from rlm_site.history import revisions, trash
from rlm_site.history.models import Deletion, Import, Revision
from rlm_site.indexing import queue
from rlm_site.redirects.models import Address
from rlm_site.tags.models import Tag
from rlm_site.testing.databases import on_postgresql
from rlm_site.testing.served import Site
from rlm_site.tests.editor import group_client, signed_in
from rlm_site.tests.html import links, parse, text_of

pytestmark = pytest.mark.django_db

SOON, LATELY = timezone.now() + timedelta(days=1), timezone.now() - timedelta(days=1)
STATES: dict[str, dict[str, Any]] = {
    "draft": {"published": False},
    "scheduled": {"published": True, "publish_at": SOON},
    "retired": {"published": True, "retire_at": LATELY},
}
PUBLIC: dict[str, Any] = {"published": True, "publish_at": LATELY, "retire_at": SOON}
Places = dict[str, Callable[[Client], bool]]


def shows(address: str, needle: str) -> Callable[[Client], bool]:
    return lambda client: needle in client.get(address).content.decode()


def leads_to(address: str, target: str) -> Callable[[Client], bool]:
    return lambda client: target in links(parse(client.get(address)))


def is_found(address: str) -> Callable[[Client], bool]:
    return lambda client: client.get(address).status_code == 200


def context(address: str, of: Callable[[Any], Any]) -> Callable[[Client], bool]:
    return lambda client: bool(of(client.get(address).context))


def where_it_shows(client: Client, places: Places) -> list[str]:
    return [name for name, shown in places.items() if shown(client)]


def where_it_is_missing(client: Client, places: Places) -> list[str]:
    return [name for name, shown in places.items() if not shown(client)]


# A section, with a tag, a heading word, a quotation and a source that only it has, and a link from another page.

SECTION = "/zorblaxia/zorblax-heights/"


def add_section(fields: dict[str, Any], topic: dict[str, Any]) -> None:
    above = Article.objects.create(
        **{"title": "Zorblaxia", "slug": "zorblaxia", "body": "A land.", "position": 99, **topic}
    )
    section = Article.objects.create(
        parent=above,
        title="Zorblax Heights",
        slug="zorblax-heights",
        body="The heights of zorblaxity.[@zorb-1950; @arden-1987]",
        **fields,
    )
    section.tags.add("zorblaxian", "bread")
    Reference.objects.create(key="zorb-1950", title="On Zorb", authors="Blax, Zora", year="1950")
    Article.objects.create(
        title="Linker", slug="linker", body="See [[Zorblaxia#Zorblax Heights|the heights]].", published=True
    )
    Quote.objects.create(
        pk=9001, key="zorb", text="Zorblax heights are what they are.", status="reported", published=True
    )


SECTION_PLACES: Places = {
    "its own page": is_found(SECTION),
    "the word of its heading": leads_to("/words/zorblax/", SECTION),
    "its own tag": is_found("/tags/zorblaxian/"),
    "another tag": leads_to("/tags/bread/", SECTION),
    "the list of tags": shows("/tags/", "zorblaxian"),
    "related tags": shows("/tags/bread/", "zorblaxian"),
    "search": leads_to("/search/?q=heights", SECTION),
    "counts of the search": context(
        "/search/?q=zorblaxity", lambda found: sum(n for _kind, n in found["results"].kinds)
    ),
    "tags of the search": shows("/search/?q=heights+zorblaxity", "bread ("),
    "filters of the search": is_found("/search/?q=rain&tag=zorblaxian"),
    "filters of quotations": is_found("/quotes/?tag=zorblaxian"),
    "changes": leads_to("/changes/", SECTION),
    "newest changes on the home page": leads_to("/", SECTION),
    "feed of changes": shows("/feeds/changes/", SECTION),
    "sitemap": shows("/sitemap-articles.xml", SECTION),
    "tags in the sitemap": shows("/sitemap-tags.xml", "/tags/zorblaxian/"),
    "a work that others cite too": leads_to("/references/", SECTION),
    "a work that only it cites": shows("/references/", "On Zorb"),
    "wiki links": leads_to("/linker/", SECTION),
    "pages that show a quotation": leads_to("/quotes/9001/zorblax-heights-are-what-they-are/", SECTION),
    "the nearest pages of an address that is not there": leads_to("/zorblax/", SECTION),
}
OF_TOPIC: Places = {
    "the topic's sentence": leads_to("/zorblaxia/", SECTION),
    "the contents beside another section": leads_to("/zorblaxia/other/", SECTION),
}


def test_a_public_section_shows_in_all_these_places(client: Client) -> None:
    add_section(PUBLIC, PUBLIC)
    Article.objects.create(
        parent=Article.objects.get(slug="zorblaxia"), title="Other", slug="other", position=2, published=True
    )
    places = {**SECTION_PLACES, **OF_TOPIC}
    assert where_it_is_missing(client, places) == []


@pytest.mark.parametrize("state", STATES)
def test_a_section_that_is_not_public_is_nowhere(client: Client, state: str) -> None:
    add_section(STATES[state], PUBLIC)
    Article.objects.create(
        parent=Article.objects.get(slug="zorblaxia"), title="Other", slug="other", position=2, published=True
    )
    assert where_it_shows(client, {**SECTION_PLACES, **OF_TOPIC}) == []
    assert client.get(SECTION).status_code == (410 if state == "retired" else 404)
    assert "the heights" in text_of(parse(client.get("/linker/")))


@pytest.mark.parametrize("state", STATES)
def test_a_section_of_a_topic_that_is_not_public_is_nowhere(client: Client, state: str) -> None:
    add_section(PUBLIC, STATES[state])
    assert where_it_shows(client, SECTION_PLACES) == []
    assert client.get(SECTION).status_code == (410 if state == "retired" else 404)


@pytest.mark.parametrize("state", STATES)
def test_a_topic_that_is_not_public_is_nowhere(client: Client, state: str) -> None:
    add_section(PUBLIC, STATES[state])
    places = {
        "its own page": is_found("/zorblaxia/"),
        "home": leads_to("/", "/zorblaxia/"),
        "search": leads_to("/search/?q=zorblaxia", "/zorblaxia/"),
        "an empty search": leads_to("/search/", "/zorblaxia/"),
        "sitemap": shows("/sitemap-articles.xml", "/zorblaxia/"),
        "changes": leads_to("/changes/", "/zorblaxia/"),
        "spelling": shows("/search/?q=zorblaxai", "zorblaxia"),
    }
    assert where_it_shows(client, places) == []
    Article.objects.filter(slug="zorblaxia").update(**PUBLIC)
    assert where_it_is_missing(client, places) == []


@pytest.mark.parametrize(("fields", "shown"), [({"publish_at": SOON}, False), ({"publish_at": LATELY}, True)])
def test_no_job_needs_to_run_for_the_clock_to_publish(client: Client, fields: dict[str, Any], shown: bool) -> None:
    add_section({"published": True, **fields}, PUBLIC)
    assert bool(where_it_shows(client, SECTION_PLACES)) is shown


def test_a_page_taken_back_is_nowhere_on_the_next_request(client: Client) -> None:
    add_section(PUBLIC, PUBLIC)
    assert where_it_is_missing(client, SECTION_PLACES) == []
    Article.objects.filter(slug="zorblax-heights").update(published=False)
    assert where_it_shows(client, SECTION_PLACES) == []


def test_a_draft_revision_of_a_public_page_is_nowhere(client: Client) -> None:
    section = Article.objects.get(slug="the-millers")
    section.title, section.body = "The Zorblax Millers", "All new: zorblaxity."
    revisions.record_revision(
        section, state=Revision.State.DRAFT, kind=Revision.Kind.REVISION, note="About zorblaxity."
    )
    places = {
        address: shows(address, "orblax")
        for address in ("/", "/yarle-valley/", "/yarle-valley/the-millers/", "/changes/")
    }
    places["feed"] = shows("/feeds/changes/", "orblax")
    assert where_it_shows(client, places) == []


# An event of a section that names a person and a place with pages.


def add_event(fields: dict[str, Any], section: dict[str, Any], topic: dict[str, Any]) -> None:
    Article.objects.create(title="Zora Blax", slug="zora-blax", kind="person", body="She.", published=True)
    Article.objects.create(title="Zorb Mill", slug="zorb-mill", kind="place", body="It.", published=True)
    above = Article.objects.create(**{"title": "Zorblaxia", "slug": "zorblaxia", "body": "A land.", **topic})
    told = Article.objects.create(parent=above, title="Zorblax Heights", slug="zorblax-heights", body="x", **section)
    names = {"place": "Zorb Mill", "people": ["Zora Blax"]}
    Event.objects.create(article=told, title="Zorblaxing", dates="1003", label="Zorblaxed", **names, **fields)


EVENT_PLACES: Places = {
    "the chronology": shows("/chronology/", "Zorblaxing"),
    "its year": context("/chronology/", lambda found: found["told"]),
    "the strip of years": shows("/", "Zorblaxed"),
    "the page of a person": shows("/zora-blax/", "Zorblaxing"),
    "the page of a place": shows("/zorb-mill/", "Zorblaxing"),
    "the header of every page": shows("/yarle-valley/the-millers/", "/chronology/"),
    "sitemap": shows("/sitemap-pages.xml", "/chronology/"),
}


def test_a_public_event_shows_in_all_these_places(client: Client) -> None:
    add_event(PUBLIC, PUBLIC, PUBLIC)
    assert where_it_is_missing(client, EVENT_PLACES) == []
    assert "Zorblaxing" in client.get("/zorblaxia/").content.decode()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("hidden", ["event", "section", "topic"])
def test_an_event_that_is_not_public_or_told_by_a_page_that_is_not_is_nowhere(
    client: Client, state: str, hidden: str
) -> None:
    add_event(*(STATES[state] if each == hidden else PUBLIC for each in ("event", "section", "topic")))
    assert where_it_shows(client, EVENT_PLACES) == []
    assert "Zorblaxing" not in client.get("/zorblaxia/").content.decode()


# A quotation, by somebody who said nothing else, with a tag and a word that only it has.

QUOTE = "/quotes/9002/this-is-the-zorblaxest-of-mills/"


def add_quote(fields: dict[str, Any]) -> Quote:
    person = Person.objects.create(name="Zora Blax", sort_name="Blax, Zora", slug="zora-blax")
    quote = Quote.objects.create(
        **{
            "pk": 9002,
            "key": "zorblaxest",
            "text": "This is the zorblaxest of mills.",
            "person": person,
            "status": "verified",
        }
        | fields
    )
    quote.tags.add("zorblaxian", "bread")
    Article.objects.create(title="Zorblaxest", slug="zorblaxest", published=True)
    pinning = Article.objects.create(title="Pinning", slug="pinning", published=True)
    QuoteChoice.objects.create(article=pinning, quote=quote, action=QuoteChoice.Action.PIN)
    Quote.objects.create(
        pk=9003, key="longer", text="A longer wording.", status="reported", version_of=quote, published=True
    )
    return quote


TEXT = "zorblaxest</mark> of mills"
QUOTE_PLACES: Places = {
    "its own page": is_found(QUOTE),
    "its number": lambda client: client.get("/quotes/9002/").status_code == 301,
    "the list": leads_to("/quotes/?word=zorblaxest", QUOTE),
    "the list by tag": leads_to("/quotes/?tag=bread", QUOTE),
    "the list by its author": is_found("/quotes/?person=zora-blax"),
    "the list by its tag": is_found("/quotes/?tag=zorblaxian"),
    "its author": is_found("/quotes/people/zora-blax/"),
    "people": shows("/quotes/people/", "zora-blax"),
    "its word": leads_to("/words/zorblaxest/", QUOTE),
    "the count of its word": context("/words/zorblaxest/", lambda found: dict(found["forms"]).get("zorblaxest")),
    "its tag": is_found("/tags/zorblaxian/"),
    "the list of tags": shows("/tags/", "zorblaxian"),
    "related tags": shows("/tags/bread/", "zorblaxian"),
    "a page with its word in the heading": shows("/zorblaxest/", TEXT),
    "a page that it is pinned to": leads_to("/pinning/", QUOTE),
    "search": leads_to("/search/?q=zorblaxest&kind=quotation", QUOTE),
    "search for its author": leads_to("/search/?q=zora", QUOTE),
    "feed of quotations": shows("/feeds/quotes/", "/quotes/9002/"),
    "sitemap": shows("/sitemap-quotes.xml", "/quotes/9002/"),
    "people in the sitemap": shows("/sitemap-people.xml", "/quotes/people/zora-blax/"),
    "another wording of it": leads_to("/quotes/9003/a-longer-wording/", QUOTE),
}


def test_a_public_quotation_shows_in_all_these_places(client: Client) -> None:
    add_quote(PUBLIC)
    assert where_it_is_missing(client, QUOTE_PLACES) == []


@pytest.mark.parametrize("state", STATES)
def test_a_quotation_that_is_not_public_is_nowhere(client: Client, state: str) -> None:
    add_quote(STATES[state])
    assert where_it_shows(client, QUOTE_PLACES) == []
    assert client.get(QUOTE).status_code == (410 if state == "retired" else 404)


def test_a_misattributed_quotation_has_a_page_and_is_never_listed_as_that_person_s(client: Client) -> None:
    add_quote({**PUBLIC, "status": "misattributed"})
    elsewhere = {"its own page", "its number", "search", "search for its author", "sitemap", "another wording of it"}
    assert set(where_it_shows(client, QUOTE_PLACES)) == elsewhere
    assert "Attributed to Zora Blax" in text_of(parse(client.get(QUOTE)).find(".//main"))


@pytest.mark.parametrize("fields", [{"status": "disputed"}, {"status": "unverified"}, {"auto_pick": False}])
def test_what_the_site_may_not_pick_stands_only_where_it_is_pinned(client: Client, fields: dict[str, Any]) -> None:
    add_quote({**PUBLIC, **fields})
    shown = where_it_shows(client, QUOTE_PLACES)
    assert "a page with its word in the heading" not in shown
    assert {"its own page", "its author", "its word", "a page that it is pinned to"} <= set(shown)


# Every address, asked by everybody. Each record that readers may not see has a word of its own in every text: `zq`,
# whose text it is, which record and which field. What was not asked for must not come back to whoever may not read it.

WORD = re.compile(r"zq(deleted|article|quote|person|work|reference|tag)[a-z]+")
LIVE = {"article", "quote", "person", "work", "reference", "tag"}
# Who may read which of these words. Whoever may look at a kind of record reads its drafts; what was deleted is for
# those who could delete it. Texts of articles name references and tags, those of quotations people, works and tags.
MAY_READ: dict[str, set[str]] = {
    "a reader": set(),
    "staff without rights": set(),
    "a member": set(),
    "an author": LIVE,
    "the author": LIVE,
    "an editor": LIVE,
    "a publisher": {*LIVE, "deleted"},
    "an administrator": {*LIVE, "deleted"},
    "who may add articles alone": {"reference", "tag"},  # suggested while somebody writes
    "who may see articles alone": {"article", "reference", "tag"},
    "who may change articles alone": {"article", "reference", "tag"},
    "who may see quotations alone": {"quote", "person", "work", "tag"},
    "who keeps tags alone": {"tag"},
    "who keeps people alone": {"person"},
    "who keeps works alone": {"work"},
    "who keeps references alone": {"reference"},
    "who reads the history alone": set(),
}
RIGHTS: dict[str, tuple[str, ...]] = {
    "who may add articles alone": ("add_article",),
    "who may see articles alone": ("view_article", "view_revision"),
    "who may change articles alone": ("change_article", "delete_tag"),
    "who may see quotations alone": ("view_quote", "view_revision"),
    "who keeps tags alone": tuple(f"{act}_tag" for act in ("view", "add", "change", "delete", "merge", "import")),
    "who keeps people alone": tuple(f"{act}_person" for act in ("view", "add", "change", "delete", "import")),
    "who keeps works alone": tuple(f"{act}_work" for act in ("view", "add", "change", "delete")),
    "who keeps references alone": tuple(f"{act}_reference" for act in ("view", "add", "change", "delete", "import")),
    "who reads the history alone": ("view_revision", "view_import", "view_deletion", "view_address"),
}
GROUPS = {"an author": "Authors", "the author": "Authors", "an editor": "Editors", "a publisher": "Publishers"}
NOWHERE = 987654321  # a key that no row ever had
MILLERS = "/yarle-valley/the-millers/"


def client_of(role: str) -> Client:
    if role == "a reader":
        return Client(HTTP_HOST="127.0.0.1")
    if role in RIGHTS:
        return signed_in(role, *RIGHTS[role])
    if role in GROUPS:
        return group_client(GROUPS[role], role)
    somebody = signed_in(role, *(() if role == "an administrator" else ("no_such_right",)))
    User.objects.filter(username=role).update(is_staff=role != "a member")
    return somebody


HIDDEN_YEARS = [1001]  # with no public event


@dataclass
class Hidden:
    """The records that readers may not see, and what leads to them."""

    rows: list[Model]
    slugs: list[str]
    words: list[str]
    tokens: list[str]  # of preview links that are closed

    def keys(self, model: type[Model]) -> list[int]:
        """Return their keys: of pages and quotations all, of the others some."""
        found = [row.pk for row in self.rows if type(row) is model]
        if model in {Revision, Deletion}:
            found = list(model._default_manager.order_by("-pk").values_list("pk", flat=True))
        return found if model in {Article, Quote, Deletion} else [*found[:3], *found[-3:]]


def write_hidden_records(author: User) -> Hidden:
    """Write drafts of all kinds, and what only they use; history, choices and evidence with them."""
    rows: list[Model] = []

    def keep(row: Any) -> Any:
        rows.append(row)
        return row

    def words(name: str, *fields: str) -> dict[str, Any]:
        return {field: f"zq{name}{field.replace('_', '')}" for field in fields}

    def tag(name: str) -> Tag:
        return keep(Tag.objects.create(**words(f"tag{name}", "name", "slug", "description")))

    def article(name: str, parent: Article | None = None, **fields: Any) -> Article:
        reference = keep(
            Reference.objects.create(
                **words(f"reference{name}", "key", "authors", "title", "container", "publisher", "place", "note")
            )
        )
        row = keep(
            Article.objects.create(
                parent=parent,
                owner=author,
                **words(name, "slug", "quote_words"),
                title=f"Zq{name}title",
                body=f"Of zq{name}body.[@{reference.key}]",
                **fields,
            )
        )
        row.tags.add(tag(f"of{name}"))
        revisions.record_revision(
            row,
            state=Revision.State.PUBLISHED if row.published else Revision.State.DRAFT,
            kind=Revision.Kind.REVISION,
            author=author,
            **words(name, "comment", "note"),
        )
        return row

    def quote(name: str, **fields: Any) -> Quote:
        person = keep(
            Person.objects.create(
                **words(f"person{name}", "name", "sort_name", "slug", "description"), aliases=[f"zqperson{name}alias"]
            )
        )
        works = [keep(Work.objects.create(**words(f"work{name}{use}", "title", "authors"))) for use in ("in", "by")]
        texts = ("locator", "locator_as_printed", "quoted_in_locator", "original_text", "translator", "name_as_printed")
        row = keep(
            Quote.objects.create(
                **words(name, "key", "attribution_as_imported", *texts),
                text=f"A zq{name}text of millers and bread.",
                status="verified",
                person=person,
                work=works[0],
                quoted_in=works[1],
                owner=author,
                **fields,
            )
        )
        row.checks.create(checked_on=date(2026, 1, 2), work=works[0], **words(name, "checked_by", "place", "found"))
        row.index_terms.create(**words(name, "word", "note"))
        row.tags.add(tag(f"of{name}"), Tag.objects.get(slug="bread"))
        revisions.record_revision(row, author=author, **words(name, "comment", "note"))
        return row

    def event(name: str, of: Article, **fields: Any) -> Event:
        told = words(f"event{name}", "title", "text", "label", "place")
        people = [f"zqevent{name}people", "Margery Ford"]
        return keep(
            Event.objects.create(article=of, dates=str(HIDDEN_YEARS[0]), people=people, owner=author, **told, **fields)
        )

    public = Article.objects.get(slug="yarle-valley")
    millers = Article.objects.get(slug="the-millers")
    for state, fields in STATES.items():
        topic = article(f"article{state}", **fields)
        event(state, public, **fields)
        event(f"of{state}", topic, published=True)
        article(f"articleunder{state}", topic, published=True)
        article(f"articlein{state}", public, **fields)
        hidden = quote(f"quote{state}", **fields)
        QuoteChoice.objects.create(article=millers, quote=hidden, reason=f"zqarticle{state}reason")
        Quote.objects.create(text=f"Public beside {state}.", status="reported", published=True, version_of=hidden)
    live_event = Event.objects.create(article=public, title="A live event", dates="1903", published=True)
    for live in (millers, Quote.objects.get(key="sommer-honest-men"), live_event):
        name = f"{live._meta.model_name}copy"
        typed = {field: f"zq{name}{field}" for field in ("title", "text", "body", "translator", "place")}
        content = revisions.content_of(live)
        content |= {field: word for field, word in typed.items() if field in content}
        content |= {"tags": [f"zqtag{name}"]} if "tags" in content else {}
        revisions.save_draft(live, content, author=author, comment=f"zq{name}comment")
    Article.objects.create(title="Linker", slug="linker", body="[[Zqarticledrafttitle|Elsewhere]]", published=True)
    tag("unused")
    keep(Person.objects.create(**words("personunused", "name", "slug", "description")))
    keep(Work.objects.create(**words("workunused", "title", "authors")))
    keep(Reference.objects.create(**words("referenceunused", "key", "title", "authors")))

    links = [
        previews.create_link(row.revisions.latest("number"))
        for row in (article("deletedlinked"), article("articlewithdrawn"), article("articlerevoked"))
    ]
    previews.revoke_link(links[2])
    Article.objects.filter(slug="zqarticlewithdrawnslug").update(published=True, retire_at=timezone.now())
    for row in (Article.objects.get(slug="zqdeletedlinkedslug"), article("deletedarticle"), quote("deletedquote")):
        trash.move_to_trash([row], author)
        type(row).objects.filter(pk=row.pk).delete()
    queue.process_queue()
    for row in Article.objects.filter(published=False):  # an address that a draft had is none of readers'
        Article.objects.filter(pk=row.pk).update(slug=f"{row.slug}now")
    queue.process_queue()
    words_written = sorted(all_words())
    slugs = [word for word in words_written if "slug" in word]
    return Hidden(rows, slugs, words_written, [previews.link_address(link).split("/")[2] for link in links])


def routes() -> Iterator[str]:
    """Yield every route of the URL configuration: `quotes/<int:pk>/`."""

    def walk(patterns: Iterable[Any], before: str = "") -> Iterator[str]:
        for pattern in patterns:
            route = before + str(pattern.pattern)
            yield from walk(pattern.url_patterns, route) if hasattr(pattern, "url_patterns") else [route]

    return walk(get_resolver().url_patterns)


PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>.*\)")


def addresses_of(route: str, hidden: Hidden) -> Iterator[tuple[str, str]]:
    """Yield the addresses of a route with the names of hidden records, each with that of a record that never was."""
    names = [first or second for first, second in PARAMETER.findall(route)]
    plain = "/" + PARAMETER.sub("{}", route).replace("^", "").replace("$", "")
    keys = hidden.keys(model_of(route) or Quote)
    values: dict[str, list[Any]] = {
        "slug": hidden.slugs,
        "topic_slug": [*hidden.slugs, "yarle-valley"],
        "word": [*hidden.words[::6], *map(str.upper, hidden.words[::29])],
        "token": hidden.tokens,
        "uidb64": ["MQ"],
        "section": list(SITEMAPS),
        "pk": keys,
        "object_id": keys,
        "id": [1],
        "content_type_id": [1],
        "number": [1, 2],
        "older": [1],
        "year": HIDDEN_YEARS,
        "ending": ["csv", "json"],
        "app_label": ["articles", "quotes", "rlm_site"],
        "url": ["articles/article/zq/"],
    }
    never = dict.fromkeys(("pk", "object_id"), NOWHERE) | dict.fromkeys(("slug", "word"), "neverwas")
    most = max((len(values[name]) for name in names), default=1)
    for turn, step in product(range(most), range(1, len(names) + 1)):
        chosen = [values[name][(turn * step) % len(values[name])] if values[name] else NOWHERE for name in names]
        other = [never.get(name, value) for name, value in zip(names, chosen, strict=True)]
        yield plain.format(*chosen), plain.format(*other)


def model_of(route: str) -> Any:
    app_label, _slash, rest = route.removeprefix("admin/").partition("/")
    with suppress(LookupError, ValueError):
        return apps.get_model(app_label, rest.split("/")[0])
    return None


def all_words() -> set[str]:
    """Return every word that a hidden record has in any text."""
    tables = (Article, Event, Quote, Person, Work, Reference, Tag, Check, IndexTerm, QuoteChoice, Revision, Deletion)
    text = " ".join(str(values) for table in tables for values in table._default_manager.values())
    return {found[0] for found in WORD.finditer(text.lower())}


def questions(hidden: Hidden) -> Iterator[tuple[str, str]]:
    """Yield addresses that ask for words and keys of hidden records, each with the same question for none."""
    for page in (row for row in hidden.rows if isinstance(row, Article | Event | Quote | Person | Tag)):
        yield page.get_absolute_url(), "/neverwas/"
    asked = ["zq", *hidden.words[::17], "millers", "bread"]
    for word in asked:
        never = "neverwas" if word.startswith("zq") else word
        for address in (
            "/search/?q={}", "/search/?q={}+millers", "/search/?q=millers&tag={}", "/quotes/?word={}",
            "/quotes/?tag={}", "/quotes/?person={}", "/admin/rlm_site/tag/suggestions/?typed={}",
            "/admin/search/?q={}",
            "/admin/articles/article/pages/?q={}", "/admin/articles/article/references/?q={}",
        ):  # fmt: skip
            yield address.format(word), address.format(never)
    for word in asked[:4]:
        for listed in (Article, Event, Quote, Person, Work, Reference, Tag, Revision, Deletion, Address, Import):
            yield (f"{changelist(listed)}?q={word}",) * 2
        for field in Quote._meta.fields + Article._meta.fields + Event._meta.fields + Check._meta.fields:
            if field.is_relation:
                app_label, model_name = field.model._meta.app_label, field.model._meta.model_name
                address = f"/admin/autocomplete/?app_label={app_label}&model_name={model_name}&field_name={field.name}"
                yield f"{address}&term={word}", f"{address}&term=neverwas"
    for model in (Article, Event, Quote, Person, Work, Reference, Tag, Word):
        content_type = ContentType.objects.get_for_model(model)
        keys = hidden.keys(model) or Word.objects.filter(text__startswith="zq").values_list("pk", flat=True)[:5]
        spellings = [("{}", key) for key in keys] + [(spelt, keys[0]) for spelt in ("+{}", "%20{}", "0{}", "{}/x")]
        for spelt, key in spellings:
            address = f"/admin/r/{content_type.pk}/{spelt}/"
            yield address.format(key), address.format(NOWHERE)
    for key in hidden.keys(Article):
        yield f"/admin/articles/article/add/?parent={key}", f"/admin/articles/article/add/?parent={NOWHERE}"
        yield f"/admin/articles/event/add/?article={key}", f"/admin/articles/event/add/?article={NOWHERE}"
        address = "/admin/articles/article/add/preview/?title=Typed&parent={}"
        yield address.format(key), address.format(NOWHERE)
    for key in hidden.keys(Quote):
        for name in ("true_source", "version_of"):
            address = f"/admin/quotes/quote/add/?{name}={{}}"
            yield address.format(key), address.format(NOWHERE)
    for key in hidden.keys(Tag):
        yield f"/admin/rlm_site/tag/{key}/merge/?into=bread", f"/admin/rlm_site/tag/{NOWHERE}/merge/?into=bread"


def changelist(model: type[Model]) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def words_shown(response: Any, address: str) -> set[str]:
    """Return the words of hidden records in an answer and its headers, but not those that were asked for."""
    content = b"".join(response.streaming_content) if response.streaming else response.content
    answered = " ".join([content.decode(errors="replace"), *(value for _name, value in response.items())]).lower()
    asked = {found[0] for found in WORD.finditer(address.lower())}
    shown = {found[0] for found in WORD.finditer(answered)}
    return {word for word in shown if not any(word in other for other in asked)}


def side_doors(role: str) -> str:
    """Return, in lines, what answers tell somebody of records that they may not see: words, or that they are there."""
    author = User.objects.create(username="who began it", password="!", is_staff=True)
    author.groups.add(Group.objects.get(name="Authors"))
    hidden = write_hidden_records(author)
    somebody = client_of(role)
    if role == "the author":
        somebody.force_login(author)
    found = []
    answers: dict[str, tuple[int, str]] = {}

    def answer(address: str) -> tuple[int, str]:
        if address not in answers:
            response = somebody.get(address)
            for word in sorted(words_shown(response, address)):
                if (kind := WORD.fullmatch(word)) and kind[1] not in MAY_READ[role]:
                    found.append(f"{address} says {word}")
            answers[address] = (response.status_code, urlsplit(response.headers.get("Location", "")).path)
        return answers[address]

    pairs = [pair for route in routes() for pair in addresses_of(route, hidden)]
    for address, never in [*pairs, *questions(hidden)]:
        status, leads_to = answer(address)
        if MAY_READ[role] or status == 410:  # that something was withdrawn is for everybody to know
            continue
        other, other_leads_to = answer(never)
        if (status, leads_to.replace(address, "")) != (other, other_leads_to.replace(never, "")):
            found.append(f"{address} answers {status} {leads_to}, and {never} {other} {other_leads_to}")
    return "\n".join(sorted(set(found)))


ASKED = [role for role, words in MAY_READ.items() if words != {*LIVE, "deleted"}]
if on_postgresql():  # what a role may read is the same there: those who may read least and some of it are enough
    ASKED = ["a reader", "an author"]


@pytest.mark.full
@pytest.mark.parametrize("role", ASKED)
def test_no_address_tells_anybody_of_what_they_may_not_read(role: str) -> None:
    assert not (told := side_doors(role)), told


# What is sent


def test_whoever_may_not_read_quotations_neither_finds_nor_chooses_hidden_ones() -> None:
    hidden = write_hidden_records(User.objects.create(username="who began it", password="!"))
    article = Article.objects.get(slug="the-millers")
    Article.objects.filter(pk=article.pk).update(published=False)
    somebody = signed_in("somebody", "view_article", "change_article", "publish_article")
    address = f"/admin/articles/article/{article.pk}/quotations/"
    for word in ("zqquotedrafttext", "zqpersonquotescheduledname", "bread"):
        assert not words_shown(somebody.post(address, {"quotation_search": word}), word)
    for key in hidden.keys(Quote):
        for action in ("pin", "ban", "release", "veto"):
            answers = [
                somebody.post(address, {"action": action, "quote": pk, "word": "bread"}) for pk in (key, NOWHERE)
            ]
            assert [answer.status_code for answer in answers] == [400, 400]
            assert not words_shown(answers[0], "")
    assert Quote.objects.filter(choices__article=article).count() == len(STATES)  # chosen by others


def test_whoever_may_add_pages_alone_puts_none_under_a_topic_that_they_may_not_read() -> None:
    hidden = write_hidden_records(User.objects.create(username="who began it", password="!"))
    somebody = signed_in("somebody", "add_article")
    topics = Article.objects.topics().filter(pk__in=hidden.keys(Article))
    assert len(topics) > len(STATES)
    for topic in topics:
        sent = {"title": "Typed", "parent": str(topic.pk)}
        for name in ("add/preview/", "add/checks/", "add/"):
            answer = somebody.post(f"{changelist(Article)}{name}", sent)
            assert answer.status_code == 200
            assert words_shown(answer, "") <= {word for word in hidden.words if word.startswith("zqtag")}
    assert not Article.objects.filter(title="Typed").exists()


# What moves


@pytest.mark.full
def test_no_header_of_a_page_moves_when_a_draft_is_saved(server: Site) -> None:
    pages = ["/", "/yarle-valley/", MILLERS, "/changes/", "/feeds/changes/", "/feeds/quotes/", "/sitemap-articles.xml"]

    def headers() -> dict[str, list[str | None]]:
        names = ("Last-Modified", "ETag", "Content-Length", "Cache-Control")
        return {page: [answer[1][name] for name in names] for page in pages if (answer := server.ask(page))}

    headers()
    time.sleep(1.1)  # the second that such dates have
    before = headers()
    server.manage("shell", "-v0", given=_DRAFTS)
    time.sleep(1.1)
    assert headers() == before
    for page in pages:
        assert server.ask(page, **{"If-None-Match": str(before[page][1])})[0] == 304


_DRAFTS = """
from articles.models import Article
from quotes.models import Quote
from rlm_site.history import revisions
for row in (Article.objects.get(slug="the-millers"), Quote.objects.get(key="sommer-honest-men")):
    content = revisions.content_of(row)
    revisions.save_draft(row, content | {"tags": [*content["tags"], "quagga"], "title": "Quaggas", "text": "A quagga."})
Article.objects.create(title="Quagga", body="Quaggas.").delete()
Quote.objects.create(text="A quagga.").delete()
"""


def test_an_address_of_a_draft_costs_as_many_queries_as_one_of_nothing(client: Client) -> None:
    """So that the time that an answer takes says nothing, either."""
    hidden = write_hidden_records(User.objects.create(username="who began it", password="!"))
    client.get("/")

    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 404
        return len(queries)

    rows = [row for model in (Article, Quote) for row in model.objects.filter(pk__in=hidden.keys(model))]
    pages = [page for page in rows if not re.search("retired|withdrawn|copy", page.get_absolute_url())]
    assert len(pages) > 8
    for page in pages:
        path = page.get_absolute_url()
        never = re.sub(r"zq", "zqnever", path) if isinstance(page, Article) else f"/quotes/{NOWHERE}/a-zqnever/"
        assert cost(path) == cost(never)
