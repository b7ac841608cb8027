"""Whether a text uses a word as headings use it, told from its neighbours."""

import pytest

from quotes.word_senses import SenseFit, sense_fits


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("order", "In order that he might rob a neighbour, he rose early."),
        ("order", "He came in order to see the town."),
        ("march", "Beware the ides of March."),
        ("march", "He is as mad as a march hare."),
        ("march", "The stormy March has come at last."),
        ("arms", "Imparadised in one another's arms."),
        ("arms", "These arms of mine had seven years' pith."),
        ("state", "I have learned, in whatsoever state I am, to be content."),
        ("state", "Everything is in a state of change."),
        ("act", "Always act in such a way as to secure love."),
        ("rise", "What are you when the moon shall rise?"),
        ("rule", "The kings rule, and the people obey."),
        ("bear", "My punishment is greater than I can bear."),
        ("judge", "Out of thine own mouth will I judge thee."),
        ("press", "Do not press a falling man too far!"),
        ("commands", "He commands himself and no other."),
        ("means", "Get money, by any means."),
        ("doubt", "There's nought, no doubt, so calming as rum."),
        ("faith", "She swore, in faith, it was strange."),
        ("trial", "A prudent person will make trial of everything."),
        ("plague", "A plague of all cowards, I say."),
    ],
)
def test_another_sense_or_a_verb_is_no_hit(word: str, text: str) -> None:
    assert sense_fits(text)[word] is SenseFit.WRONG


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("order", "Order is Heaven's first law."),
        ("march", "The march of the human mind is slow."),
        ("arms", "I never would lay down arms, never!"),
        ("state", "Something is rotten in the state of Denmark."),
        ("act", "Every prudent act of a government is a compromise."),
        ("rule", "The rule of the few is short."),
        ("bear", "Approach thou like the rugged Russian bear."),
        ("judge", "He was a learned judge, and the jury slept."),
        ("war", "The harder the war, the sooner the end."),
        ("exiles", "Exiles feed on hope."),
        ("nation's", "The nation's eyes"),
        ("liberty", "I love liberty."),
    ],
)
def test_a_noun_in_the_sense_of_a_heading_is_a_hit(word: str, text: str) -> None:
    assert sense_fits(text).get(word.removesuffix("'s"), SenseFit.WRONG) >= SenseFit.UNSURE


def test_the_best_use_in_a_text_counts() -> None:
    assert sense_fits("They judge him, who was a judge.")["judge"] >= SenseFit.CLEAR


def test_an_adjective_before_its_noun_is_weak_and_alone_it_is_a_noun() -> None:
    found = sense_fits("The secret sympathy, the silver link.")
    assert found["secret"] is SenseFit.WEAK
    assert sense_fits("He had trusted a secret to a friend.")["secret"] >= SenseFit.CLEAR


def test_a_word_of_many_senses_wants_company() -> None:
    assert sense_fits("How sweet the moonlight sleeps upon this bank!")["bank"] is SenseFit.WEAK
    assert sense_fits("The people fear the surplus in the bank.")["bank"] is SenseFit.BEST


def test_part_of_a_compound_is_weak() -> None:
    assert sense_fits("The point is plain as a pike-staff to the army.")["staff"] is SenseFit.WEAK


def test_the_verb_of_an_action_may_stand_where_nothing_better_does() -> None:
    assert sense_fits("I will not retreat a single inch.")["retreat"] is SenseFit.UNSURE


def test_beside_a_word_of_public_life_is_best() -> None:
    assert sense_fits("There never was a good war.")["war"] is SenseFit.CLEAR
    assert sense_fits("The king never saw a good war.")["war"] is SenseFit.BEST


def test_words_of_other_languages_and_an_empty_text_have_nothing_against_them() -> None:
    assert sense_fits("") == {}
    assert sense_fits("Война и мир")["война"] is SenseFit.CLEAR
