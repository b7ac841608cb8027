"""The history of a record: what its drafted fields and tags were, who wrote it, and what readers are told of it."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Field, Max, QuerySet

from rlm_site.models import Publishable, Revision


def content_of(row: Publishable) -> dict[str, Any]:
    """The drafted fields by name, and `tags` as a sorted list of names."""
    content = {name: _field(row, name).value_from_object(row) for name in row.drafted_fields}
    content["tags"] = sorted(row.tags.names())  # type: ignore[attr-defined]
    return content


def of(row: Publishable) -> QuerySet[Revision]:
    return Revision.objects.filter(content_type=ContentType.objects.get_for_model(row), object_id=row.pk)


def record(
    row: Publishable,
    *,
    author: User | None = None,
    state: str = Revision.State.DRAFT,
    kind: str = Revision.Kind.NONE,
    note: str = "",
    comment: str = "",
    **fields: Any,
) -> Revision:
    """Append a revision of the row as it is now."""
    last = of(row).aggregate(last=Max("number"))["last"] or 0
    return Revision.objects.create(
        content_type=ContentType.objects.get_for_model(row),
        object_id=row.pk,
        number=last + 1,
        content=_as_json(content_of(row)),
        author=author,
        state=state,
        kind=kind,
        note=note,
        comment=comment,
        **fields,
    )


def apply(revision: Revision, row: Publishable) -> Publishable:
    """Set the row's drafted fields to those of the revision; nothing is saved, and tags are left to the caller."""
    for name in row.drafted_fields:
        if name in revision.content:
            field = _field(row, name)
            setattr(row, field.attname, field.to_python(revision.content[name]))
    return row


def notable(rows: Iterable[int], model: type[Publishable]) -> QuerySet[Revision]:
    """Published revisions of these rows that readers are told of, newest first."""
    return Revision.objects.filter(
        content_type=ContentType.objects.get_for_model(model), object_id__in=rows, state=Revision.State.PUBLISHED
    ).exclude(kind=Revision.Kind.NONE)


def _field(row: Publishable, name: str) -> "Field[Any, Any]":
    field = row._meta.get_field(name)
    assert isinstance(field, Field)  # noqa: S101 - drafted_fields name columns
    return field


def _as_json(content: dict[str, Any]) -> dict[str, Any]:
    encoder = DjangoJSONEncoder()
    plain = (str, int, float, bool, list, dict, type(None))
    return {name: value if isinstance(value, plain) else encoder.default(value) for name, value in content.items()}
