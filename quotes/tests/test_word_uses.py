"""How a text uses its words, told from their neighbours."""

import pytest

from quotes.word_uses import Grammar, word_uses


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("rise", "What are you when the moon shall rise?"),
        ("rule", "The kings rule, and the people obey."),
        ("bear", "My punishment is greater than I can bear."),
        ("judge", "Out of thine own mouth will I judge thee."),
        ("press", "Do not press a falling man too far!"),
        ("commands", "He commands himself and no other."),
        ("march", "The stormy March has come at last."),
        ("art", "Bless thee, Bottom! thou art translated."),
    ],
)
def test_a_verb_is_told_from_a_noun(word: str, text: str) -> None:
    assert word_uses(text)[word].grammar is Grammar.OTHER


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("order", "Order is Heaven's first law."),
        ("march", "The march of the human mind is slow."),
        ("act", "Every prudent act of a government is a compromise."),
        ("rule", "The rule of the few is short."),
        ("bear", "Approach thou like the rugged Russian bear."),
        ("judge", "He was a learned judge, and the jury slept."),
        ("war", "The harder the war, the sooner the end."),
        ("exiles", "Exiles feed on hope."),
        ("nation's", "The nation's eyes"),
        ("liberty", "I love liberty."),
        ("art", "The art of the pen is long."),
    ],
)
def test_a_noun_is_told_from_a_verb(word: str, text: str) -> None:
    assert word_uses(text)[word.removesuffix("'s")].grammar >= Grammar.UNSURE


def test_the_best_use_in_a_text_counts() -> None:
    use = word_uses("They judge him, who was a judge.")["judge"]
    assert (use.grammar, use.times) == (Grammar.NOUN, 2)


def test_an_adjective_before_its_noun_describes_it_and_alone_it_is_a_noun() -> None:
    assert word_uses("The secret sympathy, the silver link.")["secret"].grammar is Grammar.DESCRIBES
    assert word_uses("He had trusted a secret to a friend.")["secret"].grammar is Grammar.NOUN


def test_part_of_a_compound_describes() -> None:
    assert word_uses("The point is plain as a pike-staff to the army.")["staff"].grammar is Grammar.DESCRIBES


def test_forms_of_a_word_are_counted_together() -> None:
    assert word_uses("An army of armies, armies of men.")["army"].times == 3


def test_a_subject_is_followed_by_a_form_of_be_or_an_auxiliary() -> None:
    uses = word_uses("War is hell, and peace must come; freedom, he said, sleeps.")
    assert [word for word, use in uses.items() if use.is_subject] == ["war", "peace"]


def test_words_of_many_meanings_are_known() -> None:
    uses = word_uses("The battle is for order.")
    assert uses["battle"].meanings < uses["order"].meanings


def test_empty_and_russian_texts() -> None:
    assert word_uses("") == {}
    assert word_uses("Война и мир")["война"].grammar is Grammar.NOUN
