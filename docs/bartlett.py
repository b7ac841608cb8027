"""Write fixtures/quotes-bartlett.json.gz from a file of Bartlett's quotations, by the rule in docs/content.md.

.venv/bin/python docs/bartlett.py FILE.jsonl [TARGET.json.gz]
"""

import gzip
import json
import os
import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
_folder = tempfile.TemporaryDirectory()
os.environ["DATABASE_URL"] = f"sqlite:///{_folder.name}/db.sqlite3"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rlm_site.settings")

import django  # noqa: E402

django.setup()

import simplemma  # noqa: E402
from django.core.management import call_command  # noqa: E402

from quotes import duplicates  # noqa: E402
from quotes.importing.files import Row, read_rows  # noqa: E402
from quotes.importing.plan import People, StoredWork, Works  # noqa: E402
from quotes.importing.records import CollectionData, PersonData, Record, RecordChecker, WorkData  # noqa: E402
from quotes.models import Person, Quote, Work  # noqa: E402

FIXTURES = ROOT / "fixtures"
TARGET = FIXTURES / "quotes-bartlett.json.gz"
COLLECTION = "bartlett"
LOADED = "2026-11-22T08:00:00Z"

LENGTHS = range(40, 321)
MOST_OF_ONE = 100  # of one person, and of scripture
# Keys of rows that were read and left out, each with the reason.
EXCLUDED = ROOT / "docs" / "bartlett-excluded.txt"

# What a passage may not begin with: it goes on with a sentence that is not given, or is part of one.
_GOES_ON = re.compile(
    r"(?:Or|Nor|Than|Which|Whose|Whom|Yet|Though|While|Whilst|As|Whence|So|Like|Such as|Because|Since|Till|Until|Save"
    r"|To|With|Without|Of|By|In|On|At|From|Upon|Into|Too|Just|Wept|\w+ing|\w+ed|\w+'d)\b"
    r"|(?:And|But|For|Who|Had|Might|Could)\b(?!.*\?)"
    r"|(?:When|Where|If)\b[^,;]*[,;]\s+And\b"
    r"|(?:Thought|(?!Is|Was|Does|Has)\w+s) (?:from|his|her|the|a|an|my|their|its)\b"
    r"|That (?:if|when|though|\w+ \w+s)\b|(?:Let \w+|Life|Days|Hearts|Words) (?:that|who)\b"
    r"|An? \w+ (?:that|who)\b(?!.* (?:is|will|shall|can|[Mm]ay|must|should)\b)",
    re.DOTALL,
)
_IN_SCRIPTURE = re.compile(r"And\b|For\b|But\b")
# Of the words outside subordinate clauses, one must be a verb that is hardly ever anything else.
_SUBORDINATE = re.compile(
    r"\b(?:(?:who|which|whom|whose|when|where|while|if|unless|though|although|because|since|ere|until|till|lest"
    r"|whoever|whatever|whosoever|whatsoever)\b[^,;:.!?—\"]*|(?:that|than|to) (?:\w+ )?\w+)",
    re.IGNORECASE,
)
_FINITE = re.compile(
    r"(?:^Be\b|\b(?:is|are|am|art|was|were|wert|has|hath|have|hast|had|do|does|doth|did|can|canst|cannot|could|may|might|must"
    r"|shall|shalt|should|will|wilt|would|let|say|says|saith|said|makes|maketh|comes|cometh|came|goes|goeth|went|gives"
    r"|giveth|gave|takes|took|know|knows|knew|sees|saw|think|thinks|finds|keeps|falls|fell|stands|stood|rose|becomes|became"
    r"|seems?|brings|begins|began|grows|grew|speaks|spoke|spake|tells|hears|bore|holds|gets|puts|shows|teaches|learns|drew"
    r"|deserves?|requires?|belongs|happens|remains|sits|believes?|loses|serves|forgets|wrote|sang|sings|makes|ran|dies|died)"
    r"|'Tis|'tis|'Twas|'twas|'ll|[Hh]e's|[Ii]t's|[Tt]hat's|[Tt]here's|[Ww]hat's|I'm|I've|'re|n't)\b"
)
_ENDS = re.compile(r"[.!?][\"'”’]*$")
_COMMENT = re.compile(r"[\[\]{}_*†‡§\d<>|]|\.\s?\.|…|Ibid|\b(?:pp?|vol|chap)\. |—\s*[A-Z]{3,}|^[A-Z][a-z]*\. [A-Z]")
# Lines of verse that the file prints as one, and a space that it lost.
_MISPRINT = re.compile(
    r"[,;:] (?:And|For|But|The|To|With|That|Of|In|Or|As|When|Where|Which|Who|From|Not|Nor|His|A) |[a-z]'t[iw]|[a-z]\n\""
)
_WORD = re.compile(r"(?<![\w'’])[a-zæœàâçéèêëîïôöü]+(?![\w'’])")
_TITLE = re.compile(r"(?!MS|Vit\.|.*\betc\b)[“'A-ZÆŒÉ][^\[\]{}_*<>|;:]{1,90}")
_PART = r"(?:[a-z]+\.? )?\d[\d.:,–]*|(?:Prologue|Epilogue|Preface|Introduction|Dedication|Induction)(?: to [\w ]+)?"
_PLACE = re.compile(rf"(?:(?:{_PART})(?:, (?:{_PART}))*)?")


