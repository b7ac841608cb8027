"""Follow all links: each leads to a page, every fragment to a place on it, and nothing is loaded from elsewhere."""

from collections import defaultdict
from collections.abc import Mapping
from html.parser import HTMLParser
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urldefrag, urljoin, urlsplit

from django.contrib.staticfiles.storage import staticfiles_storage
from django.test import Client
from django.utils import timezone

from articles.models import Article
from quotes.models import Person, Quote
from rlm_site.tags.models import Tag

SITE = "http://127.0.0.1:8000"
LOADED = {"link": "href", "script": "src", "img": "src", "source": "src", "iframe": "src", "object": "data"}
LOADING_RELATIONS = {"stylesheet", "icon", "preload", "manifest", "modulepreload"}
# Many addresses are alike, and so many of them are followed: those with the same path and the same parameters, and the
# pages of single quotations, whose further links are compared with the addresses of all public quotations.
EACH_FILTER = 12
QUOTATIONS = 25


class Page(HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.resources: set[str] = set()
        self.ids: set[str] = set()
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if "id" in values:
            self.ids.add(values["id"])
        if tag == "a" and "href" in values:
            self.links.add(values["href"])
        elif tag == "form":
            self.links.add(values.get("action", ""))
        elif tag in LOADED and LOADED[tag] in values:
            relations = set(values.get("rel", "").split())
            if tag != "link" or relations & LOADING_RELATIONS:
                self.resources.add(values[LOADED[tag]])
            elif relations & {"alternate", "prev", "next", "canonical"}:
                self.links.add(values[LOADED[tag]])


def assert_every_link_leads_somewhere(client: Client, read: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Follow the links from the front page on; what was read already is not asked for again."""
    found: dict[str, Page | None] = {}
    fragments: dict[str, set[tuple[str, str]]] = defaultdict(set)
    alike: dict[tuple[str, tuple[str, ...]], set[str]] = defaultdict(set)
    resources: set[str] = set()
    broken: list[str] = []
    quotations = {quote.get_absolute_url() for quote in Quote.objects.published(timezone.now())}
    followed = 0
    waiting = [("/", "")]
    while waiting:
        address, source = waiting.pop()
        if address in found:
            continue
        if address in quotations:
            followed += 1
            if followed > QUOTATIONS:
                found[address] = None
                continue
        parts = urlsplit(address)
        names = tuple(sorted(parse_qs(parts.query, keep_blank_values=True)))
        if names not in {(), ("page",)}:  # every page of a list, and some of each kind of filter
            known = alike[parts.path, names]
            if len(known) >= EACH_FILTER:
                continue
            known.add(address)
        response = read[address] if address in read else client.get(address)
        if response.status_code != 200:
            broken.append(f"{response.status_code} {address} from {source}")
            continue
        found[address] = None
        if not response["Content-Type"].startswith("text/html"):
            continue
        page = Page(response.content.decode())
        found[address] = page
        resources |= page.resources
        for link in page.links:
            target, fragment = urldefrag(urljoin(SITE + address, link))
            if target.startswith(SITE + "/"):
                path = target.removeprefix(SITE)
                fragments[path].add((fragment, address))
                waiting.append((path, address))

    assert broken == []
    missing = [
        f"{path}#{fragment} from {source}"
        for path, wanted in fragments.items()
        for fragment, source in wanted
        if fragment and (there := found.get(path)) and fragment not in there.ids
    ]
    assert missing == []
    assert resources
    for resource in resources:
        assert resource.startswith("/static/"), resource
        assert staticfiles_storage.exists(resource.removeprefix("/static/")), resource

    now = timezone.now()
    public: list[Article | Quote | Person | Tag] = [
        *Article.objects.published(now).select_related("parent"),
        *Quote.objects.published(now).listed(),
        *Person.objects.published(now),
        *Tag.objects.published(now),
    ]
    addresses = [urldefrag(row.get_absolute_url()) for row in public]
    assert [address for address, _fragment in addresses if address not in found] == []
    places = [(found[address], fragment) for address, fragment in addresses if fragment]  # terms of the glossary
    assert [fragment for page, fragment in places if page is None or fragment not in page.ids] == []
