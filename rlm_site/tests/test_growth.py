"""Whatever is typed or sent, up to its bound it is read, rendered, compared, merged and checked within a second.

Every kind of input is made larger and larger; twice of it takes about twice as long. `-s` prints the table.
"""

import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Any

import pytest
from django.http import QueryDict
from django.utils.functional import SimpleLazyObject

from articles import admin as articles_admin
from articles import citations, markdown, markdown_limits
from articles.models import Reference
from quotes import attribution, duplicates
from quotes.importing import bartlett
from quotes.importing.files import Row
from quotes.importing.records import CollectionData, RecordChecker
from rlm_site import turns
from rlm_site.editor import importing
from rlm_site.editor.concurrency.conflicts import Choice, Difference, apply_choices, with_conflict_marks
from rlm_site.editor.concurrency.form_state import FormState
from rlm_site.editor.forms import TagsField
from rlm_site.editor.import_pages import MOST_BYTES
from rlm_site.history import diff
from rlm_site.search import excerpts
from rlm_site.testing.databases import on_postgresql
from rlm_site.testing.growth import Growth, _caches, forget_everything
from rlm_site.text import folding, merge, printable, slugs, words
from rlm_site.text.limits import MAX_PASSAGE, MAX_TEXT

Text = Callable[[int], str]

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(on_postgresql(), reason="no database is asked, and once is enough"),
]


