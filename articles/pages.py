"""What a page of a topic is made of, in a fixed number of queries, and what is derived of its text."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.db.models import Max, OuterRef, Q, QuerySet, Subquery, Value
from django.utils import timezone
from django.utils.text import Truncator

from articles import markdown, references
from articles.models import Article, HeadingWord, QuoteChoice, Reference, TaggedArticle
from quotes import index, matching
from quotes.models import Quote, Word
from rlm_site import revisions
from rlm_site.models import Revision, Tag
from rlm_site.publishing import public_since
from rlm_site.slugs import slug_for


@dataclass(frozen=True)
class Topic:
    """A topic with its public sections, and what hangs on them; `articles` is the topic first, then its sections."""

    articles: tuple[Article, ...]
    tags: Mapping[int, list[Tag]]
    choices: Mapping[int, list[QuoteChoice]]

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
    cited: tuple[Reference, ...]


def topics(articles: QuerySet[Article], now: datetime) -> list[Topic]:
    """The topics of which any of these articles is the topic or a section. Two queries."""
    ids = articles.order_by().values("parent_id", "pk")
    wanted = Q(pk__in=ids.filter(parent=None).values("pk")) | Q(pk__in=ids.exclude(parent=None).values("parent_id"))
    return _topics(wanted | _under(wanted), now)


def topic(slug: str, now: datetime) -> Topic | None:
    """The public topic at this slug with its public sections. Two queries."""
    found = _topics(Q(parent=None, slug=slug) | Q(parent__parent=None, parent__slug=slug), now)
    return found[0] if found else None


def _under(topics: Q) -> Q:
    return Q(parent__in=Article.objects.filter(topics))


def _topics(condition: Q, now: datetime) -> list[Topic]:
    rows = Article.objects.published(now).filter(condition).annotate(changed_at=last_change()).in_reading_order()
    by_topic: dict[int, list[Article]] = defaultdict(list)
    found = {row.pk: row for row in rows}
    for row in found.values():
        if row.parent_id:
            row.parent = found[row.parent_id]
            by_topic[row.parent_id].append(row)
    tags, choices = _hanging_on(found)
    return [Topic((row, *by_topic[row.pk]), tags, choices) for row in found.values() if row.parent_id is None]


def _hanging_on(articles: Iterable[int]) -> tuple[dict[int, list[Tag]], dict[int, list[QuoteChoice]]]:
    """The tags and the editors' choices of these articles, by article, in order. One query."""
    ids = list(articles)
    tag_fields = ["id", "name", "slug", "folded", "brings_quotations"]
    choice_fields = ["id", "article_id", "quote_id", "action", "position"]
    no_tag = [Value(0), Value(""), Value(""), Value(""), Value(False)]
    no_choice = [Value(0), Value(0), Value(0), Value(""), Value(0)]
    tagged = TaggedArticle.objects.filter(content_object__in=ids).order_by()
    chosen = QuoteChoice.objects.filter(article__in=ids).order_by()
    rows = tagged.values_list("content_object_id", *(f"tag__{name}" for name in tag_fields), *no_choice).union(
        chosen.values_list("article_id", *no_tag, *choice_fields), all=True
    )
    tags: dict[int, list[Tag]] = defaultdict(list)
    choices: dict[int, list[QuoteChoice]] = defaultdict(list)
    for article, *values in rows:
        tag, choice = values[: len(tag_fields)], values[len(tag_fields) :]
        if tag[0]:
            tags[article].append(Tag.from_db(None, tag_fields, tag))
        else:
            choices[article].append(QuoteChoice.from_db(None, choice_fields, choice))
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
    found = _topics(Q(pk=article.topic.pk) | Q(parent=article.topic.pk), now)
    articles = list(found[0].articles) if found else [article.topic]
    if article in articles:
        articles[articles.index(article)] = article
    else:
        articles.append(article)
    articles[1:] = sorted(articles[1:], key=lambda section: (section.position, section.pk or 0))
    for section in articles[1:]:
        section.parent = articles[0]
    tags, choices = _hanging_on(row.pk for row in articles if row.pk)
    tags[article.pk] = list(Tag.objects.filter(name__in=list(tag_names)))
    return Topic(tuple(articles), tags, choices)


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
    return Subquery(notable.order_by().values("object_id").annotate(last=Max("created")).values("last"))


def text_of(article: Article, now: datetime) -> Text:
    """The body with its links and citations looked up. At most two queries."""
    source = markdown.source(article.body)
    links = link_addresses(source.links, article, now)
    keys = {cited.key for cited in source.citations}
    records = {record.key: record for record in Reference.objects.filter(key__in=keys)} if keys else {}
    rendered = markdown.render(
        article.body,
        tuple(sorted(links.items())),
        tuple(sorted((key, str(references.in_note(record))) for key, record in records.items())),
    )
    return Text(
        rendered,
        tuple(target for target in source.links if target not in links),
        tuple(sorted(keys - records.keys())),
        tuple(sorted(records.values(), key=lambda record: (record.authors or record.title, record.title))),
    )


def link_addresses(targets: Iterable[str], article: Article | None, now: datetime) -> dict[str, str]:
    """Target of a wiki link -> address, if it is public. `Title` is a topic, or a section beside this page."""
    wanted = {target: [slug_for(part) for part in target.split("#", 1)] for target in targets}
    if not wanted:
        return {}
    slugs = {slug for path in wanted.values() for slug in path}
    titles = {part.strip() for target in wanted for part in target.split("#", 1)}
    rows = Article.objects.published(now).filter(Q(slug__in=slugs) | Q(title__in=titles)).select_related("parent")
    found: dict[tuple[str, ...], str] = {}
    own_topic = article.topic.slug if article else ""
    for row in rows.defer("body", "parent__body").order_by("parent_id", "position", "id"):
        names = {row.slug, slug_for(row.title)}
        if row.parent is None:
            paths: list[tuple[str, ...]] = [(name,) for name in names]
        else:
            paths = [(above, name) for above in {row.parent.slug, slug_for(row.parent.title)} for name in names]
            if row.parent.slug == own_topic:
                paths += [(name,) for name in names]
        for path in paths:
            if path not in found or row.parent is None:
                found[path] = row.get_absolute_url()
    return {target: found[tuple(path)] for target, path in wanted.items() if tuple(path) in found}


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
