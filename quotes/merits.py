"""How fit a quotation is to stand under a heading with one of its words, estimated when it is indexed. Pure.

The weights are log-odds that an editor would print the quotation there, fitted to judged pairs of headings and
quotations (see `benchmarks/matching/`). A thought that is complete in a breath and says what the thing is ranks high;
a mention in passing, a verb, a scrap of a story or of a dialogue ranks low.
"""

from pathlib import Path
from typing import Any

from quotes.models import Collection, Quote
from quotes.word_uses import Grammar, WordUse
from rlm_site.text.word_lists import word_list
from rlm_site.text.words import folded_words

LISTS = Path(__file__).parent / "lists"
_PRESENT = word_list("present", LISTS)
_PRONOUNS = word_list("pronouns", LISTS)
_DIALOGUE = frozenset('"“„«')

BREATH = 220  # characters that are read in one
MERITS = {
    "base": 0.95,
    "verb": -0.3,
    "describes": -0.45,  # the next word, or is a part of another
    "repeated": 0.7,  # for the second time that the text has the word, and the third
    "subject": 0.3,
    "each further meaning": -0.08,  # that the word may have, beyond two
    "present": 0.25,  # what is so, rather than what somebody did
    "pronoun": -0.45,
    "verse": -0.2,
    "dialogue": -0.55,
    "each hundred characters more": -0.75,
}


def may_be_picked(quote: Any) -> bool:
    """Return whether the site may pick a quotation, given its columns and its collection's `pick_policy`."""
    return bool(
        quote.published
        and quote.auto_pick
        and quote.status in Quote.PICKED_STATUSES
        and quote.pick_policy != Collection.PickPolicy.PINNED
    )


def text_merit(text: str) -> float:
    """Return what the text contributes, whichever word it is asked for."""
    words = set(folded_words(text))
    merit = MERITS["base"] + MERITS["each hundred characters more"] * max(0, len(text) - BREATH) / 100
    merit += MERITS["present"] * (not _PRESENT.isdisjoint(words))
    merit += MERITS["pronoun"] * (not _PRONOUNS.isdisjoint(words))
    merit += MERITS["verse"] * ("\n" in text.strip())
    return merit + MERITS["dialogue"] * (not _DIALOGUE.isdisjoint(text))


def use_merit(use: WordUse) -> float:
    """Return what the use of a word contributes."""
    merit = MERITS["repeated"] * (min(use.times, 3) - 1) + MERITS["subject"] * use.is_subject
    merit += MERITS["each further meaning"] * min(max(use.meanings - 2, 0), 10)
    merit += MERITS["verb"] * (use.grammar is Grammar.OTHER)
    return merit + MERITS["describes"] * (use.grammar is Grammar.DESCRIBES)


def as_rank(merit: float) -> int:
    """Return a merit as a rank from 1 to 100; 20 ranks are a factor of e in the odds, 50 is an even chance."""
    return min(max(round(50 + 20 * merit), 1), 100)
