from typing import Any

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext

from articles.models import Article
from quotes.models import Person, Quote
from rlm_site.history.diff import Difference, differences, word_by_word

PARAGRAPHS = [f"Paragraph {number} of the text, of which nobody has changed a word.\n\n" for number in range(1, 11)]


def of_article(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    return differences(Article, before, after)


def changed(difference: Difference) -> list[tuple[str, str]]:
    return [(kind, text) for kind, text in difference.parts if kind != "same"]


def test_only_fields_that_differ_are_there() -> None:
    before = {"title": "Tarlow", "body": "Same.", "quote_words": ""}
    [difference] = of_article(before, {**before, "title": "Edgar Tarlow"})
    assert (difference.name, difference.label) == ("title", "Title")
    assert changed(difference) == [("added", "Edgar ")]


def test_words_are_compared_and_not_letters() -> None:
    parts = word_by_word("He was born in 1901 near Gorky.", "He was born in 1910 near Gorky.")
    assert parts == [
        ("same", "He was born in "),
        ("removed", "1901"),
        ("added", "1910"),
        ("same", " near Gorky."),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("", "A text."),
        ("A text.", ""),
        ("один два три", "один 2 три"),
        ("verse one,\n  verse two;\n\nverse three", "verse one,\nverse 2;\n\n\nverse three\n"),
        ("don’t — won't", "don't – won’t"),
        ("😀 a", "a \N{NO-BREAK SPACE}b"),
    ],
)
def test_both_texts_can_be_read_from_the_parts(before: str, after: str) -> None:
    difference = Difference("body", "Text", tuple(word_by_word(before, after)))
    assert "".join(text for _kind, text in difference.before) == before
    assert "".join(text for _kind, text in difference.after) == after


def test_a_new_paragraph_stands_in_a_row_of_its_own() -> None:
    [difference] = of_article({"body": "One.\n\nTwo."}, {"body": "One.\n\nBetween.\n\nTwo."})
    assert [row.same for row in difference.rows] == ["One.", "", "Two."]
    assert difference.rows[1].before == ()
    assert [tuple(part) for part in difference.rows[1].after] == [("added", "Between.")]


def test_a_long_unchanged_stretch_is_folded_but_for_the_lines_beside_a_change() -> None:
    text = "".join(PARAGRAPHS)
    [difference] = of_article({"body": f"Old.\n\n{text}Old end."}, {"body": f"New.\n\n{text}New end."})
    first, beside, folded, beside_too, last = difference.rows
    assert not first.same
    assert beside.same == PARAGRAPHS[0].strip()
    assert folded.folded
    assert folded.same == "".join(PARAGRAPHS[1:-1]).strip()
    assert beside_too.same == PARAGRAPHS[-1].strip()
    assert not last.same


def test_a_change_of_spaces_alone_can_be_seen() -> None:
    [difference] = of_article({"body": "One two."}, {"body": "One \N{NO-BREAK SPACE}two."})
    assert [part.shown for part in difference.after if part.kind == "added"] == ["␣⍽"]


def test_tags_came_or_went_as_a_whole() -> None:
    [difference] = of_article({"tags": ["bread", "rain barrels"]}, {"tags": ["bread", "rain"]})
    assert difference.label == "Tags"
    assert changed(difference) == [("removed", ", rain barrels"), ("added", ", rain")]
    assert "".join(text for _kind, text in difference.after) == "bread, rain"


def test_values_are_told_in_words() -> None:
    before = {"status": "verified", "auto_pick": True, "year_said": None, "publish_at": None, "retire_at": "2026-03-04"}
    after = {"status": "disputed", "auto_pick": False, "year_said": 1943, "publish_at": "2026-03-04T12:30:00Z"}
    told = {difference.name: changed(difference) for difference in differences(Quote, before, after)}
    assert told == {
        "status": [("removed", "verified"), ("added", "disputed")],
        "auto_pick": [("removed", "yes"), ("added", "no")],
        "year_said": [("added", "1943")],
        "publish_at": [("added", "4 March 2026, 12:30")],
    }


