"""The word index is right however a quotation was written."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.db.models import Count, F, Q

from quotes import word_index
from quotes.models import IndexTerm, Quote, QuoteWord, Word
from rlm_site.indexing import queue

pytestmark = pytest.mark.django_db


def links(quote: Quote) -> dict[str, tuple[bool, bool]]:
    """Word -> (contained, may be picked)."""
    queue.process_queue()
    rows = QuoteWord.objects.filter(quote=quote).values_list("word__text", "contained", "rank")
    return {word: (contained, rank > 0) for word, contained, rank in rows}


def made(**fields: object) -> Quote:
    return Quote.objects.create(**{"text": "Armies of the night", "published": True, "status": "reported", **fields})


def by_sql(quote: Quote) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE quotes_quote SET text = 'A wombat' WHERE id = %s", [quote.pk])


def by_save(quote: Quote) -> None:
    quote.text = "A wombat"
    quote.save()


def by_bulk_update(quote: Quote) -> None:
    quote.text = "A wombat"
    Quote.objects.bulk_update([quote], ["text"])


WRITES: dict[str, Callable[[Quote], object]] = {
    "save": by_save,
    "update": lambda quote: Quote.objects.filter(pk=quote.pk).update(text="A wombat"),
    "bulk_update": by_bulk_update,
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
    quote = made(text="The armies of Tolby march, an army of one")
    IndexTerm.objects.create(quote=quote, word="Army", veto=True)
    IndexTerm.objects.create(quote=quote, word="warfare")
    found = links(quote)
    assert found["armies"] == (True, False)
    assert found["army"] == (True, False)
    assert found["tolby"] == (True, True)
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
    queue.process_queue()
    Quote.objects.filter(pk=quote.pk).update(text="Nights, nights and armies")
    queue.process_queue()
    quote.delete()
    queue.process_queue()
    counted = Word.objects.annotate(real=Count("links", filter=Q(links__contained=True)))
    assert not counted.exclude(quote_count=F("real")).exists()


def ranks(quote: Quote) -> dict[str, int]:
    queue.process_queue()
    return dict(QuoteWord.objects.filter(quote=quote).values_list("word__text", "rank"))


def test_a_noun_ranks_higher_than_a_verb_and_an_editor_may_say_that_a_word_fits() -> None:
    quote = made(text="In order to rule, you judge the wombat by its bank.")
    found = ranks(quote)
    assert found["judge"] < found["wombat"]
    IndexTerm.objects.create(quote=quote, word="judge")
    assert ranks(quote)["judge"] > found["wombat"]
    assert links(quote)["judge"] == (True, True)


def test_a_veto_is_stronger_than_an_index_term_of_the_same_word() -> None:
    quote = made(text="The wombat sleeps.")
    IndexTerm.objects.create(quote=quote, word="wombats", veto=True)
    IndexTerm.objects.create(quote=quote, word="wombat")
    assert links(quote)["wombat"] == (True, False)


def test_what_is_said_in_a_breath_ranks_higher() -> None:
    plain = made(text="The wombat lives in the ground and comes out by night to eat the grass of the hills.")
    long = made(text="The wombat lives in the ground and comes out by night to eat the grass of the hills. " * 6)
    dialogue = made(text="“The wombat!” cried one. “What of it?” said another.")
    of_somebody = made(text="They told him of the wombat, and he laughed.")
    assert ranks(plain)["wombat"] > max(ranks(other)["wombat"] for other in (long, dialogue, of_somebody))


def test_what_says_what_a_thing_is_ranks_higher() -> None:
    plain = made(text="The wombat lives in the ground.")
    says = made(text="The wombat is the wombat of the ground.")
    assert ranks(says)["wombat"] > ranks(plain)["wombat"]


def test_every_rank_is_from_1_to_100() -> None:
    texts = ["wombat", "Wombat is wombat, wombat is wombat.", "“He told them of the wombat,\nsaid she. " * 40]
    assert {1 <= ranks(made(text=text))["wombat"] <= 100 for text in texts} == {True}


def test_indexing_again_changes_nothing() -> None:
    quote = made(text="The armies of the night, and the night of armies")
    queue.process_queue()
    before = list(QuoteWord.objects.order_by("pk").values())
    word_index.index_quotes([quote.pk])
    assert list(QuoteWord.objects.order_by("pk").values()) == before