def main(source: Path, target: Path = TARGET) -> None:
    rows, people, works = _fixture_rows(), _people(), _works()
    left_out: Counter[str] = Counter()
    chosen: list[Record] = []
    excluded = {line.split()[0] for line in EXCLUDED.read_text().splitlines() if line and not line.startswith("#")}
    checker = RecordChecker(CollectionData(COLLECTION))
    for row in read_rows(source):
        record = checker.check(row) if isinstance(row, Row) else []
        reason = "cannot be read" if isinstance(record, list) else reason_against(record, people)
        if not isinstance(record, list) and record.key in excluded:
            reason = "read and left out"
        if reason or isinstance(record, list):
            left_out[reason] += 1
        else:
            chosen.append(record)
    call_command("migrate", verbosity=0)  # the empty database in which duplicates are looked for as well
    stored = [row["fields"]["text"] for row in rows if row["model"] == "quotes.quote"]
    texts = [*stored, *(record.text for record in chosen)]
    repeated = {found.place - len(stored) for found in duplicates.duplicates_within(texts)}
    left_out["same as another quotation"] = len(repeated & set(range(len(chosen))))
    chosen = list(evenly([record for place, record in enumerate(chosen) if place not in repeated], left_out))
    written = list(fixture(chosen, people, works))
    data = json.dumps(written, ensure_ascii=False, separators=(",", ":")).encode()
    target.write_bytes(gzip.compress(data, mtime=0))
    for reason, number in left_out.most_common():
        sys.stdout.write(f"{number:6,} {reason}\n")
    sys.stdout.write(f"{len(chosen):6,} quotations in {target.name}, {target.stat().st_size:,} bytes\n")


# The rule


def reason_against(record: Record, people: People) -> str:
    """Return why a row is left out, or an empty string."""
    text, person, work = record.text, record.objects.get("person"), record.objects.get("work")
    if record.to_verify:
        return "the file marks it for checking"
    if not isinstance(work, WorkData):
        return "no work"
    if isinstance(person, PersonData):
        found = people.find(person)
        if found is None or (None in (found.data.born, found.data.died) and "centur" not in found.data.description):
            return "not a person of people.json whose time is known"
    elif work.kind != Work.Kind.SCRIPTURE:
        return "anonymous"
    if record.fields.get("attribution_as_imported"):
        return "an attribution that is not parsed"
    place = record.fields.get("locator", "")
    if not _TITLE.fullmatch(work.title) or not (work.kind == Work.Kind.SCRIPTURE or _PLACE.fullmatch(place)):
        return "no clear work and place"
    if len(text) not in LENGTHS:
        return "length"
    if not is_whole(text, is_scripture=not person):
        return "not whole sentences"
    if _COMMENT.search(text) or _MISPRINT.search(text):
        return "a remark, a speaker, a note, a number or a misprint"
    return "a word that no dictionary has" if any(map(is_unknown, _WORD.findall(text))) else ""


