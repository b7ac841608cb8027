import random
from collections.abc import Sequence

import pytest

from rlm_site.text import alignment
from rlm_site.text.alignment import Block, Gap, common_blocks, gaps_between, unique_runs


def check(a: Sequence[str], b: Sequence[str], blocks: Sequence[Block]) -> None:
    """Fail unless the blocks are equal in both, in order, and do not overlap."""
    at = b_at = 0
    for block in blocks:
        assert block.size > 0
        assert block.a >= at
        assert block.b >= b_at
        assert a[block.a : block.a + block.size] == b[block.b : block.b + block.size]
        at, b_at = block.a + block.size, block.b + block.size


@pytest.mark.parametrize("steps", [alignment.MAX_STEPS, 40, 0])
def test_blocks_are_common_and_in_order(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment, "MAX_STEPS", steps)
    at_random = random.Random(3)  # noqa: S311
    for _time in range(500):
        a, b = (at_random.choices("abcdefgh", k=at_random.randrange(14)) for _side in range(2))
        check(a, b, common_blocks(a, b))
        check(a, b, unique_runs(a, b))


def test_what_both_begin_and_end_with_is_common_however_long_they_are() -> None:
    a, b = ["x"] * 50_000 + ["a"] + ["x"] * 50_000, ["x"] * 50_000 + ["b", "b"] + ["x"] * 50_000
    assert common_blocks(a, b) == [Block(0, 0, 50_000), Block(50_001, 50_002, 50_000)]


def test_what_is_unique_is_found_however_long_they_are() -> None:
    a = [word for number in range(20_000) for word in (str(number), "a")]
    b = [word for number in range(20_000) for word in (str(number), "b")]
    assert sum(block.size for block in common_blocks(a, b)) == 20_000


def test_gaps_are_what_stands_between_blocks() -> None:
    assert list(gaps_between([Block(1, 0, 2), Block(3, 4, 1)], 4, 6)) == [
        Gap(0, 1, 0, 0),
        Gap(3, 3, 2, 4),
        Gap(4, 4, 5, 6),
    ]
