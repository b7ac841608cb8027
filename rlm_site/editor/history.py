"""The history of a record: its versions, any two of them compared, and an old one restored as a draft."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import OperationalError, models
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import formats, timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rlm_site import turns
from rlm_site.editor.concurrency import locking
from rlm_site.editor.features import Feature
from rlm_site.history import diff, revisions
from rlm_site.history.drafts import Draft
from rlm_site.history.models import Revision
from rlm_site.history.revisions import Content
from rlm_site.indexing import queue
from rlm_site.publishing import permissions
from rlm_site.publishing.models import Publishable
from rlm_site.tags import manager

PER_PAGE = 50


class RestoreForm(forms.Form):
    seen = forms.IntegerField(widget=forms.HiddenInput)  # the newest revision that the page was made of
    comment = forms.CharField(
        label=gettext_lazy("Comment for editors"),
        required=False,
        max_length=900,
        widget=forms.TextInput(attrs={"class": "vLargeTextField", "autocomplete": "off"}),
        help_text=gettext_lazy("Why you are restoring the old version. Saved in the history."),
    )


class HistoryPages(Feature):
    """The versions of a record. Whoever sees the record sees its history; whoever may change it may restore one.

    Restoring saves the old text as a draft: readers see it when it is published.
    """

    def urls(self) -> list[URLPattern]:
        return [
            self.path("<int:pk>/history/compare/", self.compare_view, "compare"),
            self.path("<int:pk>/history/<int:number>/preview/", self.version_view, "version"),
            self.path("<int:pk>/history/<int:number>/restore/", self.restore_view, "restore"),
        ]

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        row = self._row(request, unquote(object_id))
        newest = (
            row.revisions.all().select_related("author", "imported").defer("content", "standing").order_by("-number")
        )
        page = Paginator(newest, PER_PAGE).get_page(request.GET.get("page"))
        current = self._current(row)
        can_change = permissions.can_write_draft(request.user, row)
        versions = [
            {
                "revision": revision,
                "current": current is not None and revision.number == current.number,
                "preview": self.url("version", row.pk, revision.number) if self.admin.previews_versions else "",
            }
            for revision in page
        ]
        context = self._context(request, row, _("History")) | {
            "page": page,
            "versions": versions,
            "can_restore": can_change,
            "compare": self.url("compare", row.pk),
        }
        return TemplateResponse(request, "editor/history.html", context | (extra_context or {}))

    def version_view(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        row = self._row(request, str(pk))
        revision = row.revisions.filter(number=number).first()
        if revision is None:
            raise Http404(_("There is no such version."))
        return self.admin.preview(request, Draft.at(row, revision))

    @turns.long_view
    def compare_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self._row(request, str(pk))
        last = row.revisions.aggregate(last=Max("number"))["last"] or 0
        older, newer = sorted((self._number(request, "from", last - 1), self._number(request, "to", last)))
        found = row.revisions.filter(number__in={older, newer}).select_related("author", "imported")
        by_number = {revision.number: revision for revision in found}
        if by_number.keys() != {older, newer}:
            raise Http404(_("There is no such version."))
        before, after = by_number[older], by_number[newer]
        context = self._context(
            request, row, _("Compare versions %(older)s and %(newer)s") % {"older": older, "newer": newer}
        )
        context |= {
            "before": before,
            "after": after,
            "sides": [before, after],
            "before_label": _("Version %(number)s") % {"number": older},
            "after_label": _("Version %(number)s") % {"number": newer},
            "last": last,
            "differences": diff.differences(self.model, _everything(before), _everything(after)),
            "can_restore": permissions.can_write_draft(request.user, row),
        }
        return TemplateResponse(request, "editor/compare.html", context)

    def restore_view(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """Show what restoring an old version would change, and save it as the working copy."""
        refused = ""
        form = RestoreForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                with locking.write_transaction():
                    row, revision = self._to_restore(request, pk, number, lock=True)
                    refused = self._restore(row, revision, request.user, **form.cleaned_data)
            except ValidationError as error:
                refused = " ".join(error.messages)
            except OperationalError as error:
                if not locking.is_busy(error):
                    raise
                refused = _("The database is busy. Nothing was changed. Please try again.")
            if not refused:
                return self._restored(request, row, number)
        row, revision = self._to_restore(request, pk, number)
        now = _text_now(row)
        content, kept = _with_text_of(row, revision, now)
        if not form.errors:
            seen = row.revisions.aggregate(newest=Max("number"))["newest"]
            form = RestoreForm(initial={"comment": request.POST.get("comment", ""), "seen": seen})
        context = self._context(request, row, _("Restore version %(number)s") % {"number": number}) | {
            "revision": revision,
            "form": form,
            "refused": refused,
            "kept": kept,
            "differences": diff.differences(self.model, now, content),
        }
        return TemplateResponse(request, "editor/restore.html", context, status=409 if refused else 200)

    def _to_restore(
        self, request: HttpRequest, pk: int, number: int, lock: bool = False
    ) -> tuple[Publishable, Revision]:
        rows = self.model._default_manager.filter(pk=pk)
        row = (rows.select_for_update(of=("self",)) if lock else rows).first()
        revision = row.revisions.select_related("author", "imported").filter(number=number).first() if row else None
        if row is None or revision is None:
            raise Http404(_("There is no such version."))
        if not permissions.can_write_draft(request.user, row):
            raise PermissionDenied
        revisions.record_external_changes(row)
        return row, revision

    def _restore(self, row: Publishable, revision: Revision, author: Any, seen: int, comment: str) -> str:
        """Save the version as the working copy; return why not, or nothing."""
        newest = row.revisions.select_related("author").order_by("-number")[0]
        if seen != newest.number:
            return _(
                "%(name)s saved version %(number)s on %(time)s, after you opened this page. Check it, then try again."
            ) % {
                "name": newest.author or _("Another program"),
                "number": newest.number,
                "time": formats.date_format(timezone.localtime(newest.created), "j F Y, H:i"),
            }
        now = _text_now(row)
        content, _kept = _with_text_of(row, revision, now)
        if content == now:
            return _("The current text is the same. There is nothing to restore.")
        restored = _("Restored version %(number)s.") % {"number": revision.number}
        revisions.save_draft(row, content, author=author, comment=f"{restored} {comment}".strip())
        queue.process_queue()
        return ""

    def _restored(self, request: HttpRequest, row: Publishable, number: int) -> HttpResponse:
        said = _("Version %(number)s of “%(title)s” was restored as a draft.") % {"number": number, "title": row}
        readers = _("Readers still see the published text.") if row.published else _("Readers cannot see it yet.")
        messages.success(request, f"{said} {readers}")
        return HttpResponseRedirect(self.url("change", row.pk))

    def _row(self, request: HttpRequest, object_id: str) -> Any:
        if not self.admin.has_view_or_change_permission(request):
            raise PermissionDenied
        row = self.admin.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.admin.has_view_or_change_permission(request, row):
            raise PermissionDenied
        return row

    def _current(self, row: Publishable) -> Revision | None:
        """Return the revision that the form shows."""
        return revisions.working_copy(row) or revisions.published_revision(row)

    def _number(self, request: HttpRequest, name: str, default: int) -> int:
        given = request.GET.get(name, "")
        if not given:
            return max(default, 1)
        if not (given.isascii() and given.isdigit() and len(given) < 10):
            raise Http404(_("There is no such version."))
        return int(given)

    def _context(self, request: HttpRequest, row: Any, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "subtitle": str(row),
            "original": row,
            "object_id": row.pk,
            "opts": self.opts,
        }


def _everything(revision: Revision) -> Content:
    return {**revision.content, **revision.standing}


def _text_now(row: Publishable) -> Content:
    """Return the content that the form shows: of the working copy where there is one."""
    content = revisions.content_of(row)
    copy = revisions.working_copy(row)
    return _with(content, copy) if copy else content


def _with(content: Content, revision: Revision) -> Content:
    """Return the content with that of a revision over it; tags have their current names."""
    content = content | {name: value for name, value in revision.content.items() if name in content}
    return content | {"tags": manager.current_names(content["tags"])} if "tags" in content else content


def _with_text_of(row: Publishable, revision: Revision, now: Content) -> tuple[Content, list[str]]:
    """Return the content as it was, and the labels of fields that keep their value: what they named is gone."""
    content, kept = _with(now, revision), []
    for name in row.versioned_fields:
        column = row._meta.get_field(name)
        if isinstance(column, models.ForeignKey) and content[name] != now[name] and content[name] is not None:
            others: Any = column.related_model
            if not others._default_manager.filter(pk=content[name]).exists():
                content[name] = now[name]
                kept.append(capfirst(str(column.verbose_name)))
    return content, kept
