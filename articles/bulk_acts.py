"""What can be done to many articles at once, beside what can be done to all that is published."""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from articles import backlinks, ordering
from articles.models import Article
from rlm_site.editor.bulk import BulkAct, BulkForm, Plan, SetAct
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.publishing import permissions

SET_QUOTATIONS = SetAct(
    "quotations",
    "quotations",
    gettext_lazy("Set quotations…"),
    Article.Quotations.choices,
)


class MoveForm(BulkForm):
    topic = forms.ModelChoiceField(label=gettext_lazy("Move to"), queryset=Article.objects.topics().order_by("title"))
    field_order = ["topic", "comment"]


class MoveAct(BulkAct):
    """Sections get another topic, and come last there. Readers are redirected from the old addresses at once."""

    name = "move"
    label = gettext_lazy("Move to a topic…")
    button = gettext_lazy("Move")
    explanation = gettext_lazy("Readers are redirected from the old addresses at once. Texts and drafts stay.")
    form = MoveForm
    asks = True

    def is_offered(self, user: Any, model: Any) -> bool:
        return permissions.can_edit_any(user, model) or bool(user.has_perm("articles.add_article"))

    def plans(self, user: Any, rows: Sequence[Any], given: Mapping[str, Any]) -> dict[Any, Plan]:
        topic = given["topic"]
        moving = [row.pk for row in rows]
        taken = set(Article.objects.filter(parent=topic).exclude(pk__in=moving).values_list("slug", flat=True))
        above = set(Article.objects.filter(parent__in=moving).values_list("parent", flat=True))
        found = {}
        for row in rows:
            refusal = self._refusal(user, row, topic, taken, above)
            found[row.pk] = Plan(refusal=refusal) if refusal else Plan(_("Will be moved to “%s”") % topic.title)
            taken |= set() if refusal else {row.slug}
        return found

    @staticmethod
    def _refusal(user: Any, row: Article, topic: Article, taken: set[str], above: set[Any]) -> str:
        if not permissions.can_change_immediately(user, row):
            return _("You may not do this here.")
        if row.pk == topic.pk or row.parent_id == topic.pk:
            return _("It is there already.")
        if row.pk in above:
            return _("It has sections of its own.")
        if row.parent_id is None:
            return _("It is a topic. Choose its topic on its own page.")
        if row.slug in taken:
            return _("A section of that topic has the same slug: %s.") % row.slug
        return ""

    def apply(self, user: Any, row: Article, given: Mapping[str, Any]) -> str:
        topic = given["topic"]
        revisions.record_external_changes(row)
        if refusal := self.plans(user, [row], given)[row.pk].refusal:
            raise ValidationError(refusal)
        before = Article.objects.for_links().get(pk=row.pk)
        after = copy(before)
        after.parent = topic
        if backlinks.lost_by_rename(before, after, timezone.now()).total:
            raise ValidationError(_("Links by name would be broken. Move it on its own page, which names them."))
        row.parent, row.position = topic, ordering.next_position(topic)
        row.full_clean(exclude={field.name for field in row._meta.fields} - {"parent", "slug", "position"})
        row.save(update_fields=["parent", "position"])
        told = _("Moved to “%s”.") % topic.title
        state = Revision.State.PUBLISHED if row.published else Revision.State.DRAFT
        comment = f"{told} {given['comment']}".strip()
        revisions.record_revision(row, state=state, act=Revision.Act.PLACE, author=user, comment=comment)
        return told
