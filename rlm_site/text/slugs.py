"""Slugs for titles, and a cached `reverse`."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from django import urls
from django.core.exceptions import ValidationError
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.translation import gettext as _

from rlm_site.text.folding import fold


def reverse(name: str, args: Sequence[str | int] = ()) -> str:
    """Return the URL path of a route, cached: a page has dozens of links, and reversing costs as much as a query."""
    return _reverse(name, tuple(args))


@lru_cache(maxsize=8192)
def _reverse(name: str, args: tuple[str | int, ...]) -> str:
    try:
        return urls.reverse(name, args=args)
    except urls.NoReverseMatch:
        return "/"  # of a row whose slug none can be, which another program has written


MAX_LENGTH = 100

# Russian by the Library of Congress system without diacritics, with Ukrainian and Belarusian letters.
# fmt: off
CYRILLIC = str.maketrans({
    "а": "a", "б": "b", "в": "v", "г": "g", "ґ": "g", "д": "d", "е": "e", "є": "ie", "ж": "zh", "з": "z", "и": "i",
    "і": "i", "й": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t",
    "у": "u", "ў": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y",
    "ь": "", "э": "e", "ю": "iu", "я": "ia", "ѣ": "ie", "ѳ": "f", "ѵ": "i",
})
# fmt: on

ABOUT = "about"  # the slug of the topic that editors may write for a page of the site itself

# First URL segments that are unused today but must stay free.
RESERVED = frozenset(
    ".well-known account api assets cdn-cgi contact de en favicon.ico favicon feeds fr index login logout media "
    "preview privacy print ru search static uk".split()
)
RESERVED_IN_TOPICS = frozenset({"all", "versions"})


def slug_for(title: str, is_taken: Callable[[str], bool] = lambda slug: False) -> str:
    """Return a slug of a-z, 0-9 and hyphens for the title; append a number if `is_taken(slug)` is true.

    The number is the next of a series; it is looked for by doubling, so that a thousandth slug asks twenty times.
    """
    latin = fold(title).translate(CYRILLIC).replace("'", "")
    slug = re.sub(r"[^a-z0-9]+", "-", latin).strip("-")
    if len(slug) > MAX_LENGTH:
        slug = slug[:MAX_LENGTH].rsplit("-", 1)[0]
    slug = slug or "page"

    def numbered(number: int) -> str:
        return slug if number == 1 else f"{slug[: MAX_LENGTH - max(5, len(str(number)) + 1)]}-{number}"

    highest = 1
    while is_taken(numbered(highest)):
        highest *= 2
    candidates = range(highest // 2 + 1, highest)
    return numbered(candidates.start + bisect_left(candidates, True, key=lambda number: not is_taken(numbered(number))))


def first_level_words() -> frozenset[str]:
    """Return the reserved words and every literal first segment in the URLconf, except that of the about page."""
    return RESERVED | frozenset(_first_segments(get_resolver().url_patterns)) - {ABOUT}


def _first_segments(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        route = str(pattern.pattern)
        if not route and isinstance(pattern, URLResolver):
            yield from _first_segments(pattern.url_patterns)
        elif route and not route.startswith("<"):
            yield route.split("/")[0]


def validate_first_level(slug: str) -> None:
    """Raise ValidationError where the site itself has this first segment of an address."""
    if slug in first_level_words():
        _refuse(slug, "topic")


def validate_section(slug: str) -> None:
    """Raise ValidationError where every topic has this address below its own."""
    if slug in RESERVED_IN_TOPICS:
        _refuse(slug, "section")


def _refuse(slug: str, place: str) -> None:
    raise ValidationError(
        _("“%(slug)s” is reserved for the site itself. Choose another slug, such as “%(slug)s-%(place)s”."),
        params={"slug": slug, "place": place},
        code="reserved",
    )
