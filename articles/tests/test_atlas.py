"""Points on the base map, shared dots, and the room for numbers."""

import json
import random
from itertools import combinations
from math import hypot

import pytest
from django.conf import settings

from articles import atlas
from articles.atlas import Box, Point
from articles.facts import Place

# What an independent implementation of the projection gives, in units of the picture.
KNOWN = [
    (Place(52.5244, 13.4105), Point(366.22, 304.4)),
    (Place(59.94, 30.31), Point(688.25, 37.42)),
    (Place(44.5022, 34.1662), Point(860.65, 557.57)),
    (Place(46.8289, 12.769), Point(332.77, 501.68)),
    (Place(40.03, -74.62), Point(-1408.83, -710.58)),
]
BASE = {
    "picture": {"symbol": "base", "width": 1000, "height": 640},
    "crop": {"left": 0, "top": 0, "width": 1000, "height": 640},
    "projection": {
        "parallels": [46, 58], "origin": [52, 20], "km_a_unit": 3.16, "left_km": -1600, "top_km": 1040,
    },
    "scale_km": 200,
}  # fmt: skip


def base(**changed: object) -> atlas.BaseMap:
    return atlas.BaseMap(BASE | changed)


@pytest.mark.parametrize(("place", "point"), KNOWN)
def test_points_lie_where_the_projection_puts_them(place: Place, point: Point) -> None:
    assert base().project(place) == pytest.approx(point, abs=0.01)


def test_no_length_is_distorted_along_the_parallels_of_the_cone() -> None:
    for latitude in (46, 58):
        west, east = Place(latitude, 19.5), Place(latitude, 20.5)
        drawn = hypot(*(a - b for a, b in zip(base().project(west), base().project(east), strict=True))) * 3.16
        assert drawn == pytest.approx(atlas.kilometres(west, east), rel=1e-4)


def test_the_origin_lies_where_the_file_says() -> None:
    assert base().project(Place(52, 20)) == pytest.approx((1600 / 3.16, 1040 / 3.16))


def test_east_and_west_of_the_origin_mirror_each_other() -> None:
    east, west = base().project(Place(50, 32)), base().project(Place(50, 8))
    assert east.y == pytest.approx(west.y)
    assert east.x - 1600 / 3.16 == pytest.approx(1600 / 3.16 - west.x)


@pytest.mark.parametrize("parallels", [[-30, -20], [50, 50], [60, 40]])
def test_other_cones_can_be_given(parallels: list[int]) -> None:
    origin = [sum(parallels) / 2, 170]
    other = base(projection=BASE["projection"] | {"parallels": parallels, "origin": origin})  # type: ignore[operator]
    north, south = other.project(Place(origin[0] + 1, 170)), other.project(Place(origin[0] - 1, 170))
    assert north.y < south.y
    assert hypot(north.x - south.x, north.y - south.y) * 3.16 == pytest.approx(222.4, rel=0.02)
    assert other.project(Place(origin[0], -175)).x > other.project(Place(origin[0], 175)).x  # over the date line


@pytest.mark.parametrize("place", [Place(90, 0), Place(-90, 0), Place(0, 180), Place(0, -180)])
def test_no_point_of_the_earth_is_an_error(place: Place) -> None:
    assert not base().shows(place)


def test_what_lies_outside_the_crop_is_not_shown() -> None:
    small = base(crop={"left": 400, "top": 200, "width": 200, "height": 200})
    assert small.shows(Place(52, 20))
    assert not small.shows(Place(52, 30))
    assert small.view_box == "400 200 200 200"


def test_distances_are_right() -> None:
    assert atlas.kilometres(Place(52.5244, 13.4105), Place(50.088, 14.4208)) == pytest.approx(280, abs=3)
    assert atlas.kilometres(Place(1, 179.9), Place(1, -179.9)) == pytest.approx(22.2, abs=0.1)
    assert atlas.kilometres(Place(90, 0), Place(-90, 0)) == pytest.approx(20015, abs=1)


