from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.safestring import SafeString

from rlm_site.text.json_ld import absolute, breadcrumbs, render_script

if TYPE_CHECKING:
    from articles.models import Article


def article_json_ld(row: "Article", topic: "Article") -> SafeString:
    changed = getattr(row, "changed_at", None) or row.updated
    crumbs = [(settings.SITE_NAME, "/"), (topic.title, topic.get_absolute_url())]
    if row.parent_id:
        crumbs.append((row.title, row.get_absolute_url()))
    return render_script(
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
        breadcrumbs(crumbs),
    )
