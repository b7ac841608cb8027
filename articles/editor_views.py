"""Beside an article's form while somebody writes: checks, preview, what to link and cite, links for reviewers."""

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_replace, csp_update
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import formats, timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from articles import link_picker, previews, review_checks, views
from articles.form_preview import with_form_values
from articles.models import Article
from rlm_site.editor.content_warnings import ContentWarning
from rlm_site.editor.publishable import PublishableAdmin
from rlm_site.history import revisions
from rlm_site.text import json_ld


class WritingAdmin(PublishableAdmin):
    """Pages and fragments beside the form of an article, each made of the form as it stands, saved or not."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("add/preview/", view(self.preview_view), name="articles_article_preview"),
            path("<int:pk>/preview/", view(self.preview_view), name="articles_article_preview"),
            path("add/checks/", view(self.checks_view), name="articles_article_checks"),
            path("<int:pk>/checks/", view(self.checks_view), name="articles_article_checks"),
            path("pages/", view(self.pages_view), name="articles_article_pages"),
            path("references/", view(self.references_view), name="articles_article_references"),
            path("<int:pk>/preview-links/", view(self.preview_links_view), name="articles_article_preview_links"),
            *super().get_urls(),
        ]

    @method_decorator(csp_update({"frame-src": [SELF]}))  # for the preview
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(*args, **kwargs)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        row = context.get("original")
        if self.has_change_permission(request, row) if row else self.has_add_permission(request):
            key = [row.pk] if row else []
            context["preview_address"] = reverse("admin:articles_article_preview", args=key)
            context["checks_address"] = reverse("admin:articles_article_checks", args=key)
            context["content_warnings"] = self.content_warnings(with_form_values(row or Article(), request.POST))
        return super().render_change_form(request, context, *args, **kwargs)

    def content_warnings(self, obj: Article) -> list[ContentWarning]:
        return review_checks.check_article(obj, timezone.now())

    def checks_view(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        content_warnings = self.content_warnings(self._in_hand(request, pk))
        return render(request, "articles/editor/_checks.html", {"content_warnings": content_warnings})

    @method_decorator([xframe_options_sameorigin, csp_replace({"frame-ancestors": [SELF]})])
    def preview_view(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        article = self._in_hand(request, pk)
        article.title = article.title or _("Without a title")
        return views.preview_of(request, article)

    def _in_hand(self, request: HttpRequest, pk: int | None) -> Article:
        """With its working copy and the form laid over it; for whoever may change it."""
        if pk is None:
            if not self.has_add_permission(request):
                raise PermissionDenied
            return with_form_values(Article(), request.POST or request.GET)
        article: Article | None = self.get_object(request, str(pk))
        if article is None:
            raise Http404
        if not self.has_change_permission(request, article):
            raise PermissionDenied
        return with_form_values(article, request.POST)

    previews_versions = True

    def preview(self, request: HttpRequest, row: Any) -> HttpResponse:
        """One version, from the history."""
        return views.preview_of(request, row)

    # What to link and cite

    def pages_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return JsonResponse({"results": link_picker.find_articles(request.GET.get("q", ""), timezone.now())})

    def references_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return JsonResponse({"results": link_picker.find_references(request.GET.get("q", ""))})

    # Links for reviewers

    def preview_links_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        article = get_object_or_404(Article.objects.select_related("parent"), pk=pk)
        if not self.has_change_permission(request, article):
            raise PermissionDenied
        if request.method == "POST":
            said = self._revoke(request, article) if "revoke" in request.POST else self._make(request, article)
            self.log_change(request, article, said)
            messages.success(request, said)
            return HttpResponseRedirect(request.path)
        now = timezone.now()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Preview links"),
            "original": article,
            "opts": self.opts,
            "good_for": previews.LIFETIME.days,
            "links": [
                (link, json_ld.absolute(previews.link_address(link)) if previews.is_valid(link, now) else "")
                for link in previews.preview_links_of(article)
            ],
        }
        return render(request, "articles/editor/preview_links.html", context)

    @staticmethod
    def _make(request: HttpRequest, article: Article) -> str:
        """Of the newest version of the text."""
        revisions.record_external_changes(article)
        newest = revisions.working_copy(article) or revisions.published_revision(article)
        assert newest is not None  # noqa: S101 - the history begins with what was just noticed
        link = previews.create_link(newest, request.user)  # type: ignore[arg-type]
        return _("A preview link for version %(number)d, good until %(time)s.") % {
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
        return _("The preview link for version %(number)d is taken back.") % {"number": link.revision.number}
