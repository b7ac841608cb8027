import json
import re
from collections.abc import Callable, Collection
from copy import copy
from datetime import datetime
from functools import partial
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Replace
from django.forms import Script
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from articles import backlinks, claims, diagrams, events, markdown, ordering, reports, review_checks, views
from articles.bulk_acts import SET_QUOTATIONS, MoveAct
from articles.editor_views import ClaimReport, LinkReport, QuotationPanel, SectionOrder, SilenceReport, WritingPanels
from articles.facts import FACT_TYPES
from articles.markdown_input import MarkdownInput
from articles.models import Article, Event, Group, Reference
from articles.reference_adding import AddReference
from articles.resources import ReferenceResource
from rlm_site.editor.backlinks import NO_LINKS, Backlinks
from rlm_site.editor.bulk import PUBLISHING_ACTS
from rlm_site.editor.content import ContentAdmin
from rlm_site.editor.content_warnings import ContentWarning
from rlm_site.editor.dashboard import DashboardFilter
from rlm_site.editor.filters import AgeFilter, EditorFilter, RelatedSelectFilter, TagFilter
from rlm_site.editor.forms import ContentForm, NamesField
from rlm_site.editor.import_pages import ImportExport
from rlm_site.editor.lists import public_page
from rlm_site.editor.publishable import PublishableAdmin, PublishableForm
from rlm_site.editor.questions import QuestionField, ask_in
from rlm_site.editor.rows import Column, RowsFormField
from rlm_site.editor.states import StateFilter, badge_of, with_newest_state
from rlm_site.history.drafts import Draft
from rlm_site.publishing.visibility import is_public_at
from rlm_site.text.dates import read_dates
from rlm_site.text.folding import fold_name
from rlm_site.text.limits import MAX_TEXT

MAX_DIAGRAM = 60_000  # characters
_CITATION = re.compile(r"\[@[^\[\]\n]*\]")
_WORD = re.compile(r"\w[\w'’-]*")


def word_count(text: str) -> int:
    """Words that readers see; static/js/editing.js counts the same way while somebody types."""
    return len(_WORD.findall(_CITATION.sub(" ", text)))


def _facts_by_kind() -> list[tuple[str, list[tuple[str, Any]]]]:
    """Return the facts that can be chosen, by the kind of entry that has them."""
    kinds = Article.Kind
    return [(str(kinds(kind).label), [(each.key, each.label) for each in types]) for kind, types in FACT_TYPES.items()]


ROW_COLUMNS = {
    "aliases": (
        Column("name", gettext_lazy("Name"), wide=True),
        Column("language", gettext_lazy("Language, such as ru")),
        Column("note", gettext_lazy("Note")),
    ),
    "facts": (
        Column("fact", gettext_lazy("Fact"), _facts_by_kind()),
        Column("value", gettext_lazy("Value"), wide=True),
        Column("detail", gettext_lazy("Detail")),
        Column("source", gettext_lazy("Source")),
    ),
}


