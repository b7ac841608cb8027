"""Revisions: the history of a record, and its working copy.

The row is what readers see. The newest revision of its text is the working copy, unless it is published or discarded.
Everything that happens is another revision; none is ever changed. Immediate changes (`Revision.act`) leave the working
copy alone.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Exists, Field, Max, OuterRef, QuerySet, prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _

from rlm_site.history.models import Import, Revision
from rlm_site.publishing import visibility
from rlm_site.publishing.models import Publishable
from rlm_site.tags import manager

Content = dict[str, Any]  # versioned fields by name as JSON, and `tags` as a sorted list of names where there are any


def content_of(row: Publishable) -> Content:
    """Return what the record says as it is stored: its versioned fields as JSON, and `tags` as a sorted list."""
    return content_with_tags(row, tag_names(row))


def content_with_tags(row: Publishable, tags: Iterable[str]) -> Content:
    """Return the versioned fields of a record in hand, with these names of tags if it is of a kind that has any."""
    content = {name: field_of(row, name).value_from_object(row) for name in row.versioned_fields}
    return as_json({**content, "tags": sorted(tags)} if hasattr(type(row), "tags") else content)


def tag_names(row: Publishable) -> list[str]:
    """Return the names of the tags that a record has; none where it is not saved yet or of a kind without tags."""
    return list(row.tags.names()) if row.pk and hasattr(type(row), "tags") else []  # type: ignore[attr-defined]


def working_copy(row: Publishable) -> Revision | None:
    newest = row.revisions.filter(act="").select_related("author").order_by("-number").first()
    return newest if newest is not None and newest.state in Revision.WORKING else None


def published_revision(row: Publishable) -> Revision | None:
    """Return the revision that the row was last published with."""
    return row.revisions.filter(state=Revision.State.PUBLISHED).order_by("-number").first()


def working_copies(model: type[Publishable], *states: str) -> QuerySet[Revision]:
    """Return the working copies of a model's records: in these states, or in any."""
    content_type = ContentType.objects.get_for_model(model)
    later = Revision.objects.filter(
        content_type=content_type, object_id=OuterRef("object_id"), act="", number__gt=OuterRef("number")
    )
    return Revision.objects.filter(
        ~Exists(later), content_type=content_type, act="", state__in=states or Revision.WORKING
    )


# Writing


def record_revision(
    row: Publishable,
    *,
    state: str = Revision.State.DRAFT,
    content: Content | None = None,
    author: User | None = None,
    comment: str = "",
    **fields: Any,
) -> Revision:
    """Append a revision: of the row as it is now, or with this content. Whoever else appends one waits."""
    with transaction.atomic():
        _lock(row)
        last = row.revisions.aggregate(last=Max("number"))["last"] or 0
        return Revision.objects.create(
            content_type=ContentType.objects.get_for_model(row),
            object_id=row.pk,
            number=last + 1,
            content=content_of(row) if content is None else content,
            standing=immediate_content_of(row),
            author=author,
            state=state,
            comment=comment,
            **fields,
        )


def record_external_changes(row: Publishable) -> Revision | None:
    """Record what the row says now if its history ends differently: it came from a file, or another client wrote it.

    Nobody's text is lost by the next edit then. `row` must be as it is stored, without a draft laid over it.
    """
    if not _differs(row):
        return None
    with transaction.atomic():
        if not _lock(row):
            return None
        row.refresh_from_db()  # somebody may have written it since it was read
        if not _differs(row):
            return None
        known = row.revisions.exists()
        return record_revision(
            row,
            state=Revision.State.PUBLISHED if row.published else _state_once_written(working_copy(row)),
            act=Revision.Act.OUTSIDE if row.published and known else "",
            comment=_("Changed by another program.") if known else _("The text before its first edit here."),
        )


def _differs(row: Publishable) -> bool:
    known = published_revision(row) if row.published else row.revisions.filter(act="").order_by("-number").first()
    return known is None or not has_content(known, content_of(row))


def save_draft(
    row: Publishable,
    content: Content,
    *,
    state: str = "",
    author: User | None = None,
    comment: str = "",
    base: Revision | None = None,
    imported: Import | None = None,
) -> Revision:
    """Append a working copy. What readers see stays; a row that was never public follows its draft.

    What is in review stays there, and what was approved is to be approved again. `base` is the published revision that
    it takes account of, where that is another than the draft's before.
    """
    before = working_copy(row)
    state = state or _state_once_written(before)
    if row.published:
        base = base or (before.base if before else published_revision(row))
        return record_revision(
            row, state=state, content=content, author=author, comment=comment, base=base, imported=imported
        )
    _write(row, content)
    return record_revision(row, state=state, content=content, author=author, comment=comment, imported=imported)


def publish(
    row: Publishable,
    content: Content,
    *,
    kind: str = Revision.Kind.NONE,
    note: str = "",
    author: User | None = None,
    comment: str = "",
    publish_at: datetime | None = None,
    imported: Import | None = None,
) -> Revision:
    """Write the content to the row and show it to readers: at once, or a record that never was public from a time on.

    Its first publication is told to readers as new. Raises ValidationError where the content does not fit the row.
    """
    first = not row.revisions.filter(state=Revision.State.PUBLISHED).exists()
    if not row.published:
        row.published, row.publish_at = True, publish_at
    _write(row, content)
    now = timezone.now()
    return record_revision(
        row,
        state=Revision.State.PUBLISHED,
        content=content,
        kind=Revision.Kind.NEW if first else kind,
        note=note,
        author=author,
        comment=comment,
        created=max(now, visibility.public_since(row)) if first else now,
        imported=imported,
    )


