"""Checked records and what the database has -> what an import adds, changes and leaves alone. Writes nothing."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from django.contrib.contenttypes.models import ContentType

from quotes import duplicates
from quotes.importing.files import Problem
from quotes.importing.records import PersonGiven, Record, WorkGiven
from quotes.models import Person, Quote, Work
from rlm_site.history.models import Revision
from rlm_site.tags import manager
from rlm_site.tags.models import Tag
from rlm_site.text.folding import fold_name
from rlm_site.text.slugs import slug_for

BATCH = 500
SAME_LIFE = 10  # years by which dates of one person may differ from source to source

Progress = Callable[[str, int, int], None]  # what is done, so many of, so many


@dataclass(eq=False)
class PersonKept:
    """A person as the database has it, or as it will."""

    pk: int | None
    given: PersonGiven
    changes: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class WorkKept:
    pk: int | None
    given: WorkGiven
    changes: dict[str, Any] = field(default_factory=dict)


class Change(NamedTuple):
    """A quotation that is there already: the fields in which the record differs from it."""

    record: Record
    pk: int
    fields: tuple[str, ...]


class Unchanged(NamedTuple):
    line: int
    key: str
    note: str = ""


class Duplicate(NamedTuple):
    """A record that is not added because the same quotation is there, or on an earlier line."""

    line: int
    key: str
    of: str
    of_line: int | None
    how: str


@dataclass
class Plan:
    added: list[Record] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    unchanged: list[Unchanged] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    refused: list[Problem] = field(default_factory=list)
    people: "People" = field(default_factory=lambda: People([]))
    works: "Works" = field(default_factory=lambda: Works([]))

    @property
    def doubted(self) -> int:
        """New ones that the maker of the collection wants looked at."""
        return sum(record.doubted for record in self.added)

    @property
    def flagged(self) -> int:
        """Attributions that could not be taken apart whole."""
        written = [*self.added, *(change.record for change in self.changed)]
        return sum(bool(record.fields.get("attribution_as_imported")) for record in written)


class People:
    """Finds the person that a record means: by slug, or by name or alias where the dates allow it."""

    def __init__(self, rows: Iterable[Person]) -> None:
        self.by_slug: dict[str, PersonKept] = {}
        self.by_name: dict[str, list[PersonKept]] = defaultdict(list)
        self.seen: dict[PersonGiven, PersonKept] = {}
        self.lines: dict[str, int] = {}
        for row in rows:
            values = {name: getattr(row, name) for name in PersonGiven._fields}
            given = PersonGiven(**{**values, "aliases": tuple(row.aliases)})
            self._keep(PersonKept(row.pk, given))

    def _keep(self, kept: PersonKept) -> None:
        self.by_slug[kept.given.slug] = kept
        for name in {fold_name(name) for name in (kept.given.name, *kept.given.aliases)}:
            self.by_name[name].append(kept)

    def find(self, given: PersonGiven) -> PersonKept | None:
        if given in self.seen:
            return self.seen[given]
        if given.slug:
            return self.by_slug.get(given.slug)
        same_name = [kept for kept in self.by_name[fold_name(given.name)] if _can_be_one(kept.given, given)]
        # of several, the one whose name it is rather than another name, and of those the first
        return min(same_name, key=lambda kept: kept.given.name != given.name, default=None)

    def find_or_add(self, given: PersonGiven, line: int) -> PersonKept | Problem:
        """Fields of a person given by slug replace those that are there; a name alone changes nobody."""
        if given in self.seen:
            return self.seen[given]
        kept = self.find(given)
        if kept is None:
            slug = given.slug or slug_for(given.name, self.by_slug.__contains__)
            kept = PersonKept(None, given._replace(slug=slug))
            self._keep(kept)
        elif given.slug and given.slug in self.lines:
            first = self.lines[given.slug]
            return Problem(line, "person", f"“{given.slug}” is not the same as on line {first:,}.")
        elif given.slug:
            kept.changes = {
                name: list(value) if name == "aliases" else value
                for name, value in given._asdict().items()
                if value != getattr(kept.given, name)
            }
        if given.slug:
            self.lines[given.slug] = line
        self.seen[given] = kept
        return kept

    def all(self) -> Iterator[PersonKept]:
        yield from self.by_slug.values()


def _can_be_one(a: PersonGiven, b: PersonGiven) -> bool:
    """Dates that are far apart tell namesakes."""
    return all(
        None in (one, other) or abs(one - other) <= SAME_LIFE  # type: ignore[operator]
        for one, other in ((a.born, b.born), (a.died, b.died))
    )


class Works:
    """Finds the work that a record means: exactly, or as a collection prints it, which may leave out the year."""

    def __init__(self, rows: Iterable[Work]) -> None:
        self.kept: dict[tuple[str, str], dict[int | None, WorkKept]] = defaultdict(dict)
        self.years: dict[tuple[str, str], set[int]] = defaultdict(set)
        self.lines: dict[tuple[Any, ...], tuple[WorkGiven, int]] = {}
        for row in rows:
            given = WorkGiven(*(getattr(row, name) for name in WorkGiven._fields))
            self.kept[given.title, given.authors][given.year] = WorkKept(row.pk, given)

    def learn_year(self, given: WorkGiven) -> None:
        if given.year is not None:
            self.years[given.title, given.authors].add(given.year)

    def find(self, given: WorkGiven, as_printed: bool) -> WorkKept | None:
        same = self.kept.get((given.title, given.authors), {})
        if given.year in same or not as_printed:
            return same.get(given.year)
        if given.year is not None:
            return same.get(None)
        return same[min(year for year in same if year is not None)] if same else None

    def find_or_add(self, given: WorkGiven, line: int, as_printed: bool) -> WorkKept | Problem:
        kept = self.find(given, as_printed)
        if kept is None:
            years = self.years[given.title, given.authors]
            if as_printed and given.year is None and len(years) == 1:
                given = given._replace(year=min(years))
            kept = WorkKept(None, given)
            self.kept[given.title, given.authors][given.year] = kept
        elif not as_printed:
            first, first_line = self.lines.setdefault(given[:3], (given, line))
            if first != given:
                return Problem(line, "work", f"“{given.title}” is not the same as on line {first_line:,}.")
            kept.changes = {
                name: value for name, value in given._asdict().items() if value != getattr(kept.given, name)
            }
        return kept

    def all(self) -> Iterator[WorkKept]:
        for same in self.kept.values():
            yield from same.values()


def make_plan(records: list[Record], refused: list[Problem], progress: Progress) -> Plan:
    plan = Plan(refused=refused, people=People(Person.objects.order_by("pk")), works=_works(records))
    _keep_other_names(plan.people, records)
    new = _compare_with_stored(plan, records, progress)
    progress("Looking for duplicates", 0, len(new))
    _set_duplicates_aside(plan, new, records)
    _resolve(plan)
    return plan


def _keep_other_names(people: People, records: Iterable[Record]) -> None:
    """Where a collection prints another name of a person, the quotation goes on to be printed under it."""
    for record in records:
        given = record.objects.get("person")
        if record.as_printed and isinstance(given, PersonGiven):
            kept = people.find(given)
            if kept and fold_name(kept.given.name) != fold_name(given.name):
                record.fields.setdefault("name_as_printed", given.name)


def _works(records: Iterable[Record]) -> Works:
    given = [work for record in records for work in _works_of(record)]
    titles = sorted({work.title for work in given})
    rows = [row for some in batches(titles, BATCH) for row in Work.objects.filter(title__in=some).order_by("pk")]
    works = Works(rows)
    for work in given:
        works.learn_year(work)
    return works


def _works_of(record: Record) -> Iterator[WorkGiven]:
    for value in record.objects.values():
        if isinstance(value, WorkGiven):
            yield value
    for check in record.checks or ():
        if check.work:
            yield check.work


def batches(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(values)
    while some := list(islice(iterator, size)):
        yield some


def _compare_with_stored(plan: Plan, records: list[Record], progress: Progress) -> list[Record]:
    """The records of which no quotation has the key; the rest is changed or unchanged."""
    new: list[Record] = []
    lines: dict[str, int] = {}
    done = 0
    for some in batches(records, BATCH):
        with_keys = Quote.objects.filter(key__in=[record.key for record in some])
        stored = {quote.key: quote for quote in _with_all(with_keys)}
        edited = _edited_here([quote.pk for quote in stored.values()])
        tags = manager.find_tags({name for record in some if record.key in stored for name in record.tags or ()})
        for record in some:
            quote = stored.get(record.key)
            first = lines.setdefault(record.key, record.line)
            if first != record.line:
                plan.duplicates.append(Duplicate(record.line, record.key, record.key, first, "same words"))
            elif quote is None:
                new.append(record)
            elif fields := _differences(plan, record, quote, tags):
                if record.keyed or quote.pk not in edited:
                    plan.changed.append(Change(record, quote.pk, fields))
                else:
                    note = f"edited here since; {', '.join(fields)} left as they are"
                    plan.unchanged.append(Unchanged(record.line, record.key, note))
            else:
                plan.unchanged.append(Unchanged(record.line, record.key))
        done += len(some)
        progress("Comparing", done, len(records))
    return new


def _with_all(quotes: Any) -> Iterator[Quote]:
    yield from quotes.select_related("person", "work", "quoted_in", "true_source", "version_of").prefetch_related(
        "tagged_items__tag", "index_terms", "checks__work"
    )


def _edited_here(quote_ids: Collection[int]) -> set[int]:
    """Quotations that somebody edited in the admin."""
    quote_type = ContentType.objects.get_for_model(Quote)
    revisions = Revision.objects.filter(content_type=quote_type, object_id__in=quote_ids).exclude(author=None)
    return set(revisions.values_list("object_id", flat=True))


def _differences(plan: Plan, record: Record, quote: Quote, known: dict[str, Tag]) -> tuple[str, ...]:
    different = [
        name
        for name, value in record.fields.items()
        if name not in {"created", "updated"} and getattr(quote, name) != value
    ]
    for name, given in record.objects.items():
        stored = getattr(quote, f"{name}_id")
        if given is None:
            same = stored is None
        elif isinstance(given, PersonGiven):
            person = plan.people.find(given)
            same = person is not None and person.pk == stored and (not given.slug or _is(person.given, given))
        else:
            work = plan.works.find(given, record.as_printed)
            same = work is not None and work.pk == stored and (record.as_printed or _is(work.given, given))
        if not same:
            different.append(name)
    for name, key in record.others.items():
        other = getattr(quote, name)
        if key != (other.key if other else ""):
            different.append(name)
    tags = {item.tag_id for item in quote.tagged_items.all()}
    wanted = {known[name].pk if name in known else 0 for name in map(fold_name, record.tags or ())}
    if record.tags is not None and (tags != wanted if record.keyed else not wanted <= tags):
        different.append("tags")
    terms = {(term.word, term.veto, term.note) for term in quote.index_terms.all()}
    if record.terms is not None and terms != set(record.terms):
        different.append("index_terms")
    checks = {
        (check.checked_by, check.checked_on, check.work.natural_key() if check.work else None, check.place, check.found)
        for check in quote.checks.all()
    }
    if record.checks is not None and checks != {
        check._replace(work=tuple(check.work[:3]) if check.work else None)  # type: ignore[arg-type]
        for check in record.checks
    }:
        different.append("checks")
    return tuple(different)


def _is(kept: Any, given: Any) -> bool:
    return bool(kept == given)


def _set_duplicates_aside(plan: Plan, new: list[Record], records: list[Record]) -> None:
    """A row that its file names by a key is trusted against the file's other rows, and against what they change."""
    found: dict[int, tuple[int | Record, str]] = {}
    rewritten = {change.pk for change in plan.changed}
    keyed = [record for record in new if record.keyed]
    if keyed:
        there = set(_ids_by_key(row.key for row in plan.unchanged).values())
        for duplicate in duplicates.duplicates_within([record.text for record in keyed], rewritten | there):
            if duplicate.quote_id is not None and not any(keyed[duplicate.place].others.values()):
                found[keyed[duplicate.place].line] = (duplicate.quote_id, duplicate.verdict.value)
    nameless = {record.line for record in new if not record.keyed}
    if nameless:
        # Together with those that are there already, so that the same file again has the same duplicates.
        repeated = {duplicate.line for duplicate in plan.duplicates}
        together = [*keyed, *(record for record in records if not record.keyed and record.line not in repeated)]
        there = set(_ids_by_key(record.key for record in together).values())
        for duplicate in duplicates.duplicates_within([record.text for record in together], rewritten | there):
            record = together[duplicate.place]
            if record.line not in nameless:
                continue
            if duplicate.quote_id is not None:
                found[record.line] = (duplicate.quote_id, duplicate.verdict.value)
            elif duplicate.earlier is not None:
                found.setdefault(record.line, (together[duplicate.earlier], duplicate.verdict.value))
    keys = _keys_by_id({of for of, _how in found.values() if isinstance(of, int)})
    for record in new:
        if record.line not in found:
            plan.added.append(record)
            continue
        of, how = found[record.line]
        while isinstance(of, Record) and of.line in found:
            of = found[of.line][0]
        if isinstance(of, Record):
            plan.duplicates.append(Duplicate(record.line, record.key, of.key, of.line, how))
        else:
            plan.duplicates.append(Duplicate(record.line, record.key, keys[of], None, how))


