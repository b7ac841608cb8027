"""Writing a plan to the database in one transaction, and indexing it, so that the first reader need not wait."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from quotes.importing.plan import BATCH, Change, Plan, StoredCollection, StoredPerson, StoredWork, batches
from quotes.importing.records import CollectionData, PersonData, Record, WorkData
from quotes.models import Check, Collection, IndexTerm, Person, Quote, TaggedQuote, Work
from rlm_site.history import revisions
from rlm_site.history.models import Import, Revision
from rlm_site.indexing import queue
from rlm_site.indexing.models import Stale
from rlm_site.progress import Progress
from rlm_site.tags import manager
from rlm_site.tags.models import Tag
from rlm_site.text.folding import fold_name

INSERT_BATCH = 4000  # quotations, with tens of thousands of words

Ids = dict[str, int]


def write(plan: Plan, defaults: Callable[[Record], dict[str, Any]], imported: Import, progress: Progress) -> Ids:
    """Write the plan, within a transaction, and return the ids of what was written, by key.

    `defaults` returns the fields of a new quotation that its row lacks.
    The history of a new quotation consists of the import only; a changed one gets a revision.
    """
    now = timezone.now()
    _write_people(plan)
    _write_works(plan)
    _write_collections(plan)
    records = [*plan.added, *(change.record for change in plan.changed)]
    tags = _write_tags(records)
    # Cheap now, while no quotation refers to the new rows; everything else is indexed with the quotations.
    queue.process_queue()
    _record_baselines(plan.changed)
    ids = _write_quotes(plan, defaults, now)
    _write_related_rows(plan, ids, tags)
    _record_changes(plan.changed, imported)
    _index(progress)
    return ids


def _write_people(plan: Plan) -> None:
    new = [stored for stored in plan.people.all() if stored.pk is None]
    rows = [Person(**{**stored.data._asdict(), "aliases": list(stored.data.aliases)}) for stored in new]
    for stored, row in zip(new, Person.objects.bulk_create(rows, batch_size=BATCH), strict=True):
        stored.pk = row.pk
    for stored in plan.people.all():
        if stored.changes:
            Person.objects.filter(pk=stored.pk).update(**stored.changes)


def _write_works(plan: Plan) -> None:
    new = [stored for stored in plan.works.all() if stored.pk is None]
    rows = [Work(**stored.data._asdict()) for stored in new]
    for stored, row in zip(new, Work.objects.bulk_create(rows, batch_size=BATCH), strict=True):
        stored.pk = row.pk
    for stored in plan.works.all():
        if stored.changes:
            Work.objects.filter(pk=stored.pk).update(**stored.changes)


def _write_collections(plan: Plan) -> None:
    for stored in plan.collections.all():
        if stored.pk is None:
            stored.pk = Collection.objects.create(**stored.data._asdict()).pk


def _write_tags(records: Iterable[Record]) -> Ids:
    """Create missing tags; return the id of every tag that the records name, by folded name."""
    spelled = dict.fromkeys(name for record in records for name in record.tags or ())
    names = {fold_name(name): name for name in reversed(spelled)}
    known = {folded: tag.pk for folded, tag in manager.find_tags(names.values()).items()}
    for folded, name in names.items():
        if folded not in known:
            known[folded] = Tag.objects.create(name=name).pk
    return known


def _write_quotes(plan: Plan, defaults: Callable[[Record], dict[str, Any]], now: datetime) -> Ids:
    """Add and change quotations, then set their relations; return ids by key."""
    columns = [column for column in Quote._meta.concrete_fields if not column.primary_key]
    datetimes = {column.attname for column in columns if isinstance(column, models.DateTimeField)}
    blank = {column.attname: column.get_default() for column in columns} | dict.fromkeys(("created", "updated"), now)
    blank = {name: _adapt_datetime(value) if name in datetimes else value for name, value in blank.items()}
    in_column_order = itemgetter(*blank)

    def values(record: Record) -> tuple[Any, ...]:
        row = {**blank, **defaults(record), **_columns_of(plan, record)}
        for name in datetimes & record.fields.keys():
            row[name] = _adapt_datetime(row[name])
        ordered: tuple[Any, ...] = in_column_order(row)
        return ordered

    for batch in batches(plan.added, INSERT_BATCH):
        insert_rows(columns, [values(record) for record in batch])
    ids: Ids = {change.record.key: change.pk for change in plan.changed}
    for batch in batches(plan.added, BATCH):
        ids.update(Quote.objects.filter(key__in=[record.key for record in batch]).values_list("key", "pk"))
    for change in plan.changed:
        row = {"updated": now, **_columns_of(plan, change.record)}
        row.pop("created", None)
        Quote.objects.filter(pk=change.pk).update(**row)
    with_relations = [(record, {name: key for name, key in record.relations.items() if key}) for record in plan.added]
    with_relations += [(change.record, change.record.relations) for change in plan.changed]
    for record, relations in with_relations:
        if relations:
            Quote.objects.filter(pk=ids[record.key]).update(
                **{f"{name}_id": _id_of(key, ids) for name, key in relations.items()}
            )
    return ids


def _id_of(key: str, ids: Ids) -> int | None:
    if not key:
        return None
    return ids.get(key) or Quote.objects.get(key=key).pk


def _columns_of(plan: Plan, record: Record) -> dict[str, Any]:
    columns = {**record.fields, "key": record.key}
    for name, data in record.objects.items():
        columns[f"{name}_id"] = _pk_of(plan, data, record.as_printed)
    return columns


def _pk_of(plan: Plan, data: PersonData | WorkData | CollectionData | None, as_printed: bool) -> int | None:
    if data is None:
        return None
    stored: StoredPerson | StoredWork | StoredCollection | None
    if isinstance(data, PersonData):
        stored = plan.people.find(data)
    elif isinstance(data, WorkData):
        stored = plan.works.find(data, as_printed)
    else:
        stored = plan.collections.find(data)
    assert stored is not None  # noqa: S101 - the plan found or added it
    return stored.pk


def _adapt_datetime(value: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(value)


def insert_rows(columns: Sequence[Any], rows: Sequence[Sequence[Any]]) -> None:
    """Insert values in database format, many times faster than with model objects."""
    table = columns[0].model._meta.db_table
    names = ", ".join(connection.ops.quote_name(column.column) for column in columns)
    places = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)


def _write_related_rows(plan: Plan, ids: Ids, tags: Ids) -> None:
    """Write tags, index terms and checks; those of a changed quotation are replaced if its row has them."""
    changed = {change.pk: change for change in plan.changed}
    for change in plan.changed:
        _delete_replaced_rows(change)
    records = [*plan.added, *(change.record for change in plan.changed)]
    present = set(TaggedQuote.objects.filter(content_object__in=changed).values_list("tag_id", "content_object_id"))
    by_name = {name: tags[fold_name(name)] for name in {name for record in records for name in record.tags or ()}}
    # A set, because two of the names may be one tag by now.
    tagged = ((tag, ids[record.key]) for record in records for tag in {by_name[name] for name in record.tags or ()})
    columns = [TaggedQuote._meta.get_field(name) for name in ("tag", "content_object")]
    for batch in batches((pair for pair in tagged if pair not in present), INSERT_BATCH * 4):
        insert_rows(columns, batch)
    IndexTerm.objects.bulk_create(
        (
            IndexTerm(quote_id=ids[record.key], **term._asdict())
            for record in records
            if record.key in ids
            for term in record.terms or ()
        ),
        batch_size=BATCH,
    )
    Check.objects.bulk_create(
        (
            Check(
                quote_id=ids[record.key],
                checked_by=check.checked_by,
                checked_on=check.checked_on,
                work_id=_pk_of(plan, check.work, False),
                place=check.place,
                found=check.found,
            )
            for record in records
            for check in record.checks or ()
        ),
        batch_size=BATCH,
    )


def _delete_replaced_rows(change: Change) -> None:
    if change.record.tags is not None and change.record.has_own_key:
        TaggedQuote.objects.filter(content_object=change.pk).delete()
    if change.record.terms is not None:
        IndexTerm.objects.filter(quote=change.pk).delete()
    if change.record.checks is not None:
        Check.objects.filter(quote=change.pk).delete()


def _record_baselines(changed: Sequence[Change]) -> None:
    """Record the state before the import where the history does not have it."""
    for batch in batches((change.pk for change in changed), BATCH):
        known = set(_history(batch).values_list("object_id", flat=True))
        quotes = list(_as_stored(batch))
        Revision.objects.bulk_create(
            _revision(quote, 1, comment=_("As it was before the import.")) for quote in quotes if quote.pk not in known
        )
        for quote in quotes:
            if quote.pk in known:
                revisions.record_external_changes(quote)


def _record_changes(changed: Sequence[Change], imported: Import) -> None:
    """Record a revision of each changed quotation. A draft of a published one stays the newest, on top of its base."""
    comment = _("Imported from %(file)s.") % {"file": imported}
    for batch in batches((change.pk for change in changed), BATCH):
        numbers = dict(_history(batch).order_by().values_list("object_id").annotate(Max("number")))
        published = _history(batch).filter(state=Revision.State.PUBLISHED).order_by("number")
        live = dict(published.values_list("object_id", "pk"))
        drafts = {draft.object_id: draft for draft in revisions.working_copies(Quote).filter(object_id__in=batch)}
        new = []
        for quote in _as_stored(batch):
            number = numbers[quote.pk] + 1
            new.append(_revision(quote, number, comment=comment, imported=imported))
            draft = drafts.get(quote.pk)
            if draft and quote.published and quote.pk in live:
                new.append(_copy_revision(draft, number + 1, base_id=draft.base_id or live[quote.pk]))
        Revision.objects.bulk_create(new)


def _history(quote_ids: Sequence[int]) -> "models.QuerySet[Revision]":
    return Revision.objects.filter(content_type=ContentType.objects.get_for_model(Quote), object_id__in=quote_ids)


def _as_stored(quote_ids: Sequence[int]) -> Iterator[Quote]:
    """Yield these quotations in their order, each with its tags, locked against other writers."""
    quotes = Quote.objects.filter(pk__in=quote_ids).order_by("pk").select_for_update(of=("self",))
    yield from quotes.prefetch_related("tagged_items__tag")


def _revision(quote: Quote, number: int, **fields: Any) -> Revision:
    return Revision(
        content_type=ContentType.objects.get_for_model(Quote),
        object_id=quote.pk,
        number=number,
        content=revisions.content_with_tags(quote, [item.tag.name for item in quote.tagged_items.all()]),
        standing=revisions.immediate_content_of(quote),
        state=Revision.State.PUBLISHED if quote.published else Revision.State.DRAFT,
        **fields,
    )


def _copy_revision(revision: Revision, number: int, **fields: Any) -> Revision:
    """Return a copy of a revision, because revisions are never changed."""
    copied = {field.attname: getattr(revision, field.attname) for field in Revision._meta.concrete_fields}
    return Revision(**{**copied, "id": None, "number": number, "created": timezone.now(), **fields})


def _index(progress: Progress) -> None:
    """Index every stale object once, and clear its marks.

    Only marks that were read are cleared: on PostgreSQL others may be added meanwhile.
    """
    queue.lock_queue()  # two processes that count the same words in different orders would deadlock
    spans = _spans(Stale.objects.order_by("pk").values_list("pk", flat=True).iterator(BATCH * 20))
    stale = Stale.objects.order_by("kind", "object_id").values_list("kind", "object_id").distinct()
    quote_ids = [object_id for kind, object_id in stale if kind == "quote"]
    relations = [(kind, object_id) for kind, object_id in stale if kind != "quote"]
    queue.reindex(relations)
    done = 0
    for batch in batches(quote_ids, INSERT_BATCH):
        queue.reindex(("quote", quote_id) for quote_id in batch)
        done += len(batch)
        progress("Indexing", done, len(quote_ids))
    for first, last in spans:
        Stale.objects.filter(pk__range=(first, last)).delete()


def _spans(ids: Iterable[int]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for pk in ids:
        if spans and spans[-1][1] == pk - 1:
            spans[-1] = (spans[-1][0], pk)
        else:
            spans.append((pk, pk))
    return spans
