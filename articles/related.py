"""Topics that have to do with each other, by links between their pages and by tags that both have.

Indexing stores the best of them for each topic. Up to `FEW` pages every change has them all found anew; on a larger
site, those of the topics that changed and of those that these are related to.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import permutations
from math import log2
from typing import NamedTuple

from django.contrib.humanize.templatetags.humanize import apnumber
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from articles.links import Ref, Resolver, batches
from articles.models import Article, ArticleQuerySet, Link, Related, TaggedArticle
from articles.topics import Topic
from rlm_site.indexing import queue
from rlm_site.page_cache.dependencies import collect_dependencies
from rlm_site.publishing.visibility import is_public_at
from rlm_site.redirects.models import Address
from rlm_site.text.slugs import ABOUT, slug_for

FEW = 2000  # pages
MOST = 6  # related topics of one
MOST_TOPICS = 100  # with a tag that counts; one that more topics have says little
MOST_TAGS = 3  # that count and are named as a reason
LINK = 4.0  # the weight of one link, as of a tag on a sixteenth of all pages


Pair = tuple[int, int]  # of topics, by their ids


class Relation(NamedTuple):
    """What one topic has to do with another."""

    named: int = 0  # pages of the topic that link to the other
    naming: int = 0  # pages of the other that link to the topic
    tags: tuple[str, ...] = ()  # that both have, the rarest first
    weight: float = 0.0


class SeeAlso(NamedTuple):
    """A related topic, with the reasons in words."""

    article: Article
    reasons: list[str]


# Reading


def see_also(topic: Topic, now: datetime) -> list[SeeAlso]:
    """Return the public topics related to a topic, the closest first. One query."""
    rows = Related.objects.filter(queue.sound("article", "other__"), article=topic.article.pk).select_related("other")
    rows = rows.defer("other__body", "other__facts", "other__aliases").order_by("position")
    return [SeeAlso(row.other, _reasons(row, topic)) for row in rows if is_public_at(row.other, now)]


def _reasons(row: Related, topic: Topic) -> list[str]:
    reasons = []
    if row.named and topic.sections:
        told = ngettext("named on one page of this topic", "named on %(count)s pages of this topic", row.named)
        reasons.append(told % {"count": apnumber(row.named)})
    elif row.named:
        reasons.append(_("named on this page"))
    if row.naming:
        reasons.append(_("names this topic") if topic.sections else _("names this page"))
    if row.tags:
        told = ngettext("shares the tag %(tags)s", "shares the tags %(tags)s", len(row.tags))
        reasons.append(told % {"tags": ", ".join(row.tags[:MOST_TAGS])})
    return reasons


# Indexing


def related_to_articles(ids: Sequence[int]) -> Iterable[tuple[str, int]]:
    """Yield what has the relations of changed articles found anew."""
    for pk in ids:
        yield "related", pk


def related_to_tags(ids: Sequence[int]) -> Iterable[tuple[str, int]]:
    for article in TaggedArticle.objects.filter(tag__in=ids).values_list("content_object", flat=True):
        yield "related", article


def index_related(ids: Sequence[int]) -> None:
    """Find the relations of these articles' topics anew, and those of all topics where there are few pages."""
    now = timezone.now()
    with collect_dependencies():  # of no page, though one may have asked for the indexing
        if Article.objects.count() <= FEW:
            _index(None, now)
            return
        parents = Article.objects.filter(pk__in=ids).values_list("parent", flat=True)
        changed = {*ids, *(pk for pk in parents if pk)}
        before = set(Related.objects.filter(article__in=changed).values_list("other", flat=True))
        before |= set(Related.objects.filter(other__in=changed).values_list("article", flat=True))
        after = _index(changed, now)
        _index((before | after) - changed, now)


def _index(topics: set[int] | None, now: datetime) -> set[int]:
    """Store the closest topics of each of these, or of all; return those that they are related to."""
    relations = _relations(topics, now)
    rows = Related.objects.all() if topics is None else Related.objects.filter(article__in=topics)
    present = {(row.article_id, row.other_id): row for row in rows}
    wanted = {
        (article, other): (position, relation)
        for article, of_topic in relations.items()
        for position, (other, relation) in enumerate(_closest(of_topic))
    }
    gone = [row.pk for key, row in present.items() if key not in wanted or not _is_stored(row, *wanted[key])]
    for start in range(0, len(gone), 500):
        Related.objects.filter(pk__in=gone[start : start + 500]).delete()
    Related.objects.bulk_create(
        (
            Related(
                article_id=article,
                other_id=other,
                named=relation.named,
                naming=relation.naming,
                tags=list(relation.tags),
                position=position,
            )
            for (article, other), (position, relation) in wanted.items()
            if (article, other) not in present or present[article, other].pk in set(gone)
        ),
        batch_size=500,
    )
    return {other for _article, other in wanted}


