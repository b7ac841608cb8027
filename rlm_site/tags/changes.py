from collections.abc import Iterable
from typing import Any, TypeVar

from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from rlm_site.indexing import queue
from rlm_site.redirects.models import Address
from rlm_site.tags.models import Tag, TagChange, TaggedBase
from rlm_site.text.folding import fold_name

Value = TypeVar("Value")

MAX_LOGGED = 50
BATCH = 5000  # ids per statement; databases allow tens of thousands


# Every change is logged with what is needed to undo it. When a tag is merged, its log moves to the other tag, so that
# `tag` is always the tag that a change has led to; `before["of"]` is the tag that was changed.


@transaction.atomic
def rename_tag(tag: Tag, author: User | None = None) -> TagChange | None:
    """Save a tag whose name or slug was changed, and log the old ones."""
    stored = Tag.objects.select_for_update().get(pk=tag.pk)
    tag.save()
    descriptions = []
    if tag.name != stored.name:
        descriptions.append(_("“%(old)s” renamed to “%(new)s”") % {"old": stored.name, "new": tag.name})
    if tag.slug != stored.slug:
        descriptions.append(_("address “%(old)s” changed to “%(new)s”") % {"old": stored.slug, "new": tag.slug})
    if not descriptions:
        return None
    before = {
        "of": tag.pk,
        "name": stored.name,
        "slug": stored.slug,
        "folded": stored.folded,
        "became": tag.folded,
    }
    return TagChange.objects.create(
        kind=TagChange.Kind.RENAME, tag=tag, said=", ".join(descriptions), before=before, author=author
    )


def split_by_overlap(
    through: type[TaggedBase], tag: Tag, other: Tag
) -> tuple[QuerySet[TaggedBase], QuerySet[TaggedBase]]:
    """Return the rows whose object has only `tag`, and those whose object has `other` too."""
    has_other = Q(content_object__in=through._default_manager.filter(tag=other).values("content_object"))
    rows = through._default_manager.filter(tag=tag)
    return rows.exclude(has_other), rows.filter(has_other)


@transaction.atomic
def merge_tags(tag: Tag, into: Tag, author: User | None = None) -> TagChange:
    """Replace `tag` by `into` on every object, redirect its URL, and delete it. The number of queries is constant.

    Raises ValidationError where one of the two is gone already.
    """
    queue.process_queue()  # records every address, so that none has to be added while others process the queue
    locked = Tag.objects.select_for_update().order_by("pk").in_bulk([tag.pk, into.pk])
    if tag.pk == into.pk:
        raise ValidationError(_("A tag cannot be merged into itself."))
    if len(locked) < 2:
        raise ValidationError(_("One of the two tags no longer exists. Somebody has merged or deleted it."))
    tag, into = locked[tag.pk], locked[into.pk]
    items = {}
    for through in Tag.through_models():
        moved, both = split_by_overlap(through, tag, into)
        items[through._meta.label] = {
            "moved": list(moved.values_list("content_object_id", flat=True)),
            "both": list(both.values_list("content_object_id", flat=True)),
        }
        both.delete()
        through._default_manager.filter(tag=tag).update(tag=into)
    paths = Address.objects.filter(kind="tag", object_id=tag.pk)
    log = TagChange.objects.filter(tag=tag)
    before = {
        "of": into.pk,
        "tag": {field.attname: getattr(tag, field.attname) for field in Tag._meta.concrete_fields},
        "folded": tag.folded,
        "items": items,
        "addresses": list(paths.values_list("path", flat=True)),
        "log": list(log.values_list("pk", flat=True)),
    }
    paths.update(object_id=into.pk)
    log.update(tag=into)
    tag.delete()
    said = _("“%(tag)s” merged into “%(into)s”") % {"tag": before["tag"]["name"], "into": into.name}
    return TagChange.objects.create(kind=TagChange.Kind.MERGE, tag=into, said=said, before=before, author=author)


def changes_of(tag: Tag) -> list[tuple[TagChange, bool]]:
    """Return the changes of the tag and of tags merged into it, newest first, each with whether it can be undone."""
    changes = TagChange.objects.filter(tag=tag).annotate(of=F("before__of")).defer("before").order_by("-id")
    changes = changes.select_related("author", "undone_by")
    undoable: dict[str, TagChange] = {}  # the latest of each kind
    log = list(changes[:MAX_LOGGED])
    for change in log:
        if change.undone is None and change.of == tag.pk:
            undoable.setdefault(change.kind, change)
    return [(change, undoable.get(change.kind) == change) for change in log]


@transaction.atomic
def undo_change(change: TagChange, author: User | None = None) -> Tag:
    """Give the tag its name and slug back, or restore the tag that was merged.

    Later edits are kept: an object that has lost the common tag meanwhile, or was deleted, gets neither of the two.
    Raises ValidationError where a later change is in the way.
    """
    changed_tag = Tag.objects.select_for_update().filter(pk=change.before["of"]).first()
    change = TagChange.objects.select_for_update().get(pk=change.pk)
    if change.undone is not None:
        raise ValidationError(_("This has already been undone."))
    if changed_tag is None or change.tag_id != changed_tag.pk:
        raise ValidationError(_("The tag that was changed no longer exists. If it was merged, undo the merge first."))
    later = TagChange.objects.filter(
        tag=changed_tag, kind=change.kind, undone=None, before__of=changed_tag.pk, pk__gt=change.pk
    )
    if (last := later.order_by("-id").first()) is not None:
        raise ValidationError(_("Undo the later change first: %(said)s.") % {"said": last.said})
    undo = _undo_merge if change.kind == TagChange.Kind.MERGE else _undo_rename
    tag = undo(change.before, changed_tag)
    TagChange.objects.filter(pk=change.pk).update(undone=timezone.now(), undone_by=author)
    return tag


def _undo_rename(before: dict[str, Any], tag: Tag) -> Tag:
    tag.name, tag.slug = before["name"], before["slug"]
    _refuse_if_taken(tag)
    tag.save()
    return tag


def _undo_merge(before: dict[str, Any], into: Tag) -> Tag:
    tag = Tag(**before["tag"])
    _refuse_if_taken(tag)
    tag.save(force_insert=True)
    for label, items in before["items"].items():
        through: Any = apps.get_model(label)
        rows = through._default_manager.filter(tag=into)
        for batch in _batches(items["both"]):
            ids = rows.filter(content_object__in=batch).values_list("content_object_id", flat=True)
            through._default_manager.bulk_create(through(tag=tag, content_object_id=pk) for pk in ids)
        for batch in _batches(items["moved"]):
            rows.filter(content_object__in=batch).update(tag=tag)
    for batch in _batches(before["addresses"]):
        Address.objects.filter(kind="tag", object_id=into.pk, path__in=batch).update(object_id=tag.pk)
    TagChange.objects.filter(tag=into, pk__in=before["log"]).update(tag=tag)
    return tag


def _refuse_if_taken(tag: Tag) -> None:
    folded = fold_name(tag.name)
    other = Tag.objects.filter(Q(folded=folded) | Q(slug=tag.slug)).exclude(pk=tag.pk).first()
    if other is not None:
        raise ValidationError(
            _("The tag “%(name)s” now has the name or address of this one. Rename or merge it first.")
            % {"name": other.name}
        )


def _batches(ids: list[Value]) -> Iterable[list[Value]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
