from collections.abc import Iterable
from datetime import datetime
from itertools import product

from django.db.models import Q

from articles.markdown import path_of
from articles.models import Article
from rlm_site.indexing import queue
from rlm_site.page_cache.dependencies import depends_on
from rlm_site.text.slugs import slug_for

LINK_COLUMNS = ("title", "slug", "parent_id", "position", "published", "publish_at", "retire_at")


def link_addresses(targets: Iterable[str], article: Article | None, now: datetime) -> dict[str, str]:
    """Return the addresses of public targets of wiki links. `Title` is a topic, or a section beside this page."""
    targets = list(targets)
    if not targets:
        return {}
    depends_on("addresses")
    rows = Article.objects.filter(named_by(targets), queue.sound("article")).for_links()
    linked = LinkTargets(row for row in rows if row.is_public(now))
    found = {target: linked.page(target, article) for target in targets}
    return {target: row.get_absolute_url() for target, row in found.items() if row is not None}


def named_by(targets: Iterable[str]) -> Q:
    """Return the condition that a page may be meant by one of these targets of wiki links."""
    parts = {name for target in targets for path in _paths(target) for name in path}
    return Q(slug__in={slug_for(part) for part in parts}) | Q(title__in=parts)


def _paths(target: str) -> list[tuple[str, ...]]:
    """Return the paths that a target may mean; one whose sign is part of a title may also be a section's."""
    return list(dict.fromkeys([path_of(target), tuple(part.strip() for part in target.split("#", 1))]))


class LinkTargets:
    """Pages by the names that wiki links use for them; of two with the same name the first counts."""

    def __init__(self, rows: Iterable[Article]) -> None:
        self._pages: dict[tuple[str, ...], Article] = {}
        for row in rows:
            names = [(page.title, page.slug) for page in (row.parent, row) if page]
            for path in product(*names):
                self._pages.setdefault(path, row)

    def page(self, target: str, beside: Article | None) -> Article | None:
        """Return the page that `Title` or `Topic#Section` links to; for sections of one topic the title is enough."""
        paths = [path for names in _paths(target) for path in product(*((name, slug_for(name)) for name in names))]
        if beside:
            paths += [(beside.topic.slug, *path) for path in paths]
        return next((self._pages[path] for path in paths if path in self._pages), None)
