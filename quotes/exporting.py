"""Export of quotations as JSON Lines, in the format that `importing` reads. Deterministic to the byte."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from quotes.importing.records import (
    CHECK_FIELDS,
    COLLECTION_FIELDS,
    PERSON_FIELDS,
    PLAIN_FIELDS,
    TERM_FIELDS,
    WORK_FIELDS,
)
from quotes.models import Quote, Work

BATCH = 500


def lines() -> Iterator[str]:
    """Yield one line per quotation, published or not, ordered by key."""
    relations = ("person", "work", "quoted_in", "true_source", "version_of", "collection")
    quotes = Quote.objects.order_by("key").select_related(*relations)
    quotes = quotes.prefetch_related("tagged_items__tag", "index_terms", "checks__work")
    for quote in quotes.iterator(BATCH):
        yield json.dumps(row_of(quote), ensure_ascii=False)


def row_of(quote: Quote) -> dict[str, Any]:
    """Return everything that belongs to a quotation, whose tags, index terms and checks are prefetched."""
    plain = {name: _plain(getattr(quote, name)) for name in PLAIN_FIELDS}
    return {
        "key": quote.key,
        "text": plain.pop("text"),
        "person": _members(quote.person, PERSON_FIELDS),
        "work": _members(quote.work, WORK_FIELDS),
        "quoted_in": _members(quote.quoted_in, WORK_FIELDS),
        "collection": _members(quote.collection, COLLECTION_FIELDS),
        **plain,
        "true_source": quote.true_source.key if quote.true_source else "",
        "version_of": quote.version_of.key if quote.version_of else "",
        "tags": sorted(item.tag.name for item in quote.tagged_items.all()),
        "index_terms": sorted(
            (_members(term, TERM_FIELDS) for term in quote.index_terms.all()),
            key=lambda term: term["word"],
        ),
        "checks": sorted(
            ({name: _check(getattr(check, name)) for name in CHECK_FIELDS} for check in quote.checks.all()),
            key=lambda check: (check["checked_on"], check["checked_by"], check["place"]),
        ),
    }


def _members(row: Any, names: tuple[str, ...]) -> Any:
    return None if row is None else {name: _plain(getattr(row, name)) for name in names}


def _check(value: Any) -> Any:
    return _members(value, WORK_FIELDS) if isinstance(value, Work) else _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
