"""Autosave: the browser keeps what is typed (static/js/autosave.js) until the server confirms that it was saved."""

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

DRAFT_ID = "draft_id"  # the field that names the kept text
SAVED_COOKIE = "saved"  # the cookie that the script reads
_ID = re.compile(r"[a-z0-9]{8,40}", re.ASCII)
_MOST_IDS = 10  # names that the cookie holds
_COOKIE_SECONDS = 7 * 24 * 60 * 60  # seconds


def confirm_saved(request: HttpRequest, response: HttpResponseBase) -> None:
    """Tell the browser that the text it keeps under this id is in the database now."""
    name = request.POST.get(DRAFT_ID, "")
    if _ID.fullmatch(name):
        names = [name, *_ID.findall(request.COOKIES.get(SAVED_COOKIE, ""))][:_MOST_IDS]
        response.set_cookie(
            SAVED_COOKIE,
            ".".join(names),
            max_age=_COOKIE_SECONDS,
            path=reverse("admin:index"),
            secure=settings.SESSION_COOKIE_SECURE,
            samesite="Strict",
        )
