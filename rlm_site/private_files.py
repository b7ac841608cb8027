"""Only the account that runs the site reads its database: passwords and drafts are in it."""

import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

OTHERS = stat.S_IRWXG | stat.S_IRWXO
BESIDE = ("", "-wal", "-shm", "-journal")  # SQLite's own files, which it makes with the rights of the database


def make_private(path: Path) -> None:
    """Take the rights of everybody else away; what belongs to another account is theirs to mend."""
    with suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & OTHERS:
            path.chmod(mode & ~OTHERS)


def protect_database(connection: Any, **kwargs: object) -> None:
    """Make the files of an SQLite database private, whoever made them; to be called when it is opened."""
    if connection.vendor == "sqlite" and not connection.is_in_memory_db():
        for ending in BESIDE:
            make_private(Path(f"{connection.settings_dict['NAME']}{ending}"))
