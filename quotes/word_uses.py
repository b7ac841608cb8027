"""How a text uses each of its words, judged by its neighbours and its place. Pure.

Headings consist of nouns and their adjectives. A quotation that *bears* fruit is no match for `The Bear`, and one that
mentions a bear in passing is a poorer match than one that says what a bear is. Grammar decides what it can; the rest is
left to editors, by vetoes and index terms.
"""

from collections.abc import Iterator, Sequence
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from rlm_site.text.word_lists import list_lines, word_list
from rlm_site.text.words import AMBIGUOUS_MONTHS, QUALIFIERS, form, occurrences

LISTS = Path(__file__).parent / "lists"
_NOUNS = [line.split() for line in list_lines("nouns", LISTS)]
_MEANINGS = {word: int(meanings) for word, meanings, *_also in _NOUNS}
_NOUNS_AND_VERBS = frozenset(word for word, _meanings, *also in _NOUNS if "v" in "".join(also))
_NOUNS_AND_ADJECTIVES = frozenset(word for word, _meanings, *also in _NOUNS if "a" in "".join(also))
_DETERMINERS = word_list("determiners", LISTS)
_WEAK_DETERMINERS = word_list("weak_determiners", LISTS)
_PREPOSITIONS = word_list("prepositions", LISTS)
_MODALS = word_list("modals", LISTS)
_BE = word_list("be", LISTS)
_SUBJECTS = word_list("subjects", LISTS)
_OBJECTS = word_list("objects", LISTS)
_AFTER_VERBS = word_list("after_verbs", LISTS)
_ADVERBS = word_list("adverbs", LISTS)
_CONJUNCTIONS = word_list("conjunctions", LISTS)
_AROUND_NOUNS = (
    _PREPOSITIONS | _MODALS | _BE | _DETERMINERS | _WEAK_DETERMINERS | _SUBJECTS | _OBJECTS | _ADVERBS | _CONJUNCTIONS
)


class Grammar(IntEnum):
    """The part of speech in which a text uses a word that headings use as a noun."""

    OTHER = 0  # a verb, or the name of a month
    DESCRIBES = 1  # it describes the next word, or is a part of another
    UNSURE = 2
    NOUN = 3


class WordUse(NamedTuple):
    """The best use of a word in a text."""

    grammar: Grammar
    times: int  # how often the text has the word, in any of its forms
    is_subject: bool  # the text says what it is or does: `war is`, `history must`
    meanings: int = 1  # that the word may have


class _Token(NamedTuple):
    word: str
    after_break: bool  # first in the text, or after punctuation
    hyphenated: bool  # after a hyphen
    possessive: bool
    capitalized: bool  # within a sentence, as only a name would be


def word_uses(text: str) -> dict[str, WordUse]:
    """Return, for each folded word, its best use in the text."""
    tokens = list(_tokens(text))
    counts: dict[str, int] = {}
    for token in tokens:
        counts[form(token.word)] = counts.get(form(token.word), 0) + 1
    found: dict[str, WordUse] = {}
    for index, token in enumerate(tokens):
        base = form(token.word)
        meanings = max(_MEANINGS.get(token.word, 1), _MEANINGS.get(base, 1))
        use = WordUse(_grammar(tokens, index), counts[base], _is_subject(tokens, index), meanings)
        former = found.get(token.word, use)
        found[token.word] = use._replace(
            grammar=max(use.grammar, former.grammar), is_subject=use.is_subject or former.is_subject
        )
    return found


def _tokens(text: str) -> Iterator[_Token]:
    end = 0
    for found in occurrences(text):
        gap = text[end : found.start]
        after_break = not end or (not gap.strip("-'’").isspace() and gap != "-")
        possessive = text[found.start : found.end].endswith(("'s", "’s", "s'", "s’"))
        capitalized = text[found.start].isupper() and not after_break and "\n" not in gap
        yield _Token(found.word, after_break, gap == "-", possessive, capitalized)
        end = found.end


def _is_subject(tokens: Sequence[_Token], index: int) -> bool:
    _before, _earlier, following = _beside(tokens, index)
    return following in _BE | _MODALS


def _grammar(tokens: Sequence[_Token], index: int) -> Grammar:
    token = tokens[index]
    if token.capitalized and token.word in AMBIGUOUS_MONTHS:
        return Grammar.OTHER
    if token.hyphenated or (index + 1 < len(tokens) and tokens[index + 1].hyphenated):
        return min(_part_of_speech(tokens, index), Grammar.DESCRIBES)
    return _part_of_speech(tokens, index)


def _part_of_speech(tokens: Sequence[_Token], index: int) -> Grammar:
    word = tokens[index].word
    singular = form(word)
    verb = word in _NOUNS_AND_VERBS | _BE | _MODALS or singular in _NOUNS_AND_VERBS
    adjective = word in _NOUNS_AND_ADJECTIVES
    if tokens[index].possessive or not (verb or adjective):
        return Grammar.NOUN
    before, earlier, following = _beside(tokens, index)
    describes = bool(following) and following not in _AROUND_NOUNS
    if adjective and describes:
        return Grammar.DESCRIBES
    determined = before in _DETERMINERS or (
        index > 0 and not tokens[index].after_break and tokens[index - 1].possessive
    )
    if verb and not determined:
        if _is_verb(word, singular, before, earlier, following):
            return Grammar.OTHER
        if describes and word == singular and before not in _PREPOSITIONS:
            return Grammar.DESCRIBES  # seal orders
    if determined or (verb and earlier in _DETERMINERS and before in _NOUNS_AND_ADJECTIVES | QUALIFIERS):
        return Grammar.NOUN
    if before in _PREPOSITIONS:
        return Grammar.NOUN if verb else Grammar.UNSURE
    if adjective:
        return Grammar.UNSURE if earlier in _DETERMINERS else Grammar.DESCRIBES
    return Grammar.NOUN if before in _WEAK_DETERMINERS or following in _MODALS | _BE | {"of"} else Grammar.UNSURE


def _is_verb(word: str, singular: str, before: str, earlier: str, following: str) -> bool:
    """Return whether its neighbours make a word without an article a verb."""
    if before == "to" and following != "of":
        return True
    if before in _MODALS | _SUBJECTS or (before in _ADVERBS and earlier in _MODALS | _SUBJECTS):
        return True
    if following in _OBJECTS | _AFTER_VERBS:
        return True
    if following in _DETERMINERS | {"her", "this", "these", "those"}:
        return before not in _PREPOSITIONS and earlier not in _DETERMINERS | _PREPOSITIONS
    if word != singular:
        return before in {"which", "that", "one"}
    return before != form(before)  # kings rule, shadows fall


def _beside(tokens: Sequence[_Token], index: int) -> tuple[str, str, str]:
    """Return the word before, the one before that, and the one after; empty across punctuation."""
    before = tokens[index - 1].word if index and not tokens[index].after_break else ""
    earlier = tokens[index - 2].word if before and index > 1 and not tokens[index - 1].after_break else ""
    following = tokens[index + 1].word if index + 1 < len(tokens) and not tokens[index + 1].after_break else ""
    return before, earlier, following
