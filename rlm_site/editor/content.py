"""The base class of all admins of content: finding, saving and deleting."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.utils import NestedObjects
from django.contrib.admin.utils import quote as quote_key
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, models, router, transaction
from django.db.models import QuerySet
from django.forms import Script
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from taggit.managers import TaggableManager

from rlm_site.editor.backlinks import NO_LINKS, BacklinksPanel, backlinks_of
from rlm_site.editor.concurrency import locking, row_versions
from rlm_site.editor.concurrency.change_form import OptimisticLockingMixin
from rlm_site.editor.concurrency.presence import PresencePanel
from rlm_site.editor.content_warnings import check_encoding
from rlm_site.editor.features import Feature, registered_admins
from rlm_site.editor.forms import Autocomplete, ContentForm, RowForm, TagsField, TextField
from rlm_site.editor.languages import LanguageSelect
from rlm_site.editor.trash import offer_recovery
from rlm_site.editor.widgets import TagsInput
from rlm_site.fields import LanguageField
from rlm_site.history import trash
from rlm_site.indexing import queue
from rlm_site.publishing import permissions, visibility
from rlm_site.publishing.models import Publishable

F = TypeVar("F", bound=Feature)

MOST_LISTED = 50  # of the objects that a deletion takes along or that stand in its way


FIELDS: Any = {
    models.TextField: {"form_class": TextField, "widget": AdminTextareaWidget},
    models.URLField: {"assume_scheme": "https"},
    LanguageField: {"widget": LanguageSelect},
}


def case_variants(words: str) -> list[str]:
    """Return the words as typed and in each case: SQLite folds ASCII letters only."""
    if words.isascii():
        return [words]
    return list(dict.fromkeys([words, words.lower(), words.upper(), words.capitalize(), words.title()]))


class AutocompleteMixin:
    """Autocompletes that cost no query a row, for admins and inlines."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):  # type: ignore[attr-defined]
            kwargs["widget"] = Autocomplete(db_field, self.admin_site, using=kwargs.get("using"))  # type: ignore[attr-defined]
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet[Any] | None:
        """Leave out what somebody may not read from the records that a field may name."""
        rows: QuerySet[Any] | None = super().get_field_queryset(db, db_field, request)  # type: ignore[misc]
        if not issubclass(db_field.related_model, Publishable):
            return rows
        rows = db_field.related_model._default_manager.all() if rows is None else rows
        return permissions.readable(request.user, rows, timezone.now())


def _with_questions(fields: Iterable[Any], questions: dict[str, str]) -> Iterator[Any]:
    for name in fields:
        yield name
        if name in questions:
            yield questions[name]


class ContentTabularInline(AutocompleteMixin, admin.TabularInline):
    form = RowForm
    extra = 0
    formfield_overrides = FIELDS


class ContentStackedInline(AutocompleteMixin, admin.StackedInline):
    form = ContentForm
    extra = 0
    formfield_overrides = FIELDS


class DeletedObjects(list[str]):
    """Lines that name what a deletion takes along, for the two pages that ask for confirmation."""

    etags = ""  # of the rows, signed, as the page shows them
    backlinks = NO_LINKS  # which will lead nowhere
    changed: Sequence[str] = ()  # rows that are not as the page that was confirmed showed them


