"""Who is public, and when. Nothing else in the project may spell this rule."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.db.models import Min, Q
from django.utils import timezone

if TYPE_CHECKING:
    from rlm_site.publishing.models import Publishable


EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)  # stands for no beginning


def public_at(now: datetime, prefix: str = "") -> Q:
    """The condition that a row is public at `now`; `prefix` reaches it through a relation (`parent__`)."""
    return (
        Q(**{f"{prefix}published": True})
        & (Q(**{f"{prefix}publish_at": None}) | Q(**{f"{prefix}publish_at__lte": now}))
        & (Q(**{f"{prefix}retire_at": None}) | Q(**{f"{prefix}retire_at__gt": now}))
    )


def is_public_at(row: "Publishable", now: datetime) -> bool:
    """`live` for a row in hand."""
    return (
        row.published
        and (row.publish_at is None or row.publish_at <= now)
        and (row.retire_at is None or row.retire_at > now)
    )


def is_retired(row: "Publishable", now: datetime) -> bool:
    """Was public once, and its time is over."""
    return row.published and row.retire_at is not None and row.retire_at <= now


def public_since(row: "Publishable") -> datetime:
    """When a published row first could be read."""
    return max(row.publish_at or row.created, row.created)


def publication_state(row: "Publishable", now: datetime | None = None) -> str:
    """One of draft, scheduled, published, retired."""
    now = now or timezone.now()
    if not row.published:
        return "draft"
    if is_retired(row, now):
        return "retired"
    return "published" if is_public_at(row, now) else "scheduled"


def in_publication_state(state: str, now: datetime) -> Q:
    """The condition that `state` of a row is this."""
    retired = Q(published=True, retire_at__lte=now)
    return {
        "draft": Q(published=False),
        "published": public_at(now),
        "retired": retired,
        "scheduled": Q(published=True, publish_at__gt=now) & ~retired,
    }[state]


def public_window(*rows: "Publishable | None") -> tuple[datetime, datetime | None] | None:
    """From when until when all of these rows are public; None while one of them is a draft."""
    present = [row for row in rows if row is not None]
    if not all(row.published for row in present):
        return None
    starts = [row.publish_at for row in present if row.publish_at]
    ends = [row.retire_at for row in present if row.retire_at]
    return max(starts, default=EARLIEST), min(ends, default=None)


def next_scheduled_moment(now: datetime, models: Iterable[type["Publishable"]]) -> datetime | None:
    """The next moment at which the clock alone makes any row of these tables public or retires it. One query."""
    moments = []
    for model in models:
        for column in ("publish_at", "retire_at"):
            coming = model._default_manager.filter(**{"published": True, f"{column}__gt": now})
            moments.append(coming.order_by().values(moment=Min(column)))
    first, *others = moments
    return min((row["moment"] for row in first.union(*others) if row["moment"]), default=None)


def next_change_of(rows: Iterable["Publishable"], now: datetime) -> datetime | None:
    """The next moment at which one of these rows becomes public or is retired by the clock alone."""
    moments = [moment for row in rows if row.published for moment in (row.publish_at, row.retire_at)]
    return min((moment for moment in moments if moment and moment > now), default=None)
