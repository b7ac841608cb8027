"""Checks of a text before it is reviewed or published, and public pages that need a review."""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from articles import backlinks, citations, claims, events, links, markdown, silence
from articles.models import Alias, Article, Event, Link, Reference
from articles.sources import sources_in, sources_of
from quotes.models import Quote
from rlm_site.editor.content_warnings import ContentWarning
from rlm_site.text.folding import fold_name
from rlm_site.text.slugs import slug_for

REVIEW_INTERVAL = timedelta(days=365)

_MISSING_NUMBER = re.compile(r"(?:pp?|vol|no|ch|fol)\.?")
_MAX_FAULTS = 50  # that are named at once
_HAS_PLACES = {Reference.Kind.BOOK, Reference.Kind.MEMOIR, Reference.Kind.THESIS}
_SEEN_IN_PART = {Reference.Consulted.EXTRACT, Reference.Consulted.INDIRECTLY}


def check_article(article: Article, now: datetime, tag_names: Iterable[str] = ()) -> list[ContentWarning]:
    """Return warnings about an article, saved or not. A fixed number of queries for up to some hundred links."""
    source = markdown.source(article.body)
    of_facts = sources_in("", () if article.parent_id else article.facts, article.diagram)
    before = Article.objects.for_links().filter(pk=article.pk).first() if article.pk else None
    return [
        *_check_excess(source),
        *_check_summary(article),
        *(each for text in (source, *of_facts) for each in _check_links(article, text, now)),
        *(each for text in (source, *of_facts) for each in _check_citations(text)),
        *_check_faults(source),
        *_check_title(article),
        *_check_rename(before, article, now),
        *_check_headings(source),
        *_check_cited(source),
        *_check_claims(claims.claims_in(source, is_document=_is_document(article))),
        *_check_similar_titles(article),
        *_check_aliases(article),
        *_check_silence(article, tag_names),
        *_check_setting(before, article),
    ]


def check_event(event: Event, now: datetime) -> list[ContentWarning]:
    """Return warnings about an event: its links, its citations, and names that are no pages' and much like one."""
    source = markdown.source(event.text)
    return [
        *_check_links(None, source, now),
        *_check_citations(source),
        *([] if source.citations else [ContentWarning(_("This event has no citations"))]),
        *_check_faults(source),
        *_check_claims(claims.claims_in(source)),
        *_check_names(event, now),
    ]


def _check_names(event: Event, now: datetime) -> Iterator[ContentWarning]:
    names = events.names_beside(event)
    pages = links.link_pages(names, None, now)
    for name in names:
        if name not in pages:
            yield ContentWarning(_("There is no public page of this name, so that it is not a link"), name)


def _check_excess(source: markdown.Source) -> Iterator[ContentWarning]:
    if source.excess:
        yield ContentWarning(_("Readers see the text without links, notes and formatting"), str(source.excess))


def _check_links(article: Article | None, source: markdown.Source, now: datetime) -> Iterator[ContentWarning]:
    # Citations are checked by themselves, and places of the page itself are among the faults of the text.
    own_places = [links.Ref(Link.Kind.ADDRESS, address) for address in source.addresses if address.startswith("#")]
    refs = [ref for ref in links.refs_in(source) if ref.kind != Link.Kind.CITATION and ref not in own_places]
    own_ids = {heading.id for heading in source.headings}
    resolver = links.Resolver([(ref, article) for ref in refs], now, {article.pk: own_ids} if article else None)
    for ref in refs:
        if told := _why_broken(ref, article, resolver):
            yield ContentWarning(told, links.as_typed(*ref))


def _why_broken(ref: links.Ref, beside: Article | None, resolver: links.Resolver) -> str:
    """Return why a link leads readers nowhere; empty if it leads somewhere."""
    if resolver.works(ref, beside):
        return ""
    match ref.kind:
        case Link.Kind.CITATION:
            return _("The cited work is not among the references")
        case Link.Kind.SUCCESSOR:
            return _("Readers of this unpublished page are redirected to an address that does not exist")
        case Link.Kind.ADDRESS:
            if resolver.leads_to_page(ref, beside):
                return _("The linked page has no such heading")
            return _("The linked address does not exist on this site")
        case _:
            if resolver.exists(ref.target, beside):
                return _("Readers cannot see the linked page yet")
            return _("The linked page does not exist")


def _check_citations(source: markdown.Source) -> Iterator[ContentWarning]:
    keys = dict.fromkeys(cited.key for cited in source.citations)
    rows = citations.cited_by(keys).only("key", "kind", "consulted", "proposed") if keys else ()
    known = {row.key.lower(): row for row in rows}
    for key in keys:
        if key not in known:
            yield ContentWarning(_("The cited work is not among the references"), f"@{key}")
        elif known[key].proposed:
            yield ContentWarning(_("This cites a proposed reference. An editor has to confirm it"), f"@{key}")
    for cited in source.citations:
        if _MISSING_NUMBER.fullmatch(cited.place):
            yield ContentWarning(_("The citation has no page number"), f"[@{cited.key}, {cited.place}]")
    yield from _check_claims(_without_place(source, {key: row for key, row in known.items() if _has_places(row)}))


