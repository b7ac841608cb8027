"""Explanations for editors: why a page shows its quotations, and why it does not show another one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from quotes import matching
from quotes.matching import BLOCK_SIZE, FALLBACK_ORDER, LEAST, Block, Candidates, Hit, MatchRequest, Pick, Rule
from quotes.models import Quote, QuoteWord, Word
from quotes.word_index import add_words
from rlm_site.publishing.visibility import is_public_at
from rlm_site.text.words import form

RUNNERS_UP = 10


@dataclass(frozen=True)
class WordReport:
    """A word of the heading: why it is ignored (empty: it is used), and how many quotations contain each form of it."""

    text: str
    ignored: str
    forms: tuple[tuple[str, int], ...]

    @property
    def hits(self) -> int:
        return sum(count for _form, count in self.forms)


@dataclass(frozen=True)
class Explanation:
    page: MatchRequest
    words: tuple[WordReport, ...]
    block: Block
    runners_up: tuple[Pick, ...]
    stale_pins: frozenset[int]  # pinned quotations that contain no word of the heading
    shown_elsewhere: dict[int, int]  # quotation -> index of the page of the topic that shows it


def explain(topic: matching.Topic, index: int, now: datetime) -> Explanation:
    """Explain the page at this position of its topic; its heading may be unsaved."""
    page = topic[index]
    add_words(word.word for word in page.heading_words() if not word.ignored)
    candidates = Candidates(topic, now)
    blocks = matching.blocks([topic], now)[0]
    block = blocks[index]
    _rule, found = candidates.first_rule_with_a_hit(page, FALLBACK_ORDER)
    shown = {pick.quote.pk for pick in block.picks}
    others = [pick for pick in found if pick.quote.pk not in shown]
    others.sort(key=lambda pick: (-round(pick.total, 6), pick.quote.pk))
    elsewhere = {
        pick.quote.pk: other_index
        for other_index, other_block in enumerate(blocks)
        if other_index != index
        for pick in other_block.picks
    }
    pins_without_word = {pick.quote.pk for pick in block.picks if pick.rule is Rule.CHOSEN and not pick.words}
    return Explanation(
        page, _word_reports(page), block, tuple(others[:RUNNERS_UP]), frozenset(pins_without_word), elsewhere
    )


def _word_reports(page: MatchRequest) -> tuple[WordReport, ...]:
    used = {word.word: form(word.word) for word in page.heading_words() if not word.ignored}
    counts: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for word in Word.objects.filter(form__in=used.values(), quote_count__gt=0).order_by("-quote_count", "text"):
        counts[word.form].append((word.text, word.quote_count))
    return tuple(
        WordReport(word.text, word.ignored, tuple(counts[used[word.word]]) if not word.ignored else ())
        for word in page.heading_words()
    )


def why_not_shown(quote: Quote, explanation: Explanation, headings: Sequence[str], now: datetime) -> str:
    """Return the reason why a page does not show a quotation; `headings` are those of the topic's pages in order."""
    page, block = explanation.page, explanation.block
    if any(pick.quote.pk == quote.pk for pick in block.picks):
        return _("It is shown.")
    return (
        _not_allowed(quote, page, now)
        or _no_hit(quote, page, block)
        or _another_is_better(quote, explanation, headings)
    )


def _not_allowed(quote: Quote, page: MatchRequest, now: datetime) -> str:
    if quote.pk in page.bans:
        return _("It is banned here or on the topic.")
    if not is_public_at(quote, now):
        return _("It is not public.")
    if quote.status == Quote.Status.MISATTRIBUTED:
        return _("It is misattributed, so it is shown on its own page only.")
    if quote.pk in page.pins:
        return _("It is pinned, but the first %(count)d pinned quotations fill the block.") % {"count": BLOCK_SIZE}
    if not page.automatic:
        return _("The page shows only quotations chosen by editors, or none.")
    if quote.status not in Quote.PICKED_STATUSES:
        return _(
            "Its status is “%(status)s”; the site picks only verified and reported quotations. It can be pinned."
        ) % {"status": quote.get_status_display()}
    if not quote.auto_pick:
        return _("“May be picked by the site” is off. It can be pinned.")
    if quote.collection and quote.collection.is_pinned_only:
        return _("Its collection “%(collection)s” is shown only where pinned.") % {"collection": quote.collection}
    return ""


def _no_hit(quote: Quote, page: MatchRequest, block: Block) -> str:
    forms = {form(word) for word in page.used_words()}
    links = list(QuoteWord.objects.filter(quote=quote, word__form__in=forms).select_related("word"))
    shared = {name for tag, name, brings in page.tags if brings} & set(quote.tags.names())
    if not links and not (shared and block.rule in {None, Rule.TAG}):
        if shared:
            return _("It shares the tag “%(tag)s”, but other quotations contain a word of the heading.") % {
                "tag": min(shared)
            }
        return _("It contains no word of the heading, in any form.")
    if links and all(link.rank == 0 for link in links):
        words = ", ".join(sorted(link.word.text for link in links))
        return _("An editor banned it for the word “%(words)s”.") % {"words": words}
    if links and (too_little := _says_too_little(page, links)):
        return too_little
    rules = {
        Rule.WORD: any(link.contained and link.word.text in page.used_words() for link in links),
        Rule.FORM: any(link.contained for link in links),
        Rule.INDEX: bool(links),
    }
    if block.rule in rules and not rules[block.rule]:
        return _("Other quotations match the heading better: %(line)s") % {"line": block.line}
    return ""


def _says_too_little(page: MatchRequest, links: Sequence[QuoteWord]) -> str:
    requested = {form(word): word for word in page.used_words()}
    hits = [Hit(requested[link.word.form], link.word.text, link.rank) for link in links if link.rank]
    exact = [hit for hit in hits if hit.requested == hit.word]
    found = matching.answer(page, Rule.WORD if exact else Rule.FORM, exact or hits)
    if found is None:
        names = (" ".join(phrase.words) for phrase in page.phrases() if phrase.is_name)
        return _("It contains only a part of the name “%(name)s”.") % {"name": next(names)}
    if found.total < LEAST:
        return _("It says too little about “%(words)s”: its score is %(score)d, and %(least)d are needed.") % {
            "words": ", ".join(found.words),
            "score": found.total,
            "least": LEAST,
        }
    return ""


def _another_is_better(quote: Quote, explanation: Explanation, headings: Sequence[str]) -> str:
    picks = explanation.block.picks
    if quote.pk in explanation.shown_elsewhere:
        heading = headings[explanation.shown_elsewhere[quote.pk]]
        return _("It is shown on “%(heading)s”, in the same topic.") % {"heading": heading}
    for pick in picks:
        if quote.person_id and pick.quote.person_id == quote.person_id:
            return _("Another quotation by %(name)s is shown.") % {"name": pick.quote.name}
        if quote.work_id and pick.quote.work_id == quote.work_id:
            return _("Another quotation from %(work)s is shown.") % {"work": pick.quote.work}
    return _("Other quotations have a higher score.")
