from bisect import bisect_left

from rlm_site.text.words import Wanted, places

EXCERPT = 260  # characters
BEGINNING = 1500


def mark_words(text: str, wanted: Wanted) -> list[tuple[str, bool]]:
    pieces: list[tuple[str, bool]] = []
    end = 0
    for start, stop in places(text, wanted):
        pieces += [(text[end:start], False), (text[start:stop], True)]
        end = stop
    pieces.append((text[end:], False))
    return [(piece, mark) for piece, mark in pieces if piece]


def make_excerpt(text: str, wanted: Wanted) -> list[tuple[str, bool]]:
    """The part of the text with the most words found, cut between words; of the text's beginning if they are there."""
    starts = [start for start, _stop in places(text[:BEGINNING], wanted) or places(text, wanted)]
    within = [bisect_left(starts, start + EXCERPT) - number for number, start in enumerate(starts)]
    start = starts[within.index(max(within))] if starts else 0
    start = max(0, start - EXCERPT // 4)
    if start:
        start = text.find(" ", start) + 1
    end = len(text) if start + EXCERPT >= len(text) else text.rfind(" ", start, start + EXCERPT)
    pieces = mark_words(" ".join(text[start : max(end, start)].split()), wanted)
    return [*([("… ", False)] if start else []), *pieces, *([(" …", False)] if end < len(text) else [])]
