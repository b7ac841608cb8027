"""Registration of quotations with the search."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from quotes.models import Person, Quote, TaggedQuote, Work
from rlm_site.history import revisions
from rlm_site.indexing.queue import with_ids
from rlm_site.publishing.visibility import public_window
from rlm_site.search.models import SearchDocument
from rlm_site.search.registry import Document, Kind, Source


def documents(ids: Sequence[int]) -> Iterator[Document]:
    """Yield a search document for each of these quotations that is or will be public."""
    columns = ("pk", "text", "name_as_printed", "person_id", "work_id", "quoted_in_id")
    times = ("published", "publish_at", "retire_at")
    rows: Any = list(Quote.objects.filter(with_ids("pk", ids)).values_list(*columns, *times, named=True))
    # Thousands of rows share a few people and works, so each of these is read once.
    people = Person.objects.in_bulk({row.person_id for row in rows if row.person_id})
    works = {pk for row in rows for pk in (row.work_id, row.quoted_in_id) if pk}
    titled = Work.objects.filter(with_ids("pk", works)).only("pk", "title", "kind").in_bulk()
    tags: dict[int, list[str]] = defaultdict(list)
    tagged = TaggedQuote.objects.filter(with_ids("content_object", ids)).order_by("pk")
    for quote_id, name in tagged.values_list("content_object_id", "tag__name"):
        tags[quote_id].append(name)
    for row in rows:
        if public := public_window(row):
            person = people.get(row.person_id)
            sources = [titled[pk] for pk in (row.work_id, row.quoted_in_id) if pk in titled]
            name = row.name_as_printed or (person.name if person else "")
            if not name and not any(source.is_scripture for source in sources):
                name = str(_("Anonymous"))
            titles = [source.title for source in sources]
            about = [*filter(None, [name]), *(person.aliases if person else []), *titles, *tags[row.pk]]
            yield Document(row.pk, "quotation", "", [], about, row.text, *public)


def once_public(ids: Collection[int]) -> set[int]:
    """Return those of these deleted quotations that readers had seen: by their document, or else by their history."""
    shown = SearchDocument.objects.filter(source="quote", object_id__in=ids, public_from__lte=timezone.now())
    return {*shown.values_list("object_id", flat=True)} | revisions.once_public(Quote, ids)


def results(ids: Collection[int], now: datetime) -> Mapping[int, Quote]:
    """Return the public ones of these quotations by id, ready for display. One query."""
    return Quote.objects.published(now).for_display().in_bulk(ids)


SOURCE = Source("quote", {"quotation": Kind(2, 2)}, documents, results, TaggedQuote)