def test_places_less_than_20_km_apart_share_a_dot_and_a_chain_does_not() -> None:
    step = 0.15  # degrees of latitude: 16.7 km
    places = [Place(50 + step * number, 10) for number in range(4)] + [Place(60, 10)]
    assert atlas.shared_dots(places) == [0, 0, 1, 1, 2]
    assert atlas.shared_dots([]) == []


def boxes(dots: list[Point], labels: list[atlas.Label | None]) -> list[Box]:
    """Return what the numbers cover, without the air around them."""
    return [
        Box(x - width / 2, y - atlas.HEIGHT / 2, x + width / 2, y + atlas.HEIGHT / 2)
        for number, label in enumerate(labels, 1)
        if label
        for width in [atlas.DIGIT * len(str(number))]
        for x, y in [label.middle]
    ]


CROP = Box(0, 0, 820, 612)
CROWDS = {
    "one": [Point(400, 300)],
    "same": [Point(400, 300)] * 9,
    "corner": [Point(4, 4), Point(816, 4), Point(4, 608), Point(816, 608)],
    "row": [Point(20 + 9 * number, 300) for number in range(60)],
    "grid": [Point(30 + 40 * (number % 20), 30 + 40 * (number // 20)) for number in range(280)],
    "random": [Point(generator.uniform(4, 816), generator.uniform(4, 608)) for generator in [random.Random(7)] for _ in range(300)],  # noqa: E501,S311
    "city": [Point(generator.gauss(400, 12), generator.gauss(300, 12)) for generator in [random.Random(8)] for _ in range(80)],  # noqa: E501,S311
}  # fmt: skip


@pytest.mark.parametrize("crowd", CROWDS)
def test_a_number_covers_nothing_and_stays_on_the_map(crowd: str) -> None:
    dots = CROWDS[crowd]
    town = Box(390, 320, 450, 334)
    labels = atlas.place_numbers(dots, CROP, [town])
    covered = boxes(dots, labels)
    assert len(labels) == len(dots)
    assert all(CROP.surrounds(box) for box in covered)
    assert not any(one.touches(other) for one, other in combinations([*covered, town], 2))
    spots = [Box(dot.x - 3.6, dot.y - 3.6, dot.x + 3.6, dot.y + 3.6) for dot in dots]
    assert not any(box.touches(spot) for box in covered for spot in spots)
    assert labels == atlas.place_numbers(dots, CROP, [town])


@pytest.mark.parametrize(("crowd", "least"), [("one", 1), ("corner", 4), ("grid", 280), ("random", 285), ("city", 15)])
def test_numbers_are_left_out_only_where_there_is_no_room(crowd: str, least: int) -> None:
    assert sum(label is not None for label in atlas.place_numbers(CROWDS[crowd], CROP)) >= least


def test_a_number_stands_right_of_its_dot_if_it_can_and_a_thread_joins_what_stands_off() -> None:
    [label] = atlas.place_numbers([Point(400, 300)], CROP)
    assert label == atlas.Label(Point(400 + atlas.DOT + atlas.GAP + atlas.DIGIT / 2, 300))
    beside = [(412, 302), (388, 302), (402, 312), (402, 288), (407, 284), (407, 316), (393, 284), (393, 316)]
    [off] = atlas.place_numbers([Point(400, 300)], CROP, [Box(x, y, x + 1, y + 1) for x, y in beside])
    assert off is not None
    assert off.thread is not None
    assert off.thread[0] == (400, 300)
    assert off.thread[1].x == pytest.approx(off.middle.x - atlas.DIGIT / 2)


def test_the_base_maps_that_come_with_the_site_can_be_read() -> None:
    folder = settings.BASE_DIR / "static/img/map"
    files = sorted(folder.glob("*.json"))
    assert files
    for file in files:
        read = atlas.read_base_map(file)
        picture = file.with_suffix(".svg").read_text()
        assert f'<symbol id="{read.picture["symbol"]}"' in picture
        assert len(read.towns) == len(json.loads(file.read_text())["towns"])
        assert all(read.crop.surrounds(town.box) for town in read.towns)
        assert not any(one.box.touches(other.box) for one, other in combinations(read.towns, 2))
        assert len(picture.encode()) < 20_000
        assert "#" not in picture.replace('href="#', "").replace("viewBox", "")  # no colour of its own
