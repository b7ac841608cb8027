from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest | None = None) -> dict[str, object]:
    """What the frame of every page needs; no user, no session, no token, so that pages may be kept."""
    return {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}
