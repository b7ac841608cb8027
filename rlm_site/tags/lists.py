from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, When
from django.db.models.expressions import Combinable

from rlm_site.tags.models import Tag, TaggedBase
from rlm_site.text.folding import fold_name

MAX_SUGGESTIONS = 10


def suggest_tags(typed: str, chosen: Iterable[str] = ()) -> list[str]:
    """Return names of unchosen tags that contain these letters: used tags first, then by position of the match."""
    folded = fold_name(typed.replace("\0", ""))
    if not folded:
        return []
    used: Q | Combinable = Q()
    for through in Tag.through_models():
        used |= Exists(through._default_manager.filter(tag=OuterRef("pk")))
    position = Case(When(folded__startswith=folded, then=0), When(folded__contains=f" {folded}", then=1), default=2)
    others = Tag.objects.exclude(folded__in=[fold_name(name) for name in chosen])
    found = others.filter(folded__contains=folded).order_by(Case(When(used, then=0), default=1), position, "folded")
    return list(found.values_list("name", flat=True)[:MAX_SUGGESTIONS])


def tags_with_counts(now: datetime) -> list[tuple[Tag, int]]:
    """Return all public tags by name, each with its number of public objects. One query per tagged model, and one."""
    counts: Counter[int] = Counter()
    for through in Tag.through_models():
        rows = through.public(now).order_by().values("tag").annotate(count=Count("pk"))
        counts.update({row["tag"]: row["count"] for row in rows})
    return [(tag, counts[tag.pk]) for tag in Tag.objects.filter(pk__in=counts)]


def related_tags(tag: Tag, now: datetime, limit: int = 12) -> list[tuple[Tag, int]]:
    """Return tags that share public objects with this one, most frequent first."""
    counts: Counter[int] = Counter()
    for through in Tag.through_models():
        related = through.public(now).filter(content_object__tagged_items__tag=tag).exclude(tag=tag)
        rows = related.order_by().values("tag").annotate(count=Count("pk"))
        counts.update({row["tag"]: row["count"] for row in rows})
    best = sorted(counts, key=lambda tag_id: (-counts[tag_id], tag_id))[:limit]
    tags = Tag.objects.in_bulk(best)
    return [(tags[tag_id], counts[tag_id]) for tag_id in best]


def tags_of_published() -> QuerySet[Tag]:
    """Return the tags of objects that are, were or will be public unless somebody changes them."""
    used = Q(pk__in=[])
    for through in Tag.through_models():
        used |= Q(pk__in=through._default_manager.filter(content_object__published=True).values("tag"))
    return Tag.objects.filter(used)


def tags_on(through: type[TaggedBase]) -> Callable[[Sequence[int]], Iterable[tuple[str, int]]]:
    """Return a function for `queue.cascades_to` that yields the tags of these objects."""

    def tags(ids: Sequence[int]) -> Iterable[tuple[str, int]]:
        rows = through._default_manager.filter(content_object__in=ids).order_by()
        for tag_id in rows.values_list("tag", flat=True).distinct():
            yield "tag", tag_id

    return tags
