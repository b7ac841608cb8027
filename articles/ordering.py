"""Ordering the sections of a topic, or the topics: one move at a time, in the order that the editor saw."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from articles.models import Article, ArticleQuerySet
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.text.slugs import ABOUT

MOST_DIGITS = 4  # of a place
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


def siblings(topic: Article | None) -> ArticleQuerySet:
    """Return the sections of a topic; of None, the topics that no list puts in an order of its own."""
    if topic is not None:
        return Article.objects.filter(parent=topic).in_reading_order()
    kinds = (Article.Kind.SUBJECT, Article.Kind.FORMATION)
    return Article.objects.topics().filter(kind__in=kinds).exclude(slug=ABOUT).in_reading_order()


def next_position(topic: Article | None) -> int:
    """Return the position behind all sections of a topic, or behind all topics."""
    last: int | None = Article.objects.filter(parent=topic).aggregate(last=Max("position"))["last"]
    return (last or 0) + 1


def order_token(rows: Iterable[Article]) -> str:
    """Return a string that identifies this order, to detect changes by others."""
    return ",".join(str(row.pk) for row in rows)


def move_buttons(rows: list[Article], moved: str = "", step: str = "") -> Iterator[tuple[Article, list[Button]]]:
    """Yield each row with its buttons; focus stays on the pressed one, or moves to the next enabled one."""
    for row in rows:
        works = {name: row != (rows[0] if name in {"top", "up"} else rows[-1]) for name in STEPS}
        usable = [name for name in STEPS if works[name]]
        focused = (step if step in usable else usable[0]) if str(row.pk) == moved and usable else ""
        yield row, [Button(name, label, works[name], name == focused) for name, label in STEPS.items()]


@transaction.atomic
def move(topic: Article | None, key: str, step: str, *, seen: str, author: User | None = None) -> str:
    """Move a section of a topic, or a topic, and record it in the history of every row that moved. Return a message.

    A step is one of STEPS, or the place that it was dragged to, from 1 on.
    """
    if topic is not None:
        Article.objects.select_for_update().get(pk=topic.pk)  # one move at a time per topic
    rows = list(siblings(topic).select_for_update(of=("self",)))
    if order_token(rows) != seen:
        raise ValidationError(
            _("The order has been changed in the meantime. Nothing was moved. This is the current order.")
        )
    before = {row.pk: place for place, row in enumerate(rows)}
    moved = next((row for row in rows if str(row.pk) == key), None)
    dragged = int(step) if step.isascii() and step.isdecimal() and len(step) <= MOST_DIGITS else 0
    if moved is None or not (step in STEPS or 1 <= dragged <= len(rows)):
        raise ValidationError(_("Nothing was moved: the page or the move is unknown."))
    place = before[moved.pk]
    rows.remove(moved)
    places = {"top": 0, "up": max(place - 1, 0), "down": place + 1, "bottom": len(rows)}
    rows.insert(places.get(step, dragged - 1), moved)
    told = _("“%(title)s” is now topic %(place)d of %(count)d.")
    message = (told if topic is None else _("“%(title)s” is now section %(place)d of %(count)d.")) % {
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