def repeated(unit: str, after: str = "") -> Text:
    """Return a maker of texts of some length that repeat a unit."""
    return lambda size: (unit * (size // len(unit) + 1))[:size] + after


def numbered(unit: str) -> Text:
    """Return a maker of texts whose units are all different: `#` in it becomes a number."""
    return lambda size: "".join(unit.replace("#", str(number)) for number in range(size // (len(unit) + 3)))


def nested(unit: str, end: str = "") -> Text:
    """Return a maker of lines of which each begins with one more unit."""
    return lambda size: "".join(f"{unit * depth}{end}\n" for depth in range(int((2 * size / len(unit)) ** 0.5)))


def both(first: Text, second: Text) -> Text:
    return lambda size: first(size // 2) + second(size // 2)


PROSE = "In the spring of 1845 the millers put their last hope in two wheels, and the river rose. "

# Kinds of Markdown: each construct that the library and our own rules know, closed, unclosed, nested and different.
MARKDOWN: dict[str, Text] = {
    "prose": repeated(PROSE),
    "paragraphs": repeated(f"{PROSE}\n\n"),
    "one word": repeated("a"),
    "Cyrillic": repeated("Мельники надеялись на два колеса. "),
    "emoji": repeated("🙂"),
    "combining marks": repeated("e\u0301"),
    "empty lines": repeated("\n"),
    "spaces": repeated(" ", "a"),
    "hard breaks": repeated("a  \n"),
    "tabs": repeated("\t"),
    "the same heading": repeated("# a\n"),
    "different headings": numbered("## a#\n"),
    "underlined headings": repeated("a\n=\n"),
    "spaces in a heading": lambda size: "# a" + " " * size + "b",
    "mixed quotation marks": repeated("\"a' "),
    "opening quotation marks": repeated(' "a'),
    "quotation marks alone": repeated('"'),
    "apostrophes alone": repeated("'"),
    "apostrophes": repeated("a'b "),
    "dashes": repeated("---"),
    "rules": repeated("***\n"),
    "table of wide rows": lambda size: "|" + "a|" * (size // 4) + "\n|" + "-|" * (size // 4) + "\n",
    "table of short rows": lambda size: "|" + "a|" * 44 + "\n|" + "-|" * 44 + "\n" + "|\n" * (size // 2),
    "table of empty cells": lambda size: "|a|b|\n|-|-|\n" + "|||\n" * (size // 4),
    "tables": repeated("|a|b|\n|-|-|\n|c|d|\n\n"),
    "captions": repeated("Table: a\n\n|a|\n|-|\n\n"),
    "table in quoted lines": lambda size: "> a|b\n> -|-\n" + "> c\n" * (size // 4),
    "cells without a table": repeated("a|b\n"),
    "dashes and bars": repeated("|-"),
    "different citations": numbered("[@a#] "),
    "the same citation": repeated("[@a, p. 1] "),
    "citations in one": lambda size: "[" + "; ".join(f"@a{number}" for number in range(size // 8)) + "]",
    "unclosed citations": repeated("[@"),
    "spaces in a citation": lambda size: "[@a" + " " * size + "b]",
    "links": repeated("[[Edgar Tarlow|he]] "),
    "different links": numbered("[[a#]] "),
    "unclosed links": repeated("[[a|b"),
    "opening brackets": repeated("["),
    "nested brackets": lambda size: "[" * (size // 2) + "]" * (size // 2),
    "nested links": lambda size: "[" * (size // 5) + "](a)" * (size // 5),
    "web links": repeated("[a](/b) "),
    "web links with titles": repeated('[a](/b "c") '),
    "unclosed web links": repeated("[a](("),
    "unclosed titles": repeated('[a](/b "c '),
    "opened addresses": repeated("[a](<b"),
    "images": repeated("!["),
    "one long address used often": lambda size: f"[a]: /{'x' * (size // 2)}\n\n" + "[a]\n" * (size // 8),
    "different addresses": both(numbered("[a#]: /x\n"), numbered("[a#] ")),
    "titles of addresses": repeated('[a]: b "c\n'),
    "labels of addresses": repeated("[a]: "),
    "broken brackets": repeated("[a\n"),
    "footnotes": both(numbered("[^a#] "), numbered("[^a#]: b\n\n")),
    "one footnote used often": lambda size: "[^a]: b\n\n" + "[^a] " * (size // 5),
    "footnotes in footnotes": lambda size: "".join(f"[^{n}]: [^{n + 1}]\n\n" for n in range(size // 20)) + "[^0]",
    "unclosed footnotes": repeated("[^"),
    "emphasis": repeated("*a* "),
    "opened emphasis": repeated("*a_ "),
    "stars": repeated("*"),
    "emphasis within words": repeated("a**b"),
    "nested emphasis": lambda size: "*a " * (size // 6) + "b* " * (size // 6),
    "nested strong emphasis": lambda size: "**a " * (size // 8) + "b** " * (size // 8),
    "strikethrough": repeated("~~a "),
    "code": repeated("`a` "),
    "opened code": repeated("`a"),
    "code with longer and longer marks": nested("`", " "),
    "fences": repeated("~~~\na\n"),
    "open fences": repeated("```\n"),
    "indented code": repeated("    a\n"),
    "quoted lines": repeated("> a\n"),
    "nested quoted lines": nested(">", " a"),
    "lists": repeated("- a\n"),
    "loose lists": repeated("- a\n\n"),
    "numbered lists": repeated("1. a\n"),
    "nested lists": nested("  ", "- a"),
    "lists in one line": repeated("- "),
    "paragraphs in lists": repeated("- a\n  b\n\n  c\n"),
    "ampersands": repeated("&"),
    "entities": repeated("&amp;"),
    "ampersands in prose": repeated("Mill & wheel, "),
    "closing angles": repeated("a >"),
    "quotation marks in code": lambda size: "    " + '"' * size,
    "numbers of characters": repeated("&#1"),
    "backslashes": repeated("\\"),
    "escapes": repeated("\\*"),
    "opened tags": repeated("<a "),
    "addresses in angles": repeated("<a@b.c>"),
    "bare addresses": repeated("https://a.bc "),
    "addresses without https": repeated("www.a "),
    "addresses in one": repeated("www.a.www.b/http://"),
    "mail": repeated("a@b.cd "),
    "almost mail": repeated("a.b@"),
    "long words": repeated("abcdefghij" * 9 + " "),
    "brackets after an address": lambda size: "https://a" + ")" * size,
    "inline notes": repeated("a^[b] "),
    "nested inline notes": lambda size: "^[a" * (size // 4) + "]" * (size // 4),
    "unclosed inline notes": repeated("^[a "),
    "notes that are not written": repeated("a[^b] "),
    "second notes": repeated("[^a]: b\n\n"),
    "notes that nothing points to": numbered("[^a#]: b\n\n"),
    "braces": repeated("a{#b} "),
    "opened braces": repeated("{#"),
    "tildes": repeated("~a "),
    "comments": repeated("<!--"),
    "closed comments": repeated("a<!-- b -->"),
    "closed comments in lines": repeated("<!-- b -->\n"),
    "closed comments apart": repeated("a\n\n<!-- b\n\nc -->\n\n"),
    "closed comments in code": repeated("    <!-- b -->\n"),
    "comments in open code": lambda size: "    ```\n\na" + "<!--a" * (size // 5),
    "code before comments": lambda size: nested("`", "a ")(size // 2).replace("\n", "") + "<!-- a -->",
    "languages": repeated("[a]{lang=ru} "),
    "opened languages": repeated("[a]{"),
    "opened values": repeated('[a]{a="'),
    "comments in braces": repeated("[a]{% "),
    "braces after code": repeated("`a`{"),
    "braces after emphasis": repeated("*a*{b"),
    "everything": lambda size: "".join(
        chain(
            ["|" + "a|" * 9 + "\n|" + "-|" * 9 + "\n" + "|\n" * (size // 400) + "\n"],
            numbered("## b#\n")(size // 80),
            numbered("[@c#] ")(size // 20),
            numbered("- [[d#]] *e* \"f' g\n")(size // 4),
            repeated(PROSE)(size // 2),
        )
    ),
}  # fmt: skip


def fits(make: Text, size: int) -> bool:
    return markdown._parsed(make(size)).excess is None


def largest(make: Text) -> int:
    """Return the largest size of a kind of Markdown that is read as such."""
    low, high = 0, markdown_limits.CHARACTERS.most
    while high - low > max(20, low // 20):
        middle = (low + high) // 2
        low, high = (middle, high) if fits(make, middle) else (low, middle)
    return low


TERMS = (("a", "a"), ("a b", "ab"), ("the river", "river"), ("millers put their last hope", "hope"), ("и", "i"))


def read_and_render(text: str) -> None:
    with turns.long_work():
        found = markdown.source(text)
        links = tuple((target, "/yarle-valley/") for target in found.links)
        works = tuple((cited.key, "Arden{place}.", "Arden{place}.") for cited in found.citations)
        markdown.render(text, links, works, (), TERMS, "mills_")


def _markdown_kinds() -> Iterator[Growth]:
    for kind, make in MARKDOWN.items():
        yield Growth(f"Markdown: {kind}", 0, make, read_and_render)
        yield Growth(f"Markdown, too much: {kind}", MAX_TEXT * 5, make, read_and_render)


# What meets the words of a text


def _of_words(work: Callable[[str], Any]) -> dict[str, Callable[[str], Any]]:
    return {work.__qualname__.removeprefix("_of_words.<locals>."): work}


def mark_words(text: str) -> None:
    accepted = words.WordFilter(lambda word: len(word) % 2 == 0)
    excerpts.mark_words(text, accepted)
    excerpts.make_excerpt(text, accepted)
    words.marked(text, words.vocabulary(text))


READERS: dict[str, tuple[int, Callable[[str], Any]]] = {
    "counting words": (MAX_TEXT, articles_admin.word_count),
    "marking words": (MAX_TEXT, mark_words),
    "the word index": (MAX_TEXT, lambda text: [words.form(word) for word in words.words_in(text)]),
    "folding": (MAX_TEXT, folding.fold_name),
    "slugs": (MAX_TEXT, slugs.slug_for),
    "headings": (1_000, words.read_heading),
    "characters that cannot be printed": (
        MAX_TEXT,
        lambda text: printable.find_refused(printable.with_line_breaks(text)),
    ),
    "what is limited": (MAX_TEXT * 5, markdown_limits.excess_of),
    "tags as typed": (MAX_TEXT, lambda text: _refused(TagsField(required=False).clean, text)),
    "fingerprints": (MAX_PASSAGE, duplicates.fingerprint),
    "places in works": (500, attribution.normalise_locator),
    "sources as printed": (500, bartlett.parse_collection),
    "works as printed": (500, lambda text: bartlett.parse_work(text, "")),
    "translators as printed": (500, lambda text: bartlett.parse_translator(text, text, text)),
    "places in scripture": (500, bartlett.parse_scripture_place),
    "dates as printed": (500, lambda text: bartlett.parse_circa(text, 1, 2)),
    "names to sort by": (500, bartlett.sort_name),
    "names as printed": (500, bartlett.parse_name),
    "names that may be short": (500, lambda text: bartlett.is_short_for(text, text + " Marsh")),
    "parts of service books": (500, lambda text: bartlett.parse_liturgy("Book", text)),
    "lines of facts": (5_000, markdown.render_line),
    "authors of a reference": (300, lambda text: citations.in_note(Reference(authors=text, title=text, note=text))),
}
PRINTED = ("Book v. ", "(", ", by A. ", ", Lord of ", "A. B. ", "de von ", "1. ", "xii. ", "Mrs. A b ", "; ", "_[1-2] ")


def _refused(work: Callable[[str], Any], text: str) -> None:
    try:
        work(text)
    except Exception as error:
        str(error)


# What is no Markdown to them differs in its characters alone.
TEXTS = {
    kind: MARKDOWN[kind]
    for kind in (
        "prose", "one word", "Cyrillic", "emoji", "combining marks", "empty lines", "spaces", "tabs", "dashes",
        "mixed quotation marks", "apostrophes", "different headings", "different citations", "unclosed citations",
        "cells without a table", "opening brackets", "lists", "ampersands", "backslashes", "addresses in angles",
    )
}  # fmt: skip


def _reader_kinds() -> Iterator[Growth]:
    for name, (most, read) in READERS.items():
        for kind, make in TEXTS.items():
            yield Growth(f"{name}: {kind}", most, make, read)
        for printed in PRINTED if most <= 500 else ():
            yield Growth(f"{name}: {printed}", most, repeated(printed, ")"), read)


# Comparing and merging


def _series(unit: str) -> Callable[[int], list[str]]:
    return lambda size: [unit.replace("#", str(number)) for number in range(size // (len(unit) + 3))]


def _pairs() -> dict[str, Callable[[int], tuple[str, str]]]:
    """Return makers of two texts to compare."""
    at_random = random.Random(7)  # noqa: S311

    def swapped(size: int) -> tuple[str, str]:
        series = _series("w# ")(size)
        return "".join(series), "".join(
            second + first for first, second in zip(series[::2], series[1::2], strict=False)
        )

    def shuffled(unit: str) -> Callable[[int], tuple[str, str]]:
        def make(size: int) -> tuple[str, str]:
            series = _series(unit)(size)
            return "".join(series), "".join(at_random.sample(series, len(series)))

        return make

    def every(step: int, unit: str) -> Callable[[int], tuple[str, str]]:
        def make(size: int) -> tuple[str, str]:
            series = _series(unit)(size)
            return "".join(series), "".join("z\n" if n % step == 0 else part for n, part in enumerate(series))

        return make

    def chosen(letters: str) -> Callable[[int], tuple[str, str]]:
        return lambda size: tuple(  # type: ignore[return-value]
            " ".join(at_random.choice(letters) for _ in range(size // 2)) for _side in range(2)
        )

    texts = {kind: (lambda size, make=make: (make(size), make(size)[::-1])) for kind, make in TEXTS.items()}
    return texts | {
        "two swapped words": swapped,
        "all words in another order": shuffled("w# "),
        "all lines in another order": shuffled("w#\n"),
        "every second word": every(2, "w# "),
        "every third line": every(3, "w# w w\n"),
        "two words": chosen("ab"),
        "few words": chosen("abcdefghij"),
        "equal lines moved": lambda size: ("a\nb\n" * (size // 4), "b\na\n" * (size // 4)),
        "one word in equal ones": lambda size: ("x " * (size // 2), "x " * (size // 4) + "y x " + "x " * (size // 4)),
        "nothing in common": lambda size: ("".join(_series("w# ")(size)), "".join(_series("q# ")(size))),
        "all of it": lambda size: ("", PROSE * (size // len(PROSE))),
    }


def compare(texts: tuple[str, str]) -> None:
    before, after = texts
    found = diff.Difference("body", "Text", tuple(diff.word_by_word(before, after)))
    assert "".join(part.text for part in found.before) == before
    assert "".join(part.text for part in found.after) == after
    assert found.rows or before == after


def show_difference(texts: tuple[str, str]) -> None:
    shown = Difference("Text", texts[0], texts[0] + "a", texts[1]).shortened()
    assert shown.mine_marked or shown.theirs_marked


def merge_texts(texts: tuple[str, str]) -> None:
    """Merge, with the first text as the base and as what one side has left as it was."""
    first, second = texts
    for base, mine, theirs in (
        (first, first[::-1], second),
        (first, f"{first}\nand more", second),
        (None, first, second),
    ):
        passages = merge.three_way_merge(base, mine, theirs)
        merged = merge.join_passages(passages, lambda passage: passage.mine)
        assert base is not None or merged == mine


def _comparison_kinds() -> Iterator[Growth]:
    for kind, make in _pairs().items():
        yield Growth(f"comparing: {kind}", MAX_TEXT, make, compare)
        yield Growth(f"showing a conflict: {kind}", MAX_TEXT, make, show_difference)
        yield Growth(f"merging: {kind}", MAX_TEXT, make, merge_texts)
        yield Growth(f"the same quotation?: {kind}", MAX_PASSAGE, make, lambda texts: duplicates.compare(*texts))
    yield Growth("merging names", 20_000, _names, lambda given: merge.merge_names(given[0], given[1], given[0][::-1]))
    yield Growth("comparing names", 20_000, _names, lambda given: diff._items(given[0], given[1], ", "))


def _names(size: int) -> tuple[list[str], list[str]]:
    return [f"a{number}" for number in range(size)], [f"a{number}" for number in range(size // 2, size * 2)]


def _conflict_kinds() -> Iterator[Growth]:
    def marked(size: int) -> tuple[list[Choice], str]:
        numbers = range(1, size // 120)
        choices = [Choice(number, "", "", "body", "a\n", "b\n", "c\n", in_text=True) for number in numbers]
        return choices, "\n".join(with_conflict_marks(number, "b\n", "c\n") for number in numbers)

    def nested_marks(size: int) -> tuple[list[Choice], str]:
        choices, _text = marked(size)
        opened = "".join(f"▼ [{choice.number}] a\nb\n◆ [{choice.number}] a\n" for choice in choices)
        return choices, opened + "".join(f"▲ [{choice.number}] a\n" for choice in choices[::-1])

    def apply(given: tuple[list[Choice], str], said: str) -> None:
        choices, text = given
        data = QueryDict(mutable=True)
        data.update({f"choice-{choice.number}": said for choice in choices})
        still_open = apply_choices(choices, FormState({"body": text}), data)
        assert (still_open == []) == bool(said)

    for kind, make in (("marked passages", marked), ("marks in marks", nested_marks)):
        for said in ("both", ""):
            yield Growth(f"choosing {said or 'nothing'}: {kind}", MAX_TEXT, make, partial(apply, said=said))


# Files


def _objects(make: Callable[[int], dict[str, Any]], length: int) -> Text:
    return lambda size: json.dumps([make(number) for number in range(max(1, size // length))], ensure_ascii=False)


CSV: dict[str, Text] = {
    "columns": numbered("c#,"),
    "the same column": repeated("c,"),
    "rows": lambda size: "key,title\n" + "a,b\n" * (size // 4),
    "empty rows": lambda size: "key,title\n" + ",\n" * (size // 2),
    "one cell": lambda size: "key,title\na," + "b" * size,
    "lines in a cell": lambda size: 'key,title\na,"' + "b\n" * (size // 2) + '"',
    "quotation marks": repeated('"'),
    "an open cell": lambda size: 'key,title\na,"' + "b" * size,
    "cells": lambda size: "key,title\n" + "a," * (size // 2),
}
JSON: dict[str, Text] = {
    "objects": _objects(lambda number: {"key": f"a{number}", "title": "b"}, 30),
    "keys of their own": _objects(lambda number: {f"k{number}": ""}, 14),
    "keys of one object": lambda size: json.dumps([{f"k{number}": 1 for number in range(size // 12)}]),
    "the same key": lambda size: "[{" + ",".join(['"a":1'] * (size // 6)) + "}]",
    "empty objects": lambda size: "[" + ",".join(["{}"] * (size // 3)) + "]",
    "lists": lambda size: "[" + ",".join(["[]"] * (size // 3)) + "]",
    "depth": repeated("["),
    "depth of objects": repeated('{"a":'),
    "one text": lambda size: json.dumps([{"key": "a" * size}]),
    "halves of characters": lambda size: '[{"key": "' + "\\ud83d" * (size // 6) + '"}]',
    "one number": lambda size: '[{"key": ' + "1" * size + "}]",
    "spaces": lambda size: "[" + " " * size + "{}]",
    "nothing": repeated("\n"),
}


def read_file(read: Callable[[str], importing.Rows], text: str) -> None:
    try:
        told = ""
        read(text).dataset()
    except importing.UnreadableError as error:
        told = str(error)
    assert len(told) < 2000


def check_row(field: str, text: str) -> None:
    RecordChecker(CollectionData("beasts")).check(Row(1, {"text": "a", field: text}, from_csv=True))


def _file_kinds() -> Iterator[Growth]:
    for kind, make in CSV.items():
        yield Growth(f"CSV: {kind}", MOST_BYTES, make, lambda text: read_file(importing.read_csv, text))
    for kind, make in JSON.items():
        yield Growth(f"JSON: {kind}", MOST_BYTES, make, lambda text: read_file(importing.read_json, text))
    for field in ("text", "author", "source_title", "as_quoted_in", "translator", "tags", "matches", "descriptor"):
        for kind, make in TEXTS.items():
            yield Growth(
                f"a row to import, {field}: {kind}",
                MAX_PASSAGE,
                make,
                partial(check_row, field),
            )


KINDS = [*_reader_kinds(), *_comparison_kinds(), *_conflict_kinds(), *_file_kinds(), *_markdown_kinds()]


@pytest.mark.parametrize("growth", KINDS, ids=lambda growth: growth.kind)
def test_work_grows_with_its_input_and_has_a_bound(growth: Growth) -> None:
    if not growth.most:
        growth = Growth(growth.kind, largest(growth.make), growth.make, growth.work)
    print(growth.check())  # noqa: T201


def test_lazy_objects_of_others_are_let_be() -> None:
    def wake() -> None:
        raise AssertionError("woken")

    _caches.cache_clear()
    lazy = SimpleLazyObject(wake)
    try:
        forget_everything()
    finally:
        _caches.cache_clear()
    assert repr(lazy).startswith("<SimpleLazyObject: <function")
