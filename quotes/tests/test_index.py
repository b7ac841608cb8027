"""The word index is right however a quotation was written."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.db.models import Count, F, Q

from quotes.models import IndexTerm, Quote, QuoteWord, Word
from rlm_site import derived

pytestmark = pytest.mark.django_db


def links(quote: Quote) -> dict[str, tuple[bool, bool]]:
    """Word -> (contained, may be picked)."""
    derived.drain()
    rows = QuoteWord.objects.filter(quote=quote).values_list("word__text", "contained", "rank")
    return {word: (contained, rank > 0) for word, contained, rank in rows}


def made(**fields: object) -> Quote:
    return Quote.objects.create(**{"text": "Armies of the night", "published": True, "status": "reported", **fields})


def by_sql(quote: Quote) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE quotes_quote SET text = 'A wombat' WHERE id = %s", [quote.pk])


WRITES: dict[str, Callable[[Quote], object]] = {
    "save": lambda quote: [setattr(quote, "text", "A wombat"), quote.save()],
    "update": lambda quote: Quote.objects.filter(pk=quote.pk).update(text="A wombat"),
    "bulk_update": lambda quote: [setattr(quote, "text", "A wombat"), Quote.objects.bulk_update([quote], ["text"])],
    "SQL": by_sql,
}


@pytest.mark.parametrize("write", WRITES)
def test_the_index_follows_every_write(write: str) -> None:
    quote = made()
    assert links(quote).keys() == {"armies", "night"}
    WRITES[write](quote)
    assert links(quote).keys() == {"wombat"}


def test_rows_created_in_bulk_are_indexed() -> None:
    Quote.objects.bulk_create([Quote(text="A quagga", key="q1"), Quote(text="Two quaggas", key="q2")])
    assert links(Quote.objects.get(key="q1")) == {"quagga": (True, False)}
    assert Word.objects.get(text="quaggas").form == "quagga"


def test_what_is_deleted_by_another_client_leaves_no_index() -> None:
    quote = made()
    assert links(quote)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM quotes_quote WHERE id = %s", [quote.pk])
    assert not links(quote)


def test_vetoes_and_index_terms() -> None:
    quote = made(text="The armies of Prague march, an army of one")
    IndexTerm.objects.create(quote=quote, word="Army", veto=True)
    IndexTerm.objects.create(quote=quote, word="warfare")
    found = links(quote)
    assert found["armies"] == (True, False)
    assert found["army"] == (True, False)
    assert found["prague"] == (True, True)
    assert found["warfare"] == (False, True)


def test_tags_are_indexed_like_words() -> None:
    quote = made()
    quote.tags.add("zymurgy")
    tag = quote.tags.get()
    assert links(quote)[f"#{tag.pk}"] == (True, True)
    quote.tags.clear()
    assert f"#{tag.pk}" not in links(quote)


def test_counts_of_words_agree_with_the_index() -> None:
    quote = made()
    derived.drain()
    Quote.objects.filter(pk=quote.pk).update(text="Nights, nights and armies")
    derived.drain()
    quote.delete()
    derived.drain()
    counted = Word.objects.annotate(real=Count("links", filter=Q(links__contained=True)))
    assert not counted.exclude(quote_count=F("real")).exists()