def _has_places(reference: Reference) -> bool:
    """Return whether a citation of this work is to say where in it: one that was seen in extract alone may not know."""
    return reference.kind in _HAS_PLACES and reference.consulted not in _SEEN_IN_PART


def _without_place(source: markdown.Source, works: Container[str]) -> Iterator[claims.Claim]:
    for cited in source.citations:
        if cited.key in works and not cited.place:
            yield claims.Claim(claims.NO_PLACE, f"[@{cited.key}]")


def _is_document(article: Article) -> bool:
    return article.kind == Article.Kind.DOCUMENT and not article.parent_id


def _check_claims(found: Iterable[claims.Claim]) -> Iterator[ContentWarning]:
    """Warn of claims without sources, of each kind up to a number."""
    counts: Counter[str] = Counter()
    for claim in found:
        counts[claim.kind] += 1
        if counts[claim.kind] <= _MAX_FAULTS:
            yield ContentWarning(claims.ADVICE[claim.kind], ": ".join(filter(None, (claim.words, claim.excerpt))))
    if more := sum(max(0, count - _MAX_FAULTS) for count in counts.values()):
        yield ContentWarning(_("More claims without sources: %(count)d") % {"count": more})


def _check_faults(source: markdown.Source) -> Iterator[ContentWarning]:
    for fault in source.faults[:_MAX_FAULTS]:
        yield ContentWarning(_("Line %(line)d: %(what)s") % {"line": fault.line, "what": fault.what}, fault.where)
    if more := len(source.faults[_MAX_FAULTS:]):
        yield ContentWarning(_("More problems on later lines: %(count)d") % {"count": more})


def _check_title(article: Article) -> Iterator[ContentWarning]:
    """Warn of a title that means something else between the brackets of a link."""
    if not markdown.can_be_linked(article.title):
        told = _("Links cannot use the title of this page. “Link to a page” inserts its slug instead")
        yield ContentWarning(told, f"[[{article.slug or slug_for(article.title)}]]")


def _check_rename(before: Article | None, article: Article, now: datetime) -> Iterator[ContentWarning]:
    """Warn of links that a new title breaks when it is published."""
    if before is None or before.title == article.title:
        return
    lost = backlinks.lost_by_rename(before, article, now)
    for link in lost.listed:
        told = _("The link on “%(title)s” uses the old title of this page") % {"title": link.title}
        yield ContentWarning(told, link.target)
    if lost.more:
        yield ContentWarning(_("Pages that readers cannot see link here by the old title of this page"))


def _check_headings(source: markdown.Source) -> Iterator[ContentWarning]:
    previous_level = 1
    for heading in source.headings:
        if heading.level > previous_level + 1:
            yield ContentWarning(_("A heading skips a level"), f"{'#' * heading.level} {heading.text}")
        previous_level = heading.level


def _check_cited(source: markdown.Source) -> Iterator[ContentWarning]:
    if source.words and not any(passage.has_citation for passage in source.passages):
        yield ContentWarning(_("This page has no citations"))
        return
    for passage in source.passages:
        if passage.heading and passage.words and not passage.has_citation:
            yield ContentWarning(_("There is no citation under this heading"), passage.heading)


def _check_similar_titles(article: Article) -> Iterator[ContentWarning]:
    """Warn of similar titles. All titles are folded in Python, because databases fold some letters or none."""
    folded = fold_name(article.title)
    others = Article.objects.exclude(pk=article.pk).order_by("parent__title", "title", "id")
    for title, parent, above in others.values_list("title", "parent", "parent__title"):
        # sections of different topics may have the same title
        if fold_name(title) == folded and (title != article.title or parent == article.parent_id):
            yield ContentWarning(
                _("Another page has this title, or one that differs only in capitals or accents"),
                f"{above} - {title}" if above else title,
            )


def _check_summary(article: Article) -> Iterator[ContentWarning]:
    if not article.summary:
        yield ContentWarning(_("This page has no summary: lists and search results show how its text begins"))


def _check_aliases(article: Article) -> Iterator[ContentWarning]:
    """Warn of other names that another topic has as well: links by them lead to one of the two."""
    slugs = {} if article.parent_id else {slug_for(row["name"]): row["name"] for row in article.aliases}
    others = Alias.objects.filter(slug__in=slugs).exclude(article=article.pk).select_related("article").order_by("id")
    for row in others if slugs else ():
        yield ContentWarning(_("“%(title)s” has this name, too") % {"title": row.article.title}, slugs[row.slug])


