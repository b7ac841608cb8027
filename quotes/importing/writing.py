"""A plan -> the database, in one transaction, and all that is derived of it, so that the first reader does not pay."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from quotes.importing.plan import BATCH, Change, Plan, Progress, batches
from quotes.importing.records import PersonGiven, Record, WorkGiven
from quotes.models import Check, IndexTerm, Person, Quote, TaggedQuote, Work
from rlm_site.history import revisions
from rlm_site.history.models import Import, Revision
from rlm_site.indexing import queue
from rlm_site.indexing.models import Stale
from rlm_site.tags import manager
from rlm_site.tags.models import Tag
from rlm_site.text.folding import fold_name

AT_ONCE = 4000  # quotations; some tens of thousands of words

Ids = dict[str, int]


def write(plan: Plan, defaults: Callable[[Record], dict[str, Any]], imported: Import, progress: Progress) -> None:
    """To be called in a transaction. `defaults` gives the fields of a new quotation that its row does not name.

    A new quotation has no history but the import; one that the file changes gets a revision of it.
    """
    now = timezone.now()
    _write_people(plan)
    _write_works(plan)
    records = [*plan.added, *(change.record for change in plan.changed)]
    tags = _write_tags(records)
    # While no quotation hangs on them; what is made of them later is derived with the quotations.
    queue.process_queue()
    _remember(plan.changed)
    ids = _write_quotes(plan, defaults, now)
    _write_what_hangs_on(plan, ids, tags)
    _record_changes(plan.changed, imported)
    _derive(progress)


def _write_people(plan: Plan) -> None:
    new = [kept for kept in plan.people.all() if kept.pk is None]
    rows = [Person(**{**kept.given._asdict(), "aliases": list(kept.given.aliases)}) for kept in new]
    for kept, row in zip(new, Person.objects.bulk_create(rows, batch_size=BATCH), strict=True):
        kept.pk = row.pk
    for kept in plan.people.all():
        if kept.changes:
            Person.objects.filter(pk=kept.pk).update(**kept.changes)


def _write_works(plan: Plan) -> None:
    new = [kept for kept in plan.works.all() if kept.pk is None]
    rows = [Work(**kept.given._asdict()) for kept in new]
    for kept, row in zip(new, Work.objects.bulk_create(rows, batch_size=BATCH), strict=True):
        kept.pk = row.pk
    for kept in plan.works.all():
        if kept.changes:
            Work.objects.filter(pk=kept.pk).update(**kept.changes)


def _write_tags(records: Iterable[Record]) -> Ids:
    """Folded name -> id of every tag that the records name."""
    spelled = dict.fromkeys(name for record in records for name in record.tags or ())
    names = {fold_name(name): name for name in reversed(spelled)}
    known = {folded: tag.pk for folded, tag in manager.find_tags(names.values()).items()}
    for folded, name in names.items():
        if folded not in known:
            known[folded] = Tag.objects.create(name=name).pk
    return known


def _write_quotes(plan: Plan, defaults: Callable[[Record], dict[str, Any]], now: datetime) -> Ids:
    """Key -> id of the quotations that were added or changed. Those that point to others are pointed at the end."""
    columns = [column for column in Quote._meta.concrete_fields if not column.primary_key]
    moments = {column.attname for column in columns if isinstance(column, models.DateTimeField)}
    empty = {column.attname: column.get_default() for column in columns} | dict.fromkeys(("created", "updated"), now)
    empty = {name: _moment(value) if name in moments else value for name, value in empty.items()}
    in_order = itemgetter(*empty)

    def values(record: Record) -> Any:
        row = {**empty, **defaults(record), **_columns_of(plan, record)}
        for name in moments & record.fields.keys():
            row[name] = _moment(row[name])
        return in_order(row)

    for some in batches(plan.added, AT_ONCE):
        insert(columns, [values(record) for record in some])
    ids: Ids = {change.record.key: change.pk for change in plan.changed}
    for some in batches(plan.added, BATCH):
        ids.update(Quote.objects.filter(key__in=[record.key for record in some]).values_list("key", "pk"))
    for change in plan.changed:
        row = {"updated": now, **_columns_of(plan, change.record)}
        row.pop("created", None)
        Quote.objects.filter(pk=change.pk).update(**row)
    pointing = [(record, {name: key for name, key in record.others.items() if key}) for record in plan.added]
    pointing += [(change.record, change.record.others) for change in plan.changed]
    for record, others in pointing:
        if others:
            Quote.objects.filter(pk=ids[record.key]).update(
                **{f"{name}_id": _id_of(key, ids) for name, key in others.items()}
            )
    return ids


def _id_of(key: str, ids: Ids) -> int | None:
    if not key:
        return None
    return ids.get(key) or Quote.objects.get(key=key).pk


def _columns_of(plan: Plan, record: Record) -> dict[str, Any]:
    columns = {**record.fields, "key": record.key}
    for name, given in record.objects.items():
        columns[f"{name}_id"] = _pk_of(plan, given, record.as_printed)
    return columns


def _pk_of(plan: Plan, given: PersonGiven | WorkGiven | None, as_printed: bool) -> int | None:
    if given is None:
        return None
    kept = plan.people.find(given) if isinstance(given, PersonGiven) else plan.works.find(given, as_printed)
    assert kept is not None  # noqa: S101 - the plan found or added it
    return kept.pk


def _moment(value: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(value)


def insert(columns: Sequence[Any], rows: Sequence[Sequence[Any]]) -> None:
    """Rows of values as the database keeps them; many times quicker than by way of model objects."""
    table = columns[0].model._meta.db_table
    names = ", ".join(connection.ops.quote_name(column.column) for column in columns)
    places = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)


def _write_what_hangs_on(plan: Plan, ids: Ids, tags: Ids) -> None:
    """Tags, index terms and checks; those of a changed quotation are replaced where its row gives them."""
    changed = {change.pk: change for change in plan.changed}
    for change in plan.changed:
        _clear(change)
    records = [*plan.added, *(change.record for change in plan.changed)]
    has = set(TaggedQuote.objects.filter(content_object__in=changed).values_list("tag_id", "content_object_id"))
    by_name = {name: tags[fold_name(name)] for name in {name for record in records for name in record.tags or ()}}
    # A set, as two of the names may mean one tag by now.
    tagged = ((tag, ids[record.key]) for record in records for tag in {by_name[name] for name in record.tags or ()})
    columns = [TaggedQuote._meta.get_field(name) for name in ("tag", "content_object")]
    for some in batches((pair for pair in tagged if pair not in has), AT_ONCE * 4):
        insert(columns, some)
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


def _clear(change: Change) -> None:
    if change.record.tags is not None and change.record.keyed:
        TaggedQuote.objects.filter(content_object=change.pk).delete()
    if change.record.terms is not None:
        IndexTerm.objects.filter(quote=change.pk).delete()
    if change.record.checks is not None:
        Check.objects.filter(quote=change.pk).delete()


def _remember(changed: Sequence[Change]) -> None:
    """What the quotations were before the file, of those whose history does not tell."""
    for some in batches((change.pk for change in changed), BATCH):
        known = set(_history(some).values_list("object_id", flat=True))
        quotes = list(_as_stored(some))
        Revision.objects.bulk_create(
            _revision(quote, 1, comment=_("As it was before the import.")) for quote in quotes if quote.pk not in known
        )
        for quote in quotes:
            if quote.pk in known:
                revisions.record_external_changes(quote)


def _record_changes(changed: Sequence[Change], imported: Import) -> None:
    """What the file made of them. A draft of a published quotation stays the newest text, and what it began from."""
    comment = _("Imported from %(file)s.") % {"file": imported}
    for some in batches((change.pk for change in changed), BATCH):
        numbers = dict(_history(some).order_by().values_list("object_id").annotate(Max("number")))
        of_published = _history(some).filter(state=Revision.State.PUBLISHED).order_by("number")
        live = dict(of_published.values_list("object_id", "pk"))
        drafts = {draft.object_id: draft for draft in revisions.working_copies(Quote).filter(object_id__in=some)}
        new = []
        for quote in _as_stored(some):
            number = numbers[quote.pk] + 1
            new.append(_revision(quote, number, comment=comment, imported=imported))
            draft = drafts.get(quote.pk)
            if draft and quote.published and quote.pk in live:
                new.append(_again(draft, number + 1, base_id=draft.base_id or live[quote.pk]))
        Revision.objects.bulk_create(new)


def _history(quote_ids: Sequence[int]) -> "models.QuerySet[Revision]":
    return Revision.objects.filter(content_type=ContentType.objects.get_for_model(Quote), object_id__in=quote_ids)


def _as_stored(quote_ids: Sequence[int]) -> Iterator[Quote]:
    """In their order, each with the names of its tags. Whoever else would write them waits."""
    quotes = Quote.objects.filter(pk__in=quote_ids).order_by("pk").select_for_update(of=("self",))
    for quote in quotes.prefetch_related("tagged_items__tag"):
        quote.drafted_tags = sorted(item.tag.name for item in quote.tagged_items.all())
        yield quote


def _revision(quote: Quote, number: int, **fields: Any) -> Revision:
    return Revision(
        content_type=ContentType.objects.get_for_model(Quote),
        object_id=quote.pk,
        number=number,
        content=revisions.content_of(quote),
        standing=revisions.immediate_content_of(quote),
        state=Revision.State.PUBLISHED if quote.published else Revision.State.DRAFT,
        **fields,
    )


def _again(revision: Revision, number: int, **fields: Any) -> Revision:
    """The same once more, as none is ever changed."""
    copied = {field.attname: getattr(revision, field.attname) for field in Revision._meta.concrete_fields}
    return Revision(**{**copied, "id": None, "number": number, "created": timezone.now(), **fields})


def _derive(progress: Progress) -> None:
    """Make what is derived of everything marked as stale, each object once, and take the marks away.

    Only marks that were read are taken away: on PostgreSQL others may be written meanwhile.
    """
    queue.lock_queue()  # two that count the same words in another order would stop each other
    spans = _spans(Stale.objects.order_by("pk").values_list("pk", flat=True).iterator(BATCH * 20))
    marks = Stale.objects.order_by("kind", "object_id").values_list("kind", "object_id").distinct()
    quote_ids = [object_id for kind, object_id in marks if kind == "quote"]
    others = [(kind, object_id) for kind, object_id in marks if kind != "quote"]
    queue.reindex(others)
    done = 0
    for some in batches(quote_ids, AT_ONCE):
        queue.reindex(("quote", quote_id) for quote_id in some)
        done += len(some)
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
