"""The trash: deleted records are stored row by row, so that they can be recovered with their old keys.

Revisions are kept, as they refer to their record by key. Derived data is rebuilt.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any, NamedTuple, TypeVar

from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.db.models import Q
from django.db.models.deletion import SET_NULL, Collector
from django.utils import timezone
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _

from rlm_site.history import revisions
from rlm_site.history.models import Deletion, Revision
from rlm_site.indexing import queue
from rlm_site.publishing.models import Publishable
from rlm_site.redirects.models import Address
from rlm_site.tags.models import Tag, TaggedBase

BATCH = 5000  # keys per statement; databases allow tens of thousands
MAX_CONDITIONS = 300  # per statement

Key = tuple[Any, Any]  # model and primary key
Rows = Mapping[Key, models.Model]
Value = TypeVar("Value")


# Deletion


def move_to_trash(rows: Iterable[models.Model], author: User | None) -> list[Deletion]:
    """Store these rows in the trash, within the transaction that will delete them.

    A row that is deleted together with another is stored with that one.
    """
    found = sorted(((row, _DeletedRows.collect(row)) for row in rows), key=lambda pair: -len(pair[1].rows))
    kept: set[Key] = set()
    deletions = []
    for row, deleted in found:
        if (type(row), row.pk) not in kept:
            kept |= deleted.rows.keys()
            deletions.append(
                Deletion.objects.create(
                    content_type=ContentType.objects.get_for_model(row),
                    object_id=row.pk,
                    title=Truncator(str(row)).chars(400),
                    rows=deleted.as_json(),
                    author=author,
                )
            )
    return deletions


@dataclass
class _DeletedRows:
    """The rows that a deletion removes, the row itself first, and the foreign keys of others that it empties."""

    rows: dict[Key, models.Model] = field(default_factory=dict)
    emptied: dict[tuple[str, str, Any], list[Any]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def collect(cls, row: models.Model) -> "_DeletedRows":
        """Collect the rows that Django would delete. Raises ProtectedError if it must not."""
        collector = Collector(using=row._state.db or "default", origin=row)
        collector.collect([row])
        gathered: Any = [[row], *collector.data.values(), *collector.fast_deletes]
        updates: Any = collector.field_updates
        deleted = cls({(type(found), found.pk): found for group in gathered for found in group})
        for (column, _value), groups in updates.items():
            for other in (other for group in groups for other in group):
                if (type(other), other.pk) not in deleted.rows:
                    key = (column.model._meta.label_lower, column.name, getattr(other, column.attname))
                    deleted.emptied[key].append(other.pk)
        for model, found in _by_model(deleted.rows.values()).items():
            if hasattr(model, "get_absolute_url"):
                addresses = Address.objects.filter(kind=model._meta.model_name)
                for batch in _batches([other.pk for other in found]):
                    deleted.rows |= {
                        (Address, address.pk): address for address in addresses.filter(object_id__in=batch)
                    }
        return deleted

    def as_json(self) -> dict[str, Any]:
        return {
            "counts": Counter(model._meta.label_lower for model, _pk in self.rows if model is not Address),
            "rows": json.loads(serializers.serialize("json", self.rows.values(), cls=_ExactEncoder)),
            "emptied": [[*key, others] for key, others in self.emptied.items()],
        }


class _ExactEncoder(DjangoJSONEncoder):
    """A JSON encoder that keeps microseconds, which Django's own truncates to milliseconds."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime | time) else super().default(o)


# Recovery


class Obstacle(NamedTuple):
    """A reason why a row cannot be recovered, with a remedy and the row or deletion that it concerns."""

    why: str
    remedy: str = ""
    other: models.Model | None = None


@dataclass(frozen=True)
class RecoveryPlan:
    """The result that a recovery would have now."""

    row: models.Model | None  # the deleted record itself
    rows: list[models.Model] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)  # these prevent the recovery
    lost: list[Obstacle] = field(default_factory=list)  # of related rows, without which the rest can be recovered

    def published(self) -> list[type[Publishable]]:
        """Return the models of rows that would become public again."""
        return list({type(row): None for row in self.rows if isinstance(row, Publishable) and row.published})

    def found_by_readers(self, now: datetime) -> list[models.Model]:
        """Return the rows that readers would find at addresses of their own."""
        by_key = {(type(row), row.pk): row for row in self.rows}
        for row in self.rows:
            for column in row._meta.concrete_fields:
                if isinstance(column, models.ForeignKey):
                    other = by_key.get((column.related_model, getattr(row, column.attname)))
                    if other is not None:
                        setattr(row, column.name, other)  # which is not in the database
        found: list[Any] = [row for row in self.rows if hasattr(row, "get_absolute_url")]
        return [row for row in found if not hasattr(row, "is_public") or row.is_public(now)]


