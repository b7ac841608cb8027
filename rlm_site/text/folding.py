"""Folding: the one definition of when two spellings are the same, for saving and for look-ups."""

import unicodedata

_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "’": "'", "ʼ": "'"}
)


def fold(text: str) -> str:
    """Fold case, accents, stress marks, ligatures, ё and curly apostrophes; keep й.

    >>> fold("Ánny Ёлкиной “Łódź”")
    'anny елкиной “lodz”'
    """
    if text.isascii():
        return text.lower()
    folded = []
    base = ""
    for char in unicodedata.normalize("NFKD", text.casefold()):
        if not unicodedata.combining(char):
            base = char
            folded.append(char)
        elif char == "\u0306" and base == "и":
            folded.append(char)
    return unicodedata.normalize("NFC", "".join(folded)).translate(_LETTERS)


def fold_name(name: str) -> str:
    """Fold a whole name for comparison: as `fold`, with runs of white space collapsed."""
    return " ".join(fold(name).split())
