"""The views of the bibliography. Any change may bring a work to it, so that they have no cache tags."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from articles import citations, topics
from articles.models import Article, Reference
from articles.version_views import as_file
from rlm_site.indexing import queue
from rlm_site.page_cache.decorators import public_page

ALL = "all"  # the name of the file with the works of all groups


@public_page
def reference_list(request: HttpRequest) -> HttpResponse:
    """List the works that public pages cite, in groups, each with these pages."""
    works = _cited()
    groups = [
        (group, [(each, citations.in_bibliography(each), works[each]) for each in of_group])
        for group, of_group in citations.grouped(works)
    ]
    return render(request, "articles/references.html", {"groups": groups, "count": len(works), "all": ALL})


@public_page
def export(request: HttpRequest, slug: str, ending: str) -> HttpResponse:
    """Answer with the works of a group, or with all, as a file for programs that keep citations."""
    groups = dict(citations.grouped(_cited()))
    found = [each for group, of_group in groups.items() if slug in {ALL, group.slug} for each in of_group]
    if slug not in {ALL, *(group.slug for group in groups)}:
        raise Http404
    name = "bibliography" if slug == ALL else slug
    return as_file([citations.as_work(each) for each in found], f"{name}.{ending}", ending)


def _cited() -> dict[Reference, list[Article]]:
    """Return the works that public pages cite, with these pages. Two queries."""
    queue.ensure_indexed()
    citing = topics.articles_by_reference(timezone.now())
    rows = Reference.objects.filter(queue.sound("reference"))
    return {row: citing[row.key.lower()] for row in rows if row.key.lower() in citing}
