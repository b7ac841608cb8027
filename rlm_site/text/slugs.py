"""Addresses of pages by the name of their route: Django's `reverse`, remembered."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from django import urls
from django.core.exceptions import ValidationError
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.translation import gettext as _

from rlm_site.text.folding import fold


def reverse(name: str, args: Sequence[str | int] = ()) -> str:
    """A page lists dozens of addresses, and each takes as long to put together as a row to read."""
    return _reverse(name, tuple(args))


@lru_cache(maxsize=8192)
def _reverse(name: str, args: tuple[str | int, ...]) -> str:
    return urls.reverse(name, args=args)


MAX_LENGTH = 100

# Russian after the Library of Congress without its marks; Ukrainian and Belarusian letters beside it.
# fmt: off
CYRILLIC = str.maketrans({
    "а": "a", "б": "b", "в": "v", "г": "g", "ґ": "g", "д": "d", "е": "e", "є": "ie", "ж": "zh", "з": "z", "и": "i",
    "і": "i", "й": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t",
    "у": "u", "ў": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y",
    "ь": "", "э": "e", "ю": "iu", "я": "ia", "ѣ": "ie", "ѳ": "f", "ѵ": "i",
})
# fmt: on

# First-level words that no URL uses today but that must stay free.
RESERVED = frozenset(
    ".well-known about account api assets cdn-cgi contact de en favicon.ico favicon feeds fr index login logout media "
    "preview privacy print ru search static uk".split()
)


def slug_for(title: str, taken: Callable[[str], bool] = lambda slug: False) -> str:
    """A slug of a-z, 0-9 and hyphens for the title; a number is added while `taken(slug)` is true."""
    latin = fold(title).translate(CYRILLIC).replace("'", "")
    slug = re.sub(r"[^a-z0-9]+", "-", latin).strip("-")
    if len(slug) > MAX_LENGTH:
        slug = slug[:MAX_LENGTH].rsplit("-", 1)[0]
    slug = slug or "page"
    candidate, number = slug, 2
    while taken(candidate):
        candidate = f"{slug[: MAX_LENGTH - 5]}-{number}"
        number += 1
    return candidate


def first_level_words() -> frozenset[str]:
    """Every literal word with which an address of the URL table begins, and the reserved ones."""
    return RESERVED | frozenset(_first_words(get_resolver().url_patterns))


def _first_words(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        route = str(pattern.pattern)
        if not route and isinstance(pattern, URLResolver):
            yield from _first_words(pattern.url_patterns)
        elif route and not route.startswith("<"):
            yield route.split("/")[0]


def validate_first_level(slug: str) -> None:
    if slug in first_level_words():
        raise ValidationError(
            _("“%(slug)s” is an address of the site itself. Choose another slug, such as “%(slug)s-topic”."),
            params={"slug": slug},
            code="reserved",
        )
