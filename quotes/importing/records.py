"""Checking of rows: each becomes a record, or a list of problems by field. Asks no database.

A row comes from a collection (`author`, `source_title`, `as_quoted_in` … as printed, parsed here), or from our own
export (`person`, `work`, `quoted_in` … as objects), or is a mixture without contradictions.
"""

import hashlib
import json
import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from django.db.models import Model

from quotes.importing import bartlett
from quotes.importing.files import Problem, Row, UnreadableError
from quotes.models import Check, Collection, IndexTerm, Person, Quote, Work
from rlm_site.tags import parsing
from rlm_site.tags.models import Tag
from rlm_site.text import printable
from rlm_site.text.folding import fold_name
from rlm_site.text.mojibake import find_mojibake
from rlm_site.text.slugs import slug_for
from rlm_site.text.words import occurrences

# Fields of a quotation that rows contain as stored, in the order of the export.
PLAIN_FIELDS = (
    "text", "language", "name_as_printed", "locator", "locator_as_printed", "quoted_in_locator", "year_said",
    "original_text", "original_language", "translator", "status", "auto_pick", "attribution_as_imported", "published",
    "publish_at", "retire_at", "retired_to", "created", "updated",
)  # fmt: skip
PERSON_FIELDS = (
    "slug", "kind", "name", "sort_name", "description", "born", "died", "born_circa", "died_circa", "living_checked_on",
    "aliases",
)  # fmt: skip
WORK_FIELDS = ("title", "authors", "year", "kind", "url")
COLLECTION_FIELDS = ("slug", "name", "source", "url", "licence", "register", "pick_policy", "trust")
CHECK_FIELDS = ("checked_by", "checked_on", "work", "place", "found")
TERM_FIELDS = ("word", "veto", "note")

# Fields of collections, each with the field of the export that it excludes.
_COLLECTION_FIELDS = {
    "author": "person", "born": "person", "died": "person", "dates_as_printed": "person", "dates_text": "person",
    "descriptor": "person", "source": "work", "source_title": "work", "year": "work", "year_basis": "work",
    "source_basis": "work", "as_quoted_in": "quoted_in", "evidence": "quoted_in_locator", "original": "original_text",
    "public_domain": "", "matches": "",
}  # fmt: skip
_OBJECTS = ("person", "work", "quoted_in")
_RELATIONS: tuple[str, ...] = ("true_source", "version_of")
_LISTS = ("tags", "index_terms", "checks")
FIELDS = frozenset({"key", "collection", *_RELATIONS, *PLAIN_FIELDS, *_OBJECTS, *_LISTS, *_COLLECTION_FIELDS})

YEARS = range(-3000, 2101)


class PersonData(NamedTuple):
    slug: str = ""
    kind: str = Person.Kind.PERSON
    name: str = ""
    sort_name: str = ""
    description: str = ""
    born: int | None = None
    died: int | None = None
    born_circa: bool = False
    died_circa: bool = False
    living_checked_on: date | None = None
    aliases: tuple[str, ...] = ()


class WorkData(NamedTuple):
    title: str = ""
    authors: str = ""
    year: int | None = None
    kind: str = Work.Kind.BOOK
    url: str = ""


class CollectionData(NamedTuple):
    slug: str = ""
    name: str = ""  # empty: the collection is on the site, or on another row
    source: str = ""
    url: str = ""
    licence: str = ""
    register: str = Collection.Register.SERIOUS
    pick_policy: str = Collection.PickPolicy.AUTOMATIC
    trust: str = Collection.Trust.UNCHECKED


class CheckData(NamedTuple):
    checked_by: str
    checked_on: date
    work: WorkData | None
    place: str
    found: str


class TermData(NamedTuple):
    word: str
    veto: bool
    note: str


Objects = dict[str, PersonData | WorkData | CollectionData | None]


