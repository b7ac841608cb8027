"""`manage.py rebuild_words`: the index is made anew, and what was wrong with it is said."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from quotes.models import Quote, QuoteWord, Word
from rlm_site.indexing import queue

pytestmark = pytest.mark.django_db


def rebuilt() -> list[str]:
    output = StringIO()
    call_command("rebuild_words", stdout=output)
    return [" ".join(line.split()) for line in output.getvalue().splitlines()]


def links() -> set[tuple[int, int, int, bool]]:
    return set(QuoteWord.objects.values_list("word_id", "quote_id", "rank", "contained"))


def test_an_index_that_was_kept_has_no_differences() -> None:
    queue.process_queue()
    before = links()
    assert rebuilt()[-1] == "0 differences"
    assert links() == before


def test_what_only_waits_to_be_derived_is_no_difference() -> None:
    Quote.objects.filter(key="heraclitus-twice-into-the-same-river").update(text="A wombat is nobody's miller.")
    assert rebuilt()[-1] == "0 differences"


def test_every_kind_of_damage_is_found_and_mended() -> None:
    queue.process_queue()
    before, words = links(), set(Word.objects.values_list("text", "form", "quote_count"))
    first, second = QuoteWord.objects.order_by("pk")[:2]
    quote = Quote.objects.exclude(word_links__word=first.word).exclude(pk__in=[first.quote_id, second.quote_id])[0]
    with connection.cursor() as cursor:  # past every trigger
        cursor.execute("DELETE FROM quotes_quoteword WHERE id = %s", [first.pk])
        cursor.execute("UPDATE quotes_quoteword SET rank = rank + 7 WHERE id = %s", [second.pk])
        stray = "INSERT INTO quotes_quoteword (word_id, quote_id, rank, contained) VALUES (%s, %s, 1, true)"
        cursor.execute(stray, [first.word_id, quote.pk])
        cursor.execute(stray, [second.word_id, 987654321])
        cursor.execute("UPDATE quotes_word SET form = 'wombat' WHERE text = 'millers'")
        cursor.execute("UPDATE quotes_word SET quote_count = 99 WHERE text = 'miller'")
    found = rebuilt()
    for line in (
        "1 missing entries",
        "1 entries with a wrong rank",
        "1 superfluous entries",
        "1 entries of deleted quotations",
        "1 words with a wrong form",
    ):
        assert line in found
    assert links() == before
    assert set(Word.objects.values_list("text", "form", "quote_count")) == words
    assert rebuilt()[-1] == "0 differences"
