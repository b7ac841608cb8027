"""The change form of every record: opened with a signed token of what it shows, and saved only against that.

Read `OptimisticLockingMixin` from the top: a form is opened or submitted; what was submitted is compared, under a lock,
with what is there by now; then it is saved, or shown again with everything that was typed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.exceptions import DisallowedModelAdminToField
from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR, InlineModelAdmin
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection
from django.db.models import Model
from django.forms.formsets import all_valid
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from rlm_site.editor.concurrency import autosave, locking, submissions
from rlm_site.editor.concurrency.conflicts import (
    Choice,
    Difference,
    FormToken,
    MergedForm,
    Saver,
    apply_choices,
    describe_choice,
    merge_forms,
    record_name,
    saved_since,
)
from rlm_site.editor.concurrency.form_state import FormSnapshot, FormState
from rlm_site.editor.concurrency.models import SubmittedForm

SHOW_MERGED = "_show"  # the button that shows what would be saved, and saves nothing
_NOT_TYPED = re.compile(r"_|csrf|form_token$|form_id$|draft_id$|choice-|.*_FORMS$|.*__prefix__")  # names of controls


class Opened(NamedTuple):
    """A record as its form opens with it."""

    instance: Model | None  # what the form edits; None for a new record
    initial: dict[str, Any]  # values of fields that the instance does not hold
    context: dict[str, Any]  # for the page


class MergeInputs(NamedTuple):
    """Three versions of a record that its form is to open with merged."""

    base: Opened | None  # None: not known
    mine: Opened
    theirs: Opened
    said: str
    mine_are: str
    theirs_are: str


@dataclass
class ConflictNotice:
    """Why a form is shown with what is not saved, and what there is to choose."""

    said: str
    status: int = 409
    differences: Sequence[Difference] = ()
    mine_alone: Sequence[str] = ()
    mine_are: str = ""
    theirs_are: str = ""
    carried: Sequence[tuple[str, str]] = ()  # choices made already, for the next try

    @property
    def open_choices(self) -> int:
        return sum(difference.choice is not None for difference in self.differences)


@dataclass
class UnsavedForm:
    """A form to be shown with what is not saved."""

    object_id: str | None
    data: QueryDict
    notice: ConflictNotice
    context: dict[str, Any] = field(default_factory=dict)
    form_url: str = ""


class BoundForms(NamedTuple):
    """A form with the formsets of its inlines; only those that this person may edit take data."""

    form: forms.ModelForm
    formsets: list[Any]
    inlines: list[InlineModelAdmin]
    edited: list[Any]  # those of the formsets that this person may edit

    def are_valid(self) -> bool:
        """Validate all of them, so that every error is shown at once."""
        is_valid = self.form.is_valid()
        return all_valid(self.edited) and is_valid


class OptimisticLockingMixin(admin.ModelAdmin):
    """Compares what a form was opened with to what is there when it is submitted."""

    # What subclasses say of their records

    def open_row(self, request: HttpRequest, row: Any) -> Opened:
        """Return what the form of a stored record opens with."""
        return Opened(row, {}, {})

    def merge_inputs(self, request: HttpRequest, row: Any) -> MergeInputs | None:
        """Return the versions that the form is to open with merged, where the address asks for that."""
        return None

    def save_record(self, request: HttpRequest, row: Any, form: Any, formsets: list[Any]) -> Any:
        """Save a valid form; `row` is the stored record, or None for a new one. Return the saved record."""
        saved = self.save_form(request, form, change=row is not None)
        self.save_model(request, saved, form, row is not None)
        self.save_related(request, form, formsets, row is not None)
        return saved

    def warn_of_saved(self, request: HttpRequest, form: Any, formsets: Sequence[Any]) -> None:
        """Tell of what was saved as it was typed, but is probably not meant."""

    # The view

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = dict(extra_context or {})
        if request.method != "POST":
            return self._open(request, object_id, form_url, context)
        try:
            with locking.write_transaction():
                outcome = self._submit(request, object_id, form_url, context)
        except OperationalError as error:
            if not locking.is_busy(error):
                raise
            return self._busy(request, object_id, form_url)
        if isinstance(outcome, UnsavedForm):
            return self._show(request, outcome)  # now that others can write again
        return outcome

    def _open(
        self, request: HttpRequest, object_id: str | None, form_url: str, context: dict[str, Any]
    ) -> HttpResponse:
        if object_id is not None and not self.has_view_or_change_permission(request):
            raise PermissionDenied  # whether there is such a record or not
        row = self._row(request, object_id)
        if object_id is not None and row is None:
            return self._missing(request, object_id)
        can_save = self._can_save(request, row)
        if not can_save and not (row is not None and self.has_view_permission(request, row)):
            raise PermissionDenied
        inputs = self.merge_inputs(request, row) if row is not None and can_save else None
        if inputs is not None:
            return self._show(request, self._merged(request, row, inputs, form_url))
        opened = self._what_opens(request, row)
        built = self._build(request, row, opened)
        if row is not None and can_save:
            state = FormSnapshot(built.form, built.edited).opened()
            context["form_token"] = FormToken(record_name(row), timezone.now(), state).signed
        return self._page(request, row, opened, built, {"is_unsaved": False, **context}, form_url)

    def _submit(
        self, request: HttpRequest, object_id: str | None, form_url: str, context: dict[str, Any]
    ) -> HttpResponse | UnsavedForm:
        """Save what was sent, or return it to be shown again. To be called in a transaction."""
        row = self._locked(request, object_id)
        if object_id is not None and row is None:
            return self._as_new(request, object_id)
        if not self._can_save(request, row):
            raise PermissionDenied
        opened = self._what_opens(request, row)
        data: QueryDict = request.POST
        merged_own_changes = False
        if row is not None:
            outcome = self._merge_with_stored(request, row, opened, form_url)
            if isinstance(outcome, UnsavedForm):
                return outcome
            data, merged_own_changes, context["form_token"] = outcome
        elif (answer := self._sent_again(request, form_url)) is not None:
            return answer
        elif SHOW_MERGED in request.POST:
            return UnsavedForm(None, data, ConflictNotice(_not_saved_yet(), 200), form_url=form_url)
        built = self._build(request, row, opened, data)
        if not built.are_valid():
            return self._page(request, row, opened, built, {"is_unsaved": True, **context}, form_url)
        return self._save_and_respond(request, row, built, merged_own_changes, form_url)

    def _sent_again(self, request: HttpRequest, form_url: str) -> HttpResponse | UnsavedForm | None:
        """Answer a form for a new record that has made one already; None for any other."""
        submitted = submissions.find(request, self.model)
        made = self.get_queryset(request).filter(pk=submitted.object_id).first() if submitted else None
        if submitted is None or made is None:
            return None
        if submitted.digest == submissions.digest(request):
            messages.info(
                request, _("“%(record)s” has already been saved: the form was sent twice.") % {"record": made}
            )
            return self.response_add(request, made) if IS_POPUP_VAR in request.POST else self._to_form_of(made)
        said = _("This form has already created “%(record)s”. What you have typed since has not been saved.")
        notice = ConflictNotice(f"{said % {'record': made}} {_('Save to create another record.')}")
        context = {"form_id": submissions.new_form_id()}
        return UnsavedForm(None, request.POST, notice, context, form_url)

    def _to_form_of(self, row: Any) -> HttpResponse:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(name, args=[row.pk], current_app=self.admin_site.name))

    def _merge_with_stored(
        self, request: HttpRequest, row: Any, opened: Opened, form_url: str
    ) -> UnsavedForm | tuple[QueryDict, bool, str]:
        """Compare what was sent with what the form was opened with and with what is there now.

        Return the data to save, whether others' changes were merged into it, and a new token; or the form to show.
        """
        snapshot = self._snapshot(request, row, opened)
        sent, now = snapshot.sent(request.POST), snapshot.opened()
        token = FormToken.read(request.POST.get("form_token", ""), record_name(row))
        merged = _merge(snapshot, token, sent, now, request.POST)
        new_token = FormToken(record_name(row), timezone.now(), now, merged.choices).signed
        notice = self._obstacle(request, row, token, now, merged)
        data = snapshot.write(merged.state, request.POST)
        if notice is not None:
            context = {"form_token": new_token}
            return UnsavedForm(str(row.pk), data, notice, context, form_url)
        assert token is not None  # noqa: S101 - without one there is an obstacle
        merged_own_changes = token.state != now
        return data if merged_own_changes or token.choices else request.POST, merged_own_changes, new_token

    def _obstacle(
        self, request: HttpRequest, row: Any, token: FormToken | None, now: FormState, merged: MergedForm
    ) -> ConflictNotice | None:
        """Return why this is not saved as it came; None where nothing is in the way."""
        notice = ConflictNotice("", 409, merged.differences, merged.mine_alone, _("Yours"), _("Theirs"))
        if token is None:
            said = _(
                "This form does not record which version it was opened with, so your changes cannot be identified."
            )
            return replace(notice, said=said)
        if token.state != now:
            others = saved_since(row, token.at)
            only_mine = {saver.user for saver in others} == {request.user}
            if only_mine and not merged.choices and SHOW_MERGED not in request.POST:
                return None
            who = get_text_list([_describe_saver(saver, request.user) for saver in others], _("and"))
            return replace(notice, said=_("While you had this open, it was changed by %(who)s.") % {"who": who})
        if merged.choices:
            return replace(notice, said=_("Some changes still need a choice."))
        if SHOW_MERGED in request.POST:
            return replace(notice, said=_not_saved_yet(), status=200)
        return None

    def _save_and_respond(
        self, request: HttpRequest, row: Any, built: BoundForms, merged_own_changes: bool, form_url: str
    ) -> HttpResponse | UnsavedForm:
        """Save a valid form, log it, and answer with where to go on."""
        claimed = None
        if row is None and submissions.form_id(request):
            claimed, is_first = submissions.claim(request, self.model)
            if not is_first and (answer := self._sent_again(request, form_url)) is not None:
                return answer  # another request was faster
        saved = self.save_record(request, row, built.form, built.edited)
        self.warn_of_saved(request, built.form, built.edited)
        form: Any = built.form
        message = self.construct_change_message(request, form, built.edited, row is None)
        if row is None:
            if claimed is not None:
                SubmittedForm.objects.filter(pk=claimed.pk).update(
                    object_id=saved.pk, digest=submissions.digest(request)
                )
            self.log_addition(request, saved, message)
            response = self.response_add(request, saved)
        else:
            self.log_change(request, saved, message)
            response = self.response_change(request, saved)
        if merged_own_changes:
            messages.info(request, _("Your changes were merged with those you saved in another window."))
        autosave.confirm_saved(request, response)
        return response

    # The record and its forms

    def _row(self, request: HttpRequest, object_id: str | None) -> Any:
        if object_id is None:
            return None
        to_field = request.POST.get(TO_FIELD_VAR, request.GET.get(TO_FIELD_VAR))
        if to_field and not self.to_field_allowed(request, to_field):
            raise DisallowedModelAdminToField(f"The field {to_field} cannot be referenced.")
        return self.get_object(request, unquote(object_id), to_field)

    def _locked(self, request: HttpRequest, object_id: str | None) -> Any:
        """Return the record, locked until the transaction ends; on SQLite the whole database is."""
        row = self._row(request, object_id)
        if row is None or not connection.features.has_select_for_update:
            return row
        self.model._base_manager.select_for_update().filter(pk=row.pk).first()
        for inline in self.get_inline_instances(request, row):
            formset: Any = inline.get_formset(request, row)
            list(inline.model._base_manager.select_for_update().filter(**{formset.fk.name: row}).values("pk"))
        return self._row(request, object_id)

    def _can_save(self, request: HttpRequest, row: Any) -> bool:
        return self.has_add_permission(request) if row is None else self.has_change_permission(request, row)

    def _what_opens(self, request: HttpRequest, row: Any) -> Opened:
        if row is None:
            return Opened(None, self.get_changeform_initial_data(request), {})
        return self.open_row(request, row)

    def _build(self, request: HttpRequest, row: Any, opened: Opened, data: QueryDict | None = None) -> BoundForms:
        """Build the form and the formsets of its inlines, with what was sent or as they open."""
        form_class = self.get_form(
            request, row, change=row is not None, fields=flatten_fieldsets(self.get_fieldsets(request, row))
        )
        bound: dict[str, Any] = {} if data is None else {"data": data, "files": request.FILES}
        initial = {} if row is None and bound else opened.initial
        form = form_class(**bound, instance=opened.instance, initial=initial)
        built = BoundForms(form, [], [], [])
        for formset_class, inline in self.get_formsets_with_inlines(request, row):
            is_edited = inline.has_change_permission(request, row)
            formset = formset_class(
                **(bound if is_edited else {}),
                instance=form.instance,
                prefix=formset_class.get_default_prefix(),
                queryset=inline.get_queryset(request),
            )
            built.formsets.append(formset)
            built.inlines.append(inline)
            if is_edited:
                built.edited.append(formset)
        return built

    def _snapshot(self, request: HttpRequest, row: Any, opened: Opened) -> FormSnapshot:
        built = self._build(request, row, opened)
        return FormSnapshot(built.form, built.edited)

    # Pages

    def _page(
        self,
        request: HttpRequest,
        row: Any,
        opened: Opened,
        built: BoundForms,
        context: dict[str, Any],
        form_url: str,
    ) -> HttpResponse:
        """Render the form, as Django's own view does."""
        fieldsets: Any = self.get_fieldsets(request, row)
        can_save = self._can_save(request, row)
        if row is not None and built.form.is_bound:  # validation has written what was typed to the instance
            opened = self.open_row(request, row)
        admin_form = helpers.AdminForm(
            built.form,
            list(fieldsets),
            self.get_prepopulated_fields(request, row) if can_save else {},
            self.get_readonly_fields(request, row) if can_save else flatten_fieldsets(fieldsets),
            model_admin=self,
        )
        inline_formsets = self.get_inline_formsets(request, built.formsets, built.inlines, row)
        media = sum((formset.media for formset in inline_formsets), self.media + admin_form.media)
        title = _("Add %s") if row is None else _("Change %s") if can_save else _("View %s")
        page = {
            **self.admin_site.each_context(request),
            "title": title % self.opts.verbose_name,
            "subtitle": str(opened.instance) if opened.instance else None,
            "adminform": admin_form,
            "object_id": None if row is None else str(row.pk),
            "original": opened.instance,
            "is_popup": IS_POPUP_VAR in request.POST or IS_POPUP_VAR in request.GET,
            "to_field": request.POST.get(TO_FIELD_VAR, request.GET.get(TO_FIELD_VAR)),
            "media": media,
            "inline_admin_formsets": inline_formsets,
            "errors": helpers.AdminErrorList(built.form, built.formsets),
            "preserved_filters": self.get_preserved_filters(request),
            "is_autosaved": can_save,
            "draft_id": request.POST.get(autosave.DRAFT_ID, ""),
            "form_id": "" if row else submissions.form_id(request) or submissions.new_form_id(),
            **opened.context,
            **context,
        }
        add = row is None
        return self.render_change_form(request, page, add=add, change=not add, obj=row, form_url=form_url)

    def _show(self, request: HttpRequest, unsaved: UnsavedForm) -> HttpResponse:
        """Show a form with what is not saved."""
        row = self._row(request, unsaved.object_id)
        opened = self._what_opens(request, row)
        built = self._build(request, row, opened, unsaved.data)
        context = {"is_unsaved": request.method == "POST", **unsaved.context, "notice": unsaved.notice}
        response = self._page(request, row, opened, built, context, unsaved.form_url)
        response.status_code = unsaved.notice.status
        return response

    def _merged(self, request: HttpRequest, row: Any, inputs: MergeInputs, form_url: str) -> UnsavedForm:
        """Merge three versions of the record's fields; the rows of its inlines are those that are there now."""
        snapshot = self._snapshot(request, row, self.open_row(request, row))
        now = snapshot.opened()
        base, mine, theirs = (
            None if version is None else FormState(self._snapshot(request, row, version).opened().fields)
            for version in (inputs.base, inputs.mine, inputs.theirs)
        )
        merged = merge_forms(FormSnapshot(snapshot.form), base, mine or now, theirs or now)
        token = FormToken(record_name(row), timezone.now(), now, merged.choices).signed
        notice = ConflictNotice(
            inputs.said, 200, merged.differences, merged.mine_alone, inputs.mine_are, inputs.theirs_are
        )
        data = snapshot.write(FormState(merged.state.fields, now.rows), QueryDict(mutable=True))
        return UnsavedForm(str(row.pk), data, notice, {"form_token": token}, form_url)

    def _as_new(self, request: HttpRequest, object_id: str) -> HttpResponse | UnsavedForm:
        """Offer what was typed into a record that was deleted meanwhile as a new one, to whoever may add one."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        said = _("This was deleted while you had it open. What you typed is shown here but is not saved.")
        if not self.has_add_permission(request):
            return self._show_plainly(request, said, 409)
        snapshot = self._snapshot(request, None, self._what_opens(request, None))
        sent, state = snapshot.sent(request.POST), snapshot.opened()
        token = FormToken.read(request.POST.get("form_token", ""), f"{self.opts.label_lower} {unquote(object_id)}")
        asked = token.state.fields if token else sent.fields  # an empty form may ask for more
        state.fields |= {name: value for name, value in sent.fields.items() if name in asked}
        state.rows = {
            prefix: {f"+{key}": row for key, row in rows.items() if not row.get("DELETE")}
            for prefix, rows in sent.rows.items()
        }
        add_url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_add")
        notice = ConflictNotice(f"{said} {_('Save to create a new record.')}")
        return UnsavedForm(None, snapshot.write(state, request.POST), notice, form_url=add_url)

    def _busy(self, request: HttpRequest, object_id: str | None, form_url: str) -> HttpResponse:
        said = _("The database is busy. Nothing was saved. Please save again.")
        chosen = [(name, str(value)) for name, value in request.POST.items() if name.startswith("choice-")]
        context = {"form_token": request.POST.get("form_token", ""), "is_busy": True}
        notice = ConflictNotice(said, 503, carried=chosen)
        try:
            with locking.nowait():
                return self._show(request, UnsavedForm(object_id, request.POST, notice, context, form_url))
        except OperationalError:
            return self._show_plainly(request, said, 503)

    def _show_plainly(self, request: HttpRequest, said: str, status: int) -> HttpResponse:
        """Show all that was typed on a page that needs nothing else."""
        sent = [(name, value) for name, values in request.POST.lists() for value in values]
        context = {
            **self.admin_site.each_context(request),
            "title": self.opts.verbose_name,
            "said": said,
            "sent": [(name, value) for name, value in sent if name != "csrfmiddlewaretoken"],
            "typed": [(name, value) for name, value in sent if value and not _NOT_TYPED.match(name)],
            "can_send_again": status == 503,
        }
        return render(request, "editor/typed.html", context, status=status)

    def _missing(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say that there is no such record, on the first page of the admin."""
        said = _("There is no %(name)s with the ID “%(key)s”. It may have been deleted.")
        messages.warning(request, said % {"name": self.opts.verbose_name, "key": unquote(object_id)})
        return HttpResponseRedirect(reverse("admin:index", current_app=self.admin_site.name))