@dataclass(slots=True)
class Record:
    """A quotation as its row describes it. Fields that the row lacks are absent, or None."""

    line: int
    key: str
    has_own_key: bool  # in the row; else the key is derived from author and text
    fields: dict[str, Any]
    objects: Objects
    as_printed: bool  # people and works are named as a collection prints them, not as they are stored
    tags: tuple[str, ...] | None = None
    terms: tuple[TermData, ...] | None = None
    checks: tuple[CheckData, ...] | None = None
    to_verify: bool = False  # the file marks it for checking
    relations: dict[str, str] = field(default_factory=dict)  # true_source and version_of: keys, empty for none

    @property
    def text(self) -> str:
        return str(self.fields["text"])

    @property
    def collection(self) -> str:
        """Return the slug of its collection, empty for none."""
        data = self.objects.get("collection")
        return data.slug if isinstance(data, CollectionData) else ""


class NoCollectionError(UnreadableError):
    """Nobody says which collection the rows belong to."""


class RecordChecker:
    """Checks rows one by one, and that no key occurs twice. All rows belong to the collection, if one is given."""

    def __init__(self, collection: CollectionData | None = None) -> None:
        self.collection = collection
        self.lines: dict[str, int] = {}

    def check(self, row: Row) -> Record | list[Problem]:
        """Return the record or its problems. Duplicate quotations are no problem here: see `plan`."""
        parser = _RowParser(row)
        record = parser.record()
        if record:
            self.set_collection(record, parser)
        if record and record.has_own_key:
            first = self.lines.setdefault(record.key, record.line)
            if first != record.line:
                parser.add_problem(
                    "key", f"“{record.key}” is also the key of line {first:,}; each quotation needs its own key."
                )
        return parser.problems or record or []

    def set_collection(self, record: Record, parser: "_RowParser") -> None:
        named = record.objects.get("collection")
        if self.collection is None and "collection" not in record.objects:
            raise NoCollectionError(
                f"line {record.line:,}: names no collection. Say which one the file belongs to: --collection SLUG, and "
                'for a new one also --name "…". Or name it on each row: "collection": "SLUG".'
            )
        if self.collection is None:
            return
        if named and named[0] != self.collection.slug:
            parser.add_problem(
                "collection",
                f"“{named[0]}” is not the collection of this import, “{self.collection.slug}”; "
                "leave out --collection, or the field.",
            )
        record.objects["collection"] = self.collection