class DiagramField(forms.CharField):
    """A diagram, typed as JSON; empty for none."""

    widget = AdminTextareaWidget(attrs={"rows": 12, "spellcheck": "false", "class": "code"})

    def __init__(self, **kwargs: Any) -> None:
        for name in ("encoder", "decoder", "show_hidden_initial"):  # what a field of JSON gives its form
            kwargs.pop(name, None)
        super().__init__(max_length=MAX_DIAGRAM, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else diagrams.as_text(value)

    def clean(self, value: Any) -> Any:
        return self.read(super().clean(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return not self.disabled and self.read(self.prepare_value(initial)) != self.read(data or "")
        except ValidationError:
            return True

    @staticmethod
    def read(text: str) -> dict[str, Any]:
        try:
            value = diagrams.from_text(text)
        except json.JSONDecodeError as error:
            told = _("Line %(line)d, column %(column)d: this is not JSON (%(fault)s).")
            raise ValidationError(
                told % {"line": error.lineno, "column": error.colno, "fault": error.msg}, code="invalid"
            ) from error
        except (ValueError, RecursionError) as error:
            raise ValidationError(_("This is not JSON."), code="invalid") from error
        if not isinstance(value, dict):
            raise ValidationError(_("It must be an object: { … }."), code="invalid")
        return value


class PlaceFilter(admin.SimpleListFilter):
    title = gettext_lazy("level")
    parameter_name = "place"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("topic", _("topics")), ("section", _("sections"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in {"topic", "section"}:
            return queryset.filter(parent__isnull=self.value() == "topic")
        return queryset


class CheckFilter(admin.SimpleListFilter):
    title = gettext_lazy("checks")
    parameter_name = "check"
    checks: dict[str, tuple[Any, Callable[[], Collection[int]]]] = {
        "no-citations": (gettext_lazy("public, without citations"), partial(reports.pages_found, "no-citations")),
        "proposed-reference": (
            gettext_lazy("citing a proposed reference"),
            partial(reports.pages_found, "proposed-reference"),
        ),
        "broken-links": (gettext_lazy("public, with broken links"), reports.with_broken_links),
        **{
            kind: (words, partial(reports.pages_claiming, kind))
            for kind, words in {
                claims.VAGUE: gettext_lazy("public, with sources not named"),
                claims.NO_PLACE: gettext_lazy("public, with citations without a page"),
                claims.NEGATIVE: gettext_lazy("public, with a negative without a note"),
                claims.FIGURE: gettext_lazy("public, with a figure without a note"),
            }.items()
        },
        "no-tags": (gettext_lazy("public, without tags"), partial(reports.pages_found, "no-tags")),
        "no-quotation": (gettext_lazy("public, without a good quotation"), reports.without_good_quotation),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, words) for name, (words, _find) in self.checks.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if (name := self.value()) in self.checks:
            _words, find = self.checks[name or ""]
            return queryset.filter(pk__in=find())
        return queryset


class EventCheckFilter(CheckFilter):
    checks = {
        "no-citations": (gettext_lazy("public, without citations"), partial(reports.events_found, "no-citations"))
    }


class ReviewFilter(admin.SimpleListFilter):
    title = gettext_lazy("review")
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("due", _("not reviewed for a year"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "due":
            return queryset
        return queryset.filter(pk__in=review_checks.not_reviewed_for_a_year(timezone.now()).values("pk"))


class ArticleForm(PublishableForm):
    beside = {
        "slug_is_unique_in_topic": ("slug", ""),
        "slug_is_unique_among_topics": ("slug", ""),
        "article_retires_after_publication": ("retire_at", ""),
    }

    @staticmethod
    def rows_shown_with(row: Article) -> list[Article]:
        """Return the page, and of a topic the sections that are to be read with it."""
        sections = Article.objects.filter(parent=row.pk, published=True).for_links() if row.pk else ()
        for section in sections:
            section.parent = row
        return [row, *sections]

    def links_lost(self) -> Backlinks:
        """Return the links by name that a new slug or topic breaks; a public page has a new title when it is published.

        None of a page that readers find is lost by a new slug, for its address goes on leading to it.
        """
        row = self.instance
        names = ["slug", "parent"] if row.published else ["slug", "parent", "title"]
        if row.pk is None or not {*names} & {*self.changed_data}:
            return NO_LINKS
        before = Article.objects.for_links().get(pk=row.pk)
        after = copy(before)
        for name in names:
            setattr(after, name, getattr(row, name))
        return backlinks.lost_by_rename(before, after, timezone.now())

    same_title = QuestionField(
        gettext_lazy("Save another page with this title"),
        gettext_lazy("Tick the box to continue, or choose another title."),
    )
    questions = {**PublishableForm.questions, "title": "same_title"}

    def _post_clean(self) -> None:
        """Ask about a title that another page of the topic, or another topic, has already."""
        super()._post_clean()
        row = self.instance
        if "same_title" not in self.fields or not {"title", "parent"} & {*self.changed_data}:
            return
        others = Article.objects.filter(parent=row.parent_id).exclude(pk=row.pk).select_related("parent")
        same = [other for other in others.defer("body") if fold_name(other.title) == fold_name(row.title)]
        if same:
            lines = [
                _("“%(title)s” exists already, at %(path)s.") % {"title": other.title, "path": other.get_absolute_url()}
                for other in same
            ]
            question: Any = self.fields["same_title"]
            question.ask(lines, [f"{other.pk} {other.title}" for other in same])
            ask_in(self, "same_title")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None and "summary" in self.fields:
            self.fields["summary"].required = True  # nobody is kept from correcting a word of an old page

    def clean_body(self) -> str:
        body: str = self.cleaned_data["body"]
        if excess := markdown.source(body).excess:
            raise ValidationError(str(excess), code="too_much")
        return body

    def clean(self) -> dict[str, Any] | None:
        """Put a new page, and one that moves to another topic, last there, unless a place was typed."""
        cleaned = super().clean()
        moves = "parent" in self.changed_data or self.instance.pk is None
        if moves and "position" not in self.changed_data and "position" in self.fields:
            self.cleaned_data["position"] = ordering.next_position(self.cleaned_data.get("parent"))
            self.changed_data.append("position")
        return cleaned


@admin.register(Article)
class ArticleAdmin(PublishableAdmin):
    form = ArticleForm
    features = (
        *PublishableAdmin.features,
        WritingPanels,
        AddReference,
        QuotationPanel,
        SectionOrder,
        LinkReport,
        SilenceReport,
        ClaimReport,
    )
    bulk_acts = (*PUBLISHING_ACTS, MoveAct(), SET_QUOTATIONS)
    previews_versions = True
    list_display = ["title", "topic", "position", "state", "tag_names", "changed", public_page]
    list_filter = [
        PlaceFilter,
        "kind",
        StateFilter,
        DashboardFilter,
        CheckFilter,
        ReviewFilter,
        AgeFilter,
        EditorFilter,
        TagFilter,
        ("parent", RelatedSelectFilter),
        "quotations",
    ]
    ordering = [
        Coalesce("parent__title", "title").asc(),
        Coalesce("parent", "id").asc(),
        F("parent").asc(nulls_first=True),
        "position",
    ]
    search_fields = ["title", "body"]
    search_help_text = gettext_lazy("Searches the title and the text.")
    autocomplete_fields = ["parent", "person"]
    readonly_fields = ["words", "order", "told"]
    fieldsets = [
        (None, {"fields": ["parent", "title", "summary", "body", "words", "tags"]}),
        (
            gettext_lazy("Entry"),
            {
                "fields": ["kind", "sort_title", "byline", "aliases", "facts", "person"],
                "description": gettext_lazy("For topics. A section has what its topic has."),
            },
        ),
        (gettext_lazy("Diagram"), {"fields": ["diagram"], "classes": ["collapse"]}),
        (gettext_lazy("Events"), {"fields": ["told"]}),
        (gettext_lazy("Quotations"), {"fields": ["quotations", "quote_words"]}),
        (gettext_lazy("Address and order"), {"fields": ["slug", "position", "group", "order"]}),
        (gettext_lazy("Review"), {"fields": ["reviewed_on"]}),
    ]

    class Media:
        js = [
            Script("js/vendor/markdown-toolbar-element.js", type="module"),
            Script("js/toolbar.js", defer=True),
            Script("js/combobox.js", defer=True),
            Script("js/add-record.js", defer=True),
            Script("js/link-picker.js", defer=True),
            Script("js/panels.js", defer=True),
            Script("js/quotations.js", defer=True),
        ]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "body":
            kwargs |= {"most": MAX_TEXT, "widget": MarkdownInput()}
        if db_field.name == "diagram":
            return db_field.formfield(form_class=DiagramField)
        if db_field.name in ROW_COLUMNS:
            kwargs = {"form_class": RowsFormField, "columns": ROW_COLUMNS[db_field.name]}
            return db_field.formfield(**kwargs)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    # Lists

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("parent")

    def rows_beside(self, request: HttpRequest, key: str) -> QuerySet[Any] | None:
        """Return a topic with its sections."""
        topic = int(key) if key.isascii() and key.isdecimal() and len(key) < 19 else 0
        rows = self.get_queryset(request).filter(Q(pk=topic, parent=None) | Q(parent=topic))
        return rows.order_by(F("parent").asc(nulls_first=True), "position", "id") if rows else None

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        changelist.result_list = changelist.result_list.prefetch_related("tagged_items__tag")
        return changelist

    @admin.display(description=gettext_lazy("topic"), ordering="parent__title")
    def topic(self, obj: Article) -> str:
        return obj.parent.title if obj.parent else ""

    @admin.display(description=gettext_lazy("tags"))
    def tag_names(self, obj: Article) -> str:
        return ", ".join(sorted(item.tag.name for item in obj.tagged_items.all()))

    def why_hidden(self, row: Article, now: datetime) -> str:
        if row.parent and is_public_at(row, now) and not is_public_at(row.parent, now):
            return _("Readers cannot see it: its topic is not public.")
        return ""

    # The change page

    @method_decorator(csp_update({"frame-src": [SELF]}))  # for the preview
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(*args, **kwargs)

    def content_warnings(self, draft: Draft[Article]) -> list[ContentWarning]:
        return [
            *super().content_warnings(draft),
            *review_checks.check_article(draft.row, timezone.now(), draft.tags),
        ]

    def preview(self, request: HttpRequest, draft: Draft[Article]) -> HttpResponse:
        return views.preview_of(request, draft)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        topic = str(initial.get("parent", ""))
        is_key = topic.isascii() and topic.isdigit() and len(topic) < 10
        if "position" not in initial:
            initial["position"] = ordering.next_position(Article.objects.filter(pk=int(topic) if is_key else 0).first())
        return initial

    @admin.display(description=gettext_lazy("length"))
    def words(self, obj: Article) -> SafeString:
        count = word_count(obj.body)
        return format_html(
            '<output data-counts="id_body" for="id_body">{}</output>',
            ngettext("%(count)d word", "%(count)d words", count) % {"count": count},
        )

    @admin.display(description=gettext_lazy("sections in order"))
    def order(self, obj: Article) -> SafeString | str:
        if obj.parent_id or not obj.pk:
            return _("A topic shows its sections here.")
        sections = with_newest_state(Article.objects.filter(parent=obj.pk).defer("body").in_reading_order())
        rows = [
            (
                reverse("admin:articles_article_change", args=[row.pk]),
                row.title,
                row.position,
                badge_of(row),
            )
            for row in sections
        ]
        return format_html(
            '<ol class="sections">{}</ol><p><a class="addlink" href="{}?parent={}">{}</a></p>',
            format_html_join("", '<li><a href="{}">{}</a> <span class="quiet">({})</span> {}</li>', rows),
            reverse("admin:articles_article_add"),
            obj.pk,
            _("Add a section"),
        )

    @admin.display(description=gettext_lazy("events it tells"))
    def told(self, obj: Article) -> SafeString | str:
        if not obj.pk:
            return _("A saved page shows its events here.")
        rows = [
            (reverse("admin:articles_event_change", args=[row.pk]), row, badge_of(row))
            for row in events.in_order(with_newest_state(Event.objects.filter(article=obj.pk)))
        ]
        return format_html(
            '<ol class="sections">{}</ol><p><a class="addlink" href="{}?article={}">{}</a></p>',
            format_html_join("", '<li><a href="{}">{}</a> {}</li>', rows),
            reverse("admin:articles_event_add"),
            obj.pk,
            _("Add an event"),
        )


class EventForm(PublishableForm):
    people = NamesField(
        label=gettext_lazy("People"),
        required=False,
        help_text=gettext_lazy("One per line. The title of a page makes a link."),
    )
    beside = {"event_retires_after_publication": ("retire_at", "")}

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if excess := markdown.source(text).excess:
            raise ValidationError(str(excess), code="too_much")
        return text


@admin.register(Event)
class EventAdmin(PublishableAdmin):
    form = EventForm
    list_display = ["title", "dated", "page", "place", "state", "changed", public_page]
    list_filter = [
        StateFilter,
        DashboardFilter,
        EventCheckFilter,
        AgeFilter,
        EditorFilter,
        ("article", RelatedSelectFilter),
    ]
    ordering = [Replace("dates", Value("c. "), Value("")), "id"]
    search_fields = ["title", "text", "place", "key"]
    search_help_text = gettext_lazy("Searches the title, the text, the place and the key.")
    autocomplete_fields = ["article"]
    fieldsets = [
        (None, {"fields": ["article", "dates", "title", "text", "place", "people"]}),
        (gettext_lazy("Chronology"), {"fields": ["label", "key"]}),
    ]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "text":
            kwargs["widget"] = MarkdownInput(attrs={"rows": 4})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("article__parent")

    @admin.display(description=gettext_lazy("date"), ordering=Replace("dates", Value("c. "), Value("")))
    def dated(self, obj: Event) -> str:
        return str(read_dates(obj.dates) or obj.dates)

    @admin.display(description=gettext_lazy("page"), ordering="article__title")
    def page(self, obj: Event) -> str:
        return obj.article.full_title

    def why_hidden(self, row: Event, now: datetime) -> str:
        if is_public_at(row, now) and not row.article.is_public(now):
            return _("Readers cannot see it: the page that tells it is not public.")
        return ""

    def content_warnings(self, draft: Draft[Event]) -> list[ContentWarning]:
        return [*super().content_warnings(draft), *review_checks.check_event(draft.row, timezone.now())]


@admin.register(Group)
class GroupAdmin(ContentAdmin):
    list_display = ["title", "layout", "position"]
    search_fields = ["title"]
    fieldsets = [(None, {"fields": ["title", "layout", "position", "slug"]})]


class ReferenceForm(ContentForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "key" in self.fields:
            self.fields["key"].required = False
            self.fields["key"].help_text = _(
                "Used in citations: [@arden-1987, p. 42]. Leave empty to make it from the author and the year."
            )


@admin.register(Reference)
class ReferenceAdmin(ContentAdmin):
    form = ReferenceForm
    features = (*ContentAdmin.features, ImportExport)
    resource_class = ReferenceResource
    list_display = ["key", "title", "authors", "year", "kind"]
    list_filter = ["proposed", "kind", "consulted", ("language", admin.AllValuesFieldListFilter)]
    search_fields = ["key", "title", "authors", "container"]
    search_names = ["key", "title"]
    search_help_text = gettext_lazy("Searches the key, the title, the authors, and the journal or book.")
    fieldsets = [
        (None, {"fields": ["key", "kind", "authors", "title", "language", "container", "details"]}),
        (gettext_lazy("Publication"), {"fields": ["publisher", "place", "year", "isbn", "doi", "url", "accessed"]}),
        (None, {"fields": ["consulted", "note", "proposed"]}),
    ]
