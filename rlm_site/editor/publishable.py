"""The admin of records that readers see only when they are published.

What is versioned (`versioned_fields` and tags) is saved as a draft and becomes public by a transition of its own: see
`workflow`. What is immediate (`immediate_fields` and inlines) takes effect with the save; on a public record only a
publisher may change it.
"""

from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rlm_site.editor.addresses import AddressFormMixin
from rlm_site.editor.bulk import PUBLISHING_ACTS, BulkActs
from rlm_site.editor.concurrency.change_form import MergeInputs, Opened
from rlm_site.editor.content import ContentAdmin
from rlm_site.editor.content_warnings import ContentWarning, check_encoding
from rlm_site.editor.forms import ContentForm
from rlm_site.editor.history import HistoryPages
from rlm_site.editor.states import (
    badge,
    badge_of,
    describe_visibility,
    describe_working_copy,
    editorial_state,
    with_newest_state,
)
from rlm_site.editor.workflow import Workflow
from rlm_site.history import reviews, revisions
from rlm_site.history.drafts import Draft
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.publishing import permissions
from rlm_site.tags.models import Tag
from rlm_site.text.folding import fold_name


class PublishableForm(AddressFormMixin, ContentForm):
    change_comment = forms.CharField(
        label=gettext_lazy("Comment for editors"),
        max_length=1000,
        required=False,
        widget=forms.TextInput(attrs={"class": "vLargeTextField", "autocomplete": "off"}),
        help_text=gettext_lazy("What you changed and why. Saved in the history."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        for name in row.immediate_fields if row.published else ():
            if name in self.fields:
                told = [self.fields[name].help_text, _("Readers see a change as soon as you save.")]
                if name in row.address_fields:
                    told.append(_("They are redirected from the old address."))
                self.fields[name].help_text = " ".join(filter(None, map(str, told)))


class ImmediateInlineMixin:
    """Inlines whose rows take effect at once: only those who may change what readers see may edit them."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # whoever sees the record

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or permissions.can_change_immediately(request.user, obj)

    has_change_permission = has_delete_permission = has_add_permission


class PublishableAdmin(ContentAdmin):
    form = PublishableForm
    features = (*ContentAdmin.features, HistoryPages, Workflow, BulkActs)
    bulk_acts = PUBLISHING_ACTS
    previews_versions = False
    change_fieldset: Any = (None, {"fields": ["change_comment"]})

    # Who may

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return super().has_change_permission(request) or self.has_add_permission(request)
        return permissions.can_write_draft(request.user, obj)

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
        return with_newest_state(permissions.readable(request.user, super().get_queryset(request), timezone.now()))

    @admin.display(description=gettext_lazy("changed"), ordering="updated")
    def changed(self, obj: Any) -> str:
        return formats.date_format(timezone.localtime(obj.updated), "j M Y, H:i")

    @admin.display(description=gettext_lazy("state"))
    def state(self, obj: Any) -> SafeString:
        return format_html("{} {}", badge_of(obj), self.why_hidden(obj, timezone.now()))

    def why_hidden(self, row: Any, now: datetime) -> str:
        """Return why readers do not find a record that is published, in words; empty where they do."""
        return ""

    def describe(self, row: Any, copy: Revision | None) -> SafeString:
        """Return its state as a badge, what that means for readers, and what was changed in review."""
        now = timezone.now()
        sent = reviews.sent_revision(row) if copy is not None and copy.state in Revision.UNDER_REVIEW else None
        changed: SafeString | str = ""
        if copy is not None and sent is not None and sent.content != copy.content:
            address = self.feature(HistoryPages).url("compare", row.pk)
            told = _("See what was changed in review")
            changed = format_html('<a href="{}?from={}&amp;to={}">{}</a>', address, sent.number, copy.number, told)
        return format_html(
            '{} <span class="state-words">{} {} {}</span>',
            badge(editorial_state(row, copy.state if copy else None, now)),
            self.why_hidden(row, now) or describe_visibility(row, now),
            describe_working_copy(row, copy, sent),
            changed,
        )

    def is_public(self, obj: Any) -> bool:
        return bool(obj.is_public(timezone.now()))

    def content_warnings(self, draft: Draft[Any]) -> list[ContentWarning]:
        """Return what an editor should know before this text is reviewed or published."""
        fields = (revisions.field_of(draft.row, name) for name in draft.row.versioned_fields)
        values = [(field.verbose_name, _texts(field.value_from_object(draft.row))) for field in fields]
        return [*check_encoding([*values, (_("tags"), draft.tags)])]

    def preview(self, request: HttpRequest, draft: Draft[Any]) -> HttpResponse:
        """Render the page as readers would see it; for models that have `previews_versions`."""
        raise Http404

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return self.feature(HistoryPages).history_view(request, object_id)

    # Opening the form: with the working copy

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None and self.has_change_permission(request, row):
            revisions.record_external_changes(row)
        return row

    def open_row(self, request: HttpRequest, row: Any) -> Opened:
        return _form_of(Draft.of(row))

    def merge_inputs(self, request: HttpRequest, row: Any) -> MergeInputs | None:
        """Return, for `?merge=7`, the draft and what was published over it as revision 7."""
        number = request.GET.get("merge", "")
        draft = Draft.of(row) if number else None
        copy = draft.working_copy if draft else None
        published = revisions.published_since(row, copy) if copy is not None else None
        if draft is None or copy is None or published is None or number != str(published.number):
            return None
        return MergeInputs(
            base=_form_of(Draft.at(row, copy.base)) if copy.base else None,
            mine=_form_of(draft),
            theirs=_form_of(Draft.at(row, published)),
            said=_("The published text has changed since this draft was started. Merge the two versions, then save."),
            mine_are=_("The draft"),
            theirs_are=_("The published text"),
        )

    # Saving the form: a draft, and what takes effect at once

    def save_record(self, request: HttpRequest, row: Any, form: Any, formsets: list[Any]) -> Any:
        """Save what was typed as a draft, and what takes effect at once with it.

        A record that was never public follows its draft. Of a public one the text stays as readers see it: only its
        immediate fields and inlines are written, which `get_readonly_fields` leaves to whoever may publish.
        """
        user: Any = request.user
        draft = None if row is None else Draft.of(row)
        before = {} if draft is None else draft.content
        immediate = [
            name
            for name in self.model.immediate_fields
            if name in form.changed_data or (row is not None and _differs(row, form.instance, name))  # a slug made here
        ]
        address = row.get_absolute_url() if row is not None and self.is_public(row) else ""
        if row is not None and row.published:
            saved = row
            for name in immediate:
                setattr(saved, name, getattr(form.instance, name))
            if immediate:
                saved.save(update_fields=immediate)
        else:
            if row is None:
                form.instance.owner = user
            saved = form.save()
        for formset in formsets:
            self.save_formset(request, form, formset, change=row is not None)

        record = partial(revisions.record_revision, saved, author=user, comment=form.cleaned_data["change_comment"])
        state = Revision.State.PUBLISHED if saved.published else Revision.State.DRAFT
        if row is not None and immediate:
            record(state=state, act=Revision.Act.PLACE)
        if row is not None and any(formset.has_changed() for formset in formsets):
            record(state=state, act=Revision.Act.CHOICES)
        merged_with = None if draft is None else self._merged_with(request, draft)
        if (
            row is None
            or merged_with is not None  # the draft takes account of it, even where it says the same
            or not _is_stored(draft)
            or {*form.changed_data} & {*saved.versioned_fields, "tags"}
        ):
            typed = Draft(form.instance, form.cleaned_data.get("tags", before.get("tags", []))).content
            # A form trims the spaces at the ends of a line: what nobody has touched stays to the letter.
            content = before | {name: typed[name] for name in typed if row is None or name in form.changed_data}
            revisions.save_draft(
                saved,
                content,
                author=user,
                comment=form.cleaned_data["change_comment"],
                base=merged_with,
            )
        queue.process_queue()
        self._say_saved(request, saved, immediate, address)
        return saved

    def _say_saved(self, request: HttpRequest, row: Any, immediate: list[str], old_address: str) -> None:
        """Say what became of what was typed: what readers see at once, and what they do not see yet."""
        if {"_popup", "_review", "_publish"} & {*request.POST}:
            return
        copy = revisions.working_copy(row)
        title = {"title": str(row)}
        said = [
            _("“%(title)s” was saved.") % title if copy is None else _("The draft of “%(title)s” was saved.") % title
        ]
        if copy is not None and copy.state == Revision.State.IN_REVIEW:
            said.append(_("It is in review."))
        address = row.get_absolute_url() if self.is_public(row) else ""
        if old_address and address and address != old_address:
            moved = _("Readers are redirected from %(old)s to %(new)s as of now.")
            said.append(moved % {"old": old_address, "new": address})
        others = [name for name in immediate if name not in row.address_fields] if row.published else []
        if others:
            names = get_text_list([str(revisions.field_of(row, name).verbose_name) for name in others], _("and"))
            said.append(_("For readers this is changed at once: %(names)s.") % {"names": names})
        if copy is not None:
            still = _("Readers still see the published text.") if row.published else _("Readers cannot see it yet.")
            said.append(still)
        messages.success(request, " ".join(said))

    def _merged_with(self, request: HttpRequest, draft: Draft[Any]) -> Revision | None:
        """Return the published revision that the form was opened with merged, if it was: see `merge_inputs`."""
        number = request.GET.get("merge", "")
        copy = draft.working_copy
        published = None if copy is None else revisions.published_since(draft.row, copy)
        return published if published is not None and number == str(published.number) else None

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._went_on(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._went_on(request, obj) or super().response_change(request, obj)

    def _went_on(self, request: HttpRequest, obj: Any) -> HttpResponse | None:
        """Go to the transition that was asked for with the save, or on with the text; None where Django knows where."""
        if "_popup" in request.POST:
            return None
        for name in ("review", "publish"):
            if f"_{name}" in request.POST:
                return HttpResponseRedirect(self.feature(Workflow).url(name, obj.pk))
        if "_continue" in request.POST:
            return HttpResponseRedirect(
                reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])
            )
        return self.response_post_save_change(request, obj)


def _form_of(draft: Draft[Any]) -> Opened:
    """Return what a form opens with: the draft, whose tags the row itself does not hold."""
    tags = [Tag(name=name, folded=fold_name(name)) for name in draft.tags]
    return Opened(draft.row, {"tags": tags}, {"draft": draft})


def _texts(value: Any) -> Any:
    """Return the texts in rows as a list, and any other value as it is."""
    rows = value if isinstance(value, list) else []
    texts = [text for row in rows if isinstance(row, dict) for text in row.values()]
    return texts or value


def _differs(row: Any, other: Any, name: str) -> bool:
    attname = row._meta.get_field(name).attname
    return bool(getattr(row, attname) != getattr(other, attname))


def _is_stored(draft: Draft[Any] | None) -> bool:
    """Return whether a draft opened as it is stored: what its text named may be deleted since."""
    if draft is None or draft.working_copy is None or not draft.row.published:
        return True
    return revisions.has_content(draft.working_copy, draft.content)
