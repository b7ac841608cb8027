"""A row -> a checked record, or what is wrong with it field by field. Pure: asks no database.

A row is one of a collection (`author`, `source_title`, `as_quoted_in` … as printed, taken apart here), or one of our
own export (`person`, `work`, `quoted_in` … as objects), or a mixture that says nothing twice.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from quotes.importing import bartlett
from quotes.importing.files import Problem, Row
from quotes.models import Check, IndexTerm, Person, Quote, Work
from rlm_site.tags import parsing
from rlm_site.tags.models import Tag
from rlm_site.text.folding import fold_name
from rlm_site.text.slugs import slug_for
from rlm_site.text.words import occurrences

# Columns of a quotation that rows give as they are stored, in the order of the export.
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
CHECK_FIELDS = ("checked_by", "checked_on", "work", "place", "found")
TERM_FIELDS = ("word", "veto", "note")

# What collections give, and which of our own fields would say the same again.
_COLLECTED = {
    "author": "person", "born": "person", "died": "person", "dates_as_printed": "person", "dates_text": "person",
    "descriptor": "person", "source": "work", "source_title": "work", "year": "work", "year_basis": "work",
    "source_basis": "work", "as_quoted_in": "quoted_in", "evidence": "quoted_in_locator", "original": "original_text",
    "public_domain": "", "matches": "",
}  # fmt: skip
_OBJECTS = ("person", "work", "quoted_in")
_OTHERS: tuple[str, ...] = ("true_source", "version_of")
_LISTS = ("tags", "index_terms", "checks")
FIELDS = frozenset({"key", *_OTHERS, *PLAIN_FIELDS, *_OBJECTS, *_LISTS, *_COLLECTED})

YEARS = range(-3000, 2101)


class PersonGiven(NamedTuple):
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


class WorkGiven(NamedTuple):
    title: str = ""
    authors: str = ""
    year: int | None = None
    kind: str = Work.Kind.BOOK
    url: str = ""


class CheckGiven(NamedTuple):
    checked_by: str
    checked_on: date
    work: WorkGiven | None
    place: str
    found: str


class TermGiven(NamedTuple):
    word: str
    veto: bool
    note: str


@dataclass(slots=True)
class Record:
    """One quotation as its row gives it. What a row does not give is absent, or None where it is listed here."""

    line: int
    key: str
    keyed: bool  # by the row itself; else the key is made of what the row says
    fields: dict[str, Any]
    objects: dict[str, PersonGiven | WorkGiven | None]
    as_printed: bool  # people and works are as a collection prints them, not as we keep them
    tags: tuple[str, ...] | None = None
    terms: tuple[TermGiven, ...] | None = None
    checks: tuple[CheckGiven, ...] | None = None
    doubted: bool = False  # the maker of the collection wants it looked at
    others: dict[str, str] = field(default_factory=dict)  # true_source and version_of: keys, empty for none

    @property
    def text(self) -> str:
        return str(self.fields["text"])


class Records:
    """Checks row after row, and what can only be told of rows together: that no key is there twice."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}

    def check(self, row: Row) -> Record | list[Problem]:
        """A row whose twin has been seen before is no problem here: see `plan`."""
        reading = _Reading(row)
        record = reading.record()
        if record and record.keyed:
            first = self.lines.setdefault(record.key, record.line)
            if first != record.line:
                reading.wrong("key", f"“{record.key}” is the key of line {first:,} too; a key names one quotation.")
        return reading.problems or record or []


