"""What the links of texts lead to: pages by their names, places of the site by their addresses, works by their keys.

A link by name follows its page as an address does: where no page has the name, one that had it as its slug is meant.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import islice, product
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import Http404
from django.urls import resolve

from articles import citations
from articles.markdown import PAGE_IDS, Source, is_note_id, path_of
from articles.models import Alias, Article, HeadingId, Link
from articles.successors import MAX_STEPS, QUOTE_VIEWS, withdrawn_row
from quotes.models import Quote
from rlm_site.indexing import queue
from rlm_site.page_cache.dependencies import depends_on
from rlm_site.redirects import redirects
from rlm_site.redirects.models import Address
from rlm_site.text.slugs import reverse, slug_for

# Columns that decide what links and terms in texts lead to and say.
LINK_COLUMNS = (
    "title", "slug", "parent_id", "position", "published", "publish_at", "retire_at", "kind", "summary", "aliases",
    "person_id",
)  # fmt: skip
BATCH = 500  # names or paths per statement
MOST_NAMED = 200  # links by name for which pages are asked for by their names; beyond, all are read
ARTICLE_VIEWS = {"articles:topic", "articles:section"}
RECORDED_VIEWS = ARTICLE_VIEWS | {"quotes:person", "tag"}  # pages whose paths `redirects` records
MOVED_VIEWS = {"quotes:person_moved": "quotes:person", "articles:whole_topic": "articles:topic"}
ELSEWHERE = "elsewhere"  # than on this site
MOST_ID = 2**63

Value = TypeVar("Value")


class Ref(NamedTuple):
    """A link as it is typed: a kind of `Link`, and what it names."""

    kind: str
    target: str


class Place(NamedTuple):
    """A place of this site: a path, empty for the page itself, and a fragment."""

    path: str
    fragment: str


def refs_in(source: Source) -> Iterator[Ref]:
    """Yield the links of a text to places of this site."""
    yield from (Ref(Link.Kind.NAME, target) for target in source.links)
    yield from (Ref(Link.Kind.ADDRESS, address) for address in source.addresses if place_of(address))
    yield from (Ref(Link.Kind.CITATION, key) for key in dict.fromkeys(cited.key for cited in source.citations))


def as_typed(kind: str, target: str) -> str:
    """Return a link as it is written in a text."""
    match kind:
        case Link.Kind.NAME:
            return f"[[{target}]]"
        case Link.Kind.CITATION:
            return f"[@{target}]"
        case _:
            return target


def place_of(address: str) -> Place | None:
    """Return the place that an address names, if it is one of this site."""
    own = f"{settings.SITE_URL}/"
    if address.lower().startswith(own.lower()):
        address = address[len(own) - 1 :]
    if not address.startswith(("/", "#")) or address.startswith("//"):
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    path, fragment = (unquote(part).replace("\0", "") for part in (parts.path, parts.fragment))
    return Place(_quotation_path(path), fragment)


def _quotation_path(path: str) -> str:
    """Return the path by which a quotation is always found, and any other as it is: its words may be in the path."""
    parts = path.split("/")
    is_quotation = parts[:2] == ["", "quotes"] and len(parts) > 3 and parts[2].isdecimal()
    return "/".join([*parts[:3], ""]) if is_quotation else path


def path_of_row(row: Any) -> str:
    return _quotation_path(row.get_absolute_url())


# Pages by their names


def link_addresses(targets: Iterable[str], article: Article | None, now: datetime) -> dict[str, str]:
    """Return the addresses of public targets of wiki links. `Title` is a topic, or a section beside this page.

    Two queries.
    """
    return {target: row.get_absolute_url() for target, row in link_pages(targets, article, now).items()}


def link_pages(targets: Iterable[str], article: Article | None, now: datetime) -> dict[str, Article]:
    """Return the public pages that are targets of wiki links. Two queries."""
    targets = list(targets)
    if not targets:
        return {}
    depends_on("addresses")
    owners = _owners(path for target in targets for path in paths_of(target, article))
    linked = LinkTargets((row for row in _named(targets, owners) if row.is_public(now)), owners)
    found = {target: linked.page(target, article) for target in targets}
    return {target: row for target, row in found.items() if row is not None}


def _named(targets: Iterable[str], owners: Mapping[str, Sequence[int]]) -> QuerySet[Article]:
    """Return the pages that have one of these names, or had one as a path."""
    former = {pk for of_path in owners.values() for pk in of_path}
    return Article.objects.filter(named_by(targets) | Q(pk__in=former), queue.sound("article")).for_links()


def _owners(paths: Iterable[str]) -> dict[str, list[int]]:
    """Return the pages that have or had these paths, the last owner first."""
    owners: dict[str, list[int]] = defaultdict(list)
    for some in batches(set(paths)):
        rows = Address.objects.filter(kind="article", path__in=some).order_by("-id")
        for path, pk in rows.values_list("path", "object_id"):
            owners[path].append(pk)
    return owners


def named_by(targets: Iterable[str]) -> Q:
    """Return the condition that a page may be meant by one of these targets of wiki links."""
    parts = {name for target in targets for path in _paths(target) for name in path}
    slugs = {slug_for(part) for part in parts}
    return Q(slug__in=slugs) | Q(title__in=parts) | Q(pk__in=Alias.objects.filter(slug__in=slugs).values("article"))


def lookups_of(target: str) -> set[str]:
    """Return the slugs of all names in the target of a wiki link."""
    return {slug_for(name) for path in _paths(target) for name in path}


def _paths(target: str) -> list[tuple[str, ...]]:
    """Return the paths that a target may mean; one whose sign is part of a title may also be a section's."""
    return list(dict.fromkeys([path_of(target), tuple(part.strip() for part in target.split("#", 1))]))


