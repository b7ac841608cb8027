"""Base classes of the admin's pages of content: finding, saving and deleting, with derived data always true."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import NestedObjects
from django.contrib.admin.utils import quote as quote_key
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, models, router, transaction
from django.db.models import QuerySet
from django.forms import Script
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from taggit.managers import TaggableManager

from rlm_site.editor.concurrency import locking, presence, row_versions
from rlm_site.editor.concurrency.mixin import OptimisticLockingMixin
from rlm_site.editor.forms import Autocomplete, ContentForm, RowForm, TagsField, TextField
from rlm_site.editor.trash import offer_recovery
from rlm_site.editor.widgets import TagsInput
from rlm_site.history import trash
from rlm_site.indexing import queue

MOST_LISTED = 50  # of the objects that a deletion takes along or that stand in its way


FIELDS: Any = {
    models.TextField: {"form_class": TextField, "widget": AdminTextareaWidget},
    models.URLField: {"assume_scheme": "https"},
}


def case_variants(words: str) -> list[str]:
    """As typed, and in each case: SQLite knows upper and lower case of ASCII letters only."""
    if words.isascii():
        return [words]
    return list(dict.fromkeys([words, words.lower(), words.upper(), words.capitalize(), words.title()]))


class AutocompleteMixin:
    """For model admins and inlines: autocompletes that cost no query a row."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):  # type: ignore[attr-defined]
            kwargs["widget"] = Autocomplete(db_field, self.admin_site, using=kwargs.get("using"))  # type: ignore[attr-defined]
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


class ContentTabularInline(AutocompleteMixin, admin.TabularInline):
    form = RowForm
    extra = 0
    formfield_overrides = FIELDS


class ContentStackedInline(AutocompleteMixin, admin.StackedInline):
    form = ContentForm
    extra = 0
    formfield_overrides = FIELDS


