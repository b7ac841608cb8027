"""The word index of quotations: which words, tags and editors' index terms each is found under. Derived data.

A tag is indexed like a word, under a term that no text can contain, so that one look-up serves both.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from django.db.models import F

from quotes.models import IndexTerm, Quote, QuoteWord, TaggedQuote, Word
from quotes.words import STOP_WORDS, form, occurrences

BATCH = 500


def tag_term(tag_id: int) -> str:
    return f"#{tag_id}"


def static_rank(quote: Quote) -> int:
    """From 1 to 100, and 0 for what the site may not pick: status first, then a length that reads well."""
    if not (quote.published and quote.auto_pick and quote.status in Quote.PICKED_STATUSES):
        return 0
    length = len(quote.text)
    if length < 30:
        fitting = 20
    elif length <= 350:
        fitting = 50
    else:
        fitting = max(1, 50 - (length - 350) // 20)
    return fitting + (50 if quote.status == Quote.Status.VERIFIED else 30)


def quotes_with(path: str) -> Callable[[Sequence[int]], Iterable[tuple[str, int]]]:
    """For `derived.spreads`: the quotations that reach objects of another kind by this path."""

    def spread(ids: Sequence[int]) -> Iterable[tuple[str, int]]:
        for quote_id in Quote.objects.filter(**{f"{path}__in": ids}).values_list("pk", flat=True):
            yield "quote", quote_id

    return spread


def learn(words: Iterable[str]) -> dict[str, Word]:
    """Put words into the vocabulary, with their forms; a reader's page then needs no dictionary."""
    wanted = set(words)
    known = {word.text: word for word in Word.objects.filter(text__in=wanted)}
    new = [Word(text=text, form=form(text)) for text in sorted(wanted - known.keys())]
    if new:
        Word.objects.bulk_create(new, batch_size=BATCH, ignore_conflicts=True)
        known = {word.text: word for word in Word.objects.filter(text__in=wanted)}
    return known


def rebuild(quote_ids: Sequence[int]) -> None:
    """Make the index of these quotations anew; of those that are gone nothing is left."""
    wanted = _wanted(quote_ids)
    words = learn(text for terms in wanted.values() for text in terms)
    links = {
        (words[text].pk, quote_id): (rank, contained)
        for quote_id, terms in wanted.items()
        for text, (rank, contained) in terms.items()
    }
    present = {(link.word_id, link.quote_id): link for link in QuoteWord.objects.filter(quote_id__in=quote_ids)}

    changes: Counter[int] = Counter()
    gone = [link for key, link in present.items() if key not in links]
    for link in gone:
        changes[link.word_id] -= link.contained
    changed = []
    for key, (rank, contained) in links.items():
        old = present.get(key)
        if old and (old.rank, old.contained) != (rank, contained):
            changes[old.word_id] += contained - old.contained
            old.rank, old.contained = rank, contained
            changed.append(old)
    new = [
        QuoteWord(word_id=word_id, quote_id=quote_id, rank=rank, contained=contained)
        for (word_id, quote_id), (rank, contained) in sorted(links.items())
        if (word_id, quote_id) not in present
    ]
    for link in new:
        changes[link.word_id] += link.contained

    QuoteWord.objects.filter(pk__in=[link.pk for link in gone]).delete()
    QuoteWord.objects.bulk_update(changed, ["rank", "contained"], batch_size=BATCH)
    QuoteWord.objects.bulk_create(new, batch_size=BATCH)
    by_change: dict[int, list[int]] = defaultdict(list)
    for word_id, change in changes.items():
        if change:
            by_change[change].append(word_id)
    for change, word_ids in by_change.items():
        Word.objects.filter(pk__in=word_ids).update(quote_count=F("quote_count") + change)


def _wanted(quote_ids: Sequence[int]) -> dict[int, dict[str, tuple[int, bool]]]:
    """Quotation id -> term -> rank and whether the text contains it."""
    quotes = Quote.objects.filter(pk__in=quote_ids).only("text", "status", "auto_pick", "published")
    ranks = {quote.pk: static_rank(quote) for quote in quotes}
    wanted: dict[int, dict[str, tuple[int, bool]]] = {
        quote.pk: {
            found.word: (ranks[quote.pk], True) for found in occurrences(quote.text) if found.word not in STOP_WORDS
        }
        for quote in quotes
    }
    tagged = TaggedQuote.objects.filter(content_object__in=ranks).values_list("content_object_id", "tag_id")
    for quote_id, tag_id in tagged:
        wanted[quote_id][tag_term(tag_id)] = (ranks[quote_id], True)
    for term in IndexTerm.objects.filter(quote__in=ranks):
        terms = wanted[term.quote_id]
        for found in occurrences(term.word):
            if term.veto:
                vetoed = form(found.word)
                terms.update(
                    {word: (0, contained) for word, (_rank, contained) in terms.items() if form(word) == vetoed}
                )
            else:
                terms.setdefault(found.word, (ranks[term.quote_id], False))
    return wanted
