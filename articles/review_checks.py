"""What an editor should know of a text before it is reviewed or published, and which public pages need one."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from articles import links, markdown
from articles.models import Article, Reference
from rlm_site.editor.content_warnings import ContentWarning
from rlm_site.text.folding import fold_name

A_YEAR = timedelta(days=365)

_NO_PLACE = re.compile(r"(?:pp?|vol|no|ch|fol)\.?")  # and no figure behind it
_UNREAD = re.compile(r"(?:\[\[|\[@).{0,40}")


def check_article(article: Article, now: datetime) -> list[ContentWarning]:
    """Of the article in hand, saved or not. At most three queries."""
    source = markdown.source(article.body)
    return [
        *_links(article, source, now),
        *_citations(source),
        *_unread(source),
        *_headings(source),
        *_without_citation(source),
        *_nearly_the_same_title(article),
    ]


def _links(article: Article, source: markdown.Source, now: datetime) -> Iterator[ContentWarning]:
    rows = list(Article.objects.filter(links.named_by(source.links)).for_links()) if source.links else []
    public = links.LinkTargets(row for row in rows if row.is_public(now))
    any_page = links.LinkTargets(rows)
    for target in source.links:
        if public.page(target, article):
            continue
        if any_page.page(target, article):
            yield ContentWarning(_("A link to a page that readers cannot see yet"), f"[[{target}]]")
        else:
            yield ContentWarning(_("A link to a page that does not exist"), f"[[{target}]]")


def _citations(source: markdown.Source) -> Iterator[ContentWarning]:
    keys = dict.fromkeys(cited.key for cited in source.citations)
    known = set(Reference.objects.filter(key__in=keys).values_list("key", flat=True)) if keys else set()
    for key in keys:
        if key not in known:
            yield ContentWarning(_("A citation of a work that is not among the references"), f"@{key}")
    for cited in source.citations:
        if _NO_PLACE.fullmatch(cited.place):
            yield ContentWarning(_("A citation without its page"), f"[@{cited.key}, {cited.place}]")


def _unread(source: markdown.Source) -> Iterator[ContentWarning]:
    """What was meant as a link or a citation and stands in the text as it was typed."""
    for found in _UNREAD.findall(source.plain):
        yield ContentWarning(_("Not read as a link or a citation: readers see the brackets"), found)


def _headings(source: markdown.Source) -> Iterator[ContentWarning]:
    above = 1
    for heading in source.headings:
        if heading.level > above + 1:
            yield ContentWarning(_("A heading skips a level"), f"{'#' * heading.level} {heading.text}")
        above = heading.level


def _without_citation(source: markdown.Source) -> Iterator[ContentWarning]:
    if source.words and not any(part.cites for part in source.parts):
        yield ContentWarning(_("Nothing on this page is cited"))
        return
    for part in source.parts:
        if part.heading and part.words and not part.cites:
            yield ContentWarning(_("Nothing is cited under the heading"), part.heading)


def _nearly_the_same_title(article: Article) -> Iterator[ContentWarning]:
    """Every title is read and folded here: a database folds some letters or none."""
    folded = fold_name(article.title)
    others = Article.objects.exclude(pk=article.pk).order_by("parent__title", "title", "id")
    for title, parent, above in others.values_list("title", "parent", "parent__title"):
        # sections of different topics may well have the very same title
        if fold_name(title) == folded and (title != article.title or parent == article.parent_id):
            yield ContentWarning(
                _("Another page has this title, or differs from it only in capitals or accents"),
                f"{above} - {title}" if above else title,
            )


# The whole site


def broken_links(now: datetime) -> list[tuple[Article, tuple[str, ...]]]:
    """Public pages with links that readers see as plain text, and what those should lead to. Two queries."""
    public = Article.objects.published(now)
    linked = links.LinkTargets(public.for_links())
    linking = public.filter(body__contains="[[").select_related("parent").defer("parent__body")
    found = [
        (article, tuple(target for target in markdown.source(article.body).links if not linked.page(target, article)))
        for article in linking.order_by("parent__title", "title", "id")
    ]
    return [(article, targets) for article, targets in found if targets]


def not_reviewed_for_a_year(now: datetime) -> QuerySet[Article]:
    """Public pages; one that nobody has reviewed counts from when it was begun."""
    before = now - A_YEAR
    due = Q(reviewed_on__lte=before.date()) | Q(reviewed_on=None, created__lte=before)
    return Article.objects.published(now).filter(due)
