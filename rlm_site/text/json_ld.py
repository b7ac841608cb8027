"""JSON-LD for search engines: what a page is, in the words of schema.org."""

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

if TYPE_CHECKING:
    pass

_ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


def absolute(path: str) -> str:
    return settings.SITE_URL + path


def breadcrumbs(crumbs: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": place, "name": name, "item": absolute(path)}
            for place, (name, path) in enumerate(crumbs, 1)
        ],
    }


def script_of(*things: dict[str, Any]) -> SafeString:
    text = json.dumps({"@context": "https://schema.org", "@graph": things}, ensure_ascii=False).translate(_ESCAPES)
    # a data block, not a script: nothing runs, and the escapes keep it from ending early
    return format_html('<script type="application/ld+json">{}</script>', mark_safe(text))  # noqa: S308
