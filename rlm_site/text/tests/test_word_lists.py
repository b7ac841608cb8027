"""Lists of words are files, one folder a language; which are read follows from the language of the site."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from quotes import word_uses
from rlm_site.text import words
from rlm_site.text.folding import fold
from rlm_site.text.word_lists import list_lines, word_list

COLUMNS = {"plurals": {2}, "nouns": {2, 3}}
FILES = sorted(file for folder in (words.LISTS, word_uses.LISTS) for file in folder.glob("*/*.txt"))


def test_there_are_lists() -> None:
    assert len(FILES) > 30
    assert {"the", "через"} <= word_list("stop_words", words.LISTS)
    assert list_lines("nothing", words.LISTS) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_list_says_what_it_is_for_and_has_a_folded_word_on_each_line_once(file: Path) -> None:
    comment, *lines = file.read_text("utf-8").splitlines()
    assert comment.startswith("# ")
    listed = [line for line in lines if not line.startswith("#")]
    assert listed == [fold(line) for line in listed]
    assert len(set(listed)) == len(listed)
    assert {len(line.split()) for line in listed} <= COLUMNS.get(file.stem, {1})
    if file.stem == "nouns":
        assert all(re.fullmatch(r"[a-z]+ \d+( v?a?)?", line) for line in listed)


def said_by_a_site_in(language: str) -> list[str]:
    code = (
        "from rlm_site.text.words import STOP_WORDS, form, possible_forms\n"
        "forms = map(form, ['zebras', 'bergen', 'kinder', 'войны'])\n"
        "print(*forms, 'the' in STOP_WORDS, possible_forms('bees'))"
    )
    environment = {**os.environ, "SITE_LANGUAGE": language, "DJANGO_SETTINGS_MODULE": "rlm_site.settings"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.full
def test_a_site_in_another_language_reads_its_own_words_and_not_english_ones() -> None:
    assert said_by_a_site_in("de-AT") == ["zebra", "bergen", "kind", "война", "False", "set()"]
    assert said_by_a_site_in("ja") == ["zebras", "bergen", "kinder", "война", "False", "set()"]
    assert said_by_a_site_in("uk")[:5] == ["zebra", "bergen", "kinder", "война", "True"]