@pytest.mark.django_db
def test_what_is_named_by_its_key_is_called_by_its_name() -> None:
    old, new = Person.objects.order_by("pk")[:2]
    [difference] = differences(Quote, {"person": old.pk}, {"person": new.pk})
    assert changed(difference) == [("removed", old.name), ("added", new.name)]
    [difference] = differences(Quote, {"person": 10**9}, {"person": new.pk})
    assert changed(difference)[0] == ("removed", "deleted (id 1000000000)")


@pytest.mark.django_db
def test_names_are_found_with_one_query_a_table() -> None:
    people = list(Person.objects.values_list("pk", flat=True)[:2])
    sayings = list(Quote.objects.exclude(person=None).values_list("pk", flat=True)[:4])
    before = {"person": people[0], "version_of": sayings[0], "true_source": sayings[1]}
    after = {"person": people[1], "version_of": sayings[2], "true_source": sayings[3]}
    with CaptureQueriesContext(connection) as queries:
        assert len(differences(Quote, before, after)) == 3
    assert len(queries) == 2


def test_rows_that_hang_on_the_record_are_compared_as_a_whole() -> None:
    before, after = {"choices": ["pin · a · 1", "ban · b · 2"]}, {"choices": ["pin · a · 1", "pin · b · 2"]}
    [difference] = of_article(before, after)
    assert difference.label == "Choices"
    assert changed(difference) == [("removed", "\nban · b · 2"), ("added", "\npin · b · 2")]


def test_against_nothing_all_that_is_there_is_new() -> None:
    found = of_article({}, {"title": "Tarlow", "body": "", "tags": ["bread"]})
    assert {difference.name: changed(difference) for difference in found} == {
        "title": [("added", "Tarlow")],
        "tags": [("added", "bread")],
    }


def test_texts_without_a_word_in_common_cost_no_more_than_a_moment() -> None:
    parts = word_by_word(" ".join(map(str, range(20_000))), " ".join(map(str, range(20_000, 40_000))))
    assert {part.kind for part in parts} >= {"removed", "added"}


def test_marks_are_elements_and_words_for_those_who_do_not_see_them() -> None:
    found = of_article({"body": "Old <b>text</b>."}, {"body": "New <b>text</b>."})
    page = render_to_string("editor/_differences.html", {"differences": found})
    assert '<del><span class="visually-hidden">removed: </span>Old</del> &lt;b&gt;' in page
    assert '<ins><span class="visually-hidden">added: </span>New</ins> &lt;b&gt;' in page


def test_passages_that_are_too_different_are_shown_whole_and_said_to_be() -> None:
    same = "The mill stood still. "
    before, after = same + "a b " * 3000, same + "b a " * 3000
    found = Difference("body", "Text", tuple(word_by_word(before, after)))
    assert found.is_coarse
    assert [part.kind for part in found.parts] == ["same", "removed", "added", "same"]
    assert found.parts[0].text == same
    assert "".join(part.text for part in found.after) == after


def test_a_few_words_in_a_long_text_are_compared_word_by_word() -> None:
    words = [f"w{number % 7}{number // 3}" for number in range(20_000)]
    changed = ["new" if number % 1000 == 500 else word for number, word in enumerate(words)]
    found = Difference("body", "Text", tuple(word_by_word(" ".join(words), " ".join(changed))))
    assert not found.is_coarse
    assert [part.text for part in found.parts if part.kind == "added"] == ["new"] * 20


def test_texts_that_no_form_takes_are_not_compared_at_all() -> None:
    before, after = ("".join(f"{letter}{number} " for number in range(100_000)) for letter in "ab")
    assert word_by_word(before, after) == [("removed", before), ("added", after)]


def test_a_text_that_is_new_is_no_coarse_comparison() -> None:
    assert not Difference("body", "Text", tuple(word_by_word("", "a " * 5000))).is_coarse
