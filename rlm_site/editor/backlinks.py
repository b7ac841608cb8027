"""What links to a record, where editors should know: on its form, and before it is deleted, withdrawn or renamed.

Apps that have links register a function that finds them.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise

from rlm_site.editor.features import Feature

MOST_LISTED = 50


class Backlink(NamedTuple):
    """A link, and the record in which it stands."""

    title: str
    address: str  # of the form in which it is changed
    target: str  # as it is typed
    kind: str | Promise = ""  # where the words do not tell
    is_draft: bool = False


class Backlinks(NamedTuple):
    """The first of all links, and the number of the others."""

    listed: Sequence[Backlink]
    more: int

    @property
    def total(self) -> int:
        return len(self.listed) + self.more


NO_LINKS = Backlinks([], 0)

Find = Callable[[Sequence[Any], Any, datetime], Iterable[Backlink]]
_finders: list[Find] = []


def register(find: Find) -> None:
    """Declare in `AppConfig.ready`: `find(rows, user, now)` returns the links to these records that a user may see."""
    _finders.append(find)


def backlinks_of(rows: Sequence[Any], user: Any) -> Backlinks:
    """Return the links that lead to any of these records from others."""
    return first_of(link for find in _finders for link in find(rows, user, timezone.now()))


def first_of(links: Iterable[Backlink]) -> Backlinks:
    found = list(dict.fromkeys(links))
    return Backlinks(found[:MOST_LISTED], max(len(found) - MOST_LISTED, 0))


class BacklinksPanel(Feature):
    """Lists on the form what links to the record."""

    def form_context(self, request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
        row = context["original"]
        if row is None:
            return {}
        found = backlinks_of([row], request.user)
        return {"backlinks": found} if found.total or hasattr(row, "get_absolute_url") else {}
