"""Atom feeds of changes and of quotations."""

from datetime import datetime

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.db.models.functions import Coalesce, Greatest
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape, linebreaks
from django.utils.translation import gettext as _

from articles.topics import meta_description
from quotes.models import Quote
from rlm_site.front import changes
from rlm_site.front.changes import Change
from rlm_site.indexing import queue
from rlm_site.page_cache.decorators import public_page
from rlm_site.publishing.visibility import public_since
from rlm_site.text.json_ld import absolute

ENTRIES = 40


def entry_id(thing: str) -> str:
    """Return an identifier that no change of address, text or scheme changes (RFC 4287, 4.2.6; RFC 4151)."""
    return f"tag:{settings.FEED_AUTHORITY},2026:{thing}"


class SiteFeed(Feed):
    """A feed whose addresses are those of `SITE_URL`, whatever host was asked; descriptions are HTML, as in Atom."""

    feed_type = Atom1Feed
    author_name = settings.SITE_NAME
    language = settings.SITE_LANGUAGE
    csrf_exempt = True  # as for every `public_page`
    parameters: frozenset[str] = frozenset()

    def __call__(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        return public_page(super().__call__)(request, *args, **kwargs)


class Changes(SiteFeed):
    link = absolute("/changes/")
    feed_url = absolute("/feeds/changes/")

    def feed_guid(self) -> str:
        return entry_id("feed/changes")

    def title(self) -> str:
        return _("%(site)s: changes") % {"site": settings.SITE_NAME}

    def subtitle(self) -> str:
        return _("Notable changes to published text")

    def items(self) -> list[Change]:
        queue.ensure_indexed()
        return changes.with_articles(changes.notable_changes(timezone.now())[:ENTRIES])

    def item_title(self, item: Change) -> str:
        return f"{item.article.full_title} ({item.revision.get_kind_display()})"

    def item_description(self, item: Change) -> str:
        return escape(item.revision.note or meta_description(item.article) or item.article.full_title)

    def item_link(self, item: Change) -> str:
        return absolute(item.article.get_absolute_url())

    def item_guid(self, item: Change) -> str:
        return entry_id(f"article/{item.article.pk}/{item.revision.number}")

    def item_pubdate(self, item: Change) -> datetime:
        return item.revision.created

    def item_updateddate(self, item: Change) -> datetime:
        return item.revision.created


class Quotes(SiteFeed):
    link = absolute("/quotes/")
    feed_url = absolute("/feeds/quotes/")

    def feed_guid(self) -> str:
        return entry_id("feed/quotations")

    def title(self) -> str:
        return _("%(site)s: quotations") % {"site": settings.SITE_NAME}

    def subtitle(self) -> str:
        return _("The newest quotations, with their sources")

    def items(self) -> list[Quote]:
        queue.ensure_indexed()
        rows = Quote.objects.published(timezone.now()).listed().for_display()
        since = Greatest(Coalesce("publish_at", "created"), "created")
        return list(rows.order_by(since.desc(), "-id")[:ENTRIES])

    def item_title(self, item: Quote) -> str:
        return str(item)

    def item_description(self, item: Quote) -> str:
        status = f" ({item.get_status_display()})" if item.is_doubtful else ""
        return linebreaks(f"{item.text}\n\n{item.attribution}{status}", autoescape=True)

    def item_link(self, item: Quote) -> str:
        return absolute(item.get_absolute_url())

    def item_guid(self, item: Quote) -> str:
        return entry_id(f"quotation/{item.pk}")

    def item_pubdate(self, item: Quote) -> datetime:
        return public_since(item)

    def item_updateddate(self, item: Quote) -> datetime:
        return max(item.updated, public_since(item))
