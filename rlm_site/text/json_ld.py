"""JSON-LD structured data for search engines, in the vocabulary of schema.org."""

import json
from datetime import datetime

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

_ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


def absolute(path: str) -> str:
    return settings.SITE_URL + path


def web_page(path: str, published: datetime, modified: datetime) -> dict[str, object]:
    """Describe the page that something is the subject of, with the page's own dates."""
    return {
        "@type": "WebPage",
        "@id": absolute(path),
        "datePublished": published.date().isoformat(),
        "dateModified": max(published, modified).date().isoformat(),
    }


def breadcrumbs(crumbs: list[tuple[str, str]]) -> dict[str, object]:
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": name, "item": absolute(path)}
            for position, (name, path) in enumerate(crumbs, 1)
        ],
    }


def render_script(*things: dict[str, object]) -> SafeString:
    text = json.dumps({"@context": "https://schema.org", "@graph": things}, ensure_ascii=False).translate(_ESCAPES)
    # A data block, not a script: nothing runs, and the escapes keep the element from ending early.
    return format_html('<script type="application/ld+json">{}</script>', mark_safe(text))  # noqa: S308
