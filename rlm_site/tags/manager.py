"""Tags as editors type them, and the one place that knows taggit's ways."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q
from taggit.managers import _TaggableManager

from rlm_site.tags.models import Tag, TagChange
from rlm_site.text.folding import fold_name


class TagManager(_TaggableManager):
    """Finds tags by their folded name, so that `Война` and `война` are one, and by names that they once had."""

    def _to_tag_model_instances(self, tags: Sequence[str | Tag], tag_kwargs: dict[str, Any]) -> list[Tag]:
        names = {fold_name(tag): tag for tag in tags if isinstance(tag, str)}
        meant = find_tags(names)
        for folded, name in names.items():
            if folded not in meant:
                meant[folded], _created = Tag.objects.get_or_create(folded=folded, defaults={"name": name})
        found = [meant[fold_name(tag)] if isinstance(tag, str) else tag for tag in tags]
        return list(dict.fromkeys(found))


def find_tags(names: Iterable[str]) -> dict[str, Tag]:
    """Folded name -> the tag that is meant: the one of this name or, if there is none, the one that it has become.

    So texts that were written before a tag was renamed or merged bring no old tag back. One query, and two more where
    a name is not known.
    """
    wanted = {fold_name(name) for name in names}
    found = {tag.folded: tag for tag in Tag.objects.filter(folded__in=wanted)}
    return found | _formerly_called(wanted - found.keys())


def _formerly_called(wanted: set[str]) -> dict[str, Tag]:
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


def current_names(names: Iterable[str]) -> list[str]:
    """What tags that were once written down are called today, sorted; a name that is no tag's stays as it is."""
    names = list(names)
    meant = find_tags(names)
    return sorted({meant[folded].name if (folded := fold_name(name)) in meant else name for name in names})


def refold_names(ids: Sequence[int]) -> None:
    """Folded names of tags that another client has renamed; one that would clash keeps what it has."""
    for tag in Tag.objects.filter(pk__in=ids):
        folded = fold_name(tag.name)
        if tag.folded != folded and not Tag.objects.filter(folded=folded).exists():
            Tag.objects.filter(pk=tag.pk).update(folded=folded)
