"""Ordering the sections of a topic, one move at a time, in the order that the editor saw."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from articles.models import Article
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.indexing import queue

STEPS: dict[str, str | Promise] = {
    "top": gettext_lazy("To the top"),
    "up": gettext_lazy("Up"),
    "down": gettext_lazy("Down"),
    "bottom": gettext_lazy("To the bottom"),
}


class Button(NamedTuple):
    step: str
    label: str | Promise
    works: bool
    focused: bool


def order_token(rows: Iterable[Article]) -> str:
    """Return a string that identifies this order, to detect changes by others."""
    return ",".join(str(row.pk) for row in rows)


def move_buttons(rows: list[Article], moved: str = "", step: str = "") -> Iterator[tuple[Article, list[Button]]]:
    """Yield each section with its buttons; focus stays on the pressed one, or moves to the next enabled one."""
    for row in rows:
        works = {name: row != (rows[0] if name in {"top", "up"} else rows[-1]) for name in STEPS}
        usable = [name for name in STEPS if works[name]]
        focused = (step if step in usable else usable[0]) if str(row.pk) == moved and usable else ""
        yield row, [Button(name, label, works[name], name == focused) for name, label in STEPS.items()]


@transaction.atomic
def move_section(topic: Article, section: str, step: str, *, seen: str, author: User | None = None) -> str:
    """Move a section and record it in the history of every section that moved. Return a message."""
    Article.objects.select_for_update().get(pk=topic.pk)  # one move at a time per topic
    rows = list(Article.objects.filter(parent=topic).in_reading_order())
    if order_token(rows) != seen:
        raise ValidationError(
            _("The order has been changed in the meantime. Nothing was moved. This is the current order.")
        )
    before = {row.pk: place for place, row in enumerate(rows)}
    moved = next((row for row in rows if str(row.pk) == section), None)
    if moved is None or step not in STEPS:
        raise ValidationError(_("Nothing was moved: the section or the move is unknown."))
    place = before[moved.pk]
    rows.remove(moved)
    rows.insert({"top": 0, "up": max(place - 1, 0), "down": place + 1, "bottom": len(rows)}[step], moved)
    message = _("“%(title)s” is now section %(place)d of %(count)d.") % {
        "title": moved.title,
        "place": rows.index(moved) + 1,
        "count": len(rows),
    }
    for position, row in enumerate(rows, 1):
        if row.position != position:
            row.position = position
            row.save(update_fields=["position"])
        if before[row.pk] != position - 1:
            state = Revision.State.PUBLISHED if row.published else Revision.State.DRAFT
            revisions.record_revision(row, state=state, act=Revision.Act.PLACE, author=author, comment=message)
    queue.process_queue()
    return message