def is_whole(text: str, is_scripture: bool) -> bool:
    """Return whether a passage begins and ends as a sentence does, has a finite verb, and closes all that it opens."""
    start = text.lstrip("\"'“‘(")
    begins = start[:1].isupper() or text.startswith(("'t", "'T"))
    goes_on = _GOES_ON.match(start) and not (is_scripture and _IN_SCRIPTURE.match(start))
    is_closed = text.count("(") == text.count(")") and text.count('"') % 2 == 0
    has_verb = _FINITE.search(_SUBORDINATE.sub("", text)) or text.endswith("?")
    return bool(begins and not goes_on and has_verb and is_closed and _ENDS.search(text))


def is_unknown(word: str) -> bool:
    """Return whether a word is in no dictionary, even without its old ending (`goeth`, `knowest`) or its prefix."""
    forms = {word, word.removeprefix("un"), word.removesuffix("less")}
    if bare := re.sub(r"(?:eth|est|st|th)$", "", word) if re.search(r"(?:eth|est|st|th)$", word) else "":
        forms |= {bare, bare + "e", re.sub(r"(.)\1$", r"\1", bare)}
    return len(word) > 1 and word != "her" and not any(simplemma.is_known(each, lang="en") for each in forms if each)


def evenly(records: Sequence[Record], left_out: Counter[str]) -> Iterator[Record]:
    """Yield at most `MOST_OF_ONE` quotations of one person, evenly from the beginning of the book to its end."""
    of_one: dict[Any, list[Record]] = defaultdict(list)
    for record in records:
        of_one[record.objects.get("person")].append(record)
    kept = set()
    for theirs in of_one.values():
        number = min(len(theirs), MOST_OF_ONE)
        kept |= {theirs[place * len(theirs) // number].line for place in range(number)}
    left_out["more than are taken of one person"] = len(records) - len(kept)
    yield from (record for record in records if record.line in kept)


# The files


def _fixture_rows() -> list[dict[str, Any]]:
    return [row for path in sorted(FIXTURES.glob("*.json")) for row in json.loads(path.read_text())]


def _instances(model: type[Person] | type[Work]) -> list[Any]:
    return [model(**row["fields"]) for row in _fixture_rows() if row["model"] == model._meta.label_lower]


def _people() -> People:
    return People(_instances(Person))


def _works() -> Works:
    return Works(_instances(Work))


def fixture(records: Sequence[Record], people: People, works: Works) -> Iterator[dict[str, Any]]:
    """Yield the rows of the fixture: works that the others do not have, then the quotations."""
    known = {stored.data[:3] for stored in works.all()}
    rows = []
    for record in records:
        fields: dict[str, Any] = {"key": record.key, "text": record.text, "language": "en"}
        person = record.objects.get("person")
        stored = people.find(person) if isinstance(person, PersonData) else None
        if stored:
            fields["person"] = [stored.data.slug]
        for name in ("work", "quoted_in"):
            data = record.objects[name]
            assert isinstance(data, WorkData)  # noqa: S101
            if name == "work" and stored:
                data = data._replace(authors=stored.data.name)
            found = works.find_or_add(data, record.line, as_printed=True)
            assert isinstance(found, StoredWork)  # noqa: S101
            fields[name] = list(found.data[:3])
        names = ("locator", "locator_as_printed", "year_said", "translator")
        fields |= {name: record.fields[name] for name in names if record.fields.get(name)}
        fields |= {"status": Quote.Status.REPORTED, "collection": [COLLECTION], "published": True}
        rows.append({"model": "quotes.quote", "fields": fields | {"created": LOADED, "updated": LOADED}})
    for stored_work in works.all():
        if stored_work.data[:3] not in known:
            given = {name: value for name, value in stored_work.data._asdict().items() if value not in (None, "")}
            yield {"model": "quotes.work", "fields": given}
    yield from rows


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
