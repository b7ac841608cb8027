"""`manage.py import_quotes`: files as people have them, and what they do to a site with content."""

import hashlib
import json
from collections.abc import Callable
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from quotes import matching
from quotes.importing import bartlett, importer, writing
from quotes.models import Check, Collection, IndexTerm, Person, Quote, QuoteWord, Work
from rlm_site.history import revisions
from rlm_site.history.models import Import, Revision
from rlm_site.indexing import queue
from rlm_site.indexing.models import Stale
from rlm_site.search.models import SearchDocument
from rlm_site.search.query import search
from rlm_site.tags import changes
from rlm_site.tags.models import Tag

pytestmark = pytest.mark.django_db

BARTLETT = "John Bartlett, Familiar Quotations, 9th ed. (Boston: Little, Brown, 1905)"


def collected(**fields: Any) -> dict[str, Any]:
    """Return a row as the files of collections have it."""
    return {
        "text": "The quagga grazes where the wombat digs.",
        "author": "Ambrose Quill",
        "born": 1801,
        "died": 1877,
        "descriptor": "English naturalist",
        "source": "On Beasts. Book iii. Chap. ii",
        "source_title": "On Beasts",
        "locator": "Book iii. Chap. ii",
        "year": None,
        "tags": ["zymurgy"],
        "translator": "",
        "as_quoted_in": BARTLETT,
        "evidence": "raw/pg27889-bartlett.txt:1012",
        **fields,
    }


Importer = Callable[..., str]


@pytest.fixture
def beasts() -> Collection:
    """Return the collection that everything on the site belongs to."""
    collection = Collection.objects.create(slug="beasts", name="Of Beasts", trust="printed")
    Quote.objects.update(collection=collection)
    queue.process_queue()
    return collection


@pytest.fixture
def imported(tmp_path: Path, beasts: Collection) -> Importer:
    """`imported(rows or text or bytes, *options, name="new.jsonl")` gives what the command prints."""

    def run(content: Any, *options: str, name: str = "new.jsonl") -> str:
        if "--collection" not in options:
            options += ("--collection", beasts.slug)
        path = tmp_path / name
        if isinstance(content, list):
            content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        output = StringIO()
        call_command("import_quotes", str(path), *options, stdout=output)
        return output.getvalue()

    return run


def counts() -> list[int]:
    models = (Quote, Person, Work, QuoteWord, SearchDocument, IndexTerm, Check, Stale, Import, Revision, Tag)
    return [model.objects.count() for model in models]


def counted(report: str) -> dict[str, int]:
    """Return what the report counts: added, changed, unchanged, duplicates, refused."""
    lines = [line.replace(",", "").split() for line in report.splitlines() if line.startswith("  ")]
    return {words[1]: int(words[0]) for words in lines if words[0].isdigit()}


def refusal(imported: Importer, content: Any, name: str = "new.jsonl") -> str:
    before = counts()
    with pytest.raises(CommandError) as caught:
        imported(content, name=name)
    assert counts() == before
    assert "Nothing was written" in str(caught.value)
    return str(caught.value)


# What becomes of a row


def test_a_row_of_a_collection_is_taken_apart(imported: Importer) -> None:
    report = imported([collected()])
    assert counted(report)["added"] == 1
    quote = Quote.objects.get(text__startswith="The quagga")
    assert str(quote.attribution) == ("Ambrose Quill (1801–1877), English naturalist. On Beasts, bk. 3, ch. 2")
    assert quote.quoted_in == Work.objects.get(title="Familiar Quotations", authors="John Bartlett", year=1905)
    assert quote.quoted_in_locator == ""  # the line of a file is no place in a book
    assert quote.locator_as_printed == "Book iii. Chap. ii"
    assert quote.person.sort_name == "Quill, Ambrose"
    assert list(quote.tags.names()) == ["zymurgy"]
    assert (quote.status, quote.auto_pick, quote.published) == ("reported", False, True)


def test_a_place_in_the_collection_is_printed(imported: Importer) -> None:
    imported([collected(evidence="p. 44")])
    assert Quote.objects.get(text__startswith="The quagga").quoted_in_locator == "p. 44"


def test_what_the_maker_of_a_collection_doubts_is_no_subject_and_no_report(imported: Importer) -> None:
    report = imported([collected(tags=["zymurgy", "check-two-passages"]), collected(text="A numbat naps.")])
    assert "1 marked for checking in the file\n" in report
    assert "1 added as unverified, because the file marks them for checking\n" in report
    quote = Quote.objects.get(text__startswith="The quagga")
    assert (list(quote.tags.names()), quote.status) == (["zymurgy"], "unverified")
    assert Quote.objects.get(text__startswith="A numbat").status == "reported"
    imported([{"key": "own", "text": "Nine okapis pass.", "tags": ["check-points"]}])
    assert list(Quote.objects.get(key="own").tags.names()) == ["check-points"]  # a tag of the site is one


