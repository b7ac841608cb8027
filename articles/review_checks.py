"""Checks of a text before it is reviewed or published, and public pages that need a review."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from articles import citations, links, markdown
from articles.models import Article
from rlm_site.editor.content_warnings import ContentWarning
from rlm_site.text.folding import fold_name
from rlm_site.text.slugs import slug_for

REVIEW_INTERVAL = timedelta(days=365)

_MISSING_NUMBER = re.compile(r"(?:pp?|vol|no|ch|fol)\.?")
_MAX_FAULTS = 50  # that are named at once


def check_article(article: Article, now: datetime) -> list[ContentWarning]:
    """Return warnings about an article, saved or not. At most three queries."""
    source = markdown.source(article.body)
    return [
        *_check_excess(source),
        *_check_links(article, source, now),
        *_check_citations(source),
        *_check_faults(source),
        *_check_title(article),
        *_check_headings(source),
        *_check_cited(source),
        *_check_similar_titles(article),
    ]


def _check_excess(source: markdown.Source) -> Iterator[ContentWarning]:
    if source.excess:
        yield ContentWarning(_("Readers see the text without links, notes and formatting"), str(source.excess))


def _check_links(article: Article, source: markdown.Source, now: datetime) -> Iterator[ContentWarning]:
    rows = list(Article.objects.filter(links.named_by(source.links)).for_links()) if source.links else []
    public_targets = links.LinkTargets(row for row in rows if row.is_public(now))
    all_targets = links.LinkTargets(rows)
    for target in source.links:
        if public_targets.page(target, article):
            continue
        if all_targets.page(target, article):
            yield ContentWarning(_("A link to a page that readers cannot see yet"), f"[[{target}]]")
        else:
            yield ContentWarning(_("A link to a page that does not exist"), f"[[{target}]]")


def _check_citations(source: markdown.Source) -> Iterator[ContentWarning]:
    keys = dict.fromkeys(cited.key for cited in source.citations)
    known = {key.lower() for key in citations.cited_by(keys).values_list("key", flat=True)} if keys else set()
    for key in keys:
        if key not in known:
            yield ContentWarning(_("A citation of a work that is not among the references"), f"@{key}")
    for cited in source.citations:
        if _MISSING_NUMBER.fullmatch(cited.place):
            yield ContentWarning(_("A citation without its page"), f"[@{cited.key}, {cited.place}]")


def _check_faults(source: markdown.Source) -> Iterator[ContentWarning]:
    for fault in source.faults[:_MAX_FAULTS]:
        yield ContentWarning(_("Line %(line)d: %(what)s") % {"line": fault.line, "what": fault.what}, fault.where)
    if more := len(source.faults[_MAX_FAULTS:]):
        yield ContentWarning(_("There are %(count)d more of these in the lines below") % {"count": more})


def _check_title(article: Article) -> Iterator[ContentWarning]:
    """Warn of a title that means something else between the brackets of a link."""
    if markdown.path_of(article.title) != (article.title,) or set("[]|") & set(article.title):
        told = _("Links cannot name this page by its title. Choose it under “Link to a page”, which names its slug")
        yield ContentWarning(told, f"[[{article.slug or slug_for(article.title)}]]")


def _check_headings(source: markdown.Source) -> Iterator[ContentWarning]:
    previous_level = 1
    for heading in source.headings:
        if heading.level > previous_level + 1:
            yield ContentWarning(_("A heading skips a level"), f"{'#' * heading.level} {heading.text}")
        previous_level = heading.level


def _check_cited(source: markdown.Source) -> Iterator[ContentWarning]:
    if source.words and not any(passage.has_citation for passage in source.passages):
        yield ContentWarning(_("Nothing on this page is cited"))
        return
    for passage in source.passages:
        if passage.heading and passage.words and not passage.has_citation:
            yield ContentWarning(_("Nothing is cited under the heading"), passage.heading)


def _check_similar_titles(article: Article) -> Iterator[ContentWarning]:
    """Warn of similar titles. All titles are folded in Python, because databases fold some letters or none."""
    folded = fold_name(article.title)
    others = Article.objects.exclude(pk=article.pk).order_by("parent__title", "title", "id")
    for title, parent, above in others.values_list("title", "parent", "parent__title"):
        # sections of different topics may have the same title
        if fold_name(title) == folded and (title != article.title or parent == article.parent_id):
            yield ContentWarning(
                _("Another page has this title, or differs from it only in capitals or accents"),
                f"{above} - {title}" if above else title,
            )


# The whole site


def broken_links(now: datetime) -> list[tuple[Article, tuple[str, ...]]]:
    """Return public pages with broken links, and the targets of these. Two queries."""
    public_targets = Article.objects.published(now)
    linked = links.LinkTargets(public_targets.for_links())
    linking = public_targets.filter(body__contains="[[").select_related("parent").defer("parent__body")
    found = [
        (article, tuple(target for target in markdown.source(article.body).links if not linked.page(target, article)))
        for article in linking.order_by("parent__title", "title", "id")
    ]
    return [(article, targets) for article, targets in found if targets]


def not_reviewed_for_a_year(now: datetime) -> QuerySet[Article]:
    """Return public pages not reviewed for a year, or never reviewed and created a year ago."""
    cutoff = now - REVIEW_INTERVAL
    due = Q(reviewed_on__lte=cutoff.date()) | Q(reviewed_on=None, created__lte=cutoff)
    return Article.objects.published(now).filter(due)
