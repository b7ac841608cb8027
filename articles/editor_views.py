"""Beside an article's form while somebody writes: checks, preview, what to link and cite, links for reviewers."""

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_replace
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import OperationalError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern
from django.utils import formats, timezone
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from articles import claims, link_picker, markdown_help, ordering, previews, quotation_panel, reports, views
from articles.backlinks import form_address
from articles.form_preview import with_form_values
from articles.models import Article
from quotes.models import Quote
from rlm_site import turns
from rlm_site.editor.concurrency import locking
from rlm_site.editor.features import Feature
from rlm_site.editor.states import badge_of
from rlm_site.history import revisions
from rlm_site.history.drafts import Draft
from rlm_site.publishing import permissions
from rlm_site.text import json_ld


class WritingPanels(Feature):
    """Panels and pickers beside the form of an article, each made of the form as it stands, saved or not."""

    def urls(self) -> list[URLPattern]:
        return [
            self.path("add/preview/", self.preview_view, "preview"),
            self.path("<int:pk>/preview/", self.preview_view, "preview"),
            self.path("add/checks/", self.checks_view, "checks"),
            self.path("<int:pk>/checks/", self.checks_view, "checks"),
            self.path("markdown/", self.markdown_help_view, "markdown_help"),
            self.path("pages/", self.pages_view, "pages"),
            self.path("references/", self.references_view, "references"),
            self.path("<int:pk>/preview-links/", self.preview_links_view, "preview_links"),
        ]

    def form_context(self, request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
        row = context["original"]
        can_save = self.admin.has_change_permission(request, row) if row else self.admin.has_add_permission(request)
        if not can_save:
            return {}
        key = [row.pk] if row else []
        draft = with_form_values(context.get("draft") or Draft(Article(), []), _readable_form(request, request.POST))
        return {
            "preview_address": self.url("preview", *key),
            "checks_address": self.url("checks", *key),
            "content_warnings": self.admin.content_warnings(draft),
        }

    @turns.long_view
    def checks_view(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        content_warnings = self.admin.content_warnings(self._typed(request, pk))
        return render(request, "articles/editor/_checks.html", {"content_warnings": content_warnings})

    @method_decorator([xframe_options_sameorigin, csp_replace({"frame-ancestors": [SELF]})])
    @turns.long_view
    def preview_view(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        draft = self._typed(request, pk)
        draft.row.title = draft.row.title or _("Untitled")
        return views.preview_of(request, draft)

    def _typed(self, request: HttpRequest, pk: int | None) -> Draft[Article]:
        """Return the article with its working copy and the form laid over it, for whoever may change it."""
        if pk is None:
            if not self.admin.has_add_permission(request):
                raise PermissionDenied
            return with_form_values(Draft(Article(), []), _readable_form(request, request.POST or request.GET))
        return with_form_values(_draft_to_change(self.admin, request, pk), _readable_form(request, request.POST))

    def markdown_help_view(self, request: HttpRequest) -> HttpResponse:
        if not self.admin.has_view_or_change_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Everything you can write"),
            "groups": list(markdown_help.shown()),
            "opts": self.opts,
        }
        return render(request, "articles/editor/markdown_help.html", context)

    # What to link and cite

    def pages_view(self, request: HttpRequest) -> HttpResponse:
        if not self.admin.has_change_permission(request):
            raise PermissionDenied
        now = timezone.now()
        articles = permissions.readable(request.user, Article.objects.all(), now)
        return JsonResponse({"results": link_picker.find_articles(request.GET.get("q", ""), articles, now)})

    def references_view(self, request: HttpRequest) -> HttpResponse:
        if not self.admin.has_change_permission(request):
            raise PermissionDenied
        return JsonResponse({"results": link_picker.find_references(request.GET.get("q", ""))})

    # Links for reviewers

    def preview_links_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        article = get_object_or_404(Article.objects.select_related("parent"), pk=pk)
        if not self.admin.has_change_permission(request, article):
            raise PermissionDenied
        if request.method == "POST":
            if "make_all" in request.POST and not _may_preview_whole(request, article):
                raise PermissionDenied
            said = self._revoke(request, article) if "revoke" in request.POST else self._make(request, article)
            self.admin.log_change(request, article, said)
            messages.success(request, said)
            return HttpResponseRedirect(request.path)
        now = timezone.now()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Preview links"),
            "original": article,
            "opts": self.opts,
            "good_for": previews.LIFETIME.days,
            "may_preview_whole": _may_preview_whole(request, article),
            "links": [
                (link, json_ld.absolute(previews.link_address(link)) if is_open else "", is_discarded)
                for link in previews.preview_links_of(article)
                for is_discarded in [previews.is_discarded(link)]
                for is_open in [previews.is_valid(link, now) and not is_discarded]
            ],
        }
        return render(request, "articles/editor/preview_links.html", context)

    @staticmethod
    def _make(request: HttpRequest, article: Article) -> str:
        """Make a link to the newest version of the text."""
        revisions.record_external_changes(article)
        newest = revisions.working_copy(article) or revisions.published_revision(article)
        assert newest is not None  # noqa: S101 - the history begins with what was just noticed
        is_whole = "make_all" in request.POST
        link = previews.create_link(newest, request.user, whole_topic=is_whole)  # type: ignore[arg-type]
        return _("Preview link for version %(number)d created. It expires on %(time)s.") % {
            "number": newest.number,
            "time": formats.date_format(timezone.localtime(link.expires), "j F Y, H:i"),
        }

    @staticmethod
    def _revoke(request: HttpRequest, article: Article) -> str:
        link = next(
            (link for link in previews.preview_links_of(article) if str(link.pk) == request.POST["revoke"]), None
        )
        if link is None:
            raise Http404
        previews.revoke_link(link)
        return _("The preview link for version %(number)d is revoked.") % {"number": link.revision.number}


def _may_preview_whole(request: HttpRequest, article: Article) -> bool:
    """Return whether somebody may show a topic with the drafts of all its sections to others."""
    return article.parent_id is None and permissions.can_edit_any(request.user, Article)


class QuotationPanel(Feature):
    """The quotations of an article beside its form, and the choices of its editors, which take effect at once."""

    def urls(self) -> list[URLPattern]:
        return [
            self.path("coverage/", self.coverage_view, "coverage"),
            self.path("<int:pk>/quotations/", self.quotations_view, "quotations"),
        ]

    def form_context(self, request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
        draft = context.get("draft")
        if draft is None or context.get("is_busy") or not self.admin.has_change_permission(request, draft.row):
            return {}
        return {
            "quotation_panel": self._panel(request, draft),
            "quotation_address": self.url("quotations", draft.row.pk),
            "can_choose": permissions.can_change_immediately(request.user, draft.row),
        }

    @turns.long_view
    def quotations_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Render the panel for the form as it is now, after an editor's choice if one was sent."""
        draft = _draft_to_change(self.admin, request, pk)
        article = draft.row
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
        panel = self._panel(request, draft)
        context = {"panel": panel, "said": said, "refused": refused, "can_choose": can_choose}
        return render(request, "articles/editor/_quotations.html", context, status=status)

    def _panel(self, request: HttpRequest, draft: Draft[Article]) -> quotation_panel.Panel:
        form = _readable_form(request, request.POST)
        return quotation_panel.build_panel(draft, form, self._readable(request), timezone.now())

    @staticmethod
    def _readable(request: HttpRequest) -> QuerySet[Quote]:
        return permissions.readable(request.user, Quote.objects.all(), timezone.now())

    def _choose(self, request: HttpRequest, article: Article) -> str:
        action = request.POST["action"]
        quotes = {name: self._quote(request, request.POST.get(name, "")) for name in ("quote", "instead_of")}
        quote = quotes["quote"]
        if quote is None:
            raise ValidationError(_("The quotation was not found."))
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
        self.admin.log_change(request, article, f"{said} {quote}")
        return said

    def _quote(self, request: HttpRequest, pk: str) -> Quote | None:
        is_id = pk.isascii() and pk.isdigit() and len(pk) < 19
        return self._readable(request).filter(pk=int(pk)).first() if is_id else None

    def coverage_view(self, request: HttpRequest) -> HttpResponse:
        """Pages without a good quotation, and quotations shown never or very often."""
        if not self.admin.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Quotation coverage"),
            "coverage": quotation_panel.quotation_coverage(timezone.now()),
            "opts": self.opts,
        }
        return render(request, "articles/editor/coverage.html", context)


class LinkReport(Feature):
    """The page of all links that lead readers nowhere."""

    def urls(self) -> list[URLPattern]:
        return [self.path("broken-links/", self.broken_links_view, "broken_links")]

    def broken_links_view(self, request: HttpRequest) -> HttpResponse:
        if not self.admin.has_view_permission(request):
            raise PermissionDenied
        now, reads_drafts = timezone.now(), permissions.can_read_drafts(request.user, Article)
        found = [link for link in reports.broken_links() if reads_drafts or link.row.is_public(now)]
        page = Paginator(found, self.admin.list_per_page).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Broken links"),
            "page": page,
            "links": [(link, form_address(link.row)) for link in page],
            "opts": self.opts,
        }
        return render(request, "articles/editor/broken_links.html", context)


