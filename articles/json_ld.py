from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.safestring import SafeString

from rlm_site.publishing.visibility import public_since
from rlm_site.text.json_ld import absolute, breadcrumbs, render_script, web_page

if TYPE_CHECKING:
    from articles.models import Article


def article_json_ld(row: "Article", topic: "Article") -> SafeString:
    path, published = row.get_absolute_url(), public_since(row)
    page = web_page(path, published, getattr(row, "changed_at", None) or row.updated)
    site = {"@type": "Organization", "name": settings.SITE_NAME, "url": absolute("/")}
    crumbs = [(settings.SITE_NAME, "/"), (topic.title, topic.get_absolute_url())]
    if row.parent_id:
        crumbs.append((row.title, path))
    return render_script(
        {
            "@type": "Article",
            "headline": row.full_title,
            "inLanguage": settings.SITE_LANGUAGE,
            "url": absolute(path),
            "mainEntityOfPage": page,
            "author": site,
            "datePublished": page["datePublished"],
            "dateModified": page["dateModified"],
            **({"license": settings.LICENCE_URL} if settings.LICENCE_URL else {}),
            "publisher": site,
            **(
                {"isPartOf": {"@type": "Article", "headline": topic.title, "url": absolute(topic.get_absolute_url())}}
                if row.parent_id
                else {}
            ),
        },
        breadcrumbs(crumbs),
    )
