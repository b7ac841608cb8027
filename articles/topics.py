"""Topics with all that their pages show, read in a fixed number of queries, and what is derived from their text."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from articles import citations, diagrams, events, fact_table, glossary, markdown
from articles.links import link_addresses
from articles.models import Article, HeadingId, QuoteChoice
from articles.sources import cited_keys, sources_in, sources_of
from quotes import matching
from rlm_site import turns
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.page_cache.dependencies import depends_on
from rlm_site.page_cache.versions import version_of_row
from rlm_site.tags.models import Tag
from rlm_site.text.folding import fold_name
from rlm_site.text.slugs import ABOUT, slug_for


@dataclass(frozen=True)
class Topic:
    """A topic with its public sections, their tags and chosen quotations; `articles` begins with the topic."""

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
        """Return the requests with which its pages are matched to quotations."""
        bans_of_topic = self._chosen(self.article, QuoteChoice.Action.BAN)
        return tuple(
            matching.MatchRequest(
                heading=article.title,
                words=tuple(word.strip() for word in article.quote_words.split(",") if word.strip()),
                tags=tuple(
                    (tag.pk, tag.name, tag.brings_quotations) for tag in self.tags.get(article.pk, []) if tag.pk
                ),
                pins=self._chosen(article, QuoteChoice.Action.PIN)
                if article.applied_quotations != Article.Quotations.NONE
                else (),
                bans=frozenset(bans_of_topic + self._chosen(article, QuoteChoice.Action.BAN)),
                automatic=article.applied_quotations == Article.Quotations.AUTOMATIC,
            )
            for article in self.articles
        )

    def _chosen(self, article: Article, action: str) -> tuple[int, ...]:
        return tuple(choice.quote_id for choice in self.choices.get(article.pk, []) if choice.action == action)


@dataclass(frozen=True)
class RenderedText:
    """A rendered body with the facts of an entry, and with what its editor should know."""

    rendered: markdown.Rendered
    facts: tuple[fact_table.Group, ...]
    diagram: diagrams.Diagram | None
    terms: tuple[Article, ...]  # of the glossary, that it explains
    missing_links: tuple[str, ...]
    missing_references: tuple[str, ...]
    cited: tuple[SafeString, ...]  # entries of the bibliography, in its order


class RenderedTexts(NamedTuple):
    """Texts of one page, and the bibliography of all."""

    texts: tuple[RenderedText, ...]
    cited: tuple[SafeString, ...]


def load_topics(articles: QuerySet[Article], now: datetime) -> list[Topic]:
    """Return the topics of which any of these articles is the topic or a section. Two queries."""
    depends_on("all")  # only the caller knows after which changes these would be other articles
    ids = articles.order_by().values("parent_id", "pk")
    wanted = Q(pk__in=ids.filter(parent=None).values("pk")) | Q(pk__in=ids.exclude(parent=None).values("parent_id"))
    return _topics(wanted | _under(wanted), now)


def load_topic(slug: str, now: datetime) -> Topic | None:
    """Return the public topic at this slug with its public sections. Two queries."""
    at_slug = Subquery(Article.objects.filter(parent=None, slug=slug).order_by().values("pk")[:1])
    found = _topics(Q(pk=at_slug) | Q(parent=at_slug), now)  # each by an index, which a join would keep from being used
    return found[0] if found else None


def _under(topics: Q) -> Q:
    return Q(parent__in=Article.objects.filter(topics))


def _topics(condition: Q, now: datetime) -> list[Topic]:
    version = version_of_row("article", Article)
    rows = Article.objects.filter(condition & queue.sound("article"))
    rows = rows.annotate(changed_at=last_notable_change(), version=version)
    found = {row.pk: row for row in rows.in_reading_order()}
    for row in found.values():
        row.parent = found.get(row.parent_id) if row.parent_id else None
    # Asked of the rows and not of the database: Django takes longer to put the condition together than to answer it.
    public = [row for row in found.values() if (row.parent or not row.parent_id) and row.is_public(now)]
    sections: dict[int | None, list[Article]] = defaultdict(list)
    for row in public:
        # A section that is not public has no need to be named: any change of it is one of its topic's tag too.
        depends_on(f"article:{row.pk}", version=getattr(row, "version", None) or "")
        sections[row.parent_id].append(row)
    tags, choices = _tags_and_choices(row.pk for row in public)
    return [Topic((row, *sections[row.pk]), tags, choices) for row in sections[None]]


# Written out for the same reason.
_TAGS_AND_CHOICES = """
    SELECT item.content_object_id, tag.id, tag.name, tag.slug, tag.folded, tag.brings_quotations, NULL, NULL, NULL, NULL
    FROM articles_taggedarticle item JOIN rlm_site_tag tag ON tag.id = item.tag_id
    WHERE item.content_object_id IN ({ids})
    UNION ALL
    SELECT article_id, NULL, NULL, NULL, NULL, NULL, id, quote_id, action, position
    FROM articles_quotechoice WHERE article_id IN ({ids})"""


def _tags_and_choices(articles: Iterable[int]) -> tuple[dict[int, list[Tag]], dict[int, list[QuoteChoice]]]:
    """Return the tags and the editors' choices of these articles, by article, in order. One query."""
    ids = list(articles)
    tags: dict[int, list[Tag]] = defaultdict(list)
    choices: dict[int, list[QuoteChoice]] = defaultdict(list)
    if not ids:
        return tags, choices
    depends_on("tags")  # and on the articles, as their own tags tell
    with connection.cursor() as cursor:
        cursor.execute(_TAGS_AND_CHOICES.format(ids=", ".join(["%s"] * len(ids))), ids * 2)
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


