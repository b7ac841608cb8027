"""Tags as editors type them, and the one place that knows taggit's ways."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from taggit.managers import _TaggableManager

from rlm_site.folding import fold_name
from rlm_site.models import Tag


def parse(text: str) -> list[str]:
    """Names separated by commas; spaces belong to the name, and quotes keep a comma inside one.

    >>> parse('free software, "Ochota, Warsaw", free software')
    ['free software', 'Ochota, Warsaw']

    Raises ValueError when a quote is not closed.
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


class TagManager(_TaggableManager):
    """Finds tags by their folded name, so that `Война` and `война` are one."""

    def _to_tag_model_instances(self, tags: Sequence[str | Tag], tag_kwargs: dict[str, Any]) -> list[Tag]:
        names = {fold_name(tag): tag for tag in tags if isinstance(tag, str)}
        known = {tag.folded: tag for tag in Tag.objects.filter(folded__in=names)}
        for folded, name in names.items():
            if folded not in known:
                known[folded], _created = Tag.objects.get_or_create(folded=folded, defaults={"name": name})
        found = [known[fold_name(tag)] if isinstance(tag, str) else tag for tag in tags]
        return list(dict.fromkeys(found))


def refold(ids: Sequence[int]) -> None:
    """Folded names of tags that another client has renamed; one that would clash keeps what it has."""
    for tag in Tag.objects.filter(pk__in=ids):
        folded = fold_name(tag.name)
        if tag.folded != folded and not Tag.objects.filter(folded=folded).exists():
            Tag.objects.filter(pk=tag.pk).update(folded=folded)


# Counts. Every tagged model that exists takes part: it is found through the tables that point to Tag.


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