class ContentAdmin(AutocompleteMixin, OptimisticLockingMixin, admin.ModelAdmin):
    """Derived data is made anew in the transaction of every save and deletion, so that readers see it at once."""

    form = ContentForm
    list_per_page = 50
    show_full_result_count = False
    formfield_overrides = FIELDS

    class Media:
        js = [
            Script("js/editing.js", defer=True),
            Script("js/autosave.js", defer=True),
            Script("js/presence.js", defer=True),
        ]

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.presence_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_presence"
        return [path("<int:pk>/presence/", view, name=name), *super().get_urls()]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, TaggableManager):
            kwargs |= {
                "form_class": TagsField,
                "widget": TagsInput(attrs={"class": "vLargeTextField"}),
                "help_text": _("With commas between them: free software, exile. Quotes keep a comma inside a tag."),
            }
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    # Finding

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        rows, duplicates = super().get_search_results(request, queryset, search_term)
        for spelling in case_variants(search_term)[1:]:
            more, more_duplicates = super().get_search_results(request, queryset, spelling)
            rows, duplicates = rows | more, duplicates or more_duplicates
        return rows, duplicates

    def get_view_on_site_url(self, obj: Any = None) -> str | None:
        """Only where readers find it too."""
        if obj is None or not hasattr(obj, "get_absolute_url") or not self.is_public(obj):
            return None
        return str(obj.get_absolute_url())

    def is_public(self, obj: Any) -> bool:
        return True

    # With others at the same time

    def presence_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The browser says that it has the form open, and is told who else has."""
        row: Any = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        return presence.presence_response(request, row)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        row = context.get("original")
        if row is not None and self.has_change_permission(request, row):
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_presence"
            context["presence_address"] = reverse(name, args=[row.pk])
        return super().render_change_form(request, context, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        try:
            response: HttpResponse = super().changelist_view(request, extra_context)
        except OperationalError as error:
            if request.method != "POST" or not locking.is_busy(error):
                raise
            messages.error(request, _("The database is busy. Nothing was changed; try again."))
            return HttpResponseRedirect(request.get_full_path())
        context = getattr(response, "context_data", None) or {}
        if "cl" in context and "seen" not in context:
            keys = [row.pk for row in context["cl"].result_list]
            context["seen"] = row_versions.sign(
                row_versions.etags_of_keys(self.model, keys), row_versions.content_etag()
            )
        return response

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *args: Any) -> HttpResponse | None:
        with locking.write_transaction():
            if "post" not in request.POST and (refused := self._refused(request, queryset)):
                messages.error(request, refused)
                return HttpResponseRedirect(request.get_full_path())
            return super().response_action(request, queryset, *args)

    def _refused(self, request: HttpRequest, queryset: QuerySet[Any]) -> str:
        """Why nothing is done with the rows that were chosen in a list: they are not as it showed them."""
        seen, mark = row_versions.unsign(request.POST.get(row_versions.ETAGS_FIELD, ""))
        if request.POST.get("select_across") == "1":
            if mark == row_versions.content_etag():
                return ""
            return _("Something was changed since this list was opened. Nothing was done; choose again.")
        chosen = queryset.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME))
        changed = row_versions.changed_rows(chosen, seen)
        if not changed:
            return ""
        return _("Changed since this list was opened: %(rows)s. Nothing was done; look at them, then choose again.") % {
            "rows": ", ".join(f"“{row}”" for row in changed[:MOST_LISTED])
        }

    # Saving

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change or self.changed_fields(form):
            super().save_model(request, obj, form, change)

    def changed_fields(self, form: Any) -> list[str]:
        """Fields of the row that were changed, without those that only the form has."""
        names = {field.name for field in [*self.opts.fields, *self.opts.many_to_many, *self.opts.private_fields]}
        return [name for name in form.changed_data if name in names]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        self.record_history(request, form, formsets, change)
        queue.process_queue()

    def record_history(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """For what has a history."""

    # Deleting

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        if request.method != "POST":
            return super().delete_view(request, object_id, extra_context)
        try:
            with locking.write_transaction():
                response: HttpResponse = super().delete_view(request, object_id, extra_context)
        except OperationalError as error:
            if not locking.is_busy(error):
                raise
            messages.error(request, _("The database is busy. Nothing was deleted; try again."))
            return HttpResponseRedirect(request.get_full_path())
        if hasattr(request, "changed_meanwhile"):
            response.status_code = 409
        return response

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        author: Any = request.user
        deletions = trash.move_to_trash([obj], author)
        super().delete_model(request, obj)
        queue.process_queue()
        offer_recovery(request, deletions)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        author: Any = request.user
        deletions = trash.move_to_trash(queryset, author)
        super().delete_queryset(request, queryset)
        queue.process_queue()
        offer_recovery(request, deletions)

    def get_deleted_objects(
        self, objs: QuerySet[Any] | Sequence[Any], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """As Django's, in a fixed number of queries: it names what has a page in the admin, and not too many of it.

        What was changed since the page that asked for confirmation was opened stands in the way.
        """
        collector = NestedObjects(using=router.db_for_write(self.model), origin=objs)
        collector.collect(objs)
        collected: Any = collector.model_objs
        found: dict[type[models.Model], list[Any]] = {
            model: sorted(row.pk for row in rows) for model, rows in collected.items()
        }
        forbidden = {
            str(model._meta.verbose_name)
            for model in found
            if (model_admin := self.admin_site._registry.get(model)) and not model_admin.has_delete_permission(request)
        }
        in_the_way: dict[type[models.Model], list[Any]] = defaultdict(list)
        for row in collector.protected:
            in_the_way[type(row)].append(row.pk)
        counts = {str(model._meta.verbose_name_plural): len(ids) for model, ids in found.items()}
        protected = self._named(in_the_way, request) or self._changed_since_confirmation(
            request, [row for rows in collected.values() for row in rows]
        )
        return self._named(found, request), counts, forbidden, protected

    def _changed_since_confirmation(self, request: HttpRequest, rows: list[models.Model]) -> list[str]:
        asked: Any = request  # the templates of the two pages know nothing else of ours
        if "post" not in request.POST:
            asked.seen = row_versions.sign(row_versions.etags_of(rows))
            return []
        seen, _mark = row_versions.unsign(request.POST.get(row_versions.ETAGS_FIELD, ""))
        changed = [f"{capfirst(str(row._meta.verbose_name))}: {row}" for row in row_versions.changed_rows(rows, seen)]
        if changed:
            asked.changed_meanwhile = changed[:MOST_LISTED]
        return changed

    def _named(self, found: dict[type[models.Model], list[Any]], request: HttpRequest) -> list[str]:
        lines: list[str] = []
        for model, ids in found.items():
            kind = capfirst(str(model._meta.verbose_name))
            model_admin = self.admin_site._registry.get(model)
            if model_admin is None:
                continue
            rows = model_admin.get_queryset(request).filter(pk__in=ids[:MOST_LISTED])
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
            for row in rows:
                lines.append(format_html('{}: <a href="{}">{}</a>', kind, reverse(name, args=[quote_key(row.pk)]), row))
            if len(ids) > MOST_LISTED:
                lines.append(_("%(kind)s: %(count)s more") % {"kind": kind, "count": len(ids) - MOST_LISTED})
        return lines
