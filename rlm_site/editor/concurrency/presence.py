"""Presence: who has the form of a record open. The browser reports it regularly (static/js/presence.js).

Nothing here touches content or the session: a form left open does not keep anybody signed in.
"""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404
from django.urls import URLPattern
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from rlm_site.editor.concurrency import locking
from rlm_site.editor.concurrency.models import Presence
from rlm_site.editor.features import Feature

# Browsers let a page in the background speak once a minute.
LONGEST_SILENCE = timedelta(seconds=90)


class PresencePanel(Feature):
    """Says above a form who else has it open."""

    def urls(self) -> list[URLPattern]:
        return [self.path("<int:pk>/presence/", self.presence_view, "presence")]

    def form_context(self, request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
        row = context["original"]
        if row is None or not self.admin.has_change_permission(request, row):
            return {}
        return {"presence_address": self.url("presence", row.pk)}

    def presence_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Note that the browser has the form open, and answer who else has."""
        row: Any = get_object_or_404(self.admin.get_queryset(request), pk=pk)
        if not self.admin.has_view_or_change_permission(request, row):
            raise PermissionDenied
        return presence_response(request, row)


def presence_response(request: HttpRequest, row: Model) -> HttpResponse:
    """Note that somebody is there, or leaves; answer who else is."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        with locking.write_transaction():
            _record(row, request.user, leaving="leaving" in request.POST)
    except OperationalError as error:
        if not locking.is_busy(error):
            raise
    return HttpResponse(others_present(row, request.user), content_type="text/plain; charset=utf-8")


def others_present(row: Model, user: Any) -> str:
    """In words; empty where nobody else is there."""
    now = timezone.now()
    here = (
        _presences(row)
        .filter(seen__gt=now - LONGEST_SILENCE)
        .exclude(user=user)
        .select_related("user")
        .order_by("since")
    )
    return " ".join(
        _("%(name)s has had this page open since %(time)s.")
        % {"name": one.user.get_full_name() or one.user.get_username(), "time": _moment(one.since)}
        for one in here
    )


def _record(row: Model, user: Any, leaving: bool) -> None:
    now = timezone.now()
    Presence.objects.filter(seen__lte=now - LONGEST_SILENCE).delete()
    if leaving:
        _presences(row).filter(user=user).delete()
    else:
        content_type = ContentType.objects.get_for_model(row)
        Presence.objects.bulk_create(
            [Presence(content_type=content_type, object_id=row.pk, user=user, since=now, seen=now)],
            update_conflicts=True,
            unique_fields=["content_type", "object_id", "user"],
            update_fields=["seen"],
        )


def _presences(row: Model) -> QuerySet[Presence]:
    return Presence.objects.filter(content_type=ContentType.objects.get_for_model(row), object_id=row.pk)


def _moment(at: datetime) -> str:
    local = timezone.localtime(at)
    return formats.date_format(local, "H:i" if local.date() == timezone.localdate() else "j F, H:i")
