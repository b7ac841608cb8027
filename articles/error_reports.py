"""Letters in which readers report errors: begun for them, with the page and its version."""

from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.core import checks
from django.utils import formats
from django.utils.translation import gettext as _

from articles.models import Article
from rlm_site.text.json_ld import absolute


def address_for(article: Article) -> str:
    """Return a `mailto:` address with subject and text; empty where the site names no contact."""
    if not settings.CONTACT_EMAIL:
        return ""
    changed_at = getattr(article, "changed_at", None)
    lines = [
        _("Page: %(title)s") % {"title": article.full_title},
        _("Address: %(address)s") % {"address": absolute(article.get_absolute_url())},
        _("Last changed: %(date)s") % {"date": formats.date_format(changed_at, "j F Y")} if changed_at else "",
        "",
        _("What is wrong, and what shows it:"),
        "",
    ]
    letter = {
        "subject": _("Error on “%(title)s”") % {"title": article.full_title},
        "body": "\r\n".join(lines),
    }
    return f"mailto:{quote(settings.CONTACT_EMAIL, safe='@')}?{urlencode(letter, quote_via=quote)}"


def check_contact(**kwargs: Any) -> list[checks.CheckMessage]:
    """Return a warning where readers of a deployed site have nobody to report an error to."""
    if settings.CONTACT_EMAIL:
        return []
    return [
        checks.Warning(
            "Readers cannot report errors: the site names no contact.",
            hint="Set CONTACT_EMAIL in .env to the address of whoever reads their letters.",
            id="articles.W001",
        )
    ]