def test_people_and_works_that_are_there_are_used(imported: Importer) -> None:
    people, works = Person.objects.count(), Work.objects.count()
    row = collected(
        author="William Shakespeare", born=1564, died=1616, source_title="Titus Andronicus", locator="Act i. Sc. 2"
    )
    imported([row, collected(text="An aardvark sniffs at nothing.", author="Alfred Tennyson", born=1809, died=1892)])
    quote = Quote.objects.get(text__startswith="The quagga")
    assert quote.person == Person.objects.get(slug="william-shakespeare")
    assert Work.objects.filter(title="Titus Andronicus", authors="William Shakespeare").count() == 1
    other = Quote.objects.get(text__startswith="An aardvark")
    assert other.person == Person.objects.get(slug="alfred-lord-tennyson")
    assert other.name == "Alfred Tennyson"
    assert Person.objects.count() == people
    assert Work.objects.count() == works + 1  # On Beasts


def test_a_namesake_of_another_time_is_another_person(imported: Importer) -> None:
    imported([collected(author="William Shakespeare", born=None, died=1840, descriptor="")])
    assert set(Person.objects.filter(name="William Shakespeare").values_list("slug", "died")) == {
        ("william-shakespeare", 1616),
        ("william-shakespeare-2", 1840),
    }


def person_of(text: str) -> str:
    quote = Quote.objects.select_related("person").get(text__startswith=text)
    return quote.person.name if quote.person else ""


def test_a_surname_or_initials_join_the_one_person_whose_dates_they_have(imported: Importer) -> None:
    franklin = {"author": "B. Franklin", "born": 1706, "died": 1790}
    rows = [
        collected(**franklin),
        collected(text="A numbat naps.", author="Churchill", born=1731, died=1764),
        collected(text="Nine okapis pass.", author="Benjamin Franklin", born=1706, died=1790),
        collected(text="Ten dugongs dive.", author="Charles Churchill", born=1731, died=1764),
        collected(text="Six tapirs trot.", author="Austen H. Layard", born=None, died=1894),
        collected(text="One emu errs.", author="Austen Henry Layard", born=1817, died=1894),
    ]
    imported(rows)
    assert [person_of(row["text"][:9]) for row in rows] == [
        "Benjamin Franklin", "Charles Churchill", "Benjamin Franklin", "Charles Churchill", "Austen Henry Layard",
        "Austen Henry Layard",
    ]  # fmt: skip


def test_a_surname_that_fits_none_or_several_is_left_and_reported(imported: Importer) -> None:
    adams = [
        collected(author="John Adams", born=1735, died=1826),
        collected(text="A numbat naps.", author="Samuel Adams", born=1722, died=1830),
        collected(text="Nine okapis pass.", author="Adams", born=None, died=1828),
        collected(text="Ten dugongs dive.", author="J. Adams", born=None, died=None),
        collected(text="Six tapirs trot.", author="J. Adams", born=1935, died=None),
    ]
    report = imported(adams)
    assert [person_of(row["text"][:9]) for row in adams] == [row["author"] for row in adams]
    assert "line 3: Adams may be Samuel Adams, John Adams" in report
    assert "line 4: J. Adams may be John Adams" in report
    assert "line 5" not in report


@pytest.mark.parametrize(
    ("short", "full", "fits"),
    [
        ("Churchill", "Charles Churchill", True),
        ("B. Franklin", "Benjamin Franklin", True),
        ("John A. Dix", "John Adams Dix", True),
        ("G. Colman", "George Colman, the Younger", True),
        ("W.M. Praed", "Winthrop Mackworth Praed", True),
        ("Walter Scott", "Sir Walter Scott", False),  # the same name
        ("Charles Churchill", "Churchill", False),
        ("W. Adams", "Charles Francis Adams", False),
        ("F. Adams", "Charles Francis Adams", False),  # the first name counts
        ("Horace", "Horace Walpole", False),
        ("", "Homer", False),
    ],
)
def test_names_that_may_be_short_for_others(short: str, full: str, fits: bool) -> None:
    assert bartlett.is_short_for(short, full) is fits


def test_uncertain_dates_are_marked_and_anonymous_is_nobody(imported: Importer) -> None:
    imported(
        [
            collected(dates_as_printed="Circa 1801-1877"),
            collected(text="Seven pangolins are company enough.", author="Anonymous", born=None, died=None),
        ]
    )
    assert str(Quote.objects.get(text__startswith="The quagga").attribution).startswith("Ambrose Quill (c. 1801–1877)")
    assert Quote.objects.get(text__startswith="Seven").person is None


def test_a_book_of_scripture_is_a_work_that_no_person_wrote(imported: Importer) -> None:
    row = collected(
        author="The Bible (King James Version)",
        descriptor="scripture, in the Authorized Version of 1611",
        source="Psalm. lv. 21",
        source_title="Psalm",
        locator="lv. 21",
        born=None,
        died=None,
    )
    imported([row])
    quote = Quote.objects.get(text__startswith="The quagga")
    assert (quote.person, quote.locator, quote.locator_as_printed) == (None, "55:21", "Psalm. lv. 21")
    assert quote.work == Work.objects.get(title="The Bible (KJV), Psalms", kind="scripture")
    assert str(quote.attribution) == "The Bible (KJV), Psalms 55:21"
    assert "Anonymous" not in f"{quote} {quote.name}"


