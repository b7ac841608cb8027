"""Words in files: a folder for each language, a word on each line; comments begin with #. A list may be missing.

Words in Cyrillic letters are read as Russian, all others as words of the site's language.
"""

from pathlib import Path

from django.conf import settings

_WRITTEN_IN_CYRILLIC = {"be", "bg", "mk", "ru", "sr", "uk"}
_PRIMARY = settings.SITE_LANGUAGE.split("-")[0].lower()
LATIN = "en" if _PRIMARY in _WRITTEN_IN_CYRILLIC else _PRIMARY  # the language of words in Latin letters


def list_lines(name: str, folder: Path) -> list[str]:
    """Return the lines of the lists with this name: `list_lines("numbers", folder)` reads `en/numbers.txt` there."""
    files = [file for language in (LATIN, "ru") if (file := folder / language / f"{name}.txt").is_file()]
    lines = [line.strip() for file in files for line in file.read_text("utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def word_list(name: str, folder: Path) -> frozenset[str]:
    return frozenset(list_lines(name, folder))
