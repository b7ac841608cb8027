"""The quotations of an article beside its form, why they are shown, and its editors' choices.

The panel is made of the form as it stands, saved or not, so an editor sees the effect of a new heading before saving.
A choice is separate from the text: it acts at once, stands in the history by itself, and is in nobody's way.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.http import QueryDict
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from articles import placements, topics
from articles.form_preview import with_form_values
from articles.models import Article, QuoteChoice
from quotes import explanations, matching
from quotes.explanations import Explanation
from quotes.matching import Pick
from quotes.models import IndexTerm, Quote, QuoteWord
from rlm_site.history import revisions
from rlm_site.history.drafts import Draft
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.publishing.models import Publishable
from rlm_site.text.words import STOP_WORDS, form, occurrences

MOST_FOUND = 8
LONGEST_REASON = 300
PICKED_BY = ("title", "body", "quotations", "quote_words", "parent_id", "position")


@dataclass(frozen=True)
class Found:
    quote: Quote
    kept_out: str


@dataclass(frozen=True)
class Panel:
    article: Article
    explanation: Explanation
    headings: tuple[str, ...]
    shown: tuple[tuple[Pick, str], ...]  # with the reason an editor gave for a pin
    idle_pins: tuple[tuple[QuoteChoice, str], ...]  # with what keeps them out
    bans: tuple[QuoteChoice, ...]
    asked: str
    found: tuple[Found, ...]
    differs: bool  # from what is saved
    followers: int  # sections of this topic whose setting is that of the topic

    @property
    def setting(self) -> str:
        """Return which setting of quotations applies, and whence."""
        applied = self.article.applied_quotations
        label = str(dict(Article.Quotations.choices).get(applied, applied))
        if self.article.parent and self.article.quotations == Article.Quotations.TOPIC:
            return _("%(setting)s, as the topic “%(topic)s”") % {"setting": label, "topic": self.article.parent.title}
        return label


def build_panel(
    draft: Draft[Article], form_data: QueryDict | dict[str, Any], quotes: QuerySet[Quote], now: datetime
) -> Panel:
    """Return what the page would show with the form as it is now, for who may read these quotations.

    A fixed number of queries.
    """
    queue.process_queue()
    typed = with_form_values(draft, form_data)
    article = typed.row
    topic = topics.with_unsaved(article, typed.tags, now)
    place = topic.articles.index(article)
    explanation = explanations.explain(topic.pages(), place, now)
    headings = tuple(row.title for row in topic.articles)
    choices = list(
        QuoteChoice.objects.filter(article__in={article.pk, article.topic.pk}, quote__in=quotes)
        .select_related("quote__person", "quote__work", "quote__quoted_in", "article")
        .order_by("position", "id")
    )
    pins = [row for row in choices if row.action == QuoteChoice.Action.PIN and row.article_id == article.pk]
    reasons = {pin.quote_id: pin.reason for pin in pins}
    shown = tuple((pick, reasons.get(pick.quote.pk, "")) for pick in explanation.block.picks)
    idle = [pin for pin in pins if pin.quote_id not in {pick.quote.pk for pick, _reason in shown}]
    asked = str(form_data.get("quotation_search", "")).replace("\0", "").strip()
    return Panel(
        article,
        explanation,
        headings,
        shown,
        tuple((pin, explanations.why_not_shown(pin.quote, explanation, headings, now)) for pin in idle),
        tuple(row for row in choices if row.action == QuoteChoice.Action.BAN),
        asked,
        tuple(
            Found(quote, explanations.why_not_shown(quote, explanation, headings, now))
            for quote in _matching(asked, quotes)
        ),
        _picked_by(typed) != _picked_by(draft),
        sum(row.quotations == Article.Quotations.TOPIC for row in topic.sections) if article is topic.article else 0,
    )


def _picked_by(draft: Draft[Article]) -> list[Any]:
    return [*(getattr(draft.row, name) for name in PICKED_BY), sorted(draft.tags)]


def _matching(asked: str, rows: Any) -> list[Quote]:
    """Quotations among these with all these words in their text, or by a person of this name, or with this key."""
    words = {found.word for found in occurrences(asked)}
    words = words - STOP_WORDS or words  # which are not indexed
    if not words:
        return []
    for word in sorted(words)[:6]:
        containing = QuoteWord.objects.filter(word__text__startswith=word, contained=True).values("quote")
        rows = rows.filter(
            Q(pk__in=containing) | Q(person__name__icontains=word) | Q(person__sort_name__icontains=word) | Q(key=asked)
        )
    return list(rows.for_display().order_by("id")[:MOST_FOUND])


@transaction.atomic
def apply_action(
    article: Article,
    action: str,
    quote: Quote,
    *,
    word: str = "",
    instead_of: Quote | None = None,
    reason: str = "",
    author: User | None = None,
) -> str:
    """One choice of an editor; it acts at once. Returns what was done, in words. Raises ValidationError."""
    stored = Article.objects.select_for_update().get(pk=article.pk)  # choices for one page wait for each other
    choices = QuoteChoice.objects.filter(article=article)
    if action == "pin":
        _refuse_misattributed(quote)
        _choose(article, quote, QuoteChoice.Action.PIN, reason)
        done = _("Pinned.")
    elif action == "ban":
        _choose(article, quote, QuoteChoice.Action.BAN, reason)
        done = _("Banned here.")
    elif action == "release":
        choices.filter(quote=quote).delete()
        done = _("No longer pinned or banned here.")
    elif action == "swap":
        if instead_of is None:
            raise ValidationError(_("Choose the quotation to replace."))
        _refuse_misattributed(quote)
        _choose(article, instead_of, QuoteChoice.Action.BAN, reason)
        _choose(article, quote, QuoteChoice.Action.PIN, reason)
        done = _("Swapped: the new quotation is pinned, the old one is banned here.")
    elif action in {"up", "down"}:
        _move(article, quote, -1 if action == "up" else 1)
        done = _("Moved.")
    elif action == "veto":
        _veto(quote, word)
        done = _("Banned everywhere for the word “%(word)s”.") % {"word": word}
    else:
        raise ValidationError(_("Unknown action: %(action)s."), params={"action": action})
    comment = " ".join(filter(None, [done, f"“{Truncator(quote.text).words(8)}”", reason]))
    _record(stored, author, comment)
    if action == "veto":
        _record(Quote.objects.get(pk=quote.pk), author, comment)
    queue.process_queue()
    return done


def _record(row: Publishable, author: User | None, comment: str) -> None:
    state = Revision.State.PUBLISHED if row.published else Revision.State.DRAFT
    revisions.record_revision(row, state=state, act=Revision.Act.CHOICES, author=author, comment=comment)


def _refuse_misattributed(quote: Quote) -> None:
    if quote.status == Quote.Status.MISATTRIBUTED:
        raise ValidationError(_("A misattributed quotation cannot be pinned. It is shown on its own page only."))


def _choose(article: Article, quote: Quote, action: str, reason: str) -> None:
    last = QuoteChoice.objects.filter(article=article, action=action).aggregate(last=Max("position"))["last"]
    QuoteChoice.objects.update_or_create(
        article=article, quote=quote, defaults={"action": action, "position": (last or 0) + 1, "reason": reason}
    )


def _move(article: Article, quote: Quote, step: int) -> None:
    pins = list(QuoteChoice.objects.filter(article=article, action=QuoteChoice.Action.PIN).order_by("position", "id"))
    places = [pin.quote_id for pin in pins]
    if quote.pk not in places:
        raise ValidationError(_("Only pinned quotations can be moved. Pin it first."))
    place = places.index(quote.pk)
    other = min(max(place + step, 0), len(pins) - 1)
    pins.insert(other, pins.pop(place))
    for position, pin in enumerate(pins, 1):
        if pin.position != position:
            pin.position = position
            pin.save()


def _veto(quote: Quote, word: str) -> None:
    forms = {form(found.word) for found in occurrences(word)}
    contained = QuoteWord.objects.filter(quote=quote, contained=True, word__form__in=forms)
    if not forms or not contained.exists():
        raise ValidationError(_("The quotation does not contain the word “%(word)s”."), params={"word": word})
    IndexTerm.objects.update_or_create(quote=quote, word=word, defaults={"veto": True})


# What is missing on the whole site


@dataclass(frozen=True)
class Coverage:
    unanswered: tuple[Article, ...]  # want quotations and have none that contains a word of the heading
    by_tag_only: tuple[Article, ...]
    never_shown: tuple[Quote, ...]
    never_shown_count: int
    often_shown: tuple[tuple[Quote, int], ...]


def quotation_coverage(now: datetime, most: int = 200, often: int = 5) -> Coverage:
    """Pages without a good quotation, and quotations shown never or on very many pages."""
    shown: dict[int, int] = {}
    unanswered, by_tag = [], []
    for article, block in placements.blocks_by_article(now):
        for pick in block.picks:
            shown[pick.quote.pk] = shown.get(pick.quote.pk, 0) + 1
        if article.applied_quotations == Article.Quotations.NONE:
            continue
        if not block:
            unanswered.append(article)
        elif block.rule is matching.Rule.TAG:
            by_tag.append(article)
    never = (
        Quote.objects.published(now).listed().exclude(pk__in=shown).for_display().order_by("person__sort_name", "id")
    )
    frequent = sorted(((count, pk) for pk, count in shown.items() if count >= often), reverse=True)[:most]
    rows = Quote.objects.for_display().in_bulk([pk for _count, pk in frequent])
    return Coverage(
        tuple(unanswered[:most]),
        tuple(by_tag[:most]),
        tuple(never[:most]),
        never.count(),
        tuple((rows[pk], count) for count, pk in frequent),
    )
