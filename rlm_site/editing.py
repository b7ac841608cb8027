"""The admin site and its base classes: what every editor's page of content does, whatever the content is."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.admin.utils import NestedObjects
from django.contrib.admin.utils import quote as quote_key
from django.contrib.admin.widgets import AdminTextareaWidget, AutocompleteSelect, RelatedFieldWidgetWrapper
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, router, transaction
from django.db.models import QuerySet
from django.forms import Script
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from taggit.forms import TagField, TagWidget
from taggit.managers import TaggableManager

from rlm_site import derived, publishing, revisions
from rlm_site.folding import fold_name
from rlm_site.models import Publishable, Revision, Tag
from rlm_site.tagging import parse

MOST_LISTED = 50  # of the objects that a deletion takes along or that stand in its way

STATES: dict[str, str | Promise] = {
    "draft": gettext_lazy("Draft"),
    "scheduled": gettext_lazy("Scheduled"),
    "published": gettext_lazy("Published"),
    "retired": gettext_lazy("Retired"),
}


def chip(state: str) -> SafeString:
    """The state as a word; the stylesheet gives it its shape."""
    return format_html('<span class="state state-{}">{}</span>', state, STATES[state])


def in_words(row: Publishable, now: datetime) -> str:
    """Who can see the row, and what its times mean."""
    state = publishing.state(row, now)
    if state == "draft":
        return _("Readers cannot see it.")
    if state == "scheduled":
        return _("Readers will see it from %(time)s.") % {"time": _moment(row.publish_at)}
    if state == "published":
        until = _("Readers can see it until %(time)s.") % {"time": _moment(row.retire_at)} if row.retire_at else ""
        return until or _("Readers can see it.")
    if row.retired_to:
        return _("Since %(time)s readers are led to %(path)s.") % {
            "time": _moment(row.retire_at),
            "path": row.retired_to,
        }
    return _("Since %(time)s readers are told that it was withdrawn.") % {"time": _moment(row.retire_at)}


def _moment(moment: datetime | None) -> str:
    assert moment is not None  # noqa: S101 - the state that is described has this time
    return formats.date_format(timezone.localtime(moment), "j F Y, H:i")


class SignInForm(AdminAuthenticationForm):
    def clean_username(self) -> str:
        """A name that no account can have is not looked up, nor noted as an attempt."""
        name: str = self.cleaned_data["username"]
        if len(name) > (User._meta.get_field("username").max_length or 150):
            raise self.get_invalid_login_error()
        return name


class SiteAdmin(admin.AdminSite):
    login_form = SignInForm
    site_header = settings.SITE_NAME
    site_title = settings.SITE_NAME
    index_title = gettext_lazy("Editors’ desk")
    site_url = "/"
    enable_nav_sidebar = False  # its room belongs to the text that is edited


# Form fields


class TextField(forms.CharField):
    """A text of several lines: browsers send them with carriage returns, which are no change of the text."""

    widget = AdminTextareaWidget

    def to_python(self, value: Any) -> str:
        return super().to_python((value or "").replace("\r\n", "\n").replace("\r", "\n")) or ""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return not self.disabled and self.to_python(initial) != self.to_python(data)


class TagsField(TagField):
    """Names with commas between them. What is wrong with them is said in words."""

    def clean(self, value: Any) -> list[str]:
        text = forms.CharField.clean(self, value)
        try:
            names = parse(text)
        except ValueError as error:
            raise ValidationError(str(error), code="unclosed") from error
        longest = Tag._meta.get_field("name").max_length or 100
        for name in names:
            if len(name) > longest:
                raise ValidationError(
                    _("“%(name)s…” is too long: a tag has at most %(count)s characters."),
                    params={"name": name[:40], "count": longest},
                    code="too_long",
                )
            if not any(char.isalnum() for char in name):
                raise ValidationError(
                    _("“%(name)s” has no letter or figure."), params={"name": name}, code="no_letters"
                )
        return names

    def has_changed(self, initial_value: Any, data_value: Any) -> bool:
        if self.disabled:
            return False
        try:
            names = self.clean(data_value)
        except ValidationError:
            return True
        return {tag.folded for tag in initial_value or ()} != {fold_name(name) for name in names}


class Autocomplete(AutocompleteSelect):
    """Names what is chosen without a query where the form's row has it at hand."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known: dict[str, str] = {}

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        chosen = [str(key) for key in value if key]
        if not chosen or not set(chosen) <= self.known.keys():
            return super().optgroups(name, value, attrs)
        options = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
        options += [self.create_option(name, key, self.known[key], True, len(options)) for key in chosen]
        return [(None, options, 0)]