def test_a_service_book_is_a_work_that_no_person_wrote(imported: Importer) -> None:
    book = {
        "author": "The Book of Common Prayer",
        "descriptor": "Church of England liturgy",
        "born": None,
        "died": None,
    }
    psalm = collected(**book, source_title="The Psalter. Psalm lxviii. 6", locator="")
    imported([psalm, collected(**book, text="A numbat naps.", source_title="Solemnization of Matrimony", locator="")])
    assert [str(quote.attribution) for quote in Quote.objects.order_by("-pk")[:2]] == [
        "The Book of Common Prayer, Solemnization of Matrimony",
        "The Book of Common Prayer, Psalms 68:6",
    ]


@pytest.mark.parametrize(
    ("printed", "name", "other"),
    [
        ("Burton (quoting an anonymous poet)", "Burton", ""),
        ("Richard Monckton Milnes (Lord Houghton)", "Richard Monckton Milnes", "Lord Houghton"),
        ("Mrs. (David) Porter", "Mrs. David Porter", ""),
        ("Josiah Quincy, Jr", "Josiah Quincy, Jr.", ""),
        ("Samuel  Daniel.", "Samuel Daniel", ""),
        ("John Heywood,", "John Heywood", ""),
    ],
)
def test_names(printed: str, name: str, other: str) -> None:
    assert bartlett.parse_name(printed) == (name, other)


def test_what_cannot_be_taken_apart_is_kept_as_printed_and_counted(imported: Importer) -> None:
    odd = "Found on a wall in Omsk"
    report = imported([collected(as_quoted_in=odd, translator="The Oxford Translation. Bohn's Classical Library.")])
    quote = Quote.objects.get(text__startswith="The quagga")
    assert quote.attribution_as_imported == f"{odd}; The Oxford Translation. Bohn's Classical Library."
    assert (quote.quoted_in, quote.translator) == (None, "")
    assert "1 with an attribution that could not be fully parsed" in report


@pytest.mark.parametrize(
    ("as_printed", "author", "title", "name"),
    [
        (
            "From Dryden's translation of Plutarch's Lives, revised.",
            "Plutarch",
            "Life of Cæsar",
            "John Dryden",
        ),
        ("From Dryden's translation of Plutarch's Lives, revised.", "Plutarch", "Of Bashfulness", ""),
        (
            "Works._[774-1] _Cotton's translation, revised.",
            "Michel de Montaigne",
            "Of Vanity",
            "Charles Cotton",
        ),
        ("Constance Garnett", "Leo Tolstoy", "Rain and River", "Constance Garnett"),
    ],
)
def test_a_translation_of_a_work(as_printed: str, author: str, title: str, name: str) -> None:
    assert bartlett.parse_translator(as_printed, author, title) == name


@pytest.mark.parametrize(
    ("as_printed", "name"),
    [
        (
            "Translation by J. Bostock, M. D., and H. T. Riley, B. A._[716-4]",
            "J. Bostock and H. T. Riley",
        ),
        ("Translated by M. H. Morgan, Ph. D., of Harvard University.", "M. H. Morgan"),
        (
            "The translation used here is that of Mary Higgins, based on that of Carter_ (1866).",
            "Mary Higgins",
        ),
        ("Reflections, or Sentences and Moral Maxims.", ""),
        ("Pope's translation", ""),
    ],
)
def test_translators(as_printed: str, name: str) -> None:
    assert bartlett.parse_translator(as_printed) == name