def describe_contents(counts: dict[str, int] | None) -> list[str]:
    """Describe the contents of a deletion: `13 articles`, `4 tags`; of one that another program wrote, nothing."""
    found: Counter[type[models.Model]] = Counter()
    for label, count in (counts or {}).items():
        with suppress(LookupError):
            model = apps.get_model(label)
            found[Tag if issubclass(model, TaggedBase) else model] += count
    return [
        f"{count} {model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural}"
        for model, count in found.items()
    ]


def plan_recovery(deletion: Deletion) -> RecoveryPlan:
    """Plan a recovery without writing anything; a few queries per table, however many rows."""
    stored = deletion.rows["rows"]
    try:
        found = [entry.object for entry in serializers.deserialize("python", stored, ignorenonexistent=True)]
    except serializers.base.DeserializationError as error:
        return RecoveryPlan(
            None, obstacles=[Obstacle(_("The site has changed since this was deleted: %(error)s") % {"error": error})]
        )
    rows: Rows = {(type(row), row.pk): row for row in found}
    first = (deletion.content_type.model_class(), deletion.object_id)
    if first not in rows:
        return RecoveryPlan(None, obstacles=[Obstacle(_("The site no longer has records of this kind."))])
    refused = _existing_rows(rows) | _unique_clashes(rows)
    while missing := _dangling_rows({key: row for key, row in rows.items() if key not in refused}):
        refused |= missing
    lost = [obstacle for key, obstacle in refused.items() if key != first and key[0] is not Address]
    if len(found) < len(stored):
        lost.append(Obstacle(_("Some of what was deleted with it is of a kind that the site no longer has.")))
    return RecoveryPlan(
        rows[first],
        [row for key, row in rows.items() if key not in refused],
        [refused[first]] if first in refused else [],
        lost,
    )


@transaction.atomic
def recover(deletion: Deletion, author: User | None, *, without_lost: bool = False) -> models.Model:
    """Restore the rows with their keys. Raises ValidationError, and changes nothing, if that is impossible."""
    deletion = Deletion.objects.select_for_update(of=("self",)).get(pk=deletion.pk)
    if deletion.recovered:
        raise ValidationError(_("This has already been restored."))
    planned = plan_recovery(deletion)
    refused = planned.obstacles or ([] if without_lost else planned.lost)
    if refused or planned.row is None:
        raise ValidationError([obstacle.why for obstacle in refused])
    for model, rows in _by_model(planned.rows).items():
        model._default_manager.bulk_create(rows, batch_size=BATCH)
    recovered_keys = {(type(row)._meta.label_lower, row.pk) for row in planned.rows}
    for label, name, key, others in deletion.rows["emptied"]:
        model = apps.get_model(label)
        if (str(model._meta.get_field(name).related_model._meta.label_lower), key) in recovered_keys:
            model._default_manager.filter(pk__in=others, **{name: None}).update(**{name: key})
    for row in planned.rows:
        if isinstance(row, Publishable):
            state = Revision.State.PUBLISHED if row.published else Revision.State.DRAFT
            revisions.record_revision(row, state=state, act=Revision.Act.RECOVERED, author=author)
    deletion.recovered, deletion.recovered_by = timezone.now(), author
    deletion.save(update_fields=["recovered", "recovered_by"])
    queue.process_queue()
    return planned.row


# Rows that cannot be recovered


def _existing_rows(rows: Rows) -> dict[Key, Obstacle]:
    refused = {}
    for model, batch in _by_model(rows.values()).items():
        for pk in _existing_keys(model, [row.pk for row in batch]):
            refused[model, pk] = Obstacle(_("%(kind)s %(id)s already exists.") % {"kind": _kind_name(model), "id": pk})
    return refused


def _unique_clashes(rows: Rows) -> dict[Key, Obstacle]:
    """Find unique values that another row has now. A former path that is in use again stays where it is."""
    refused: dict[Key, Obstacle] = {}
    for model, batch in _by_model(rows.values()).items():
        for names, constraint in _unique_fields(model):
            fields: list[Any] = [model._meta.get_field(name) for name in names]
            wanted = {
                values: row
                for row in batch
                if None not in (values := _values(row, fields)) and not _names_recovered_row(fields, values, rows)
            }
            for other in _rows_with_values(model, fields, list(wanted)) if wanted else ():
                row = wanted[_values(other, fields)]
                if constraint is None or _violates(constraint, row):
                    refused[model, row.pk] = Obstacle(
                        _("The %(field)s “%(value)s” is now used by “%(other)s”.")
                        % {"field": fields[-1].verbose_name, "value": _values(row, fields)[-1], "other": other},
                        _("Change it there, or delete that record, then return to this page."),
                        other,
                    )
    return refused


