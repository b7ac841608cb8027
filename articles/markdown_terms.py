"""Finding the terms of a glossary in a text. Pure functions, in time proportional to the text.

A term is one word or several, parted by spaces or hyphens. Initialisms are found as they are written; other terms
whatever their capitals are, in the singular and the plural, in Russian in every case.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from rlm_site.text.words import Occurrence, occurrences, spellings, without_possessive

MOST_WORDS = 8  # of a term
HYPHENS = "-‐‑"


class Term(NamedTuple):
    """A term as it may be written, and the id of what explains it."""

    surface: str
    id: str


class Found(NamedTuple):
    """A term that stands at text[start:end]."""

    id: str
    start: int
    end: int


@dataclass
class Words:
    """Terms that begin with the same words: which may follow, and which end here."""

    following: dict[str, list["Words"]] = field(default_factory=dict)  # by each spelling of the next word
    by_word: dict[str, "Words"] = field(default_factory=dict)
    ends: list[Term] = field(default_factory=list)


def is_initialism(surface: str) -> bool:
    """Return whether a name is written in capitals alone: `NATO`, `США`."""
    return len(surface) > 1 and surface.isupper()


@lru_cache(maxsize=256)
def arranged(terms: tuple[Term, ...]) -> Words:
    """Arrange terms by their words."""
    first = Words()
    for term in terms:
        words = [occurrence.word for occurrence in occurrences(term.surface)][: MOST_WORDS + 1]
        if not 0 < len(words) <= MOST_WORDS:
            continue
        node = first
        for word in words:
            if word not in node.by_word:
                node.by_word[word] = Words()
                for spelling in spellings(word):
                    node.following.setdefault(spelling, []).append(node.by_word[word])
            node = node.by_word[word]
        node.ends.append(term)
    return first


def find_terms(text: str, terms: Words, known: Iterable[str] = ()) -> Iterator[Found]:
    """Yield the first place of each term whose id is not `known`, the longest where several begin; none overlap."""
    done = set(known)
    words = list(occurrences(text))
    place = 0
    while place < len(words):
        count, term = _at(text, words, place, terms)
        if term and term.id not in done:
            done.add(term.id)
            yield Found(term.id, words[place].start, _end(text, words[place + count - 1]))
        place += count


def _at(text: str, words: list[Occurrence], place: int, terms: Words) -> tuple[int, Term | None]:
    """Return the longest term that begins at a word, and its number of words; without one, how far to go on."""
    longest: tuple[int, Term | None] = (1, None)
    nodes = terms.following.get(words[place].word, [])
    start, count = words[place].start, 1
    while nodes:
        word = words[place + count - 1]
        if (ends := [term for node in nodes for term in node.ends]) and not _is_joined(text, start, word.end):
            written = text[start : _end(text, word)]
            longest = next(((count, term) for term in ends if _is_written(term, written)), longest)
        if place + count == len(words) or not _is_beside(text[word.end : words[place + count].start]):
            break
        following = words[place + count].word
        nodes = [after for node in nodes for after in node.following.get(following, ())]
        count += 1
    return longest


def _end(text: str, word: Occurrence) -> int:
    return word.start + len(without_possessive(text[word.start : word.end]))


def _is_beside(between: str) -> bool:
    return between in {*HYPHENS} or (between.isspace() and "\n\n" not in between)


def _is_joined(text: str, start: int, end: int) -> bool:
    """Return whether a hyphen makes what stands there a part of another word: `anti-Bolshevik`."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    return (before[1:] in {*HYPHENS} and before[0].isalnum()) or (after[:1] in {*HYPHENS} and after[1:].isalnum())


def _is_written(term: Term, written: str) -> bool:
    return not is_initialism(term.surface) or written.removesuffix("s") == term.surface
