"""The lists of entries that the header of every page links: those that have any."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from django.db.models import Count, Exists
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from articles import atlas_views
from articles.models import Article, Event
from rlm_site.indexing import queue
from rlm_site.page_cache.dependencies import depends_on
from rlm_site.publishing.visibility import public_at
from rlm_site.text.slugs import ABOUT, reverse

LISTED = {
    Article.Kind.PERSON: (gettext_lazy("People"), "articles:people"),
    Article.Kind.PLACE: (gettext_lazy("Places"), "articles:places"),
    Article.Kind.DOCUMENT: (gettext_lazy("Documents"), "articles:documents"),
    Article.Kind.TERM: (gettext_lazy("Glossary"), "articles:glossary"),
}


class EntryList(NamedTuple):
    """A page that lists entries, and how many there are, or that shows events."""

    name: str
    address: str
    number: int | None


def lists(request: HttpRequest) -> dict[str, Callable[[], dict[str, object]]]:
    """Return `lists` for templates: `lists.shown`, and each by its kind. One query, of pages that ask."""
    return {"lists": cache(_lists)}


def _lists() -> dict[str, object]:
    depends_on("addresses", "places")
    now = timezone.now()
    entries = Article.objects.filter(public_at(now) & queue.sound("article"), parent=None)
    by_kind = entries.exclude(slug=ABOUT).order_by().values_list("kind")
    rows = list(
        by_kind.annotate(
            all=Count("pk"),
            located=Count("pk", filter=atlas_views.LOCATED),
            told=Exists(Event.objects.public(now)),
        )
    )
    numbers = {kind: number for kind, number, _located, _told in rows}
    located = sum(number for _kind, _number, number, _told in rows) if atlas_views.base_map() else 0
    found = {
        str(kind): EntryList(str(name), reverse(view, []), numbers[kind])
        for kind, (name, view) in LISTED.items()
        if kind in numbers
    }
    index = EntryList(_("Index"), reverse("articles:index", []), sum(numbers.values()))
    if located:
        found = {"map": EntryList(_("Map"), reverse("articles:map", []), located), **found}
    if any(told for _kind, _number, _located, told in rows):
        found = {"chronology": EntryList(_("Chronology"), reverse("articles:chronology", []), None), **found}
    shown = [each for name, each in found.items() if name != "place" or "map" not in found]  # the map leads to the list
    return {**found, "index": index, "shown": [*shown, *([index] if numbers else [])]}
