"""Dashboard tasks about public pages, and the lists that they link to."""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from articles import placements, review_checks, silence
from articles.models import Article
from articles.review_checks import BrokenLink
from articles.silence import SilenceAdvice
from quotes import matching
from quotes.models import Quote
from rlm_site.editor import dashboard
from rlm_site.editor.dashboard import Task, TaskCount

BROKEN_LINKS = "admin:articles_article_broken_links"
SILENCE = "admin:articles_article_silence"


def tasks(request: HttpRequest) -> Iterator[Task]:
    if not request.user.has_perm("articles.change_article"):
        return
    due = review_checks.not_reviewed_for_a_year(timezone.now()).count()
    broken = Counter(type(row) for row in {link.row for link in broken_links()})
    yield Task(
        _("Broken links"),
        [TaskCount(broken[model], model, {}, page=BROKEN_LINKS) for model in (Article, Quote)],
        _("There are no broken links."),
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


def with_broken_links() -> Collection[int]:
    """Return the public pages with a link that leads nowhere."""
    return list({link.row.pk for link in broken_links() if isinstance(link.row, Article)})


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
