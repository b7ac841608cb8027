"""The views of versions of pages: a version, all of them, what changed between two, and how to cite one."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import NamedTuple

from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from articles import citing, successors, versions, views
from articles.models import Article, Version
from rlm_site.history import diff
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.page_cache.decorators import public_page
from rlm_site.redirects import redirects
from rlm_site.text.slugs import reverse

VERSIONS = "versions"  # the last part of the address of the list, which sections cannot have any more
FILES: dict[str, tuple[str, Callable[[list[citing.Work]], str]]] = {
    "bib": ("text/x-bibtex", citing.bibtex),
    "ris": ("application/x-research-info-systems", citing.ris),
}


class Found(NamedTuple):
    """A public page with its versions, the newest first, without their content."""

    article: Article
    versions: list[Version]
    now: datetime

    def version(self, number: int) -> Version:
        for version in self.versions:
            if version.number == number:
                return version
        raise Http404(_("There is no such version."))

    def kept(self, number: int) -> Version:
        return versions.kept(self.article, self.version(number), self.now)


@public_page
def version_list(request: HttpRequest, topic_slug: str, slug: str = "") -> HttpResponse:
    """List the versions of a page. A section that has this address from before it was reserved is still served."""
    if not slug and successors.find_at(topic_slug, VERSIONS):
        response: HttpResponse = views.section(request, topic_slug, VERSIONS)
        return response
    found = _find(request, topic_slug, slug)
    if isinstance(found, HttpResponse):
        return found
    rows = [
        {
            "version": each,
            "address": versions.address_of(found.article, each.number),
            "since": versions.address_of(found.article, each.number, f"since/{each.number - 1}/"),
            "kind": capfirst(str(Revision.Kind(each.kind).label)),
        }
        for each in found.versions
    ]
    return _page(request, "articles/versions.html", {"article": found.article, "versions": rows})


@public_page
def version(request: HttpRequest, topic_slug: str, number: int, slug: str = "") -> HttpResponse:
    """Show a page as it was in a version, whatever has changed since."""
    found = _find(request, topic_slug, slug)
    if isinstance(found, HttpResponse):
        return found
    kept = found.kept(number)
    newest = found.versions[0]
    context = {
        "article": found.article,
        "version": kept,
        "title": versions.full_title(kept),
        "html": _html(kept),
        "newest": None if newest.number == number else newest,
        "newer": newest.number - number,
        "newest_address": versions.address_of(found.article, newest.number),
        "changes": versions.address_of(found.article, newest.number, f"since/{number}/"),
        "cite": versions.citation_of(found.article, kept),
        "list": versions.address_of(found.article),
    }
    return _page(request, "articles/version.html", context)


@public_page
def changes(request: HttpRequest, topic_slug: str, number: int, older: int, slug: str = "") -> HttpResponse:
    """Show what changed from one version to a later one, as readers saw both."""
    found = _find(request, topic_slug, slug)
    if isinstance(found, HttpResponse):
        return found
    if older >= number:
        raise Http404(_("There is no such version."))
    before, after = found.kept(older), found.kept(number)
    context = {
        "article": found.article,
        "title": versions.full_title(after),
        "sides": [
            {"version": each, "address": versions.address_of(found.article, each.number)} for each in (before, after)
        ],
        "before_label": _("Version %(number)s") % {"number": older},
        "after_label": _("Version %(number)s") % {"number": number},
        "differences": diff.differences(Article, versions.comparable(before), versions.comparable(after)),
        "list": versions.address_of(found.article),
    }
    return _page(request, "articles/version_changes.html", context)


@public_page
def cite(request: HttpRequest, topic_slug: str, number: int, slug: str = "") -> HttpResponse:
    """Show how to cite a version today. The page is good until the day ends."""
    found = _find(request, topic_slug, slug)
    if isinstance(found, HttpResponse):
        return found
    cited = found.kept(number)
    work = versions.work_of(found.article, cited, timezone.localdate(found.now))
    context = {
        "article": found.article,
        "version": cited,
        "title": versions.full_title(cited),
        "chicago": citing.chicago(work),
        "files": [
            (name, versions.address_of(found.article, number, f"cite.{ending}"), write([work]))
            for name, (ending, (_type, write)) in zip(("BibTeX", "RIS"), FILES.items(), strict=True)
        ],
        "address": versions.address_of(found.article, number),
        "list": versions.address_of(found.article),
    }
    return _until_midnight(_page(request, "articles/version_cite.html", context), found.now)


@public_page
def citation_file(request: HttpRequest, topic_slug: str, number: int, ending: str, slug: str = "") -> HttpResponse:
    """Answer with the citation of a version, with the date of today, as a file for programs that keep citations."""
    found = _find(request, topic_slug, slug)
    if isinstance(found, HttpResponse):
        return found
    work = versions.work_of(found.article, found.kept(number), timezone.localdate(found.now))
    response = as_file([work], f"{work.key}.{ending}", ending)
    response["X-Robots-Tag"] = "noindex"
    return _until_midnight(response, found.now)


def as_file(works: list[citing.Work], name: str, ending: str) -> HttpResponse:
    content_type, write = FILES[ending]
    response = HttpResponse(write(works), content_type=f"{content_type}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _html(version: Version) -> SafeString:
    return mark_safe(version.html)  # noqa: S308 - made by our own template


def _page(request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    response = render(request, template, context)
    response["X-Robots-Tag"] = "noindex"
    return response


def _until_midnight(response: HttpResponse, now: datetime) -> HttpResponse:
    tomorrow = timezone.localdate(now) + timedelta(days=1)
    response.valid_until = timezone.make_aware(datetime.combine(tomorrow, time()))  # type: ignore[attr-defined]
    return response


def _find(request: HttpRequest, topic_slug: str, slug: str) -> Found | HttpResponse:
    """Return the public page at this address with its versions, or the answer of a page that is not there."""
    now = timezone.now()
    queue.ensure_indexed()
    rows = Article.objects.published(now).select_related("parent")
    if slug:
        article = rows.filter(parent__slug=topic_slug, parent__parent=None, slug=slug).first()
    else:
        article = rows.filter(parent=None, slug=topic_slug).first()
    if article is None:
        return _elsewhere(request, topic_slug, slug, now)
    if article.parent is None and article.is_gloss and not versions.of_article(article).exists():
        raise Http404
    return Found(article, versions.all_of(article, now), now)


def _elsewhere(request: HttpRequest, topic_slug: str, slug: str, now: datetime) -> HttpResponse:
    """Withdraw the versions with their page, follow a page to its new address, or answer 404."""
    page = reverse("articles:section", [topic_slug, slug]) if slug else reverse("articles:topic", [topic_slug])
    if withdrawn := successors.withdrawn_article(topic_slug, slug, now):
        return render(request, "410.html", {"withdrawn_on": withdrawn.retire_at}, status=410)
    known = redirects.find(page, now)
    if known.target.endswith("/"):
        return HttpResponsePermanentRedirect(known.target + request.path.removeprefix(page))
    if known.is_deleted:
        reason = _("It was deleted, and no other page replaces it.")
        return render(request, "410.html", {"reason": reason}, status=410)
    raise Http404