class SilenceReport(Feature):
    """The page of all pages for which the site picks quotations although people suffered there."""

    def urls(self) -> list[URLPattern]:
        return [self.path("silence/", self.silence_view, "silence")]

    def silence_view(self, request: HttpRequest) -> HttpResponse:
        if not self.admin.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Pages better without picked quotations"),
            "page": Paginator(reports.pages_advised(), self.admin.list_per_page).get_page(request.GET.get("page")),
            "opts": self.opts,
        }
        return render(request, "articles/editor/silence.html", context)


class ClaimReport(Feature):
    """The page of all claims that do not say on what they rest."""

    def urls(self) -> list[URLPattern]:
        return [self.path("claims/", self.claims_view, "claims")]

    def claims_view(self, request: HttpRequest) -> HttpResponse:
        if not self.admin.has_view_permission(request):
            raise PermissionDenied
        page = Paginator(reports.unsourced_claims(), self.admin.list_per_page).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Claims without a source"),
            "page": page,
            "claims": [(each, form_address(each.row), claims.ADVICE[each.claim.kind]) for each in page],
            "opts": self.opts,
        }
        return render(request, "articles/editor/claims.html", context)


class SectionOrder(Feature):
    """The page on which the sections of a topic are put in order."""

    def urls(self) -> list[URLPattern]:
        return [
            self.path("<int:pk>/sections/", self.sections_view, "sections"),
            self.path("order/", self.topics_view, "order"),
        ]

    def form_context(self, request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
        article = context["original"]
        if article is None or article.parent_id or not permissions.can_change_immediately(request.user, article):
            return {}
        return {"sections_address": self.url("sections", article.pk)}

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        can_order = permissions.can_publish(request.user, Article)
        return {"order_address": self.url("order")} if can_order else {}

    def sections_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the sections of a topic in their order, each with the buttons that move it."""
        topic = get_object_or_404(Article.objects.topics(), pk=pk)
        if not permissions.can_change_immediately(request.user, topic):
            raise PermissionDenied
        return self._order_view(request, topic)

    def topics_view(self, request: HttpRequest) -> HttpResponse:
        """Show the topics in their order."""
        if not permissions.can_publish(request.user, Article):
            raise PermissionDenied
        return self._order_view(request, None)

    def _whole_topic(self, request: HttpRequest, topic: Article | None) -> list[tuple[str, str]]:
        """Return where a topic is sent, approved and published with its sections: addresses with their labels."""
        labels = {
            "review": _("Send the whole topic for review…"),
            "approve": _("Approve the whole topic…"),
            "publish": _("Publish the whole topic…"),
        }
        acts = [act for act in self.admin.bulk_acts if act.name in labels and act.is_offered(request.user, Article)]
        return [(f"{self.url(f'many_{act.name}')}?of={topic.pk}", labels[act.name]) for act in acts] if topic else []

    def _order_view(self, request: HttpRequest, topic: Article | None) -> HttpResponse:
        """Show rows in their order, each with the buttons that move it, or move one."""
        refused, status = "", 200
        if request.method == "POST":
            key, _space, step = request.POST.get("dragged", request.POST.get("move", "")).partition(" ")
            seen, author = request.POST.get("seen", ""), request.user
            try:
                with locking.write_transaction():
                    said = ordering.move(topic, key, step, seen=seen, author=author)  # type: ignore[arg-type]
                    self.admin.log_change(request, topic or Article.objects.get(pk=key), said)
            except (ValidationError, OperationalError) as error:
                refused, status = _refusal(error, 409)
            else:
                messages.success(request, said)
                return HttpResponseRedirect(f"{request.path}?{urlencode({'moved': key, 'step': step})}")
        keys = [row.pk for row in ordering.siblings(topic).only("pk")]
        rows = list(self.admin.get_queryset(request).filter(pk__in=keys).defer("body", "facts", "diagram"))
        rows.sort(key=lambda row: keys.index(row.pk))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Order of sections") if topic else _("Order of topics"),
            "original": topic,
            "opts": self.opts,
            "refused": refused,
            "whole_topic": self._whole_topic(request, topic),
            "seen": ordering.order_token(rows),
            "rows": [
                (row, badge_of(row), buttons)
                for row, buttons in ordering.move_buttons(
                    rows, request.GET.get("moved", ""), request.GET.get("step", "")
                )
            ],
        }
        return render(request, "articles/editor/sections.html", context, status=status)


def _draft_to_change(model_admin: Any, request: HttpRequest, pk: int) -> Draft[Article]:
    """Return an article as its form opens it, for whoever may change it."""
    article: Article | None = model_admin.get_object(request, str(pk))
    if article is None:
        raise Http404
    if not model_admin.has_change_permission(request, article):
        raise PermissionDenied
    return Draft.of(article)


def _readable_form(request: HttpRequest, form: QueryDict) -> QueryDict:
    """Return what a form says, without a topic that this person may not read."""
    key = form.get("parent", "")
    is_key = key.isascii() and key.isdigit() and len(key) < 10
    topics = permissions.readable(request.user, Article.objects.filter(pk=int(key) if is_key else 0), timezone.now())
    if not key or permissions.can_read_drafts(request.user, Article) or topics.exists():
        return form
    without = form.copy()
    del without["parent"]
    return without


def _refusal(error: ValidationError | OperationalError, status: int) -> tuple[str, int]:
    """Return what is said of an action that was refused, and the status that goes with it."""
    if isinstance(error, ValidationError):
        return " ".join(error.messages), status
    if not locking.is_busy(error):
        raise error
    return _("The database is busy. Nothing was changed. Please try again."), 503
