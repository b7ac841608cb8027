from datetime import datetime

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _

from quotes.models import Quote
from rlm_site import changes, derived
from rlm_site.changes import Change
from rlm_site.publishing import public_since

ENTRIES = 40


class Changes(Feed):
    feed_type = Atom1Feed
    link = "/changes/"

    def title(self) -> str:
        return _("%(site)s: changes") % {"site": settings.SITE_NAME}

    def subtitle(self) -> str:
        return _("Notable changes of published text")

    def items(self) -> list[Change]:
        derived.settle()
        return changes.of(changes.published(timezone.now())[:ENTRIES])

    def item_title(self, item: Change) -> str:
        return f"{item.article.full_title} ({item.revision.get_kind_display()})"

    def item_description(self, item: Change) -> str:
        return item.revision.note

    def item_link(self, item: Change) -> str:
        return item.article.get_absolute_url()

    def item_guid(self, item: Change) -> str:
        return f"{settings.SITE_URL}{item.article.get_absolute_url()}#{item.revision.number}"

    def item_pubdate(self, item: Change) -> datetime:
        return item.revision.created

    def item_updateddate(self, item: Change) -> datetime:
        return item.revision.created


class Quotes(Feed):
    feed_type = Atom1Feed
    link = "/quotes/"

    def title(self) -> str:
        return _("%(site)s: quotations") % {"site": settings.SITE_NAME}

    def subtitle(self) -> str:
        return _("The newest quotations, with their sources")

    def items(self) -> list[Quote]:
        derived.settle()
        rows = Quote.objects.published(timezone.now()).listed().for_display()
        return list(rows.order_by("-created", "-id")[:ENTRIES])

    def item_title(self, item: Quote) -> str:
        return str(item)

    def item_description(self, item: Quote) -> str:
        return f"{item.text}\n{item.attribution}"

    def item_pubdate(self, item: Quote) -> datetime:
        return public_since(item)

    def item_updateddate(self, item: Quote) -> datetime:
        return max(item.updated, public_since(item))
