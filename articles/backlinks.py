"""What links to a record: shown on its form, and before it is deleted, withdrawn, renamed or moved."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from articles.links import LinkTargets, as_typed, batches, named_by, path_of_row, paths_of
from articles.models import Article, Link, Reference
from quotes.models import Quote
from rlm_site.editor.backlinks import Backlink, Backlinks, first_of
from rlm_site.indexing import queue
from rlm_site.publishing import permissions
from rlm_site.redirects.models import Address
from rlm_site.text.slugs import slug_for

SOURCES: dict[str, type[Article | Quote]] = {"article": Article, "quote": Quote}
BY_NAME = (Link.Kind.NAME, Link.Kind.MENTION)
Key = tuple[str, int]  # kind and id of a record


def backlinks_of(rows: Sequence[Any], user: Any, now: datetime) -> list[Backlink]:
    """Return the links that lead to any of these records from others, as far as somebody may read where they stand.

    A fixed number of queries for up to some hundred records.
    """
    queue.process_queue()
    former = _former_paths(rows)
    paths = former | {path_of_row(row) for row in rows if hasattr(row, "get_absolute_url")}
    keys = {row.key.lower() for row in rows if isinstance(row, Reference)}
    articles = [row for row in rows if isinstance(row, Article)]
    links = _links(_names(articles, former), paths, keys)
    return _described(_meaning(articles, former, links), {_key(row) for row in rows}, user, now)


def lost_by_rename(before: Article, after: Article, now: datetime) -> Backlinks:
    """Return the links by name that lead to a page as it is, and would not if it had the other names or place.

    Only pages that readers see are named; the others are counted.
    """
    queue.process_queue()
    still = LinkTargets([after])
    former = _former_paths([before])
    links = _meaning([before], former, _links(_names([before], former)))
    beside = _articles(links)
    if before.is_public(now):
        former.add(before.get_absolute_url())  # which goes on leading to the page
    lost = [
        link
        for link in links
        if link.source_id != before.pk
        and still.page(link.target, beside[link.source_id]) is None
        and former.isdisjoint(paths_of(link.target, beside[link.source_id]))
    ]
    named = first_of(_described(lost, {_key(before)}, AnonymousUser(), now))
    unnamed = len({link.source_id for link in lost}) - len({link.address for link in named.listed})
    return named._replace(more=unnamed)


def _key(row: Any) -> Key:
    return str(row._meta.model_name), row.pk


def _names(articles: Iterable[Article], former: Iterable[str]) -> set[str]:
    """Return the slugs by which these articles may be found, with these former paths."""
    names = {name for row in articles for name in (row.slug, slug_for(row.title))}
    return names | {path.strip("/").rpartition("/")[2] for path in former} if names else set()


def _links(names: Iterable[str], paths: Iterable[str] = (), keys: Iterable[str] = ()) -> list[Link]:
    kinds = [
        *((kind, name) for kind in BY_NAME for name in sorted(names)),
        *((kind, path) for kind in (Link.Kind.ADDRESS, Link.Kind.SUCCESSOR) for path in sorted(paths)),
        *((Link.Kind.CITATION, key) for key in sorted(keys)),
    ]
    found: list[Link] = []
    for some in batches(kinds):
        lookups: dict[str, list[str]] = defaultdict(list)
        for kind, lookup in some:
            lookups[kind].append(lookup)
        wanted = [Q(kind=kind, lookup__in=of_kind) for kind, of_kind in lookups.items()]
        found += Link.objects.filter(reduce(or_, wanted)).order_by("id")
    return found


def _meaning(articles: Iterable[Article], former: set[str], links: Sequence[Link]) -> list[Link]:
    """Return these links without those by name that mean another page than one of these articles."""
    by_name = [link for link in links if link.kind in BY_NAME]
    wanted = {row.pk for row in articles}
    targets = LinkTargets(
        row
        for some in batches({link.target for link in by_name})
        for row in Article.objects.filter(named_by(some)).for_links()
    )
    beside = _articles(by_name)
    found = [link for link in links if link.kind not in BY_NAME]
    for link in by_name:
        page = targets.page(link.target, beside[link.source_id])
        if page.pk in wanted if page else not former.isdisjoint(paths_of(link.target, beside[link.source_id])):
            found.append(link)
    return found


def _former_paths(rows: Iterable[Any]) -> set[str]:
    """Return the paths that lead to these records although they are not theirs by now: no other had them later."""
    ids: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if hasattr(row, "get_absolute_url"):
            ids[_key(row)[0]].append(row.pk)
    last: dict[str, Key] = {}
    for kind, of_kind in ids.items():
        for some in batches(of_kind):
            owned = Address.objects.filter(kind=kind, object_id__in=some).values("path")
            last |= {row.path: row.owner for row in Address.objects.filter(path__in=owned).order_by("id")}
    return {path for path, (kind, pk) in last.items() if pk in ids.get(kind, ())}


def _articles(links: Iterable[Link]) -> Mapping[int, Article | None]:
    """Return the pages on which these links stand, by id."""
    found: defaultdict[int, Article | None] = defaultdict(lambda: None)
    for some in batches({link.source_id for link in links if link.source_kind == "article"}):
        found |= Article.objects.for_links().in_bulk(some)
    return found


def _described(links: Iterable[Link], without: set[Key], user: Any, now: datetime) -> list[Backlink]:
    by_source: dict[Key, dict[tuple[bool, str, str], Link]] = defaultdict(dict)  # each link once, by what it says
    for link in links:
        if (link.source_kind, link.source_id) not in without:
            by_source[link.source_kind, link.source_id][link.is_draft, link.target, link.kind] = link
    found = []
    for kind, model in SOURCES.items():
        ids = [pk for source_kind, pk in by_source if source_kind == kind]
        rows: list[Any] = [
            row for some in batches(ids) for row in permissions.readable(user, _shown(model).filter(pk__in=some), now)
        ]
        for row in sorted(rows, key=lambda row: (str(row), row.pk)):
            for _order, link in sorted(by_source[kind, row.pk].items()):
                why = _("redirects readers here when unpublished") if link.kind == Link.Kind.SUCCESSOR else ""
                typed = as_typed(link.kind, link.target)
                found.append(Backlink(str(row), form_address(row), typed, why, link.is_draft))
    return found


def form_address(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def _shown(model: type[Article | Quote]) -> Any:
    return Article.objects.for_links() if model is Article else model._default_manager.all()
