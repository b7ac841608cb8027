"""What a page of a topic is made of, in a fixed number of queries, and what is derived of its text."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from articles import markdown, references
from articles.models import Article, HeadingWord, QuoteChoice, Reference, TaggedArticle
from quotes import index, matching
from quotes.models import Quote, Word
from rlm_site import revisions
from rlm_site.folding import fold_name
from rlm_site.freshness import token_of_row
from rlm_site.models import Revision, Tag
from rlm_site.publishing import public_since
from rlm_site.slugs import slug_for

# What its readers must name of the content, see `freshness.watch`.
PICKED_FROM = ("quotes", "tags")
LINKED_BY = ("title", "slug", "parent_id", "position", "published", "publish_at", "retire_at")


@dataclass(frozen=True)
class Topic:
    """A topic with its public sections, and what hangs on them; `articles` is the topic first, then its sections."""

    articles: tuple[Article, ...]
    tags: Mapping[int, list[Tag]]
    choices: Mapping[int, list[QuoteChoice]]

    @property
    def tokens(self) -> dict[str, str]:
        """Of the parts that are its pages and what hangs on them; the tags themselves are another."""
        return {f"article:{article.pk}": getattr(article, "token", None) or "" for article in self.articles}

    @property
    def article(self) -> Article:
        return self.articles[0]

    @property
    def sections(self) -> tuple[Article, ...]:
        return self.articles[1:]

    def neighbours(self, section: Article) -> tuple[Article | None, Article | None]:
        place = self.sections.index(section)
        before = self.sections[place - 1] if place else None
        after = self.sections[place + 1] if place + 1 < len(self.sections) else None
        return before, after

    def pages(self) -> matching.Topic:
        """With what each page asks for quotations."""
        bans_of_topic = self._chosen(self.article, QuoteChoice.Action.BAN)
        return tuple(
            matching.Page(
                heading=article.title,
                words=tuple(word.strip() for word in article.quote_words.split(",") if word.strip()),
                text=markdown.source(article.body).plain,
                tags=tuple((tag.pk, tag.name, tag.brings_quotations) for tag in self.tags.get(article.pk, [])),
                pins=self._chosen(article, QuoteChoice.Action.PIN)
                if article.quotations != Article.Quotations.NONE
                else (),
                bans=frozenset(bans_of_topic + self._chosen(article, QuoteChoice.Action.BAN)),
                automatic=article.quotations == Article.Quotations.AUTOMATIC,
            )
            for article in self.articles
        )

    def _chosen(self, article: Article, action: str) -> tuple[int, ...]:
        return tuple(choice.quote_id for choice in self.choices.get(article.pk, []) if choice.action == action)


@dataclass(frozen=True)
class Text:
    """A rendered body, and what its editor should know."""

    rendered: markdown.Rendered
    missing_links: tuple[str, ...]
    missing_references: tuple[str, ...]
    cited: tuple[SafeString, ...]  # entries of the bibliography, in its order
    parts: frozenset[str]


def topics(articles: QuerySet[Article], now: datetime) -> list[Topic]:
    """The topics of which any of these articles is the topic or a section. Two queries."""
    ids = articles.order_by().values("parent_id", "pk")
    wanted = Q(pk__in=ids.filter(parent=None).values("pk")) | Q(pk__in=ids.exclude(parent=None).values("parent_id"))
    return _topics(wanted | _under(wanted), now)


def topic(slug: str, now: datetime) -> Topic | None:
    """The public topic at this slug with its public sections. Two queries."""
    at_slug = Subquery(Article.objects.filter(parent=None, slug=slug).order_by().values("pk")[:1])
    found = _topics(Q(pk=at_slug) | Q(parent=at_slug), now)  # each by an index, which a join would keep from being used
    return found[0] if found else None


def _under(topics: Q) -> Q:
    return Q(parent__in=Article.objects.filter(topics))


def _topics(condition: Q, now: datetime) -> list[Topic]:
    token = token_of_row("article", Article)
    rows = Article.objects.filter(condition).annotate(changed_at=last_change(), token=token).in_reading_order()
    found = {row.pk: row for row in rows}
    for row in found.values():
        row.parent = found[row.parent_id] if row.parent_id else None
    # Asked of the rows and not of the database: Django takes longer to put the condition together than to answer it.
    public = [row for row in found.values() if row.is_public(now)]
    sections: dict[int | None, list[Article]] = defaultdict(list)
    for row in public:
        sections[row.parent_id].append(row)
    tags, choices = _hanging_on(row.pk for row in public)
    return [Topic((row, *sections[row.pk]), tags, choices) for row in sections[None]]


# Written out for the same reason.
_HANGING_ON = """
    SELECT item.content_object_id, tag.id, tag.name, tag.slug, tag.folded, tag.brings_quotations, NULL, NULL, NULL, NULL
    FROM articles_taggedarticle item JOIN rlm_site_tag tag ON tag.id = item.tag_id
    WHERE item.content_object_id IN ({ids})
    UNION ALL
    SELECT article_id, NULL, NULL, NULL, NULL, NULL, id, quote_id, action, position
    FROM articles_quotechoice WHERE article_id IN ({ids})"""


def _hanging_on(articles: Iterable[int]) -> tuple[dict[int, list[Tag]], dict[int, list[QuoteChoice]]]:
    """The tags and the editors' choices of these articles, by article, in order. One query."""
    ids = list(articles)
    tags: dict[int, list[Tag]] = defaultdict(list)
    choices: dict[int, list[QuoteChoice]] = defaultdict(list)
    if not ids:
        return tags, choices
    with connection.cursor() as cursor:
        cursor.execute(_HANGING_ON.format(ids=", ".join(["%s"] * len(ids))), ids * 2)
        rows = cursor.fetchall()
    for article, tag, name, slug, folded, brings, choice, quote, action, position in rows:
        if tag:
            brought = Tag(id=tag, name=name, slug=slug, folded=folded, brings_quotations=bool(brings))
            tags[article].append(brought)
        else:
            chosen = QuoteChoice(id=choice, article_id=article, quote_id=quote, action=action, position=position)
            choices[article].append(chosen)
    for of_article in tags.values():
        of_article.sort(key=lambda tag: tag.folded)
    for chosen_for in choices.values():
        chosen_for.sort(key=lambda choice: (choice.position, choice.pk))
    return tags, choices


