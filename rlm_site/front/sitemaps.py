"""The sitemap: an index, and files of so many addresses each."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.contrib.sitemaps.views import sitemap
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from articles import atlas_views, events
from articles.models import Article
from articles.topics import last_notable_change
from quotes.models import Person, Quote
from rlm_site.front.navigation import LISTED
from rlm_site.indexing import queue
from rlm_site.page_cache.decorators import public_page
from rlm_site.tags.models import Tag
from rlm_site.text.json_ld import absolute
from rlm_site.text.slugs import ABOUT

ADDRESSES_A_FILE = 5000
LISTS = {str(kind): view for kind, (_name, view) in LISTED.items()}


class _Site:
    """The site as Django's sitemaps know it: `SITE_URL` and nothing else."""

    domain = name = urlsplit(settings.SITE_URL).netloc


class SiteSitemap(Sitemap):
    protocol = urlsplit(settings.SITE_URL).scheme
    limit = ADDRESSES_A_FILE

    def get_urls(self, page: int | str = 1, site: Any = None, protocol: str | None = None) -> list[dict[str, Any]]:
        return super().get_urls(page=page, site=_Site, protocol=protocol)  # type: ignore[arg-type]


class Articles(SiteSitemap):
    def items(self) -> QuerySet[Article]:
        queue.ensure_indexed()
        public = Article.objects.published(timezone.now()).exclude(slug=ABOUT, parent=None)  # it is among the pages
        with_page = public.exclude(parent=None, kind=Article.Kind.TERM, body="")
        return with_page.for_links().annotate(changed_at=last_notable_change()).order_by("id")

    def lastmod(self, item: Any) -> datetime:
        return item.changed_at or item.updated


class Quotes(SiteSitemap):
    def items(self) -> QuerySet[Quote]:
        return Quote.objects.published(timezone.now()).order_by("id")

    def lastmod(self, item: Quote) -> datetime:
        return item.updated


class People(SiteSitemap):
    def items(self) -> QuerySet[Person]:
        return Person.objects.published(timezone.now()).order_by("id")


class Tags(SiteSitemap):
    def items(self) -> list[Tag]:
        return list(Tag.objects.published(timezone.now()))


class Pages(SiteSitemap):
    def items(self) -> list[str]:
        """Return the names of pages; of lists of entries those that have any."""
        queue.ensure_indexed()
        entries = Article.objects.published(timezone.now()).topics().exclude(slug=ABOUT)
        kinds = set(entries.order_by().values_list("kind", flat=True).distinct())
        lists = [name for kind, name in LISTS.items() if kind in kinds] + (["articles:index"] if kinds else [])
        lists += ["articles:chronology"] if events.public(timezone.now()) else []
        if atlas_views.base_map() and entries.filter(atlas_views.LOCATED).exists():
            lists.append("articles:map")
        return ["home", *lists, "about", "changes", "tags", "quotes:quotes", "quotes:people", "articles:references"]

    def location(self, item: str) -> str:
        return reverse(item)


SITEMAPS: dict[str, type[SiteSitemap]] = {
    "pages": Pages,
    "articles": Articles,
    "quotes": Quotes,
    "people": People,
    "tags": Tags,
}


@public_page
def index(request: HttpRequest) -> HttpResponse:
    """List the files of the sitemap."""
    files = []
    for name, kind in SITEMAPS.items():
        address = absolute(reverse("sitemap_section", args=[name]))
        numbers = kind().paginator.page_range
        files += [{"location": address if number == 1 else f"{address}?p={number}"} for number in numbers]
    return TemplateResponse(request, "sitemap_index.xml", {"sitemaps": files}, content_type="application/xml").render()


@public_page(parameters=("p",))
def section(request: HttpRequest, section: str) -> HttpResponse:
    return sitemap(request, {**SITEMAPS}, section=section).render()
