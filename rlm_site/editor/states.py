"""The editorial state of a record: in words, as a badge, and as a filter of lists."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rlm_site.history.models import Revision
from rlm_site.publishing import visibility
from rlm_site.publishing.models import Publishable

STATES: dict[str, str | Promise] = {
    "draft": gettext_lazy("Draft"),
    "in_review": gettext_lazy("In review"),
    "returned": gettext_lazy("Returned"),
    "approved": gettext_lazy("Approved"),
    "scheduled": gettext_lazy("Scheduled"),
    "published": gettext_lazy("Published"),
    "waiting": gettext_lazy("Published (changes pending)"),
    "retired": gettext_lazy("Unpublished"),
}


def editorial_state(row: Publishable, newest: str | None, now: datetime | None = None) -> str:
    """Return one of STATES. `newest` is the state of the newest revision of the text, which may be a working copy."""
    shown = visibility.publication_state(row, now)
    working = newest in Revision.WORKING
    if working and newest != Revision.State.DRAFT:
        return str(newest)
    return "waiting" if working and shown == "published" else shown


def with_newest_state(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Annotate rows with the `newest_state` that `editorial_state` asks for."""
    of_row = Revision.objects.filter(
        content_type=ContentType.objects.get_for_model(rows.model), object_id=OuterRef("pk"), act=""
    )
    newest = of_row.order_by("-number").values("state")[:1]
    return rows.annotate(newest_state=Coalesce(Subquery(newest), Value("")))


def badge(state: str) -> SafeString:
    """Return the state as a badge."""
    return format_html('<span class="state state-{}">{}</span>', state, STATES[state])


def badge_of(row: Any) -> SafeString:
    """Return the state of a row of a list (see `with_newest_state`) as a badge."""
    return badge(editorial_state(row, row.newest_state))


def describe_visibility(row: Publishable, now: datetime) -> str:
    """Return who can see the row and what its times mean, in words."""
    state = visibility.publication_state(row, now)
    if state == "draft":
        return _("Readers cannot see it.")
    if state == "scheduled":
        return _("Readers will see it from %(time)s.") % {"time": _moment(row.publish_at)}
    if state == "published":
        until = _("Readers can see it until %(time)s.") % {"time": _moment(row.retire_at)} if row.retire_at else ""
        return until or _("Readers can see it.")
    if row.retired_to:
        return _("Since %(time)s, readers have been redirected to %(path)s.") % {
            "time": _moment(row.retire_at),
            "path": row.retired_to,
        }
    return _("Since %(time)s, readers have been told that it was withdrawn.") % {"time": _moment(row.retire_at)}


def describe_working_copy(row: Publishable, copy: Revision | None, sent: Revision | None = None) -> str:
    """Return what was written and readers do not see yet, in words; `sent` is what was sent for review, if it was."""
    if copy is None:
        return ""
    by = {"name": copy.author or _("Another program"), "time": _moment(copy.created), "reasons": copy.comment}
    if copy.state == Revision.State.IN_REVIEW:
        sent = sent or copy
        told = _("%(name)s sent it for review on %(time)s.") % {
            "name": sent.author or _("Another program"),
            "time": _moment(sent.created),
        }
        return told if sent.pk == copy.pk else " ".join([told, _("%(name)s changed it on %(time)s.") % by])
    if copy.state == Revision.State.RETURNED:
        return _("%(name)s returned it on %(time)s: “%(reasons)s”") % by
    if copy.state == Revision.State.APPROVED:
        return _("%(name)s approved it on %(time)s.") % by
    return _("%(name)s saved this draft on %(time)s.") % by if row.published else ""


def _moment(moment: datetime | None) -> str:
    assert moment is not None  # noqa: S101 - the state that is described has this time
    return formats.date_format(timezone.localtime(moment), "j F Y, H:i")


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return STATES.items()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        state, now = self.value(), timezone.now()
        if state not in STATES:
            return queryset
        if state in Revision.WORKING and state != Revision.State.DRAFT:
            return queryset.filter(newest_state=state)
        if state == "waiting":
            return queryset.filter(visibility.public_at(now), newest_state=Revision.State.DRAFT)
        in_work = [name for name in Revision.WORKING if state != "draft" or name != Revision.State.DRAFT]
        shown = queryset.filter(visibility.in_publication_state(state, now))
        return shown.exclude(newest_state__in=in_work) if state in {"draft", "published"} else shown
