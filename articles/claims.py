"""Claims of a text that do not say on what they rest: sources without names, negatives and figures without a note.

This is advice for editors: nothing is refused. Quotations, code and the text of a document are not looked at. A figure
has a note if one stands in its sentence or in a later one of its paragraph, as is usual where several sentences rest on
one work; in a table, if one stands in its row, in the head or the caption; in a list, also at the end of the paragraph
above. A negative needs one in its own sentence, as it is most often our own and not that of the work cited next.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy

from articles.markdown import NOTE, Source
from rlm_site.text.word_lists import list_lines, word_list

VAGUE, NEGATIVE, FIGURE, NO_PLACE = "vague-source", "negative", "figure", "no-place"
ADVICE: dict[str, str | Promise] = {
    VAGUE: gettext_lazy("Name these sources, in the text or in a note"),
    NEGATIVE: gettext_lazy("Say in a note who found that nothing is known, or where it was looked for"),
    FIGURE: gettext_lazy("Say in a note who gives this figure"),
    NO_PLACE: gettext_lazy("Give the page or chapter of this work, or say that it was consulted in extract"),
}
NAMED_BY = 2  # works in the notes of a sentence name its “several accounts”

_LISTS = Path(__file__).parent / "lists"


def _pattern(line: str) -> str:
    """Return the pattern of a line of a list: `no … record/list of` means `no written record of`, too."""
    places = []
    for place in line.split():
        words = "|".join(r"[\d.,]*\d" if word == "0" else re.escape(word) for word in place.split("/"))
        places.append(r"(?:[\w’'-]+ ){0,3}" if place == "…" else f"(?:{words}) ")
    return "".join(places).removesuffix(" ")


def _phrases(name: str) -> str:
    """Return the pattern of all lines of a list; without one, that of nothing."""
    lines = list_lines(name, _LISTS)
    return rf"(?<![\w.,-])(?:{'|'.join(map(_pattern, lines)) or '(?!)'})(?!\w)"


_VAGUE = re.compile(_phrases("vague_sources"), re.IGNORECASE)
_NEGATIVE = re.compile(_phrases("negatives"), re.IGNORECASE)
_FIGURE_IN_WORDS = re.compile(_phrases("figures"), re.IGNORECASE)
_FIGURE = re.compile(r"(?<![\w/.,:§$£€–-])(\d{1,3}(?:[,.\u00a0\u202f]\d{3})+|\d{3,})(?![\w/%°:]|[.,-]\w)")
_YEAR = re.compile(r"1\d{3}|20\d\d")
_WORD_AFTER = re.compile(r" ([\w.]+)")
_QUOTED = re.compile(r"“[^“”]*”")
_SENTENCE_END = re.compile(rf"[.!?…][”’\")\]]*{NOTE}*(?= )")
_NUMBERED = word_list("numbered", _LISTS)
_MEASURES = word_list("measures", _LISTS)
_ABBREVIATIONS = word_list("abbreviations", _LISTS)
_LONGEST_WORD = 40
_LONGEST_EXCERPT = 300


class Claim(NamedTuple):
    """A claim without its source: what kind it is of, the words that make it one, and the sentence or row."""

    kind: str
    words: str
    sentence: str = ""

    @property
    def excerpt(self) -> str:
        return Truncator(self.sentence).chars(_LONGEST_EXCERPT, truncate="…")


def claims_in(source: Source, *, is_document: bool = False) -> Iterator[Claim]:
    """Yield the claims without sources of a text, in their order; of a document, of what stands above its headings."""
    for block in source.blocks:
        if is_document and not block.is_lead:
            break
        sentences = [block.text] if block.is_row else list(sentences_of(block.text))
        last_note = max((place for place, text in enumerate(sentences) if NOTE in text), default=-1)
        for place, sentence in enumerate(sentences):
            yield from _claims_of(sentence, is_noted=block.noted or place <= last_note)


def _claims_of(sentence: str, *, is_noted: bool) -> Iterator[Claim]:
    """Yield the claims of a sentence; `is_noted` is whether a note that its figures share stands in or after it."""
    works = sentence.count(NOTE)
    own = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), sentence).replace(NOTE, " ")
    told = " ".join(sentence.replace(NOTE, "").split())
    if works < NAMED_BY and (vague := _VAGUE.search(own)):
        yield Claim(VAGUE, vague[0], told)
    if not works and (negative := _NEGATIVE.search(own)):
        yield Claim(NEGATIVE, negative[0], told)
    if not is_noted and (figure := next(_figures(own), "")):
        yield Claim(FIGURE, figure, told)


def sentences_of(text: str) -> Iterator[str]:
    """Yield the sentences of a paragraph, each with the notes that follow it."""
    start = 0
    for end in _SENTENCE_END.finditer(text):
        begins_anew = text[end.end() + 1 : end.end() + 2]
        before = _word_before(text, end.start()).rpartition(".")[2]
        is_short = (len(before) == 1 and before.isalpha()) or before.lower() in _ABBREVIATIONS
        if not begins_anew.islower() and not (is_short and end[0] == "."):
            yield text[start : end.end()]
            start = end.end() + 1
    if start < len(text):
        yield text[start:]


def _figures(sentence: str) -> Iterator[str]:
    """Yield the numbers of a hundred or more that count something: no years, names, places in works or measures."""
    for found in _FIGURE.finditer(sentence):
        before = _word_before(sentence, found.start() - 1)
        after = _WORD_AFTER.match(sentence, found.end(), found.end() + _LONGEST_WORD)
        is_first = found.start() == len(before) + 1
        is_name = found[1].isdigit() and _makes_a_name(before, is_first=is_first)
        is_measure = after is not None and after[1].strip(".").lower() in _MEASURES
        if not (is_name or is_measure or _YEAR.fullmatch(found[1])):
            yield found[1]
    yield from (found[0] for found in _FIGURE_IN_WORDS.finditer(sentence))


def _word_before(text: str, end: int) -> str:
    return text[max(0, end - _LONGEST_WORD) : max(0, end)].rpartition(" ")[2].lstrip("([“‘")


def _makes_a_name(word: str, *, is_first: bool) -> bool:
    """Return whether the word before a number makes it one of a series: `Camp 300`, `Order 270`, `p. 312`."""
    is_capital = word[:1].isupper() and (word[-1].isalnum() or word[-1] == ".")
    return word.strip(".").lower() in _NUMBERED or (is_capital and not is_first)
