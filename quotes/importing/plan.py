"""The plan of an import: what it adds, changes and leaves alone, compared with the database. Writes nothing."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from quotes import duplicates
from quotes.importing.files import Problem
from quotes.importing.records import PersonData, Record, WorkData
from quotes.models import Person, Quote, Work
from rlm_site.history.models import Revision
from rlm_site.progress import Progress
from rlm_site.tags import manager
from rlm_site.tags.models import Tag
from rlm_site.text.folding import fold_name
from rlm_site.text.slugs import slug_for

BATCH = 500
MAX_YEARS_APART = 10  # by which sources may differ in the dates of one person
Value = TypeVar("Value")


@dataclass(eq=False)
class StoredPerson:
    """A person in the database, or one to be added to it."""

    pk: int | None
    data: PersonData
    changes: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class StoredWork:
    """A work in the database, or one to be added to it."""

    pk: int | None
    data: WorkData
    changes: dict[str, Any] = field(default_factory=dict)


class Change(NamedTuple):
    """A stored quotation that a record changes, and the fields in which they differ."""

    record: Record
    pk: int
    fields: tuple[str, ...]


class Unchanged(NamedTuple):
    line: int
    key: str
    note: str = ""


class Duplicate(NamedTuple):
    """A record that is not added because the same quotation is stored, or on an earlier line."""

    line: int
    key: str
    original_key: str
    original_line: int | None
    verdict: str


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
    def to_verify(self) -> int:
        """Return the number of added records that their file marks for checking."""
        return sum(record.to_verify for record in self.added)

    @property
    def unparsed(self) -> int:
        """Return the number of attributions that could not be fully parsed."""
        written = [*self.added, *(change.record for change in self.changed)]
        return sum(bool(record.fields.get("attribution_as_imported")) for record in written)


class People:
    """Finds the person that a record names: by slug, or by name or alias if the dates allow it."""

    def __init__(self, rows: Iterable[Person]) -> None:
        self.by_slug: dict[str, StoredPerson] = {}
        self.by_name: dict[str, list[StoredPerson]] = defaultdict(list)
        self.seen: dict[PersonData, StoredPerson] = {}
        self.lines: dict[str, int] = {}
        for row in rows:
            values = {name: getattr(row, name) for name in PersonData._fields}
            data = PersonData(**{**values, "aliases": tuple(row.aliases)})
            self._add(StoredPerson(row.pk, data))

    def _add(self, stored: StoredPerson) -> None:
        self.by_slug[stored.data.slug] = stored
        for name in {fold_name(name) for name in (stored.data.name, *stored.data.aliases)}:
            self.by_name[name].append(stored)

    def find(self, data: PersonData) -> StoredPerson | None:
        if data in self.seen:
            return self.seen[data]
        if data.slug:
            return self.by_slug.get(data.slug)
        same_name = [stored for stored in self.by_name[fold_name(data.name)] if _can_be_one(stored.data, data)]
        # prefer the main name to an alias, then the first row
        return min(same_name, key=lambda stored: stored.data.name != data.name, default=None)

    def find_or_add(self, data: PersonData, line: int) -> StoredPerson | Problem:
        """Return the person, with the changes to make if the record has a slug; a name alone changes nobody."""
        if data in self.seen:
            return self.seen[data]
        stored = self.find(data)
        if stored is None:
            slug = data.slug or slug_for(data.name, self.by_slug.__contains__)
            stored = StoredPerson(None, data._replace(slug=slug))
            self._add(stored)
        elif data.slug and data.slug in self.lines:
            first = self.lines[data.slug]
            return Problem(
                line, "person", f"“{data.slug}” is described differently on line {first:,}; make both rows agree."
            )
        elif data.slug:
            stored.changes = {
                name: list(value) if name == "aliases" else value
                for name, value in data._asdict().items()
                if value != getattr(stored.data, name)
            }
        if data.slug:
            self.lines[data.slug] = line
        self.seen[data] = stored
        return stored

    def all(self) -> Iterator[StoredPerson]:
        yield from self.by_slug.values()


def _can_be_one(a: PersonData, b: PersonData) -> bool:
    """Return whether two records may be one person; dates that are far apart tell namesakes."""
    return all(
        one is None or other is None or abs(one - other) <= MAX_YEARS_APART
        for one, other in ((a.born, b.born), (a.died, b.died))
    )


class Works:
    """Finds the work that a record names: exactly, or as a collection prints it, perhaps without the year."""

    def __init__(self, rows: Iterable[Work]) -> None:
        self.stored: dict[tuple[str, str], dict[int | None, StoredWork]] = defaultdict(dict)
        self.years: dict[tuple[str, str], set[int]] = defaultdict(set)
        self.lines: dict[tuple[object, ...], tuple[WorkData, int]] = {}
        for row in rows:
            data = WorkData(*(getattr(row, name) for name in WorkData._fields))
            self.stored[data.title, data.authors][data.year] = StoredWork(row.pk, data)

    def learn_year(self, data: WorkData) -> None:
        if data.year is not None:
            self.years[data.title, data.authors].add(data.year)

    def find(self, data: WorkData, as_printed: bool) -> StoredWork | None:
        same = self.stored.get((data.title, data.authors), {})
        if data.year in same or not as_printed:
            return same.get(data.year)
        if data.year is not None:
            return same.get(None)
        return same[min(year for year in same if year is not None)] if same else None

    def find_or_add(self, data: WorkData, line: int, as_printed: bool) -> StoredWork | Problem:
        stored = self.find(data, as_printed)
        if stored is None:
            years = self.years[data.title, data.authors]
            if as_printed and data.year is None and len(years) == 1:
                data = data._replace(year=min(years))
            stored = StoredWork(None, data)
            self.stored[data.title, data.authors][data.year] = stored
        elif not as_printed:
            first, first_line = self.lines.setdefault(data[:3], (data, line))
            if first != data:
                return Problem(
                    line,
                    "work",
                    f"“{data.title}” is described differently on line {first_line:,}; make both rows agree.",
                )
            stored.changes = {
                name: value for name, value in data._asdict().items() if value != getattr(stored.data, name)
            }
        return stored

    def all(self) -> Iterator[StoredWork]:
        for same in self.stored.values():
            yield from same.values()


def make_plan(records: list[Record], refused: list[Problem], progress: Progress) -> Plan:
    plan = Plan(refused=refused, people=People(Person.objects.order_by("pk")), works=_load_works(records))
    _set_printed_names(plan.people, records)
    new = _compare_with_stored(plan, records, progress)
    progress("Looking for duplicates", 0, len(new))
    _separate_duplicates(plan, new, records)
    _resolve(plan)
    return plan


def _set_printed_names(people: People, records: Iterable[Record]) -> None:
    """Keep another name that a collection prints for a known person as the printed name of the quotation."""
    for record in records:
        data = record.objects.get("person")
        if record.as_printed and isinstance(data, PersonData):
            stored = people.find(data)
            if stored and fold_name(stored.data.name) != fold_name(data.name):
                record.fields.setdefault("name_as_printed", data.name)


def _load_works(records: Iterable[Record]) -> Works:
    named = [work for record in records for work in _works_of(record)]
    titles = sorted({work.title for work in named})
    rows = [row for batch in batches(titles, BATCH) for row in Work.objects.filter(title__in=batch).order_by("pk")]
    works = Works(rows)
    for work in named:
        works.learn_year(work)
    return works


def _works_of(record: Record) -> Iterator[WorkData]:
    for value in record.objects.values():
        if isinstance(value, WorkData):
            yield value
    for check in record.checks or ():
        if check.work:
            yield check.work


def batches(values: Iterable[Value], size: int) -> Iterator[list[Value]]:
    iterator = iter(values)
    while batch := list(islice(iterator, size)):
        yield batch


def _compare_with_stored(plan: Plan, records: list[Record], progress: Progress) -> list[Record]:
    """Plan the records whose key is stored as changed or unchanged; return the others."""
    new: list[Record] = []
    lines: dict[str, int] = {}
    done = 0
    for batch in batches(records, BATCH):
        with_keys = Quote.objects.filter(key__in=[record.key for record in batch])
        stored = {quote.key: quote for quote in _with_related(with_keys)}
        edited = _edited_in_admin([quote.pk for quote in stored.values()])
        tags = manager.find_tags({name for record in batch if record.key in stored for name in record.tags or ()})
        for record in batch:
            quote = stored.get(record.key)
            first = lines.setdefault(record.key, record.line)
            if first != record.line:
                plan.duplicates.append(Duplicate(record.line, record.key, record.key, first, "same words"))
            elif quote is None:
                new.append(record)
            elif fields := _differences(plan, record, quote, tags):
                if record.has_own_key or quote.pk not in edited:
                    plan.changed.append(Change(record, quote.pk, fields))
                else:
                    note = f"edited on the site; {', '.join(fields)} left unchanged"
                    plan.unchanged.append(Unchanged(record.line, record.key, note))
            else:
                plan.unchanged.append(Unchanged(record.line, record.key))
        done += len(batch)
        progress("Comparing", done, len(records))
    return new


def _with_related(quotes: QuerySet[Quote]) -> QuerySet[Quote]:
    return quotes.select_related("person", "work", "quoted_in", "true_source", "version_of").prefetch_related(
        "tagged_items__tag", "index_terms", "checks__work"
    )


def _edited_in_admin(quote_ids: Collection[int]) -> set[int]:
    """Return those of these quotations that somebody edited in the admin."""
    quote_type = ContentType.objects.get_for_model(Quote)
    revisions = Revision.objects.filter(content_type=quote_type, object_id__in=quote_ids).exclude(author=None)
    return set(revisions.values_list("object_id", flat=True))


def _differences(plan: Plan, record: Record, quote: Quote, known: dict[str, Tag]) -> tuple[str, ...]:
    different = [
        name
        for name, value in record.fields.items()
        if name not in {"created", "updated"} and getattr(quote, name) != value
    ]
    for name, data in record.objects.items():
        stored = getattr(quote, f"{name}_id")
        if data is None:
            same = stored is None
        elif isinstance(data, PersonData):
            person = plan.people.find(data)
            same = person is not None and person.pk == stored and (not data.slug or person.data == data)
        else:
            work = plan.works.find(data, record.as_printed)
            same = work is not None and work.pk == stored and (record.as_printed or work.data == data)
        if not same:
            different.append(name)
    for name, key in record.relations.items():
        other = getattr(quote, name)
        if key != (other.key if other else ""):
            different.append(name)
    tags = {item.tag_id for item in quote.tagged_items.all()}
    wanted = {known[name].pk if name in known else 0 for name in map(fold_name, record.tags or ())}
    if record.tags is not None and (tags != wanted if record.has_own_key else not wanted <= tags):
        different.append("tags")
    terms = {(term.word, term.veto, term.note) for term in quote.index_terms.all()}
    if record.terms is not None and terms != set(record.terms):
        different.append("index_terms")
    checks = {
        (check.checked_by, check.checked_on, check.work.natural_key() if check.work else None, check.place, check.found)
        for check in quote.checks.all()
    }
    if record.checks is not None and checks != {
        (check.checked_by, check.checked_on, check.work[:3] if check.work else None, check.place, check.found)
        for check in record.checks
    }:
        different.append("checks")
    return tuple(different)


def _separate_duplicates(plan: Plan, new: list[Record], records: list[Record]) -> None:
    """Divide the new records into additions and duplicates; a row with its own key is no duplicate of another row."""
    found: dict[int, tuple[int | Record, str]] = {}
    rewritten = {change.pk for change in plan.changed}
    with_key = [record for record in new if record.has_own_key]
    if with_key:
        existing = set(_ids_by_key(row.key for row in plan.unchanged).values())
        for duplicate in duplicates.duplicates_within([record.text for record in with_key], rewritten | existing):
            if duplicate.quote_id is not None and not any(with_key[duplicate.place].relations.values()):
                found[with_key[duplicate.place].line] = (duplicate.quote_id, duplicate.verdict.value)
    without_key = {record.line for record in new if not record.has_own_key}
    if without_key:
        # Stored ones are compared too, so that importing the same file again finds the same duplicates.
        repeated = {duplicate.line for duplicate in plan.duplicates}
        compared = [
            *with_key,
            *(record for record in records if not record.has_own_key and record.line not in repeated),
        ]
        existing = set(_ids_by_key(record.key for record in compared).values())
        for duplicate in duplicates.duplicates_within([record.text for record in compared], rewritten | existing):
            record = compared[duplicate.place]
            if record.line not in without_key:
                continue
            if duplicate.quote_id is not None:
                found[record.line] = (duplicate.quote_id, duplicate.verdict.value)
            elif duplicate.earlier is not None:
                found.setdefault(record.line, (compared[duplicate.earlier], duplicate.verdict.value))
    _add_or_skip(plan, new, found)


def _add_or_skip(plan: Plan, new: list[Record], found: dict[int, tuple[int | Record, str]]) -> None:
    """Add the new records to the plan, or to its duplicates if they are among those found."""
    keys = _keys_by_id({original for original, _verdict in found.values() if isinstance(original, int)})
    for record in new:
        if record.line not in found:
            plan.added.append(record)
            continue
        original, verdict = found[record.line]
        while isinstance(original, Record) and original.line in found:
            original = found[original.line][0]
        if isinstance(original, Record):
            plan.duplicates.append(Duplicate(record.line, record.key, original.key, original.line, verdict))
        else:
            plan.duplicates.append(Duplicate(record.line, record.key, keys[original], None, verdict))


def _ids_by_key(keys: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for batch in batches(sorted(set(keys)), BATCH):
        found.update(Quote.objects.filter(key__in=batch).values_list("key", "pk"))
    return found


def _keys_by_id(ids: Iterable[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for batch in batches(sorted(set(ids)), BATCH):
        found.update(Quote.objects.filter(pk__in=batch).values_list("pk", "key"))
    return found


def _resolve(plan: Plan) -> None:
    """Find the people, works and quotations that records refer to, and refuse records with unknown references."""
    original_keys = {duplicate.key: duplicate.original_key for duplicate in plan.duplicates}
    written = [*plan.added, *(change.record for change in plan.changed)]
    for record in written:
        for name, key in record.relations.items():
            while original_keys.get(key, key) != key:
                key = original_keys[key]
            record.relations[name] = key
    targets = {key for record in written for key in record.relations.values() if key}
    existing = set(_ids_by_key(targets))
    refused: set[int] = set()
    while True:
        accepted = [record for record in written if record.line not in refused]
        keys = existing | {record.key for record in accepted}
        problems = [problem for record in accepted for problem in _missing_targets(record, keys)]
        if not problems:
            break
        refused |= {problem.line for problem in problems}
        plan.refused += problems
    for record in accepted:
        problems = _find_people_and_works(plan, record)
        refused |= {problem.line for problem in problems}
        plan.refused += problems
    plan.added = [record for record in plan.added if record.line not in refused]
    plan.changed = [change for change in plan.changed if change.record.line not in refused]


def _missing_targets(record: Record, keys: Collection[str]) -> Iterator[Problem]:
    for name, key in record.relations.items():
        if key == record.key:
            yield Problem(record.line, name, "names the quotation itself; name another.")
        elif key and key not in keys:
            yield Problem(record.line, name, f"there is no quotation “{key}” on the site or in the file.")


def _find_people_and_works(plan: Plan, record: Record) -> list[Problem]:
    found = [
        plan.people.find_or_add(data, record.line)
        if isinstance(data, PersonData)
        else plan.works.find_or_add(data, record.line, record.as_printed)
        for data in record.objects.values()
        if data is not None
    ]
    found += [plan.works.find_or_add(check.work, record.line, False) for check in record.checks or () if check.work]
    return [problem for problem in found if isinstance(problem, Problem)]