def with_unsaved(article: Article, tag_names: Iterable[str], now: datetime) -> Topic:
    """Return the topic as it would be with this article, saved or not, in its place and with these tags."""
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
        tags, choices = _tags_and_choices(row.pk for row in articles if row.pk)
    names = {fold_name(name): name for name in tag_names}
    known = {tag.folded: tag for tag in Tag.objects.filter(folded__in=names)}
    drafted = [known.get(key) or Tag(name=name, slug=slug_for(name), folded=key) for key, name in sorted(names.items())]
    return Topic(tuple(articles), {**tags, article.pk: drafted}, choices)


def meta_description(article: Article) -> str:
    """Return the beginning of the text, for search engines and previews of links."""
    return Truncator(markdown.source(article.body).plain).chars(160, truncate="…")


def first_sentence(article: Article) -> str:
    """Return the first sentence of the text, for lists of topics."""
    return sentence_of(article.body)


def sentence_of(body: str) -> str:
    """Return the first sentence of a text."""
    plain = markdown.source(body).plain
    match = re.match(r".{40,}?[.!?](?=\s|$)", plain)
    return Truncator(match[0] if match else plain).chars(240, truncate="…")


def articles_by_reference(now: datetime) -> dict[str, list[Article]]:
    """Return the public pages that cite each reference, or whose events do, in order of title, by its key."""
    told: dict[int, list[str]] = defaultdict(list)
    for event in events.public(now):
        told[event.article_id] += (cited.key for cited in markdown.source(event.text).citations)
    pages: dict[str, list[Article]] = defaultdict(list)
    rows = Article.objects.published(now).select_related("parent").order_by("parent__title", "title", "id")
    for article in rows:
        for key in dict.fromkeys([*cited_keys(article), *told[article.pk]]):
            pages[key].append(article)
    return pages


def last_notable_change() -> Subquery:
    """Return an expression for `annotate`: when readers were last told of a change of an article."""
    notable = Revision.objects.filter(
        content_type__app_label="articles",
        content_type__model="article",
        object_id=OuterRef("pk"),
        state=Revision.State.PUBLISHED,
    ).exclude(kind=Revision.Kind.NONE)
    return Subquery(notable.order_by("-created").values("created")[:1])


def render_text(article: Article, now: datetime) -> RenderedText:
    """Render body and facts with their links and citations. At most five queries; more if links lead nowhere."""
    return render_texts([article], now).texts[0]


def render_texts(articles: Sequence[Article], now: datetime, parts: Sequence[str] = ("",)) -> RenderedTexts:
    """Render the texts of pages of one topic for one page, of which each may be a part. As many queries as of one."""
    with turns.long_work(sum(len(article.body) for article in articles)):
        return _render_texts(articles, now, parts)