@pytest.mark.parametrize(
    ("title", "locator", "work", "place"),
    [
        ("Hamlet", "Act i. Sc. 2", "Hamlet", "act 1, sc. 2"),
        ("Maxim 545", "", "Maxims", "no. 545"),
        ("Book vi. Fable 18", "", "Fables", "bk. 6, fable 18"),
        ("Book iii. Chap. ix. Of Vanity", "", "Of Vanity", "bk. 3, ch. 9"),
        ("Hymn on Christ's Nativity. Line 184", "", "Hymn on Christ's Nativity", "l. 184"),
        ("Speech at Plymouth, Dec. 22, 1802", "", "Speech at Plymouth, Dec. 22, 1802", ""),
        ("On Frederic the Great. 1842", "", "On Frederic the Great", ""),
        ("The Bard. II. 3, Line 11", "", "The Bard", "2.3, l. 11"),
        ("Table Talk. Wisdom", "", "Table Talk. Wisdom", ""),
        ("King Henry IV", "Part II. Act v. Sc. 3", "King Henry IV", "pt. 2, act 5, sc. 3"),
        ("A Midsummer Night's Dream, Act v", "Sc. 1", "A Midsummer Night's Dream", "act 5, sc. 1"),
        ("Euphues, 1579 (Arber's reprint)", "page 39", "Euphues", "p. 39"),
        ("A Metrical Version of Psalm civ", "", "A Metrical Version of Psalm 104", ""),
        ("Commentaries. Psalm xxxvi", "", "Commentaries", "Psalm 36"),
        ("Amoretti, lxx", "", "Amoretti", "70"),
        ("From Anacreon, ii. Drinking", "", "From Anacreon", "2, Drinking"),
        (
            "Ovid, Metamorphoses, Book xv. The Worship of Æsculapius, Line 155",
            "",
            "Ovid, Metamorphoses",
            "bk. 15, The Worship of Æsculapius, l. 155",
        ),
        ("Sermon xciii. On Dress", "", "On Dress", "sermon 93"),
        ("Sermon xvi", "", "Sermons", "no. 16"),
        ("Letter i. On a Regicide Peace. Vol. v. p. 286", "", "On a Regicide Peace", "letter 1, vol. 5, p. 286"),
        ("Book iii. Chap. x", "", "Works", "bk. 3, ch. 10"),
        (
            "Don Quixote. (Lockhart's Translation.) Don Quixote. The Author's Preface",
            "",
            "Don Quixote",
            "The Author's Preface",
        ),
        ("Frag. 135 (trans. by Plumptre)", "", "Fragments", "no. 135"),
        ("Life of Johnson (Boswell)", "Vol. vi. Chap. iii. 1776", "Life of Johnson (Boswell)", "vol. 6, ch. 3"),
        ("Tristram Shandy (orig. ed.)", "Vol. ii. chap. xii", "Tristram Shandy", "vol. 2, ch. 12"),
        ('At the "Mermaid." Stanza 10', "", "At the “Mermaid”", "st. 10"),
        ("A Land of Plenty [Australia]", "", "A Land of Plenty", ""),
        ("OEnone", "", "Œnone", ""),
        ("'T is sweet to think", "", "'Tis sweet to think", ""),
        ("Woodman, spare that Tree! 1830", "", "Woodman, spare that Tree!", ""),
        (
            "O'Connell v. The Queen, 11 Clark and Finnelly Reports",
            "",
            "O'Connell v. The Queen, 11 Clark and Finnelly Reports",
            "",
        ),
    ],
)
def test_titles_that_end_or_begin_with_a_place(title: str, locator: str, work: str, place: str) -> None:
    assert bartlett.parse_work(title, locator)[:2] == (work, place)


@pytest.mark.parametrize(
    ("title", "locator", "year", "year_said"),
    [
        ("On Frederic the Great. 1842", "", 1842, None),
        ("Maxims, 1871", "", 1871, None),
        ("Euphues, 1579", "page 39", 1579, None),
        ("The Return from Parnassus. (London, 1606.)", "", 1606, None),
        ("Life of Johnson (Boswell)", "Vol. vi. Chap. iii. 1776", None, 1776),
        ("Speech at Plymouth, Dec. 22, 1802", "", None, None),
    ],
)
def test_years_of_works_and_of_what_was_said(title: str, locator: str, year: int | None, year_said: int | None) -> None:
    assert bartlett.parse_work(title, locator)[3:] == (year, year_said)


@pytest.mark.parametrize(
    ("as_printed", "title", "authors", "year", "locator"),
    [
        (BARTLETT, "Familiar Quotations", "John Bartlett", 1905, ""),
        ("James Wood (ed.), Dictionary of Quotations (London and New York: Frederick Warne, 1893)",
         "Dictionary of Quotations", "James Wood", 1893, ""),
        ("History of the Yarle Mills, vol. 5, ch. 8, by Ida Marsh Hollis (1922)",
         "History of the Yarle Mills", "Ida Marsh Hollis", 1922, "vol. 5, ch. 8"),
    ],
)  # fmt: skip
def test_collections(as_printed: str, title: str, authors: str, year: int, locator: str) -> None:
    assert bartlett.parse_collection(as_printed) == (title, locator, authors, year, None)


@pytest.mark.parametrize(
    ("name", "sorted_as"),
    [
        ("William Wordsworth", "Wordsworth, William"),
        ("Johann Wolfgang von Goethe", "Goethe, Johann Wolfgang von"),
        ("François de La Rochefoucauld", "La Rochefoucauld, François de"),
        ("Arthur Wellesley, Duke of Wellington", "Wellington, Arthur Wellesley, Duke of"),
        ("Alfred, Lord Tennyson", "Tennyson, Alfred, Lord"),
        ("George Colman, the Younger", "Colman, George, the Younger"),
        ("Pliny the Elder", "Pliny the Elder"),
        ("Beaumont and Fletcher", "Beaumont and Fletcher"),
        ("Æschylus", "Aeschylus"),
        ("Du Bartas", "Du Bartas"),
    ],
)
def test_sort_names(name: str, sorted_as: str) -> None:
    assert bartlett.sort_name(name) == sorted_as


# Again, and beside what is there


def test_rows_of_the_site_are_found_as_duplicates(imported: Importer) -> None:
    fields = {"text": "Nobody can step  twice into the same river", "author": "Heraclitus", "born": -535, "died": -475}
    report = imported([collected(**fields)])
    assert counted(report) | {"added": 0, "duplicates": 1} == counted(report)
    assert "line 1: same quotation as heraclitus-twice-into-the-same-river" in report


def test_the_same_file_again_changes_nothing(imported: Importer) -> None:
    rows = [collected(), collected(text="Nine okapis stood before the parliament.")]
    assert counted(imported(rows))["added"] == 2
    before = counts()
    report = imported(rows)
    assert counted(report) == {"added": 0, "changed": 0, "unchanged": 2, "duplicates": 0, "refused": 0}
    assert counts() == before


