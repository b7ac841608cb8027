from typing import Any

import taggit.admin
import taggit.models
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import (
    BooleanField,
    Count,
    ExpressionWrapper,
    F,
    IntegerField,
    Model,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rlm_site.editor import dashboard
from rlm_site.editor.accounts import AccountAdmin
from rlm_site.editor.addresses import AddressFormMixin
from rlm_site.editor.content import ContentAdmin
from rlm_site.editor.features import registered_admins
from rlm_site.editor.forms import ContentForm
from rlm_site.editor.import_pages import ImportExport
from rlm_site.editor.tag_resource import TagResource
from rlm_site.editor.tags import TagChanges
from rlm_site.editor.trash import RecoveryAdmin
from rlm_site.history import diff
from rlm_site.history.models import Deletion, Import, Revision
from rlm_site.redirects.models import Address
from rlm_site.tags import changes, parsing
from rlm_site.tags.models import Tag
from rlm_site.text.folding import fold_name
from rlm_site.text.slugs import slug_for

admin.site.unregister(taggit.models.Tag)  # registered by taggit.admin; ours is another model


# Django's two-column picker cannot be used with a screen reader; a plain list can.
admin.site.unregister([User, Group])


admin.site.register(User, AccountAdmin)


@admin.register(Group)
class TeamAdmin(GroupAdmin):
    filter_horizontal = ()
    fieldsets = [
        (None, {"fields": ["name"]}),
        (gettext_lazy("Permissions"), {"fields": ["permissions"], "classes": ["collapse"]}),
    ]


class TagForm(AddressFormMixin, ContentForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False
            self.fields["slug"].help_text = _(
                "The last part of its address: /tags/…/. A new name does not change it; clear it to use the name. "
                "Readers are redirected from the old address to the new one."
            )

    def clean_name(self) -> str:
        return parsing.clean_tag_name(self.cleaned_data["name"])

    def clean_slug(self) -> str:
        name = self.cleaned_data.get("name", "")
        others = Tag.objects.exclude(pk=self.instance.pk)
        return self.cleaned_data["slug"] or slug_for(name, lambda slug: others.filter(slug=slug).exists())


@admin.register(Tag)
class TagAdmin(ContentAdmin):
    form = TagForm
    features = (*ContentAdmin.features, ImportExport, TagChanges)
    resource_class = TagResource
    list_display = ["name", "uses", "brings_quotations", "advises_silence", "description"]
    list_filter = ["brings_quotations", "advises_silence"]
    search_fields = ["folded"]
    fields = ["name", "slug", "description", "brings_quotations", "advises_silence"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [] if obj is None or self.feature(TagChanges).can_merge(request) else ["name", "slug"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        uses: Any = Value(0)
        for through in Tag.through_models():
            items = through.objects.filter(tag=OuterRef("pk")).order_by().values("tag")
            uses = uses + Coalesce(Subquery(items.annotate(count=Count("pk")).values("count")), 0)
        return super().get_queryset(request).annotate(use_count=Coalesce(uses, 0, output_field=IntegerField()))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return super().get_search_results(request, queryset, fold_name(search_term))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change and {"name", "slug"} & set(form.changed_data):
            author: Any = request.user
            changes.rename_tag(obj, author)
        else:
            super().save_model(request, obj, form, change)

    @admin.display(description=gettext_lazy("uses"), ordering=F("use_count"))
    def uses(self, obj: Any) -> int:
        return int(obj.use_count)


class ReadOnlyAdmin(admin.ModelAdmin):
    is_history = False  # what happened to content, which its editors look up

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ImportFilter(admin.SimpleListFilter):
    """Versions that came with one file, which the page of that import links."""

    title = gettext_lazy("import")
    parameter_name = "imported"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(chosen, _("one file"))] if (chosen := self._key()) else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(imported=chosen) if (chosen := self._key()) else queryset

    def _key(self) -> str:
        chosen: str = self.value() or ""
        return chosen if chosen.isascii() and chosen.isdecimal() and len(chosen) < 19 else ""


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin):
    """Recent changes of all records that the user may see; read-only."""

    is_history = True
    list_display = ["what", "number", "kind_of_record", "what_happened", "author", "when", "for_readers"]
    list_display_links = ["number"]
    list_filter = ["state", "act", "kind", ("content_type", admin.RelatedOnlyFieldListFilter), ImportFilter]
    list_select_related = ["content_type", "author"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["note", "comment", "author__username"]
    search_help_text = gettext_lazy("Searches summaries for readers, comments and editors’ names.")
    fields = ("what", "number", "what_happened", "author", "when", "comment", "for_readers", "changes", "text")
    readonly_fields = ("what", "what_happened", "when", "for_readers", "changes", "text")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("All changes"), **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        readable = dashboard.readable_revisions(request, self.admin_site)
        there = ExpressionWrapper(dashboard.still_there(self.admin_site), BooleanField())
        rows = super().get_queryset(request).annotate(is_there=there)
        return rows.none() if readable is None else rows.filter(readable)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        subtitle = dashboard.title_of(row) if row else ""
        return super().change_view(request, object_id, form_url, {"subtitle": subtitle, **(extra_context or {})})

    @admin.display(description=gettext_lazy("record"))
    def what(self, obj: Any) -> SafeString | str:
        """Link the form of the record, unless it is deleted."""
        title = dashboard.title_of(obj)
        address = dashboard.address_of(obj, "change") if obj.is_there else ""
        return format_html('<a href="{}">{}</a>', address, title) if address else title

    @admin.display(description=gettext_lazy("kind"), ordering="content_type")
    def kind_of_record(self, obj: Revision) -> str:
        return capfirst(obj.content_type.name)

    @admin.display(description=gettext_lazy("action"), ordering="state")
    def what_happened(self, obj: Revision) -> str:
        return obj.get_act_display() if obj.act else obj.get_state_display()

    @admin.display(description=gettext_lazy("date"), ordering="created")
    def when(self, obj: Revision) -> str:
        return formats.date_format(timezone.localtime(obj.created), "j M Y, H:i")

    @admin.display(description=gettext_lazy("for readers"), ordering="kind")
    def for_readers(self, obj: Revision) -> str:
        kind = "" if obj.kind == Revision.Kind.NONE else obj.get_kind_display()
        return ": ".join(part for part in (kind, obj.note) if part)

    @admin.display(description=gettext_lazy("changes"))
    def changes(self, obj: Revision) -> SafeString | str:
        address = dashboard.address_of(obj, "compare")
        if not address or obj.number == 1:
            return _("This is the first version.") if obj.number == 1 else ""
        query = urlencode({"from": obj.number - 1, "to": obj.number})
        return format_html('<a href="{}?{}">{}</a>', address, query, _("Compare with the previous version"))

    @admin.display(description=gettext_lazy("text"))
    def text(self, obj: Revision) -> SafeString:
        model = obj.content_type.model_class()
        found = diff.differences(model, {}, obj.content) if model else []
        lines = ((field.label, "".join(part.text for part in field.parts)) for field in found)
        return format_html('<dl class="version">{}</dl>', format_html_join("", "<dt>{}</dt><dd>{}</dd>", lines))


class RecoveredFilter(admin.SimpleListFilter):
    title = gettext_lazy("restored")
    parameter_name = "recovered"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("no")), ("yes", _("yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in {"no", "yes"}:
            return queryset.filter(recovered__isnull=self.value() == "no")
        return queryset


@admin.register(Deletion)
class DeletionAdmin(RecoveryAdmin, ReadOnlyAdmin):
    """Deleted records. Users who may delete a kind of record see and recover deletions of it."""

    is_history = True
    list_display = ["title", "kind", "contents", "author", "when", "standing"]
    list_filter = [RecoveredFilter, ("content_type", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["content_type", "author", "recovered_by"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["title", "author__username"]
    search_help_text = gettext_lazy("Searches titles and editors’ names.")


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    """Imported files. Users who may import a kind of record see its imports."""

    is_history = True
    list_display = ["name", "kind", "author", "created", "added", "changed", "unchanged"]
    list_filter = [("model", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["model", "author"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["name", "digest", "author__username"]
    search_help_text = gettext_lazy("Searches file names and editors’ names.")
    fields = ("name", "model", "author", "created", "added", "changed", "unchanged", "versions")
    readonly_fields = ("versions",)

    def get_fields(self, request: HttpRequest, obj: Import | None = None) -> Any:
        """Show the digest, by which a file is known again, to those who look after the site."""
        fields = [*super().get_fields(request, obj)]
        return [*fields, "digest"] if request.user.is_superuser else fields

    def has_view_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        kinds = self._kinds(request)
        return bool(kinds) if obj is None else obj.model in kinds

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(model__in=self._kinds(request))

    def _kinds(self, request: HttpRequest) -> list[ContentType]:
        admins = registered_admins(self.admin_site).values()
        importing = [
            each
            for each in admins
            if isinstance(each, ContentAdmin)
            and each.has_feature(ImportExport)
            and each.feature(ImportExport).can_import(request)
        ]
        return [ContentType.objects.get_for_model(each.model) for each in importing]

    @admin.display(description=gettext_lazy("kind"), ordering="model")
    def kind(self, obj: Import) -> str:
        return capfirst(obj.model.name)

    @admin.display(description=gettext_lazy("versions"))
    def versions(self, obj: Import) -> SafeString | str:
        count = Revision.objects.filter(imported=obj).count()
        if not count:
            return _("None: records of this kind have no versions.")
        address = f"{reverse('admin:rlm_site_revision_changelist')}?{urlencode({'imported': obj.pk})}"
        words = ngettext("%(count)d version", "%(count)d versions", count) % {"count": count}
        return format_html('<a href="{}">{}</a>', address, words)


@admin.register(Address)
class AddressAdmin(ReadOnlyAdmin):
    """Present and former paths; without its row, a former path is not redirected to the object that had it."""

    list_display = ["path", "kind", "object_id"]
    list_filter = ["kind"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["path"]
    fields = ["path", "kind", "object_id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        admins = registered_admins(self.admin_site).items()
        kinds = [model._meta.model_name for model, each in admins if each.has_view_permission(request)]
        return super().get_queryset(request).filter(kind__in=kinds)
