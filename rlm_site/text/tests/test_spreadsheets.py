"""No cell of a CSV file is a formula, and each comes back as it was."""

import random

import pytest

from rlm_site.text.spreadsheets import read_cell, write_cell

PARTS = ["=", "+", "-", "@", "\t", "\r", "\n", "'", " ", "'Tis", "1", "43", ".5", "a", "＝", '"', ";", "HYPERLINK(x)"]
FORMULAS = ["=1+1", '=HYPERLINK("http://x")', "+1 a", "-a", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "-2+3", "+1+1"]
TEXTS = ["", "rain", "'Tis so", "''", "' ", "-43", "+1862", "0.5", "a=b", "(=1)", "'quoted'", "– dash"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_written_as_text(text: str) -> None:
    assert write_cell(text) == f"'{text}"
    assert read_cell(write_cell(text)) == text


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_no_formula_is_written_and_read_as_it_is(text: str) -> None:
    assert write_cell(text) == text
    assert read_cell(text) == text


def test_every_text_comes_back_as_it_was() -> None:
    chance = random.Random(1)  # noqa: S311
    for _ in range(20_000):
        text = "".join(chance.choices(PARTS, k=chance.randint(0, 6)))
        assert read_cell(write_cell(text)) == text
        assert read_cell(write_cell(f"'{text}")) == f"'{text}"
