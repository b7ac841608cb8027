"""What is typed is kept in the browser (static/js/keeping.js) until the server says that it was saved."""

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

KEPT_AS = "kept_as"  # the field that names the kept text
SAVED = "saved"  # the cookie that the script reads
_NAME = re.compile(r"[a-z0-9]{8,40}", re.ASCII)
_MOST = 10  # names that the cookie holds
_A_WEEK = 7 * 24 * 60 * 60  # seconds


def acknowledge(request: HttpRequest, response: HttpResponseBase) -> None:
    """The text that the browser keeps under this name is in the database now."""
    name = request.POST.get(KEPT_AS, "")
    if _NAME.fullmatch(name):
        names = [name, *_NAME.findall(request.COOKIES.get(SAVED, ""))][:_MOST]
        response.set_cookie(
            SAVED,
            ".".join(names),
            max_age=_A_WEEK,
            path=reverse("admin:index"),
            secure=settings.SESSION_COOKIE_SECURE,
            samesite="Strict",
        )
