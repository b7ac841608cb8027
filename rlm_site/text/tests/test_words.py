import subprocess
import sys

import pytest

from rlm_site.text.words import Phrase, form, marked, occurrences, plain_words, possible_forms, read_heading, vocabulary


def used(heading: str) -> list[str]:
    return [word.word for word in read_heading(heading).words if not word.ignored]


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("ferries", "ferry"),
        ("armies", "army"),
        ("men", "man"),
        ("wives", "wife"),
        ("germans", "german"),
        ("drovers", "drover"),
        ("heroes", "hero"),
        ("churches", "church"),
        ("houses", "house"),
        ("movies", "movie"),
        ("crises", "crisis"),
        ("criteria", "criterion"),
        ("peoples", "people"),
        ("manifestos", "manifesto"),
        ("войны", "война"),
        ("армией", "армия"),
        ("освободительного", "освободительный"),
        ("союзники", "союзник"),
        ("смерти", "смерть"),
        ("памяти", "память"),
        ("людей", "человек"),
    ],
)
def test_number_and_case_of_nouns_are_folded(plural: str, singular: str) -> None:
    assert form(plural) == form(singular) == singular


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("generation", "general"),
        ("leading", "lead"),
        ("us", "we"),
        ("better", "good"),
        ("general", "generally"),
        ("state", "stately"),
        ("relations", "relatives"),
        ("origins", "original"),
        ("news", "new"),
        ("river", "driver"),
        ("освободил", "освободить"),
        ("говорит", "говорить"),
    ],
)
def test_nothing_else_is_folded(word: str, other: str) -> None:
    assert form(word) != form(other)


@pytest.mark.parametrize("word", ["politics", "series", "thus", "chaos", "paris", "glass", "as", "crisis", "status"])
def test_words_that_only_look_like_plurals_stay(word: str) -> None:
    assert form(word) == word


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("The Millers", ["millers"]),
        ("Yarle Drainage Board", ["yarle", "drainage", "board"]),
        ("It May Be That We Can Help Us", ["help"]),
        ("Tarlow’s Promise", ["tarlow", "promise"]),
        ("Fire, 9 August 1790", ["fire"]),
        ("The March to Tolby", ["march", "tolby"]),
        ("Tolby, 15 March 1939", ["tolby"]),
        ("First Division", ["division"]),
        ("Ёлки и ёлки", ["елки"]),
        ("Łódź", ["lodz"]),
        ("1946", []),
        ("", []),
    ],
)
def test_function_words_numbers_and_the_calendar_are_ignored_in_headings(heading: str, words: list[str]) -> None:
    assert used(heading) == words


def test_an_ignored_word_says_why() -> None:
    reasons = {word.word: word.ignored for word in read_heading("The First of May 1945").words}
    assert reasons == {
        "the": "function word",
        "first": "number",
        "of": "function word",
        "may": "month or weekday",
        "1945": "number",
    }


def test_whole_words_are_marked_and_nothing_inside_others() -> None:
    assert marked("Rivers outlive drivers; the rivers’ cause.", ["rivers"]) == [
        ("Rivers", True),
        (" outlive drivers; the ", False),
        ("rivers", True),
        ("’ cause.", False),
    ]


def test_marking_loses_no_character() -> None:
    text = "«Война», — сказал он, — войны́ не будет. It's WAR’s end, naïve façade—war!"
    assert "".join(piece for piece, _mark in marked(text, ["война", "war", "naive"])) == text


def test_words_are_found_with_their_places() -> None:
    text = "Don't “naïve” Tarlow's"
    assert [(found.word, text[found.start : found.end]) for found in occurrences(text)] == [
        ("don't", "Don't"),
        ("naive", "naïve"),
        ("tarlow", "Tarlow's"),
    ]


def test_the_vocabulary_of_a_text_leaves_function_words_out() -> None:
    assert vocabulary("The war of 1941 and the peace") == {"war", "peace"}


@pytest.mark.parametrize("plural", ["ferries", "boxes", "soldiers", "men"])
def test_possible_forms_hold_the_right_one(plural: str) -> None:
    assert form(plural) in possible_forms(plural)


def test_possible_forms_ask_no_dictionary() -> None:
    code = (
        "import tracemalloc; from rlm_site.text.words import read_heading, possible_forms, marked;"
        "tracemalloc.start();"
        "read_heading('The Millers'); possible_forms('zebras'); marked('millers', ['millers']);"
        "assert tracemalloc.get_traced_memory()[1] < 1_000_000"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("heading", "phrases"),
    [
        ("The Allies", ["allies"]),
        ("Americans and allies", ["americans", "allies"]),
        ("Fear, Hunger and Conscience", ["fear", "hunger", "conscience"]),
        ("The Word of an Officer", ["word", "officer"]),
        ("The Miller's Promise", ["miller", "promise"]),
        ("Aerosol effects", ["aerosol effects"]),
        ("Post-war re-establishment", ["post war re establishment"]),
        ("United Kingdom", ["UNITED KINGDOM"]),
        ("Return to North Yarle", ["return", "NORTH YARLE"]),
        ("North Yarle advance", ["NORTH YARLE ADVANCE"]),
        ("World War II", ["WORLD WAR"]),
        ("Cold War", ["war"]),
        ("Cold war", ["war"]),
        ("The Last Days of Freedom", ["days", "freedom"]),
        ("Left and Right", ["left", "right"]),
        ("Public Opinion: Old, New", ["opinion", "old", "new"]),
        ("Party Politics", ["PARTY POLITICS"]),
        ("The word, U.S. house", ["word", "house"]),
        ("The Last of 1945", ["last"]),
        ("Война и мир", ["война", "мир"]),
        ("Background", []),
        ("Plot summary", []),
        ("Works and days", ["days"]),
    ],
)
def test_a_heading_is_read_as_phrases(heading: str, phrases: list[str]) -> None:
    """Names are written in capitals here."""
    expected = [Phrase(tuple(phrase.lower().split()), phrase.isupper()) for phrase in phrases]
    assert list(read_heading(heading).phrases) == expected


def test_a_word_that_is_left_out_of_its_phrase_says_why() -> None:
    reasons = {word.word: word.ignored for word in read_heading("The Cold War: U.S. Plot Summaries").words}
    assert reasons == {
        "the": "function word",
        "cold": "describes another word",
        "war": "",
        "u": "single letter",
        "s": "single letter",
        "plot": "names a part of an article",
        "summaries": "names a part of an article",
    }


def test_words_that_an_editor_gives_are_used_as_they_are() -> None:
    assert [word.word for word in plain_words("the old works") if not word.ignored] == ["old", "works"]
