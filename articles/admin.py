import re
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError
from django.db.models import F, Max, QuerySet
from django.db.models.functions import Coalesce
from django.forms import Script
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from articles import ordering, placements, quotation_panel, reports, review_checks
from articles.editor_views import WritingAdmin
from articles.models import Article, Reference
from articles.resources import ReferenceResource
from quotes.models import Quote
from rlm_site.editor.concurrency import locking
from rlm_site.editor.content import ContentAdmin
from rlm_site.editor.dashboard import DashboardFilter
from rlm_site.editor.import_pages import ImportExportMixin
from rlm_site.editor.publishable import PublishableForm
from rlm_site.editor.states import StateFilter, badge
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.publishing import permissions
from rlm_site.publishing.schedule import is_public_at, publication_state

_CITATION = re.compile(r"\[@[^\]]*\]")
_WORD = re.compile(r"\w[\w'’-]*")


def word_count(text: str) -> int:
    """Words that readers see; static/js/editing.js counts the same way while somebody types."""
    return len(_WORD.findall(_CITATION.sub(" ", text)))


class PlaceFilter(admin.SimpleListFilter):
    title = gettext_lazy("kind")
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

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("broken-links", _("public, with broken links")),
            ("no-quotation", _("public, without a good quotation")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "broken-links":
            return queryset.filter(pk__in=reports.with_broken_links())
        if self.value() == "no-quotation":
            return queryset.filter(pk__in=reports.without_good_quotation())
        return queryset


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

    def clean(self) -> dict[str, Any] | None:
        """What is moved to another topic stands last there, unless a place was typed."""
        cleaned = super().clean()
        if "parent" in self.changed_data and "position" not in self.changed_data and self.instance.pk:
            self.cleaned_data["position"] = next_position(self.cleaned_data.get("parent"))
            self.changed_data.append("position")
        return cleaned


def next_position(topic: Article | None) -> int:
    last: int | None = Article.objects.filter(parent=topic).aggregate(last=Max("position"))["last"]
    return (last or 0) + 1


@admin.register(Article)
class ArticleAdmin(WritingAdmin):
    form = ArticleForm
    list_display = ["title", "topic", "position", "state", "tag_names", "changed"]
    list_filter = [
        PlaceFilter,
        StateFilter,
        DashboardFilter,
        CheckFilter,
        ReviewFilter,
        "quotations",
        ("parent", admin.RelatedOnlyFieldListFilter),
    ]
    ordering = [
        Coalesce("parent__title", "title").asc(),
        Coalesce("parent", "id").asc(),
        F("parent").asc(nulls_first=True),
        "position",
    ]
    search_fields = ["title", "body"]
    search_help_text = gettext_lazy("Words of the title or the text.")
    autocomplete_fields = ["parent"]
    readonly_fields = ["words", "order"]
    fieldsets = [
        (None, {"fields": ["parent", "title", "body", "words", "tags"]}),
        (gettext_lazy("Quotations"), {"fields": ["quotations", "quote_words"]}),
        (gettext_lazy("Place"), {"fields": ["slug", "position", "order"]}),
        (gettext_lazy("Review"), {"fields": ["reviewed_on"]}),
    ]

    class Media:
        js = [
            Script("js/vendor/markdown-toolbar-element.js", type="module"),
            Script("js/toolbar.js", defer=True),
            Script("js/link-picker.js", defer=True),
            Script("js/panels.js", defer=True),
            Script("js/quotations.js", defer=True),
        ]

    # Lists

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("parent")

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

    @admin.display(description=gettext_lazy("state"))
    def state(self, obj: Article) -> SafeString:
        return format_html("{} {}", super().state(obj), self._hidden_by_topic(obj))

    def describe(self, obj: Article, copy: Revision | None = None) -> SafeString:
        return format_html("{} {}", super().describe(obj, copy), self._hidden_by_topic(obj))

    def _hidden_by_topic(self, obj: Article) -> str:
        now = timezone.now()
        if obj.parent and is_public_at(obj, now) and not is_public_at(obj.parent, now):
            return _("Not shown: its topic is not public.")
        return ""

    # Quotations

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("coverage/", view(self.coverage_view), name="articles_article_coverage"),
            path("<int:pk>/quotations/", view(self.quotations_view), name="articles_article_quotations"),
            path("<int:pk>/sections/", view(self.sections_view), name="articles_article_sections"),
            *super().get_urls(),
        ]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        article = context.get("original")
        if article is not None and not context.get("is_busy") and self.has_change_permission(request, article):
            if request.POST:
                article = self.get_object(request, str(article.pk))  # a refused form has been laid over the other one
            context["quotation_panel"] = quotation_panel.build_panel(article, request.POST, timezone.now())
            context["quotation_address"] = reverse("admin:articles_article_quotations", args=[article.pk])
            context["can_choose"] = permissions.can_change_immediately(request.user, article)
        return super().render_change_form(request, context, *args, **kwargs)

    def quotations_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The panel for the form as it stands, after an editor's choice if one was sent."""
        article = self.get_object(request, str(pk))
        if article is None:
            raise Http404
        if not self.has_change_permission(request, article):
            raise PermissionDenied
        can_choose = permissions.can_change_immediately(request.user, article)
        said, refused, status = "", "", 200
        if request.method == "POST" and request.POST.get("action"):
            if not can_choose:
                raise PermissionDenied
            try:
                with locking.write_transaction():
                    said = self._choose(request, article)
            except (ValidationError, OperationalError) as error:
                refused, status = _refusal(error, 400)
        panel = quotation_panel.build_panel(article, request.POST, timezone.now())
        context = {"panel": panel, "said": said, "refused": refused, "can_choose": can_choose}
        return render(request, "articles/editor/_quotations.html", context, status=status)

    def _choose(self, request: HttpRequest, article: Article) -> str:
        action = request.POST["action"]
        quotes = {name: self._quote(request.POST.get(name, "")) for name in ("quote", "instead_of")}
        quote = quotes["quote"]
        if quote is None:
            raise ValidationError(_("There is no such quotation."))
        if action == "veto" and not permissions.can_change_immediately(request.user, quote):
            raise PermissionDenied
        said = quotation_panel.apply_action(
            article,
            action,
            quote,
            word=request.POST.get("word", "").replace("\0", "")[:64],
            instead_of=quotes["instead_of"],
            reason=request.POST.get("reason", "").replace("\0", "").strip()[: quotation_panel.LONGEST_REASON],
            author=request.user,  # type: ignore[arg-type]
        )
        self.log_change(request, article, f"{said} {quote}")
        return said

    @staticmethod
    def _quote(pk: str) -> Quote | None:
        is_id = pk.isascii() and pk.isdigit() and len(pk) < 19
        return Quote.objects.filter(pk=int(pk)).first() if is_id else None

    def coverage_view(self, request: HttpRequest) -> HttpResponse:
        """Pages without a good quotation, and quotations shown never or very often."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        version = queue.ensure_indexed().of(*placements.PICKED_FROM)
        context = {
            **self.admin_site.each_context(request),
            "title": _("How quotations answer the pages"),
            "coverage": quotation_panel.quotation_coverage(timezone.now(), version),
            "opts": self.opts,
        }
        return render(request, "articles/editor/coverage.html", context)

    # Sections

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row.can_be_ordered = permissions.can_change_immediately(request.user, row)
        return row

    def sections_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The sections of a topic in their order, each with the buttons that move it."""
        topic = get_object_or_404(Article.objects.topics(), pk=pk)
        if not permissions.can_change_immediately(request.user, topic):
            raise PermissionDenied
        refused, status = "", 200
        if request.method == "POST":
            section, _space, step = request.POST.get("move", "").partition(" ")
            seen, author = request.POST.get("seen", ""), request.user
            try:
                with locking.write_transaction():
                    said = ordering.move_section(topic, section, step, seen=seen, author=author)  # type: ignore[arg-type]
                    self.log_change(request, topic, said)
            except (ValidationError, OperationalError) as error:
                refused, status = _refusal(error, 409)
            else:
                messages.success(request, said)
                return HttpResponseRedirect(f"{request.path}?{urlencode({'moved': section, 'step': step})}")
        rows = list(Article.objects.filter(parent=topic).for_links())
        context = {
            **self.admin_site.each_context(request),
            "title": _("Sections in their order"),
            "original": topic,
            "opts": self.opts,
            "refused": refused,
            "seen": ordering.order_token(rows),
            "rows": [
                (row, badge(publication_state(row)), buttons)
                for row, buttons in ordering.move_buttons(
                    rows, request.GET.get("moved", ""), request.GET.get("step", "")
                )
            ],
        }
        return render(request, "articles/editor/sections.html", context, status=status)

    # The change page

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        topic = str(initial.get("parent", ""))
        if topic.isascii() and topic.isdigit() and len(topic) < 10 and "position" not in initial:
            initial["position"] = next_position(Article.objects.filter(pk=int(topic)).first())
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
        sections = Article.objects.filter(parent=obj.pk).defer("body").in_reading_order()
        rows = [
            (
                reverse("admin:articles_article_change", args=[row.pk]),
                row.title,
                row.position,
                badge(publication_state(row)),
            )
            for row in sections
        ]
        ordering_link: SafeString | str = ""
        if getattr(obj, "can_be_ordered", False):
            address = reverse("admin:articles_article_sections", args=[obj.pk])
            ordering_link = format_html('<a href="{}">{}</a>', address, _("Change their order"))
        return format_html(
            '<ol class="sections">{}</ol><p><a class="addlink" href="{}?parent={}">{}</a> {}</p>',
            format_html_join("", '<li><a href="{}">{}</a> <span class="quiet">({})</span> {}</li>', rows),
            reverse("admin:articles_article_add"),
            obj.pk,
            _("Add a section"),
            ordering_link,
        )


def _refusal(error: ValidationError | OperationalError, status: int) -> tuple[str, int]:
    """What is said of an act that was not done, and the status that goes with it."""
    if isinstance(error, ValidationError):
        return " ".join(error.messages), status
    if not locking.is_busy(error):
        raise error
    return _("The database is busy. Nothing was changed; try again."), 503


@admin.register(Reference)
class ReferenceAdmin(ImportExportMixin, ContentAdmin):
    resource_class = ReferenceResource
    list_display = ["key", "title", "authors", "year", "kind"]
    list_filter = ["kind", ("language", admin.AllValuesFieldListFilter)]
    search_fields = ["key", "title", "authors", "container"]
    search_help_text = gettext_lazy("Key, title, authors, or the journal or book it stands in.")
    fieldsets = [
        (None, {"fields": ["key", "kind", "authors", "title", "language", "container", "details"]}),
        (gettext_lazy("Publication"), {"fields": ["publisher", "place", "year", "isbn", "doi", "url", "accessed"]}),
        (None, {"fields": ["note"]}),
    ]
