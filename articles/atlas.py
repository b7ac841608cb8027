"""Places on a base map: its projection, which places share a dot, and where the number of a dot has room.

A base map is a picture with a file of JSON that says how points come to lie on it; docs/content.md has its fields.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from math import asin, cos, hypot, log, pi, radians, sin, sqrt, tan
from pathlib import Path
from typing import Any, NamedTuple

from articles.facts import Place

EARTH_KM = 6371.0
SHARED_KM = 20  # places less than this apart share a dot

# In units of the map, which are pixels on a wide screen.
DOT = 3.6  # radius
DIGIT = 8.8  # the width of a figure
HEIGHT = 12  # of a number
BASELINE = 4.6  # from the middle of a number down
LETTER = 7.2
GAP = 2.5  # between a number and whatever is beside it

# Where a number may stand: right of its dot, left, below, above, then aslant; and farther away.
_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (1, 1), (-1, -1), (-1, 1))
_DISTANCES = (0, 7, 14, 22)
_BUCKET = 40


class Point(NamedTuple):
    """A point of the picture: x to the right, y down."""

    x: float
    y: float

    @property
    def whole(self) -> "Point":
        return Point(round(self.x), round(self.y))


class Box(NamedTuple):
    """A part of the picture."""

    left: float
    top: float
    right: float
    bottom: float

    def holds(self, point: Point, margin: float = 0) -> bool:
        return (
            self.left + margin <= point.x <= self.right - margin
            and self.top + margin <= point.y <= self.bottom - margin
        )

    def surrounds(self, other: "Box") -> bool:
        return (
            self.left < other.left and other.right < self.right and self.top < other.top and other.bottom < self.bottom
        )

    def touches(self, other: "Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


class Town(NamedTuple):
    """A town for orientation: a small square with its name."""

    name: str
    spot: Point
    baseline: Point  # where the name begins, or ends
    anchor: str  # start, middle or end
    box: Box


class Label(NamedTuple):
    """Where the number of a dot stands; `thread` joins them where it stands off."""

    middle: Point
    thread: tuple[Point, Point] | None = None

    @property
    def baseline(self) -> Point:
        return Point(self.middle.x, self.middle.y + BASELINE)


class BaseMap:
    """A picture on which points of the earth can be placed."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given
        self.picture: Mapping[str, Any] = given["picture"]
        self.note: str = given.get("note", "")
        self.credits: Sequence[Mapping[str, str]] = given.get("credits", ())
        self.scale_km: float = given["scale_km"]
        crop = given["crop"]
        self.crop = Box(crop["left"], crop["top"], crop["left"] + crop["width"], crop["top"] + crop["height"])

    @property
    def view_box(self) -> str:
        crop = self._given["crop"]
        return f"{crop['left']} {crop['top']} {crop['width']} {crop['height']}"

    @property
    def scale_width(self) -> float:
        return self.scale_km / self._given["projection"]["km_a_unit"]

    @cached_property
    def _cone(self) -> tuple[float, float, float]:
        """Return its opening, its scale, and the distance of the origin from its tip."""
        projection = self._given["projection"]
        first, second = (radians(degrees) for degrees in projection["parallels"])
        opening = sin(first)
        if first != second:
            opening = log(cos(first) / cos(second)) / log(tan(pi / 4 + second / 2) / tan(pi / 4 + first / 2))
        scale = EARTH_KM * cos(first) * tan(pi / 4 + first / 2) ** opening / opening
        return opening, scale, scale / tan(pi / 4 + radians(projection["origin"][0]) / 2) ** opening

    def project(self, place: Place) -> Point:
        """Return where a place lies on the picture, by Lambert's conformal conic projection of a sphere."""
        projection = self._given["projection"]
        opening, scale, origin = self._cone
        latitude = radians(min(max(place.latitude, -89.9), 89.9))
        degrees_east = (place.longitude - projection["origin"][1] + 180) % 360 - 180
        angle = opening * radians(degrees_east)
        distance = scale / tan(pi / 4 + latitude / 2) ** opening
        x_km, y_km = distance * sin(angle), origin - distance * cos(angle)
        unit = projection["km_a_unit"]
        return Point((x_km - projection["left_km"]) / unit, (projection["top_km"] - y_km) / unit)

    def shows(self, place: Place) -> bool:
        return self.crop.holds(self.project(place), DOT)

    @cached_property
    def towns(self) -> tuple[Town, ...]:
        towns = (self._town(each) for each in self._given.get("towns", ()))
        return tuple(town for town in towns if self.crop.holds(town.spot, DOT))

    def _town(self, given: Mapping[str, Any]) -> Town:
        x, y = spot = self.project(Place(*given["at"]))
        width = len(given["name"]) * LETTER
        side = given.get("side", "right")
        anchor = {"right": "start", "left": "end"}.get(side, "middle")
        baseline = Point(x + {"right": 8, "left": -8}.get(side, 0), y + {"above": -7, "below": 17}.get(side, BASELINE))
        left = baseline.x - {"start": 0, "middle": width / 2, "end": width}[anchor]
        return Town(
            given["name"], spot.whole, baseline.whole, anchor, Box(left, baseline.y - 11, left + width, baseline.y + 3)
        )