def test_a_corrected_row_changes_its_quotation_and_leaves_a_history(imported: Importer) -> None:
    imported([collected()])
    report = imported([collected(locator="Book iii. Chap. iv", tags=["zymurgy", "bread"])])
    assert counted(report)["changed"] == 1
    assert "locator, locator_as_printed, tags" in report
    quote = Quote.objects.get(text__startswith="The quagga")
    assert quote.locator == "bk. 3, ch. 4"
    assert set(quote.tags.names()) == {"zymurgy", "bread"}
    assert [revision.content["locator"] for revision in quote.revisions.all()] == ["bk. 3, ch. 4", "bk. 3, ch. 2"]


def test_what_an_editor_changed_stands(imported: Importer) -> None:
    imported([collected()])
    quote = Quote.objects.get(text__startswith="The quagga")
    quote.locator = "bk. 3, ch. 5"
    quote.save()
    revisions.record_revision(quote, author=User.objects.create_user("anna"))
    report = imported([collected()])
    assert counted(report)["unchanged"] == 1
    assert "edited on the site; locator left unchanged" in report
    quote.refresh_from_db()
    assert quote.locator == "bk. 3, ch. 5"


def test_a_row_with_a_key_changes_only_what_it_names(imported: Importer) -> None:
    key = "heraclitus-twice-into-the-same-river"
    report = imported(
        [{"key": key, "text": "Nobody can step twice into the same river.", "translator": "Theodore Buckley"}]
    )
    assert counted(report)["changed"] == 1
    quote = Quote.objects.get(key=key)
    assert (quote.translator, quote.locator, quote.auto_pick) == ("Theodore Buckley", "frag. 91", True)


def test_duplicates_within_the_file_are_reported_with_the_line(imported: Importer) -> None:
    shorter = collected(text="the Quagga grazes, where the wombat digs …")
    report = imported([collected(), shorter, collected()])
    assert counted(report) | {"added": 1, "duplicates": 2} == counted(report)
    assert "on line 1" in report


def test_the_same_file_again_has_the_same_duplicates(imported: Importer) -> None:
    rows = [
        collected(),
        collected(text="The quagga grazes where the wombat digs; and digs, and digs."),
        collected(text="Nobody can step twice into the same river", author="Heraclitus", born=-535, died=-475),
        collected(text="To be or to have been: that is it.", author="Nobody"),
        collected(text="To be, or to have been? That is it!", author="Somebody"),
    ]
    first = counted(imported(rows))
    assert first | {"added": 2, "duplicates": 3} == first
    again = counted(imported(rows))
    assert again | {"added": 0, "unchanged": 2, "duplicates": 3} == again


def test_another_version_that_says_so_is_no_duplicate(imported: Importer) -> None:
    row = {
        "key": "heraclitus-twice-2",
        "text": "Nobody can step twice into the same river!",
        "version_of": "heraclitus-twice-into-the-same-river",
    }
    assert counted(imported([row]))["added"] == 1
    assert Quote.objects.get(key=row["key"]).version_of == Quote.objects.get(key=row["version_of"])


def test_rows_point_at_each_other_in_any_order(imported: Importer) -> None:
    imported(
        [
            {
                "key": "false-one",
                "text": "Let them graze on quaggas.",
                "person": {"name": "Madame Wombat"},
                "status": "misattributed",
                "true_source": "true-one",
            },
            {"key": "true-one", "text": "Quaggas may be grazed upon by nobody."},
        ]
    )
    assert Quote.objects.get(key="false-one").true_source == Quote.objects.get(key="true-one")


# History


RIVER = "heraclitus-twice-into-the-same-river"


def river(**fields: Any) -> dict[str, Any]:
    return {"key": RIVER, "text": "Nobody can step twice into the same river.", **fields}


def drafted(key: str, state: str = Revision.State.IN_REVIEW, **content: Any) -> Revision:
    """Return a draft of a quotation, such as an editor makes of it."""
    quote = Quote.objects.get(key=key)
    revisions.record_external_changes(quote)
    author = User.objects.get_or_create(username="anna")[0]
    changed = {**revisions.content_of(quote), **content}
    return revisions.save_draft(quote, changed, state=state, author=author, comment="Is it so?")


def test_an_import_is_one_entry_with_the_digest_of_its_file(imported: Importer) -> None:
    report = imported([collected(), collected(text="A numbat naps."), river(translator="Theodore Buckley")])
    entry = Import.objects.get()
    assert (entry.name, entry.model.model_class(), entry.author) == ("new.jsonl", Quote, None)
    assert f"sha256 {entry.digest}" in report
    assert (entry.added, entry.changed, entry.unchanged, entry.skipped) == (2, 1, 0, 0)
    newest, before = Quote.objects.get(key=RIVER).revisions.all()
    assert (newest.imported, newest.state, newest.content["translator"]) == (entry, "published", "Theodore Buckley")
    assert (before.imported, before.state, before.content["translator"]) == (None, "published", "")
    assert entry.revisions.count() == 1  # a new quotation has no other text yet


