"""Resolving names to tags; the only module that depends on taggit's internals."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q
from taggit.managers import _TaggableManager

from rlm_site.tags.models import Tag, TagChange
from rlm_site.text.folding import fold_name


class TagManager(_TaggableManager):
    """Finds tags by their folded name, so that `Война` and `война` are one, and by their former names."""

    def _to_tag_model_instances(self, tags: Sequence[str | Tag], tag_kwargs: dict[str, Any]) -> list[Tag]:
        names = {fold_name(tag): tag for tag in tags if isinstance(tag, str)}
        by_name = find_tags(names)
        for folded, name in names.items():
            if folded not in by_name:
                by_name[folded], _created = Tag.objects.get_or_create(folded=folded, defaults={"name": name})
        instances = [by_name[fold_name(tag)] if isinstance(tag, str) else tag for tag in tags]
        return list(dict.fromkeys(instances))


def find_tags(names: Iterable[str]) -> dict[str, Tag]:
    """Return, by folded name, the tag with this name, or else the tag that it was renamed to or merged into.

    So a text written before a rename or merge does not bring the old tag back. One query, and two more for unknown
    names.
    """
    wanted = {fold_name(name) for name in names}
    found = {tag.folded: tag for tag in Tag.objects.filter(folded__in=wanted)}
    return found | _formerly_called(wanted - found.keys())


def _formerly_called(wanted: set[str]) -> dict[str, Tag]:
    """Return the tags that once had these folded names, by the latest change of each name."""
    if not wanted:
        return {}
    renamed = Q(kind=TagChange.Kind.RENAME) & (Q(before__folded__in=wanted) | Q(before__became__in=wanted))
    merged = Q(kind=TagChange.Kind.MERGE, before__folded__in=wanted, undone=None)
    changes = TagChange.objects.filter(renamed | merged, tag__isnull=False).order_by("id")
    tag_ids: dict[str, int] = {}
    for old_name, new_name, tag_id in changes.values_list("before__folded", "before__became", "tag_id"):
        tag_ids |= dict.fromkeys({old_name, new_name} & wanted, tag_id)
    tags = Tag.objects.in_bulk(tag_ids.values())
    return {name: tags[tag_id] for name, tag_id in tag_ids.items()}


def current_names(names: Iterable[str]) -> list[str]:
    """Return today's names of tags once written down, sorted; unknown names stay as they are."""
    names = list(names)
    by_name = find_tags(names)
    return sorted({by_name[folded].name if (folded := fold_name(name)) in by_name else name for name in names})


def refold_names(ids: Sequence[int]) -> None:
    """Update the folded names of tags renamed by other database clients, unless the new one would clash."""
    for tag in Tag.objects.filter(pk__in=ids):
        folded = fold_name(tag.name)
        if tag.folded != folded and not Tag.objects.filter(folded=folded).exists():
            Tag.objects.filter(pk=tag.pk).update(folded=folded)
