"""The strip of years: events as dots on an axis, most of them to scale and the few far from them folded at its ends.

Pure functions of days and numbers; templates draw what they return, and CSS gives it colours.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from itertools import accumulate
from math import ceil
from typing import NamedTuple

WIDTH, FOLD, BREAK = 920, 96, 14  # of the whole strip, of a folded end, and of the gap before it
STEP = 6.2  # from dot to dot
TOP = 20  # the line of years
TALLEST = 110  # stack of dots
TIER = 40  # the height of a label with its date
TIERS = 4
MOST_LABELS = 12
LETTER = 7.2  # the width of a letter, at most on average
MINI = 280, 32, 3.5  # width, folded end and step of the small one

_HELD = 0.75  # of the events are to scale
_FEW_YEARS = 12  # are never folded
_YEAR_STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000)


class Dot(NamedTuple):
    """An event on the strip. Without a label it is a dot alone."""

    day: date
    when: str = ""
    label: str = ""
    address: str = ""


class Axis(NamedTuple):
    """The days to scale, from the first to the one after the last, and the years of the folded ends."""

    start: date
    end: date
    earlier: tuple[int, int] | None = None
    later: tuple[int, int] | None = None


class Label(NamedTuple):
    """The words of an event on the strip; they end at `x` where they stand on its left."""

    dot: Dot
    x: str
    y: str
    below: str
    ends: bool


class Year(NamedTuple):
    """A year or the years of a folded end, where its words begin."""

    words: str
    first: int
    x: str
    address: str = ""


class Strip(NamedTuple):
    """What is drawn: paths of SVG, and words with their places."""

    width: int
    height: int
    rules: str
    dots: str
    years: tuple[Year, ...]
    leads: str = ""
    big: str = ""  # the dots with a label
    labels: tuple[Label, ...] = ()


class Mini(NamedTuple):
    """A small strip without links: the dots of an entry among all."""

    width: int
    height: int
    rules: str
    others: str
    own: str
    years: tuple[Year, ...]
    year_line: str


def axis_for(days: Sequence[date]) -> Axis:
    """Return the axis for these days: the shortest run of years with three quarters of them is to scale."""
    counts = Counter(day.year for day in days)
    first, last = min(counts), max(counts)
    start, end = (first, last) if last - first < _FEW_YEARS else _densest(counts)
    if (last - first + 1) <= 1.5 * (end - start + 1):
        start, end = first, last
    begin = min(day for day in days if day.year >= start)
    return Axis(
        date(start, begin.month if start == first else 1, 1),
        date(end + 1, 1, 1) if end < date.max.year else date.max,
        (first, start - 1) if first < start else None,
        (end + 1, last) if last > end else None,
    )


def _densest(counts: Counter[int]) -> tuple[int, int]:
    """Return the shortest run of years that holds enough of the events, the earliest of several."""
    years = sorted(counts)
    sums = [0, *accumulate(counts[year] for year in years)]
    wanted = ceil(_HELD * sums[-1])
    runs = []
    for place, year in enumerate(years):
        last = bisect_right(sums, sums[place] + wanted - 1)
        if last < len(sums):
            runs.append((years[last - 1] - year, year, years[last - 1]))
    _length, start, end = min(runs)
    return start, end


class _Scale(NamedTuple):
    """Where days are on a strip of this width."""

    axis: Axis
    width: float
    fold: float
    gap: float

    @property
    def left(self) -> float:
        return self.fold + self.gap if self.axis.earlier else 0

    @property
    def right(self) -> float:
        return self.width - (self.fold + self.gap if self.axis.later else 0)

    def x(self, day: date) -> float:
        axis = self.axis
        if day < axis.start and axis.earlier:
            return 3 + _fraction(day, axis.earlier) * (self.fold - 12)
        if day >= axis.end and axis.later:
            return self.width - self.fold + 3 + _fraction(day, axis.later) * (self.fold - 12)
        room = self.right - self.left - (self.gap if axis.later else 0)
        return self.left + (day - axis.start).days * room / max((axis.end - axis.start).days, 1)

    def years(self, apart: float) -> list[tuple[int, float]]:
        """Return the years to scale that can be named when they stand this far apart, with their places."""
        first, last = self.axis.start.year, self.axis.end.year
        number = last - first
        step = next((step for step in _YEAR_STEPS if number / step * apart <= self.right - self.left), 1000)
        named = [(year, self.x(date(year, 1, 1))) for year in range(first + 1, last) if year % step == 0]
        begins = [(first, self.x(self.axis.start))]
        return begins + named if not named or named[0][1] - begins[0][1] >= apart else named

    def line(self, height: float) -> str:
        """Return the path of the axis at this height, with what shows that it is broken."""
        path = f"M{_n(self.left)} {_n(height)}H{_n(self.right)}"
        if self.axis.later:
            path += f"M{_n(self.width - self.fold)} {_n(height)}H{_n(self.width)}"
        if self.axis.earlier:
            path += f"M0 {_n(height)}H{_n(self.fold)}"
        return path


def _fraction(day: date, years: tuple[int, int]) -> float:
    first, last = years
    return (day.year + (day.month - 1) / 12 - first) / (last + 1 - first)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _stacked(places: Sequence[float], width: float, step: float) -> list[tuple[float, int]]:
    """Return for each place the column that it falls in and how many are below it there."""
    used: dict[int, int] = defaultdict(int)
    found = []
    for place in places:
        column = min(round((place + step / 2) / step), int((width - step / 2) / step))
        found.append((column * step, used[column]))
        used[column] += 1
    return found


def draw(dots: Sequence[Dot], axis: Axis, addresses: dict[int, str], *, labelled: bool = True) -> Strip:
    """Draw events in their order. `addresses` are those of years, by the first year of what they show."""
    scale = _Scale(axis, WIDTH, FOLD, BREAK)
    stacks = _stacked([scale.x(dot.day) for dot in dots], WIDTH, STEP)
    tallest = max((level for _x, level in stacks), default=0) + 1
    rise = min(STEP, TALLEST / tallest)
    bottom = TOP + 10 + tallest * rise
    places = [(x, bottom - 5 - level * rise) for x, level in stacks]
    placed = _labels([(dot, *place) for dot, place in zip(dots, places, strict=True) if dot.label]) if labelled else []
    tiers = max((tier for _dot, _x, _y, tier, _ends in placed), default=-1) + 1

    years = [Year(str(year), year, _n(x + 5), addresses.get(year, "")) for year, x in scale.years(44)]
    ticks = [x for _year, x in scale.years(44)]
    for end, x in ((axis.earlier, 0.0), (axis.later, WIDTH - FOLD)):
        if end:
            ticks.append(x)
            years.append(Year(span(*end), end[0], _n(x + 5), addresses.get(end[0], "")))
    broken = [x for end, x in ((axis.earlier, FOLD), (axis.later, scale.right)) if end]
    rules = "".join(f"M{_n(x)} 2V{_n(bottom)}" for x in sorted(ticks)) + scale.line(bottom)
    rules += "".join(f"M{_n(x - 4 + shift)} {_n(bottom + 4)}l6 -8" for x in broken for shift in (0, 7))
    return Strip(
        WIDTH,
        round(bottom + 10 + tiers * TIER if tiers else bottom + 8),
        rules,
        _path(places),
        tuple(sorted(years, key=lambda year: year.first)),
        "".join(f"M{_n(x)} {_n(y)}V{_n(bottom + 40 + tier * TIER)}" for _dot, x, y, tier, _ends in placed),
        _path([(x, y) for _dot, x, y, _tier, _ends in placed]),
        tuple(
            Label(dot, _n(x - 6 if ends else x + 6), _n(line), _n(line + 16), ends)
            for dot, x, _y, tier, ends in placed
            for line in (bottom + 25 + tier * TIER,)
        ),
    )


def span(first: int, last: int) -> str:
    """Return a year or years in words: `1948–2021`."""
    return str(first) if first == last else f"{first}–{last}"


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "".join(f"M{_n(x)} {_n(y)}h0" for x, y in places)


_Placed = tuple[Dot, float, float, int, bool]  # with its tier, and whether the words end at it


def _labels(dots: Sequence[tuple[Dot, float, float]]) -> list[_Placed]:
    """Place labels on as few tiers as will do; where not all can be placed, leave out the last."""
    rest = list(dots[:MOST_LABELS])
    while rest:
        for tiers in range(1, TIERS + 1):
            if (found := _fitted(rest, tiers)) is not None:
                return found
        rest.pop()
    return []


def _fitted(dots: Sequence[tuple[Dot, float, float]], tiers: int) -> list[_Placed] | None:
    """Return places where no words meet others or a line to others, if there are any: the first found in depth."""
    placed: list[tuple[float, int, bool, float, float]] = []
    tries = 0

    def fits(x: float, tier: int, start: float, end: float) -> bool:
        for other, its_tier, _ends, its_start, its_end in placed:
            if tier == its_tier and start < its_end + 12 and its_start < end + 12:
                return False
            if its_tier < tier and its_start - 5 < x < its_end + 5:  # its line would cross the words
                return False
            if its_tier > tier and start - 5 < other < end + 5:
                return False
            if abs(x - other) < 3:
                return False
        return True

    def go_on(number: int) -> bool:
        nonlocal tries
        if number == len(dots):
            return True
        dot, x, _y = dots[number]
        wide = 6 + LETTER * max(len(dot.when), len(dot.label))
        sides = ((True, x - wide, x), (False, x, x + wide))
        for tier in range(tiers):
            for ends, start, end in sides if x > WIDTH / 2 else sides[::-1]:
                tries += 1
                if tries > 5000:
                    return False
                if start < 0 or end > WIDTH or not fits(x, tier, start, end):
                    continue
                placed.append((x, tier, ends, start, end))
                if go_on(number + 1):
                    return True
                placed.pop()
        return False

    if not go_on(0):
        return None
    return [(dot, x, y, tier, ends) for (dot, x, y), (_x, tier, ends, *_rest) in zip(dots, placed, strict=True)]


def draw_small(days: Sequence[date], own: Sequence[bool], axis: Axis) -> Mini:
    """Draw the days of an entry among all."""
    width, fold, step = MINI
    scale = _Scale(axis, width, fold, 4)
    order = sorted(range(len(days)), key=lambda number: not own[number])  # its own stand below the others
    stacks = dict(zip(order, _stacked([scale.x(days[number]) for number in order], width, step), strict=True))
    tallest = max((level for _x, level in stacks.values()), default=0) + 1
    rise = min(step, 80 / tallest)
    bottom = 6 + tallest * rise
    places = {number: (x, bottom - 3.5 - level * rise) for number, (x, level) in stacks.items()}
    return Mini(
        width,
        round(bottom + 20),
        scale.line(bottom) + "".join(f"M{_n(x)} {_n(bottom)}v4" for _year, x in scale.years(10)),
        _path([places[number] for number in range(len(days)) if not own[number]]),
        _path([places[number] for number in range(len(days)) if own[number]]),
        tuple(Year(str(year), year, _n(x)) for year, x in scale.years(46)),
        _n(bottom + 16),
    )
