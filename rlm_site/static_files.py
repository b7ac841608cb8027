"""Static files are collected, hashed and compressed only when their sources have changed."""

import hashlib

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

DIGEST_FILE = settings.STATE_DIR / "static.sha256"


def digest() -> str:
    """Return a hash of all sources and of the storage settings, independent of modification times."""
    sources_hash = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for path, storage in sorted(finder.list([]), key=lambda entry: entry[0]):
            with storage.open(path) as file:
                sources_hash.update(f"\0{path}\0".encode() + file.read())
    return sources_hash.hexdigest()


def are_collected() -> bool:
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    return manifest.is_file() and DIGEST_FILE.is_file() and DIGEST_FILE.read_text() == digest()


def collect() -> None:
    DIGEST_FILE.unlink(missing_ok=True)  # an interrupted run must not count
    call_command("collectstatic", interactive=False, verbosity=0, skip_checks=True)
    DIGEST_FILE.write_text(digest())
