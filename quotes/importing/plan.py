"""The plan of an import: what it adds, changes and leaves alone, compared with the database. Writes nothing."""

from collections import defaultdict
from collections.abc import Collection as Container
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet

from quotes import duplicates
from quotes.importing import bartlett
from quotes.importing.files import Problem
from quotes.importing.records import CollectionData, PersonData, Record, WorkData
from quotes.models import Check, Collection, Person, Quote, Work
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
    collections: frozenset[str] = frozenset()  # slugs of those with quotations of it, one of them empty for none


@dataclass(eq=False)
class StoredWork:
    """A work in the database, or one to be added to it."""

    pk: int | None
    data: WorkData
    changes: dict[str, Any] = field(default_factory=dict)
    collections: frozenset[str] = frozenset()


@dataclass(eq=False)
class StoredCollection:
    """A collection in the database, or one to be added to it. One that is there is never changed."""

    pk: int | None
    data: CollectionData


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
    elsewhere: str = ""  # in words, if the stored one belongs to another collection


@dataclass
class Plan:
    added: list[Record] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    unchanged: list[Unchanged] = field(default_factory=list)
    left: list[Unchanged] = field(default_factory=list)  # would change a quotation of another collection
    kept: set[str] = field(default_factory=set)  # what people, works and collections keep although rows say otherwise
    duplicates: list[Duplicate] = field(default_factory=list)
    refused: list[Problem] = field(default_factory=list)
    take_over: bool = False  # change what belongs to other collections too
    people: "People" = field(default_factory=lambda: People([]))
    works: "Works" = field(default_factory=lambda: Works([]))
    collections: "Collections" = field(default_factory=lambda: Collections([]))

    def keeps(self, stored: StoredPerson | StoredWork, record: Record) -> bool:
        """Return whether a person or work stays as it is, whatever a record says: other collections use it. Note it."""
        if self.take_over or stored.collections <= {record.collection}:
            return False
        name = stored.data.name if isinstance(stored, StoredPerson) else stored.data.title
        self.kept.add(f"“{name}”, which other collections use too")
        return True

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

    def __init__(self, rows: Iterable[Person], collections: Mapping[int, frozenset[str]] | None = None) -> None:
        self.by_slug: dict[str, StoredPerson] = {}
        self.by_name: dict[str, list[StoredPerson]] = defaultdict(list)
        self.by_surname: dict[str, list[StoredPerson]] = defaultdict(list)
        self.doubtful: dict[int, tuple[str, str]] = {}  # line -> name added, and who it may be short for
        self.seen: dict[PersonData, StoredPerson] = {}
        self.lines: dict[str, int] = {}
        for row in rows:
            values = {name: getattr(row, name) for name in PersonData._fields}
            data = PersonData(**{**values, "aliases": tuple(row.aliases)})
            self._add(StoredPerson(row.pk, data, collections=(collections or {}).get(row.pk, frozenset())))

    def _add(self, stored: StoredPerson) -> None:
        self.by_slug[stored.data.slug] = stored
        for name in {fold_name(name) for name in (stored.data.name, *stored.data.aliases)}:
            self.by_name[name].append(stored)
        self.by_surname[bartlett.name_parts(stored.data.name)[1]].append(stored)

    def find(self, data: PersonData) -> StoredPerson | None:
        if data in self.seen:
            return self.seen[data]
        if data.slug:
            return self.by_slug.get(data.slug)
        same_name = [stored for stored in self.by_name[fold_name(data.name)] if _can_be_one(stored.data, data)]
        # prefer the main name to an alias, then the first row
        if same_name:
            return min(same_name, key=lambda stored: stored.data.name != data.name)
        fuller = [stored for stored in self.fuller(data) if _share_a_date(stored.data, data)]
        return fuller[0] if len(fuller) == 1 else None

    def fuller(self, data: PersonData) -> list[StoredPerson]:
        """Return the people for whose names a surname alone, or with initials, may be short."""
        known = self.by_surname[bartlett.name_parts(data.name)[1]]
        fits = [stored for stored in known if bartlett.is_short_for(data.name, stored.data.name)]
        return [stored for stored in fits if stored.data.kind == data.kind and _can_be_one(stored.data, data)]

    def find_or_add(self, data: PersonData, line: int) -> StoredPerson | Problem:
        """Return the person, with the changes to make if the record has a slug; a name alone changes nobody."""
        if data in self.seen:
            return self.seen[data]
        stored = self.find(data)
        if stored is None:
            if fuller := self.fuller(data):
                self.doubtful[line] = (data.name, ", ".join(stored.data.name for stored in fuller))
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