def _merge(
    snapshot: FormSnapshot, token: FormToken | None, sent: FormState, now: FormState, data: QueryDict
) -> MergedForm:
    """Bring together what the form was opened with, what was sent and what is there now."""
    still_open = apply_choices(token.choices, sent, data) if token else []
    if token and token.state == now:
        return MergedForm(sent, [describe_choice(snapshot, choice) for choice in still_open], still_open)
    numbers = [choice.number for choice in token.choices] if token else []
    merged = merge_forms(snapshot, token.state if token else None, sent, now, max(numbers, default=0) + 1)
    older = _not_asked_again(still_open, merged.choices)
    merged.choices[:0] = older
    merged.differences[:0] = [describe_choice(snapshot, choice) for choice in older]
    return merged


def _not_asked_again(still_open: Sequence[Choice], asked: Sequence[Choice]) -> list[Choice]:
    places = {choice.place for choice in asked}
    return [choice for choice in still_open if choice.in_text or choice.place not in places]


def _not_saved_yet() -> str:
    return _("This is not saved yet. Check it, then save.")


def _describe_saver(saver: Saver, user: Any) -> str:
    if saver.user is None:
        name = _("another program")
    elif saver.user == user:
        name = _("you in another window")
    else:
        name = saver.user.get_full_name() or saver.user.get_username()
    return f"{name} ({_moment(saver.at)})" if saver.at else name


def _moment(at: Any) -> str:
    local = timezone.localtime(at)
    return formats.date_format(local, "H:i" if local.date() == timezone.localdate() else "j F Y, H:i")