class _RowParser:
    """Parses one row and collects its problems."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.values = row.values
        self.problems: list[Problem] = []

    def add_problem(self, name: str, message: str) -> None:
        self.problems.append(Problem(self.row.line, name, message))

    def record(self) -> Record | None:
        self.refuse_unknown_fields()
        if self.row.from_csv:
            self.values = self.parse_cells()
        self.refuse_mojibake()
        fields = {
            name: self.plain(name) for name in PLAIN_FIELDS if name in self.values and name not in _PARSED_SEPARATELY
        }
        text = self.text()
        objects: Objects = {}
        readers = (
            ("person", self.person), ("work", self.work), ("quoted_in", self.work), ("collection", self.collection),
        )  # fmt: skip
        for name, read in readers:
            if name in self.values:
                objects[name] = read(name, self.values[name])
        tags, terms, checks = self.tags(), self.terms(), self.checks()
        key = self.key()
        relations = {name: self.other(name) for name in _RELATIONS if name in self.values}
        as_printed = bool(_COLLECTION_FIELDS.keys() & self.values.keys())
        collected = self.collection_values() if as_printed and not self.problems else {}
        if self.problems:
            return None
        fields["text"] = text
        if as_printed:
            self.parse_attribution(collected, fields, objects)
        else:
            fields.update({name: self.plain(name) for name in _PRINTED_FIELDS if name in self.values})
        self.check_together(fields, objects, checks)
        if self.problems:
            return None
        has_own_key = bool(key)
        if not has_own_key:
            person = objects.get("person")
            key = key_of(person.name if isinstance(person, PersonData) else collected.get("author", ""), text)
        subjects = _without_check_tags(tags) if tags and as_printed else tags
        to_verify = subjects != tags
        return Record(
            self.row.line, key, has_own_key, fields, objects, as_printed, subjects, terms, checks, to_verify, relations
        )

    # Field names and cells

    def refuse_unknown_fields(self) -> None:
        for name in self.values:
            if name not in FIELDS:
                self.add_problem(name, f"unknown field. Known fields: {', '.join(sorted(FIELDS))}.")
        if self.values.keys().isdisjoint(_COLLECTION_FIELDS.values()):
            return
        for name, own_field in _COLLECTION_FIELDS.items():
            if own_field and self.has_value(name) and self.has_value(own_field):
                self.add_problem(name, f"repeats {own_field}; give only one of them.")

    def refuse_mojibake(self) -> None:
        for name, text in _texts_within(self.values):
            if misread := find_mojibake(text):
                self.add_problem(name, f"{misread} Correct it, or save the original file as UTF-8 again.")

    def has_value(self, name: str) -> bool:
        return self.values.get(name) not in (None, "", [], {})

    def parse_cells(self) -> dict[str, Any]:
        """Convert CSV cells to numbers, booleans, lists and objects."""
        values: dict[str, Any] = {}
        for name, cell in self.values.items():
            if name in _CELL_READERS:
                if cell.strip():
                    try:
                        values[name] = _CELL_READERS[name](cell.strip())
                    except ValueError as error:
                        self.add_problem(name, str(error))
            else:
                values[name] = cell
        return values

    # Plain fields

    def text(self) -> str:
        text = self.string("text", 20_000)
        if not text.strip() and not self.has_problem("text"):
            self.add_problem("text", "is empty; give the text of the quotation.")
        return text.strip("\n").rstrip()

    def has_problem(self, name: str) -> bool:
        return any(problem.field == name for problem in self.problems)

    def string(self, name: str, max_length: int, value: Any = "", *, lines: bool = True) -> str:
        value = self.values.get(name, "") if value == "" else value
        if value is None or value == "":
            return ""
        if not isinstance(value, str):
            self.add_problem(name, f"{quoted(value)} is not text; put it in quotation marks.")
            return ""
        if not value.isprintable() or "\ufffd" in value:
            value = printable.with_line_breaks(value)
            if refused := printable.find_refused(value):
                self.add_problem(name, f"cannot be stored: {refused}")
            if not lines and "\n" in value:
                self.add_problem(name, "must be on one line.")
        if len(value) > max_length:
            self.add_problem(name, f"has {len(value):,} characters; at most {max_length:,} are allowed.")
        return value

    def year(self, name: str, value: Any) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.add_problem(
                name, f"{quoted(value)} is not a year; give a whole number, negative for BC, such as 1862 or -43."
            )
            return None
        if value not in YEARS:
            self.add_problem(
                name, f"{value} is out of range; give a year from {YEARS[0]} to {YEARS[-1]}, negative for BC."
            )
            return None
        return value

    def boolean(self, name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            self.add_problem(name, f"{quoted(value)} is neither true nor false.")
        return bool(value)

    def moment(self, name: str, value: Any) -> datetime | None:
        if value is None or value == "":
            return None
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            self.add_problem(name, f"{quoted(value)} is not a date and time; write it like 2026-08-01T12:00:00Z.")
            return None
        if moment.tzinfo is None:
            self.add_problem(name, f"{quoted(value)} has no time zone; write it like 2026-08-01T12:00:00Z.")
            return None
        return moment.astimezone(UTC)

    def day(self, name: str, value: Any) -> date | None:
        if value is None or value == "":
            return None
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            self.add_problem(name, f"{quoted(value)} is not a date; write it like 2026-08-01.")
            return None

    def choice(self, name: str, value: Any, choices: Any) -> str:
        if value not in choices.values:
            self.add_problem(name, f"{quoted(value)} is not allowed; use one of {', '.join(choices.values)}.")
            return ""
        return str(value)

    def plain(self, name: str) -> Any:
        value = self.values[name]
        if name == "year_said":
            return self.year(name, value)
        if name in {"auto_pick", "published"}:
            return self.boolean(name, value)
        if name in {"publish_at", "retire_at", "created", "updated"}:
            moment = self.moment(name, value)
            if moment is None and name in {"created", "updated"} and not self.has_problem(name):
                self.add_problem(name, "is empty; write it like 2026-08-01T12:00:00Z, or leave the field out.")
            return moment
        if name == "status":
            return self.choice(name, value, Quote.Status)
        if name == "original_text":
            return self.string(name, 20_000)
        return self.string(name, _max_length(Quote, name), lines=False)

    def key(self) -> str:
        key = self.string("key", _max_length(Quote, "key"), lines=False)
        if key and not re.fullmatch(r"[-a-zA-Z0-9_]+", key):
            self.add_problem("key", f"{quoted(key)} is not allowed; use only letters, digits, hyphens and underscores.")
        return key

    def other(self, name: str) -> str:
        return self.string(name, _max_length(Quote, "key"), lines=False)

    # Objects and lists in the format of the export

    def members(self, name: str, value: Any, known: tuple[str, ...], required: str) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            self.add_problem(name, f'{quoted(value)} is not an object; write it like {{"{required}": "…"}}.')
            return None
        for member in value:
            if member not in known:
                self.add_problem(f"{name}.{member}", f"unknown field. Known fields: {', '.join(known)}.")
        if not isinstance(value.get(required), str) or not value[required].strip():
            self.add_problem(f"{name}.{required}", "is missing or empty.")
        return value

    def person(self, name: str, value: Any) -> PersonData | None:
        if value is None:
            return None
        values = self.members(name, value, PERSON_FIELDS, "name")
        if values is None:
            return None
        cleaned: dict[str, Any] = {}
        for member, raw in values.items():
            path = f"{name}.{member}"
            if member in {"born", "died"}:
                cleaned[member] = self.year(path, raw)
            elif member in {"born_circa", "died_circa"}:
                cleaned[member] = self.boolean(path, raw)
            elif member == "living_checked_on":
                cleaned[member] = self.day(path, raw)
            elif member == "aliases":
                if not isinstance(raw, list) or not all(isinstance(alias, str) for alias in raw):
                    self.add_problem(path, f'{quoted(raw)} is not a list of names; write it like ["Holmston"].')
                else:
                    cleaned[member] = tuple(raw)
            elif member == "kind":
                cleaned[member] = self.choice(path, raw, Person.Kind)
            elif member in PERSON_FIELDS:
                cleaned[member] = self.string(path, _max_length(Person, member), raw or "", lines=False)
        person = _intern(PersonData(**cleaned)) if not self.problems else None
        if person and person.slug and not re.fullmatch(r"[-a-zA-Z0-9_]+", person.slug):
            self.add_problem(
                f"{name}.slug",
                f"{quoted(person.slug)} is not a slug; use only letters, digits, hyphens and underscores.",
            )
        return person

    def work(self, name: str, value: Any) -> WorkData | None:
        if value is None:
            return None
        values = self.members(name, value, WORK_FIELDS, "title")
        if values is None:
            return None
        cleaned: dict[str, Any] = {}
        for member, raw in values.items():
            path = f"{name}.{member}"
            if member == "year":
                cleaned[member] = self.year(path, raw)
            elif member == "kind":
                cleaned[member] = self.choice(path, raw, Work.Kind)
            elif member in WORK_FIELDS:
                cleaned[member] = self.string(path, _max_length(Work, member), raw or "", lines=False)
        return _intern(WorkData(**cleaned)) if not self.problems else None

    def collection(self, name: str, value: Any) -> CollectionData | None:
        """Read a collection, or the slug alone of one that is on the site or on another row."""
        if value is None or value == "":
            return None
        values = self.members(name, {"slug": value} if isinstance(value, str) else value, COLLECTION_FIELDS, "slug")
        if values is None:
            return None
        cleaned: dict[str, Any] = {}
        for member, raw in values.items():
            path = f"{name}.{member}"
            if member in _COLLECTION_CHOICES:
                cleaned[member] = self.choice(path, raw, _COLLECTION_CHOICES[member])
            elif member in COLLECTION_FIELDS:
                max_length = _max_length(Collection, member)
                cleaned[member] = self.string(path, max_length, raw or "", lines=member == "source").strip()
        if cleaned.get("slug") and not re.fullmatch(r"[-a-zA-Z0-9_]+", cleaned["slug"]):
            self.add_problem(
                f"{name}.slug",
                f"{quoted(cleaned['slug'])} is not a slug; use only letters, digits, hyphens and underscores.",
            )
        if cleaned.get("url") and not re.match(r"https?://.", cleaned["url"]):
            self.add_problem(f"{name}.url", f"{quoted(cleaned['url'])} does not begin with https:// or http://.")
        if "pick_policy" not in cleaned:
            cleaned["pick_policy"] = Collection.usual_policy(cleaned.get("register", ""))
        return _intern(CollectionData(**cleaned)) if not self.problems else None

    def list_of(self, name: str, example: str) -> list[Any]:
        value = self.values[name]
        if value is None:
            return []
        if not isinstance(value, list):
            self.add_problem(name, f"{quoted(value)} is not a list; write it like {example}.")
            return []
        return value

    def tags(self) -> tuple[str, ...] | None:
        if "tags" not in self.values:
            return None
        names = [
            self.string("tags", _max_length(Tag, "name"), name, lines=False)
            for name in self.list_of("tags", '["exile", "law"]')
        ]
        return _unique_names(tuple(names))

    def terms(self) -> tuple[TermData, ...] | None:
        if "index_terms" not in self.values:
            return None
        terms: dict[str, TermData] = {}
        for value in self.list_of("index_terms", '[{"word": "exile"}]'):
            values = self.members("index_terms", value, TERM_FIELDS, "word")
            if values is None:
                continue
            word = self.string("index_terms.word", _max_length(IndexTerm, "word"), values.get("word", ""), lines=False)
            if word and not any(occurrences(word)):
                self.add_problem("index_terms.word", f"{quoted(word)} contains no word.")
            if word in terms:
                self.add_problem("index_terms.word", f"{quoted(word)} appears twice.")
            veto = self.boolean("index_terms.veto", values.get("veto", False))
            note = self.string(
                "index_terms.note", _max_length(IndexTerm, "note"), values.get("note") or "", lines=False
            )
            terms[word] = TermData(word, veto, note)
        return tuple(terms.values())

    def checks(self) -> tuple[CheckData, ...] | None:
        if "checks" not in self.values:
            return None
        checks: dict[tuple[Any, ...], CheckData] = {}
        for value in self.list_of("checks", '[{"checked_by": "…", "checked_on": "2026-08-01"}]'):
            values = self.members("checks", value, CHECK_FIELDS, "checked_by")
            if values is None:
                continue
            name = self.string(
                "checks.checked_by", _max_length(Check, "checked_by"), values.get("checked_by", ""), lines=False
            )
            day = self.day("checks.checked_on", values.get("checked_on"))
            if day is None and not self.has_problem("checks.checked_on"):
                self.add_problem("checks.checked_on", "is missing; write it like 2026-08-01.")
            work = self.work("checks.work", values.get("work"))
            place = self.string("checks.place", _max_length(Check, "place"), values.get("place") or "", lines=False)
            found = self.string("checks.found", 20_000, values.get("found") or "")
            if (name, day, place) in checks:
                self.add_problem("checks", f"the check by {name} on {day} appears twice.")
            checks[name, day, place] = CheckData(name, day or date.min, work, place, found)
        return tuple(checks.values())

    # Fields as collections print them

    def collection_values(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in (*_COLLECTION_FIELDS, *_PRINTED_FIELDS):
            if name in {"born", "died", "year"}:
                values[name] = self.year(name, self.values.get(name))
            elif name == "matches":
                if name in self.values:
                    self.list_of(name, '["allies"]')
            else:
                values[name] = self.string(name, 500, lines=name == "original").strip()
        return values

    def parse_attribution(self, collected: dict[str, Any], fields: dict[str, Any], objects: Objects) -> None:
        """Fill in fields and objects from what a collection prints, unless the row has them as stored."""
        unparsed: list[str] = []
        scripture = _scripture(collected)
        if "author" in self.values:
            objects["person"] = _person_of(collected) if not scripture else None
        if "as_quoted_in" in self.values:
            source = bartlett.parse_collection(collected["as_quoted_in"])
            if collected["as_quoted_in"] and source is None:
                unparsed.append(collected["as_quoted_in"])
            objects["quoted_in"] = (
                _intern(WorkData(source.title, source.authors, source.year, Work.Kind.COLLECTION)) if source else None
            )
            fields.setdefault("quoted_in_locator", _locator_in_collection(collected["evidence"], source))
        self.parse_source(collected, scripture, fields, objects)
        if "translator" in self.values:
            fields["translator"] = self.translator(collected, objects, unparsed)
        if self.has_value("original"):
            fields["original_text"] = collected["original"]
        if unparsed:
            fields.setdefault("attribution_as_imported", "; ".join(unparsed))
        for name in ("locator", "locator_as_printed", "quoted_in_locator", "attribution_as_imported", "translator"):
            max_length = _max_length(Quote, name)
            if len(fields.get(name, "")) > max_length:
                self.add_problem(name, f"has {len(fields[name]):,} characters; at most {max_length:,} are allowed.")

    def parse_source(
        self,
        collected: dict[str, Any],
        scripture: tuple[WorkData, bartlett.Source] | None,
        fields: dict[str, Any],
        objects: Objects,
    ) -> None:
        if self.has_value("source_title"):
            work, source = scripture or _work_of(collected, self.values.get("tags") or [])
            objects["work"] = _intern(work) if work.title else None  # a remark in place of a source names none
            fields["locator"] = locator = source.locator
            if source.year_said is not None:
                fields.setdefault("year_said", source.year_said)
            parts = (collected["source_title"], collected["locator"])
            as_printed = collected["source"] or ". ".join(filter(None, parts))
            if collected["source_basis"].startswith("general reference"):
                as_printed = ""  # the collection prints the author alone
            elif work.title == collected["source_title"]:
                as_printed = collected["locator"]
            fields.setdefault("locator_as_printed", as_printed if as_printed != locator else "")
        else:
            if "source_title" in self.values:
                objects["work"] = None
            if "locator" in self.values:
                fields["locator"] = collected["locator"]
            if collected["year"] is not None:
                fields.setdefault("year_said", collected["year"])

    def translator(self, collected: dict[str, Any], objects: dict[str, Any], unparsed: list[str]) -> str:
        as_printed = str(collected["translator"])
        work = objects.get("work")
        if not as_printed:
            return ""
        found = bartlett.parse_translator(as_printed, collected["author"], work.title if work else "")
        if not found:
            unparsed.append(as_printed)
        return found

    # Checks across fields

    def check_together(
        self,
        fields: dict[str, Any],
        objects: Objects,
        checks: tuple[CheckData, ...] | None,
    ) -> None:
        person = objects.get("person")
        born, died = (person.born, person.died) if isinstance(person, PersonData) else (None, None)
        if born is not None and died is not None and died < born:
            self.add_problem("died", f"{died} is before the year of birth, {born}.")
        for name in ("person", "work", "quoted_in"):
            data = objects.get(name)
            if isinstance(data, PersonData | WorkData):
                for member, number in _too_long(data):
                    self.add_problem(f"{name}.{member}", f"has too many characters: {number:,}.")
        if fields.get("status") == Quote.Status.MISATTRIBUTED and not person:
            self.add_problem("status", "“misattributed” needs the person to whom it is wrongly attributed.")
        if fields.get("status") == Quote.Status.VERIFIED and not checks:
            self.add_problem("status", "“verified” needs evidence: checks that say who checked it, when and where.")
        if fields.get("publish_at") and fields.get("retire_at") and fields["retire_at"] <= fields["publish_at"]:
            self.add_problem("retire_at", "must be later than publish_at.")
        if fields.get("retired_to") and not re.fullmatch(r"/(?!/)\S*", fields["retired_to"]):
            address = quoted(fields["retired_to"])
            self.add_problem("retired_to", f"{address} is not an address of this site; write it like /yarle-valley/.")


_COLLECTION_CHOICES: dict[str, Any] = {
    "register": Collection.Register, "pick_policy": Collection.PickPolicy, "trust": Collection.Trust,
}  # fmt: skip
_PRINTED_FIELDS = ("locator", "translator")  # as printed in collections, as stored in exports
_PARSED_SEPARATELY = ("text", *_PRINTED_FIELDS)


def quoted(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return f"“{text if len(text) <= 60 else text[:60] + '…'}”"


def _texts_within(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield every text of a row that is not plain ASCII, with the path of its field."""
    left = [*reversed(values.items())]
    while left:
        path, value = left.pop()
        if isinstance(value, dict):
            left += [(f"{path}.{name}", member) for name, member in reversed(value.items())]
        elif isinstance(value, list):
            left += [(path, member) for member in reversed(value)]
        elif isinstance(value, str) and not value.isascii():
            yield path, value


