"""The other names of topics: their look-up table, built by indexing, and what is found at an address made of one."""

from collections.abc import Sequence
from datetime import datetime

from articles.models import Alias, Article
from rlm_site.text.slugs import slug_for


def index_aliases(ids: Sequence[int]) -> None:
    """Index the other names of these articles; of sections, and of deleted articles, none."""
    wanted: dict[tuple[int, int], tuple[str, str, str]] = {}
    for article in Article.objects.filter(pk__in=ids, parent=None).only("aliases"):
        for position, row in enumerate(article.aliases):
            wanted[article.pk, position] = (row["name"], slug_for(row["name"]), row["language"])
    rows = Alias.objects.filter(article__in=ids)
    present = {(row.article_id, row.position): (row.pk, (row.name, row.slug, row.language)) for row in rows}
    gone = [pk for key, (pk, names) in present.items() if wanted.get(key) != names]
    for start in range(0, len(gone), 500):
        Alias.objects.filter(pk__in=gone[start : start + 500]).delete()
    new = {key: names for key, names in wanted.items() if key not in present or present[key][1] != names}
    Alias.objects.bulk_create(
        (
            Alias(article_id=article, position=position, name=name, slug=slug, language=language)
            for (article, position), (name, slug, language) in sorted(new.items())
        ),
        batch_size=500,
    )


def entry_at(path: str, now: datetime) -> Article | None:
    """Return the public topic with another name that makes this path, or its section: `/pike/`, `/pike/fins/`.

    One query.
    """
    names = [slug_for(name) for name in path.strip("/").split("/")]
    if len(names) > 2 or not names[0]:
        return None
    owners = Alias.objects.filter(slug=names[0]).order_by("id").values("article")
    public = Article.objects.published(now).for_links()
    if len(names) == 2:
        return public.filter(parent__in=owners, slug=names[1]).first()
    return public.filter(pk__in=owners, parent=None).first()
