"""Saving what others may have saved meanwhile: nothing is overwritten silently, and nothing typed is lost."""

import re
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.contrib import admin, messages
from django.contrib.admin.options import TO_FIELD_VAR
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from rlm_site.editor.concurrency import autosave, locking
from rlm_site.editor.concurrency.conflicts import (
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

SHOW_MERGED = "_show"  # the button that shows what would be saved, and saves nothing


class MergeInputs(NamedTuple):
    """Three versions of a record, as rows, that its form is to open with brought together."""

    base: Any  # None: not known
    mine: Any
    theirs: Any
    said: str
    mine_are: str
    theirs_are: str


@dataclass
class ConflictNotice:
    """Why a form is shown again (or opened) with something that is not saved, and what there is to choose."""

    said: str
    status: int = 409
    differences: Sequence[Difference] = ()
    mine_alone: Sequence[str] = ()
    mine_are: str = ""
    theirs_are: str = ""
    carried: Sequence[tuple[str, str]] = ()  # choices made already, for the next try

    @property
    def open_choices(self) -> int:
        return sum(one.choice is not None for one in self.differences)


@dataclass
class UnsavedForm:
    """A form to be shown with what is not saved."""

    object_id: str | None
    form_url: str
    context: dict[str, Any]
    data: QueryDict
    notice: ConflictNotice


class OptimisticLockingMixin(admin.ModelAdmin):
    """For change forms: compares what the form was opened with to what is there now, under lock."""

    def merge_inputs(self, request: HttpRequest, obj: Any) -> MergeInputs | None:
        """For subclasses: where a form is to open with a merge that is not saved yet."""
        return None

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = dict(extra_context or {})
        if request.method != "POST":
            return self._open(request, object_id, form_url, context)
        sent = request.POST
        try:
            with locking.write_transaction():
                response = self._save(request, object_id, form_url, context)
        except OperationalError as error:
            if not locking.is_busy(error):
                raise
            request.POST = sent
            return self._busy(request, object_id, form_url, context)
        if isinstance(response, UnsavedForm):
            return self._show(request, response)  # when others can write again
        if "adminform" not in (getattr(response, "context_data", None) or {}):
            autosave.confirm_saved(request, response)
        return response

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        row = context.get("original")
        can_change = self.has_change_permission(request, row) if row else self.has_add_permission(request)
        if row is not None and can_change and "form_token" not in context:
            formsets = [inline.formset for inline in context["inline_admin_formsets"] if inline.has_change_permission]
            state = FormSnapshot(context["adminform"].form, formsets).opened()
            context["form_token"] = FormToken(record_name(row), timezone.now(), state).signed
        context["is_autosaved"] = can_change
        context["draft_id"] = request.POST.get(autosave.DRAFT_ID, "")
        context.setdefault("is_unsaved", request.method == "POST")
        return super().render_change_form(request, context, *args, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.is_held = getattr(request, "is_held", False)
        return form

    # What happens to what was sent

    def _save(
        self, request: HttpRequest, object_id: str | None, form_url: str, context: dict[str, Any]
    ) -> HttpResponse | UnsavedForm:
        if object_id is None:
            if SHOW_MERGED in request.POST:
                return UnsavedForm(None, form_url, context, request.POST, ConflictNotice(_not_saved_yet(), 200))
            return super().changeform_view(request, object_id, form_url, context)
        row = self._locked(request, object_id)
        if row is None:
            return self._as_new(request, object_id, context)
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        sheet = self._sheet(request, row)
        sent, now = sheet.sent(request.POST), sheet.opened()
        opened = FormToken.read(request.POST.get("form_token", ""), record_name(row))
        still_open = apply_choices(opened.choices, sent, request.POST) if opened else []
        if opened and opened.state == now:
            merge = MergedForm(sent, [describe_choice(sheet, choice) for choice in still_open], still_open)
        else:
            numbers = [choice.number for choice in opened.choices] if opened else []
            merge = merge_forms(sheet, opened.state if opened else None, sent, now, max(numbers, default=0) + 1)
            asked_anew = {choice.place for choice in merge.choices}
            older = [choice for choice in still_open if choice.in_text or choice.place not in asked_anew]
            merge.choices[:0] = older
            merge.differences[:0] = [describe_choice(sheet, choice) for choice in older]
        context["form_token"] = FormToken(record_name(row), timezone.now(), now, merge.choices).signed
        notice = self._obstacle(request, row, opened, now, merge)
        if notice is not None:
            return UnsavedForm(object_id, form_url, context, sheet.write(merge.state, request.POST), notice)
        if opened and (opened.choices or opened.state != now):
            request.POST = sheet.write(merge.state, request.POST)  # type: ignore[assignment]
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        if opened and opened.state != now and response.status_code == 302:
            messages.info(request, _("It was brought together with what you saved in another window."))
        return response

    def _obstacle(
        self, request: HttpRequest, row: Any, opened: FormToken | None, now: FormState, merge: MergedForm
    ) -> ConflictNotice | None:
        """Why this is not saved as it came; None where nothing stands in the way."""
        told = ConflictNotice("", 409, merge.differences, merge.mine_alone, _("Yours"), _("Theirs"))
        if opened is None:
            said = _("This form does not say what it was opened with, so nobody can tell what you have changed.")
            return replace(told, said=said)
        if opened.state != now:
            others = saved_since(row, opened.at)
            only_mine = {saver.user for saver in others} == {request.user}
            if only_mine and not merge.choices and SHOW_MERGED not in request.POST:
                return None
            who = get_text_list([_describe_saver(saver, request.user) for saver in others], _("and"))
            return replace(told, said=_("This was changed while you had it open, by %(who)s.") % {"who": who})
        if merge.choices:
            return replace(told, said=_("Something is still to be chosen."))
        if SHOW_MERGED in request.POST:
            return replace(told, said=_not_saved_yet(), status=200)
        return None

    def _locked(self, request: HttpRequest, object_id: str) -> Any:
        """The record, which nobody else can change until the transaction ends; on SQLite nobody writes at all."""
        to_field = request.POST.get(TO_FIELD_VAR, request.GET.get(TO_FIELD_VAR))
        row = self.get_object(request, unquote(object_id), to_field)
        if row is None or not connection.features.has_select_for_update:
            return row
        self.model._base_manager.select_for_update().filter(pk=row.pk).first()
        for inline in self.get_inline_instances(request, row):
            formset: Any = inline.get_formset(request, row)
            list(inline.model._base_manager.select_for_update().filter(**{formset.fk.name: row}).values("pk"))
        return self.get_object(request, unquote(object_id), to_field)

    def _sheet(self, request: HttpRequest, row: Any) -> FormSnapshot:
        """The form of this row as it would be opened now; of a new one where there is none."""
        asked = copy(request)
        asked.method = "GET"
        fields = flatten_fieldsets(self.get_fieldsets(asked, row))
        form_class = self.get_form(asked, row, change=row is not None, fields=fields)
        form = form_class(instance=row) if row else form_class(initial=self.get_changeform_initial_data(asked))
        formsets, inlines = self._create_formsets(asked, form.instance, change=row is not None)  # type: ignore[attr-defined]
        pairs = zip(formsets, inlines, strict=True)
        return FormSnapshot(form, [formset for formset, inline in pairs if inline.has_change_permission(asked, row)])

    # Showing the form with what is not saved

    def _show(self, request: HttpRequest, unsaved: UnsavedForm) -> HttpResponse:
        again = copy(request)
        again.method = "POST"
        _files = again.FILES  # Django reads both at once, and would read over what is put here
        again.POST = unsaved.data  # type: ignore[assignment]
        again.is_held = True  # type: ignore[attr-defined]
        # without Django's own transaction around it: where the database is busy, none can be begun
        view: Any = self._changeform_view  # type: ignore[attr-defined]
        context = {**unsaved.context, "notice": unsaved.notice}
        response: HttpResponse = view(again, unsaved.object_id, unsaved.form_url, context)
        response.status_code = unsaved.notice.status
        return response

    def _open(
        self, request: HttpRequest, object_id: str | None, form_url: str, context: dict[str, Any]
    ) -> HttpResponse:
        row: Any = self.get_object(request, unquote(object_id)) if object_id and request.GET else None
        together = self.merge_inputs(request, row) if row and self.has_change_permission(request, row) else None
        if together is None:
            return super().changeform_view(request, object_id, form_url, context)
        sheet = self._sheet(request, row)
        now = sheet.opened()
        versions = (together.base, together.mine, together.theirs)
        base, mine, theirs = (FormState(self._sheet(request, one).opened().fields) if one else None for one in versions)
        merge = merge_forms(FormSnapshot(sheet.form), base, mine or now, theirs or now)
        state = FormState(merge.state.fields, now.rows)
        context["form_token"] = FormToken(record_name(row), timezone.now(), now, merge.choices).signed
        context["is_unsaved"] = False  # nobody has typed anything
        notice = ConflictNotice(
            together.said, 200, merge.differences, merge.mine_alone, together.mine_are, together.theirs_are
        )
        data = sheet.write(state, QueryDict(mutable=True))
        return self._show(request, UnsavedForm(object_id, form_url, context, data, notice))

    def _as_new(self, request: HttpRequest, object_id: str, context: dict[str, Any]) -> HttpResponse | UnsavedForm:
        """The record was deleted: what was typed can be saved as another one, by whoever may add one."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        said = _("This was deleted while you had it open. What you typed is here, not saved.")
        if not self.has_add_permission(request):
            return self._show_plainly(request, said, 409)
        sheet = self._sheet(request, None)
        sent, state = sheet.sent(request.POST), sheet.opened()
        opened = FormToken.read(request.POST.get("form_token", ""), f"{self.opts.label_lower} {unquote(object_id)}")
        asked = opened.state.fields if opened else sent.fields  # an empty form may ask for more
        state.fields |= {name: value for name, value in sent.fields.items() if name in asked}
        state.rows = {
            prefix: {f"+{key}": row for key, row in rows.items() if not row.get("DELETE")}
            for prefix, rows in sent.rows.items()
        }
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_add")
        notice = ConflictNotice(f"{said} {_('Save it to make it a new record.')}")
        return UnsavedForm(None, address, context, sheet.write(state, request.POST), notice)

    def _busy(
        self, request: HttpRequest, object_id: str | None, form_url: str, context: dict[str, Any]
    ) -> HttpResponse:
        said = _("The database is busy. Nothing was saved; press Save again.")
        chosen = [(name, str(value)) for name, value in request.POST.items() if name.startswith("choice-")]
        context |= {"form_token": request.POST.get("form_token", ""), "is_busy": True}
        notice = ConflictNotice(said, 503, carried=chosen)
        try:
            with locking.nowait():
                return self._show(request, UnsavedForm(object_id, form_url, context, request.POST, notice))
        except OperationalError:
            return self._show_plainly(request, said, 503)

    def _show_plainly(self, request: HttpRequest, said: str, status: int) -> HttpResponse:
        """All that was typed, on a page that needs nothing else."""
        sent = [(name, value) for name, values in request.POST.lists() for value in values]
        ours = re.compile(r"_|csrf|form_token$|draft_id$|choice-|.*_FORMS$|.*__prefix__")
        context = {
            **self.admin_site.each_context(request),
            "title": self.opts.verbose_name,
            "said": said,
            "sent": [(name, value) for name, value in sent if name != "csrfmiddlewaretoken"],
            "typed": [(name, value) for name, value in sent if value and not ours.match(name)],
            "can_send_again": status == 503,
        }
        return render(request, "editor/typed.html", context, status=status)


def _not_saved_yet() -> str:
    return _("This is not saved yet. Look through it, then save it.")


def _describe_saver(saver: Saver, user: Any) -> str:
    if saver.user is None:
        name = _("somebody outside of the desk")
    elif saver.user == user:
        name = _("you in another window")
    else:
        name = saver.user.get_full_name() or saver.user.get_username()
    return f"{name} ({_moment(saver.at)})" if saver.at else name


def _moment(at: Any) -> str:
    local = timezone.localtime(at)
    return formats.date_format(local, "H:i" if local.date() == timezone.localdate() else "j F Y, H:i")
