from collections.abc import Collection, Iterable, Sequence

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.utils import timezone

from articles.models import Article, HeadingWord, TaggedArticle
from quotes import word_index
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.publishing.visibility import public_since
from rlm_site.text.words import vocabulary


def sections_of(ids: Sequence[int]) -> Iterable[tuple[str, int]]:
    for section in Article.objects.filter(parent__in=ids).values_list("pk", flat=True):
        yield "article", section


def published_articles() -> QuerySet[Article]:
    """Return the pages that are, were or will be public unless somebody changes them."""
    return Article.objects.filter(Q(parent=None) | Q(parent__published=True), published=True)


def articles_tagged(ids: Sequence[int]) -> Iterable[tuple[str, int]]:
    for article in TaggedArticle.objects.filter(tag__in=ids).values_list("content_object", flat=True):
        yield "article", article


def index_heading_words(ids: Sequence[int]) -> None:
    """Index the heading words of articles, so that rendering a page needs no dictionary."""
    wanted: set[tuple[int, str]] = set()
    for article in Article.objects.filter(pk__in=ids).only("title", "quote_words"):
        wanted |= {(article.pk, word) for word in vocabulary(f"{article.title} {article.quote_words}")}
    word_index.add_words(word for _article, word in wanted)
    present = {(row.article_id, row.word): row.pk for row in HeadingWord.objects.filter(article__in=ids)}
    HeadingWord.objects.filter(pk__in=[pk for key, pk in present.items() if key not in wanted]).delete()
    HeadingWord.objects.bulk_create(
        HeadingWord(article_id=article, word=word) for article, word in sorted(wanted - present.keys())
    )


def once_public(ids: Collection[int]) -> set[int]:
    """Return those of these deleted pages that readers had seen, by their histories: of sections, with their topic."""
    places = Revision.objects.filter(content_type=ContentType.objects.get_for_model(Article), object_id__in=ids)
    topics = dict(places.order_by("number").values_list("object_id", "standing__parent"))
    shown = revisions.once_public(Article, {*topics, *topics.values()} - {None})
    return {pk for pk, topic in topics.items() if pk in shown and (topic is None or topic in shown)}


def record_first_publication(ids: Sequence[int]) -> None:
    """Record the publication of pages that came from a file or another client as the first entry of their history.

    While the publication is scheduled, the entry follows changes of the schedule.
    """
    article_type = ContentType.objects.get_for_model(Article)
    recorded = Revision.objects.filter(content_type=article_type, object_id__in=ids, state=Revision.State.PUBLISHED)
    scheduled = recorded.filter(kind=Revision.Kind.NEW, created__gt=timezone.now()).values_list("object_id", "pk")
    for article_id, revision_id in scheduled:
        for article in Article.objects.filter(pk=article_id, published=True):
            Revision.objects.filter(pk=revision_id).update(created=public_since(article))
    unrecorded = Article.objects.filter(pk__in=ids, published=True).exclude(pk__in=recorded.values("object_id"))
    for article in unrecorded:
        revisions.record_revision(
            article, state=Revision.State.PUBLISHED, kind=Revision.Kind.NEW, created=public_since(article)
        )