def at(topic_slug: str, section_slug: str) -> Article | None:
    """Whatever is at this address, public or not."""
    rows = Article.objects.select_related("parent")
    if section_slug:
        return rows.filter(parent__slug=topic_slug, parent__parent=None, slug=section_slug).first()
    return rows.filter(parent=None, slug=topic_slug).first()


def around(article: Article, tag_names: Iterable[str], now: datetime) -> Topic:
    """The topic as it would be with this article, saved or not, in its place and with these tags."""
    above = article.topic.pk
    found = _topics(Q(pk=above, parent=None) | Q(parent=above), now) if above else []
    articles = list(found[0].articles) if found else [article.topic]
    is_public = bool(found) and article in articles
    if article in articles:
        articles[articles.index(article)] = article
    else:
        articles.append(article)
    articles[1:] = sorted(articles[1:], key=lambda section: (section.position, section.pk or 0))
    for section in articles[1:]:
        section.parent = articles[0]
    if is_public:
        tags, choices = found[0].tags, found[0].choices
    else:
        tags, choices = _hanging_on(row.pk for row in articles if row.pk)
    drafted = list(Tag.objects.filter(folded__in=[fold_name(name) for name in tag_names]))
    return Topic(tuple(articles), {**tags, article.pk: drafted}, choices)


def description(article: Article) -> str:
    """The beginning of the text, for search engines and previews of links."""
    return Truncator(markdown.source(article.body).plain).chars(160, truncate="…")


def first_sentence(article: Article) -> str:
    """For lists of topics: what the article is, in its own words."""
    plain = markdown.source(article.body).plain
    match = re.match(r".{40,}?[.!?](?=\s|$)", plain)
    return Truncator(match[0] if match else plain).chars(240, truncate="…")


