"""JSON-LD for search engines: what a page is, in the words of schema.org."""

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

if TYPE_CHECKING:
    from articles.models import Article
    from quotes.models import Quote

_ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


def absolute(path: str) -> str:
    return settings.SITE_URL + path


def article(row: "Article", topic: "Article") -> SafeString:
    changed = getattr(row, "changed_at", None) or row.updated
    crumbs = [(settings.SITE_NAME, "/"), (topic.title, topic.get_absolute_url())]
    if row.parent_id:
        crumbs.append((row.title, row.get_absolute_url()))
    return _script(
        {
            "@type": "Article",
            "headline": row.full_title,
            "inLanguage": "en",
            "url": absolute(row.get_absolute_url()),
            "dateModified": changed.date().isoformat(),
            "license": "https://creativecommons.org/licenses/by/4.0/",
            "publisher": {"@type": "Organization", "name": settings.SITE_NAME, "url": absolute("/")},
            **(
                {"isPartOf": {"@type": "Article", "headline": topic.title, "url": absolute(topic.get_absolute_url())}}
                if row.parent_id
                else {}
            ),
        },
        _breadcrumbs(crumbs),
    )


def quotation(row: "Quote") -> SafeString:
    source = row.work or row.quoted_in
    data: dict[str, Any] = {
        "@type": "Quotation",
        "text": row.text,
        "inLanguage": row.language,
        "url": absolute(row.get_absolute_url()),
    }
    if row.status != row.Status.MISATTRIBUTED and (row.person or row.name_as_printed):
        data["creator"] = {"@type": "Person", "name": row.name}
    if source:
        data["isPartOf"] = {
            "@type": "CreativeWork",
            "name": source.title,
            **({"author": source.authors} if source.authors else {}),
            **({"datePublished": str(source.year)} if source.year and source.year > 0 else {}),
        }
    return _script(data, _breadcrumbs([(settings.SITE_NAME, "/"), ("Quotations", "/quotes/")]))


def _breadcrumbs(crumbs: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": place, "name": name, "item": absolute(path)}
            for place, (name, path) in enumerate(crumbs, 1)
        ],
    }


def _script(*things: dict[str, Any]) -> SafeString:
    text = json.dumps({"@context": "https://schema.org", "@graph": things}, ensure_ascii=False).translate(_ESCAPES)
    # a data block, not a script: nothing runs, and the escapes keep it from ending early
    return format_html('<script type="application/ld+json">{}</script>', mark_safe(text))  # noqa: S308
