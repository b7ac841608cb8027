"""The same quotation is found however it is written, and different ones are kept apart."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from quotes import duplicates
from quotes.duplicates import Verdict, compare, duplicates_within, fingerprint, likeness, same, similar_to
from quotes.models import Quote
from rlm_site.indexing import queue
from rlm_site.indexing.models import SetAside

# Labelled by reading. `worked` pairs were read while the rules were made, `measured` ones were not. What counts as the
# same is said at the head of duplicates.py; another translation and a proverb recast are labelled as different.
PAIRS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "duplicate_pairs.jsonl").read_text(encoding="utf-8").splitlines()
]
WANTED = 0.97

TEXT = "Here once the embattled wombats stood,\nAnd fired the shot that honoured all the world."


def test_the_labelled_set_is_large_and_holds_as_many_traps_as_it_says() -> None:
    assert len(PAIRS) >= 240
    assert all(len([pair for pair in PAIRS if pair["half"] == half]) >= 120 for half in ("worked", "measured"))
    traps = [pair for pair in PAIRS if not pair["same"]]
    assert 0.4 <= len(traps) / len(PAIRS) <= 0.6
    assert len({frozenset((pair["a"], pair["b"])) for pair in PAIRS}) == len(PAIRS)


def test_pairs_are_told_apart_with_the_precision_and_recall_that_is_wanted() -> None:
    wrong = [pair for pair in PAIRS if same(pair["a"], pair["b"]) != pair["same"]]
    false_hits = [pair for pair in wrong if not pair["same"]]
    missed = [pair for pair in wrong if pair["same"]]
    hits = len([pair for pair in PAIRS if pair["same"]]) - len(missed)
    precision, recall = hits / (hits + len(false_hits)), hits / (hits + len(missed))
    listed = "\n".join(
        f"{'missed' if pair['same'] else 'false hit'} ({pair['half']}, {pair['kind']}): {pair['a']!r} / {pair['b']!r}"
        for pair in wrong
    )
    assert min(precision, recall) >= WANTED, f"precision {precision:.3f}, recall {recall:.3f}\n{listed}"


def test_it_does_not_matter_which_text_comes_first() -> None:
    assert [pair for pair in PAIRS if compare(pair["a"], pair["b"]) != compare(pair["b"], pair["a"])] == []


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        ("Time rolls his ceaseless course.", "“TIME rolls his ceaseless course”", Verdict.SAME_WORDS),
        ("Honour hath its labours.", "Honor has its labors…", Verdict.SAME_WORDS),
        ("To-day a rogue, to-morrow king", "Today a rogue; tomorrow, king!", Verdict.SAME_WORDS),
        ("Слава Богу за всё", "Слава Богу за все!", Verdict.SAME_WORDS),
        ("Народъ безмолвствуетъ", "Народ безмолвствует.", Verdict.SAME_WORDS),
        ("I came, I saw, I conquered.", "He wrote to his friends: I came, I saw, I conquered.", Verdict.EXTRACT),
        ("Rome was not built in a day.", "Rome was not built in one day.", Verdict.WORDING),
        ("Love is blind.", "Justice is blind.", Verdict.DIFFERENT),
        ("Honesty is the best policy.", "Honesty is not the best policy.", Verdict.DIFFERENT),
        ("", "", Verdict.DIFFERENT),
        ("…", "Rome", Verdict.DIFFERENT),
    ],
)
def test_the_verdict_says_in_what_two_texts_differ(a: str, b: str, verdict: Verdict) -> None:
    assert compare(a, b).verdict is verdict


def test_likeness_is_whole_for_the_same_words_and_little_for_others() -> None:
    assert likeness("Time rolls on.", "TIME ROLLS ON") == 1
    assert likeness(TEXT, "Justice is blind.") < 0.5
    assert 0.5 < likeness("Love is blind today", "Justice is blind today") < 1


def test_a_fingerprint_drops_what_printers_change() -> None:
    assert fingerprint("“’Tis the colour —\nof . . . Honour!”") == fingerprint("It is the color of honor")
    assert fingerprint("the colour of honour") != fingerprint("the colours of honour")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "written",
    [
        TEXT,
        "“HERE ONCE THE EMBATTL'D WOMBATS STOOD, / AND FIRED THE SHOT THAT HONORED ALL THE WORLD”",
        "Here once the embattled wombats stood…",
        "And fired the shot that honoured all the world",
        "Here once the embatled wombats stood, and fired the shot that honoured all the world.",
        "He said: “Here once the embattled wombats stood … that honoured all the world.” And so they did, he thought.",
    ],
)
def test_a_stored_quotation_is_found_in_whatever_way_it_is_written(written: str) -> None:
    quote = Quote.objects.create(text=TEXT, key="wombats")  # not published: editors need those too
    assert [similar.quote for similar in similar_to(written)] == [quote]


@pytest.mark.django_db
def test_a_russian_quotation_is_found_in_the_old_spelling() -> None:
    quote = Quote.objects.create(text="Чуден Днепр при тихой погоде, когда вольно и плавно мчит", language="ru")
    assert [similar.quote for similar in similar_to("Чуденъ Днѣпръ при тихой погодѣ…")] == [quote]


@pytest.mark.django_db
def test_a_short_stored_extract_is_found_from_a_long_text() -> None:
    quote = Quote.objects.create(text="The embattled wombats stood.")
    long = " ".join(Quote.objects.exclude(pk=quote.pk).order_by("pk").values_list("text", flat=True)[:6])
    assert quote in [
        similar.quote for similar in similar_to(f"{long} Here the embattled wombats stood. {long}", limit=20)
    ]


@pytest.mark.django_db
def test_a_text_of_function_words_alone_is_found() -> None:
    quote = Quote.objects.create(text="We would, and we would not.")
    assert [similar.quote for similar in similar_to("“We would — and we would not!”")] == [quote]


@pytest.mark.django_db
def test_the_quotation_itself_is_left_out() -> None:
    quote = Quote.objects.create(text=TEXT)
    other = Quote.objects.create(text=TEXT.upper())
    assert [similar.quote for similar in similar_to(TEXT, exclude=quote.pk)] == [other]


@pytest.mark.django_db
def test_the_likest_come_first_and_no_more_than_are_asked_for() -> None:
    extract = Quote.objects.create(text="Here once the embattled wombats stood")
    whole = Quote.objects.create(text=TEXT)
    assert [(similar.quote, similar.verdict) for similar in similar_to(TEXT)] == [
        (whole, Verdict.SAME_WORDS),
        (extract, Verdict.EXTRACT),
    ]
    assert [similar.quote for similar in similar_to(TEXT, limit=1)] == [whole]


@pytest.mark.django_db
def test_other_quotations_are_not_called_similar() -> None:
    Quote.objects.create(text="Here once the embattled farmers slept")
    assert similar_to(TEXT) == []


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow_with_the_quotations() -> None:
    counts = []
    for size in (2, 150):
        Quote.objects.bulk_create(Quote(text=f"{TEXT} So they say in {size} {number}") for number in range(size))
        queue.process_queue()
        with CaptureQueriesContext(connection) as queries:
            assert len(similar_to(TEXT)) >= 2
        counts.append(len(queries))
    assert counts == [6, 6]


def found(texts: list[str], replaced: list[int] | None = None) -> list[tuple[int, int | None, int | None]]:
    return [(one.place, one.earlier, one.quote_id) for one in duplicates_within(texts, replaced or [])]


@pytest.mark.django_db
def test_duplicates_among_new_texts_and_stored_ones_are_found_in_bulk() -> None:
    quote = Quote.objects.create(text=TEXT)
    texts = [
        "Quaggas were never so merry as then.",
        TEXT.upper(),
        "QUAGGAS were never so mery as then",
        "Something else",
    ]
    assert found(texts) == [(1, None, quote.pk), (2, 0, None)]
    assert found(texts, [quote.pk]) == [(2, 0, None)]


@pytest.mark.django_db
def test_a_few_texts_are_looked_up_where_many_would_be_read_through(monkeypatch: pytest.MonkeyPatch) -> None:
    quote = Quote.objects.create(text=TEXT)
    monkeypatch.setattr("quotes.duplicates._SCAN_SPEEDUP", 0)
    assert found([TEXT.lower(), TEXT]) == [(0, None, quote.pk), (1, 0, None), (1, None, quote.pk)]
    assert found([TEXT], [quote.pk]) == []


@pytest.mark.django_db
def test_bulk_search_finds_the_labelled_pairs_that_are_the_same() -> None:
    pairs = [pair for pair in PAIRS if same(pair["a"], pair["b"])]
    texts = [text for pair in pairs for text in (pair["a"], pair["b"])]
    hits = {one.place for one in duplicates_within(texts) if one.earlier is not None}
    missed = [pair for number, pair in enumerate(pairs) if 2 * number + 1 not in hits]
    assert len(missed) <= 0.03 * len(pairs), missed


@pytest.mark.django_db
def test_the_work_in_bulk_is_bounded_however_alike_the_texts_are(monkeypatch: pytest.MonkeyPatch) -> None:
    aligned: list[int] = []
    align = duplicates._align

    def counted(short: Any, long: Any) -> Any:
        aligned.append(len(short.words) * len(long.words))
        return align(short, long)

    monkeypatch.setattr(duplicates, "_align", counted)
    texts = [f"The miller of wheel {number} never forgot " + "the river and the mill " * 30 for number in range(150)]
    hits = {one.place for one in duplicates_within(texts) if one.earlier is not None}
    assert hits == set(range(1, 150))
    assert 0 < sum(aligned) <= max(duplicates._MAX_PAIRS_SEARCHED, duplicates._MAX_PAIRS_EACH * len(texts))


@pytest.mark.django_db
def test_of_several_twins_the_one_of_the_same_words_is_named() -> None:
    other, twin = TEXT.replace("wombats", "wombat"), TEXT
    assert found([other, twin, TEXT.upper()]) == [(1, 0, None), (2, 1, None)]


# Odd texts

ODD = (
    "ъ", "Ъ ъ", "ъъ", "ъ.", "'s", "’s", "'t is", "’Tis", "…", ". . .", "[…]", "-", "—", "?!", "\u0301", "\u0301\u0306",
    "a", "я", "и\u0306", "the", "the of and", "не", "1", "1905", "一",
    "明日は明日の風が吹く。", "שלום", "السلام", "हिन्दी", "😀", "👩\u200d👩", "🇩🇪", "ʼ", "_",
    "__init__", "\u00ad", "\u200b", "ﬁ", "ŉ", "ß", "İ", "ǅ", "ª", "²", "½", "Ⅳ", "\u0345", "ｱ", "o'", "i'", "&",
)  # fmt: skip
PHRASES = ("Твердый знак стоит в конце слова", "The quick wombat digs in the morning", "Never again the same river")


def odd_texts() -> list[str]:
    """Return odd texts alone, before, after and within a phrase, and many made at random of their characters."""
    chance = random.Random(11)  # noqa: S311 - the same texts each time
    around = [f"{a} {b}" for odd in ODD for phrase in PHRASES for a, b in ((odd, phrase), (phrase, odd))]
    within = [f"{first} {odd} {rest}" for odd in ODD for first, _, rest in [PHRASES[0].partition(" ")]]
    characters = sorted({*"".join(ODD), *" ' . - aъяи"})
    made = ["".join(chance.choices(characters, k=chance.randint(1, 12))) for _ in range(400)]
    return [*ODD, *PHRASES, *around, *within, *made]


def test_no_text_is_too_odd_to_be_compared() -> None:
    texts = odd_texts()
    chance = random.Random(12)  # noqa: S311 - the same pairs each time
    pairs = [(odd, text) for odd in ODD for text in texts] + [tuple(chance.choices(texts, k=2)) for _ in range(3000)]
    for a, b in pairs:
        assert compare(a, b) == compare(b, a), (a, b)
        assert "" not in duplicates._words(a).words, a
    for text in texts:
        assert same(text, text) == bool(fingerprint(text)), text


@pytest.mark.django_db
def test_no_text_is_too_odd_to_be_looked_for() -> None:
    texts = odd_texts()
    Quote.objects.bulk_create(Quote(key=f"odd-{number}", text=text) for number, text in enumerate(ODD + PHRASES))
    for text in texts:
        similar_to(text)
    assert not SetAside.objects.exists()
    found = duplicates_within(texts)
    assert {texts[duplicate.place] for duplicate in found if duplicate.quote_id} >= {*PHRASES, "明日は明日の風が吹く。"}