def citing(now: datetime) -> dict[str, list[Article]]:
    """Reference key -> the public pages that cite it, in order of title. One query."""
    pages: dict[str, list[Article]] = defaultdict(list)
    rows = Article.objects.published(now).select_related("parent").order_by("parent__title", "title", "id")
    for article in rows:
        for key in dict.fromkeys(cited.key for cited in markdown.source(article.body).citations):
            pages[key].append(article)
    return pages


def last_change() -> Subquery:
    """When readers were last told of a change of an article."""
    notable = Revision.objects.filter(
        content_type__app_label="articles",
        content_type__model="article",
        object_id=OuterRef("pk"),
        state=Revision.State.PUBLISHED,
    ).exclude(kind=Revision.Kind.NONE)
    return Subquery(notable.order_by("-created").values("created")[:1])


def text_of(article: Article, now: datetime, version: str = "") -> Text:
    """The body with its links and citations looked up. At most two queries.

    References are remembered: `version` names the state of all (see `freshness`), the empty one remembers nothing.
    """
    source = markdown.source(article.body)
    links = link_addresses(source.links, article, now)
    keys = frozenset(cited.key for cited in source.citations)
    printed = _printed(keys, version) if version else _printed.__wrapped__(keys, version)
    rendered = markdown.render(
        article.body,
        tuple(sorted(links.items())),
        tuple(sorted((key, each.in_note) for key, each in printed.items())),
    )
    return Text(
        rendered,
        tuple(target for target in source.links if target not in links),
        tuple(sorted(keys - printed.keys())),
        tuple(each.in_bibliography for each in printed.values()),
        frozenset(part for part, read in {"addresses": source.links, "references": keys}.items() if read),
    )


class _Printed(NamedTuple):
    in_note: str
    in_bibliography: SafeString


@lru_cache(maxsize=1024)
def _printed(keys: frozenset[str], version: str) -> dict[str, _Printed]:
    """By key, in the order of the bibliography."""
    records = list(Reference.objects.filter(key__in=keys)) if keys else []
    records.sort(key=lambda record: (record.authors or record.title, record.title))
    return {
        record.key: _Printed(str(references.in_note(record)), references.in_bibliography(record)) for record in records
    }


def link_addresses(targets: Iterable[str], article: Article | None, now: datetime) -> dict[str, str]:
    """Target of a wiki link -> address, if it is public. `Title` is a topic, or a section beside this page."""
    targets = list(targets)
    if not targets:
        return {}
    linked = Linked(row for row in Article.objects.filter(named(targets)).for_links() if row.is_public(now))
    found = {target: linked.page(target, article) for target in targets}
    return {target: row.get_absolute_url() for target, row in found.items() if row is not None}


def named(targets: Iterable[str]) -> Q:
    """The condition that a page may be what one of these targets of wiki links means."""
    parts = {part.strip() for target in targets for part in target.split("#", 1)}
    return Q(slug__in={slug_for(part) for part in parts}) | Q(title__in=parts)


class Linked:
    """Pages by the names that wiki links give them; of two with one name the first."""

    def __init__(self, rows: Iterable[Article]) -> None:
        self._pages: dict[tuple[str, ...], Article] = {}
        for row in rows:
            names = [(page.title, page.slug) for page in (row.parent, row) if page]
            for path in product(*names):
                self._pages.setdefault(path, row)

    def page(self, target: str, beside: Article | None) -> Article | None:
        """What a link to `Title` or `Topic#Section` leads to; a section of the page's own topic by its title alone."""
        paths = list(product(*((part.strip(), slug_for(part)) for part in target.split("#", 1))))
        if beside:
            paths += [(beside.topic.slug, *path) for path in paths]
        return next((self._pages[path] for path in paths if path in self._pages), None)


def block_of(topic: Topic, article: Article, now: datetime, version: str = "") -> matching.Block:
    """The quotations that the page shows. At most two queries."""
    return matching.blocks([topic.pages()], now, version)[0][topic.articles.index(article)]


