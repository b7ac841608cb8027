"""The files of the content: JSON, or JSON compressed with gzip."""

import gzip
from pathlib import Path

from django.conf import settings

# What others refer to comes first. A file may be split: `quotes-bartlett.json.gz` comes after `quotes.json`.
ORDER = ("tags", "collections", "people", "works", "quotes", "references", "groups", "articles", "entries", "events")
SUFFIXES = (".json", ".json.gz")


def fixture_files(*folders: Path) -> list[Path]:
    """Return the files of these folders, or of all with fixtures, in the order in which they are loaded."""
    patterns = [(Path(folder), f"*{suffix}") for folder in folders or settings.FIXTURE_DIRS for suffix in SUFFIXES]
    found = [path for folder, pattern in patterns for path in folder.glob(pattern)]
    return sorted(found, key=_place)


def find_file(name: str) -> Path:
    """Return the file of a fixture by its path or, as for `loaddata`, by its name alone."""
    named = [Path(folder) / f"{name}{suffix}" for folder in settings.FIXTURE_DIRS for suffix in SUFFIXES]
    return next((path for path in [Path(name), *named] if path.is_file()), Path(name))


def read(path: Path) -> bytes:
    """Return what is in a file. If it cannot be unpacked, this is an error of the operating system as well."""
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, ValueError) as error:
        raise gzip.BadGzipFile(str(error)) from error


def _place(path: Path) -> tuple[int, str]:
    name = path.name.partition(".")[0]
    kind = name.partition("-")[0]
    return ORDER.index(kind) if kind in ORDER else len(ORDER), name
