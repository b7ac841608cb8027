"""A form that is sent when nobody is signed in any more: whoever sent it signs in on the answer, and it is saved."""

import re
from typing import Any

from django.contrib import admin
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _

PREFIX = "sign_in"
_NOT_TYPED = re.compile(r"_|csrf|form_token$|form_id$|draft_id$|next$|.*_FORMS$|.*__prefix__")


def sign_in_again(site: admin.AdminSite, request: HttpRequest) -> HttpResponse | None:
    """Return a page that asks to sign in and holds all that was sent; None where there is nothing to ask.

    That is so where nothing was typed, where a script asks, and where the name and password that came along are right:
    then the request is that person's.
    """
    if request.user.is_authenticated or request.headers.get("Sec-Fetch-Dest", "document") != "document":
        return None
    sent = [(name, value) for name, values in request.POST.lists() for value in values]
    kept = [(name, value) for name, value in sent if not name.startswith((PREFIX, "csrf"))]
    typed = [(name, value) for name, value in kept if value and not _NOT_TYPED.match(name)]
    if not typed:
        return None
    is_tried = any(name.startswith(PREFIX) for name, _value in sent)
    form: Any = site.login_form(request, request.POST if is_tried else None, prefix=PREFIX)  # type: ignore[misc]
    if is_tried and form.is_valid():
        login(request, form.get_user())
        request.POST = _without_sign_in(request.POST)  # type: ignore[assignment]
        return None
    is_locked = bool(getattr(request, "axes_locked_out", False))
    request.axes_locked_out = None  # type: ignore[attr-defined]  # its own page would hold nothing of this one
    context = {
        **site.each_context(request),
        "title": _("Sign in to continue"),
        "said": _locked_out()
        if is_locked
        else _("You are signed out. Nothing has been saved yet. What you typed is shown below."),
        "sign_in": form,
        "sent": kept,
        "typed": typed,
    }
    return render(request, "editor/typed.html", context, status=429 if is_locked else 403)


def _locked_out() -> str:
    return _("Too many wrong passwords. Wait 15 minutes, then try again. Nothing has been saved yet.")


def _without_sign_in(sent: QueryDict) -> QueryDict:
    kept = sent.copy()
    for name in [name for name in kept if name.startswith(PREFIX)]:
        del kept[name]
    kept._mutable = False
    return kept