def test_what_an_import_leaves_out_is_counted_in_its_entry(imported: Importer) -> None:
    rows = [collected(), collected(text="THE QUAGGA GRAZES, where the wombat digs!"), collected(text="Two.", year="MC")]
    imported(rows, "--skip-bad")
    imported([*rows, collected(text="A numbat naps.")], "--skip-bad")
    entries = Import.objects.order_by("pk").values_list("added", "unchanged", "skipped")
    assert list(entries) == [(1, 0, 2), (1, 1, 2)]


def test_a_file_that_changes_nothing_leaves_no_entry(imported: Importer) -> None:
    imported([collected()])
    imported([collected()])
    assert Import.objects.count() == 1


def test_a_draft_of_a_published_quotation_outlives_an_import(imported: Importer) -> None:
    draft = drafted(RIVER, text="Nobody can step twice into the same brook.")
    imported([river(translator="Theodore Buckley")])
    quote = Quote.objects.get(key=RIVER)
    assert (quote.text, quote.translator) == ("Nobody can step twice into the same river.", "Theodore Buckley")
    copy = revisions.working_copy(quote)
    assert copy is not None
    for name in ("content", "state", "author", "comment", "base"):
        assert getattr(copy, name) == getattr(draft, name), name
    published = revisions.published_revision(quote)
    assert published is not None
    assert published.imported == Import.objects.get()
    assert revisions.published_since(quote, copy) == published  # so that publishing it brings both together
    assert [revision.number for revision in quote.revisions.all()] == [4, 3, 2, 1]


def test_the_draft_of_a_quotation_that_was_never_public_is_what_the_import_made_of_it(imported: Importer) -> None:
    imported([{"key": "quoll", "text": "A quoll is nobody's quarry.", "published": False}])
    drafted("quoll", text="A quoll is everybody's quarry.")
    imported([{"key": "quoll", "text": "A quoll is nobody's prey."}])
    quote = Quote.objects.get(key="quoll")
    copy = revisions.working_copy(quote)
    assert copy is not None
    assert (copy.content["text"], copy.state, copy.imported) == (quote.text, "draft", Import.objects.first())
    assert "A quoll is everybody's quarry." in [revision.content["text"] for revision in quote.revisions.all()]


def test_what_another_program_wrote_before_the_import_is_in_the_history(imported: Importer) -> None:
    imported([river(translator="Theodore Buckley")])
    Quote.objects.filter(key=RIVER).update(locator="frag. 92")
    imported([river(translator="T. A. Buckley")])
    history = Quote.objects.get(key=RIVER).revisions.all()
    assert [(one.content["locator"], one.content["translator"], one.act) for one in history] == [
        ("frag. 92", "T. A. Buckley", ""),
        ("frag. 92", "Theodore Buckley", "outside"),
        ("frag. 91", "Theodore Buckley", ""),
        ("frag. 91", "", ""),
    ]


def test_the_history_of_many_changed_quotations_is_written_at_once(imported: Importer) -> None:
    rows = [{"key": f"q-{n}", "text": f"Quagga {n} has {n * 7} stripes and {n * 11} foes."} for n in range(40)]
    imported(rows)
    for row in rows[:20]:
        drafted(row["key"], locator="p. 1")
    with CaptureQueriesContext(connection) as queries:
        imported([{**row, "translator": "T. Buckley"} for row in rows])
    written = [query for query in queries if query["sql"].startswith('INSERT INTO "rlm_site_revision"')]
    assert len(written) == 2  # what they were, and what became of them
    assert Import.objects.first().revisions.count() == 40  # type: ignore[union-attr]
    assert revisions.working_copies(Quote).filter(content__locator="p. 1").count() == 20


def test_the_old_name_of_a_tag_means_what_became_of_it(imported: Importer) -> None:
    row = {"key": "q-1", "text": "A dunnart darts.", "tags": ["zymurgy"]}
    imported([row])
    tag = Tag.objects.get(name="zymurgy")
    tag.name = "brewing"
    changes.rename_tag(tag)
    assert counted(imported([row]))["unchanged"] == 1
    imported([{"key": "q-2", "text": "Two quolls quarrel.", "tags": ["zymurgy", "Brewing"]}])
    assert list(Quote.objects.get(key="q-2").tags.all()) == [tag]
    assert not Tag.objects.filter(name="zymurgy").exists()


# Derived data and pages


def test_the_first_reader_does_not_pay(imported: Importer, django_assert_num_queries: Any) -> None:
    queue.process_queue()
    imported([collected(index_terms=[{"word": "ungulate"}, {"word": "wombat", "veto": True}], auto_pick=True)])
    assert not Stale.objects.exists()
    quote = Quote.objects.get(text__startswith="The quagga")
    found = dict(QuoteWord.objects.filter(quote=quote).values_list("word__text", "rank"))
    assert {"quagga", "grazes", "ungulate", f"#{quote.tags.get().pk}"} <= found.keys()
    assert found["quagga"]
    assert not found["wombat"]
    assert [result.row for result in search("quaggas", timezone.now()).results] == [quote]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has but one writer at a time")
