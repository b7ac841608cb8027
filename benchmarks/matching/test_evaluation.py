"""How well the judged headings are answered, and the script that tells it."""

import json
from pathlib import Path
from typing import NamedTuple

import evaluation
import pytest
import run as command
from django.utils import timezone

from quotes import matching
from quotes.models import Quote
from rlm_site.indexing import queue

pytestmark = pytest.mark.django_db


class Run(NamedTuple):
    shown: dict[str, list[int]]
    measures: dict[str, evaluation.Measure]


@pytest.fixture
def run() -> Run:
    matching._block_cache.clear()
    Quote.objects.all().delete()  # the site's own, which would make words less rare
    queue.process_queue()
    judged = evaluation.judged_headings()
    lines = evaluation.load(evaluation.judged_quotations())
    shown = evaluation.answers([judged_heading.heading for judged_heading in judged], lines, timezone.now())
    return Run(
        shown,
        {
            half: evaluation.measure(
                [judged_heading for judged_heading in judged if judged_heading.half == half], shown
            )
            for half in evaluation.HALVES
        },
    )


def test_headings_are_answered_well_and_as_in_the_stored_run(run: Run) -> None:
    for found in run.measures.values():
        assert found.precision_at_1 >= 0.8
        assert found.precision_at_3 >= 0.83
        assert found.share_answered >= 0.5
        assert found.unjudged == []
    assert evaluation.changes(evaluation.stored_runs()["the judged quotations"], run.shown) == []


def test_substrings_and_stems_would_fail() -> None:
    judged = evaluation.judged_headings()
    rows = evaluation.judged_quotations()
    for stems in (False, True):
        plain = evaluation.PlainSearch(rows, stems=stems)
        found = evaluation.measure(
            judged, plain.answers([judged_heading.heading for judged_heading in judged]), plain.has_a_word_of
        )
        assert found.precision_at_3 < 0.8


def test_there_are_enough_headings_of_every_kind_and_both_halves_are_fixed() -> None:
    judged = evaluation.judged_headings()
    assert len(judged) >= 130
    assert len({judged_heading.heading for judged_heading in judged}) == len(judged)
    halves = {judged_heading.heading: judged_heading.half for judged_heading in judged}
    assert (halves["Call to Arms"], halves["The March on Rome"]) == ("work", "measured")
    assert min(list(halves.values()).count(half) for half in evaluation.HALVES) >= 60
    assert sum(not judged_heading.good for judged_heading in judged) >= 10
    assert sum(" " in judged_heading.heading.removeprefix("The ") for judged_heading in judged) >= 60
    assert sum(len(judged_heading.bad) for judged_heading in judged) >= 500


def test_every_judged_quotation_is_there_and_has_a_word_of_the_heading() -> None:
    rows = evaluation.judged_quotations()
    plain = evaluation.PlainSearch(rows, stems=False)
    for judged_heading in evaluation.judged_headings():
        assert not judged_heading.good & judged_heading.bad
        assert [
            line
            for line in judged_heading.good | judged_heading.bad
            if not plain.has_a_word_of(judged_heading.heading, line)
        ] == []


def test_what_nobody_has_judged_counts_as_bad_and_is_named() -> None:
    judged = [
        evaluation.JudgedHeading("War", frozenset({1, 2}), frozenset({3})),
        evaluation.JudgedHeading("Peace", frozenset(), frozenset()),
    ]
    found = evaluation.measure(judged, {"War": [3, 1, 9]})
    assert (found.headings, found.answered, found.first_good, found.shown, found.good) == (2, 1, 0, 3, 1)
    assert found.unjudged == [("War", 9)]
    assert found.wrong == [("War", 3)]
    assert (found.precision_at_1, found.share_answered) == (0.0, 0.5)
    assert evaluation.measure(judged, {"War": [1, 9]}, lambda heading, line: True).precision_at_3 == 1.0
    assert evaluation.measure([], {}).precision_at_3 == 0.0


def test_changes_name_headings_with_old_and_new_picks() -> None:
    assert evaluation.changes({"War": [1, 2], "Peace": [3]}, {"War": [2, 1], "Peace": [3], "Truce": [4]}) == [
        ("War", [1, 2], [2, 1]),
        ("Truce", [], [4]),
    ]


def page(topic: str, heading: str, **judged: list[list[int]]) -> evaluation.OutsidePage:
    return evaluation.OutsidePage("work", topic, heading, judged)


def test_pages_from_outside_are_measured_by_the_share_of_judges_with_intervals_by_article() -> None:
    pages = [
        page("Rivers", "Mills", a=[[1, 1], [1, 0]], b=[[1, 1], [1, 1]]),
        page("Rivers", "Ferries", c=[[0, 0], [0, 0]]),
        page("Hills", "Sheep"),
    ]
    found = evaluation.measure_outside(pages, {"Mills": ["b", "a"], "Ferries": ["c", "unread"]})
    assert (found.pages, found.answered, found.shown, found.unjudged) == (3, 2, 4, 1)
    assert found.right[0] == pytest.approx(2 / 3)
    assert found.publishable[0] == pytest.approx(1.5 / 3)
    assert found.first[0] == pytest.approx(1 / 2)
    assert found.right[1] <= found.right[0] <= found.right[2]
    nothing = evaluation.measure_outside(pages, {})
    assert (nothing.answered, nothing.right) == (0, (0.0, 0.0, 0.0))


def test_agreement_of_two_judges_is_more_than_chance() -> None:
    agreed = page("Rivers", "Mills", a=[[1, 1], [1, 1]], b=[[0, 0], [0, 0]], c=[[1, 0], [1, 1]], d=[[1, 1]])
    assert evaluation.agreement([agreed], 0) == (pytest.approx(1.0), 3)
    assert evaluation.agreement([agreed], 1) == (pytest.approx(0.4), 3)


def test_there_are_headings_from_outside_to_work_with_and_others_to_measure_with() -> None:
    work, measured = evaluation.outside_pages("work"), evaluation.outside_pages("measured")
    assert min(len(work), len(measured)) >= 200
    assert not {(page.topic, page.heading) for page in work} & {(page.topic, page.heading) for page in measured}
    for pages in (work, measured):
        right, publishable = (evaluation.agreement(pages, question) for question in (0, 1))
        assert min(right[1], publishable[1]) > 300
        assert min(right[0], publishable[0]) > 0.8


def test_a_whole_collection_leaves_out_what_may_be_two_passages(tmp_path: Path) -> None:
    row = {"text": "War is war.", "author": "X", "source_title": "Book", "tags": []}
    path = tmp_path / "some.jsonl"
    path.write_text("\n".join(json.dumps({**row, "tags": tags}) for tags in (["check-two-passages"], [])))
    assert [(found["line"], found["work"]) for found in evaluation.collection(path)] == [(2, "Book")]


def test_a_collection_that_is_not_there_is_an_error() -> None:
    with pytest.raises(SystemExit, match=r"The file nowhere\.jsonl does not exist"):
        command.main("nowhere.jsonl")