def _ids_by_key(keys: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in batches(sorted(set(keys)), BATCH):
        found.update(Quote.objects.filter(key__in=some).values_list("key", "pk"))
    return found


def _keys_by_id(ids: Iterable[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for some in batches(sorted(set(ids)), BATCH):
        found.update(Quote.objects.filter(pk__in=some).values_list("pk", "key"))
    return found


def _resolve(plan: Plan) -> None:
    """Decide on the people, works and quotations that rows point to, and refuse rows that point nowhere."""
    draft_id = {duplicate.key: duplicate.of for duplicate in plan.duplicates}
    written = [*plan.added, *(change.record for change in plan.changed)]
    for record in written:
        for name, key in record.others.items():
            while draft_id.get(key, key) != key:
                key = draft_id[key]
            record.others[name] = key
    pointed_to = {key for record in written for key in record.others.values() if key}
    there = set(_ids_by_key(pointed_to))
    refused: set[int] = set()
    while True:
        keys = there | {record.key for record in written if record.line not in refused}
        wrong = [problem for record in written if record.line not in refused for problem in _nowhere(record, keys)]
        if not wrong:
            break
        refused |= {problem.line for problem in wrong}
        plan.refused += wrong
    for record in written:
        if record.line not in refused:
            wrong = _name_people_and_works(plan, record)
            refused |= {problem.line for problem in wrong}
            plan.refused += wrong
    plan.added = [record for record in plan.added if record.line not in refused]
    plan.changed = [change for change in plan.changed if change.record.line not in refused]


def _nowhere(record: Record, keys: Collection[str]) -> Iterator[Problem]:
    for name, key in record.others.items():
        if key == record.key:
            yield Problem(record.line, name, "is the quotation itself.")
        elif key and key not in keys:
            yield Problem(record.line, name, f"there is no quotation “{key}”, neither here nor in the file.")


def _name_people_and_works(plan: Plan, record: Record) -> list[Problem]:
    found = [
        plan.people.find_or_add(given, record.line)
        if isinstance(given, PersonGiven)
        else plan.works.find_or_add(given, record.line, record.as_printed)
        for given in record.objects.values()
        if given is not None
    ]
    found += [plan.works.find_or_add(check.work, record.line, False) for check in record.checks or () if check.work]
    return [problem for problem in found if isinstance(problem, Problem)]