def test_nobody_else_derives_while_an_import_does(imported: Importer) -> None:
    imported([collected()])
    with CaptureQueriesContext(connection) as queries:
        imported([collected(text="A numbat naps.")])  # by nobody new, so that there is nothing to derive before
    statements = [query["sql"] for query in queries]
    turn = next(place for place, sql in enumerate(statements) if "pg_advisory_xact_lock" in sql)
    assert turn < next(place for place, sql in enumerate(statements) if 'INTO "quotes_quoteword"' in sql)


def test_new_quotations_are_picked_only_when_asked_for(imported: Importer) -> None:
    imported([collected()])
    imported([collected(text="A quoll is nobody's quarry.")], "--auto-pick", "--status", "unverified")
    assert not Quote.objects.get(text__startswith="The quagga").auto_pick
    quote = Quote.objects.get(text__startswith="A quoll")
    assert (quote.auto_pick, quote.status) == (True, "unverified")


def picks() -> dict[str, tuple[str, ...]]:
    page = matching.MatchRequest("The Millers")
    [[block]] = matching.blocks([(page,)], timezone.now())
    return {page.heading: tuple(pick.quote.key for pick in block.picks)}


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_pages_that_show_other_quotations_are_named(
    imported: Importer, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setattr(importer, "_observers", [picks])
    shown = picks()
    quiet = imported([collected(text="Our millers graze with wombats and with quaggas on the plain.")], *options)
    assert "No page shows different quotations." in quiet
    Quote.objects.filter(key__in=shown["The Millers"]).update(auto_pick=False)
    row = collected(text="Great millers come from the land of quaggas, and the millers of millers are millers.")
    report = imported([row], "--auto-pick", *options)
    assert "The Millers: " in report
    assert "+ quill-great-millers-come-from-" in report


# Wrong files


def test_bad_rows_are_named_by_file_line_and_field(imported: Importer) -> None:
    rows = [
        collected(),
        collected(text="One.", year="nineteen hundred"),
        collected(text="Two.", colour="red"),
        collected(text="Three.", key="twice"),
        collected(text="Four.", key="twice"),
        collected(text="Five.", status="certain"),
        collected(text=""),
        collected(text="Seven.", person={"name": "A"}),
        collected(text="Eight.", born=1900, died=1850),
        {"text": "Nine.", "status": "verified"},
        {"text": "Ten.", "version_of": "nobody-said-this"},
        {"text": "Eleven.", "publish_at": "tomorrow"},
        {"text": "Twel\u0000ve."},
        {"text": "Thirteen.", "key": "with space"},
        {"text": "Fourteen.", "person": {"name": "B", "shoe": 44}},
        {"text": 15},
    ]
    message = refusal(imported, rows)
    for expected in (
        "new.jsonl, line 2, field year: “nineteen hundred” is not a year; give a whole number, negative for BC,",
        "line 3, field colour: unknown field. Known fields: as_quoted_in, attribution_as_imported, author,",
        "line 5, field key: “twice” is also the key of line 4",
        "line 6, field status: “certain” is not allowed; use one of verified, reported, unverified, disputed,",
        "line 7, field text: is empty",
        "line 8, field author: repeats person",
        "line 9, field died: 1850 is before the year of birth, 1900",
        "line 10, field status: “verified” needs evidence",
        "line 12, field publish_at: “tomorrow” is not a date and time",
        "line 13, field text: cannot be stored: Character 5 is U+0000",
        "line 14, field key: “with space” is not allowed; use only letters",
        "line 15, field person.shoe: unknown field",
        "line 16, field text: “15” is not text",
    ):
        assert expected in message, expected
    assert "line 11" not in message  # whom it points to is asked when the rest is right
    assert "field version_of: there is no quotation “nobody-said-this”" in refusal(imported, [rows[10]])


def test_line_4711_of_a_long_file_is_found(imported: Importer) -> None:
    lines = [json.dumps(collected(text=f"Wombat number {n} digs.", key=f"w-{n}")) for n in range(1, 5001)]
    lines[4710] = lines[4710][:-20]
    message = refusal(imported, "\n".join(lines))
    assert "new.jsonl, line 4,711: is not valid JSON: " in message


def test_a_byte_of_another_encoding_is_an_error_with_its_line(imported: Importer) -> None:
    good = json.dumps(collected()).encode()
    bad = json.dumps(collected(text="XX"), ensure_ascii=False).encode().replace(b"XX", "Médée".encode("latin-1"))
    message = refusal(imported, b"\n".join([good, bad, good]))
    assert "new.jsonl, line 2: is not UTF-8: byte 0xE9 at character 12. Save the file as UTF-8." in message
    cells = b"text,author\nFine words,A\nM\xe9d\xe9e,B\n"
    assert "new.csv, line 3: is not UTF-8: byte 0xE9" in refusal(imported, cells, "new.csv")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.jsonl", b"", "the file has no rows"),
        ("empty.csv", b"", "the file has no rows"),
        ("header.csv", b"text,author\n", "the file has no rows"),
        ("blank.jsonl", b"\n\n", "the file has no rows"),
        ("list.jsonl", b'["a"]\n', "line 1: is not a JSON object"),
        ("twice.jsonl", b'{"text": "a", "text": "b"}\n', "line 1: is not valid JSON: the field text appears twice"),
        ("twice.csv", b"text,text\na,b\n", "line 1, field text: appears twice"),
        ("short.csv", b"text,author\na\n", "line 2: has 1 cells; the first line names 2 columns"),
        ("open.csv", b'text,author\n"a,b\nc,d\n', "line 2: is not valid CSV"),
        ("stranger.csv", b"text,colour\na,red\n", "line 2, field colour: unknown field"),
        ("year.csv", b"text,born\na,long ago\n", "line 2, field born: \u201clong ago\u201d is not a year"),
        ("words.txt", b"a\n", "the file name must end in .jsonl, .ndjson, .csv"),
    ],
)  # fmt: skip
def test_files_that_are_not_what_they_should_be(imported: Importer, name: str, content: bytes, message: str) -> None:
    assert message in refusal(imported, content, name)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nowhere\.jsonl: cannot be read"):
        call_command("import_quotes", str(tmp_path / "nowhere.jsonl"))