def _share_a_date(a: PersonData, b: PersonData) -> bool:
    """Return whether both have the same year, or nearly, of birth or of death."""
    return any(
        one is not None and other is not None and abs(one - other) <= MAX_YEARS_APART
        for one, other in ((a.born, b.born), (a.died, b.died))
    )


def _can_be_one(a: PersonData, b: PersonData) -> bool:
    """Return whether two records may be one person; dates that are far apart tell namesakes."""
    return all(
        one is None or other is None or abs(one - other) <= MAX_YEARS_APART
        for one, other in ((a.born, b.born), (a.died, b.died))
    )


class Works:
    """Finds the work that a record names: exactly, or as a collection prints it, perhaps without the year."""

    def __init__(self, rows: Iterable[Work], collections: Mapping[int, frozenset[str]] | None = None) -> None:
        self.stored: dict[tuple[str, str], dict[int | None, StoredWork]] = defaultdict(dict)
        self.years: dict[tuple[str, str], set[int]] = defaultdict(set)
        self.lines: dict[tuple[object, ...], tuple[WorkData, int]] = {}
        for row in rows:
            data = WorkData(*(getattr(row, name) for name in WorkData._fields))
            used = (collections or {}).get(row.pk, frozenset())
            self.stored[data.title, data.authors][data.year] = StoredWork(row.pk, data, collections=used)

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


class Collections:
    """Finds the collection that a record names by its slug."""

    def __init__(self, rows: Iterable[Collection]) -> None:
        self.by_slug: dict[str, StoredCollection] = {}
        self.lines: dict[str, int] = {}
        for row in rows:
            data = CollectionData(*(getattr(row, name) for name in CollectionData._fields))
            self.by_slug[data.slug] = StoredCollection(row.pk, data)

    def find(self, data: CollectionData) -> StoredCollection | None:
        return self.by_slug.get(data.slug)

    def add(self, data: CollectionData, line: int) -> Problem | None:
        """Add a collection that a record describes, unless it is there; records of one file must agree about it."""
        stored = self.find(data)
        if stored is None and data.name:
            self.by_slug[data.slug] = StoredCollection(None, data)
            self.lines[data.slug] = line
        elif stored and stored.pk is None and data.name and data != stored.data:
            first = self.lines[data.slug]
            return Problem(
                line, "collection", f"“{data.slug}” is described differently on line {first:,}; make both rows agree."
            )
        return None

    def all(self) -> Iterator[StoredCollection]:
        yield from self.by_slug.values()


def make_plan(records: list[Record], refused: list[Problem], progress: Progress, *, take_over: bool = False) -> Plan:
    plan = Plan(
        refused=refused,
        take_over=take_over,
        people=People(Person.objects.order_by("pk"), _collections_of((Quote, "person", "collection"))),
        works=_load_works(records),
        collections=Collections(Collection.objects.order_by("pk")),
    )
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
    by_quotes = (
        (Quote, "work", "collection"),
        (Quote, "quoted_in", "collection"),
        (Check, "work", "quote__collection"),
    )
    works = Works(rows, _collections_of(*by_quotes))
    for work in named:
        works.learn_year(work)
    return works


def _collections_of(*columns: tuple[type[Model], str, str]) -> dict[int, frozenset[str]]:
    """Return the slugs of the collections by what their quotations name: model, column, path of the collection."""
    found: dict[int, set[str]] = defaultdict(set)
    for model, column, collection in columns:
        named = model._default_manager.exclude(**{column: None}).order_by()
        for pk, slug in named.values_list(column, f"{collection}__slug").distinct():
            found[pk].add(slug or "")
    return {pk: frozenset(slugs) for pk, slugs in found.items()}


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
            elif record.collection != _slug_of(quote.collection) and not plan.take_over:
                plan.left.append(Unchanged(record.line, record.key, _place(quote.collection)))
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


def _slug_of(collection: Collection | None) -> str:
    return collection.slug if collection else ""


