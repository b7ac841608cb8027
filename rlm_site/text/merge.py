"""Three-way merge of texts and lists of names. Pure functions, no database.

Three states are compared: the common base, mine and theirs. A change by one side is taken; where both sides changed
the same passage differently, the caller decides. Without a base, every difference is left to the caller.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rlm_site.text.alignment import Block, common_blocks

Value = TypeVar("Value")

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
# With the following space; a false sentence end only makes smaller pieces.
_SENTENCE = re.compile(r".+?(?:[.!?…][\"'”’»)\]]*[^\S\n]+|\n|$)", re.DOTALL)


@dataclass(frozen=True)
class Passage(Generic[Value]):
    """One value, or one passage of a text, in three states."""

    base: Value | None  # None: unknown
    mine: Value
    theirs: Value

    @property
    def overlaps(self) -> bool:
        """Return whether both sides changed it, in different ways."""
        return self.mine != self.theirs and self.base != self.mine and self.base != self.theirs

    @property
    def is_changed_by_them(self) -> bool:
        return self.theirs != (self.mine if self.base is None else self.base)

    @property
    def merged(self) -> Value:
        """Return the merged value where nothing overlaps, else mine."""
        return self.theirs if self.mine == self.base else self.mine


def merge_names(base: Sequence[str] | None, mine: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """Merge two sets of names: additions and removals of both sides apply. Without a base nothing is removed."""
    removed = set(base or ()) - set(mine)
    known = {*theirs, *(base or ())}
    added = [name for name in mine if name not in known]
    return [name for name in theirs if name not in removed] + added


def three_way_merge(base: str | None, mine: str, theirs: str) -> list[Passage[str]]:
    """Merge whole lines; return them as passages that all end with a line break, the last one too.

    Lines that both sides changed are merged sentence by sentence. Where sentences overlap, their lines stay one passage
    in which mine and theirs differ in these sentences only.
    """
    if base is None:
        return list(_merge_without_base(_lines(mine), _lines(theirs)))
    passages = []
    for passage in _merge_lines(_lines(base), _lines(mine), _lines(theirs)):
        passages += _merge_sentences(passage) if passage.overlaps else [passage]
    return passages


def join_passages(passages: Iterable[Passage[str]], overlap: Callable[[Passage[str]], str]) -> str:
    """Join the passages of `three_way_merge`; `overlap` gives the text of those that both sides changed."""
    lines = "".join(overlap(passage) if passage.overlaps else passage.merged for passage in passages)
    return lines.removesuffix("\n")


def _lines(text: str) -> list[str]:
    """Split a text into lines; the last one gets a line break too, so that it compares equal when others follow."""
    return _LINE.findall(f"{text}\n") if text else []


def _merge_lines(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> Iterator[Passage[str]]:
    """Yield the passages that all three have in common, and those between them."""
    at = (0, 0, 0)
    for start, end, mine_start, theirs_start in _common(base, mine, theirs):
        between = Passage(
            *("".join(x) for x in (base[at[0] : start], mine[at[1] : mine_start], theirs[at[2] : theirs_start]))
        )
        if between.mine or between.theirs:
            yield between
        if same := "".join(base[start:end]):
            yield Passage(same, same, same)
        at = (end, mine_start + end - start, theirs_start + end - start)


def _common(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield start and end in the base of each common block and its starts in the other two; last, the ends of all."""
    their_blocks = iter(common_blocks(base, theirs))
    their_block = next(their_blocks, None)
    for block in common_blocks(base, mine):
        while their_block and their_block.a < block.a + block.size:
            start, end = max(block.a, their_block.a), min(block.a + block.size, their_block.a + their_block.size)
            if start < end:
                yield start, end, block.b + start - block.a, their_block.b + start - their_block.a
            if their_block.a + their_block.size > block.a + block.size:
                break  # the rest of it may be common with the next block
            their_block = next(their_blocks, None)
    yield len(base), len(base), len(mine), len(theirs)


def _merge_without_base(mine: Sequence[str], theirs: Sequence[str]) -> Iterator[Passage[str]]:
    at = b_at = 0
    for a, b, size in (*common_blocks(mine, theirs), Block(len(mine), len(theirs), 0)):
        if at < a or b_at < b:
            yield Passage(None, "".join(mine[at:a]), "".join(theirs[b_at:b]))
        if size:
            yield Passage(None, same := "".join(mine[a : a + size]), same)
        at, b_at = a + size, b + size


def _merge_sentences(lines: Passage[str]) -> list[Passage[str]]:
    texts = (lines.base or "", lines.mine, lines.theirs)
    pieces = list(_merge_lines(*(_SENTENCE.findall(text) for text in texts)))
    if not any(piece.overlaps for piece in pieces):
        return pieces
    # Each side keeps its own words where pieces overlap, and both have the merged ones elsewhere.
    base = "".join((piece.base or "") if piece.overlaps else piece.merged for piece in pieces)
    mine = "".join(piece.merged for piece in pieces)
    theirs = "".join(piece.theirs if piece.overlaps else piece.merged for piece in pieces)
    return [Passage(base, mine, theirs)]