class ContentAdmin(AutocompleteMixin, OptimisticLockingMixin):
    """The admin of content: indexes are updated in the transaction of every save, so that readers see it at once."""

    form = ContentForm
    list_per_page = 50
    show_full_result_count = False
    formfield_overrides = FIELDS
    features: tuple[type[Feature], ...] = (PresencePanel, BacklinksPanel)
    bulk_acts: Sequence[Any] = ()  # of an admin that has the feature `BulkActs`

    class Media:
        js = [
            Script("js/editing.js", defer=True),
            Script("js/autosave.js", defer=True),
            Script("js/presence.js", defer=True),
        ]

    def __init__(self, model: type[models.Model], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        self._features = {feature: feature(self) for feature in self.features}

    def feature(self, kind: type[F]) -> F:
        """Return the part of this kind; raises KeyError where the admin has none."""
        found: Any = self._features[kind]
        return found

    def has_feature(self, kind: type[Feature]) -> bool:
        return kind in self._features

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = dict(super().get_actions(request))
        if IS_POPUP_VAR not in request.GET:
            for feature in self._features.values():
                actions = feature.actions(request) | actions
        return actions

    def rows_beside(self, request: HttpRequest, key: str) -> QuerySet[Any] | None:
        """Return the record of a key with those that are reviewed and published with it; None where there are none."""
        return None

    def get_urls(self) -> list[Any]:
        return [*(url for feature in self._features.values() for url in feature.urls()), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        for feature in self._features.values():
            context |= feature.form_context(request, context)
        return super().render_change_form(request, context, *args, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, TaggableManager):
            kwargs |= {
                "form_class": TagsField,
                "widget": TagsInput(attrs={"class": "vLargeTextField"}),
                "help_text": _(
                    "Separate tags with commas: free software, exile. Put a tag with a comma in quotation marks."
                ),
            }
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Put each question of the form below the field that it is about."""
        fieldsets = super().get_fieldsets(request, obj)
        questions = self.form.questions if issubclass(self.form, ContentForm) else {}
        if not questions or not self._can_save(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": [*_with_questions(options["fields"], questions)]})
            for title, options in fieldsets
        ]

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
        """Return its address where readers find it too."""
        if obj is None or not hasattr(obj, "get_absolute_url") or not self.is_public(obj):
            return None
        return str(obj.get_absolute_url())

    def is_public(self, obj: Any) -> bool:
        return visibility.is_found_by_readers(obj, timezone.now())

    # Lists

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        try:
            for feature in self._features.values():
                extra_context = feature.list_context(request) | (extra_context or {})
            response: HttpResponse = super().changelist_view(request, extra_context)
        except OperationalError as error:
            if request.method != "POST" or not locking.is_busy(error):
                raise
            messages.error(request, _("The database is busy. Nothing was changed. Please try again."))
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
        """Return why nothing is done with the rows chosen in a list: they are not as it showed them."""
        seen, mark = row_versions.unsign(request.POST.get(row_versions.ETAGS_FIELD, ""))
        if request.POST.get("select_across") == "1":
            if mark == row_versions.content_etag():
                return ""
            return _("Something has changed since you opened this list. Nothing was done. Please select again.")
        chosen = queryset.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME))
        changed = row_versions.changed_rows(chosen, seen)
        if not changed:
            return ""
        return _(
            "Changed since you opened this list: %(rows)s. Nothing was done. Please check them, then select again."
        ) % {"rows": ", ".join(f"“{row}”" for row in changed[:MOST_LISTED])}

    def for_export(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return those of the listed rows that this person may export, with all that the columns need."""
        return queryset

    # Saving

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change or self.changed_fields(form):
            super().save_model(request, obj, form, change)

    def changed_fields(self, form: Any) -> list[str]:
        """Return the fields of the row that were changed, without those that only the form has."""
        names = {field.name for field in [*self.opts.fields, *self.opts.many_to_many, *self.opts.private_fields]}
        return [name for name in form.changed_data if name in names]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        queue.process_queue()

    def warn_of_saved(self, request: HttpRequest, form: Any, formsets: Sequence[Any]) -> None:
        for saved in (form, *(row for formset in formsets for row in formset.forms)):
            values = [(saved.fields[name].label or name, saved.cleaned_data.get(name)) for name in saved.changed_data]
            for what, where in check_encoding(values):
                messages.warning(request, format_html("{} <code>{}</code>", what, where))

    # History

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied  # whether there is such a record or not
        return super().history_view(request, object_id, extra_context)

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
            messages.error(request, _("The database is busy. Nothing was deleted. Please try again."))
            return HttpResponseRedirect(request.get_full_path())
        context = getattr(response, "context_data", None) or {}
        if "deleted_objects" in context and context["deleted_objects"].changed:
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
        """Collect what a deletion takes along, as Django does, in a fixed number of queries, and name a limited number.

        What was changed since the page that asked for confirmation was opened is in the way.
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
            if (model_admin := registered_admins(self.admin_site).get(model))
            and not model_admin.has_delete_permission(request)
        }
        in_the_way: dict[type[models.Model], list[Any]] = defaultdict(list)
        for row in collector.protected:
            in_the_way[type(row)].append(row.pk)
        counts = {str(model._meta.verbose_name_plural): len(ids) for model, ids in found.items()}
        deleted = DeletedObjects(self._named(found, request))
        rows = [row for of_model in collected.values() for row in of_model]
        protected = self._named(in_the_way, request)
        if "post" not in request.POST:
            deleted.etags = row_versions.sign(row_versions.etags_of(rows))
            deleted.backlinks = backlinks_of(rows, request.user)
        elif not protected:
            confirmed, _etag = row_versions.unsign(request.POST.get(row_versions.ETAGS_FIELD, ""))
            changed = row_versions.changed_rows(rows, confirmed)
            deleted.changed = [f"{capfirst(str(row._meta.verbose_name))}: {row}" for row in changed[:MOST_LISTED]]
        return deleted, counts, forbidden, protected or list(deleted.changed)

    def _named(self, found: dict[type[models.Model], list[Any]], request: HttpRequest) -> list[str]:
        lines: list[str] = []
        for model, ids in found.items():
            kind = capfirst(str(model._meta.verbose_name))
            model_admin = registered_admins(self.admin_site).get(model)
            if model_admin is None:
                continue
            if not model_admin.has_view_permission(request):
                lines.append(_("%(kind)s: %(count)s") % {"kind": kind, "count": len(ids)})
                continue
            rows = model_admin.get_queryset(request).filter(pk__in=ids[:MOST_LISTED])
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
            for row in rows:
                lines.append(format_html('{}: <a href="{}">{}</a>', kind, reverse(name, args=[quote_key(row.pk)]), row))
            if len(ids) > MOST_LISTED:
                lines.append(_("%(kind)s: %(count)s more") % {"kind": kind, "count": len(ids) - MOST_LISTED})
        return lines