def _check_silence(article: Article, tag_names: Iterable[str]) -> Iterator[ContentWarning]:
    """Warn of quotations picked by the site where people suffered."""
    if advice := silence.advice_for(article, tag_names, silence.advising_tags()):
        remedy = _("Consider setting “Quotations” to “none”")
        if advice.tags:
            told = _("The site picks quotations for this page, but it has a tag that advises silence.")
            yield ContentWarning(f"{told} {remedy}", ", ".join(advice.tags))
        if advice.words:
            told = _("The site picks quotations for this page, but its text tells of suffering.")
            yield ContentWarning(f"{told} {remedy}", ", ".join(advice.words))


def _check_setting(before: Article | None, article: Article) -> Iterator[ContentWarning]:
    """Warn of pages for which the site begins to pick quotations without anybody having set it so for them."""
    setting = Article.Quotations
    if before is None or before.applied_quotations == setting.AUTOMATIC:
        return
    if article.applied_quotations != setting.AUTOMATIC:
        return
    if before.parent and before.parent_id != article.parent_id and article.quotations == setting.TOPIC:
        told = _("In its new place, the site picks quotations for this page; it did not under the old topic")
        yield ContentWarning(told, before.parent.title)
    followers = Article.objects.filter(parent=article.pk, quotations=setting.TOPIC).in_reading_order()
    for title in followers.values_list("title", flat=True):
        yield ContentWarning(_("The site would also pick quotations for this section, which follows the topic"), title)


# The whole site


class BrokenLink(NamedTuple):
    """A link that leads readers nowhere, the record in which it stands, and why."""

    row: Article | Quote
    target: str
    why: str


def broken_links(now: datetime) -> list[BrokenLink]:
    """Return the broken links of public pages, and of withdrawn ones what readers are led to. Some ten queries."""
    stored = (
        Link.objects.filter(is_draft=False)
        .exclude(kind=Link.Kind.MENTION)
        .order_by("pk")
        .values_list("source_kind", "source_id", "kind", "target")
    )
    public = Article.objects.published(now).for_links().in_bulk()
    withdrawn = {
        (kind, row.pk): row
        for kind, rows in (("article", Article.objects.for_links()), ("quote", Quote.objects.all()))
        for row in rows.filter(published=True).exclude(retired_to="")
    }
    found: dict[tuple[Any, links.Ref], None] = {}
    for source_kind, pk, kind, target in stored.values_list("source_kind", "source_id", "kind", "target"):
        row: Any = withdrawn.get((source_kind, pk)) if kind == Link.Kind.SUCCESSOR else public.get(pk)
        if row is not None:
            found[row, links.Ref(kind, target)] = None
    refs = [(ref, row if isinstance(row, Article) else None) for row, ref in found]
    resolver = links.Resolver(refs, now)
    broken = [
        BrokenLink(row, links.as_typed(*ref), why)
        for (row, ref), (_ref, beside) in zip(found, refs, strict=True)
        if (why := _why_broken(ref, beside, resolver))
    ]
    return sorted(broken, key=lambda link: (str(link.row), link.row.pk, link.target))


class UnsourcedClaim(NamedTuple):
    """A claim without its source, and the page or event in which it stands."""

    row: Article | Event
    claim: claims.Claim


def unsourced_claims(now: datetime) -> list[UnsourcedClaim]:
    """Return the claims without sources of public pages and events, by title. Three queries."""
    works = {row.key.lower() for row in Reference.objects.only("key", "kind", "consulted") if _has_places(row)}
    pages = Article.objects.published(now).select_related("parent").defer("parent__body", "parent__facts")
    found: list[UnsourcedClaim] = []
    rows: list[Article | Event] = [*pages, *Event.objects.published(now)]
    for row in rows:
        sources = sources_of(row) if isinstance(row, Article) else [markdown.source(row.text)]
        text = markdown.source(row.body) if isinstance(row, Article) else sources[0]
        own = claims.claims_in(text, is_document=isinstance(row, Article) and _is_document(row))
        placeless = (claim for source in sources for claim in _without_place(source, works))
        found += [UnsourcedClaim(row, claim) for claim in (*own, *placeless)]
    return sorted(found, key=lambda each: (str(each.row), each.row.pk))


def not_reviewed_for_a_year(now: datetime) -> QuerySet[Article]:
    """Return public pages not reviewed for a year, or never reviewed and created a year ago."""
    cutoff = now - REVIEW_INTERVAL
    due = Q(reviewed_on__lte=cutoff.date()) | Q(reviewed_on=None, created__lte=cutoff)
    return Article.objects.published(now).filter(due)
