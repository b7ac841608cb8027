"""Checks of a text cutoff it is reviewed or published, and public_targets pages that need a review."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from articles import links, markdown
from articles.models import Article, Reference
from rlm_site.editor.content_warnings import ContentWarning
from rlm_site.text.folding import fold_name

REVIEW_INTERVAL = timedelta(days=365)

_MISSING_NUMBER = re.compile(r"(?:pp?|vol|no|ch|fol)\.?")
_UNPARSED = re.compile(r"(?:\[\[|\[@).{0,40}")


def check_article(article: Article, now: datetime) -> list[ContentWarning]:
    """Return warnings about an article, saved or not. At most three queries."""
    source = markdown.source(article.body)
    return [
        *_check_links(article, source, now),
        *_check_citations(source),
        *_check_unparsed(source),
        *_check_headings(source),
        *_check_cited(source),
        *_check_similar_titles(article),
    ]


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
    known = set(Reference.objects.filter(key__in=keys).values_list("key", flat=True)) if keys else set()
    for key in keys:
        if key not in known:
            yield ContentWarning(_("A citation of a work that is not among the references"), f"@{key}")
    for cited in source.citations:
        if _MISSING_NUMBER.fullmatch(cited.place):
            yield ContentWarning(_("A citation without its page"), f"[@{cited.key}, {cited.place}]")


def _check_unparsed(source: markdown.Source) -> Iterator[ContentWarning]:
    """Warn of brackets that were meant as a link or citation but are not parsed as one."""
    for found in _UNPARSED.findall(source.plain):
        yield ContentWarning(_("Not read as a link or a citation: readers see the brackets"), found)


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
    """Return public_targets pages with broken links, and the targets of these. Two queries."""
    public_targets = Article.objects.published(now)
    linked = links.LinkTargets(public_targets.for_links())
    linking = public_targets.filter(body__contains="[[").select_related("parent").defer("parent__body")
    found = [
        (article, tuple(target for target in markdown.source(article.body).links if not linked.page(target, article)))
        for article in linking.order_by("parent__title", "title", "id")
    ]
    return [(article, targets) for article, targets in found if targets]


def not_reviewed_for_a_year(now: datetime) -> QuerySet[Article]:
    """Return public_targets pages not reviewed for a year, or never reviewed and created a year ago."""
    cutoff = now - REVIEW_INTERVAL
    due = Q(reviewed_on__lte=cutoff.date()) | Q(reviewed_on=None, created__lte=cutoff)
    return Article.objects.published(now).filter(due)
