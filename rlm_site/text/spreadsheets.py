"""Cells of CSV files, which spreadsheets would take for formulas.

Such a cell is written with an apostrophe before it, as spreadsheets themselves mark a text, and read without it.
"""

import re

_FORMULA = re.compile(r"['\s]*[=+\-@\t\r＝＋－＠]")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def write_cell(text: str) -> str:
    is_harmless = not _FORMULA.match(text) or _NUMBER.fullmatch(text)
    return text if is_harmless else f"'{text}"


def read_cell(text: str) -> str:
    """Return the text that `write_cell` was given; what it leaves as it is comes back as it is."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