@lru_cache(maxsize=8192)
def _too_long(data: PersonData | WorkData) -> list[tuple[str, int]]:
    """Return the members that are longer than their column, with their lengths."""
    model = Person if isinstance(data, PersonData) else Work
    texts = ((name, value) for name, value in data._asdict().items() if isinstance(value, str))
    return [(name, len(value)) for name, value in texts if len(value) > _max_length(model, name)]


def key_of(author: str, text: str) -> str:
    """Return a stable key for a quotation without one: the same author and words always have the same key."""
    words = text.split()
    name, folded = _author_in_keys(author)
    digest = hashlib.sha256(f"{folded}\n{' '.join(words)}".encode()).hexdigest()[:10]
    return f"{name}-{slug_for(' '.join(words[:4]))[:32]}".strip("-") + f"-{digest}"


@lru_cache(maxsize=8192)
def _author_in_keys(author: str) -> tuple[str, str]:
    name = slug_for(bartlett.sort_name(author).split(",")[0])[:16] if author else "anonymous"
    return name, fold_name(author)


@lru_cache(maxsize=256)
def _max_length(model: type[Model], name: str) -> int:
    max_length: int | None = getattr(model._meta.get_field(name), "max_length", None)
    return max_length or 20_000


_interned: dict[Hashable, Any] = {}
Value = TypeVar("Value", bound=Hashable)