class _Reading:
    """One row while it is taken apart; problems gather."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.values = row.values
        self.problems: list[Problem] = []

    def wrong(self, name: str, message: str) -> None:
        self.problems.append(Problem(self.row.line, name, message))

    def record(self) -> Record | None:
        self.refuse_strangers()
        if self.row.from_csv:
            self.values = self.from_cells()
        fields = {name: self.plain(name) for name in PLAIN_FIELDS if name in self.values and name not in _READ_APART}
        text = self.text()
        objects: dict[str, PersonGiven | WorkGiven | None] = {}
        for name, read in (("person", self.person), ("work", self.work), ("quoted_in", self.work)):
            if name in self.values:
                objects[name] = read(name, self.values[name])
        tags, terms, checks = self.tags(), self.terms(), self.checks()
        key = self.key()
        others = {name: self.other(name) for name in _OTHERS if name in self.values}
        as_printed = bool(_COLLECTED.keys() & self.values.keys())
        collected = self.collected() if as_printed and not self.problems else {}
        if self.problems:
            return None
        fields["text"] = text
        if as_printed:
            self.take_apart(collected, fields, objects)
        else:
            fields.update({name: self.plain(name) for name in _PRINTED if name in self.values})
        self.check_together(fields, objects, checks)
        if self.problems:
            return None
        keyed = bool(key)
        if not keyed:
            person = objects.get("person")
            key = key_of(person.name if isinstance(person, PersonGiven) else collected.get("author", ""), text)
        subjects = _subjects(tags) if tags and as_printed else tags
        doubted = subjects != tags
        return Record(self.row.line, key, keyed, fields, objects, as_printed, subjects, terms, checks, doubted, others)

    # What the row names

    def refuse_strangers(self) -> None:
        for name in self.values:
            if name not in FIELDS:
                self.wrong(name, f"is no field of ours. Known are {', '.join(sorted(FIELDS))}.")
        if self.values.keys().isdisjoint(_COLLECTED.values()):
            return
        for name, ours in _COLLECTED.items():
            if ours and self.given(name) and self.given(ours):
                self.wrong(name, f"says again what {ours} says; give one of them.")

    def given(self, name: str) -> bool:
        return self.values.get(name) not in (None, "", [], {})

    def from_cells(self) -> dict[str, Any]:
        """Cells are text: what stands for a number, yes or no, a list or an object is read as that."""
        values: dict[str, Any] = {}
        for name, cell in self.values.items():
            if name in _CELL_READERS:
                if cell.strip():
                    try:
                        values[name] = _CELL_READERS[name](cell.strip())
                    except ValueError as error:
                        self.wrong(name, str(error))
            else:
                values[name] = cell
        return values

    # Plain fields

    def text(self) -> str:
        text = self.string("text", 20_000)
        if not text.strip() and not self.has_problem("text"):
            self.wrong("text", "is empty; a quotation has words.")
        return text.strip("\n").rstrip()

    def has_problem(self, name: str) -> bool:
        return any(problem.field == name for problem in self.problems)

    def string(self, name: str, most: int, value: Any = "", *, lines: bool = True) -> str:
        value = self.values.get(name, "") if value == "" else value
        if value is None or value == "":
            return ""
        if not isinstance(value, str):
            self.wrong(name, f"{shown(value)} is no text; put it in quotation marks.")
            return ""
        if not value.isprintable():
            value = value.replace("\r\n", "\n").replace("\r", "\n")
            if match := _UNPRINTABLE.search(value):
                self.wrong(name, f"has the character U+{ord(match[0]):04X}, which nothing can print; take it out.")
            if not lines and "\n" in value:
                self.wrong(name, "has more than one line; only texts may.")
        if len(value) > most:
            self.wrong(name, f"has {len(value):,} characters; at most {most:,} are kept.")
        return value

    def year(self, name: str, value: Any) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(name, f"{shown(value)} is no year; give a whole number, negative for BC, such as 1862 or -43.")
            return None
        if value not in YEARS:
            self.wrong(name, f"{value} is no year; give one from {YEARS[0]} to {YEARS[-1]}, negative for BC.")
            return None
        return value

    def boolean(self, name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            self.wrong(name, f"{shown(value)} is neither true nor false.")
        return bool(value)

    def moment(self, name: str, value: Any) -> datetime | None:
        if value is None or value == "":
            return None
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            self.wrong(name, f"{shown(value)} is no date and time; write it like 2026-08-01T12:00:00Z.")
            return None
        if moment.tzinfo is None:
            self.wrong(name, f"{shown(value)} lacks its time zone; write it like 2026-08-01T12:00:00Z.")
            return None
        return moment.astimezone(UTC)

    def day(self, name: str, value: Any) -> date | None:
        if value is None or value == "":
            return None
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            self.wrong(name, f"{shown(value)} is no date; write it like 2026-08-01.")
            return None

    def choice(self, name: str, value: Any, choices: Any) -> str:
        if value not in choices.values:
            self.wrong(name, f"{shown(value)} is unknown; it is one of {', '.join(choices.values)}.")
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
                self.wrong(name, "is empty; write it like 2026-08-01T12:00:00Z, or leave the field out.")
            return moment
        if name == "status":
            return self.choice(name, value, Quote.Status)
        if name == "original_text":
            return self.string(name, 20_000)
        return self.string(name, _longest(Quote, name), lines=False)

    def key(self) -> str:
        key = self.string("key", _longest(Quote, "key"), lines=False)
        if key and not re.fullmatch(r"[-a-zA-Z0-9_]+", key):
            self.wrong("key", f"{shown(key)} has other characters than letters, figures, hyphens and underscores.")
        return key

    def other(self, name: str) -> str:
        return self.string(name, _longest(Quote, "key"), lines=False)

    # Objects and lists of our own export

    def members(self, name: str, value: Any, known: tuple[str, ...], required: str) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            self.wrong(name, f'{shown(value)} is no object; write it like {{"{required}": "…"}}.')
            return None
        for member in value:
            if member not in known:
                self.wrong(f"{name}.{member}", f"is no field of ours. Known are {', '.join(known)}.")
        if not isinstance(value.get(required), str) or not value[required].strip():
            self.wrong(f"{name}.{required}", "is missing or empty.")
        return value

    def person(self, name: str, value: Any) -> PersonGiven | None:
        if value is None:
            return None
        values = self.members(name, value, PERSON_FIELDS, "name")
        if values is None:
            return None
        made: dict[str, Any] = {}
        for member, given in values.items():
            at = f"{name}.{member}"
            if member in {"born", "died"}:
                made[member] = self.year(at, given)
            elif member in {"born_circa", "died_circa"}:
                made[member] = self.boolean(at, given)
            elif member == "living_checked_on":
                made[member] = self.day(at, given)
            elif member == "aliases":
                if not isinstance(given, list) or not all(isinstance(alias, str) for alias in given):
                    self.wrong(at, f'{shown(given)} is no list of names; write it like ["Holmston"].')
                else:
                    made[member] = tuple(given)
            elif member == "kind":
                made[member] = self.choice(at, given, Person.Kind)
            elif member in PERSON_FIELDS:
                made[member] = self.string(at, _longest(Person, member), given or "", lines=False)
        person = _shared(PersonGiven(**made)) if not self.problems else None
        if person and person.slug and not re.fullmatch(r"[-a-zA-Z0-9_]+", person.slug):
            self.wrong(f"{name}.slug", f"{shown(person.slug)} is no slug; it is made of letters, figures and hyphens.")
        return person

    def work(self, name: str, value: Any) -> WorkGiven | None:
        if value is None:
            return None
        values = self.members(name, value, WORK_FIELDS, "title")
        if values is None:
            return None
        made: dict[str, Any] = {}
        for member, given in values.items():
            at = f"{name}.{member}"
            if member == "year":
                made[member] = self.year(at, given)
            elif member == "kind":
                made[member] = self.choice(at, given, Work.Kind)
            elif member in WORK_FIELDS:
                made[member] = self.string(at, _longest(Work, member), given or "", lines=False)
        return _shared(WorkGiven(**made)) if not self.problems else None

    def list_of(self, name: str, like: str) -> list[Any]:
        value = self.values[name]
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong(name, f"{shown(value)} is no list; write it like {like}.")
            return []
        return value

    def tags(self) -> tuple[str, ...] | None:
        if "tags" not in self.values:
            return None
        names = [
            self.string("tags", _longest(Tag, "name"), name, lines=False)
            for name in self.list_of("tags", '["exile", "law"]')
        ]
        return _once(tuple(names))

    def terms(self) -> tuple[TermGiven, ...] | None:
        if "index_terms" not in self.values:
            return None
        terms: dict[str, TermGiven] = {}
        for value in self.list_of("index_terms", '[{"word": "exile"}]'):
            values = self.members("index_terms", value, TERM_FIELDS, "word")
            if values is None:
                continue
            word = self.string("index_terms.word", _longest(IndexTerm, "word"), values.get("word", ""), lines=False)
            if word and not any(occurrences(word)):
                self.wrong("index_terms.word", f"{shown(word)} has no word.")
            if word in terms:
                self.wrong("index_terms.word", f"{shown(word)} is there twice.")
            veto = self.boolean("index_terms.veto", values.get("veto", False))
            note = self.string("index_terms.note", _longest(IndexTerm, "note"), values.get("note") or "", lines=False)
            terms[word] = TermGiven(word, veto, note)
        return tuple(terms.values())

    def checks(self) -> tuple[CheckGiven, ...] | None:
        if "checks" not in self.values:
            return None
        checks: dict[tuple[Any, ...], CheckGiven] = {}
        for value in self.list_of("checks", '[{"checked_by": "…", "checked_on": "2026-08-01"}]'):
            values = self.members("checks", value, CHECK_FIELDS, "checked_by")
            if values is None:
                continue
            name = self.string(
                "checks.checked_by", _longest(Check, "checked_by"), values.get("checked_by", ""), lines=False
            )
            day = self.day("checks.checked_on", values.get("checked_on"))
            if day is None and not self.has_problem("checks.checked_on"):
                self.wrong("checks.checked_on", "is missing; write it like 2026-08-01.")
            work = self.work("checks.work", values.get("work"))
            place = self.string("checks.place", _longest(Check, "place"), values.get("place") or "", lines=False)
            found = self.string("checks.found", 20_000, values.get("found") or "")
            if (name, day, place) in checks:
                self.wrong("checks", f"the look of {name} on {day} is there twice.")
            checks[name, day, place] = CheckGiven(name, day or date.min, work, place, found)
        return tuple(checks.values())

    # What collections print

    def collected(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in (*_COLLECTED, *_PRINTED):
            if name in {"born", "died", "year"}:
                values[name] = self.year(name, self.values.get(name))
            elif name == "matches":
                if name in self.values:
                    self.list_of(name, '["allies"]')
            else:
                values[name] = self.string(name, 500, lines=name == "original").strip()
        return values

    def take_apart(
        self, collected: dict[str, Any], fields: dict[str, Any], objects: dict[str, PersonGiven | WorkGiven | None]
    ) -> None:
        """Fill in fields and objects from what a collection prints; leave alone what the row gives itself."""
        kept: list[str] = []
        scripture = _scripture(collected)
        if "author" in self.values:
            person = _person_of(collected) if not scripture else None
            objects["person"] = person
        if "as_quoted_in" in self.values:
            source = bartlett.collection(collected["as_quoted_in"])
            if collected["as_quoted_in"] and source is None:
                kept.append(collected["as_quoted_in"])
            objects["quoted_in"] = (
                _shared(WorkGiven(source.title, source.authors, source.year, Work.Kind.COLLECTION)) if source else None
            )
            fields.setdefault("quoted_in_locator", _place_in_collection(collected["evidence"], source))
        if self.given("source_title"):
            work, locator = scripture or _work_of(collected, self.values.get("tags") or [])
            objects["work"] = _shared(work)
            fields["locator"] = locator
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
        if "translator" in self.values:
            fields["translator"] = self.translator(collected, objects, kept)
        if self.given("original"):
            fields["original_text"] = collected["original"]
        if kept:
            fields.setdefault("attribution_as_imported", "; ".join(kept))
        for name in ("locator", "locator_as_printed", "quoted_in_locator", "attribution_as_imported", "translator"):
            most = _longest(Quote, name)
            if len(fields.get(name, "")) > most:
                self.wrong(name, f"has {len(fields[name]):,} characters; at most {most:,} are kept.")

    def translator(self, collected: dict[str, Any], objects: dict[str, Any], kept: list[str]) -> str:
        as_printed = str(collected["translator"])
        work = objects.get("work")
        if not as_printed:
            return ""
        found = bartlett.translator(as_printed, collected["author"], work.title if work else "")
        if not found:
            kept.append(as_printed)
        return found

    # What only the parts together tell

    def check_together(
        self,
        fields: dict[str, Any],
        objects: dict[str, PersonGiven | WorkGiven | None],
        checks: tuple[CheckGiven, ...] | None,
    ) -> None:
        person = objects.get("person")
        if isinstance(person, PersonGiven) and None not in (person.born, person.died) and person.died < person.born:  # type: ignore[operator]
            self.wrong("died", f"{person.died} is before the year of birth, {person.born}.")
        for name in ("person", "work", "quoted_in"):
            given = objects.get(name)
            if given:
                for member, number in _too_long(given):
                    self.wrong(f"{name}.{member}", f"has {number:,} characters, which is too many.")
        if fields.get("status") == Quote.Status.MISATTRIBUTED and not person:
            self.wrong("status", "misattributed needs the person whom it is wrongly attributed to.")
        if fields.get("status") == Quote.Status.VERIFIED and not checks:
            self.wrong("status", "verified needs evidence: checks that say who looked it up, when and where.")
        if fields.get("publish_at") and fields.get("retire_at") and fields["retire_at"] <= fields["publish_at"]:
            self.wrong("retire_at", "is not later than publish_at.")
        if fields.get("retired_to") and not re.fullmatch(r"/(?!/)\S*", fields["retired_to"]):
            address = shown(fields["retired_to"])
            self.wrong("retired_to", f"{address} is no address of this site such as /andrey-vlasov/.")


_PRINTED = ("locator", "translator")  # given by collections as printed and by our export as stored
_READ_APART = ("text", *_PRINTED)
# Line breaks and tabs are fine; other control characters and halves of surrogate pairs are not.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


def shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return f"“{text if len(text) <= 60 else text[:60] + '…'}”"


@lru_cache(maxsize=8192)
def _too_long(given: PersonGiven | WorkGiven) -> list[tuple[str, int]]:
    """Members that are longer than what is kept, with their lengths."""
    model: Any = Person if isinstance(given, PersonGiven) else Work
    texts = ((name, value) for name, value in given._asdict().items() if isinstance(value, str))
    return [(name, len(value)) for name, value in texts if len(value) > _longest(model, name)]


def key_of(author: str, text: str) -> str:
    """Names a quotation that its file does not name: the same author and words always have the same key."""
    words = text.split()
    name, folded = _author_in_keys(author)
    digest = hashlib.sha256(f"{folded}\n{' '.join(words)}".encode()).hexdigest()[:10]
    return f"{name}-{slug_for(' '.join(words[:4]))[:32]}".strip("-") + f"-{digest}"


@lru_cache(maxsize=8192)
def _author_in_keys(author: str) -> tuple[str, str]:
    name = slug_for(bartlett.sort_name(author).split(",")[0])[:16] if author else "anonymous"
    return name, fold_name(author)


@lru_cache(maxsize=256)
def _longest(model: Any, name: str) -> int:
    return model._meta.get_field(name).max_length or 20_000


_known: dict[Any, Any] = {}


def _shared(value: Any) -> Any:
    """One object for equal values: thousands of rows name the same person."""
    return _known.setdefault(value, value)


@lru_cache(maxsize=8192)
def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names without those that another one spells otherwise."""
    spelled = {fold_name(name): " ".join(name.split()) for name in reversed(names)}
    return tuple(name for name in reversed(spelled.values()) if name)


