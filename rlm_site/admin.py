from typing import Any

import taggit.admin
import taggit.models
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rlm_site.editing import ContentAdmin, ContentForm
from rlm_site.folding import fold_name
from rlm_site.models import Address, Revision, Tag
from rlm_site.slugs import slug_for

admin.site.unregister(taggit.models.Tag)  # taggit.admin has registered it; ours is another


# Accounts are Django's own. Its two-column picker cannot be used with a screen reader; a plain list can.
admin.site.unregister([User, Group])


@admin.register(User)
class AccountAdmin(UserAdmin):
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")


@admin.register(Group)
class TeamAdmin(GroupAdmin):
    filter_horizontal = ()


class TagForm(ContentForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False
            self.fields["slug"].help_text = _("Its address: /tags/<slug>/. Empty: made of the name.")

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if '"' in name:
            raise ValidationError(_("A tag has no quotation marks of this kind: they would end it where it is typed."))
        if not any(char.isalnum() for char in name):
            raise ValidationError(_("Give a name with at least one letter or figure."))
        return name

    def clean_slug(self) -> str:
        name = self.cleaned_data.get("name", "")
        others = Tag.objects.exclude(pk=self.instance.pk)
        return self.cleaned_data["slug"] or slug_for(name, lambda slug: others.filter(slug=slug).exists())


@admin.register(Tag)
class TagAdmin(ContentAdmin):
    form = TagForm
    list_display = ["name", "uses", "brings_quotations", "description"]
    list_filter = ["brings_quotations"]
    search_fields = ["folded"]
    fields = ["name", "slug", "description", "brings_quotations"]

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

    @admin.display(description=gettext_lazy("uses"), ordering=F("use_count"))
    def uses(self, obj: Any) -> int:
        return int(obj.use_count)


class ReadOnlyAdmin(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin):
    """The history: written by saving a record, and never changed."""

    list_display = ["what", "content_type", "number", "state", "kind", "author", "created"]
    list_filter = ["state", "kind", ("content_type", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["content_type", "author"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["note", "comment", "author__username"]
    search_help_text = gettext_lazy("Sentences for readers, comments, and names of editors.")
    fields = ("record", "number", "state", "kind", "note", "comment", "author", "created", "text")
    readonly_fields = ("record", "text")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("record"))
    def what(self, obj: Revision) -> str:
        title = obj.content.get("title") or obj.content.get("text") or ""
        words = title.split()
        return " ".join(words[:10]) + ("…" if len(words) > 10 else "") or str(obj)

    @admin.display(description=gettext_lazy("record"))
    def record(self, obj: Revision) -> SafeString | str:
        kind = obj.content_type
        try:
            address = reverse(f"admin:{kind.app_label}_{kind.model}_change", args=[obj.object_id])
        except NoReverseMatch:
            return self.what(obj)
        return format_html('<a href="{}">{}</a>', address, self.what(obj))

    @admin.display(description=gettext_lazy("text"))
    def text(self, obj: Revision) -> SafeString:
        model = obj.content_type.model_class()
        fields = model._meta.get_fields() if model else []
        names = {field.name: str(getattr(field, "verbose_name", field.name)) for field in fields}
        lines = (
            (names.get(name, name), ", ".join(value) if isinstance(value, list) else value)
            for name, value in obj.content.items()
            if value not in ("", None, [])
        )
        return format_html('<dl class="version">{}</dl>', format_html_join("", "<dt>{}</dt><dd>{}</dd>", lines))


@admin.register(Address)
class AddressAdmin(ReadOnlyAdmin):
    """Where things are and once were; without its row, an old address leads nowhere."""

    list_display = ["path", "kind", "object_id"]
    list_filter = ["kind"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["path"]
    fields = ["path", "kind", "object_id"]
