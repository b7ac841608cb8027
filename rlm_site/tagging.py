"""Tags as editors type them, and the one place that knows taggit's ways."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, When
from django.utils import timezone
from django.utils.translation import gettext as _
from taggit.managers import _TaggableManager

from rlm_site import derived
from rlm_site.folding import fold_name
from rlm_site.models import Address, Tag, TagChange, TaggedBase

MOST_SUGGESTED = 10
MOST_LOGGED = 50
BATCH = 5000  # ids of one statement; databases allow some tens of thousands


def parse(text: str) -> list[str]:
    """Names separated by commas; spaces belong to the name, and quotes keep a comma inside one.

    >>> parse('free software, "Ochota, Warsaw", free software')
    ['free software', 'Ochota, Warsaw']

    Raises ValueError when a quote is not closed. static/js/tags.js reads what is typed the same way.
    """
    names: list[str] = []
    name, quoted = "", False
    for char in text.replace("\n", ","):
        if char == '"':
            quoted = not quoted
        elif char == "," and not quoted:
            names.append(name)
            name = ""
        else:
            name += char
    if quoted:
        raise ValueError(_("A quotation mark is not closed."))
    unique: dict[str, str] = {}
    for candidate in [*names, name]:
        candidate = " ".join(candidate.split())
        if candidate:
            unique.setdefault(fold_name(candidate), candidate)
    return list(unique.values())


def edit_string(tags: Iterable[Tag]) -> str:
    """What the form shows: `parse` gives the same tags back."""
    return ", ".join(
        f'"{tag.name}"' if "," in tag.name else tag.name for tag in sorted(tags, key=lambda tag: fold_name(tag.name))
    )


def clean_name(name: str) -> str:
    """The name as it is kept. Raises ValidationError where it could not be typed again, or has nothing to fold."""
    name = " ".join(name.split())
    if '"' in name:
        raise ValidationError(_("A tag has no quotation marks of this kind: they would end it where it is typed."))
    if not any(char.isalnum() for char in name):
        raise ValidationError(_("Give a name with at least one letter or figure."))
    return name


class TagManager(_TaggableManager):
    """Finds tags by their folded name, so that `Война` and `война` are one, and by names that they once had."""

    def _to_tag_model_instances(self, tags: Sequence[str | Tag], tag_kwargs: dict[str, Any]) -> list[Tag]:
        names = {fold_name(tag): tag for tag in tags if isinstance(tag, str)}
        meant = known(names)
        for folded, name in names.items():
            if folded not in meant:
                meant[folded], _created = Tag.objects.get_or_create(folded=folded, defaults={"name": name})
        found = [meant[fold_name(tag)] if isinstance(tag, str) else tag for tag in tags]
        return list(dict.fromkeys(found))


def known(names: Iterable[str]) -> dict[str, Tag]:
    """Folded name -> the tag that is meant: the one of this name or, if there is none, the one that it has become.

    So texts that were written before a tag was renamed or merged bring no old tag back. One query, and two more where
    a name is not known.
    """
    wanted = {fold_name(name) for name in names}
    found = {tag.folded: tag for tag in Tag.objects.filter(folded__in=wanted)}
    return found | _once(wanted - found.keys())


def _once(wanted: set[str]) -> dict[str, Tag]:
    """The tags that had these folded names, by the newest change of each name."""
    if not wanted:
        return {}
    renamed = Q(kind=TagChange.Kind.RENAME) & (Q(before__folded__in=wanted) | Q(before__became__in=wanted))
    merged = Q(kind=TagChange.Kind.MERGE, before__folded__in=wanted, undone=None)
    changes = TagChange.objects.filter(renamed | merged, tag__isnull=False).order_by("id")
    tag_ids: dict[str, int] = {}
    for was, became, tag_id in changes.values_list("before__folded", "before__became", "tag_id"):
        tag_ids |= dict.fromkeys({was, became} & wanted, tag_id)
    tags = Tag.objects.in_bulk(tag_ids.values())
    return {name: tags[tag_id] for name, tag_id in tag_ids.items()}


def names_now(names: Iterable[str]) -> list[str]:
    """What tags that were once written down are called today, sorted; a name that is no tag's stays as it is."""
    names = list(names)
    meant = known(names)
    return sorted({meant[folded].name if (folded := fold_name(name)) in meant else name for name in names})


