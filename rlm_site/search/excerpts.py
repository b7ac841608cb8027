from bisect import bisect_left

from rlm_site.text.words import WordFilter, find_spans

EXCERPT = 260  # characters
BEGINNING = 1500


def mark_words(text: str, word_filter: WordFilter) -> list[tuple[str, bool]]:
    pieces: list[tuple[str, bool]] = []
    end = 0
    for start, stop in find_spans(text, word_filter):
        pieces += [(text[end:start], False), (text[start:stop], True)]
        end = stop
    pieces.append((text[end:], False))
    return [(piece, mark) for piece, mark in pieces if piece]


def make_excerpt(text: str, word_filter: WordFilter) -> list[tuple[str, bool]]:
    """Return the part of the text with the most marked words, from its beginning if any are there."""
    starts = [start for start, _stop in find_spans(text[:BEGINNING], word_filter) or find_spans(text, word_filter)]
    hit_counts = [bisect_left(starts, start + EXCERPT) - number for number, start in enumerate(starts)]
    start = starts[hit_counts.index(max(hit_counts))] if starts else 0
    start = max(0, start - EXCERPT // 4)
    if start:
        start = text.find(" ", start) + 1
    end = len(text) if start + EXCERPT >= len(text) else text.rfind(" ", start, start + EXCERPT)
    pieces = mark_words(" ".join(text[start : max(end, start)].split()), word_filter)
    return [*([("… ", False)] if start else []), *pieces, *([(" …", False)] if end < len(text) else [])]
