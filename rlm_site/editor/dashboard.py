"""The dashboard: what there is to do, each task with its count and a link to the list of just these records.

What every record goes through is found here, whatever its model is. What else an app knows of it adds with `shows`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from threading import Lock
from typing import Any, TypeVar

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy

from rlm_site.editor.features import registered_admins
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.publishing import permissions, visibility
from rlm_site.publishing.models import Publishable

MOST_CHANGES = 10
MOST_LOOKED_AT = 2_000  # revisions, to find those that were made in one go
ONE_GO = timedelta(minutes=1)
_SAME_GO = ("content_type", "author", "state", "act", "imported")

T = TypeVar("T")


@dataclass(frozen=True)
class TaskCount:
    """So many rows, and where they are listed."""

    count: int
    model: type[models.Model]
    query: dict[str, str]
    page: str = ""  # the name of its address, where it is not the list of the model

    @property
    def names(self) -> str:
        meta = self.model._meta
        return str(meta.verbose_name if self.count == 1 else meta.verbose_name_plural)

    @property
    def address(self) -> str:
        meta = self.model._meta
        address = reverse(self.page or f"admin:{meta.app_label}_{meta.model_name}_changelist")
        return f"{address}?{urlencode(self.query)}" if self.query else address


@dataclass(frozen=True)
class Task:
    title: str | Promise
    piles: Sequence[TaskCount]
    none: str | Promise  # what is said where there is nothing to do

    @property
    def waiting(self) -> list[TaskCount]:
        return [pile for pile in self.piles if pile.count]


_shown: list[Callable[[HttpRequest], Iterable[Task]]] = []


def register_tasks(tasks: Callable[[HttpRequest], Iterable[Task]]) -> None:
    """Declare in `AppConfig.ready`: the first page has these tasks too. They are those of whom `request.user` is."""
    _shown.append(tasks)


def tasks_of_apps(request: HttpRequest) -> list[Task]:
    return [task for tasks in _shown for task in tasks(request)]


# What every record goes through


@dataclass(frozen=True)
class _Stage:
    title: str | Promise
    none: str | Promise
    query: dict[str, str]
    may: Callable[[Any, type[Publishable]], bool]
    rows: Callable[[type[Publishable], Any, datetime], Q]  # of a list with the `newest_state` of each record


def _can_write(user: Any, model: type[Publishable]) -> bool:
    return bool(user.has_perm(f"{model._meta.app_label}.add_{model._meta.model_name}")) or permissions.can_edit_any(
        user, model
    )


def _of_own_concern(model: type[Publishable], user: Any) -> Q:
    """Return the condition that a record is theirs to look after: every one for editors, for authors their own."""
    return Q() if permissions.can_edit_any(user, model) else Q(owner=user.pk)


def _drafted_by(model: type[Publishable], user: Any, state: str) -> Q:
    """Return the condition that this person has written on a record since it was last published."""
    texts = Revision.objects.filter(content_type=ContentType.objects.get_for_model(model), act="")
    ended = texts.filter(
        object_id=OuterRef("object_id"),
        number__gt=OuterRef("number"),
        state__in=[Revision.State.PUBLISHED, Revision.State.DISCARDED],
    )
    drafts = texts.filter(~Exists(ended), object_id=OuterRef("pk"), state=Revision.State.DRAFT, author=user.pk)
    return Q(newest_state=state) & Q(Exists(drafts))


STAGES = {
    "returned": _Stage(
        gettext_lazy("Returned to you"),
        gettext_lazy("Nothing has been returned to you."),
        {"work": "returned"},
        _can_write,
        lambda model, user, now: _drafted_by(model, user, Revision.State.RETURNED),
    ),
    "mine": _Stage(
        gettext_lazy("Your drafts"),
        gettext_lazy("You have no drafts."),
        {"work": "mine"},
        _can_write,
        lambda model, user, now: _drafted_by(model, user, Revision.State.DRAFT),
    ),
    "sent": _Stage(
        gettext_lazy("Sent by you"),
        gettext_lazy("You have sent nothing that waits for review."),
        {"work": "sent"},
        _can_write,
        lambda model, user, now: _drafted_by(model, user, Revision.State.IN_REVIEW),
    ),
    "in_review": _Stage(
        gettext_lazy("Waiting for review"),
        gettext_lazy("Nothing is waiting for review."),
        {"state": "in_review"},
        permissions.can_edit_any,
        lambda model, user, now: Q(newest_state=Revision.State.IN_REVIEW),
    ),
    "approved": _Stage(
        gettext_lazy("Approved, ready to publish"),
        gettext_lazy("Nothing is ready to publish."),
        {"work": "approved"},
        _can_write,
        lambda model, user, now: Q(newest_state=Revision.State.APPROVED) & _of_own_concern(model, user),
    ),
    "scheduled": _Stage(
        gettext_lazy("Scheduled"),
        gettext_lazy("Nothing is scheduled."),
        {"work": "scheduled"},
        _can_write,
        lambda model, user, now: visibility.in_publication_state("scheduled", now) & _of_own_concern(model, user),
    ),
    "retiring": _Stage(
        gettext_lazy("To be unpublished"),
        gettext_lazy("Nothing is scheduled to be unpublished."),
        {"work": "retiring"},
        permissions.can_edit_any,
        lambda model, user, now: Q(published=True, retire_at__gt=now),
    ),
}


def workflow_tasks(request: HttpRequest, site: admin.AdminSite) -> list[Task]:
    """One query a model, however many rows it has."""
    now, user = timezone.now(), request.user
    counts: dict[type[Publishable], dict[str, int]] = {}
    for model, model_admin in registered_admins(site).items():
        if issubclass(model, Publishable) and model_admin.has_view_permission(request):
            stages = {
                f"in_{name}": ExpressionWrapper(stage.rows(model, user, now), BooleanField())
                for name, stage in STAGES.items()
                if stage.may(user, model)
            }
            rows = model_admin.get_queryset(request).annotate(**stages)
            counts[model] = rows.aggregate(
                **{name.removeprefix("in_"): Count("pk", filter=Q(**{name: True})) for name in stages}
            )
    tasks = []
    for name, stage in STAGES.items():
        piles = [TaskCount(found[name], model, stage.query) for model, found in counts.items() if name in found]
        if piles:
            tasks.append(Task(stage.title, piles, stage.none))
    return tasks


class DashboardFilter(admin.SimpleListFilter):
    """Records that wait for the person who looks."""

    title = gettext_lazy("task")
    parameter_name = "work"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, stage.title) for name, stage in STAGES.items() if self.parameter_name in stage.query]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        stage = STAGES.get(self.value() or "")
        if stage is None or self.parameter_name not in stage.query:
            return queryset
        return queryset.filter(stage.rows(queryset.model, request.user, timezone.now()))


# What cannot be shown


@dataclass(frozen=True)
class SetAsideRow:
    """A row that is in no list, and where whoever looks can mend it."""

    title: str
    reason: str
    since: datetime
    address: str


def rows_set_aside(request: HttpRequest, site: admin.AdminSite) -> list[SetAsideRow]:
    """Return the rows that are in no list until somebody mends them: the newest of those that this person may mend.

    Two queries, and one or two for each table that has such rows.
    """
    queue.ensure_indexed()
    found = []
    for model, known in queue.rows_set_aside().items():
        model_admin = registered_admins(site).get(model)
        if model_admin is None or not model_admin.has_change_permission(request):
            continue
        rows = model_admin.get_queryset(request).in_bulk([each.object_id for each in known])
        page = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        for each in known:
            row = rows.get(each.object_id)
            if row is not None and model_admin.has_change_permission(request, row):
                title = Truncator(str(row).strip()).chars(80, truncate="…") or f"{model._meta.verbose_name} {row.pk}"
                found.append(SetAsideRow(title, each.reason, each.since, reverse(page, args=[row.pk])))
    return sorted(found, key=lambda row: row.since, reverse=True)[:MOST_CHANGES]


# What happened lately


def readable_revisions(request: HttpRequest, site: admin.AdminSite) -> Q | None:
    """Return the condition of revisions that this person may read; None for a person who may read none.

    Whoever may look at a record reads its history, and whoever may delete records of its kind that of deleted ones.
    """
    readable: Q | None = None
    for model, model_admin in registered_admins(site).items():
        if issubclass(model, Publishable) and model_admin.has_view_permission(request):
            of_kind = Q(content_type=ContentType.objects.get_for_model(model))
            if not model_admin.has_delete_permission(request):
                of_kind &= Q(object_id__in=model._base_manager.values("pk"))
            readable = of_kind if readable is None else readable | of_kind
    return readable


@dataclass(frozen=True)
class Change:
    revision: Revision
    title: str
    address: str  # of the record's history; empty when the record is deleted
    form: str = ""
    others: int = 0  # further records that were changed in the same way in one go


def newest_changes(request: HttpRequest, site: admin.AdminSite) -> list[Change] | None:
    """Return the newest revisions in the order they were made in; None for a person who may see none.

    What a file or an act on many records brought is one change.
    """
    readable = readable_revisions(request, site)
    if readable is None:
        return None
    made = Revision.objects.filter(readable).order_by("-id").values("id", "object_id", "created", *_SAME_GO)
    runs = [list(run) for _go, run in groupby(made[:MOST_LOOKED_AT], key=_Go())][:MOST_CHANGES]
    newest = sorted(
        Revision.objects.filter(pk__in=[run[0]["id"] for run in runs]).select_related("author", "content_type"),
        key=lambda revision: -revision.pk,
    )
    there = set()
    for kind in {revision.content_type for revision in newest}:
        ids = [revision.object_id for revision in newest if revision.content_type_id == kind.pk]
        model: Any = kind.model_class()
        there |= {(kind.pk, pk) for pk in model.objects.filter(pk__in=ids).values_list("pk", flat=True)}
    found = []
    for revision, run in zip(newest, runs, strict=True):
        is_there = (revision.content_type_id, revision.object_id) in there
        history, form = (address_of(revision, page) if is_there else "" for page in ("history", "change"))
        others = len({row["object_id"] for row in run}) - 1
        found.append(Change(revision, title_of(revision), history, form, others))
    return found


class _Go:
    """A key that stays the same while revisions were made in one go: of a file, or in the same minute by one person."""

    def __init__(self) -> None:
        self.first: dict[str, Any] = {}

    def __call__(self, row: dict[str, Any]) -> int:
        first = self.first
        is_same = bool(first) and all(row[name] == first[name] for name in _SAME_GO)
        in_one_go = is_same and abs(first["created"] - row["created"]) <= ONE_GO
        if not (in_one_go or (is_same and row["imported"])):
            self.first = row
        return int(self.first["id"])


def still_there(site: admin.AdminSite) -> Q:
    """Return the condition that the record of a revision is not deleted."""
    there = Q(pk__in=[])
    for model in registered_admins(site):
        if issubclass(model, Publishable):
            of_kind = Q(content_type=ContentType.objects.get_for_model(model))
            there |= of_kind & Q(object_id__in=model._base_manager.values("pk"))
    return there


def title_of(revision: Revision) -> str:
    """Return what the record was called, or how its text began."""
    content = revision.content
    return Truncator(content.get("title") or content.get("text") or "").words(10, truncate="…") or str(revision)


def address_of(revision: Revision, page: str) -> str:
    """Return the address of a page about its record; empty where the admin has none."""
    kind = revision.content_type
    try:
        return reverse(f"admin:{kind.app_label}_{kind.model}_{page}", args=[revision.object_id])
    except NoReverseMatch:
        return ""


# What is expensive to know

_memory: dict[str, tuple[str, datetime | None, Any]] = {}
_memory_lock = Lock()


def cached_report(name: str, make: Callable[[datetime], T], *clocks: type[Publishable]) -> T:
    """Return `make(now)`, cached until any content changes or the clock alone changes one of these tables."""
    now, version = timezone.now(), queue.ensure_indexed().combined("all")
    with _memory_lock:
        known = _memory.get(name)
    if known and version and known[0] == version and (known[1] is None or now < known[1]):
        found: T = known[2]
        return found
    found = make(now)
    if version:
        with _memory_lock:
            _memory[name] = (version, visibility.next_scheduled_moment(now, clocks), found)
    return found
