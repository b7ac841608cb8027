"""Lists of entries: by kind, the glossary, and all with their other names from A to Z. One query for each list."""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple, TypeVar

from django.db.models import Case, CharField, F, QuerySet, Value, When

from articles import fact_table, topics
from articles.facts import facts_of
from articles.models import Article
from quotes.models import Person
from rlm_site.indexing import queue
from rlm_site.page_cache.dependencies import depends_on
from rlm_site.publishing.visibility import public_at
from rlm_site.text.dates import Dates
from rlm_site.text.folding import fold
from rlm_site.text.slugs import ABOUT


class Entry(NamedTuple):
    """An entry in a list, and what is said of it there."""

    article: Article
    summary: str
    country: str = ""
    dates: Dates | None = None

    @property
    def name(self) -> str:
        return self.article.sorted_by


class IndexLine(NamedTuple):
    """A name of an entry; `language` is empty for names in the language of the site."""

    name: str
    article: Article
    language: str = ""
    is_alias: bool = False


def of_kind(kind: str, now: datetime) -> list[Entry]:
    """Return the entries of a kind in the order of their names. One query."""
    found = [Entry(article, _summary(article)) for article in _listed(Article.objects.published(now).entries(kind))]
    return sorted(found, key=lambda entry: sort_key(entry.name))


def people(now: datetime) -> list[Entry]:
    return of_kind(Article.Kind.PERSON, now)


def places(now: datetime) -> list[Entry]:
    """Return the places, each with the country in which it is today. One query."""
    found = of_kind(Article.Kind.PLACE, now)
    return [entry._replace(country=fact_table.value_of(entry.article, "country")) for entry in found]


def documents(now: datetime) -> list[Entry]:
    """Return the documents by date; those without one come last. One query."""
    found = [entry._replace(dates=date_of(entry.article)) for entry in of_kind(Article.Kind.DOCUMENT, now)]
    return sorted(found, key=lambda entry: entry.dates.first.first_day if entry.dates else date.max)


Row = TypeVar("Row", Entry, IndexLine)


class Gloss(NamedTuple):
    """A term of the glossary: its definition, its other names and facts, and where there is more about it."""

    article: Article
    definition: str
    groups: list[fact_table.Group]

    @property
    def has_page(self) -> bool:
        return not self.article.is_gloss


def glosses(now: datetime) -> list[Gloss]:
    """Return the terms in their order. At most four queries."""
    terms = of_kind(Article.Kind.TERM, now)
    tables = topics.fact_tables([entry.article for entry in terms], now)
    return [Gloss(entry.article, entry.summary, tables[entry.article.pk]) for entry in terms]


def date_of(document: Article) -> Dates | None:
    """Return the date of a document, the first where sources differ."""
    found = (fact.dates for fact in facts_of(document.kind, document.facts) if fact.type.key == "date")
    return next((dates for dates in found if dates), None)


def about_person(person: Person, now: datetime) -> Article | None:
    """Return the public entry about an author of quotations. One query."""
    depends_on("addresses")
    entries = Article.objects.filter(public_at(now), queue.sound("article"), parent=None, person=person)
    return entries.for_links().first()


def index(now: datetime) -> list[IndexLine]:
    """Return all names of all entries in their order: Latin letters, then Cyrillic ones. One query."""
    lines = []
    for article in Article.objects.published(now).topics().exclude(slug=ABOUT).without_body().defer("facts"):
        lines.append(IndexLine(article.sorted_by, article))
        own = {fold(article.sorted_by), fold(article.title)}
        for alias in article.aliases:
            if fold(alias["name"]) not in own:
                own.add(fold(alias["name"]))
                lines.append(IndexLine(alias["name"], article, alias["language"], is_alias=True))
    return sorted(lines, key=lambda line: (sort_key(line.name), line.article.pk))


def by_letter(rows: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    """Group rows, which are in order, by the letters that their names begin with; figures are one letter."""
    return [(letter, list(group)) for letter, group in groupby(rows, key=lambda row: letter_of(row.name))]


def sort_key(name: str) -> tuple[bool, str]:
    """Return what a name is sorted by: without accents, capitals and what stands before its first letter or figure."""
    folded = fold(name)
    start = next((place for place, sign in enumerate(folded) if sign.isalnum()), 0)
    return (not folded[start : start + 1].isdigit(), folded[start:])


def letter_of(name: str) -> str:
    is_word, folded = sort_key(name)
    return folded[:1].upper() if is_word else "0–9"


def _listed(entries: QuerySet[Article]) -> QuerySet[Article]:
    """Load what lists say: of texts only those that stand in for a summary."""
    lead = Case(When(summary="", then=F("body")), default=Value(""), output_field=CharField())
    return entries.without_body().annotate(lead=lead)  # type: ignore[attr-defined]


def _summary(article: Article) -> str:
    return article.summary or topics.sentence_of(getattr(article, "lead", ""))
