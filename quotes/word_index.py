"""The word index of quotations: the words, tags and editors' index terms under which each is found.

A tag is indexed like a word, under a term that no text can contain, so that one look-up serves both.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import F

from quotes.merits import as_rank, may_be_picked, text_merit, use_merit
from quotes.models import IndexTerm, Quote, QuoteWord, TaggedQuote, Word
from quotes.word_uses import word_uses
from rlm_site.indexing.models import Stale
from rlm_site.indexing.queue import with_ids
from rlm_site.text.words import STOP_WORDS, form, occurrences, words_in

BATCH = 500
MAX_VARIABLES = 5000  # per statement; databases allow tens of thousands


def tag_term(tag_id: int) -> str:
    return f"#{tag_id}"


def quotes_with(path: str) -> Callable[[Sequence[int]], Iterable[tuple[str, int]]]:
    """Return a function for `queue.cascades_to` that yields the quotations related by this path."""

    def related_quotes(ids: Sequence[int]) -> Iterable[tuple[str, int]]:
        for quote_id in Quote.objects.filter(**{f"{path}__in": ids}).values_list("pk", flat=True):
            yield "quote", quote_id

    return related_quotes


def enqueue_collections(ids: Sequence[int]) -> None:
    """Have the quotations of these collections indexed, batch by batch: there may be very many."""
    quotes = Quote.objects.filter(collection__in=ids).order_by("pk").values_list("pk", flat=True)
    Stale.objects.bulk_create((Stale(kind="quote", object_id=pk) for pk in quotes), batch_size=BATCH)


def people_quoted(ids: Sequence[int]) -> Iterable[tuple[str, int]]:
    """Yield the people of these quotations, who may be public or not with them."""
    people = Quote.objects.filter(with_ids("pk", ids)).exclude(person=None).order_by()
    for person_id in people.values_list("person", flat=True).distinct():
        yield "person", person_id


def add_words(words: Iterable[str]) -> dict[str, Word]:
    """Add words to the vocabulary with their base forms, so that rendering a page needs no dictionary."""
    wanted = set(words)
    known = {word.text: word for word in Word.objects.filter(text__in=wanted)} if wanted else {}
    new = [Word(text=text, form=form(text)) for text in sorted(wanted - known.keys())]
    if new:
        Word.objects.bulk_create(new, batch_size=BATCH, ignore_conflicts=True)
        known |= {word.text: word for word in Word.objects.filter(text__in=[word.text for word in new])}
    return known


def _word_ids(words: set[str]) -> dict[str, int]:
    """Return the ids of words, adding those that are new."""
    known: dict[str, int] = {}
    wanted = sorted(words)
    table = connection.ops.quote_name(Word._meta.db_table)
    with connection.cursor() as cursor:
        for start in range(0, len(wanted), MAX_VARIABLES):
            batch = wanted[start : start + MAX_VARIABLES]
            placeholders = ", ".join(["%s"] * len(batch))
            cursor.execute(f"SELECT text, id FROM {table} WHERE text IN ({placeholders})", batch)
            known.update(cursor.fetchall())
    known.update((text, word.pk) for text, word in add_words(words - known.keys()).items())
    return known


def index_quotes(quote_ids: Sequence[int]) -> None:
    """Rebuild the index entries of these quotations, and remove those of deleted ones."""
    terms_by_quote = _terms_by_quote(quote_ids)
    words = _word_ids(set().union(*terms_by_quote.values()))
    rows = QuoteWord.objects.filter(with_ids("quote_id", quote_ids))
    obsolete = {
        (word_id, quote_id): (pk, rank, contained)
        for pk, word_id, quote_id, rank, contained in rows.values_list("pk", "word_id", "quote_id", "rank", "contained")
    }
    count_changes: Counter[int] = Counter()
    for (word_id, _quote_id), (_pk, _rank, contained) in obsolete.items():
        count_changes[word_id] -= contained
    new: list[tuple[int, int, int, bool]] = []
    changed: list[tuple[int, bool, int]] = []
    for quote_id, terms in terms_by_quote.items():
        for text, (rank, contained) in terms.items():
            word_id = words[text]
            count_changes[word_id] += contained
            stored = obsolete.pop((word_id, quote_id), None)
            if stored is None:
                new.append((word_id, quote_id, rank, contained))
            elif stored[1:] != (rank, contained):
                changed.append((rank, contained, stored[0]))
    QuoteWord.objects.filter(pk__in=[pk for pk, _rank, _contained in obsolete.values()]).delete()
    table = connection.ops.quote_name(QuoteWord._meta.db_table)
    with connection.cursor() as cursor:  # for hundreds of thousands of rows, five times as fast as `bulk_create`
        if changed:
            cursor.executemany(f"UPDATE {table} SET rank = %s, contained = %s WHERE id = %s", changed)
        if new:
            new.sort()
            cursor.executemany(f"INSERT INTO {table} (word_id, quote_id, rank, contained) VALUES (%s, %s, %s, %s)", new)
        if changes := sorted((change, word_id) for word_id, change in count_changes.items() if change):
            table = connection.ops.quote_name(Word._meta.db_table)
            cursor.executemany(f"UPDATE {table} SET quote_count = quote_count + %s WHERE id = %s", changes)


def _terms_by_quote(quote_ids: Sequence[int]) -> dict[int, dict[str, tuple[int, bool]]]:
    """Return the terms of each quotation, with their rank and whether the text contains them."""
    columns = ("pk", "text", "status", "auto_pick", "published", "pick_policy")
    rows = Quote.objects.filter(with_ids("pk", quote_ids)).annotate(pick_policy=F("collection__pick_policy"))
    quotes: Any = list(rows.values_list(*columns, named=True))
    by_quote = {quote.pk: words_of(quote) for quote in quotes}
    confirmed = {quote.pk: confirmed_rank(quote) for quote in quotes}
    tagged = TaggedQuote.objects.filter(with_ids("content_object", by_quote)).values_list("content_object_id", "tag_id")
    for quote_id, tag_id in tagged:
        by_quote[quote_id][tag_term(tag_id)] = (confirmed[quote_id], True)
    for term in IndexTerm.objects.filter(with_ids("quote", by_quote)).order_by("veto", "id"):
        terms = by_quote[term.quote_id]
        for found in occurrences(term.word):
            if term.veto:
                vetoed = form(found.word)
                terms.update(
                    {word: (0, contained) for word, (_rank, contained) in terms.items() if form(word) == vetoed}
                )
            else:  # where the text contains the word, the editor confirms its sense
                terms[found.word] = (confirmed[term.quote_id], terms.get(found.word, (0, False))[1])
    return by_quote


def words_of(quote: Any) -> dict[str, tuple[int, bool]]:
    """Return the indexed words of a quotation, each with its rank and True (the text contains it)."""
    if not may_be_picked(quote):  # so it does not matter how it uses them
        return dict.fromkeys(set(words_in(quote.text)) - STOP_WORDS, (0, True))
    merit = text_merit(quote.text)
    uses = word_uses(quote.text)
    return {word: (as_rank(merit + use_merit(use)), True) for word, use in uses.items() if word not in STOP_WORDS}


def confirmed_rank(quote: Any) -> int:
    """Return the rank of a quotation for what editors say of it, its tags and index terms, which nothing gainsays."""
    if not may_be_picked(quote):
        return 0
    return 75 + as_rank(text_merit(quote.text)) // 4