def _closest(of_topic: Mapping[int, Relation]) -> list[tuple[int, Relation]]:
    return sorted(of_topic.items(), key=lambda item: (-item[1].weight, item[0]))[:MOST]


def _is_stored(row: Related, position: int, relation: Relation) -> bool:
    stored = (row.position, row.named, row.naming, tuple(row.tags))
    return stored == (position, relation.named, relation.naming, relation.tags)


def _relations(topics: set[int] | None, now: datetime) -> dict[int, dict[int, Relation]]:
    """Return what these topics, or all, have to do with others. A fixed number of queries, but for very many links."""
    naming, tags = _links(topics, now), _shared_tags(topics, now)
    found: dict[int, dict[int, Relation]] = defaultdict(dict)
    for article, other in {*naming, *((other, article) for article, other in naming), *tags}:
        if topics is None or article in topics:
            named, by_other = len(naming.get((article, other), ())), len(naming.get((other, article), ()))
            shared = tags.get((article, other), {})
            rarest = sorted(shared, key=lambda name: (-shared[name], name))
            told = sum(shared[name] for name in rarest[:MOST_TAGS])
            weight = LINK * (log2(1 + named) + log2(1 + by_other)) + told
            found[article][other] = Relation(named, by_other, tuple(rarest), weight)
    return found


def _links(topics: set[int] | None, now: datetime) -> dict[Pair, set[int]]:
    """Return the public pages of a topic that link to pages of another, by the pair of these topics."""
    rows = Link.objects.filter(source_kind="article", is_draft=False, kind__in=[Link.Kind.NAME, Link.Kind.ADDRESS])
    if topics is not None:
        own = list(_pages_of(topics, now).for_links())
        paths = {row.get_absolute_url() for row in own} | set(_former_paths(own))
        names = {
            slug_for(name) for row in own for name in (row.slug, row.title, *(each["name"] for each in row.aliases))
        }
        names |= {path.strip("/").rpartition("/")[2] for path in paths}
        rows = rows.filter(
            Q(source_id__in=[row.pk for row in own])
            | Q(kind=Link.Kind.NAME, lookup__in=names)
            | Q(kind=Link.Kind.ADDRESS, lookup__in=paths)
        )
    typed = set(rows.values_list("source_id", "kind", "target"))
    sources: dict[int, Article] = {}
    for some in batches({source for source, _kind, _target in typed}):
        sources |= Article.objects.published(now).for_links().in_bulk(some)
    refs = [(Ref(kind, target), sources[source]) for source, kind, target in sorted(typed) if source in sources]
    resolver = Resolver(refs, now)
    found: dict[Pair, set[int]] = defaultdict(set)
    for ref, source in refs:
        target = resolver.article(ref, source)
        if target and target.topic != source.topic and _has_relations(target.topic) and _has_relations(source.topic):
            found[source.topic.pk, target.topic.pk].add(source.pk)
    return found


def _has_relations(topic: Article) -> bool:
    return topic.slug != ABOUT and not topic.is_gloss


def _pages_of(topics: Collection[int], now: datetime) -> ArticleQuerySet:
    return Article.objects.published(now).filter(Q(pk__in=topics) | Q(parent__in=topics))


def _former_paths(pages: Iterable[Article]) -> Iterator[str]:
    for some in batches(page.pk for page in pages):
        yield from Address.objects.filter(kind="article", object_id__in=some).values_list("path", flat=True)


def _shared_tags(topics: set[int] | None, now: datetime) -> dict[Pair, dict[str, float]]:
    """Return the tags that two topics have, each with its weight: the rarer, the more; by the pair of these topics.

    Tags on more than a third of all pages do not count.
    """
    public = TaggedArticle.objects.filter(content_object__in=Article.objects.published(now).order_by().values("pk"))
    if topics is not None:
        own = _pages_of(topics, now).order_by().values("pk")
        public = public.filter(tag__in=TaggedArticle.objects.filter(content_object__in=own).order_by().values("tag"))
    pages = Article.objects.published(now).count()
    pages_with: dict[str, int] = Counter()
    topics_with: dict[str, set[int]] = defaultdict(set)
    for tag, page, parent in public.values_list("tag__name", "content_object", "content_object__parent"):
        pages_with[tag] += 1
        topics_with[tag].add(parent or page)
    without = set(_without_relations())
    found: dict[Pair, dict[str, float]] = defaultdict(dict)
    for tag, having in topics_with.items():
        if 3 * pages_with[tag] <= pages and len(having) <= MOST_TOPICS:
            for pair in permutations(having - without, 2):
                found[pair][tag] = log2(pages / pages_with[tag])
    return found


def _without_relations() -> Iterator[int]:
    """Yield the topics that are related to none: the page about the site, and terms without a page of their own."""
    gloss = Q(kind=Article.Kind.TERM, body="")
    yield from Article.objects.filter(gloss | Q(slug=ABOUT), parent=None).values_list("pk", flat=True)
