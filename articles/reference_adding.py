"""References that are missing while somebody writes; those of authors are proposed until an editor confirms them."""

import re
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from articles import citations, citing
from articles.models import Reference
from rlm_site.editor.adding import AddRecord, Offer, best
from rlm_site.text.folding import fold_name
from rlm_site.text.identifiers import normalise_doi, normalise_isbn

_LEAST_TITLE = 8  # letters that tell a work


class AddReference(AddRecord):
    adds = Reference
    name = "references"
    fields = (
        "authors", "title", "kind", "year", "container", "details", "publisher", "place", "isbn", "doi", "url",
        "language", "key",
    )  # fmt: skip
    identified_by = "year"
    title = gettext_lazy("Add a reference")

    def prepare(self, request: HttpRequest, row: Any) -> None:
        row.proposed = not self.may_confirm(request)

    def offer(self, row: Reference) -> Offer:
        return Offer(row.pk, row.title, _described(row.authors, row.year, row.key), f"[@{row.key}, p. ]")

    def told_of(self, typed: Mapping[str, str]) -> str:
        names = ("authors", "title", "year")
        if typed.get("key") or not typed.get("title"):
            return ""
        row = Reference(**{name: typed.get(name, "") for name in names})
        return _("Its key will be %(key)s.") % {"key": row.proposed_key()}

    def find_near(self, typed: Mapping[str, str]) -> list[Offer]:
        """Return works with this DOI, ISBN or title, and those of the same author and year. One query."""
        doi, isbn = normalise_doi(typed.get("doi", "")).lower(), _digits(typed.get("isbn", ""))
        title = fold_name(typed.get("title", ""))
        who = (_family(typed.get("authors", "")), typed.get("year", ""))
        found = []
        for row in Reference.objects.only("key", "authors", "title", "year", "doi", "isbn"):
            other = fold_name(row.title)
            is_long = min(len(title), len(other)) >= _LEAST_TITLE
            reasons = (
                bool(doi) and row.doi.lower() == doi,
                bool(isbn) and _digits(row.isbn) == isbn,
                bool(title) and (title == other or (is_long and (other.startswith(title) or title.startswith(other)))),
                all(who) and (_family(row.authors), row.year) == who,
            )
            if any(reasons):
                found.append((reasons.index(True), self.offer(row)))
        return best(found)


def _described(authors: str, year: str, key: str) -> str:
    return " · ".join(filter(None, (citations.names_in_note(authors), year, key)))


def _family(authors: str) -> str:
    names = citing.people(authors).names
    return fold_name(names[0].family) if names else ""


def _digits(isbn: str) -> str:
    """Return the digits by which an ISBN of 10 and that of 13 are the same: without the prefix and the check digit."""
    digits = re.sub(r"[^0-9X]", "", normalise_isbn(isbn))
    return digits[-10:-1] if len(digits) in {10, 13} else digits