class ContentForm(forms.ModelForm):
    # Name of a constraint -> the field beside which its violation is told, and the words if its own do not serve
    beside: dict[str, tuple[str, str | Promise]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            widget: Any = field.widget
            if isinstance(widget, RelatedFieldWidgetWrapper):
                widget = widget.widget
            if isinstance(widget, Autocomplete):
                row = self.instance._state.fields_cache.get(name)
                widget.known = {str(row.pk): str(row)} if row else {}
                widget.attrs["title"] = field.label  # the script names its box by this
            elif isinstance(widget, forms.SplitDateTimeWidget):
                for part, words in zip(widget.widgets, (_("date"), _("time")), strict=True):
                    part.attrs["aria-label"] = f"{field.label}, {words}"

    def add_error(self, field: str | None, error: Any) -> None:
        """What a constraint of several fields refuses is told beside the one that must change."""
        if field is not None or not hasattr(error, "error_dict"):
            super().add_error(field, error)
            return
        told = dict(error.error_dict)
        for broken in told.pop(NON_FIELD_ERRORS, []):
            name, words = self.beside.get(self._constraint_of(broken), ("", ""))
            super().add_error(name or None, ValidationError(str(words), code=broken.code) if words else broken)
        if told:
            super().add_error(None, ValidationError(told))

    def _constraint_of(self, error: ValidationError) -> str:
        fields = (error.params or {}).get("unique_check")
        for constraint in self._meta.model._meta.constraints:
            if fields == getattr(constraint, "fields", ()) or error.message == constraint.get_violation_error_message():
                return str(constraint.name)
        return ""


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return STATES.items()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        state = self.value()
        return queryset.filter(publishing.in_state(state, timezone.now())) if state in STATES else queryset


# Model admins

FIELDS: Any = {
    models.TextField: {"form_class": TextField, "widget": AdminTextareaWidget},
    models.URLField: {"assume_scheme": "https"},
}


def spellings(words: str) -> list[str]:
    """As typed, and in each case: SQLite knows upper and lower case of ASCII letters only."""
    if words.isascii():
        return [words]
    return list(dict.fromkeys([words, words.lower(), words.upper(), words.capitalize(), words.title()]))


class Related:
    """For model admins and inlines: autocompletes that cost no query a row."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):  # type: ignore[attr-defined]
            kwargs["widget"] = Autocomplete(db_field, self.admin_site, using=kwargs.get("using"))  # type: ignore[attr-defined]
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


class RowForm(ContentForm):
    """A row of a table: the column's heading is the label of its field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label


class TableInline(Related, admin.TabularInline):
    form = RowForm
    extra = 0
    formfield_overrides = FIELDS


class StackInline(Related, admin.StackedInline):
    form = ContentForm
    extra = 0
    formfield_overrides = FIELDS


class ContentAdmin(Related, admin.ModelAdmin):
    """Derived data is made anew in the transaction of every save and deletion, so that readers see it at once."""

    form = ContentForm
    list_per_page = 50
    show_full_result_count = False
    formfield_overrides = FIELDS

    class Media:
        js = [Script("js/editing.js", defer=True)]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, TaggableManager):
            kwargs |= {
                "form_class": TagsField,
                "widget": TagWidget(attrs={"class": "vLargeTextField", "autocomplete": "off"}),
                "help_text": _("With commas between them: free software, exile. Quotes keep a comma inside a tag."),
            }
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    # Finding

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        rows, duplicates = super().get_search_results(request, queryset, search_term)
        for spelling in spellings(search_term)[1:]:
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
        derived.drain()

    def record_history(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """For what has a history."""

    # Deleting

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        derived.drain()

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        derived.drain()

    def get_deleted_objects(
        self, objs: QuerySet[Any] | Sequence[Any], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """As Django's, in a fixed number of queries: it names what has a page in the admin, and not too many of it."""
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
        return self._named(found, request), counts, forbidden, self._named(in_the_way, request)

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


class PublishableForm(ContentForm):
    change_kind = forms.ChoiceField(
        label=gettext_lazy("Kind of change for readers"),
        choices=Revision.Kind.choices,
        initial=Revision.Kind.NONE,
        required=False,
        help_text=gettext_lazy("What is not notable is kept in the history only. The first publication is always new."),
    )
    change_note = forms.CharField(
        label=gettext_lazy("Sentence for readers"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
        help_text=gettext_lazy("Says on the page of changes what is different."),
    )
    change_comment = forms.CharField(
        label=gettext_lazy("Comment for editors"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
        help_text=gettext_lazy("Stands in the history."),
    )


CHANGE_FIELDSET = (gettext_lazy("This change"), {"fields": ["change_kind", "change_note", "change_comment"]})
PUBLISHING_FIELDSET = (
    gettext_lazy("Publishing"),
    {"fields": ["state_in_words", "published", "publish_at", "retire_at", "retired_to"]},
)


class PublishableAdmin(ContentAdmin):
    """For records that readers see only when they are published: their states, and the history of their text."""

    form = PublishableForm

    # What it is now

    @admin.display(description=gettext_lazy("changed"), ordering="updated")
    def changed(self, obj: Any) -> str:
        return formats.date_format(timezone.localtime(obj.updated), "j M Y, H:i")

    @admin.display(description=gettext_lazy("state"))
    def state(self, obj: Any) -> SafeString:
        return chip(publishing.state(obj))

    def describe(self, obj: Any) -> SafeString:
        now = timezone.now()
        return format_html("{} {}", chip(publishing.state(obj, now)), in_words(obj, now))

    @admin.display(description=gettext_lazy("state"))
    def state_in_words(self, obj: Any) -> SafeString:
        """As the record is stored, whatever a refused form says; and by which clock its times go."""
        state = getattr(obj, "opened_as", None) or format_html("{}", _("Not saved yet."))
        clock = _("Times are those of %(zone)s, where it is %(time)s.") % {
            "zone": timezone.get_current_timezone_name(),
            "time": formats.date_format(timezone.localtime(), "H:i"),
        }
        return format_html("{} {}", state, clock)

    @admin.display(description=gettext_lazy("history"))
    def versions(self, obj: Any) -> SafeString | str:
        if not obj.pk:
            return _("After the first save.")
        address = reverse("admin:rlm_site_revision_changelist")
        return format_html(
            '<a href="{}?content_type__id__exact={}&amp;object_id={}">{}</a>',
            address,
            ContentType.objects.get_for_model(obj).pk,
            obj.pk,
            _("All versions of the text"),
        )

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        obj = super().get_object(request, object_id, from_field)
        if obj is not None:
            obj.opened_as = self.describe(obj)
        return obj

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets: list[Any] = list(super().get_fieldsets(request, obj))
        if self.has_change_permission(request, obj) or (obj is None and self.has_add_permission(request)):
            fieldsets.append(CHANGE_FIELDSET)
        return [*fieldsets, PUBLISHING_FIELDSET]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), "state_in_words"]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context["state"] = getattr(context.get("original"), "opened_as", "")
        return super().render_change_form(request, context, *args, **kwargs)

    def is_public(self, obj: Any) -> bool:
        return bool(obj.is_public(timezone.now()))

    # History

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change and self.changed_fields(form) and not revisions.of(obj).exists():
            self._record_before(obj)
        super().save_model(request, obj, form, change)

    def _record_before(self, obj: Any) -> None:
        """What came from a file has no history yet: its text must outlive its first edit."""
        before = self.model._default_manager.get(pk=obj.pk)
        revisions.record(before, state=_state_of(before), comment=_("As it was before the first edit here."))

    def record_history(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        obj = form.instance
        state = _state_of(obj)
        first = (
            state == Revision.State.PUBLISHED and not revisions.of(obj).filter(state=Revision.State.PUBLISHED).exists()
        )
        if change and not first and not form.has_changed() and not any(formset.has_changed() for formset in formsets):
            return
        kind = form.cleaned_data.get("change_kind") or Revision.Kind.NONE
        author: Any = request.user
        now = timezone.now()
        revisions.record(
            obj,
            author=author,
            state=state,
            kind=Revision.Kind.NEW if first else kind,
            note=form.cleaned_data.get("change_note", ""),
            comment=form.cleaned_data.get("change_comment", ""),
            created=max(now, obj.publish_at or now) if first else now,
        )


def _state_of(row: Publishable) -> str:
    return Revision.State.PUBLISHED if row.published else Revision.State.DRAFT
