"""Facts and other names of an entry as readers see them: in groups, each with a label."""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language_info, gettext

from articles import markdown
from articles.facts import Fact, facts_of, read_place
from articles.models import Article
from rlm_site.fields import site_language

Pairs = tuple[tuple[str, str], ...]


class Line(NamedTuple):
    """One value, with its detail and with who gives it."""

    value: SafeString | str
    detail: SafeString | str = ""
    source: SafeString | str = ""
    language: str = ""  # of the value, if it is not the site's


class Group(NamedTuple):
    """Values with the same label."""

    label: str
    lines: list[Line]
    is_figure: bool = False  # each line says what is counted and who gives it

    @property
    def is_table(self) -> bool:
        """Return whether there are several figures to compare."""
        return self.is_figure and len(self.lines) > 1


def groups_of(article: Article, links: Pairs = (), references: Pairs = ()) -> list[Group]:
    """Return the names in other languages, then the facts in the order of their kind, then other spellings."""
    own = site_language().split("-")[0]
    foreign: dict[str, list[Line]] = {}
    spellings: list[Line] = []
    for row in article.aliases:
        language = row["language"]
        line = Line(row["name"], row["note"], "", language)
        if language.lower().split("-")[0] in {"", own}:
            spellings.append(line._replace(language=""))
        else:
            foreign.setdefault(language, []).append(line)
    found = [
        Group(gettext("In %(language)s") % {"language": language_name(language)}, lines)
        for language, lines in foreign.items()
    ]
    found += _facts(article, links, references)
    return [*found, Group(gettext("Also written"), spellings)] if spellings else found


def _facts(article: Article, links: Pairs, references: Pairs) -> Iterator[Group]:
    def rendered(text: str) -> SafeString | str:
        return markdown.render_line(text, links, references) if text else ""

    for kind, facts in groupby(facts_of(article.kind, article.facts), key=lambda fact: fact.type):
        lines = []
        for fact in facts:
            row = fact.row
            if kind.key == "original":
                lines.append(Line(rendered(row["value"]), "", rendered(row["source"]), row["detail"]))
            else:
                lines.append(
                    Line(_value(fact) or rendered(row["value"]), rendered(row["detail"]), rendered(row["source"]))
                )
        yield Group(str(kind.label), lines, kind.needs_source)


def _value(fact: Fact) -> SafeString | str:
    """Return the value of a fact that is no text: a date, a place or a language in words."""
    value = fact.row["value"]
    if dates := fact.dates:
        is_one = dates.first == dates.last
        return format_html('<time datetime="{}">{}</time>', dates.first.iso, dates) if is_one else str(dates)
    if fact.type.form == "coordinates" and (place := read_place(value)):
        north = f"{abs(place.latitude):g}° {gettext('N') if place.latitude >= 0 else gettext('S')}"
        return f"{north}, {abs(place.longitude):g}° {gettext('E') if place.longitude >= 0 else gettext('W')}"
    return language_name(value) if fact.type.form == "language" else ""


def language_name(tag: str) -> str:
    """Return the name of a language: `ru` is Russian."""
    try:
        return str(get_language_info(tag.lower())["name_translated"])
    except KeyError:
        return tag


def value_of(article: Article, key: str) -> str:
    """Return the words of the first fact with this key; empty where it has none."""
    found = (fact.row["value"] for fact in facts_of(article.kind, article.facts) if fact.type.key == key)
    return markdown.source(next(found, "")).plain