@lru_cache(maxsize=8192)
def _subjects(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Without what the maker of a collection noted for whoever goes on with it, such as `check-two-passages`."""
    return tuple(tag for tag in tags if not tag.startswith("check-"))


def _person_of(collected: dict[str, Any]) -> PersonGiven | None:
    name = " ".join(collected["author"].split())
    if _is_nobody(name):
        return None
    born, died, dates = collected["born"], collected["died"], collected["dates_as_printed"]
    born_circa, died_circa = bartlett.about(dates, born, died)
    ancient = bool(re.search(r"[AB]\. ?[DC]\b", dates)) or (died is not None and died < 500)
    kind = Person.Kind.PERSON
    if re.search(r"proverb$", name, re.IGNORECASE):
        kind = Person.Kind.PROVERB
    elif " and " in name:
        kind = Person.Kind.GROUP
    description = ", ".join(filter(None, (collected["descriptor"], collected["dates_text"])))
    return _shared(
        PersonGiven(
            kind=kind,
            name=name,
            sort_name=bartlett.sort_name(name, ancient) if kind != Person.Kind.PROVERB else name,
            description=description,
            born=born,
            died=died,
            born_circa=born_circa,
            died_circa=died_circa,
        )
    )


@lru_cache(maxsize=8192)
def _is_nobody(author: str) -> bool:
    return fold_name(author) in {"", "anonymous", "unknown"}


def _scripture(collected: dict[str, Any]) -> tuple[WorkGiven, str] | None:
    """Scripture and liturgy have no author: the book is the work, and no person says it."""
    descriptor, author = collected["descriptor"], collected["author"]
    if descriptor.startswith("scripture"):
        # a book of it is a work: `The Bible, Psalms`
        book = {"Psalm": "Psalms", "The Song of Solomon": "Song of Solomon"}.get(
            collected["source_title"], collected["source_title"]
        )
        year = re.search(r"\bof (\d{4})$", descriptor)
        title = ", ".join(filter(None, (re.sub(r" \(.*\)$", "", author), book)))
        work = WorkGiven(title, "", int(year[1]) if year else None, Work.Kind.SCRIPTURE)
        return work, bartlett.scripture_place(collected["locator"])
    if descriptor.endswith("liturgy"):
        place = ", ".join(filter(None, (collected["source_title"], collected["locator"])))
        return WorkGiven(author, "", None, Work.Kind.SCRIPTURE), place
    return None


def _work_of(collected: dict[str, Any], tags: Any) -> tuple[WorkGiven, str]:
    source = bartlett.work(collected["source_title"], collected["locator"])
    kind: str = Work.Kind.BOOK
    if re.search(r"\b(?:act|sc\.) \d", source.locator):
        kind = Work.Kind.PLAY
    elif re.match(r"(?:\w+ )*(?:Speech|Address|Oration|Eulogy|Toast)\b", source.title):
        kind = Work.Kind.SPEECH
    elif re.match(r"(?:Letters? to|Despatch)\b", source.title):
        kind = Work.Kind.LETTER
    elif "verse" in tags:
        kind = Work.Kind.POEM
    author = " ".join(collected["author"].split())
    authors = "" if _is_nobody(author) else author
    year = collected["year"] if collected["year"] is not None else source.year
    return WorkGiven(source.title, authors, year, kind), source.locator


def _place_in_collection(evidence: str, source: bartlett.Source | None) -> str:
    """A file and a line (`raw/pg27889-bartlett.txt:1012`) are where somebody found it, and no place in a book."""
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
        raise ValueError(f"{shown(cell)} is not JSON: {error.msg.lower()} at character {error.pos + 1}.") from error


def _cell_tags(cell: str) -> Any:
    return _cell_json(cell) if cell.startswith("[") else parsing.parse_tags(cell)


_CELL_READERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("born", "died", "year", "year_said"), _cell_year),
    **dict.fromkeys(("auto_pick", "published"), _cell_boolean),
    **dict.fromkeys((*_OBJECTS, "index_terms", "checks"), _cell_json),
    **dict.fromkeys(("tags", "matches"), _cell_tags),
    **dict.fromkeys(("status", "language", "publish_at", "retire_at", "created", "updated"), str),
}
