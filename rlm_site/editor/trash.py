"""Deleted records, and their recovery."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError
from django.db.models import F, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rlm_site.editor import addresses
from rlm_site.editor.concurrency import locking
from rlm_site.editor.features import registered_admins
from rlm_site.history import trash
from rlm_site.history.models import Deletion
from rlm_site.publishing import permissions

MOST_LISTED = 50  # of the rows that cannot come back


class RecoveryForm(forms.Form):
    """Asks about the addresses that the recovered records take, if any."""

    def __init__(self, *args: Any, taken: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        addresses.ask_about(self, taken)


def offer_recovery(request: HttpRequest, deletions: Sequence[Deletion]) -> None:
    """Offer to recover what was just deleted."""
    if len(deletions) == 1:
        address = reverse("admin:rlm_site_deletion_change", args=[deletions[0].pk])
    else:
        address = reverse("admin:rlm_site_deletion_changelist")
    messages.info(
        request, format_html('{} <a href="{}">{}</a>', _("You can undo the deletion:"), address, _("Restore…"))
    )


class RecoveryAdmin(admin.ModelAdmin):
    """A list of deletions, and a page for each that says what is in it and what is in the way, and recovers it."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        kinds = ContentType.objects.get_for_models(*self._deletable(request)).values()
        return self._all(request).filter(content_type__in=kinds)

    def _all(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(counts=F("rows__counts")).defer("rows")

    def _deletable(self, request: HttpRequest) -> list[type[Model]]:
        registry = registered_admins(self.admin_site).items()
        return [
            model for model, its_admin in registry if model is not Deletion and its_admin.has_delete_permission(request)
        ]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether somebody may delete this kind of record, and so recover it."""
        kinds = self._deletable(request)
        return bool(kinds) if obj is None else obj.content_type.model_class() in kinds

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    # The list

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("Deleted records"), **(extra_context or {})})

    @admin.display(description=gettext_lazy("kind"), ordering="content_type")
    def kind(self, obj: Deletion) -> str:
        return capfirst(obj.content_type.name)

    @admin.display(description=gettext_lazy("contents"))
    def contents(self, obj: Any) -> str:
        return ", ".join(trash.describe_contents(obj.counts))

    @admin.display(description=gettext_lazy("deleted"), ordering="created")
    def when(self, obj: Deletion) -> str:
        return formats.date_format(timezone.localtime(obj.created), "j M Y, H:i")

    @admin.display(description=gettext_lazy("restored"), ordering="recovered")
    def standing(self, obj: Deletion) -> str:
        if obj.recovered is None:
            return format_html('<a href="{}">{}</a>', self._address(obj), _("Restore…"))
        return _("%(date)s, by %(name)s") % {
            "date": formats.date_format(timezone.localtime(obj.recovered), "j M Y"),
            "name": obj.recovered_by or _("somebody whose account was deleted"),
        }

    # One deletion

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        key = unquote(object_id)
        deletion: Any = self.get_queryset(request).filter(pk=key).first() if key.isascii() and key.isdigit() else None
        if deletion is None:
            raise Http404
        planned = trash.plan_recovery(deletion) if deletion.recovered is None else trash.RecoveryPlan(None)
        can_publish = all(permissions.can_publish(request.user, model) for model in planned.published())
        form = RecoveryForm(
            request.POST if request.method == "POST" else None,
            taken=addresses.addresses_taken_by(planned.found_by_readers(timezone.now())),
        )
        status, errors = 200, []
        if request.method == "POST" and not can_publish:
            raise PermissionDenied
        if form.is_bound and not form.is_valid():
            status = 409
        elif form.is_bound:
            author: Any = request.user
            try:
                with locking.write_transaction():
                    row = trash.recover(deletion, author, without_lost="without_lost" in request.POST)
            except ValidationError as error:
                status, errors = 409, error.messages
            except OperationalError as error:
                if not locking.is_busy(error):
                    raise
                status, errors = 409, [_("The database is busy. Nothing was changed. Please try again.")]
            else:
                return self._recovered(request, deletion, row)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Restored") if deletion.recovered else _("Restore"),
            "subtitle": deletion.title,
            "opts": self.opts,
            "deletion": deletion,
            "form": form,
            "contents": trash.describe_contents(deletion.counts),
            "obstacles": [(obstacle, self._address(obstacle.other)) for obstacle in planned.obstacles],
            "lost": [(obstacle, self._address(obstacle.other)) for obstacle in planned.lost[:MOST_LISTED]],
            "more_lost": max(len(planned.lost) - MOST_LISTED, 0),
            "errors": errors,
            "readers_see_it": bool(planned.published()),
            "can_publish": can_publish,
        }
        return TemplateResponse(request, "editor/recover.html", context, status=status)

    def _recovered(self, request: HttpRequest, deletion: Deletion, row: Model) -> HttpResponse:
        said = format_html(
            '{} <a href="{}">{}</a>',
            _("“%(title)s” was restored.") % {"title": deletion.title},
            self._address(row),
            _("Open it"),
        )
        messages.success(request, said)
        return HttpResponseRedirect(reverse("admin:rlm_site_deletion_changelist"))

    def _address(self, row: Any) -> str:
        """Return the address of its page in the admin, if it has one."""
        if row is None:
            return ""
        try:
            return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        except NoReverseMatch:
            return ""