class LinkTargets:
    """Pages by the names that wiki links use for them; of two with the same name the first counts, titles first.

    Where none has a name, a page counts that had it as its path: `owners` says which, by path, the last one first.
    """

    def __init__(self, rows: Iterable[Article], owners: Mapping[str, Sequence[int]] | None = None) -> None:
        self._pages: dict[tuple[str, ...], Article] = {}
        self._rows: dict[int, Article] = {}
        self._owners = owners or {}
        rows = list(rows)
        for row in rows:
            self._rows[row.pk] = row
            for path in product(*((page.title, page.slug) for page in (row.parent, row) if page)):
                self._pages.setdefault(path, row)
        for row in rows:
            for path in product(*(_names_of(page) for page in (row.parent, row) if page)):
                self._pages.setdefault(path, row)

    def page(self, target: str, beside: Article | None) -> Article | None:
        """Return the page that `Title` or `Topic#Section` links to; for sections of one topic the title is enough."""
        paths = [path for names in _paths(target) for path in product(*((name, slug_for(name)) for name in names))]
        if beside:
            paths += [(beside.topic.slug, *path) for path in paths]
        named = next((self._pages[path] for path in paths if path in self._pages), None)
        return named or self._formerly(target, beside)

    def _formerly(self, target: str, beside: Article | None) -> Article | None:
        owners = (pk for path in paths_of(target, beside) for pk in self._owners.get(path, ()))
        return next((self._rows[pk] for pk in owners if pk in self._rows), None)


def _names_of(page: Article) -> set[str]:
    """Return all names of a page, and the slugs of its other names, which only a topic has."""
    aliases = [] if page.parent_id else [row["name"] for row in page.aliases]
    return {page.title, page.slug, *aliases, *map(slug_for, aliases)}


def paths_of(target: str, beside: Article | None) -> list[str]:
    """Return the paths at which the target of a wiki link would be found, alone or beside this page."""
    slugs = [tuple(slug_for(name) for name in path) for path in _paths(target)]
    if beside:
        slugs += [(beside.topic.slug, *path) for path in slugs if len(path) == 1]
    return [reverse("articles:section" if len(path) == 2 else "articles:topic", path) for path in slugs]


def batches(items: Iterable[Value]) -> Iterator[list[Value]]:
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch


