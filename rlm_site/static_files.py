"""Static files are collected, hashed and compressed when their sources changed, and only then."""

import hashlib

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

STAMP = settings.STATE_DIR / "static.sha256"


def digest() -> str:
    """One value for all sources and the way they are stored; the content counts, not the time of a file."""
    found = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for path, storage in sorted(finder.list([]), key=lambda entry: entry[0]):
            with storage.open(path) as file:
                found.update(f"\0{path}\0".encode() + file.read())
    return found.hexdigest()


def are_collected() -> bool:
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    return manifest.is_file() and STAMP.is_file() and STAMP.read_text() == digest()


def collect() -> None:
    STAMP.unlink(missing_ok=True)  # an interrupted run must not count
    call_command("collectstatic", interactive=False, verbosity=0, skip_checks=True)
    STAMP.write_text(digest())
