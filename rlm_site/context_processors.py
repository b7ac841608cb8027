from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest | None = None) -> dict[str, object]:
    """Return what the frame of every page needs; nothing of the user or session, so that pages can be cached."""
    return {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}
