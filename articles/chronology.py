"""The chronology: events by years with their notes, what it is filtered by, and the strip of years above it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple
from urllib.parse import urlencode

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from articles import events, markdown, strip, topics
from articles.models import Article, Event, Group
from rlm_site.text.dates import Date, Dates
from rlm_site.text.slugs import reverse

MOST_ON_PAGE = 200  # events; beyond, every year has a page of its own

KINDS = {
    Article.Kind.SUBJECT: gettext_lazy("Subjects"),
    Article.Kind.PERSON: gettext_lazy("People"),
    Article.Kind.PLACE: gettext_lazy("Places"),
    Article.Kind.FORMATION: gettext_lazy("Formations"),
    Article.Kind.DOCUMENT: gettext_lazy("Documents"),
    Article.Kind.TERM: gettext_lazy("Terms"),
}


class Mention(NamedTuple):
    """A place or person, with the address of the page about it if there is one."""

    name: str
    address: str


class Line(NamedTuple):
    """An event as the chronology tells it."""

    event: Event
    when: str  # without the year if the heading has it
    text: SafeString
    place: Mention | None
    people: list[Mention]


class Year(NamedTuple):
    """The events of a year, or of the years of a folded end of the strip."""

    first: int
    heading: str
    lines: list[Line]

    @property
    def id(self) -> str:
        return f"y{self.first}"


class Told(NamedTuple):
    """Events of one page, with their notes."""

    years: list[Year]
    notes: tuple[markdown.Note, ...]


class Choice(NamedTuple):
    """A filter of the chronology, with the number of events that it leaves."""

    name: str
    address: str
    number: int
    is_current: bool


class Span(NamedTuple):
    """A number of events, and when the first and the last of them was."""

    number: int
    first: Dates
    last: Dates

    def __str__(self) -> str:
        """Return the number and the dates: `146 events, 22 June 1841 to 7 May 2021`."""
        told = ngettext("%(count)d event, %(first)s", "%(count)d events, %(first)s to %(last)s", self.number)
        return told % {"count": self.number, "first": self.first, "last": self.last}

    @property
    def short(self) -> str:
        """Return the number and the years: `146 events, 1841–2021`."""
        told = ngettext("%(count)d event, %(years)s", "%(count)d events, %(years)s", self.number)
        years = strip.span(self.first.first.year, self.last.last.year)
        return told % {"count": self.number, "years": years}


def span_of(shown: Sequence[Event]) -> Span | None:
    if not shown:
        return None
    last = max(shown, key=lambda event: event.when.last.last_day)
    return Span(len(shown), shown[0].when.from_first, last.when.from_last)


# By years


def tell(shown: Sequence[Event], axis: strip.Axis | None, now: datetime) -> Told:
    """Return events by years, or by the years of the folded ends of a strip, with the notes of all.

    Three queries, or fewer where nothing is named or cited.
    """
    pages = events.pages_named(shown, now)
    links = tuple(sorted((name, page.get_absolute_url()) for name, page in pages.items()))
    rendered = markdown.render_lines([event.text for event in shown], links, topics.references_in(_sources(shown)))
    years: dict[tuple[int, int], list[Line]] = {}
    for event, text in zip(shown, rendered.lines, strict=True):
        year = event.when.first.year
        years_shown = _years_with(year, axis) if axis else (year, year)
        is_one_year = years_shown[0] == years_shown[1]
        when = event.when.in_year if is_one_year else str(event.when)
        mentions = {name: _mention(name, pages) for name in events.names_beside(event)}
        place = mentions[event.place] if event.place else None
        line = Line(event, when, text, place, [mentions[name] for name in event.people if name])
        years.setdefault(years_shown, []).append(line)
    return Told([Year(first, strip.span(first, last), lines) for (first, last), lines in years.items()], rendered.notes)


def _sources(shown: Iterable[Event]) -> Iterator[markdown.Source]:
    return (markdown.source(event.text) for event in shown)


def _mention(name: str, pages: events.Pages) -> Mention:
    """Return what a place or person is called: as it is written, or by the title of its page if that is an address."""
    page = pages.get(name)
    if page is None:
        return Mention(name, "")
    return Mention(page.title if name == page.slug else name.rpartition("#")[2], page.get_absolute_url())


def _years_with(year: int, axis: strip.Axis) -> tuple[int, int]:
    """Return the years that stand under one heading with this one: those of a folded end do."""
    return next((end for end in (axis.earlier, axis.later) if end and end[0] <= year <= end[1]), (year, year))


def years_of(shown: Iterable[Event]) -> dict[int, int]:
    """Return the number of events in each year that has any."""
    return dict(sorted(Counter(event.when.first.year for event in shown).items()))


# Filters


def is_in_group(slug: str, groups: Iterable[Group]) -> Callable[[Event], bool] | None:
    """Return the condition that the topic of an event is in this group of the front page, if there is one."""
    group = next((group.pk for group in groups if group.slug == slug), None)
    return (lambda event: event.article.topic.group_id == group) if group is not None else None


def is_of_kind(kind: str) -> Callable[[Event], bool] | None:
    return (lambda event: event.article.topic.kind == kind) if kind in KINDS else None


def choices(every: Sequence[Event], groups: Sequence[Group], group: str, kind: str) -> list[Choice]:
    """Return the filters that leave some events and not all: by group, and by kind where no group has just these.

    Beside groups, subjects are no filter: they are whatever is of no other kind.
    """
    address = reverse("articles:chronology", [])
    of_group = Counter(event.article.topic.group_id for event in every)
    of_kind = Counter(event.article.topic.kind for event in every)
    everything = Choice(_("All"), address, len(every), not group and not kind)
    by_group = [
        Choice(each.title, f"{address}?{urlencode({'group': each.slug})}", of_group[each.pk], each.slug == group)
        for each in groups
        if of_group[each.pk]
    ]
    by_kind = [
        Choice(str(name), f"{address}?{urlencode({'kind': each.value})}", of_kind[each], each == kind)
        for each, name in KINDS.items()
        if of_kind[each] and (each == kind or not (by_group and _is_left_out(each, every)))
    ]
    some = [each for each in (*by_group, *by_kind) if each.number < len(every) or each.is_current]
    return [everything, *some] if some else []


def _is_left_out(kind: str, every: Iterable[Event]) -> bool:
    """Return whether a kind is subjects, or a group of the front page has the events of this kind and no others."""
    if kind == Article.Kind.SUBJECT:
        return True
    groups = {event.article.topic.group_id for event in every if event.article.topic.kind == kind}
    kinds = {event.article.topic.kind for event in every if event.article.topic.group_id in groups}
    return len(groups) == 1 and None not in groups and kinds == {kind}


# The strip of years


def is_divided(every: Sequence[Event]) -> bool:
    return len(every) > MOST_ON_PAGE


def address_of(event: Event, *, divided: bool) -> str:
    """Return the place of an event in the chronology of all."""
    return event.get_absolute_url() if divided else f"{reverse('articles:chronology', [])}#{event.anchor}"


def _day(first: Date) -> date:
    """Return where a date stands on the strip: one that is not known to the day, in the middle."""
    return date(first.year, first.month or 7, first.day or (15 if first.month else 1))


def axis_of(every: Sequence[Event]) -> strip.Axis:
    return strip.axis_for([_day(event.when.first) for event in every])


def strip_of(every: Sequence[Event], *, labelled: bool = True) -> strip.Strip:
    """Return the strip of these events, of which there is at least one."""
    axis, divided = axis_of(every), is_divided(every)
    years = {_years_with(year, axis)[0]: year for year in reversed(years_of(every))}
    chronology = reverse("articles:chronology", [])
    addresses = {
        first: reverse("articles:year", [year]) if divided else f"{chronology}#y{first}"
        for first, year in years.items()
    }
    dots = [
        strip.Dot(_day(event.when.first), str(event.when), event.label, address_of(event, divided=divided))
        if event.label
        else strip.Dot(_day(event.when.first))
        for event in every
    ]
    return strip.draw(dots, axis, addresses, labelled=labelled)


class Labelled(NamedTuple):
    """An event with a label, for the list that stands in place of a narrow strip."""

    event: Event
    address: str


class Overview(NamedTuple):
    """The strip of years with the span of all events, and the same in a list."""

    span: Span
    strip: strip.Strip
    labelled: list[Labelled]


def overview(now: datetime) -> Overview | None:
    """Return the strip for the front page; None where there are no events. One query, or none."""
    every = events.public(now)
    span = span_of(every)
    if span is None:
        return None
    divided = is_divided(every)
    labelled = [Labelled(event, address_of(event, divided=divided)) for event in every if event.label]
    return Overview(span, strip_of(every), labelled)


class OfEntry(NamedTuple):
    """The events of an entry among all, with the small strip."""

    lines: list[Labelled]
    total: int
    mini: strip.Mini


def of_entry(topic: Article, now: datetime) -> OfEntry | None:
    """Return the events of an entry; None where it has none. At most three queries."""
    every = events.public(now) if topic.pk else []
    if not every or not (own := events.of_entry(topic, every, now)):
        return None
    divided, axis = is_divided(every), axis_of(every)
    days = [_day(event.when.first) for event in every]
    keys = {event.pk for event in own}
    mini = strip.draw_small(days, [event.pk in keys for event in every], axis)
    return OfEntry([Labelled(event, address_of(event, divided=divided)) for event in own], len(every), mini)