def _render_texts(articles: Sequence[Article], now: datetime, parts: Sequence[str]) -> RenderedTexts:
    sources = [sources_of(article) for article in articles]
    targets = dict.fromkeys(target for of_page in sources for source in of_page for target in source.links)
    links = link_addresses(targets, articles[0], now)
    references = _formatted_references(frozenset(key for article in articles for key in cited_keys(article)))
    former_ids = _former_ids([article for article in articles if markdown.source(article.body).headings])
    terms = glossary.load()
    explained: set[str] = set()
    texts = []
    for article, of_page, part in zip(articles, sources, parts, strict=True):
        own_links = {target for source in of_page for target in source.links}
        keys = set(cited_keys(article))
        linked = tuple(sorted((target, links[target]) for target in own_links if target in links))
        cited = {key: each for key, each in references.items() if key in keys}
        rendered = markdown.render(
            article.body,
            linked,
            tuple(sorted((key, each.in_note, each.in_later_note) for key, each in cited.items())),
            (*former_ids.get(article.pk, ()), *_explanation_of_sign(article)),
            terms.terms_in(markdown.source(article.body).plain, article, now, explained),
            part,
        )
        explained |= set(rendered.terms)
        in_line = {key: each.in_line for key, each in cited.items()}
        texts.append(
            RenderedText(
                rendered,
                () if article.parent_id else tuple(_fact_table(article, links, in_line)),
                diagrams.draw(article.diagram, linked, tuple(sorted(in_line.items()))),
                tuple(terms.terms[slug] for slug in rendered.terms),
                tuple(target for source in of_page for target in source.links if target not in links),
                tuple(sorted(keys - references.keys())),
                tuple(each.in_bibliography for each in cited.values()),
            )
        )
    return RenderedTexts(tuple(texts), tuple(each.in_bibliography for each in references.values()))


def fact_tables(articles: Sequence[Article], now: datetime) -> dict[int, list[fact_table.Group]]:
    """Return the facts of entries as readers see them, by entry. At most three queries."""
    sources = [source for article in articles for source in sources_in("", article.facts)]
    links = link_addresses(dict.fromkeys(target for source in sources for target in source.links), None, now)
    references = _formatted_references(frozenset(cited.key for source in sources for cited in source.citations))
    in_line = {key: each.in_line for key, each in references.items()}
    return {article.pk: _fact_table(article, links, in_line) for article in articles}


def _fact_table(article: Article, links: Mapping[str, str], in_line: Mapping[str, str]) -> list[fact_table.Group]:
    """Return the facts with those of these links and works that they name, for they are cached by them."""
    sources = sources_in("", article.facts)
    targets = {target for source in sources for target in source.links}
    keys = {cited.key for source in sources for cited in source.citations}
    return fact_table.groups_of(
        article,
        tuple(sorted((target, address) for target, address in links.items() if target in targets)),
        tuple(sorted((key, name) for key, name in in_line.items() if key in keys)),
    )


def _former_ids(articles: Iterable[Article]) -> dict[int, tuple[tuple[str, str], ...]]:
    """Return pairs of the id of a heading and of one that it had before, by page. One query, or none without pages.

    They are indexed with the articles.
    """
    pages: dict[int, tuple[tuple[str, str], ...]] = {}
    if ids := [article.pk for article in articles]:
        former = HeadingId.objects.filter(article__in=ids, position=None).order_by("name")
        for article, leads_to, name in former.values_list("article", "leads_to", "name"):
            pages[article] = (*pages.get(article, ()), (leads_to, name))
    return pages


def _explanation_of_sign(article: Article) -> Iterator[tuple[str, str]]:
    """Yield the id of the heading under which the page about the site explains the sign after works, with another.

    The sign of every work leads to that other id, whatever the heading says.
    """
    if article.slug == ABOUT and not article.parent_id:
        headings = markdown.source(article.body).headings
        yield from [(heading.id, citations.SIGN_ID) for heading in headings if citations.SIGN in heading.text][:1]


def references_in(sources: Iterable[markdown.Source]) -> list[tuple[str, str, str]]:
    """Return the works that texts cite as `markdown.Work`s. One query, or none."""
    keys = frozenset(cited.key for source in sources for cited in source.citations)
    return [(key, each.in_note, each.in_later_note) for key, each in _formatted_references(keys).items()]


class _FormattedReference(NamedTuple):
    in_note: str
    in_later_note: str
    in_line: str
    in_bibliography: SafeString


def _formatted_references(keys: frozenset[str]) -> dict[str, _FormattedReference]:
    """Return references by key, in the order of the bibliography. One query, or none while no reference changes."""
    if not keys:
        return {}
    version = depends_on("references")
    return _cached_references(keys, version) if version else _cached_references.__wrapped__(keys, version)


@lru_cache(maxsize=1024)
def _cached_references(keys: frozenset[str], version: str) -> dict[str, _FormattedReference]:
    records = list(citations.cited_by(keys).filter(queue.sound("reference")))
    records.sort(key=lambda record: (record.authors or record.title, record.title))
    in_notes, in_lines = citations.short_names(records), citations.short_names(records, dated=True)
    return {
        record.key.lower(): _FormattedReference(
            citations.in_note(record),
            citations.in_later_note(record, in_notes[record.key]),
            citations.in_line(record, in_lines[record.key]),
            citations.in_bibliography(record),
        )
        for record in records
    }
