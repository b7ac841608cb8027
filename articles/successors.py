"""What takes the place of withdrawn pages and quotations, however they lead to each other."""

from datetime import datetime
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve

from articles.models import Article
from quotes.models import Quote
from rlm_site.publishing.models import Publishable
from rlm_site.publishing.visibility import is_public_at, is_retired
from rlm_site.redirects.redirects import as_meant

QUOTE_VIEWS = {"quote", "quote_by_id"}
MAX_STEPS = 10  # from one withdrawn page to the next


def find_at(topic_slug: str, section_slug: str) -> Article | None:
    """Return the article at this address, public or not."""
    rows = Article.objects.select_related("parent")
    if section_slug:
        return rows.filter(parent__slug=topic_slug, parent__parent=None, slug=section_slug).first()
    return rows.filter(parent=None, slug=topic_slug).first()


def withdrawn_article(topic_slug: str, section_slug: str, now: datetime) -> Publishable | None:
    """Return the withdrawn article at this address, or its withdrawn topic, if nothing there was never public."""
    article = find_at(topic_slug, section_slug)
    return withdrawn_row(article, now) if article else None


def withdrawn_row(row: Publishable, now: datetime) -> Publishable | None:
    """Return the row if it is withdrawn, or its withdrawn topic, if neither was never public."""
    rows = [each for each in (row, getattr(row, "parent", None)) if each]
    if not all(is_public_at(each, now) or is_retired(each, now) for each in rows):
        return None
    return next((each for each in rows if is_retired(each, now)), None)


def successor_of(row: Publishable, now: datetime) -> str:
    """Return where readers of a withdrawn row are led to; empty where they would be led in a circle."""
    seen: set[Publishable] = set()
    following: Publishable | None = row
    while following and following.retired_to:
        if following in seen or len(seen) == MAX_STEPS:
            return ""
        seen.add(following)
        following = _withdrawn_at(following.retired_to, now)
    return row.retired_to


def _withdrawn_at(address: str, now: datetime) -> Publishable | None:
    try:
        match = resolve(as_meant(urlsplit(address).path))
    except Resolver404:
        return None
    given = match.kwargs
    if match.view_name in QUOTE_VIEWS:
        quote = Quote.objects.filter(pk=given["pk"]).first()
        return withdrawn_row(quote, now) if quote else None
    if match.view_name == "articles:topic":
        return withdrawn_article(given["slug"], "", now)
    if match.view_name == "articles:section":
        return withdrawn_article(given["topic_slug"], given["slug"], now)
    return None
