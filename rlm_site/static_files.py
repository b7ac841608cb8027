"""Static files are collected, hashed and compressed only when their sources have changed.

Those of earlier versions of the site stay, and those of a later one are served as soon as they are there: while one
version takes over from another, a page of either finds its style sheets with both. A web server in front may read them
from the disk.
"""

import hashlib
import os
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.http import HttpRequest
from whitenoise.middleware import WhiteNoiseMiddleware

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
    for path in (settings.STATIC_ROOT, *settings.STATIC_ROOT.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)  # whatever the umask of the site is
    DIGEST_FILE.write_text(digest())


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise, which also finds files that were collected after the start."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.directories = [(os.path.join(self.static_root, ""), self.static_prefix)]

    def __call__(self, request: HttpRequest) -> Any:
        path = request.path_info
        if path not in self.files and path.startswith(self.static_prefix):
            found = self.find_file(path)
            if found is not None:
                self.files[path] = found
        return super().__call__(request)
