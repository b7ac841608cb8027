"""Indexing of the links of pages and of their drafts, and of the ids of headings."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from articles import events, markdown
from articles.links import Place, Ref, lookups_of, place_of, refs_in
from articles.models import Article, HeadingId, Link
from articles.sources import sources_in, sources_of
from quotes.models import Quote
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.publishing.models import Publishable

MAX_LOOKUP = 300
MAX_ALIKE = 50  # headings with a word in common that are looked at


def index_links(ids: Sequence[int]) -> None:
    """Index the links of these articles as they are stored, with those of the events that they tell."""
    told = events.refs_told(ids)
    refs: dict[int, list[Ref]] = {
        article.pk: [
            *(ref for source in sources_of(article) for ref in refs_in(source)),
            *told.get(article.pk, ()),
            *_successor_of(article),
        ]
        for article in Article.objects.filter(pk__in=ids).only("body", "facts", "diagram", "parent_id", "retired_to")
    }
    _write("article", ids, refs, is_draft=False)


def index_links_of_drafts(ids: Sequence[int]) -> None:
    """Index the links of the working copies of these articles, of which readers see nothing yet."""
    copies = revisions.working_copies(Article).filter(object_id__in=ids)
    published = set(Article.objects.filter(pk__in=ids, published=True).values_list("pk", flat=True))
    refs: dict[int, list[Ref]] = {
        copy.object_id: [ref for source in _drafted(copy) for ref in refs_in(source)]
        for copy in copies
        if copy.object_id in published  # one that was never public is its own draft
    }
    _write("article", ids, refs, is_draft=True)


def _drafted(copy: Revision) -> list[markdown.Source]:
    rows = Article._meta.get_field("facts").to_python(copy.content.get("facts"))
    is_sound = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
    return sources_in(str(copy.content.get("body", "")), rows if is_sound else (), copy.content.get("diagram"))


def index_successors(ids: Sequence[int]) -> None:
    """Index what these quotations lead readers to when they are withdrawn."""
    rows = Quote.objects.filter(pk__in=ids).exclude(retired_to="").only("retired_to")
    _write("quote", ids, {row.pk: _successor_of(row) for row in rows}, is_draft=False)


def _successor_of(row: Publishable) -> list[Ref]:
    return [Ref(Link.Kind.SUCCESSOR, row.retired_to)] if place_of(row.retired_to) else []


def _lookups(ref: Ref) -> set[str]:
    if ref.kind in {Link.Kind.NAME, Link.Kind.MENTION}:
        return lookups_of(ref.target)
    if ref.kind == Link.Kind.CITATION:
        return {ref.target}
    return {(place_of(ref.target) or Place("", "")).path[:MAX_LOOKUP]}


def _write(source_kind: str, ids: Sequence[int], refs: dict[int, list[Ref]], *, is_draft: bool) -> None:
    wanted = {(pk, *ref, lookup) for pk, found in refs.items() for ref in found for lookup in _lookups(ref)}
    rows = Link.objects.filter(source_kind=source_kind, source_id__in=ids, is_draft=is_draft)
    present = {(row.source_id, row.kind, row.target, row.lookup): row.pk for row in rows}
    gone = [pk for key, pk in present.items() if key not in wanted]
    for start in range(0, len(gone), 500):
        Link.objects.filter(pk__in=gone[start : start + 500]).delete()
    Link.objects.bulk_create(
        (
            Link(source_kind=source_kind, source_id=pk, is_draft=is_draft, kind=kind, target=target, lookup=lookup)
            for pk, kind, target, lookup in sorted(wanted - present.keys())
        ),
        batch_size=500,
    )


# Ids of headings


def index_heading_ids(ids: Sequence[int]) -> None:
    """Record the ids of the headings of published articles; those of reworded headings lead to the new ones."""
    known: dict[int, dict[str, HeadingId]] = defaultdict(dict)
    for row in HeadingId.objects.filter(article__in=ids).order_by("position", "id"):
        known[row.article_id][row.name] = row
    new, changed = [], []
    for article in Article.objects.filter(pk__in=ids, published=True).only("body"):
        names = [heading.id for heading in markdown.source(article.body).headings]
        rows = known[article.pk]
        followers = _followers([row.name for row in rows.values() if row.position is not None], names)
        places = {name: place for place, name in enumerate(names)}
        for row in rows.values():
            before = (row.position, row.leads_to)
            row.position = places.get(row.name)
            row.leads_to = row.name if row.position is not None else followers.get(row.leads_to, row.leads_to)
            if before != (row.position, row.leads_to):
                changed.append(row)
        new += [
            HeadingId(article=article, name=name, position=place, leads_to=name)
            for name, place in places.items()
            if name not in rows
        ]
    HeadingId.objects.bulk_update(changed, ["position", "leads_to"], batch_size=200)
    HeadingId.objects.bulk_create(new, batch_size=500)


def _followers(before: Sequence[str], after: Sequence[str]) -> dict[str, str]:
    """Return the headings that took the places of those that are no longer there, by their ids.

    Between two that stayed, new headings take the places of those that went: one by one where there are as many,
    otherwise by the words that they share.

    >>> _followers(["first", "the-mill", "last"], ["first", "the-old-mill", "last"])
    {'the-mill': 'the-old-mill'}
    """
    places = {name: place for place, name in enumerate(after)}
    known = set(before)
    found: dict[str, str] = {}
    first = 0
    gone: list[str] = []
    for name in (*before, None):
        if name is not None and name not in places:
            gone.append(name)
            continue
        last = len(after) if name is None else places[name]
        if gone:
            fresh = [other for other in after[first:last] if other not in known]
            found |= dict(zip(gone, fresh, strict=True)) if len(fresh) == len(gone) else _alike(gone, fresh)
            gone = []
        first = last + 1
    return found


def _alike(gone: Iterable[str], fresh: Iterable[str]) -> dict[str, str]:
    """Pair headings by the words that they share; each is taken once, in order, and some are left without any."""
    having: dict[str, list[str]] = defaultdict(list)
    for name in fresh:
        for word in set(name.split("-")):
            having[word].append(name)
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in gone:
        candidates = (other for word in sorted(set(name.split("-"))) for other in having[word][:MAX_ALIKE])
        if shared := Counter(other for other in candidates if other not in taken):
            found[name], _words = shared.most_common(1)[0]
            taken.add(found[name])
    return found


def draft_of(ids: Sequence[int]) -> Iterable[tuple[str, int]]:
    """Yield what has the links of drafts indexed too: an article that was never public has no other draft."""
    for pk in ids:
        yield "draft", pk
