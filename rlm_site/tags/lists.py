from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, Exists, OuterRef, Q, When

from rlm_site.tags.models import Tag
from rlm_site.text.folding import fold_name

MOST_SUGGESTED = 10


# Every tagged model that exists takes part below: it is found through the tables that point to Tag.


def suggest_tags(typed: str, chosen: Iterable[str] = ()) -> list[str]:
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


def tags_with_counts(now: datetime) -> list[tuple[Tag, int]]:
    """All tags that readers can see, by name, each with how many things have it. One query a tagged model, and one."""
    counts: Counter[int] = Counter()
    for through in Tag.through_models():
        rows = through.public(now).order_by().values("tag").annotate(count=Count("pk"))
        counts.update({row["tag"]: row["count"] for row in rows})
    return [(tag, counts[tag.pk]) for tag in Tag.objects.filter(pk__in=counts)]


def related_tags(tag: Tag, now: datetime, most: int = 12) -> list[tuple[Tag, int]]:
    """Tags that stand beside this one on something public, most frequent first."""
    counts: Counter[int] = Counter()
    for through in Tag.through_models():
        beside = through.public(now).filter(content_object__tagged_items__tag=tag).exclude(tag=tag)
        rows = beside.order_by().values("tag").annotate(count=Count("pk"))
        counts.update({row["tag"]: row["count"] for row in rows})
    best = sorted(counts, key=lambda tag_id: (-counts[tag_id], tag_id))[:most]
    tags = Tag.objects.in_bulk(best)
    return [(tags[tag_id], counts[tag_id]) for tag_id in best]
