"""Addresses of pages by the name of their route: Django's `reverse`, remembered."""

from collections.abc import Sequence
from functools import lru_cache

from django import urls


def reverse(name: str, args: Sequence[str | int] = ()) -> str:
    """A page lists dozens of addresses, and each takes as long to put together as a row to read."""
    return _reverse(name, tuple(args))


@lru_cache(maxsize=8192)
def _reverse(name: str, args: tuple[str | int, ...]) -> str:
    return urls.reverse(name, args=args)
