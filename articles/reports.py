"""Dashboard tasks about public pages, and the lists that they link to."""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from articles import placements, review_checks, silence
from articles.models import Article, Event, Link, Reference, TaggedArticle
from articles.review_checks import BrokenLink, UnsourcedClaim
from articles.silence import SilenceAdvice
from quotes import matching
from quotes.models import Quote
from rlm_site.editor import dashboard
from rlm_site.editor.dashboard import Task, TaskCount

BROKEN_LINKS = "admin:articles_article_broken_links"
SILENCE = "admin:articles_article_silence"
CLAIMS = "admin:articles_article_claims"


def tasks(request: HttpRequest) -> Iterator[Task]:
    if not request.user.has_perm("articles.change_article"):
        return
    due = review_checks.not_reviewed_for_a_year(timezone.now()).count()
    faults = _faults()
    broken = Counter(type(row) for row in {link.row for link in broken_links()})
    yield Task(
        _("Broken links"),
        [TaskCount(broken[model], model, {}, page=BROKEN_LINKS) for model in (Article, Quote)],
        _("There are no broken links."),
    )
    yield Task(
        _("Without citations"),
        [
            TaskCount(len(faults[Article, "no-citations"]), Article, {"check": "no-citations"}),
            TaskCount(len(faults[Event, "no-citations"]), Event, {"check": "no-citations"}),
        ],
        _("Every public page and event cites its sources."),
    )
    unsourced = Counter(type(row) for row in {each.row for each in unsourced_claims()})
    yield Task(
        _("Claims without a source"),
        [TaskCount(unsourced[model], model, {}, page=CLAIMS) for model in (Article, Event)],
        _("No claim on a public page was found to lack its source."),
    )
    yield Task(
        _("Proposed references"),
        [
            TaskCount(len(faults[Reference, "proposed"]), Reference, {"proposed__exact": "1"}),
            TaskCount(len(faults[Article, "proposed-reference"]), Article, {"check": "proposed-reference"}),
        ],
        _("Every reference is confirmed."),
    )
    yield Task(
        _("Without tags"),
        [TaskCount(len(faults[Article, "no-tags"]), Article, {"check": "no-tags"})],
        _("Every public page has tags."),
    )
    yield Task(
        _("Without a good quotation"),
        [TaskCount(len(without_good_quotation()), Article, {"check": "no-quotation"})],
        _("Every page that may show quotations has a good one."),
    )
    yield Task(
        _("Better without picked quotations"),
        [TaskCount(len(pages_advised()), Article, {}, page=SILENCE)],
        _("The site picks no quotations for pages about suffering."),
    )
    yield Task(
        _("Not reviewed for a year"),
        [TaskCount(due, Article, {"review": "due"})],
        _("All pages were reviewed within the last year."),
    )


def broken_links() -> list[BrokenLink]:
    return dashboard.cached_report("broken links", review_checks.broken_links, Article, Quote)


def unsourced_claims() -> list[UnsourcedClaim]:
    return dashboard.cached_report("unsourced claims", review_checks.unsourced_claims, Article, Event)


def pages_claiming(kind: str) -> Collection[int]:
    """Return the public pages with a claim of this kind without its source."""
    found = (each.row for each in unsourced_claims() if each.claim.kind == kind)
    return list({row.pk for row in found if isinstance(row, Article)})


def with_broken_links() -> Collection[int]:
    """Return the public pages with a link that leads nowhere."""
    return list({link.row.pk for link in broken_links() if isinstance(link.row, Article)})


def pages_found(check: str) -> Collection[int]:
    """Return the pages with one of the faults that a query finds: `no-citations`, `no-tags`, `proposed-reference`."""
    return _faults()[Article, check]


def events_found(check: str) -> Collection[int]:
    return _faults()[Event, check]


def _faults() -> dict[tuple[type[Model], str], Collection[int]]:
    return dashboard.cached_report("faults", _find_faults, Article, Event)


def _find_faults(now: datetime) -> dict[tuple[type[Model], str], Collection[int]]:
    citations = Link.objects.filter(source_kind="article", kind=Link.Kind.CITATION)
    of_page = citations.filter(source_id=OuterRef("pk"), is_draft=False)
    # The index has those of facts and events, too; they say nothing for the text.
    cites = Q(Exists(of_page), body__contains="[@")
    tagged = TaggedArticle.objects.filter(content_object=OuterRef("pk"))
    proposed = Reference.objects.filter(proposed=True)
    citing = citations.filter(lookup__in=proposed.values(folded=Lower("key")))  # drafts, too: before they are public
    public = Article.objects.published(now)
    found: dict[tuple[type[Model], str], QuerySet[Any]] = {
        (Article, "no-citations"): public.exclude(body="").filter(~cites),
        (Event, "no-citations"): Event.objects.published(now).exclude(text__contains="[@"),
        (Article, "no-tags"): public.filter(~Exists(tagged)),
        (Reference, "proposed"): proposed,
        (Article, "proposed-reference"): Article.objects.filter(pk__in=citing.values("source_id")),
    }
    return {key: list(rows.order_by().values_list("pk", flat=True)) for key, rows in found.items()}


def pages_advised() -> list[SilenceAdvice]:
    return dashboard.cached_report("silence", silence.pages_advised, Article)


def without_good_quotation() -> Collection[int]:
    """Return pages that want quotations, but show none that contains a heading word or was chosen."""
    return dashboard.cached_report("good quotations", _find_without_good_quotation, Article, Quote)


def _find_without_good_quotation(now: datetime) -> Collection[int]:
    return [
        article.pk
        for article, block in placements.blocks_by_article(now)
        if article.applied_quotations != Article.Quotations.NONE and (not block or block.rule is matching.Rule.TAG)
    ]
