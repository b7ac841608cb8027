"""Brings together what two people made of one thing, without losing a word of either. Pure: it knows no database.

Three states are compared: the base both began from, mine and theirs. What one of them changed is taken, what both
changed in different ways is left for somebody to choose. Where the base is not known, whatever differs is left.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Generic, TypeVar

Value = TypeVar("Value")

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
# With the space behind it; what looks like the end of one within a sentence only makes a smaller piece.
_SENTENCE = re.compile(r".+?(?:[.!?…][\"'”’»)\]]*[^\S\n]+|\n|$)", re.DOTALL)


@dataclass(frozen=True)
class Passage(Generic[Value]):
    """One value, or one stretch of a text, in three states."""

    base: Value | None  # None: not known
    mine: Value
    theirs: Value

    @property
    def overlaps(self) -> bool:
        """Both changed it, each in another way."""
        return self.mine != self.theirs and self.base != self.mine and self.base != self.theirs

    @property
    def is_changed_by_them(self) -> bool:
        return self.theirs != (self.mine if self.base is None else self.base)

    @property
    def merged(self) -> Value:
        """What stands where nothing overlaps; mine where something does."""
        return self.theirs if self.mine == self.base else self.mine


def merge_names(base: Sequence[str] | None, mine: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """A set: what either added is in it, what either removed is not. Nothing is removed where the base is not known."""
    removed = set(base or ()) - set(mine)
    added = [name for name in mine if name not in theirs and name not in (base or ())]
    return [name for name in theirs if name not in removed] + added


def three_way_merge(base: str | None, mine: str, theirs: str) -> list[Passage[str]]:
    """Whole lines, one passage after another; each ends with a line break, the last one of the text included.

    Lines that both changed are merged sentence by sentence. Where sentences overlap, their lines stay one passage, and
    mine and theirs differ in these sentences alone.
    """
    if base is None:
        return list(_merge_without_base(_lines(mine), _lines(theirs)))
    passages = []
    for passage in _merge_lines(_lines(base), _lines(mine), _lines(theirs)):
        passages += _merge_sentences(passage) if passage.overlaps else [passage]
    return passages


def join_passages(passages: Iterable[Passage[str]], overlap: Callable[[Passage[str]], str]) -> str:
    """The text that `merge_texts` took apart, with what `overlap` makes of each passage that both changed."""
    lines = "".join(overlap(passage) if passage.overlaps else passage.merged for passage in passages)
    return lines.removesuffix("\n")


def _lines(text: str) -> list[str]:
    """A break is put behind the last line too, so that it is the same line when others follow."""
    return _LINE.findall(f"{text}\n") if text else []


def _matches(a: Sequence[str], b: Sequence[str]) -> SequenceMatcher[str]:
    return SequenceMatcher(None, a, b, autojunk=False)  # no line is junk because it is frequent


def _merge_lines(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> Iterator[Passage[str]]:
    """Stretches that are the same in all three, and what stands between them."""
    at = (0, 0, 0)
    for start, end, of_mine, of_theirs in _common(base, mine, theirs):
        between = Passage(
            *("".join(x) for x in (base[at[0] : start], mine[at[1] : of_mine], theirs[at[2] : of_theirs]))
        )
        if between.mine or between.theirs:
            yield between
        if same := "".join(base[start:end]):
            yield Passage(same, same, same)
        at = (end, of_mine + end - start, of_theirs + end - start)


def _common(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Start and end in the base of what all three have, and where it begins in the others; last, the ends of all."""
    blocks_of_theirs = _matches(base, theirs).get_matching_blocks()
    for block in _matches(base, mine).get_matching_blocks():
        for other in blocks_of_theirs:
            start, end = max(block.a, other.a), min(block.a + block.size, other.a + other.size)
            if start < end:
                yield start, end, block.b + start - block.a, other.b + start - other.a
    yield len(base), len(base), len(mine), len(theirs)


def _merge_without_base(mine: Sequence[str], theirs: Sequence[str]) -> Iterator[Passage[str]]:
    for _tag, a, a_end, b, b_end in _matches(mine, theirs).get_opcodes():
        yield Passage(None, "".join(mine[a:a_end]), "".join(theirs[b:b_end]))


def _merge_sentences(lines: Passage[str]) -> list[Passage[str]]:
    texts = (lines.base or "", lines.mine, lines.theirs)
    pieces = list(_merge_lines(*(_SENTENCE.findall(text) for text in texts)))
    if not any(piece.overlaps for piece in pieces):
        return pieces
    # One side where pieces overlap, and all that could be merged where they do not
    base = "".join((piece.base or "") if piece.overlaps else piece.merged for piece in pieces)
    mine = "".join(piece.merged for piece in pieces)
    theirs = "".join(piece.theirs if piece.overlaps else piece.merged for piece in pieces)
    return [Passage(base, mine, theirs)]