def _place(collection: Collection | None) -> str:
    return f"in the collection “{collection}”" if collection else "in no collection"


def _with_related(quotes: QuerySet[Quote]) -> QuerySet[Quote]:
    relations = ("person", "work", "quoted_in", "true_source", "version_of", "collection")
    return quotes.select_related(*relations).prefetch_related("tagged_items__tag", "index_terms", "checks__work")


def _edited_in_admin(quote_ids: Container[int]) -> set[int]:
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
            same = person is not None and person.pk == stored
            if person and same and data.slug and person.data != data:
                same = plan.keeps(person, record)
        elif isinstance(data, WorkData):
            work = plan.works.find(data, record.as_printed)
            same = work is not None and work.pk == stored
            if work and same and not record.as_printed and work.data != data:
                same = plan.keeps(work, record)
        else:
            collection = plan.collections.find(data)
            same = collection is not None and collection.pk == stored
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
    stored = _places_by_id({original for original, _verdict in found.values() if isinstance(original, int)})
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
            key, slug, place = stored[original]
            elsewhere = place if slug != record.collection else ""
            plan.duplicates.append(Duplicate(record.line, record.key, key, None, verdict, elsewhere))


def _ids_by_key(keys: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for batch in batches(sorted(set(keys)), BATCH):
        found.update(Quote.objects.filter(key__in=batch).values_list("key", "pk"))
    return found


def _places_by_id(ids: Iterable[int]) -> dict[int, tuple[str, str, str]]:
    """Return the key of each of these quotations, the slug of its collection, and where it is in words."""
    found: dict[int, tuple[str, str, str]] = {}
    for batch in batches(sorted(set(ids)), BATCH):
        for quote in Quote.objects.filter(pk__in=batch).select_related("collection"):
            found[quote.pk] = (quote.key, _slug_of(quote.collection), _place(quote.collection))
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
    # Full names first: a surname alone can then be joined with the name of the same person on a later row.
    for record in sorted(accepted, key=_given_names, reverse=True):
        problems = _find_people_and_works(plan, record)
        refused |= {problem.line for problem in problems}
        plan.refused += problems
    for record in accepted:
        problems = _find_collection(plan, record)
        refused |= {problem.line for problem in problems}
        plan.refused += problems
    plan.added = [record for record in plan.added if record.line not in refused]
    plan.changed = [change for change in plan.changed if change.record.line not in refused]


def _given_names(record: Record) -> int:
    """Return the number of letters in the given names of the person that the record names."""
    person = record.objects.get("person")
    return len("".join(bartlett.name_parts(person.name)[0])) if isinstance(person, PersonData) else 0


def _missing_targets(record: Record, keys: Container[str]) -> Iterator[Problem]:
    for name, key in record.relations.items():
        if key == record.key:
            yield Problem(record.line, name, "names the quotation itself; name another.")
        elif key and key not in keys:
            yield Problem(record.line, name, f"there is no quotation “{key}” on the site or in the file.")


def _find_people_and_works(plan: Plan, record: Record) -> list[Problem]:
    found: list[StoredPerson | StoredWork | Problem] = []
    for data in record.objects.values():
        if isinstance(data, PersonData):
            found.append(plan.people.find_or_add(data, record.line))
        elif isinstance(data, WorkData):
            found.append(plan.works.find_or_add(data, record.line, record.as_printed))
        elif isinstance(data, CollectionData) and (problem := plan.collections.add(data, record.line)):
            found.append(problem)
    found += [plan.works.find_or_add(check.work, record.line, False) for check in record.checks or () if check.work]
    for stored in found:
        if not isinstance(stored, Problem) and stored.changes and plan.keeps(stored, record):
            stored.changes = {}
    return [problem for problem in found if isinstance(problem, Problem)]


def _find_collection(plan: Plan, record: Record) -> list[Problem]:
    data = record.objects.get("collection")
    if not isinstance(data, CollectionData):
        return []
    stored = plan.collections.find(data)
    if stored is None:
        told = f"there is no collection “{data.slug}”; give its name too, so that it is added, or another slug."
        return [Problem(record.line, "collection", told)]
    if data.name and data != stored.data:
        plan.kept.add(f"the collection “{stored.data.name}”: change it in the admin")
    return []