def published_since(row: Publishable, copy: Revision) -> Revision | None:
    """Return the revision that was published after a working copy was begun, if it changed the text."""
    published = published_revision(row)
    if published is None or copy.base_id in {None, published.pk} or copy.base is None:
        return None
    return None if has_content(copy.base, published.content) else published


def _state_once_written(before: Revision | None) -> str:
    """Return the state of a working copy that is written over another."""
    return Revision.State.IN_REVIEW if before and before.state in Revision.UNDER_REVIEW else Revision.State.DRAFT


def outdated(model: type[Publishable], copies: Iterable[Revision]) -> set[int]:
    """Return the keys of those working copies that something else was published over: see `published_since`."""
    begun = {copy.object_id: copy for copy in copies if copy.base_id is not None}
    of_rows = Revision.objects.filter(
        content_type=ContentType.objects.get_for_model(model), object_id__in=begun, state=Revision.State.PUBLISHED
    )
    later = of_rows.filter(object_id=OuterRef("object_id"), number__gt=OuterRef("number"))
    newest = of_rows.filter(~Exists(later)).values_list("object_id", "pk")
    apart = {pk: revision for pk, revision in newest if revision != begun[pk].base_id}
    both = Revision.objects.in_bulk([*apart.values(), *(begun[pk].base_id for pk in apart)])
    return {
        begun[pk].pk
        for pk, revision in apart.items()
        if (base := both.get(begun[pk].base_id)) and not has_content(base, both[revision].content)
    }


def drafted_values(rows: Collection[Any], names: Iterable[str]) -> dict[int, Content]:
    """Return these fields of rows of one model as their editors see them, by key: of a draft, where one is begun."""
    names = [*names]
    if not rows:
        return {}
    model = type(next(iter(rows)))
    if "tags" in names:
        prefetch_related_objects(list(rows), "tagged_items__tag")
    found: dict[int, Content] = {}
    for row in rows:
        fields = {name: field_of(row, name).value_from_object(row) for name in names if name != "tags"}
        tags = {"tags": sorted(item.tag.name for item in row.tagged_items.all())} if "tags" in names else {}
        found[row.pk] = as_json(fields | tags)
    keys = [row.pk for row in rows if row.published]
    drafted = working_copies(model).filter(object_id__in=keys)
    for pk, *values in drafted.values_list("object_id", *(f"content__{name}" for name in names)):
        found[pk] |= {name: value for name, value in zip(names, values, strict=True) if value is not None}
    return found


def _write(row: Publishable, content: Content) -> None:
    for name in row.versioned_fields:
        if name in content:
            field = field_of(row, name)
            setattr(row, field.attname, field.to_python(content[name]))
    _check_relations(row)
    row.save()
    if "tags" in content:
        row.tags.set(content["tags"])  # type: ignore[attr-defined]


def _lock(row: Publishable) -> bool:
    """Lock the row until the transaction ends; return whether it is there. SQLite has locked everything already."""
    return bool(type(row)._default_manager.select_for_update(of=("self",)).filter(pk=row.pk).values_list("pk"))


def key_exists(field: "Field[Any, Any]", key: Any) -> bool:
    """Return whether the record that a foreign key names exists; true of all other fields."""
    related: Any = field.related_model
    return related is None or key is None or related._default_manager.filter(pk=key).exists()


def _check_relations(row: Publishable) -> None:
    """Raise ValidationError where a foreign key of the content names a record that is gone."""
    for name in row.versioned_fields:
        field = field_of(row, name)
        key = getattr(row, field.attname)
        if not key_exists(field, key):
            raise ValidationError({name: _("The record chosen here has been deleted. Please choose another.")})


# Reading


def once_public(model: type[Publishable], ids: Collection[int]) -> set[int]:
    """Return those of these rows that readers had seen, by their histories, which outlive them."""
    now = timezone.now()
    published = Revision.objects.filter(
        content_type=ContentType.objects.get_for_model(model),
        object_id__in=ids,
        state=Revision.State.PUBLISHED,
        created__lte=now,
    )
    times = published.values_list("object_id", "standing__published", "standing__publish_at")
    return {
        pk for pk, shown, since in times if shown is not False and (not since or datetime.fromisoformat(since) <= now)
    }


def notable_revisions(rows: Iterable[int] | QuerySet[Any, Any], model: type[Publishable]) -> QuerySet[Revision]:
    """Return the published revisions of these rows that readers are told of."""
    return Revision.objects.filter(
        content_type=ContentType.objects.get_for_model(model), object_id__in=rows, state=Revision.State.PUBLISHED
    ).exclude(kind=Revision.Kind.NONE)


def immediate_content_of(row: Publishable) -> dict[str, Any]:
    """Return the immediate fields, and what the model tells of rows of other tables."""
    fields = {name: field_of(row, name).value_from_object(row) for name in row.immediate_fields}
    return as_json(fields | row.related_snapshot())


def as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    encoder = DjangoJSONEncoder()
    plain = (str, int, float, bool, list, dict, type(None))
    return {name: value if isinstance(value, plain) else encoder.default(value) for name, value in values.items()}


def has_content(revision: Revision, content: Content) -> bool:
    """Return whether the revision has this content in all fields that both know, tags by their current names."""
    different = [name for name, value in revision.content.items() if name in content and content[name] != value]
    return not different or (
        different == ["tags"]
        and manager.current_names(revision.content["tags"]) == manager.current_names(content["tags"])
    )


def field_of(row: Publishable, name: str) -> "Field[Any, Any]":
    field = row._meta.get_field(name)
    assert isinstance(field, Field)  # noqa: S101 - versioned_fields name columns
    return field
