"""The strip of years: what is to scale, what is folded, and that no words on it meet."""

import re
from datetime import date, timedelta
from itertools import combinations, pairwise

import pytest

from articles import strip


def days(*years: int) -> list[date]:
    return [date(year, 6, 15) for year in years]


def many(counts: dict[int, int]) -> list[date]:
    return [date(year, 1 + n % 12, 1 + n % 28) for year, number in counts.items() for n in range(number)]


def test_years_that_hold_most_events_are_to_scale_and_the_few_after_them_are_folded() -> None:
    axis = strip.axis_for(many({1941: 7, 1942: 12, 1943: 17, 1944: 22, 1945: 41, 1946: 15, 1947: 1, 1990: 31}))
    assert (axis.start, axis.end, axis.earlier, axis.later) == (date(1941, 1, 1), date(1947, 1, 1), None, (1947, 1990))


def test_years_before_them_are_folded_too() -> None:
    axis = strip.axis_for(many({1700: 2, 1789: 20, 1790: 30, 1791: 20, 1900: 3}))
    assert (axis.start.year, axis.end.year, axis.earlier, axis.later) == (1789, 1792, (1700, 1788), (1792, 1900))


@pytest.mark.parametrize("years", [(1901,), (1901, 1910), (1901, 1902, 1903, 1904), (1, 9999)])
def test_few_years_are_not_folded_and_any_can_be_drawn(years: tuple[int, ...]) -> None:
    axis = strip.axis_for(days(*years))
    if years[-1] - years[0] < 12:
        assert (axis.earlier, axis.later) == (None, None)
    drawn = strip.draw([strip.Dot(day) for day in days(*years)], axis, {})
    assert drawn.dots.count("h0") == len(years)
    strip.draw_small(days(*years), [True] * len(years), axis)


def test_the_axis_begins_with_the_month_of_the_first_event() -> None:
    assert strip.axis_for([date(1941, 6, 22), date(1942, 1, 1)]).start == date(1941, 6, 1)


def coordinates(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"M([-0-9.]+) ([-0-9.]+)h0", path)]


def test_dots_are_stacked_in_order_and_none_is_upon_another() -> None:
    same = [date(1945, 5, 7)] * 10 + [date(1945, 5, 8)] * 3 + [date(1944, 1, 1), date(1946, 12, 31)]
    drawn = strip.draw([strip.Dot(day) for day in same], strip.axis_for(same), {})
    places = coordinates(drawn.dots)
    assert len(set(places)) == len(places)
    assert all(0 <= x <= drawn.width and 0 <= y <= drawn.height for x, y in places)


@pytest.mark.parametrize("number", [500, 3000])
def test_a_strip_of_many_is_no_higher(number: int) -> None:
    crowd = [date(1941, 1, 1) + timedelta(days=7 * n % 2000) for n in range(number)]
    drawn = strip.draw([strip.Dot(day) for day in crowd], strip.axis_for(crowd), {})
    assert drawn.height < 160
    assert strip.draw_small(crowd, [False] * number, strip.axis_for(crowd)).height < 110


LABELLED = [
    strip.Dot(date(1941, 6, 22), "22 June 1941", "The invasion", "#1"),
    strip.Dot(date(1942, 7, 11), "11 July 1942", "Vlasov is taken", "#2"),
    strip.Dot(date(1942, 12, 27), "27 December 1942", "Smolensk appeal", "#3"),
    strip.Dot(date(1944, 8, 4), "4–25 August 1944", "Murder in Ochota", "#4"),
    strip.Dot(date(1944, 11, 14), "14 November 1944", "KONR proclaimed", "#5"),
    strip.Dot(date(1945, 2, 11), "11 February 1945", "Yalta agreements", "#6"),
    strip.Dot(date(1945, 5, 6), "6–7 May 1945", "Fighting in Prague", "#7"),
    strip.Dot(date(1945, 6, 1), "1 June 1945", "Force at Peggetz", "#8"),
    strip.Dot(date(1946, 8, 1), "1 August 1946", "Twelve men are hanged", "#9"),
]


def boxes(drawn: strip.Strip) -> list[tuple[float, float, float]]:
    """Return the line, the start and the end of each label."""
    found = []
    for label in drawn.labels:
        wide = strip.LETTER * max(len(label.dot.when), len(label.dot.label))
        x = float(label.x)
        found.append((float(label.y), x - wide if label.ends else x, x if label.ends else x + wide))
    return found


def test_no_label_meets_another_or_the_line_to_one() -> None:
    drawn = strip.draw(LABELLED, strip.axis_for([dot.day for dot in LABELLED]), {})
    assert [label.dot.label for label in drawn.labels] == [dot.label for dot in LABELLED]
    for (line, start, end), (other, its_start, its_end) in combinations(boxes(drawn), 2):
        assert line != other or end < its_start or its_end < start
    lines = [(float(x), float(end)) for x, end in re.findall(r"M([0-9.]+) [0-9.]+V([0-9.]+)", drawn.leads)]
    for x, lower in lines:
        assert not [box for box in boxes(drawn) if box[0] < lower - strip.TIER and box[1] < x < box[2]]


def test_labels_that_find_no_room_are_left_out_and_their_dots_stay() -> None:
    crowd = [strip.Dot(date(1945, 5, day), f"{day} May 1945", "A label of forty characters, nearly so") for day in
             range(1, 29)]  # fmt: skip
    drawn = strip.draw(crowd, strip.axis_for([dot.day for dot in crowd]), {})
    assert 0 < len(drawn.labels) <= strip.MOST_LABELS
    assert len(coordinates(drawn.dots)) == len(crowd)


def test_years_link_where_they_have_an_address_and_stand_apart() -> None:
    crowd = many(dict.fromkeys(range(1800, 1860), 3))
    drawn = strip.draw([strip.Dot(day) for day in crowd], strip.axis_for(crowd), {1800: "#y1800"})
    assert drawn.years[0] == strip.Year("1800", 1800, "5", "#y1800")
    places = [float(year.x) for year in drawn.years]
    assert all(later - earlier > 30 for earlier, later in pairwise(places))
