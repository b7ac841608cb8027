from collections.abc import Iterable
from typing import Any

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

MOST_LOGGED = 50
BATCH = 5000  # ids of one statement; databases allow some tens of thousands


# Renaming and merging. Each is logged with what it takes to undo it. The log moves on with a tag that is merged, so
# that it always names the tag that a change has led to; `before["of"]` is the tag that it was done to.


@transaction.atomic
def rename_tag(tag: Tag, author: User | None = None) -> TagChange | None:
    """Save a tag that has got another name or address, and log what they were."""
    stored = Tag.objects.select_for_update().get(pk=tag.pk)
    tag.save()
    said = []
    if tag.name != stored.name:
        said.append(_("“%(old)s” renamed to “%(new)s”") % {"old": stored.name, "new": tag.name})
    if tag.slug != stored.slug:
        said.append(_("address “%(old)s” changed to “%(new)s”") % {"old": stored.slug, "new": tag.slug})
    if not said:
        return None
    before = {
        "of": tag.pk,
        "name": stored.name,
        "slug": stored.slug,
        "folded": stored.folded,
        "became": tag.folded,
    }
    return TagChange.objects.create(
        kind=TagChange.Kind.RENAME, tag=tag, said=", ".join(said), before=before, author=author
    )


def split_by_overlap(through: type[TaggedBase], tag: Tag, other: Tag) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """Rows that put the tag on what does not have the other one, and on what has both."""
    has_other = Q(content_object__in=through._default_manager.filter(tag=other).values("content_object"))
    rows = through._default_manager.filter(tag=tag)
    return rows.exclude(has_other), rows.filter(has_other)


@transaction.atomic
def merge_tags(tag: Tag, into: Tag, author: User | None = None) -> TagChange:
    """Put `into` on all that has the tag, which is then gone; its addresses lead on. The same queries for any number.

    Raises ValidationError where one of the two is gone already.
    """
    queue.process_queue()  # every address is remembered then, and none has to be added while others drain
    locked = Tag.objects.select_for_update().order_by("pk").in_bulk([tag.pk, into.pk])
    if tag.pk == into.pk:
        raise ValidationError(_("A tag cannot be merged into itself."))
    if len(locked) < 2:
        raise ValidationError(_("One of the two tags is gone: somebody has merged or deleted it meanwhile."))
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
        "tag": {name: getattr(tag, name) for name in ("id", "name", "slug", "description", "brings_quotations")},
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
    """What was done to the tag and to those merged into it, newest first, each with whether it can be undone now."""
    changes = TagChange.objects.filter(tag=tag).annotate(of=F("before__of")).defer("before").order_by("-id")
    changes = changes.select_related("author", "undone_by")
    standing: dict[str, TagChange] = {}
    log = list(changes[:MOST_LOGGED])
    for change in log:
        if change.undone is None and change.of == tag.pk:
            standing.setdefault(change.kind, change)
    return [(change, standing.get(change.kind) == change) for change in log]


@transaction.atomic
def undo_change(change: TagChange, author: User | None = None) -> Tag:
    """Give the tag its name and address back, or bring back the tag that was merged.

    What an editor has done since stands: what has lost the common tag meanwhile, or is deleted, gets none of the two.
    Raises ValidationError where a later change is in the way.
    """
    of = Tag.objects.select_for_update().filter(pk=change.before["of"]).first()
    change = TagChange.objects.select_for_update().get(pk=change.pk)
    if change.undone is not None:
        raise ValidationError(_("This is undone already."))
    if of is None or change.tag_id != of.pk:
        raise ValidationError(_("The tag that this was done to is gone. If it was merged, undo that first."))
    later = TagChange.objects.filter(tag=of, kind=change.kind, undone=None, before__of=of.pk, pk__gt=change.pk)
    if (last := later.order_by("-id").first()) is not None:
        raise ValidationError(_("Undo the later change first: %(said)s.") % {"said": last.said})
    tag = _undo_merge(change.before, of) if change.kind == TagChange.Kind.MERGE else _undo_rename(change.before, of)
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
        for some in _batches(items["both"]):
            ids = rows.filter(content_object__in=some).values_list("content_object_id", flat=True)
            through._default_manager.bulk_create(through(tag=tag, content_object_id=pk) for pk in ids)
        for some in _batches(items["moved"]):
            rows.filter(content_object__in=some).update(tag=tag)
    for some in _batches(before["addresses"]):
        Address.objects.filter(kind="tag", object_id=into.pk, path__in=some).update(object_id=tag.pk)
    TagChange.objects.filter(tag=into, pk__in=before["log"]).update(tag=tag)
    return tag


def _refuse_if_taken(tag: Tag) -> None:
    folded = fold_name(tag.name)
    other = Tag.objects.filter(Q(folded=folded) | Q(slug=tag.slug)).exclude(pk=tag.pk).first()
    if other is not None:
        raise ValidationError(
            _("The tag “%(name)s” has the name or the address of this one now. Rename or merge it first.")
            % {"name": other.name}
        )


def _batches(ids: list[Any]) -> Iterable[list[Any]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
