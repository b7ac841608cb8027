"""The map of places: a page with a number for every dot and a list that explains them, and a small one without."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from django.conf import settings
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.db.models.lookups import Contains
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils import timezone

from articles import atlas, entries
from articles.atlas import BaseMap, Label, Point
from articles.entries import Entry
from articles.facts import Place, Row, facts_of, read_place
from articles.models import Article
from rlm_site.indexing import queue
from rlm_site.page_cache.decorators import public_page
from rlm_site.page_cache.dependencies import depends_on
from rlm_site.publishing.visibility import public_at

# Entries about places with coordinates, as the database can tell without reading each.
LOCATED = Q(kind=Article.Kind.PLACE) & Q(Contains(Cast("facts", TextField()), '"coordinates"'))
MOST_WITH_SUMMARY = 150  # places; of more the list has the names alone


class Line(NamedTuple):
    """The places of one dot in the list; of its number 0 where they lie beyond the map."""

    number: int
    places: list[Entry]


class Country(NamedTuple):
    """The places in one country of today."""

    name: str
    lines: list[Line]


class Dot(NamedTuple):
    """A dot, its number where there is room for it, and the first of its places."""

    number: int
    place: Article
    spot: Point
    label: Label | None


class Atlas(NamedTuple):
    """What the page of the map shows."""

    base: BaseMap
    picture: str
    dots: list[Dot]
    countries: list[Country]
    beyond: list[Entry]
    number: int  # of places on the map
    unplaced: int  # entries about places without coordinates
    in_full: bool  # the list has summaries

    @property
    def threads(self) -> str:
        joined = (dot.label.thread for dot in self.dots if dot.label and dot.label.thread)
        return "".join(f"M{a.x:.0f} {a.y:.0f}L{b.x:.0f} {b.y:.0f}" for a, b in joined)

    @property
    def unnumbered(self) -> int:
        return sum(dot.label is None for dot in self.dots)

    @property
    def has_shared_dots(self) -> bool:
        return len(self.dots) < self.number

    @property
    def scale(self) -> str:
        """Return the path of the scale bar, in the lower right corner."""
        crop, width = self.base.crop, self.base.scale_width
        return f"M{crop.right - 14 - width:.0f} {crop.bottom - 21:.0f}v5h{width:.0f}v-5"

    @property
    def scale_end(self) -> Point:
        return Point(round(self.base.crop.right - 14), round(self.base.crop.bottom - 26))


class SmallMap(NamedTuple):
    """All dots without numbers, and that of one place."""

    base: BaseMap
    picture: str
    number: int
    dots: str
    own: str = ""
    anchor: str = ""  # of the place in the list of the map


def base_map() -> BaseMap | None:
    return _read(settings.BASE_MAP) if settings.BASE_MAP else None


@lru_cache(maxsize=4)
def _read(name: str) -> BaseMap:
    return atlas.read_base_map(settings.BASE_DIR / "static/img/map" / f"{name}.json")


@public_page
def map_of_places(request: HttpRequest) -> HttpResponse:
    base = base_map()
    if base is None:
        raise Http404
    queue.ensure_indexed()
    return render(request, "articles/map.html", {"map": _atlas(base, entries.places(timezone.now()))})


def _atlas(base: BaseMap, places: Sequence[Entry]) -> Atlas:
    located = [(entry, point) for entry in places if (point := point_of(entry.article.kind, entry.article.facts))]
    shown = [(entry, point) for entry, point in located if base.shows(point)]
    shown.sort(key=lambda each: entries.sort_key(_country(each[0])))  # within a country they stay in their order
    numbers = [number + 1 for number in atlas.shared_dots(point for _entry, point in shown)]
    firsts: dict[int, tuple[Entry, Place]] = {}
    for number, each in zip(numbers, shown, strict=True):
        firsts.setdefault(number, each)
    spots = [base.project(point) for _entry, point in firsts.values()]
    labels = atlas.place_numbers(spots, base.crop, [town.box for town in base.towns] + [_scale_box(base)])
    return Atlas(
        base,
        _picture(base),
        [
            Dot(number, entry.article, spot.whole, label)
            for (number, (entry, _point)), spot, label in zip(firsts.items(), spots, labels, strict=True)
        ],
        _countries(zip(numbers, (entry for entry, _point in shown), strict=True)),
        [entry for entry, point in located if not base.shows(point)],
        len(shown),
        len(places) - len(located),
        len(shown) <= MOST_WITH_SUMMARY,
    )


def _scale_box(base: BaseMap) -> atlas.Box:
    return atlas.Box(
        base.crop.right - 20 - base.scale_width, base.crop.bottom - 40, base.crop.right, base.crop.bottom - 12
    )


def _countries(numbered: Iterable[tuple[int, Entry]]) -> list[Country]:
    """Return the countries with their places by dot; a dot at a border may stand in two of them."""
    countries = []
    for name, rows in groupby(numbered, key=lambda row: _country(row[1])):
        lines: dict[int, Line] = {}
        for number, entry in rows:
            lines.setdefault(number, Line(number, [])).places.append(entry)
        countries.append(Country(name, [lines[number] for number in sorted(lines)]))
    return countries


def _country(entry: Entry) -> str:
    """Return the country without what is said of it in parentheses."""
    return entry.country.partition("(")[0].strip()


def point_of(kind: str, facts: Sequence[Row]) -> Place | None:
    """Return the first point that the facts of a page name."""
    points = (read_place(fact.row["value"]) for fact in facts_of(kind, facts) if fact.type.key == "coordinates")
    return next((point for point in points if point), None)


def small_map(now: datetime, place: Article | None = None) -> SmallMap | None:
    """Return a map of all places for the front page, or for the page of one; None where it would show none.

    One query, or none.
    """
    base = base_map()
    own = point_of(place.kind, place.facts) if place and not place.parent_id else None
    if base is None or (place and (own is None or not base.shows(own))):
        return None
    others = [point for slug, point in _points(now) if base.shows(point) and (place is None or slug != place.slug)]
    if not others and own is None:
        return None
    return SmallMap(
        base,
        _picture(base),
        len(others) + bool(own),
        _path(base, others),
        _path(base, [own]) if own else "",
        anchor_of(place) if place else "",
    )


def _points(now: datetime) -> list[tuple[str, Place]]:
    """Return the public places that have coordinates, by slug. One query."""
    depends_on("places")
    found = Article.objects.filter(public_at(now), queue.sound("article"), parent=None, kind=Article.Kind.PLACE)
    rows = found.order_by("id").values_list("slug", "facts")
    return [(slug, point) for slug, facts in rows if (point := point_of(Article.Kind.PLACE, facts))]


def _path(base: BaseMap, places: Iterable[Place]) -> str:
    """Return a path of dots, each once."""
    spots = dict.fromkeys("M{:.0f} {:.0f}h0".format(*base.project(place)) for place in places)
    return "".join(spots)


def anchor_of(place: Article) -> str:
    return f"place-{place.slug}"


def _picture(base: BaseMap) -> str:
    return f"{static(f'img/map/{settings.BASE_MAP}.svg')}#{base.picture['symbol']}"
