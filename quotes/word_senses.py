"""Whether a text uses a word in the sense of a heading, judged by word lists and neighbouring words. Pure.

Headings consist of nouns and their adjectives. A quotation that *bears* fruit is no match for `The Bear`, `in order to`
none for `Order`, the ides of March none for `The March to the Sea`. This module decides what grammar can decide; the
rest is left to editors, by vetoes and index terms.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from rlm_site.text.word_lists import word_list
from rlm_site.text.words import AMBIGUOUS_MONTHS, PLURALS, QUALIFIERS, occurrences

LISTS = Path(__file__).parent / "lists"
_NOUNS_AND_VERBS = word_list("nouns_and_verbs", LISTS)
_NOUNS_AND_ADJECTIVES = word_list("nouns_and_adjectives", LISTS)
_HOMOGRAPHS = word_list("homographs", LISTS)
_PUBLIC_LIFE = word_list("public_life", LISTS)
_ACTIONS = word_list("actions", LISTS)
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
_NOUNS_AFTER_TO = word_list("nouns_after_to", LISTS)
_AROUND_NOUNS = (
    _PREPOSITIONS | _MODALS | _BE | _DETERMINERS | _WEAK_DETERMINERS | _SUBJECTS | _OBJECTS | _ADVERBS | _CONJUNCTIONS
)

# Set phrases in which a word has another sense; `~` stands for the word. They are matched against folded words.
_OTHER_SENSES = {
    "act": r"(first|last|second|third|fourth|fifth) ~",
    "acts": r"(first|last|two|three|four|five) ~",
    "arms": r"(my|thy|his|her|your|our|their|two|white|folded|clasping|another|lover|mother) ~"
    r"|~ of (mine|his|hers|thine)|(embrace|enfold|entwine)\w* .*~|~ .*(embrace|enfold|entwine)",
    "cause": r"(is|are|be|was|were|became|the) ~ (of|that|why)|without (a )?~",
    "character": r"(in (that|the|this)|whole|stage|dramatic) ~|~ in (a|the) (play|novel|book)",
    "court": r"(pay|pays|paid|make|makes|made) ~|~ of (love|heaven)",
    "courts": r"~ of (love|heaven|princes)|thy ~",
    "doubt": r"(no|without|beyond) ~",
    "election": r"want of ~",
    "end": r"(no|an|at) ~ (of|on|to)?|(to|at) the ~",
    "ends": r"(finger|fingers|odds and|old odd) ~|~ of (the earth|verse)",
    "faith": r"(in|i|by my|good|guid) ~",
    "general": r"in ~",
    "letters": r"(man|men|republic|world|woman) of ~",
    "march": r"(ides|winds|month|days) of ~|(in|early|late|mid|last) ~|~ hare",
    "matter": r"(no|what) ~",
    "means": r"by (no|all|any) ~",
    "minister": r"~ (to|unto)",
    "ministers": r"~ (to|unto|of (grace|love|heaven|god))",
    "mother": r"~ (earth|tongue|wit|of)",
    "order": r"in ~ (to|that)",
    "party": r"other ~|~ (to|of pleasure)|(dinner|evening|card|tea) ~",
    "plague": r"a ~ (of|on|upon|o)",
    "power": r"(have|has|hath|had) ~ to|~ above",
    "race": r"(run|runs|ran|running|win|wins|won|swift|olympic|foot|horse|boat)( \w+)? ~|~ is (run|won|not)",
    "retreat": r"(my|lone|sweet|rural|calm) ~|~s? (of|from) (life|care)",
    "state": r"~ of (mind|nature|things|man|men|life|being|grace|health|affairs|innocence)|in (a|this|that|his|sober) ~"
    r"|(my|thy|his|her) ~|(present|sober|same|natural|unhappy|perfect|what|whatsoever) ~|in all his ~|sat\w* in ~",
    "trial": r"(make|makes|made|making) ~|~ of (everything|strength|skill)",
    "truth": r"(in|of a) ~",
}


class SenseFit(IntEnum):
    """How closely the use of a word in a text fits its sense in a heading."""

    WRONG = 0  # as a verb, or in another sense
    WEAK = 1  # describing the next noun, or possibly in an unrelated sense
    UNSURE = 2
    CLEAR = 3
    BEST = 4  # near a word of public life, the subject of the site's headings


class _Token(NamedTuple):
    word: str
    after_break: bool  # first in the text, or after punctuation
    hyphenated: bool  # after a hyphen
    possessive: bool
    capitalized: bool  # within a sentence, as only a name would be


def sense_fits(text: str) -> dict[str, SenseFit]:
    """Return, for each folded word, how well its best use in the text fits a heading."""
    tokens = list(_tokens(text))
    public_words = {_singular(token.word) for token in tokens} & _PUBLIC_LIFE
    found: dict[str, SenseFit] = {}
    for index, token in enumerate(tokens):
        fit = min(_grammar(tokens, index), _sense(tokens, index, public_words))
        if fit is SenseFit.CLEAR and public_words - {_singular(token.word)}:
            fit = SenseFit.BEST
        found[token.word] = max(fit, found.get(token.word, SenseFit.WRONG))
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


def _grammar(tokens: Sequence[_Token], index: int) -> SenseFit:
    word = tokens[index].word
    verb = word in _NOUNS_AND_VERBS or _singular(word) in _NOUNS_AND_VERBS
    adjective = word in _NOUNS_AND_ADJECTIVES
    if tokens[index].possessive or not (verb or adjective):
        return SenseFit.CLEAR
    before, earlier, following = _beside(tokens, index)
    describes = bool(following) and not _ends_a_noun(following)
    if adjective and describes:
        return SenseFit.WEAK
    determined = before in _DETERMINERS or (
        index > 0 and not tokens[index].after_break and tokens[index - 1].possessive
    )
    if verb and not determined:
        if _is_verb(word, before, earlier, following):
            return SenseFit.UNSURE if _singular(word) in _ACTIONS else SenseFit.WRONG
        if describes and word == _singular(word) and before not in _PREPOSITIONS:
            return SenseFit.WEAK  # seal orders
    if determined or (verb and earlier in _DETERMINERS and before in _NOUNS_AND_ADJECTIVES | QUALIFIERS):
        return SenseFit.CLEAR
    if before in _PREPOSITIONS:
        return SenseFit.CLEAR if verb else SenseFit.UNSURE
    if adjective:
        return SenseFit.UNSURE if earlier in _DETERMINERS else SenseFit.WEAK
    return SenseFit.CLEAR if before in _WEAK_DETERMINERS or following in _MODALS | _BE | {"of"} else SenseFit.UNSURE


def _is_verb(word: str, before: str, earlier: str, following: str) -> bool:
    """Return whether its neighbours make a word without an article a verb."""
    plural = word != _singular(word)
    if before == "to" and not (word in _NOUNS_AFTER_TO or following == "of"):
        return True
    if before in _MODALS | _SUBJECTS or (before in _ADVERBS and earlier in _MODALS | _SUBJECTS):
        return True
    if following in _OBJECTS | _AFTER_VERBS:
        return True
    if following in _DETERMINERS | {"her", "this", "these", "those"}:
        return before not in _PREPOSITIONS and earlier not in _DETERMINERS | _PREPOSITIONS
    return before in {"which", "that", "one"} if plural else before != _singular(before)  # kings rule, shadows fall


def _beside(tokens: Sequence[_Token], index: int) -> tuple[str, str, str]:
    """Return the word before, the one before that, and the one after; empty across punctuation."""
    before = tokens[index - 1].word if index and not tokens[index].after_break else ""
    earlier = tokens[index - 2].word if before and index > 1 and not tokens[index - 1].after_break else ""
    following = tokens[index + 1].word if index + 1 < len(tokens) and not tokens[index + 1].after_break else ""
    return before, earlier, following


def _ends_a_noun(following: str) -> bool:
    """Return whether a word that is noun and adjective remains a noun before this one."""
    return following in _AROUND_NOUNS


def _sense(tokens: Sequence[_Token], index: int, public_words: Collection[str]) -> SenseFit:
    word = tokens[index].word
    if tokens[index].capitalized and word in AMBIGUOUS_MONTHS:
        return SenseFit.WRONG
    if word in _OTHER_SENSE_PATTERNS:
        window = [token.word for token in tokens[max(0, index - 5) : index]]
        after = [token.word for token in tokens[index + 1 : index + 6]]
        if _OTHER_SENSE_PATTERNS[word].search(" ".join([*window, "~", *after])):
            return SenseFit.WRONG
    if tokens[index].hyphenated or (index + 1 < len(tokens) and tokens[index + 1].hyphenated):
        return SenseFit.WEAK  # a part of another word
    singular = _singular(word)
    if (word in _HOMOGRAPHS or singular in _HOMOGRAPHS) and all(other == singular for other in public_words):
        return SenseFit.WEAK
    return SenseFit.CLEAR


_OTHER_SENSE_PATTERNS = {word: re.compile(rf"(?<!\S)(?:{pattern})(?!\S)") for word, pattern in _OTHER_SENSES.items()}


def _singular(word: str) -> str:
    """Return the singular, accurate enough for the word lists of this module."""
    if word in PLURALS:
        return PLURALS[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1]