def _unique_fields(model: type[models.Model]) -> Iterator[tuple[Sequence[str], models.UniqueConstraint | None]]:
    for column in model._meta.concrete_fields:
        if column.unique and not column.primary_key:
            yield (column.name,), None
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            yield constraint.fields, constraint


def _values(row: models.Model, fields: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(getattr(row, column.attname) for column in fields)


def _names_recovered_row(fields: Iterable[Any], values: Iterable[Any], rows: Rows) -> bool:
    """Return whether the values refer to a row that is to be recovered, so that no present row can have them."""
    return any((column.related_model, value) in rows for column, value in zip(fields, values, strict=True))


def _rows_with_values(
    model: type[models.Model], fields: Sequence[Any], wanted: Sequence[tuple[Any, ...]]
) -> Iterator[models.Model]:
    relations = [column.name for column in model._meta.concrete_fields if isinstance(column, models.ForeignKey)]
    for batch in _batches(wanted, MAX_CONDITIONS):
        condition = Q(pk__in=[])
        for values in batch:
            condition |= Q(**{column.attname: value for column, value in zip(fields, values, strict=True)})
        yield from model._default_manager.select_related(*relations).filter(condition)


def _violates(constraint: models.UniqueConstraint, row: models.Model) -> bool:
    try:
        constraint.validate(type(row), row)
    except ValidationError:
        return True
    return False


def _dangling_rows(rows: Rows) -> dict[Key, Obstacle]:
    """Find rows that refer to missing rows; nullable references are emptied instead."""
    named = [
        (row, column, (column.related_model, value))
        for row in rows.values()
        for column in row._meta.concrete_fields
        if isinstance(column, models.ForeignKey)
        and (value := getattr(row, column.attname)) is not None
        and (column.related_model, value) not in rows
    ]
    wanted: dict[Any, set[Any]] = defaultdict(set)
    for _row, _column, (model, pk) in named:
        wanted[model].add(pk)
    existing = {(model, pk) for model, pks in wanted.items() for pk in _existing_keys(model, list(pks))}
    gone = [(row, column, key) for row, column, key in named if key not in existing]
    deletions = _deletions_of({key for _row, _column, key in gone})
    missing = {}
    for row, column, key in gone:
        if column.remote_field.on_delete is SET_NULL:
            setattr(row, column.attname, None)
            continue
        deletion = deletions.get(key)
        missing[type(row), row.pk] = Obstacle(
            _("%(kind)s: the %(other)s “%(title)s” has since been deleted.")
            % {
                "kind": capfirst(_kind_name(type(row))),
                "other": _kind_name(key[0]),
                "title": deletion.title if deletion else key[1],
            },
            _("Restore it first.") if deletion else "",
            deletion,
        )
    return missing


def _deletions_of(keys: Iterable[Key]) -> dict[Key, Deletion]:
    """Return the newest recoverable deletion of each key. One query per table."""
    by_model: dict[type[models.Model], list[Any]] = defaultdict(list)
    for model, pk in keys:
        by_model[model].append(pk)
    found: dict[Key, Deletion] = {}
    for model, pks in by_model.items():
        deletions = Deletion.objects.filter(content_type=ContentType.objects.get_for_model(model), recovered=None)
        for batch in _batches(pks):
            for deletion in deletions.filter(object_id__in=batch).defer("rows").order_by("created", "id"):
                found[model, deletion.object_id] = deletion
    return found


def _existing_keys(model: type[models.Model], pks: Sequence[Any]) -> Iterator[Any]:
    for batch in _batches(pks):
        yield from model._base_manager.filter(pk__in=batch).values_list("pk", flat=True)


def _by_model(rows: Iterable[models.Model]) -> dict[type[models.Model], list[models.Model]]:
    by_model: dict[type[models.Model], list[models.Model]] = defaultdict(list)
    for row in rows:
        by_model[type(row)].append(row)
    return by_model


def _kind_name(model: type[models.Model]) -> str:
    return str(Tag._meta.verbose_name if issubclass(model, TaggedBase) else model._meta.verbose_name)


def _batches(found: Sequence[Value], size: int = BATCH) -> Iterator[Sequence[Value]]:
    return (found[start : start + size] for start in range(0, len(found), size))
