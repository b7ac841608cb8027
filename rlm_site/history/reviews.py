"""The review of a working copy: when it was sent, who wrote in it since, and whose words nobody else has read."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from django.contrib.contenttypes.models import ContentType
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from rlm_site.history.models import Revision
from rlm_site.publishing.models import Publishable

State = Revision.State


class Written(NamedTuple):
    """That somebody wrote a text: while it was in review, or before."""

    author: int | None
    in_review: bool


def sent_revision(row: Publishable) -> Revision | None:
    """Return the revision with which the working copy was sent for review; None where it is not under review."""
    texts = row.revisions.filter(act="")
    before = texts.exclude(state__in=Revision.UNDER_REVIEW).order_by("-number").values("number")[:1]
    since = texts.filter(number__gt=Coalesce(Subquery(before), 0)).select_related("author")
    return since.order_by("number").first()


def changed_since_sent(row: Publishable, copy: Revision | None) -> Revision | None:
    """Return the revision with which a text was sent for review, if it says something else by now."""
    sent = sent_revision(row) if copy is not None and copy.state in Revision.UNDER_REVIEW else None
    return None if sent is None or copy is None or sent.content == copy.content else sent


def writings_of(rows: Collection[Publishable]) -> dict[int, list[Written]]:
    """Return who wrote the working copies of these rows of one model, oldest first. One query."""
    if not rows:
        return {}
    texts = Revision.objects.filter(content_type=ContentType.objects.get_for_model(next(iter(rows))), act="")
    ends = texts.filter(object_id=OuterRef("object_id"), state__in=[State.PUBLISHED, State.DISCARDED])
    since = texts.filter(
        object_id__in=[row.pk for row in rows],
        number__gt=Coalesce(Subquery(ends.order_by("-number").values("number")[:1]), 0),
    )
    found: dict[int, list[Written]] = {}
    before: dict[int, str] = {}
    for pk, state, author in since.order_by("object_id", "number").values_list("object_id", "state", "author"):
        is_sent = state == State.IN_REVIEW and before.get(pk) not in Revision.UNDER_REVIEW
        if state in {State.DRAFT, State.IN_REVIEW} and not is_sent:
            found.setdefault(pk, []).append(Written(author, state == State.IN_REVIEW))
        before[pk] = state
    return found


def is_unread_by_others(writings: Iterable[Written], reader: int) -> bool:
    """Return whether this person wrote something that nobody else has read.

    Whoever corrects a text in review has read it: what others wrote before is read then, and the correction is not.
    """
    unread = False
    for written in writings:
        if written.author == reader:
            unread = True
        elif written.in_review and written.author is not None:
            unread = False
    return unread


def is_corrected_for(writings: Iterable[Written], author: int) -> bool:
    """Return whether somebody else corrected in review what this person wrote, and nothing was added since."""
    writings = list(writings)
    wrote = any(written.author == author for written in writings)
    return wrote and not is_unread_by_others(writings, author)
