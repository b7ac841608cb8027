from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from rlm_site.publishing.visibility import public_since
from rlm_site.text.json_ld import absolute, breadcrumbs, render_script, web_page

if TYPE_CHECKING:
    from quotes.models import Quote


def quotation_json_ld(row: "Quote") -> SafeString:
    source = row.work or row.quoted_in
    data: dict[str, object] = {
        "@type": "Quotation",
        "text": row.text,
        "inLanguage": row.language,
        "url": absolute(row.get_absolute_url()),
        "mainEntityOfPage": web_page(row.get_absolute_url(), public_since(row), row.updated),
    }
    if row.status != row.Status.MISATTRIBUTED and row.is_named:
        data["creator"] = {"@type": "Person", "name": row.name}
    if source:
        data["isPartOf"] = {
            "@type": "CreativeWork",
            "name": source.title,
            **({"author": source.authors} if source.authors else {}),
            **({"datePublished": str(source.year)} if source.year and source.year > 0 else {}),
        }
    return render_script(data, breadcrumbs([(settings.SITE_NAME, "/"), (_("Quotations"), "/quotes/")]))
