"""The one rule of when two spellings are the same, used when saving and when looking up."""

import unicodedata

_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "’": "'", "ʼ": "'"}
)


def fold(text: str) -> str:
    """Fold case, accents, stress marks, ligatures, ё and curly apostrophes; й stays й.

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
    """Fold a name that is compared whole: as `fold`, with runs of white space made one space."""
    return " ".join(fold(name).split())
