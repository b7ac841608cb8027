"""Words of a text, and the base forms that their inflections share. Pure functions.

English nouns are reduced by number, Russian nouns and adjectives by case and number: `allies` and `ally` share a form,
`liberation` and `liberal` do not. On a site in another language its own words are reduced to the forms in a dictionary,
if there is one. Dictionaries are loaded when a word is first indexed, never to render a page.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import simplemma
from simplemma.strategies.dictionaries.dictionary_factory import SUPPORTED_LANGUAGES

from rlm_site.text.folding import fold
from rlm_site.text.word_lists import LATIN, list_lines, word_list

MAX_LENGTH = 64  # of a word that is indexed
# Letters and digits with combining stress marks; apostrophes only inside a word.
_WORD = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+(?:['’ʼ](?:[^\W\d_][\u0300-\u036f]*)+)*")
_POSSESSIVE = re.compile(r"'s?$")
_CYRILLIC = re.compile(r"[а-яіїєґў]")

DICTIONARY = LATIN if LATIN in SUPPORTED_LANGUAGES else ""  # of words in Latin letters
LISTS = Path(__file__).parent / "lists"
STOP_WORDS = word_list("stop_words", LISTS)
CALENDAR = word_list("calendar", LISTS)
NUMBERS = word_list("numbers", LISTS)
QUALIFIERS = word_list("qualifiers", LISTS)
SCAFFOLDING = word_list("scaffolding", LISTS)
AMBIGUOUS_MONTHS = word_list("ambiguous_months", LISTS)
SINGULARS_IN_S = word_list("singulars_in_s", LISTS)
PLURALS: dict[str, str] = dict(line.split() for line in list_lines("plurals", LISTS))  # and their singulars


class Occurrence(NamedTuple):
    """A word at text[start:end]; `word` is folded and without a possessive ending."""

    word: str
    start: int
    end: int


class HeadingWord(NamedTuple):
    """A word of a heading as written, with the reason why it is ignored (empty: it is used)."""

    text: str
    word: str
    ignored: str = ""


def occurrences(text: str) -> Iterator[Occurrence]:
    for match in _WORD.finditer(text):
        word = _fold_word(match.group())
        if word and len(word) <= MAX_LENGTH:
            yield Occurrence(word, match.start(), match.end())


def find_spans(text: str, word_filter: Mapping[str, bool]) -> list[tuple[int, int]]:
    """Return start and end of the words that the filter accepts, as they are written."""
    return [match.span() for match in _WORD.finditer(text) if word_filter[match.group()]]


class WordFilter(dict[str, bool]):
    """A cached predicate for words as written: `accepts` is asked once per spelling, with the folded form."""

    def __init__(self, accepts: Callable[[str], bool]) -> None:
        super().__init__()
        self.accepts = accepts

    def __missing__(self, written: str) -> bool:
        word = _fold_word(written)
        self[written] = accepted = bool(word) and len(word) <= MAX_LENGTH and self.accepts(word)
        return accepted


def folded_words(text: str) -> list[str]:
    """Return the words of `occurrences` without their positions, three times as fast."""
    return [word for written in _WORD.findall(text) if (word := _fold_word(written)) and len(word) <= MAX_LENGTH]


@lru_cache(maxsize=65536)
def _fold_word(written: str) -> str:
    return _POSSESSIVE.sub("", fold(written))


@lru_cache(maxsize=4096)
def vocabulary(text: str) -> frozenset[str]:
    """Return the folded words of a text without function words and bare numbers."""
    return frozenset(word for word in set(folded_words(text)) - STOP_WORDS if not word.isdigit())


class Phrase(NamedTuple):
    """Words of a heading that name one thing together."""

    words: tuple[str, ...]
    is_name: bool = False  # a part of it alone names something else: `United Kingdom`


class Heading(NamedTuple):
    """A heading, read as phrases."""

    words: tuple[HeadingWord, ...]  # every word once, in order
    phrases: tuple[Phrase, ...]


def plain_words(text: str) -> list[HeadingWord]:
    """Return every word once, in order, with the reason where it is ignored, whatever it says of the others."""
    found = (HeadingWord(word.written, word.word, word.ignored) for word in _parse(text))
    return list({word.word: word for word in found}.values())


class _ParsedWord(NamedTuple):
    written: str
    word: str
    ignored: str
    begins_phrase: bool  # after punctuation, or after a possessive


@lru_cache(maxsize=4096)
def read_heading(heading: str) -> Heading:
    """Read a heading as phrases: `Americans and allies` has two, `Flight directors` and `United Kingdom` one each.

    Function words, possessives and punctuation marks part phrases. A phrase that names a part of an article, such as
    `Legal status` or `Plot summary`, is left out, and so are words that only describe the one after them.
    """
    parsed = _parse(heading)
    content = [word.written[0].isupper() for word in parsed if not word.ignored]
    in_title_case = len(content) > 1 and all(content)
    ignored = {word.word: word.ignored for word in reversed(parsed)}
    phrases = []
    for part in _split(parsed):
        if not SCAFFOLDING.isdisjoint({part[-1].word, *possible_forms(part[-1].word)}):
            ignored |= dict.fromkeys((word.word for word in part), "names a part of an article")
            continue
        is_capital = [word.written[0].isupper() for word in part]
        has_name = not in_title_case and any(map(all, pairwise(is_capital)))
        core = [word for word in part[:-1] if has_name or word.word not in QUALIFIERS] + part[-1:]
        is_name = has_name or (in_title_case and len(core) > 1)
        phrases.append(Phrase(tuple(dict.fromkeys(word.word for word in core)), is_name))
        ignored |= dict.fromkeys((word.word for word in part[:-1]), "describes another word")
    ignored |= dict.fromkeys((word for phrase in phrases for word in phrase.words), "")
    words = {word.word: HeadingWord(word.written, word.word, ignored[word.word]) for word in reversed(parsed)}
    return Heading(
        tuple(words[word] for word in dict.fromkeys(word.word for word in parsed)), tuple(dict.fromkeys(phrases))
    )


def _parse(heading: str) -> list[_ParsedWord]:
    words = list(occurrences(heading))
    written = [heading[found.start : found.end] for found in words]
    parsed = []
    for index, found in enumerate(words):
        neighbours = [words[i].word for i in (index - 1, index + 1) if 0 <= i < len(words)]
        begins_phrase = bool(index) and (
            bool(heading[words[index - 1].end : found.start].strip(" \t-‐‑’'.\u00a0"))
            or without_possessive(written[index - 1]) != written[index - 1]
        )
        ignored = _why_ignored(found.word, neighbours)
        parsed.append(_ParsedWord(without_possessive(written[index]), found.word, ignored, begins_phrase))
    return parsed


def _why_ignored(word: str, neighbours: Iterable[str]) -> str:
    if word in CALENDAR and (word not in AMBIGUOUS_MONTHS or any(other.isdigit() for other in neighbours)):
        return "month or weekday"
    if word in STOP_WORDS:
        return "function word"
    if word in NUMBERS or re.fullmatch(r"\d+\w{0,2}|[ivx]{2,}", word):
        return "number"
    return "single letter" if len(word) == 1 else ""


def _split(parsed: Iterable[_ParsedWord]) -> Iterator[list[_ParsedWord]]:
    """Yield the words of each phrase that are not ignored."""
    words: list[_ParsedWord] = []
    for word in parsed:
        if words and (word.begins_phrase or word.ignored == "function word"):
            yield words
            words = []
        if not word.ignored:
            words.append(word)
    if words:
        yield words


def marked(text: str, words: Iterable[str]) -> list[tuple[str, bool]]:
    """Split the text into pieces, each with whether it is one of the folded words."""
    wanted = frozenset(words)
    pieces: list[tuple[str, bool]] = []
    end = 0
    for occurrence in occurrences(text):
        if occurrence.word in wanted:
            if occurrence.start > end:
                pieces.append((text[end : occurrence.start], False))
            word = without_possessive(text[occurrence.start : occurrence.end])
            pieces.append((word, True))
            end = occurrence.start + len(word)
    if end < len(text):
        pieces.append((text[end:], False))
    return pieces


def without_possessive(word: str) -> str:
    """Return a word as written without its possessive ending: `army’s` is `army`."""
    return re.sub(r"['’ʼ]s?$", "", word)


@lru_cache(maxsize=65536)
def form(word: str) -> str:
    """Return the base form that inflections of a folded word share: `allies` -> `ally`, `войны` -> `война`."""
    if _CYRILLIC.search(word):
        return _russian_form(word)
    return _english_form(word) if LATIN == "en" else _lemma(word)


def _lemma(word: str) -> str:
    """Return the form in the dictionary, or the word itself where there is none of the language."""
    return fold(simplemma.lemmatize(word, lang=DICTIONARY)) if DICTIONARY else word


def _english_form(word: str) -> str:
    if word in PLURALS:
        return PLURALS[word]
    if not word.endswith("s") or len(word) < 4 or word in SINGULARS_IN_S or word.endswith(("ss", "us", "is", "'s")):
        return word
    if not word.isascii():
        return word[:-1]
    lemma = simplemma.lemmatize(word, lang="en").lower()
    if lemma != word and _plural(lemma) == word:
        return lemma
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zzes")):
        return word[:-2]
    return word[:-1]


def _plural(noun: str) -> str:
    """Return the regular plural; it tells whether a dictionary form is a noun."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    if noun.endswith("o") and noun[-2:-1] not in "aeiou":
        return noun + "es" if noun + "s" not in _PLURALS_IN_OS else noun + "s"
    return noun + "s"


