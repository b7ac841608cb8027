"""A record that is missing, added beside the form of another: in a dialog, or without scripts on a page of its own."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from rlm_site.editor.concurrency import locking
from rlm_site.editor.features import Feature, registered_admins
from rlm_site.indexing import queue

PREFIX = "new"  # of the fields, which stand on one page with those of the other form
SEEN = "seen"  # the records that are alike and were shown before


class Offer(NamedTuple):
    """A record that the form beside may take: by its key, or by a text that is typed there."""

    pk: int
    label: str
    detail: str = ""
    text: str = ""


class AddRecord(Feature):
    """Adds records of another kind from the form of this kind, for whoever may write records of this kind."""

    adds: type[Model]
    name: str  # of the address
    fields: Sequence[str]
    identified_by: str  # the last of the fields that tell which record is meant; below it stand those that are alike
    title: str | Promise
    remark: str | Promise = ""  # what else is to be known

    def urls(self) -> list[URLPattern]:
        return [
            self.path(f"{self.name}/add/", self.add_view, f"add_{self.name}"),
            self.path(f"{self.name}/near/", self.near_view, f"near_{self.name}"),
        ]

    def find_near(self, typed: Mapping[str, str]) -> list[Offer]:
        """Return the records that may be the one that is typed. A fixed number of queries."""
        raise NotImplementedError

    def offer(self, row: Any) -> Offer:
        """Return how the form beside takes this record."""
        raise NotImplementedError

    def told_of(self, typed: Mapping[str, str]) -> str:
        """Return what else is said of what is typed, such as a key that is proposed."""
        return ""

    def prepare(self, request: HttpRequest, row: Any) -> None:
        """Complete a record before it is saved."""

    def add_view(self, request: HttpRequest) -> HttpResponse:
        self._require_right(request)
        model_admin: Any = registered_admins(self.admin_site)[self.adds]
        form_class = model_admin.get_form(request, fields=list(self.fields))
        form = form_class(request.POST if request.method == "POST" else None, prefix=PREFIX)
        near: list[Offer] = []
        if request.method == "POST":
            near = self.find_near(self._typed(request))
            seen = {*request.POST.get(SEEN, "").split()}
            if form.is_valid() and {str(offer.pk) for offer in near} <= seen:
                try:
                    added = self._save(request, form, model_admin)
                except OperationalError as error:
                    if not locking.is_busy(error):
                        raise
                    messages.error(request, _("The database is busy. Nothing was saved. Please try again."))
                else:
                    return HttpResponseRedirect(f"{request.path}?added={added.pk}")
        key = request.GET.get("added", "")
        is_key = key.isascii() and key.isdigit() and len(key) < 19
        row = self.adds._default_manager.filter(pk=int(key)).first() if is_key else None
        context = {
            **self.admin_site.each_context(request),
            "title": self.title,
            "remark": self.remark,
            "opts": self.opts,
            "form": form,
            "near": near,
            "identified_by": self.identified_by,
            "told": self.told_of(self._typed(request)),
            "near_address": self.url(f"near_{self.name}"),
            "added": self.offer(row) if row else None,
            "media": form.media,
        }
        return render(request, "editor/add_record.html", context)

    def near_view(self, request: HttpRequest) -> HttpResponse:
        self._require_right(request)
        typed = self._typed(request)
        context = {"near": self.find_near(typed), "told": self.told_of(typed)}
        return render(request, "editor/_near_records.html", context)

    def _require_right(self, request: HttpRequest) -> None:
        user: Any = request.user
        if not self.admin.has_add_permission(request) and not user.has_perm(self._right("change", self.opts)):
            raise PermissionDenied

    @staticmethod
    def _right(act: str, opts: Any) -> str:
        return f"{opts.app_label}.{act}_{opts.model_name}"

    def may_confirm(self, request: HttpRequest) -> bool:
        """Return whether this person may add such records by any other way too."""
        user: Any = request.user
        return bool(user.has_perm(self._right("add", self.adds._meta)))

    @staticmethod
    def _typed(request: HttpRequest) -> dict[str, str]:
        begin = f"{PREFIX}-"
        return {
            name.removeprefix(begin): " ".join(str(value).replace("\0", "").split())[:500]
            for name, value in request.POST.items()
            if name.startswith(begin)
        }

    def _save(self, request: HttpRequest, form: Any, model_admin: Any) -> Any:
        with locking.write_transaction():
            row = form.save(commit=False)
            self.prepare(request, row)
            row.save()
            queue.process_queue()
            model_admin.log_addition(request, row, [{"added": {}}])
        return row


def best(offers: Iterable[tuple[Any, Offer]], most: int = 5) -> list[Offer]:
    """Return the offers with the smallest ranks."""
    return [offer for _rank, offer in sorted(offers, key=lambda pair: (pair[0], pair[1].pk))[:most]]
