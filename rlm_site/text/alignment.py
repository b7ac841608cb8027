"""What two sequences have in common, in order, in time that grows with their length and not with its square."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

MAX_STEPS = 5_000_000  # of comparing item by item, in all passages together
_DEPTH = 4  # a unique item of a passage may be one of many in the whole


class Block(NamedTuple):
    """A run of equal items: a[a : a + size] == b[b : b + size]."""

    a: int
    b: int
    size: int


class Gap(NamedTuple):
    """What stands between two blocks: a[start:end] and b[b_start:b_end]."""

    start: int
    end: int
    b_start: int
    b_end: int


def common_blocks(a: Sequence[str], b: Sequence[str]) -> list[Block]:
    """Return the longest runs that both have in common, in order.

    Where items repeat so often that this would take too long, only what is unique, or stands beside it, is compared.
    """
    steps = MAX_STEPS
    if _steps(a, b) <= steps:
        return list(_longest_runs(a, b))
    blocks = unique_runs(a, b)
    for gap in gaps_between(blocks, len(a), len(b)):
        inner_a, inner_b = a[gap.start : gap.end], b[gap.b_start : gap.b_end]
        if (taken := _steps(inner_a, inner_b)) <= steps:
            steps -= taken
            runs = _longest_runs(inner_a, inner_b)
            blocks += [Block(gap.start + run.a, gap.b_start + run.b, run.size) for run in runs]
    return sorted(blocks)


def _steps(a: Sequence[str], b: Sequence[str]) -> int:
    """Return how many steps `_longest_runs` may take: in each pair of equal items, for each of the runs."""
    counts = Counter(b)
    return (len(a) + sum(counts[item] for item in a)) * min(len(a), len(b))


def _longest_runs(a: Sequence[str], b: Sequence[str]) -> Iterator[Block]:
    matcher = SequenceMatcher(None, a, b, autojunk=False)  # no item is junk because it is frequent
    yield from (Block(*block) for block in matcher.get_matching_blocks() if block.size)


def gaps_between(blocks: Sequence[Block], a_length: int, b_length: int) -> Iterator[Gap]:
    """Yield what stands before, between and after the blocks, unless it is nothing in both sequences."""
    start = b_start = 0
    for block in (*blocks, Block(a_length, b_length, 0)):
        if start < block.a or b_start < block.b:
            yield Gap(start, block.a, b_start, block.b)
        start, b_start = block.a + block.size, block.b + block.size


def unique_runs(a: Sequence[str], b: Sequence[str], depth: int = _DEPTH) -> list[Block]:
    """Return runs in common that hold an item which is unique in both, or that both begin or end with, in order."""
    start, end = _common_start(a, b), 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    last, b_last = len(a) - end, len(b) - end
    blocks = [Block(0, 0, start)] if start else []
    at, b_at = start, start
    anchors = _anchors(a[start:last], b[start:b_last]) if depth else []
    for x, y in ((start + x, start + y) for x, y in anchors):
        if x < at:
            continue  # the run of an anchor before reaches it
        blocks += [Block(at + run.a, b_at + run.b, run.size) for run in unique_runs(a[at:x], b[b_at:y], depth - 1)]
        at, b_at = x + 1, y + 1
        while at < last and b_at < b_last and a[at] == b[b_at]:
            at, b_at = at + 1, b_at + 1
        blocks.append(Block(x, y, at - x))
    if anchors:
        inner = unique_runs(a[at:last], b[b_at:b_last], depth - 1)
        blocks += [Block(at + run.a, b_at + run.b, run.size) for run in inner]
    return [*blocks, Block(last, b_last, end)] if end else blocks


def _common_start(a: Sequence[str], b: Sequence[str]) -> int:
    size = 0
    for item, other in zip(a, b, strict=False):
        if item != other:
            break
        size += 1
    return size


def _anchors(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """Return the places of the longest series of items that are unique in both and stand there in the same order."""
    counts, b_counts = Counter(a), Counter(b)
    places = {item: place for place, item in enumerate(b) if b_counts[item] == 1}
    pairs = [(place, places[item]) for place, item in enumerate(a) if counts[item] == 1 and item in places]
    tails: list[int] = []  # the least end in b of a series of each length
    ends: list[int] = []  # the index of the pair that ends it
    before: list[int] = []
    for index, (_place, b_place) in enumerate(pairs):
        length = bisect_left(tails, b_place)
        before.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [b_place]
        ends[length : length + 1] = [index]
    series = []
    index = ends[-1] if ends else -1
    while index >= 0:
        series.append(pairs[index])
        index = before[index]
    return series[::-1]
