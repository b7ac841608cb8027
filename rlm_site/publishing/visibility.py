"""The rule of what is public, and when. No other module may spell it out."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from django.db.models import Min, Q
from django.utils import timezone

if TYPE_CHECKING:
    from rlm_site.publishing.models import Publishable


class Scheduled(Protocol):
    """A `Publishable`, or a row of its columns."""

    @property
    def published(self) -> bool: ...
    @property
    def publish_at(self) -> datetime | None: ...
    @property
    def retire_at(self) -> datetime | None: ...


EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)  # stands for no start


def public_at(now: datetime, prefix: str = "") -> Q:
    """Return the condition that a row is public at `now`; `prefix` is the path of a relation, such as `parent__`."""
    return (
        Q(**{f"{prefix}published": True})
        & (Q(**{f"{prefix}publish_at": None}) | Q(**{f"{prefix}publish_at__lte": now}))
        & (Q(**{f"{prefix}retire_at": None}) | Q(**{f"{prefix}retire_at__gt": now}))
    )


def is_public_at(row: Scheduled, now: datetime) -> bool:
    """Return whether an instance is public at `now`; the same rule as `public_at`."""
    return (
        row.published
        and (row.publish_at is None or row.publish_at <= now)
        and (row.retire_at is None or row.retire_at > now)
    )


def is_found_by_readers(row: Any, now: datetime) -> bool:
    """Return whether readers find the row at `now`, whatever kind it is: as the `published` of its manager says."""
    return bool(type(row)._default_manager.published(now).filter(pk=row.pk).exists())


def is_retired(row: Scheduled, now: datetime) -> bool:
    """Return whether the row was public, and its time is over."""
    return row.published and row.retire_at is not None and row.retire_at <= now


def public_since(row: "Publishable") -> datetime:
    """Return when a published row first became public."""
    return max(row.publish_at or row.created, row.created)


def publication_state(row: Scheduled, now: datetime | None = None) -> str:
    """Return draft, scheduled, published or retired."""
    now = now or timezone.now()
    if not row.published:
        return "draft"
    if is_retired(row, now):
        return "retired"
    return "published" if is_public_at(row, now) else "scheduled"


def in_publication_state(state: str, now: datetime) -> Q:
    """Return the condition that a row is in this publication state."""
    retired = Q(published=True, retire_at__lte=now)
    return {
        "draft": Q(published=False),
        "published": public_at(now),
        "retired": retired,
        "scheduled": Q(published=True, publish_at__gt=now) & ~retired,
    }[state]


def public_window(*rows: Scheduled | None) -> tuple[datetime, datetime | None] | None:
    """Return from when until when all of these rows are public; None if one of them is a draft."""
    present = [row for row in rows if row is not None]
    if not all(row.published for row in present):
        return None
    starts = [row.publish_at for row in present if row.publish_at]
    ends = [row.retire_at for row in present if row.retire_at]
    return max(starts, default=EARLIEST), min(ends, default=None)


def next_scheduled_moment(now: datetime, models: Iterable[type["Publishable"]]) -> datetime | None:
    """Return the next moment at which the schedule publishes or retires a row of these tables."""
    moments = []
    for model in models:
        for column in ("publish_at", "retire_at"):
            coming = model._default_manager.filter(**{"published": True, f"{column}__gt": now})
            moments.append(coming.order_by().values(moment=Min(column)))
    first, *others = moments
    return min((row["moment"] for row in first.union(*others) if row["moment"]), default=None)


def next_change_of(rows: Iterable[Scheduled], now: datetime) -> datetime | None:
    """Return the next moment at which the schedule publishes or retires one of these rows."""
    moments = [moment for row in rows if row.published for moment in (row.publish_at, row.retire_at)]
    return min((moment for moment in moments if moment and moment > now), default=None)
