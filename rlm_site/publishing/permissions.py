"""Permissions of authors (their own records), editors (all records) and publishers.

Migration 0003 creates the groups of these names; their rights are the permissions that they hold.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet

if TYPE_CHECKING:
    from rlm_site.publishing.models import Publishable

AnyUser = User | AnonymousUser


def can_write_draft(user: AnyUser, row: "Publishable") -> bool:
    """Return whether the user may write drafts: editors of any record, authors of their own."""
    begun = row.owner_id is not None and row.owner_id == user.pk
    return can_edit_any(user, row) or (begun and bool(user.has_perm(_permission("add", row))))


def can_read_drafts(user: AnyUser, what: "Publishable | type[Publishable]") -> bool:
    """Return whether the user may read what readers do not see yet, or no more, of this kind: all who work with it."""
    return bool(user.has_perm(_permission("view", what))) or can_edit_any(user, what)


def readable(user: AnyUser, rows: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    """Return those of the rows that the user may read: what is public, their own, or all with `can_read_drafts`."""
    if can_read_drafts(user, rows.model):
        return rows
    public = Q(pk__in=rows.model._default_manager.published(now).values("pk"))
    return rows.filter(public | Q(owner=user.pk) if user.pk else public)


def can_edit_any(user: AnyUser, what: "Publishable | type[Publishable]") -> bool:
    """Return whether the user may edit and review what others have written: editors."""
    return bool(user.has_perm(_permission("change", what)))


def can_publish(user: AnyUser, what: "Publishable | type[Publishable]") -> bool:
    """Return whether the user may decide what readers see: publishers."""
    return bool(user.has_perm(_permission("publish", what)))


def can_change_immediately(user: AnyUser, row: "Publishable") -> bool:
    """Return whether the user may change undrafted fields, such as the slug; on public records only publishers may."""
    return can_publish(user, row) if row.published else can_write_draft(user, row)


def _permission(act: str, what: "Publishable | type[Publishable]") -> str:
    return f"{what._meta.app_label}.{act}_{what._meta.model_name}"
