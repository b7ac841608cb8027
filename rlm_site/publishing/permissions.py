"""Who may do what at the desk. Authors go on with what they began, editors with everything, publishers publish.

The groups of these names are made by migration 0003; what they may is in the permissions that they hold.
"""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser, User

if TYPE_CHECKING:
    from rlm_site.publishing.models import Publishable

AnyUser = User | AnonymousUser | Any


def can_change(user: AnyUser, row: "Publishable") -> bool:
    """Write drafts of it: editors of anything, authors of what they began."""
    begun = row.owner_id is not None and row.owner_id == user.pk
    return can_edit(user, row) or (begun and bool(user.has_perm(_permission("add", row))))


def can_edit(user: AnyUser, what: "Publishable | type[Publishable]") -> bool:
    """Go on with what others have written, and judge it: editors."""
    return bool(user.has_perm(_permission("change", what)))


def can_publish(user: AnyUser, what: "Publishable | type[Publishable]") -> bool:
    """Decide what readers see: publishers."""
    return bool(user.has_perm(_permission("publish", what)))


def can_change_immediately(user: AnyUser, row: "Publishable") -> bool:
    """Change what is not drafted, such as the address or a pin: on a public record a publisher's decision."""
    return can_publish(user, row) if row.published else can_change(user, row)


def _permission(act: str, what: "Publishable | type[Publishable]") -> str:
    return f"{what._meta.app_label}.{act}_{what._meta.model_name}"