def read_base_map(path: Path) -> BaseMap:
    return BaseMap(json.loads(path.read_text("utf-8")))


def kilometres(one: Place, other: Place) -> float:
    """Return how far two places are apart, on a sphere."""
    latitudes = sin(radians(other.latitude - one.latitude) / 2) ** 2
    longitudes = sin(radians(other.longitude - one.longitude) / 2) ** 2
    both = cos(radians(one.latitude)) * cos(radians(other.latitude))
    return 2 * EARTH_KM * asin(sqrt(min(latitudes + both * longitudes, 1)))


def shared_dots(places: Iterable[Place]) -> list[int]:
    """Return the number of its dot for each place, from 0: a place near the first one of a dot shares it."""
    dots: list[Place] = []
    numbers = []
    for place in places:
        near = (number for number, dot in enumerate(dots) if kilometres(dot, place) < SHARED_KM)
        number = next(near, len(dots))
        if number == len(dots):
            dots.append(place)
        numbers.append(number)
    return numbers


class _Taken:
    """The parts of the picture that are taken, found by where they are."""

    def __init__(self) -> None:
        self._boxes: dict[tuple[int, int], list[Box]] = defaultdict(list)

    def add(self, box: Box) -> None:
        for bucket in _buckets(box):
            self._boxes[bucket].append(box)

    def has_room_for(self, box: Box) -> bool:
        return not any(box.touches(other) for bucket in _buckets(box) for other in self._boxes[bucket])


def _buckets(box: Box) -> Iterator[tuple[int, int]]:
    for column in range(int(box.left // _BUCKET), int(box.right // _BUCKET) + 1):
        for row in range(int(box.top // _BUCKET), int(box.bottom // _BUCKET) + 1):
            yield column, row


def place_numbers(dots: Sequence[Point], crop: Box, others: Iterable[Box] = ()) -> list[Label | None]:
    """Return where the number of each dot has room beside it, and None where it has none.

    Numbers cover no dot, no other number and none of these other boxes; crowded dots choose first. The same dots always
    give the same picture.
    """
    taken = _Taken()
    for box in others:
        taken.add(box)
    for dot in dots:
        taken.add(_around(dot, DOT, DOT))
    labels: list[Label | None] = [None] * len(dots)
    for index in _most_crowded_first(dots):
        width = DIGIT * len(str(index + 1))
        for label in _positions(dots[index], width):
            boxes = [_around(label.middle, (width + GAP) / 2, (HEIGHT + GAP) / 2), *_along(label.thread)]
            if crop.surrounds(boxes[0]) and all(taken.has_room_for(box) for box in boxes):
                for box in boxes:
                    taken.add(box)
                labels[index] = label
                break
    return labels


def _around(middle: Point, across: float, down: float) -> Box:
    return Box(middle.x - across, middle.y - down, middle.x + across, middle.y + down)


def _along(thread: tuple[Point, Point] | None) -> list[Box]:
    """Return small boxes along a thread, from beyond its dot to before its number."""
    if thread is None:
        return []
    (x, y), (to_x, to_y) = thread
    return [
        _around(Point(x + (to_x - x) * part, y + (to_y - y) * part), 0.5, 0.5)
        for part in (0.5, 0.65, 0.8)
        if hypot(to_x - x, to_y - y) * part > DOT + 1
    ]


def _most_crowded_first(dots: Sequence[Point]) -> list[int]:
    crowd = [sum(hypot(dot.x - other.x, dot.y - other.y) < 30 for other in dots) for dot in dots]
    return sorted(range(len(dots)), key=lambda index: (-crowd[index], index))


def _positions(dot: Point, width: float) -> Iterator[Label]:
    """Yield where the number of a dot may stand, first choice first."""
    for distance in _DISTANCES:
        for right, down in _DIRECTIONS:
            aslant = sqrt(0.5) if right and down else 1
            edge = Point(
                dot.x + right * (DOT + GAP + distance * aslant), dot.y + down * (DOT + GAP + distance * aslant)
            )
            middle = Point(edge.x + right * width / 2, edge.y + down * HEIGHT / 2)
            yield Label(middle, (dot, edge) if distance else None)