def showing(quote: Quote, now: datetime, version: str = "") -> list[Article]:
    """The pages that show a quotation, by title. A fixed number of queries."""
    forms = Word.objects.filter(links__quote=quote).values("form")
    headed = HeadingWord.objects.filter(word__in=Word.objects.filter(form__in=forms).values("text"))
    asking = Article.objects.filter(
        Q(pk__in=headed.values("article"))
        | Q(pk__in=QuoteChoice.objects.filter(quote=quote).values("article"))
        | Q(
            pk__in=TaggedArticle.objects.filter(tag__in=quote.tags.filter(brings_quotations=True)).values(
                "content_object"
            )
        )
    )
    found = topics(asking, now)
    shown = []
    for each, blocks in zip(found, matching.blocks([each.pages() for each in found], now, version), strict=True):
        for article, block in zip(each.articles, blocks, strict=True):
            if any(pick.quote.pk == quote.pk for pick in block.picks):
                shown.append(article)
    return sorted(shown, key=lambda article: article.full_title)


def picks() -> dict[str, tuple[str, ...]]:
    """Heading of every public page -> keys of the quotations it shows; an import compares them before and after."""
    now = timezone.now()
    found = topics(Article.objects.topics(), now)
    blocks = matching.blocks([topic.pages() for topic in found], now)
    return {
        article.full_title: tuple(pick.quote.key for pick in block.picks)
        for topic, of_topic in zip(found, blocks, strict=True)
        for article, block in zip(topic.articles, of_topic, strict=True)
    }


def with_word(words: Iterable[str], now: datetime) -> QuerySet[Article]:
    """Public pages with one of these folded words in their heading."""
    headed = HeadingWord.objects.filter(word__in=list(words)).values("article")
    return Article.objects.published(now).filter(pk__in=headed).select_related("parent").order_by("title", "id")


# Derived data


def sections_of(ids: Sequence[int]) -> Iterable[tuple[str, int]]:
    for section in Article.objects.filter(parent__in=ids).values_list("pk", flat=True):
        yield "article", section


def articles_tagged(ids: Sequence[int]) -> Iterable[tuple[str, int]]:
    for article in TaggedArticle.objects.filter(tag__in=ids).values_list("content_object", flat=True):
        yield "article", article


def learn_heading_words(ids: Sequence[int]) -> None:
    """A reader's page looks the words of its heading up and needs no dictionary."""
    wanted: set[tuple[int, str]] = set()
    for article in Article.objects.filter(pk__in=ids).only("title", "quote_words"):
        page = matching.Page(article.title, tuple(filter(None, map(str.strip, article.quote_words.split(",")))))
        wanted |= {(article.pk, word) for word in page.used_words()}
    index.learn(word for _article, word in wanted)
    present = {(row.article_id, row.word): row.pk for row in HeadingWord.objects.filter(article__in=ids)}
    HeadingWord.objects.filter(pk__in=[pk for key, pk in present.items() if key not in wanted]).delete()
    HeadingWord.objects.bulk_create(
        HeadingWord(article_id=article, word=word) for article, word in sorted(wanted - present.keys())
    )


def record_first_publication(ids: Sequence[int]) -> None:
    """A page that came from a file or another client has no history: its arrival is the first entry.

    While the arrival is still to come, it follows the page's times.
    """
    article_type = ContentType.objects.get_for_model(Article)
    known = Revision.objects.filter(content_type=article_type, object_id__in=ids, state=Revision.State.PUBLISHED)
    awaited = known.filter(kind=Revision.Kind.NEW, created__gt=timezone.now()).values_list("object_id", "pk")
    for article_id, revision_id in awaited:
        for article in Article.objects.filter(pk=article_id, published=True):
            Revision.objects.filter(pk=revision_id).update(created=public_since(article))
    arrived = Article.objects.filter(pk__in=ids, published=True).exclude(pk__in=known.values("object_id"))
    for article in arrived:
        revisions.record(article, state=Revision.State.PUBLISHED, kind=Revision.Kind.NEW, created=public_since(article))