def refold(ids: Sequence[int]) -> None:
    """Folded names of tags that another client has renamed; one that would clash keeps what it has."""
    for tag in Tag.objects.filter(pk__in=ids):
        folded = fold_name(tag.name)
        if tag.folded != folded and not Tag.objects.filter(folded=folded).exists():
            Tag.objects.filter(pk=tag.pk).update(folded=folded)


# Every tagged model that exists takes part below: it is found through the tables that point to Tag.


def suggestions(typed: str, chosen: Iterable[str] = ()) -> list[str]:
    """Names of tags with these letters that are not chosen yet: used ones first, then by where the letters stand."""
    folded = fold_name(typed.replace("\0", ""))
    if not folded:
        return []
    used: Any = Q()
    for through in Tag.through_models():
        used |= Exists(through._default_manager.filter(tag=OuterRef("pk")))
    place = Case(When(folded__startswith=folded, then=0), When(folded__contains=f" {folded}", then=1), default=2)
    others = Tag.objects.exclude(folded__in=[fold_name(name) for name in chosen])
    found = others.filter(folded__contains=folded).order_by(Case(When(used, then=0), default=1), place, "folded")
    return list(found.values_list("name", flat=True)[:MOST_SUGGESTED])


def with_counts(now: datetime) -> list[tuple[Tag, int]]:
    """All tags that readers can see, by name, each with how many things have it. One query a tagged model, and one."""
    counts: Counter[int] = Counter()
    for through in Tag.through_models():
        rows = through.public(now).order_by().values("tag").annotate(count=Count("pk"))
        counts.update({row["tag"]: row["count"] for row in rows})
    return [(tag, counts[tag.pk]) for tag in Tag.objects.filter(pk__in=counts)]


def related(tag: Tag, now: datetime, most: int = 12) -> list[tuple[Tag, int]]:
    """Tags that stand beside this one on something public, most frequent first."""
    counts: Counter[int] = Counter()
    for through in Tag.through_models():
        beside = through.public(now).filter(content_object__tagged_items__tag=tag).exclude(tag=tag)
        rows = beside.order_by().values("tag").annotate(count=Count("pk"))
        counts.update({row["tag"]: row["count"] for row in rows})
    best = sorted(counts, key=lambda tag_id: (-counts[tag_id], tag_id))[:most]
    tags = Tag.objects.in_bulk(best)
    return [(tags[tag_id], counts[tag_id]) for tag_id in best]


# Renaming and merging. Each is logged with what it takes to undo it. The log moves on with a tag that is merged, so
# that it always names the tag that a change has led to; `before["of"]` is the tag that it was done to.


@transaction.atomic
def rename(tag: Tag, author: User | None = None) -> TagChange | None:
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


def apart(through: type[TaggedBase], tag: Tag, other: Tag) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """Rows that put the tag on what does not have the other one, and on what has both."""
    has_other = Q(content_object__in=through._default_manager.filter(tag=other).values("content_object"))
    rows = through._default_manager.filter(tag=tag)
    return rows.exclude(has_other), rows.filter(has_other)


@transaction.atomic
def merge(tag: Tag, into: Tag, author: User | None = None) -> TagChange:
    """Put `into` on all that has the tag, which is then gone; its addresses lead on. The same queries for any number.

    Raises ValidationError where one of the two is gone already.
    """
    derived.drain()  # every address is remembered then, and none has to be added while others drain
    locked = Tag.objects.select_for_update().order_by("pk").in_bulk([tag.pk, into.pk])
    if tag.pk == into.pk:
        raise ValidationError(_("A tag cannot be merged into itself."))
    if len(locked) < 2:
        raise ValidationError(_("One of the two tags is gone: somebody has merged or deleted it meanwhile."))
    tag, into = locked[tag.pk], locked[into.pk]
    items = {}
    for through in Tag.through_models():
        moved, both = apart(through, tag, into)
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


def log_of(tag: Tag) -> list[tuple[TagChange, bool]]:
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
def undo(change: TagChange, author: User | None = None) -> Tag:
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
    tag = _unmerge(change.before, of) if change.kind == TagChange.Kind.MERGE else _name_back(change.before, of)
    TagChange.objects.filter(pk=change.pk).update(undone=timezone.now(), undone_by=author)
    return tag


def _name_back(before: dict[str, Any], tag: Tag) -> Tag:
    tag.name, tag.slug = before["name"], before["slug"]
    _refuse_if_taken(tag)
    tag.save()
    return tag


def _unmerge(before: dict[str, Any], into: Tag) -> Tag:
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
