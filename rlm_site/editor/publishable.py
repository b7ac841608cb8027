"""The desk of records that readers see only when they are published.

What is drafted (`versioned_fields` and tags) is saved as a working copy and becomes public by an act of its own: see
`workflow`. What stands (`immediate_fields` and inlines) acts at once; on a public record a publisher alone changes it.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.contenttypes.models import ContentType
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rlm_site.editor.concurrency.mixin import MergeInputs
from rlm_site.editor.forms import ContentForm
from rlm_site.editor.history import HistoryPages
from rlm_site.editor.states import badge, editorial_state
from rlm_site.editor.workflow import WorkflowAdmin
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.publishing import permissions
from rlm_site.publishing.models import Publishable
from rlm_site.tags.models import Tag
from rlm_site.text.folding import fold_name


class PublishableForm(ContentForm):
    change_comment = forms.CharField(
        label=gettext_lazy("Comment for editors"),
        max_length=1000,
        required=False,
        widget=forms.TextInput(attrs={"class": "vLargeTextField", "autocomplete": "off"}),
        help_text=gettext_lazy("What you changed and why; stands in the history."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drafted = getattr(self.instance, "drafted_tags", None)
        if drafted is not None and "tags" in self.fields:
            self.initial["tags"] = [Tag(name=name, folded=fold_name(name)) for name in drafted]


class ImmediateInlineMixin:
    """For inlines: rows that act at once on what readers see are changed by whoever may do that."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # whoever sees the record

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or permissions.can_change_immediately(request.user, obj)

    has_change_permission = has_delete_permission = has_add_permission


class PublishableAdmin(HistoryPages, WorkflowAdmin):
    form = PublishableForm
    change_fieldset: Any = (None, {"fields": ["change_comment"]})

    # Who may

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return super().has_change_permission(request) or self.has_add_permission(request)
        return permissions.can_change(request.user, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = [*super().get_readonly_fields(request, obj)]
        if obj is not None and not permissions.can_change_immediately(request.user, obj):
            fields += obj.immediate_fields
        return fields

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets: list[Any] = list(super().get_fieldsets(request, obj))
        if self.has_change_permission(request, obj):
            fieldsets.append(self.change_fieldset)
        return fieldsets

    # Lists

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        of_row = Revision.objects.filter(
            content_type=ContentType.objects.get_for_model(self.model), object_id=OuterRef("pk"), act=""
        )
        newest = of_row.order_by("-number").values("state")[:1]
        return super().get_queryset(request).annotate(newest_state=Coalesce(Subquery(newest), Value("")))

    @admin.display(description=gettext_lazy("changed"), ordering="updated")
    def changed(self, obj: Any) -> str:
        return formats.date_format(timezone.localtime(obj.updated), "j M Y, H:i")

    @admin.display(description=gettext_lazy("state"))
    def state(self, obj: Any) -> SafeString:
        return badge(editorial_state(obj, getattr(obj, "newest_state", None)))

    # The record as its editors know it: the working copy laid over the row

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is None:
            return None
        if self.has_change_permission(request, row):
            revisions.record_external_changes(row)
        copy = revisions.working_copy(row)
        row.opened_as = self.describe(row, copy)
        row.working_copy = copy
        if copy is not None and row.published:
            revisions.overlay(row, copy)
        if request.method == "POST":
            row.opened_content = revisions.content_of(row)
        return row

    def merge_inputs(self, request: HttpRequest, obj: Any) -> MergeInputs | None:
        """`?merge=7`: the draft and what was published over it as revision 7, brought together."""
        number = request.GET.get("merge", "")
        copy = obj.working_copy
        published = revisions.published_since(obj, copy) if copy is not None else None
        if published is None or number != str(published.number):
            return None
        stored = self.model._default_manager
        return MergeInputs(
            base=revisions.overlay(stored.get(pk=obj.pk), copy.base),
            mine=obj,
            theirs=revisions.overlay(stored.get(pk=obj.pk), published),
            said=_("The published text was changed after this draft was begun. Bring both together, then save."),
            mine_are=_("The draft"),
            theirs_are=_("Published"),
        )

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        row = context.get("original")
        context["state"] = getattr(row, "opened_as", "")
        offered = self.available_transitions(request, row) if row is not None else []
        context["acts"] = [(act, self.transition_url(row, act.name)) for act in offered]
        context["act_names"] = {act.name for act in offered}
        context["can_publish"] = permissions.can_publish(request.user, self.model)
        copy = getattr(row, "working_copy", None)
        context["reasons"] = copy.comment if copy is not None and copy.state == Revision.State.RETURNED else ""
        context["draft_first"] = row is None or not row.published
        return super().render_change_form(request, context, *args, **kwargs)

    # Saving

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.owner = request.user
        if not obj.published:
            super().save_model(request, obj, form, change)
        elif standing := self._standing_changes(obj, form):
            obj.save(update_fields=standing)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        row = form.instance
        if row.published:
            row.drafted_tags = form.cleaned_data.get("tags", row.tags.names())
            for formset in formsets:
                self.save_formset(request, form, formset, change=change)
        else:
            form.save_m2m()
            for formset in formsets:
                self.save_formset(request, form, formset, change=change)
        self.record_history(request, form, formsets, change)
        queue.process_queue()

    def record_history(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A draft of the text where it was changed, and an act for what was changed at once."""
        row = form.instance
        author: Any = request.user
        comment = form.cleaned_data.get("change_comment", "")
        acts = []
        if change and self._standing_changes(row, form):
            acts.append(Revision.Act.PLACE)
        if change and any(formset.has_changed() for formset in formsets):
            acts.append(Revision.Act.CHOICES)
        stored = self.model._default_manager.get(pk=row.pk)
        for act in acts:
            state = Revision.State.PUBLISHED if stored.published else Revision.State.DRAFT
            revisions.record_revision(stored, state=state, act=act, author=author, comment=comment)
        if not change or {*form.changed_data} & {*row.versioned_fields, "tags"}:
            before = row.opened_content if change else {}
            typed = revisions.content_of(row)
            # A form trims the spaces at the ends of a line: what nobody has touched stays to the letter.
            content = before | {name: typed[name] for name in typed if not change or name in form.changed_data}
            revisions.save_draft(stored, content, author=author, comment=comment, base=self._merged_with(request, row))

    def _merged_with(self, request: HttpRequest, row: Publishable) -> Revision | None:
        """The published revision that the form was brought together with, if it was: see `merge_inputs`."""
        number = request.GET.get("merge", "")
        is_number = number.isascii() and number.isdigit() and len(number) < 10
        published = revisions.history_of(row).filter(state=Revision.State.PUBLISHED)
        return published.filter(number=int(number)).first() if is_number else None

    def _standing_changes(self, row: Publishable, form: Any) -> list[str]:
        return [name for name in form.changed_data if name in row.immediate_fields]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._went_on(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._went_on(request, obj) or super().response_change(request, obj)

    def _went_on(self, request: HttpRequest, obj: Any) -> HttpResponse | None:
        """To the act that was asked for with the save, or on with the text; None where Django knows the way."""
        if "_popup" in request.POST:
            return None
        for act in ("review", "publish"):
            if f"_{act}" in request.POST:
                return HttpResponseRedirect(self.transition_url(obj, act))
        said = _("The draft of “%(title)s” is saved. %(readers)s") % {
            "title": obj,
            "readers": _("Readers still see the published text.") if obj.published else _("Readers cannot see it yet."),
        }
        messages.success(request, said)
        if "_continue" in request.POST:
            return HttpResponseRedirect(
                reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])
            )
        return self.response_post_save_change(request, obj)