def _intern(value: Value) -> Value:
    """Return one shared object for equal values: thousands of rows name the same person."""
    interned: Value = _interned.setdefault(value, value)
    return interned


@lru_cache(maxsize=8192)
def _unique_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names without alternative spellings of one another."""
    spelled = {fold_name(name): " ".join(name.split()) for name in reversed(names)}
    return tuple(name for name in reversed(spelled.values()) if name)


@lru_cache(maxsize=8192)
def _without_check_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Remove the compiler's notes on what to check, such as `check-two-passages`."""
    return tuple(tag for tag in tags if not tag.startswith("check-"))


def _person_of(collected: dict[str, Any]) -> PersonData | None:
    name, other_name = bartlett.parse_name(collected["author"])
    if _is_anonymous(name):
        return None
    born, died, dates = collected["born"], collected["died"], collected["dates_as_printed"]
    born_circa, died_circa = bartlett.parse_circa(dates, born, died)
    ancient = bool(re.search(r"[AB]\. ?[DC]\b", dates)) or (died is not None and died < 500)
    kind = Person.Kind.PERSON
    if re.search(r"proverb$", name, re.IGNORECASE):
        kind = Person.Kind.PROVERB
    elif " and " in name:
        kind = Person.Kind.GROUP
    description = ", ".join(filter(None, (collected["descriptor"], collected["dates_text"])))
    return _intern(
        PersonData(
            kind=kind,
            name=name,
            sort_name=bartlett.sort_name(name, ancient) if kind != Person.Kind.PROVERB else name,
            description=description,
            born=born,
            died=died,
            born_circa=born_circa,
            died_circa=died_circa,
            aliases=(other_name,) if other_name else (),
        )
    )


