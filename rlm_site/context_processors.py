from django.conf import settings
from django.http import HttpRequest
from django.utils.html import format_html


def site(request: HttpRequest | None = None) -> dict[str, object]:
    """Return what the frame of every page needs; nothing of the user or session, so that pages can be cached."""
    name, address = settings.LICENCE_NAME, settings.LICENCE_URL
    return {
        "site_name": settings.SITE_NAME,
        "site_tagline": settings.SITE_TAGLINE,
        "site_editors": settings.SITE_EDITORS,
        "site_url": settings.SITE_URL,
        "site_description": settings.SITE_DESCRIPTION,
        "site_language": settings.SITE_LANGUAGE,
        "contact": settings.CONTACT_EMAIL,
        "licence": format_html('<a href="{}" rel="license">{}</a>', address, name) if address else name,
        "licence_terms": settings.LICENCE_TERMS,
    }
