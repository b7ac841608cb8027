import json
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast, Coalesce
from django.forms import Script
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from quotes.adding import AddPerson, AddWork
from quotes.attribution import dates, year
from quotes.duplicates import Similar, Verdict, similar_to
from quotes.models import Check, Collection, IndexTerm, Person, Quote, Work
from quotes.quote_panel import QuotePanel
from quotes.resources import NEW_COLLECTION, PersonResource, QuoteResource
from rlm_site.editor.addresses import AddressFormMixin
from rlm_site.editor.bulk import PUBLISHING_ACTS, BulkActs, SetAct, SetNowAct
from rlm_site.editor.content import FIELDS, ContentAdmin, ContentStackedInline, ContentTabularInline, case_variants
from rlm_site.editor.dashboard import DashboardFilter
from rlm_site.editor.filters import AgeFilter, EditorFilter, RelatedSelectFilter, TagFilter
from rlm_site.editor.forms import ContentForm, NamesField
from rlm_site.editor.import_pages import ImportExport, UploadForm
from rlm_site.editor.lists import public_page
from rlm_site.editor.publishable import ImmediateInlineMixin, PublishableAdmin, PublishableForm
from rlm_site.editor.states import StateFilter
from rlm_site.publishing import permissions


class PersonForm(AddressFormMixin, ContentForm):
    aliases = NamesField(label=gettext_lazy("Other names"), required=False, help_text=gettext_lazy("One per line."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False
            self.fields["slug"].help_text = _("The address is /quotes/people/…/. Leave empty to make it from the name.")


class DeathFilter(admin.SimpleListFilter):
    title = gettext_lazy("year of death")
    parameter_name = "died_known"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("known")), ("no", _("none (living or not known)"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in {"yes", "no"}:
            return queryset.filter(died__isnull=self.value() == "no")
        return queryset


class LivingFilter(admin.SimpleListFilter):
    """The yearly list: whoever is printed as living may have died since."""

    title = gettext_lazy("living people")
    parameter_name = "living"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("unchecked", _("not checked for a year"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "unchecked":
            return queryset
        return queryset.filter(pk__in=Person.objects.printed_as_living(timezone.localdate()).values("pk"))


@admin.register(Person)
class PersonAdmin(ContentAdmin):
    form = PersonForm
    features = (*ContentAdmin.features, ImportExport)
    resource_class = PersonResource
    list_display = ["name", "lived", "description", "kind", "quotations"]
    list_filter = ["kind", DeathFilter, LivingFilter]
    actions = ["known_to_be_living"]
    ordering = ["sort_name", "id"]  # counting drops the model's own
    search_fields = ["name", "sort_name"]
    search_help_text = gettext_lazy("Searches the name and other names.")
    fieldsets = [
        (None, {"fields": ["kind", "name", "sort_name", "aliases", "description", "slug"]}),
        (
            gettext_lazy("Dates"),
            {"fields": [("born", "born_circa"), ("died", "died_circa"), "living_checked_on"]},
        ),
    ]

    @admin.action(description=gettext_lazy("Mark as known to be living today"), permissions=["change"])
    def known_to_be_living(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        today = timezone.localdate()
        count = 0
        for person in queryset.filter(died=None):
            person.living_checked_on = today
            person.save()
            self.log_change(request, person, _("Known to be living on %(date)s.") % {"date": today})
            count += 1
        self.message_user(
            request,
            ngettext("%(count)d person marked as living today.", "%(count)d people marked as living today.", count)
            % {"count": count},
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(quote_count=Count("quotes"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        rows, duplicates = super().get_search_results(request, queryset, search_term)
        if search_term.strip():
            # As the database keeps the list: SQLite with escapes for other letters than ASCII, PostgreSQL without.
            aliased = Q()
            for spelling in case_variants(search_term.strip()):
                aliased |= Q(alias_text__icontains=spelling) | Q(alias_text__icontains=json.dumps(spelling)[1:-1])
            known = Person.objects.annotate(alias_text=Cast("aliases", TextField())).filter(aliased)
            rows = rows | queryset.filter(pk__in=known.values("pk"))
        return rows, duplicates

    @admin.display(description=gettext_lazy("dates"), ordering="born")
    def lived(self, obj: Person) -> str:
        return dates(obj.born, obj.died, born_circa=obj.born_circa, died_circa=obj.died_circa)

    @admin.display(description=gettext_lazy("quotations"), ordering="quote_count")
    def quotations(self, obj: Any) -> int:
        return int(obj.quote_count)


class WorkForm(ContentForm):
    beside = {
        "work_is_unique": ("title", gettext_lazy("A work with this title, authors and year already exists.")),
        "work_without_year_is_unique": ("title", gettext_lazy("A work with this title and authors already exists.")),
    }


@admin.register(Work)
class WorkAdmin(ContentAdmin):
    form = WorkForm
    list_display = ["title", "authors", "year_printed", "kind", "quotations"]
    list_filter = ["kind"]
    ordering = ["title", "id"]
    search_fields = ["title", "authors"]
    search_help_text = gettext_lazy("Searches the title and the authors.")
    fields = ["title", "authors", "year", "kind", "url"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(quote_count=Count("quotes"))

    @admin.display(description=gettext_lazy("year"), ordering="year")
    def year_printed(self, obj: Work) -> str:
        return "" if obj.year is None else year(obj.year)

    @admin.display(description=gettext_lazy("quotations from it"), ordering="quote_count")
    def quotations(self, obj: Any) -> int:
        return int(obj.quote_count)


class CollectionForm(ContentForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False
            self.fields["slug"].help_text = _("Identifies it in files. Leave empty to make it from the name.")
        if not self.instance.pk and "pick_policy" in self.fields:
            let_the_register_decide(self)
            self.initial["pick_policy"] = ""

    def clean(self) -> dict[str, Any] | None:
        super().clean()
        set_usual_policy(self)
        return self.cleaned_data


def let_the_register_decide(form: forms.Form | ContentForm) -> None:
    """Let a new collection have the policy that is usual for its register, unless somebody chooses another."""
    usual = _("usual: picked by the site if serious, pinned if light")
    form.fields["pick_policy"] = forms.ChoiceField(
        label=form.fields["pick_policy"].label,
        choices=[("", usual), *Collection.PickPolicy.choices],
        required=False,
    )


def set_usual_policy(form: forms.Form | ContentForm) -> None:
    if form.cleaned_data.get("pick_policy") == "":
        form.cleaned_data["pick_policy"] = Collection.usual_policy(form.cleaned_data.get("register", ""))


def _count(quotes: QuerySet[Quote]) -> Coalesce:
    """Return the number of these quotations that a collection has; a join would count each for every other."""
    of_collection = quotes.filter(collection=OuterRef("pk")).order_by().values("collection")
    return Coalesce(Subquery(of_collection.annotate(count=Count("pk")).values("count")), 0)


@admin.register(Collection)
class CollectionAdmin(ContentAdmin):
    form = CollectionForm
    features = (*ContentAdmin.features, BulkActs)
    bulk_acts = (
        SetNowAct("policy", "pick_policy", gettext_lazy("Set the pick policy…"), Collection.PickPolicy.choices),
    )
    list_display = ["name", "register", "pick_policy", "trust", "quotations", "may_be_picked"]
    list_filter = ["register", "pick_policy", "trust"]
    ordering = ["name", "id"]
    search_fields = ["name", "slug", "source"]
    search_help_text = gettext_lazy("Searches the name, the slug and the source.")
    fieldsets = [
        (None, {"fields": ["name", "slug", "source", "url", "licence"]}),
        (gettext_lazy("Use"), {"fields": ["register", "pick_policy", "trust"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                quote_count=_count(Quote.objects.all()), pickable_count=_count(Quote.objects.pickable(timezone.now()))
            )
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return [*fields, "slug"] if obj else fields

    @admin.display(description=gettext_lazy("quotations"), ordering="quote_count")
    def quotations(self, obj: Any) -> SafeString | str:
        if not obj.quote_count:
            return "0"
        address = f"{reverse('admin:quotes_quote_changelist')}?collection__id__exact={obj.pk}"
        return format_html('<a href="{}">{}</a>', address, obj.quote_count)

    @admin.display(description=gettext_lazy("may be picked"), ordering="pickable_count")
    def may_be_picked(self, obj: Any) -> int:
        return int(obj.pickable_count)


def _form_field(field: Any, **options: Any) -> Any:
    """Make a field of a form as `ContentAdmin` does."""
    kinds = (kind for kind in FIELDS if isinstance(field, kind))
    return field.formfield(**next((FIELDS[kind] for kind in kinds), {}), **options)


class CollectionUploadForm(UploadForm):
    """Asks which collection the quotations of a file belong to, and what may be done with them."""

    collection = forms.ModelChoiceField(
        label=gettext_lazy("Collection"),
        queryset=Collection.objects.all(),
        to_field_name="slug",
        required=False,
        help_text=gettext_lazy(
            "The one that all rows belong to. Leave empty if the rows name theirs, or only change quotations."
        ),
    )
    auto_pick = forms.BooleanField(
        label=gettext_lazy("Let the site pick the new quotations"),
        required=False,
        help_text=gettext_lazy("If their status and their collection allow it."),
    )
    take_over = forms.BooleanField(
        label=gettext_lazy("Take over"),
        required=False,
        help_text=gettext_lazy("Also change quotations that belong to another collection, and move them to this one."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.user.has_perm("quotes.add_collection"):
            self.fields |= forms.fields_for_model(Collection, NEW_COLLECTION, formfield_callback=_form_field)
            for name in NEW_COLLECTION:
                self.fields[name].required = False
            self.fields["source"].widget.attrs["rows"] = 2
            let_the_register_decide(self)

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        new = [self[name] for name in NEW_COLLECTION if name in self.fields]
        asked = (_("Quotations"), [self["collection"], self["auto_pick"], self["take_over"]])
        return [asked, (_("A new collection instead"), new)] if new else [asked]

    def options(self) -> dict[str, Any]:
        chosen = self.cleaned_data["collection"]
        given = {name: value for name, value in self.cleaned_data.items() if name != "file"}
        return {**given, "collection": chosen.slug if chosen else ""}

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if not cleaned.get("name"):
            for name in ("source", "url", "licence"):
                if cleaned.get(name):
                    self.add_error("name", _("Give the new collection a name."))
                    break
            return cleaned
        set_usual_policy(self)
        if cleaned.get("collection"):
            self.add_error("name", _("Choose a collection or name a new one, not both."))
        elif Collection.objects.filter(name=cleaned["name"]).exists():
            self.add_error("name", _("There is a collection with this name. Choose it above."))
        elif not self.errors:
            try:
                Collection(**{name: cleaned[name] for name in NEW_COLLECTION}).full_clean(exclude=["slug"])
            except ValidationError as error:
                self.add_error(None, error)
        return cleaned


class ImportedFilter(admin.SimpleListFilter):
    title = gettext_lazy("attribution")
    parameter_name = "attribution"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("parts", _("structured")), ("unparsed", _("unparsed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "unparsed":
            return queryset.exclude(attribution_as_imported="")
        if self.value() == "parts":
            return queryset.filter(attribution_as_imported="")
        return queryset


class EvidenceFormSet(forms.BaseInlineFormSet):
    def clean(self) -> None:
        super().clean()
        if self.instance.status != Quote.Status.VERIFIED:
            return
        kept = [form for form in self.forms if form.has_changed() or form.instance.pk]
        if not any(form not in self.deleted_forms for form in kept):
            raise ValidationError(_("A verified quotation needs evidence. Add who checked it, when and where."))


class CheckInline(ImmediateInlineMixin, ContentStackedInline):
    model = Check
    formset = EvidenceFormSet
    fields = ["checked_by", "checked_on", "work", "place", "found"]
    autocomplete_fields = ["work"]
    verbose_name = gettext_lazy("piece of evidence")
    verbose_name_plural = gettext_lazy("evidence")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("work")


class IndexTermInline(ImmediateInlineMixin, ContentTabularInline):
    model = IndexTerm
    fields = ["word", "veto", "note"]
    verbose_name = gettext_lazy("index word")
    verbose_name_plural = gettext_lazy("index words")


class QuoteForm(PublishableForm):
    """Shows what is already there before the same quotation is saved a second time."""

    beside = {"quote_retires_after_publication": ("retire_at", "")}
    similar = forms.ChoiceField(
        label=gettext_lazy("Similar quotations"),
        required=False,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("Asked only if there are any."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        question: Any = self.fields.get("similar")
        if question is None:  # a form to look at, not to change
            return
        self.found = self._similar() if self.is_bound else []
        if not self.found:
            question.widget = forms.HiddenInput()
            return
        question.choices = [
            *(
                (
                    f"version-{like.quote.pk}",
                    format_html(
                        '{} “{}” <a href="{}">{}</a> ({})',
                        _("Save as another version of"),
                        like.quote.text,
                        reverse("admin:quotes_quote_change", args=[like.quote.pk]),
                        _("open the existing one"),
                        _VERDICTS[like.verdict],
                    ),
                )
                for like in self.found
            ),
            ("different", _("Save anyway: it is a different quotation")),
        ]

    def _similar(self) -> list[Similar]:
        text = self.data.get("text", "").replace("\r\n", "\n").replace("\0", "")
        if not text.strip() or (self.instance.pk and text == self.instance.text):
            return []
        related = {self.data.get("version_of"), self.data.get("true_source")}
        return [like for like in similar_to(text, exclude=self.instance.pk) if str(like.quote.pk) not in related]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if getattr(self, "found", []) and "similar" not in self.errors:
            choice = self.cleaned_data.get("similar", "")
            if not choice:
                self.add_error("similar", _("There are similar quotations. Choose what this one is."))
            elif choice.startswith("version-"):
                chosen = int(choice.removeprefix("version-"))
                self.cleaned_data["version_of"] = next(like.quote for like in self.found if like.quote.pk == chosen)
                self.changed_data.append("version_of")
        return cleaned


_VERDICTS = {
    Verdict.SAME_WORDS: gettext_lazy("the same words"),
    Verdict.EXTRACT: gettext_lazy("a longer or shorter extract"),
    Verdict.WORDING: gettext_lazy("another wording"),
}


_ADDED: dict[str, type[AddPerson] | type[AddWork]] = {"person": AddPerson, "work": AddWork, "quoted_in": AddWork}


@admin.register(Quote)
class QuoteAdmin(PublishableAdmin):
    form = QuoteForm
    features = (*PublishableAdmin.features, ImportExport, QuotePanel, AddPerson, AddWork)
    bulk_acts = (
        *PUBLISHING_ACTS,
        SetAct(
            "pick",
            "auto_pick",
            gettext_lazy("Set whether the site picks them…"),
            [("yes", gettext_lazy("May be picked by the site")), ("no", gettext_lazy("Shown only where pinned"))],
            lambda value: value == "yes",
        ),
    )
    resource_class = QuoteResource
    import_form = CollectionUploadForm
    list_display = ["words", "person", "work", "status", "state", "changed", public_page]
    list_filter = [
        "status",
        StateFilter,
        DashboardFilter,
        AgeFilter,
        EditorFilter,
        TagFilter,
        ("collection", RelatedSelectFilter),
        "auto_pick",
        ImportedFilter,
        ("language", admin.AllValuesFieldListFilter),
    ]
    search_fields = ["text", "person__name", "name_as_printed", "key"]
    search_help_text = gettext_lazy("Searches the text, the person and the key.")
    autocomplete_fields = ["person", "work", "quoted_in", "true_source", "version_of", "collection"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "text",
                    "similar",
                    "language",
                    "person",
                    "work",
                    "locator",
                    "quoted_in",
                    "quoted_in_locator",
                    "year_said",
                    "status",
                    "tags",
                ]
            },
        ),
        (
            gettext_lazy("Translation"),
            {"fields": ["translator", "original_text", "original_language"], "classes": ["collapse"]},
        ),
        (
            gettext_lazy("Other wordings"),
            {"fields": ["name_as_printed", "locator_as_printed", "true_source", "version_of"], "classes": ["collapse"]},
        ),
        (
            gettext_lazy("Collection and use"),
            {"fields": ["collection", "auto_pick", "attribution_as_imported", "key"], "classes": ["collapse"]},
        ),
    ]
    inlines = [CheckInline, IndexTermInline]

    class Media:
        js = [Script("js/panels.js", defer=True), Script("js/add-record.js", defer=True)]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("person", "work")

    def for_export(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return what is published; drafts are for those who may change them."""
        if not permissions.can_edit_any(request.user, Quote):
            public = Quote.objects.published(timezone.now())
            queryset = queryset.filter(Q(pk__in=public.values("pk")) | Q(owner=request.user.pk))
        relations = ("person", "work", "quoted_in", "true_source", "version_of", "collection")
        return queryset.select_related(*relations).prefetch_related("tagged_items__tag")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return [*fields, "key"] if obj else fields

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Fold only what is empty: of what a quotation has, nothing is hidden."""
        fieldsets = super().get_fieldsets(request, obj)
        return [
            (title, {name: value for name, value in options.items() if name != "classes"})
            if obj and self._is_filled(obj, options["fields"])
            else (title, options)
            for title, options in fieldsets
        ]

    @staticmethod
    def _is_filled(row: Quote, fields: Any) -> bool:
        empty, of_every = Quote(), {"collection", "auto_pick", "key"}
        stored = [name for name in fields if name in Quote.versioned_fields and name not in of_every]
        return any(getattr(row, name) != getattr(empty, name) for name in stored)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        kind = _ADDED.get(db_field.name)
        if kind and field:
            field.widget.can_add_related = False
            field.help_text = format_html(
                '{} <a href="{}" target="_blank" data-opens-add="add-{}" data-into="id_{}">{}</a>',
                field.help_text,
                self.feature(kind).url(f"add_{kind.name}"),
                kind.name,
                db_field.name,
                kind.title,
            )
        return field

    @admin.display(description=gettext_lazy("quotation"), ordering="text")
    def words(self, obj: Quote) -> str:
        return obj.first_words()