@lru_cache(maxsize=8192)
def _is_anonymous(author: str) -> bool:
    return fold_name(author) in {"", "anonymous", "unknown"}


def _scripture(collected: dict[str, Any]) -> tuple[WorkData, bartlett.Source] | None:
    """Return the work and the parsed source of scripture and liturgy, which have no author."""
    descriptor, author = collected["descriptor"], collected["author"]
    if descriptor.startswith("scripture"):
        source = bartlett.parse_scripture(author, collected["source_title"], collected["locator"])
    elif descriptor.endswith("liturgy"):
        parts = (collected["source_title"], collected["locator"])
        source = bartlett.parse_liturgy(author, ". ".join(filter(None, parts)))
    else:
        return None
    return WorkData(source.title, kind=Work.Kind.SCRIPTURE), source


def _work_of(collected: dict[str, Any], tags: Any) -> tuple[WorkData, bartlett.Source]:
    source = bartlett.parse_work(collected["source_title"], collected["locator"])
    kind: str = Work.Kind.BOOK
    if re.search(r"\b(?:act|sc\.) \d", source.locator):
        kind = Work.Kind.PLAY
    elif re.match(r"(?:\w+ )*(?:Speech|Address|Oration|Eulogy|Toast)\b", source.title):
        kind = Work.Kind.SPEECH
    elif re.match(r"(?:Letters? to|Despatch)\b", source.title):
        kind = Work.Kind.LETTER
    elif "verse" in tags:
        kind = Work.Kind.POEM
    author, _other = bartlett.parse_name(collected["author"])
    authors = "" if _is_anonymous(author) else author
    year = collected["year"] if collected["year"] is not None else source.year
    return WorkData(source.title, authors, year, kind), source


