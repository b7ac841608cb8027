"""Three states become one, and what overlaps is left to somebody."""

import random

import pytest

from rlm_site.text.merge import Passage, join_passages, merge_names, three_way_merge

BASE = "The first. It has two sentences.\n\nThe second.\n\nThe third."


def merged(base: str | None, mine: str, theirs: str) -> str:
    passages = three_way_merge(base, mine, theirs)
    assert not any(passage.overlaps for passage in passages)
    return join_passages(passages, lambda passage: "")


def overlaps(base: str | None, mine: str, theirs: str) -> list[tuple[str | None, str, str]]:
    return [(one.base, one.mine, one.theirs) for one in three_way_merge(base, mine, theirs) if one.overlaps]


def test_what_only_one_changed_is_taken() -> None:
    assert Passage("a", "a", "b").merged == Passage("a", "b", "a").merged == "b"
    assert Passage("a", "b", "b").merged == "b"


@pytest.mark.parametrize("passage", [Passage("a", "b", "c"), Passage(None, "b", "c"), Passage("", "b", "c")])
def test_what_both_changed_in_different_ways_overlaps(passage: Passage[str]) -> None:
    assert passage.overlaps
    assert passage.merged == "b"


def test_paragraphs_are_merged() -> None:
    mine = BASE.replace("The second", "My second")
    theirs = BASE.replace("The third.", "Their third.\n\nTheir fourth.")
    assert merged(BASE, mine, theirs) == theirs.replace("The second", "My second")


def test_sentences_of_one_paragraph_are_merged() -> None:
    base = "One stands. Two stands. Three stands."
    assert merged(base, base.replace("One", "Mine"), base.replace("Three", "Theirs")) == (
        "Mine stands. Two stands. Theirs stands."
    )


def test_an_overlap_has_whole_lines_that_differ_in_what_overlaps_alone() -> None:
    base = "One. Two. Three. Four. Five."
    mine = base.replace("One", "My one").replace("Five", "My five")
    theirs = base.replace("One", "Their one").replace("Three", "Their three")
    assert overlaps(base, mine, theirs) == [
        (
            "One. Two. Their three. Four. My five.\n",
            "My one. Two. Their three. Four. My five.\n",
            "Their one. Two. Their three. Four. My five.\n",
        )
    ]


def test_what_both_add_at_the_end_overlaps() -> None:
    assert overlaps("One.", "One.\nMine.", "One.\nTheirs.") == [("", "Mine.\n", "Theirs.\n")]


def test_without_a_base_every_difference_overlaps() -> None:
    assert overlaps(None, "Same.\nMine.", "Same.\nTheirs.") == [(None, "Mine.\n", "Theirs.\n")]


@pytest.mark.parametrize("text", ["", "One.", "One.\n", "\n\nOne.\n\n", "verse\n  indented\n\nlast"])
def test_a_text_that_nobody_changed_stays_as_it_is(text: str) -> None:
    assert merged(text, text, text) == text
    assert merged(text, text, "Other.") == "Other."
    assert merged("Other.\n", text, "Other.\n") == text


def test_names_are_added_and_removed_by_either() -> None:
    assert merge_names(["a", "b", "c"], ["a", "c", "mine"], ["a", "b", "theirs"]) == ["a", "theirs", "mine"]
    assert merge_names(None, ["a"], ["b"]) == ["b", "a"]


def test_no_word_that_either_wrote_is_lost() -> None:
    """Of texts that both changed at random: every word is in the merged text or in an overlap."""
    chance = random.Random(7)  # noqa: S311 - the same texts each time

    def changed(lines: list[str], who: str) -> str:
        made = list(lines)
        for number in range(4):
            made.insert(chance.randrange(len(made) + 1), f"{who}{number} wrote this. And {who}{number}again.")
        return "\n".join(made)

    for _turn in range(200):
        lines = [f"Line{number}. Said twice." for number in range(chance.randrange(12))]
        base, mine, theirs = "\n".join(lines), changed(lines, "mine"), changed(lines, "theirs")
        whole = join_passages(three_way_merge(base, mine, theirs), lambda passage: passage.mine + passage.theirs)
        for text in (mine, theirs):
            assert {*text.split()} <= {*whole.split()}
