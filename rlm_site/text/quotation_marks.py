"""Typographic quotation marks and apostrophes for straight ones, in time proportional to the text."""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

_STRAIGHT = re.compile(r"[\"']")
_PAIRS = {'"': ("“", "”"), "'": ("‘", "’")}
_APOSTROPHE = "’"
MAX_UNCLOSED = 100  # quotations that are open at once, each in another one


class Run(NamedTuple):
    """A piece of a paragraph: its text, how deep in emphasis and links it stands, and whether marks in it are set."""

    text: str
    level: int = 0
    is_prose: bool = True


class _Opening(NamedTuple):
    run: int
    place: int
    mark: str
    level: int


def set_quotation_marks(runs: Sequence[Run]) -> list[str]:
    """Return the texts of the runs of one line with typographic marks.

    A mark that can neither open nor close a quotation is an apostrophe or stays straight. Opening and closing marks
    stand at the same level.

    >>> set_quotation_marks([Run('"Who\\'s there?"')])
    ['“Who’s there?”']
    """
    texts = [list(run.text) for run in runs]
    before, after = _neighbours(runs), _neighbours(runs[::-1], first=True)[::-1]
    opened: list[_Opening] = []
    for index, run in enumerate(runs):
        while opened and opened[-1].level > run.level:
            opened.pop()
        for match in _STRAIGHT.finditer(run.text) if run.is_prose else ():
            mark, place = match[0], match.start()
            previous = run.text[place - 1] if place else before[index]
            following = run.text[place + 1] if place + 1 < len(run.text) else after[index]
            opens, closes = _directions(mark, previous, following)
            if closes and (opening := _take(opened, mark, run.level)):
                texts[opening.run][opening.place], texts[index][place] = _PAIRS[mark]
            elif opens:
                opened.append(_Opening(index, place, mark, run.level))
            elif mark == "'":
                texts[index][place] = _APOSTROPHE
    return ["".join(text) for text in texts]


def _take(opened: list[_Opening], mark: str, level: int) -> _Opening | None:
    """Return the innermost quotation that this mark closes, and forget it and those opened within."""
    for depth in range(len(opened) - 1, max(-1, len(opened) - 1 - MAX_UNCLOSED), -1):
        opening = opened[depth]
        if opening.level < level:
            return None
        if opening.mark == mark:
            del opened[depth:]
            return opening
    return None


def _neighbours(runs: Sequence[Run], *, first: bool = False) -> list[str]:
    """Return the character that stands before each run, or after it if they are given in reverse; else a space."""
    found, character = [], " "
    for run in runs:
        found.append(character)
        if run.text:
            character = run.text[0 if first else -1]
    return found


def _directions(mark: str, previous: str, following: str) -> tuple[bool, bool]:
    """Return whether a mark between these characters can open and close a quotation."""
    after_space, before_space = previous.isspace(), following.isspace()
    after_sign, before_sign = _is_sign(previous), _is_sign(following)
    opens = not before_space and (not before_sign or after_space or after_sign)
    closes = not after_space and (not after_sign or before_space or before_sign)
    if mark == following == '"' and previous.isascii() and previous.isdigit():
        return False, False  # inches
    if opens and closes:
        return after_sign, before_sign  # in a series of signs, not in a word
    return opens, closes


def _is_sign(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"