def recorded_at(paths: Iterable[str], now: datetime) -> dict[str, Any]:
    """Return the public rows at these paths, present or former."""
    found: dict[str, Any] = {}
    for some in batches(sorted(set(paths))):
        found |= redirects.find_targets(some, now, present_too=True)
    return found


# Whether links work


class Resolver:
    """Tells which of some links lead readers somewhere. A number of queries that is fixed for up to some 500 links."""

    def __init__(
        self,
        refs: Collection[tuple[Ref, Article | None]],
        now: datetime,
        unsaved_ids: Mapping[int | None, set[str]] | None = None,
    ) -> None:
        """Prepare for these links, each with the page on which it stands.

        `unsaved_ids` are ids of headings that pages have beside those that are stored.
        """
        self._now = now
        self._refs = refs
        self._unsaved_ids = unsaved_ids or {}

    def works(self, ref: Ref, beside: Article | None) -> bool:
        match ref.kind:
            case Link.Kind.NAME:
                return self.page(ref.target, beside) is not None
            case Link.Kind.CITATION:
                return ref.target in self._keys
            case _:
                place = place_of(ref.target)
                return place is None or self._leads_somewhere(place, beside)

    def leads_to_page(self, ref: Ref, beside: Article | None) -> bool:
        """Return whether a link by address leads to a page, whatever its fragment is."""
        place = place_of(ref.target)
        return place is None or self._leads_somewhere(Place(place.path, ""), beside)

    def page(self, target: str, beside: Article | None) -> Article | None:
        """Return the public page that a link by name leads to."""
        return self._public.page(target, beside)

    def article(self, ref: Ref, beside: Article | None) -> Article | None:
        """Return the public page that a link by name or by address leads to, if it is one about something."""
        if ref.kind == Link.Kind.NAME:
            return self.page(ref.target, beside)
        place = place_of(ref.target)
        found = self._found.get(place.path) if place else None
        return found if isinstance(found, Article) else None

    def exists(self, target: str, beside: Article | None) -> bool:
        """Return whether there is a page of this name, if only for editors."""
        return self._known.page(target, beside) is not None

    def _targets(self, kind: str) -> list[str]:
        return list(dict.fromkeys(ref.target for ref, _beside in self._refs if ref.kind == kind))

    @cached_property
    def _owners(self) -> dict[str, list[int]]:
        names = [(ref.target, beside) for ref, beside in self._refs if ref.kind == Link.Kind.NAME]
        return _owners(path for target, beside in names for path in paths_of(target, beside))

    @cached_property
    def _rows(self) -> list[Article]:
        targets = self._targets(Link.Kind.NAME)
        if len(targets) <= MOST_NAMED:
            return list(_named(targets, self._owners)) if targets else []
        return list(Article.objects.filter(queue.sound("article")).for_links())

    @cached_property
    def _public(self) -> LinkTargets:
        return LinkTargets((row for row in self._rows if row.is_public(self._now)), self._owners)

    @cached_property
    def _known(self) -> LinkTargets:
        return LinkTargets(self._rows)

    @cached_property
    def _keys(self) -> set[str]:
        keys = self._targets(Link.Kind.CITATION)
        return {key.lower() for some in batches(keys) for key in citations.cited_by(some).values_list("key", flat=True)}

    @cached_property
    def _places(self) -> list[Place]:
        addresses = [*self._targets(Link.Kind.ADDRESS), *self._targets(Link.Kind.SUCCESSOR)]
        return [place for place in map(place_of, addresses) if place]

    @cached_property
    def _found(self) -> dict[str, Any]:
        """The public rows to which paths lead, directly or by way of what takes the place of withdrawn pages."""
        wanted = {path: _as_found(path) for path in {place.path for place in self._places if place.path}}
        leads_to = {path: path for path in wanted.values()}
        for _step in range(MAX_STEPS):
            replaced = self._replaced(set(leads_to.values()))
            if not replaced:
                break
            leads_to = {path: replaced.get(target, target) for path, target in leads_to.items()}
        rows = recorded_at([found for path in leads_to.values() for found in (path, _moved_to(path))], self._now)
        rows[ELSEWHERE] = True
        found = {path: leads_to[as_found] for path, as_found in wanted.items()}
        found |= {path: _moved_to(target) for path, target in found.items() if target not in rows}
        return {path: rows[target] for path, target in found.items() if target in rows}

    def _replaced(self, paths: Collection[str]) -> dict[str, str]:
        """Return the paths to which readers of the withdrawn pages and quotations at these paths are led."""
        quotations = {match.kwargs["pk"]: path for path in paths if (match := _match(path)) and _is_quotation(match)}
        rows: list[tuple[str, Any]] = [
            (quotations[quote.pk], quote)
            for keys in batches(sorted(quotations))
            for quote in Quote.objects.filter(pk__in=keys).exclude(retired_to="")
        ]
        for slugs in batches(sorted({path.strip("/").rpartition("/")[2] for path in paths})):
            rows += ((row.get_absolute_url(), row) for row in Article.objects.filter(slug__in=slugs).for_links())
        found = {}
        for path, row in rows:
            withdrawn = withdrawn_row(row, self._now) if path in paths else None
            if withdrawn and withdrawn.retired_to:
                place = place_of(withdrawn.retired_to)
                found[path] = _as_found(place.path) if place else ELSEWHERE
        return found

    @cached_property
    def _quotations(self) -> set[int]:
        keys = [match.kwargs["pk"] for place in self._places if (match := _match(place.path)) and _is_quotation(match)]
        return {
            pk
            for some in batches(sorted(set(keys)))
            for pk in Quote.objects.published(self._now).filter(pk__in=some).values_list("pk", flat=True)
        }

    @cached_property
    def _heading_ids(self) -> dict[int, set[str]]:
        """The ids of headings that work, by page."""
        pages = {beside.pk for ref, beside in self._refs if beside and "#" in ref.target}
        pages |= {row.pk for row in self._found.values() if isinstance(row, Article)}
        found: dict[int, set[str]] = defaultdict(set)
        for some in batches(sorted(pages)):
            rows = HeadingId.objects.filter(article__in=some)
            present = set(rows.exclude(position=None).values_list("article", "name"))
            for article, name, leads_to in rows.values_list("article", "name", "leads_to"):
                if (article, leads_to) in present:
                    found[article].add(name)
        return found

    def _leads_somewhere(self, place: Place, beside: Article | None) -> bool:
        if not place.path:
            return beside is None or self._has_id(beside, place.fragment)
        if row := self._found.get(place.path):
            return not isinstance(row, Article) or self._has_id(row, place.fragment)
        match = _match(place.path)
        if match is None:
            return place.path.startswith(settings.STATIC_URL)
        if _is_quotation(match):
            return match.kwargs["pk"] in self._quotations
        return match.view_name not in RECORDED_VIEWS | QUOTE_VIEWS | MOVED_VIEWS.keys()

    def _has_id(self, article: Article, name: str) -> bool:
        ids = self._heading_ids[article.pk] | self._unsaved_ids.get(article.pk, set())
        return not name or name in PAGE_IDS or is_note_id(name) or name in ids


def _moved_to(path: str) -> str:
    """Return the path that readers are led to from one of a kind that is no page any more, or shows another's."""
    match = _match(path)
    view = MOVED_VIEWS.get(match.view_name) if match else None
    return reverse(view, list(match.kwargs.values())) if view else path


def _as_found(path: str) -> str:
    """Return the path at which readers are led on to a page, if it is not found at this one."""
    match = _match(path)
    return path if match and match.view_name in RECORDED_VIEWS and path.islower() else redirects.as_meant(path)


def _match(path: str) -> Any:
    for spelling in (path, f"{path}/"):
        try:
            return resolve(spelling)
        except Http404:
            continue
    return None


def _is_quotation(match: Any) -> bool:
    return match.view_name in QUOTE_VIEWS and match.kwargs["pk"] < MOST_ID