def _locator_in_collection(evidence: str, source: bartlett.Source | None) -> str:
    """Return the locator, unless the evidence is just a file and a line (`raw/pg27889-bartlett.txt:1012`)."""
    if source and source.locator:
        return source.locator
    return "" if re.fullmatch(r"\S+\.\w+:\d+", evidence) else evidence


# Cells of CSV files


def _cell_year(cell: str) -> Any:
    return int(cell) if re.fullmatch(r"-?\d{1,4}", cell) else cell


def _cell_boolean(cell: str) -> Any:
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(cell.lower(), cell)


def _cell_json(cell: str) -> Any:
    try:
        return json.loads(cell)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{quoted(cell)} is not valid JSON: {error.msg.lower()} at character {error.pos + 1}."
        ) from error
    except RecursionError as error:
        raise ValueError(f"{quoted(cell)} is not readable JSON: it is nested too deeply.") from error


def _cell_tags(cell: str) -> Any:
    return _cell_json(cell) if cell.startswith("[") else parsing.parse_tags(cell)


_CELL_READERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("born", "died", "year", "year_said"), _cell_year),
    **dict.fromkeys(("auto_pick", "published"), _cell_boolean),
    **dict.fromkeys((*_OBJECTS, "index_terms", "checks"), _cell_json),
    **dict.fromkeys(("tags", "matches"), _cell_tags),
    "collection": lambda cell: _cell_json(cell) if cell.startswith("{") else cell,
    **dict.fromkeys(("status", "language", "publish_at", "retire_at", "created", "updated"), str),
}