_PLURALS_IN_OS = word_list("plurals_in_os", LISTS)

RUSSIAN_ENDINGS = ("", *list_lines("endings", LISTS))

# Endings of nouns in a soft sign; with any other, a lemma in -ть, -ти or -чь is a verb.
_SOFT_NOUN_ENDINGS = ("ь", "и", "ью", "ей", "ям", "ями", "ях")


def _russian_form(word: str) -> str:
    if len(word) < 3:
        return word
    lemma = fold(simplemma.lemmatize(word, lang="ru"))
    if lemma.endswith(("ся", "сь")):
        return word
    if lemma.endswith(("ть", "чь")) and word not in {lemma[:-1] + ending for ending in _SOFT_NOUN_ENDINGS}:
        return word
    if lemma.endswith("ти") and lemma != word:
        return word
    return lemma


def possible_forms(word: str) -> set[str]:
    """Return spellings of which an unknown word may be an inflection, without using a dictionary."""
    if _CYRILLIC.search(word):
        stems = {word.removesuffix(ending) for ending in RUSSIAN_ENDINGS if word.endswith(ending)} | {word}
        return {stem + ending for stem in stems if len(stem) > 2 for ending in RUSSIAN_ENDINGS} - {word}
    if word in PLURALS:
        return {PLURALS[word]}
    if LATIN != "en" or len(word) < 4 or not word.endswith("s") or word in SINGULARS_IN_S:
        return set()
    return {word[:-1], word[:-2], word[:-3] + "y"} if word.endswith("ies") else {word[:-1], word[:-2]}


@lru_cache(maxsize=4096)
def spellings(word: str) -> frozenset[str]:
    """Return a folded word with what may be its other forms, without using a dictionary: `prisoner` and `prisoners`."""
    singulars = {word, *possible_forms(word)}
    if LATIN != "en" or _CYRILLIC.search(word):
        return frozenset(singulars)
    irregular = {plural for plural, singular in PLURALS.items() if singular in singulars}
    return frozenset(singulars | irregular | {_plural(singular) for singular in singulars})


@lru_cache(maxsize=8192)
def words_in(text: str) -> tuple[str, ...]:
    """Return the folded words of a text in order, cached because the index and the search read the same texts."""
    return tuple(folded_words(text))