def test_skip_bad_imports_the_rest_and_names_what_it_left_out(imported: Importer) -> None:
    rows = [
        collected(),
        collected(text="Two.", year="MCMV"),
        {"key": "points-nowhere", "text": "Three numbats nap.", "version_of": "nobody-said-this"},
        {"key": "points-there", "text": "Four bilbies burrow by night.", "version_of": "points-nowhere"},
    ]
    report = imported(rows, "--skip-bad")
    assert counted(report) | {"added": 1, "refused": 3} == counted(report)
    assert "line 2, field year: “MCMV” is not a year" in report
    assert "line 4, field version_of: there is no quotation “points-nowhere”" in report


def test_a_dry_run_changes_nothing(imported: Importer) -> None:
    before = counts()
    report = imported([collected(), collected(text="A numbat naps.")], "--dry-run")
    assert counted(report)["added"] == 2
    assert report.endswith("Dry run: nothing was written.\n")
    assert counts() == before


@pytest.mark.parametrize("step", ["_write_related_rows", "_index"])
def test_a_crash_in_the_middle_of_writing_changes_nothing(
    imported: Importer, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = counts()
    whole = getattr(writing, step)

    def fails(*args: Any) -> None:
        whole(*args)
        assert Quote.objects.filter(text__startswith="The quagga").exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, step, fails)
    with pytest.raises(KeyboardInterrupt):
        imported([collected()])
    assert counts() == before


# CSV, and files of other systems


def test_csv_with_a_byte_order_mark_windows_line_ends_and_lines_within_quotation_marks(imported: Importer) -> None:
    content = (
        "\ufefftext,author,born,died,tags,auto_pick\r\n"
        '"First line of the quoll,\r\nsecond ""line"" of it",Ambrose Quill,-40,18,"bread, ""Oxmoor, Tolby""",yes\r\n'
        "\r\n"
        "Numbats nap at noon.,,,,,\r\n"
    )
    report = imported(content, "--collection", "unread", "--name", "Unread", name="new.csv")
    assert counted(report)["added"] == 2
    quote = Quote.objects.get(text__startswith="First line")
    assert quote.text == 'First line of the quoll,\nsecond "line" of it'
    assert str(quote.attribution) == "Ambrose Quill (40 BC–AD 18)"
    assert set(quote.tags.names()) == {"bread", "Oxmoor, Tolby"}
    assert quote.auto_pick
    assert quote.status == "unverified"
    assert Quote.objects.get(text__startswith="Numbats").person is None


def test_csv_takes_objects_as_json(imported: Importer) -> None:
    person = json.dumps({"name": "Vera Quill", "slug": "vera-quill", "died": 1944, "aliases": ["V. Q."]})
    content = f'key,text,person,checks\nq-1,A dunnart darts.,"{person.replace(chr(34), chr(34) * 2)}",'
    content += '"[{""checked_by"": ""Anna"", ""checked_on"": ""2026-08-01"", ""place"": ""p. 4""}]"\n'
    imported(content, name="new.csv")
    quote = Quote.objects.get(key="q-1")
    assert str(quote.attribution) == "Vera Quill (d. 1944)"
    assert quote.person.aliases == ["V. Q."]
    check = quote.checks.get()
    assert (check.checked_by, check.checked_on, check.place) == ("Anna", date(2026, 8, 1), "p. 4")


def test_json_lines_with_a_byte_order_mark_windows_line_ends_and_blank_lines(imported: Importer) -> None:
    rows = [json.dumps(collected()), "", json.dumps(collected(text="A numbat naps.\r\nAnd wakes."))]
    assert counted(imported("\ufeff" + "\r\n".join(rows)))["added"] == 2
    assert Quote.objects.filter(text="A numbat naps.\nAnd wakes.").exists()


def test_the_report_names_the_file_by_its_digest(imported: Importer) -> None:
    content = b'{"text": "A numbat naps."}\n'
    assert imported(content).startswith(f"new.jsonl: 1 rows, sha256 {hashlib.sha256(content).hexdigest()}\n")


def test_the_export_of_the_site_is_unchanged_content(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    call_command("export_quotes", str(path), stdout=StringIO())
    plan = importer.run(path).plan
    assert len(plan.unchanged) == Quote.objects.count()
    assert [plan.added, plan.changed, plan.duplicates, plan.refused] == [[], [], [], []]
