import re
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F, Max, QuerySet
from django.db.models.functions import Coalesce
from django.forms import Script
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from articles import desk, pages, previews
from articles.models import Article, QuoteChoice, Reference
from quotes.models import Quote
from rlm_site import derived, revisions
from rlm_site.editing import ContentAdmin, PublishableAdmin, PublishableForm, StateFilter, TableInline, chip
from rlm_site.publishing import is_live, state

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


class QuoteChoiceInline(TableInline):
    model = QuoteChoice
    fields = ["quote", "action", "position", "reason"]
    autocomplete_fields = ["quote"]
    verbose_name = gettext_lazy("pinned or banned quotation")
    verbose_name_plural = gettext_lazy("pinned and banned quotations")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("quote__person")


class ArticleForm(PublishableForm):
    beside = {
        "slug_is_unique_in_topic": ("slug", ""),
        "slug_is_unique_among_topics": ("slug", ""),
        "article_retires_after_publication": ("retire_at", ""),
    }


@admin.register(Article)
class ArticleAdmin(PublishableAdmin):
    form = ArticleForm
    list_display = ["title", "topic", "position", "state", "tag_names", "changed"]
    list_filter = [PlaceFilter, StateFilter, "quotations", ("parent", admin.RelatedOnlyFieldListFilter)]
    ordering = [
        Coalesce("parent__title", "title").asc(),
        Coalesce("parent", "id").asc(),
        F("parent").asc(nulls_first=True),
        "position",
    ]
    search_fields = ["title", "body"]
    search_help_text = gettext_lazy("Words of the title or the text.")
    autocomplete_fields = ["parent"]
    readonly_fields = ["words", "loose_ends", "order", "preview", "versions"]
    fieldsets = [
        (None, {"fields": ["parent", "title", "body", "words", "loose_ends", "tags"]}),
        (gettext_lazy("Quotations"), {"fields": ["quotations", "quote_words"]}),
        (gettext_lazy("Place"), {"fields": ["slug", "position", "order"]}),
        (gettext_lazy("Review"), {"fields": ["reviewed_on", "preview", "versions"]}),
    ]
    inlines = [QuoteChoiceInline]

    class Media:
        js = [Script("js/quotations.js", defer=True)]

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

    def describe(self, obj: Article) -> SafeString:
        return format_html("{} {}", super().describe(obj), self._hidden_by_topic(obj))

    def _hidden_by_topic(self, obj: Article) -> str:
        now = timezone.now()
        if obj.parent and is_live(obj, now) and not is_live(obj.parent, now):
            return _("Not shown: its topic is not public.")
        return ""

    # Quotations

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("coverage/", view(self.coverage_view), name="articles_article_coverage"),
            path("<int:pk>/quotations/", view(self.quotations_view), name="articles_article_quotations"),
            *super().get_urls(),
        ]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        article = context.get("original")
        if article is not None and self.has_change_permission(request, article):
            saved = Article.objects.select_related("parent").get(pk=article.pk)
            context["quotation_panel"] = desk.panel(saved, request.POST, timezone.now())
            context["quotation_address"] = reverse("admin:articles_article_quotations", args=[article.pk])
        return super().render_change_form(request, context, *args, **kwargs)

    def quotations_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The panel for the form as it stands, after an editor's choice if one was sent."""
        article = get_object_or_404(Article.objects.select_related("parent"), pk=pk)
        if not self.has_change_permission(request, article):
            raise PermissionDenied
        said = refused = ""
        if request.method == "POST" and (action := request.POST.get("action", "")):
            try:
                quotes = {name: self._quote(request.POST.get(name, "")) for name in ("quote", "instead_of")}
                if quotes["quote"] is None:
                    raise ValidationError(_("There is no such quotation."))
                word = request.POST.get("word", "").replace("\0", "")[:64]
                said = desk.act(article, action, quotes["quote"], word=word, instead_of=quotes["instead_of"])
                self.log_change(request, article, f"{said} {quotes['quote']}")
            except ValidationError as error:
                refused = " ".join(error.messages)
        panel = desk.panel(article, request.POST, timezone.now())
        context = {"panel": panel, "said": said, "refused": refused}
        return render(request, "admin/articles/_quotations.html", context, status=400 if refused else 200)

    @staticmethod
    def _quote(pk: str) -> Quote | None:
        is_id = pk.isascii() and pk.isdigit() and len(pk) < 19
        return Quote.objects.filter(pk=int(pk)).first() if is_id else None

    def coverage_view(self, request: HttpRequest) -> HttpResponse:
        """Pages without a good quotation, and quotations shown never or very often."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        version = derived.settle().of("quotes", "rlm_site")
        context = {
            **self.admin_site.each_context(request),
            "title": _("How quotations answer the pages"),
            "coverage": desk.coverage(timezone.now(), version),
            "opts": self.opts,
        }
        return render(request, "admin/articles/coverage.html", context)

    # The change page

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        topic = str(initial.get("parent", ""))
        if topic.isascii() and topic.isdigit() and len(topic) < 10 and "position" not in initial:
            last = Article.objects.filter(parent=int(topic)).aggregate(last=Max("position"))["last"]
            initial["position"] = (last or 0) + 1
        return initial

    @admin.display(description=gettext_lazy("length"))
    def words(self, obj: Article) -> SafeString:
        count = word_count(obj.body)
        return format_html(
            '<output data-counts="id_body" for="id_body">{}</output>',
            ngettext("%(count)d word", "%(count)d words", count) % {"count": count},
        )

    @admin.display(description=gettext_lazy("loose ends"))
    def loose_ends(self, obj: Article) -> SafeString | str:
        """Readers see what is missing as plain text; editors see it here."""
        text = pages.text_of(obj, timezone.now())
        found = [
            *((_("No public page for the link"), f"[[{target}]]") for target in text.missing_links),
            *((_("No reference with the key"), f"@{key}") for key in text.missing_references),
        ]
        if not found:
            return _("None: every link leads to a public page and every citation to a reference.")
        return format_html('<ul class="loose-ends">{}</ul>', format_html_join("", "<li>{} <code>{}</code></li>", found))

    @admin.display(description=gettext_lazy("sections in order"))
    def order(self, obj: Article) -> SafeString | str:
        if obj.parent_id or not obj.pk:
            return _("A topic shows its sections here.")
        sections = Article.objects.filter(parent=obj.pk).defer("body").in_reading_order()
        rows = [
            (reverse("admin:articles_article_change", args=[row.pk]), row.title, row.position, chip(state(row)))
            for row in sections
        ]
        return format_html(
            '<ol class="sections">{}</ol><a class="addlink" href="{}?parent={}">{}</a>',
            format_html_join("", '<li><a href="{}">{}</a> <span class="quiet">({})</span> {}</li>', rows),
            reverse("admin:articles_article_add"),
            obj.pk,
            _("Add a section"),
        )

    @admin.display(description=gettext_lazy("preview"))
    def preview(self, obj: Article) -> SafeString | str:
        newest = revisions.of(obj).order_by("-number").only("pk").first() if obj.pk else None
        if newest is None:
            return _("After the next save.")
        return format_html(
            '<a href="{}">{}</a>', previews.address_of(newest), _("The newest version as readers would see it")
        )


@admin.register(Reference)
class ReferenceAdmin(ContentAdmin):
    list_display = ["key", "title", "authors", "year", "kind"]
    list_filter = ["kind", ("language", admin.AllValuesFieldListFilter)]
    search_fields = ["key", "title", "authors", "container"]
    search_help_text = gettext_lazy("Key, title, authors, or the journal or book it stands in.")
    fieldsets = [
        (None, {"fields": ["key", "kind", "authors", "title", "language", "container", "details"]}),
        (gettext_lazy("Publication"), {"fields": ["publisher", "place", "year", "isbn", "doi", "url", "accessed"]}),
        (None, {"fields": ["note"]}),
    ]
