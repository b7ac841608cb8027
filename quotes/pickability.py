"""How many of some quotations the site may pick, and what keeps it from picking the others."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from quotes.models import Collection, Quote
from rlm_site.publishing.visibility import is_public_at


@dataclass
class Pickability:
    """Of `total` quotations, `allowed` may be picked; the others have one or more obstacles, each with its remedy."""

    total: int = 0
    allowed: int = 0
    obstacles: Counter[str] = field(default_factory=Counter)

    @property
    def refused(self) -> int:
        return self.total - self.allowed

    def __str__(self) -> str:
        return _("%(allowed)s of these %(total)s quotations may be picked by the site.") % {
            "allowed": f"{self.allowed:,}",
            "total": f"{self.total:,}",
        }


def pickability(quotes: Iterable[Quote], now: datetime) -> Pickability:
    """Count which of these quotations may be picked; their collections are read with them."""
    found = Pickability()
    for quote in quotes:
        obstacles = obstacles_of(quote, now)
        found.total += 1
        found.allowed += not obstacles
        found.obstacles.update(obstacles)
    return found


def obstacles_of(quote: Any, now: datetime) -> list[str]:
    """Return all that keeps a quotation from `Quote.objects.pickable`, each with its remedy."""
    found = []
    if not quote.auto_pick:
        found.append(
            _(
                "“May be picked by the site” is off. Import new quotations with “auto-pick”; for those on the site, "
                "give auto_pick in the file, or change it in their forms."
            )
        )
    if quote.status not in Quote.PICKED_STATUSES:
        told = _(
            "The status is “%(status)s”, and the site picks only verified and reported quotations. Check them against "
            "a source, then change the status; or import them into a collection whose attributions are trusted."
        )
        found.append(told % {"status": quote.get_status_display()})
    if quote.collection and quote.collection.pick_policy == Collection.PickPolicy.PINNED:
        told = _("The collection “%(collection)s” is shown only where an editor pins it. Its own form decides this.")
        found.append(told % {"collection": quote.collection})
    if not is_public_at(quote, now):
        found.append(_("Readers cannot see them now. Publish them."))
    return found
