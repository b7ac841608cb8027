"""`manage.py backup` and `manage.py restore`: real databases, and other processes that write and serve meanwhile."""

import os
import re
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

from rlm_site.backups import postgresql
from rlm_site.backups.contents import BackupError
from rlm_site.testing.databases import content_of, fill, fresh_database
from rlm_site.testing.served import Site, serving
from rlm_site.testing.variables import ROOT, environment

MILLERS = "/yarle-valley/the-millers/"
AS_BACKED_UP = b"put their last hope in two wheels"  # begins the page
SIGN = "UPDATE articles_article SET body = '{}' WHERE slug = 'the-millers'"
HEALTHY = (200, b'{"status": "ok"}')


class Database:
    """A database of a site, seen by other programs than the site."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.on_postgresql = url.startswith("postgres")
        self.backup = folder / ("one.dump" if self.on_postgresql else "one.sqlite3")
        self.kept = folder / "kept"

    @property
    def file(self) -> Path:
        return Path(self.url.removeprefix("sqlite:///"))

    def manage(self, *arguments: object, fails: bool = False) -> str:
        """Return what the command says: one line where it fails."""
        done = subprocess.run(
            [sys.executable, "manage.py", *map(str, arguments)],
            cwd=ROOT,
            env=environment(self.url, 8000),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == int(fails), said
        assert not fails or said.count("\n") == 1, said
        return said

    def back_up(self) -> str:
        return self.manage("backup", self.backup)

    def restore(self, *options: object, file: Path | None = None, fails: bool = False) -> str:
        return self.manage("restore", file or self.backup, "--keep", self.kept, *options, fails=fails)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        if self.on_postgresql:
            import psycopg

            with psycopg.connect(self.url) as server:
                cursor = server.execute(statement.encode())
                return cursor.fetchall() if cursor.description else []
        with closing(sqlite3.connect(self.file, timeout=20)) as client, client:
            return client.execute(statement).fetchall()

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """By table, without what every restore gives new values."""
        if self.on_postgresql:
            tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        else:
            tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        names = {name for (name,) in self.ask(tables) if not name.startswith("search_index")}
        names -= {"rlm_site_contentversion", "rlm_site_partversion", "django_session"}
        return {name: sorted(self.ask(f"SELECT * FROM {name}"), key=repr) for name in names}

    def numbers(self) -> list[int]:
        """Of the tags that a `writer` made."""
        return sorted(int(slug[3:]) for (slug,) in self.ask("SELECT slug FROM rlm_site_tag WHERE slug LIKE 'nr-%'"))


class Writer:
    """Another process that adds tags, numbered from 1, until the block ends; `told` is the last that is in for sure."""

    def __init__(self, database: Database) -> None:
        program = (
            "import time, django; django.setup()\n"
            "from rlm_site.models import Tag\n"
            "number = 0\n"
            "while True:\n"
            "    number += 1\n"
            "    Tag.objects.create(name=f'No. {number}', slug=f'nr-{number}')\n"
            "    print(number, flush=True)\n"
            "    time.sleep(0.005)\n"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**environment(database.url, 8000), "DJANGO_SETTINGS_MODULE": "rlm_site.settings"},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.told = 0

    def __enter__(self) -> "Writer":
        assert self.process.stdout is not None
        self.told = int(self.process.stdout.readline())
        return self

    def __exit__(self, *error: object) -> None:
        assert self.process.poll() is None, "it failed"
        self.process.terminate()
        lines = self.process.communicate(timeout=30)[0].split()
        self.told = int(lines[-1]) if lines else self.told


class Reader(Thread):
    """Reads a page of the site again and again, and keeps what it said each time it said something else."""

    def __init__(self, site: Site, *signs: bytes) -> None:
        super().__init__()
        self.site = site
        self.signs = signs
        self.seen: list[bytes] = []
        self.ended = Event()

    def run(self) -> None:
        while not self.ended.is_set():
            status, _headers, page = self.site.ask(MILLERS)
            said = b"".join(sign for sign in self.signs if sign in page) if status == 200 else str(status).encode()
            if [said] != self.seen[-1:]:
                self.seen.append(said)

    def end(self) -> list[bytes]:
        self.ended.set()
        self.join(30)
        return self.seen


@pytest.fixture(scope="module")
def original(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, static_files: None
) -> Iterator[Database]:
    """Return a site with its content and a backup of it; nobody is connected."""
    folder = tmp_path_factory.mktemp("original")
    with fresh_database(folder, content_of(request.node)) as url:
        with serving(url, folder):
            pass
        database = Database(url, folder)
        database.back_up()
        yield database


@pytest.fixture
def database(original: Database, tmp_path: Path) -> Iterator[Database]:
    """Return a copy of it, to be changed."""
    if not original.on_postgresql:
        yield copy_of(original, tmp_path)
        return
    import psycopg

    template = urlsplit(original.url).path.removeprefix("/")
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {template}_copy TEMPLATE {template}".encode())
        yield Database(f"{original.url}_copy", tmp_path)
        server.execute(f"DROP DATABASE {template}_copy WITH (FORCE)".encode())


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder = tmp_path_factory.mktemp("empty")
    with fresh_database(folder) as url:
        yield Database(url, folder)


@pytest.fixture(scope="module")
def sqlite_original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """Use SQLite, whatever the tests run on."""
    if not os.environ["DATABASE_URL"].startswith("postgres"):
        original: Database = request.getfixturevalue("original")
        return original
    request.getfixturevalue("static_files")
    folder = tmp_path_factory.mktemp("sqlite")
    database = Database(f"sqlite:///{folder / 'db.sqlite3'}", folder)
    assert fill(database.url, content_of(request.node)) == ""
    with serving(database.url, folder):
        pass
    database.back_up()
    return database


def copy_of(original: Database, folder: Path) -> Database:
    (folder / "db.sqlite3").write_bytes(original.backup.read_bytes())
    copy = Database(f"sqlite:///{folder / 'db.sqlite3'}", folder)
    copy.ask("PRAGMA journal_mode = WAL")
    return copy


@pytest.mark.full
def test_a_backup_is_one_file_that_only_its_owner_may_read(original: Database) -> None:
    assert stat.S_IMODE(original.backup.stat().st_mode) == 0o600
    assert [path.name for path in original.folder.glob("*one*")] == [original.backup.name]


@pytest.mark.full
def test_a_backup_says_what_it_holds(sqlite_original: Database) -> None:
    """Without a name it is named by the time, beside the database."""
    said = sqlite_original.manage("backup")
    path = Path(said.split(":")[0])
    assert path.parent == sqlite_original.folder / "backups"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-\d{6}\.sqlite3", path.name)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "      17 quotations\n" in said


@pytest.mark.full
def test_a_backup_overwrites_nothing(original: Database) -> None:
    before = original.backup.read_bytes()
    assert original.manage("backup", original.backup, fails=True) == (
        f"CommandError: {original.backup}: this file already exists; choose another name. Nothing was written.\n"
    )
    assert original.backup.read_bytes() == before


@pytest.mark.full
def test_a_backup_that_cannot_be_written_is_said_in_one_line(original: Database) -> None:
    missing = original.folder / "missing" / "one"
    assert original.manage("backup", missing, fails=True) == (
        f"CommandError: {missing}: cannot be written (No such file or directory).\n"
    )


@pytest.mark.full
def test_an_empty_database_is_not_backed_up(empty: Database) -> None:
    assert "check DATABASE_URL" in empty.manage("backup", empty.backup, fails=True)
    assert not empty.backup.exists()


@pytest.mark.full
def test_an_empty_database_becomes_what_the_backup_holds(original: Database, empty: Database) -> None:
    assert "      17 quotations\n" in empty.restore(file=original.backup)
    assert not empty.kept.exists()
    assert empty.rows() == original.rows()
    with serving(empty.url, empty.folder) as site:
        assert site.ask("/healthz")[::2] == HEALTHY
        assert b"Famous quotes containing the word millers:" in site.ask(MILLERS)[2]
        assert b"Millers" in site.ask("/search/?q=millers")[2]
        assert [line.split()[0] for line in site.log.read_text().splitlines()] == ["Serving"]


@pytest.mark.full
def test_a_database_with_content_is_not_replaced_unless_forced(original: Database, database: Database) -> None:
    database.ask(SIGN.format("Written since"))
    before = database.rows()
    assert database.restore(file=original.backup, fails=True) == (
        "CommandError: The database has content. Use --force to replace it; a backup of it is kept.\n"
    )
    assert database.rows() == before
    assert not database.kept.exists()


@pytest.mark.full
def test_the_replaced_database_is_kept_and_can_come_back(original: Database, database: Database) -> None:
    database.ask("UPDATE articles_reference SET title = 'Written since'")
    since = database.rows()
    assert f"kept in {database.kept}" in database.restore("--force", file=original.backup)
    assert database.rows() == original.rows() != since
    assert stat.S_IMODE(database.kept.stat().st_mode) == 0o600
    kept = database.kept.rename(database.folder / "before")
    database.restore("--force", file=kept)
    assert database.rows() == since | {"rlm_site_stale": []}  # which a restored database has worked off


@pytest.mark.full
def test_a_backup_made_while_others_write_is_of_one_moment(database: Database, empty: Database) -> None:
    with Writer(database) as writer:
        time.sleep(0.2)
        database.back_up()
    empty.restore(file=database.backup)
    numbers = empty.numbers()
    assert numbers == list(range(1, len(numbers) + 1))
    assert 0 < len(numbers) < writer.told


@pytest.mark.full
def test_nothing_that_was_written_while_it_was_restored_is_lost(
    original: Database, database: Database, empty: Database
) -> None:
    with Writer(database) as writer:
        database.restore("--force", file=original.backup)
        time.sleep(0.2)
    empty.restore(file=database.kept)
    before, after = empty.numbers(), database.numbers()
    assert before
    assert after
    assert [*before, *after] == list(range(1, len(before) + len(after) + 1))
    assert len(before) + len(after) >= writer.told


@pytest.mark.full
def test_readers_see_the_old_content_until_they_see_the_new(original: Database, database: Database) -> None:
    with serving(database.url, database.folder) as site:
        database.ask(SIGN.format("Written since"))
        reader = Reader(site, AS_BACKED_UP, b"Written since")
        reader.start()
        with Writer(database):
            database.restore("--force", file=original.backup)
            assert AS_BACKED_UP in site.ask(MILLERS)[2]
        assert reader.end() == [b"Written since", AS_BACKED_UP]
        assert site.ask("/healthz")[::2] == HEALTHY


@pytest.mark.full
def test_a_server_never_takes_restored_content_for_what_it_remembers(original: Database, database: Database) -> None:
    with serving(database.url, database.folder) as site:
        site.ask(MILLERS)
        seen = set(database.ask("SELECT token FROM rlm_site_contentversion"))
        for sign in (b"Written since", b"Written later"):
            database.ask(SIGN.format(sign.decode()))
            assert sign in site.ask(MILLERS)[2]
            database.restore("--force", file=original.backup)
            database.kept.unlink()
            restored = set(database.ask("SELECT token FROM rlm_site_contentversion"))
            assert not restored & seen
            seen |= restored
            assert AS_BACKED_UP in site.ask(MILLERS)[2]


@pytest.mark.full
def test_accounts_come_back_and_nobody_is_signed_in(database: Database) -> None:
    database.ask("INSERT INTO django_session VALUES ('key', 'data', '2099-01-01')")
    database.back_up()
    database.ask("DELETE FROM auth_user")
    database.restore("--force")
    assert database.ask("SELECT username FROM auth_user") == [("editor",)]
    assert database.ask("SELECT * FROM django_session") == []


@pytest.mark.full
def test_a_backup_of_an_older_version_is_brought_up_to_date(database: Database, empty: Database) -> None:
    database.manage("migrate", "rlm_site", "0001", "--verbosity=0", "--skip-checks")
    database.back_up()
    empty.restore(file=database.backup)
    assert ("0002_search_index",) in empty.ask("SELECT name FROM django_migrations WHERE app = 'rlm_site'")
    with serving(empty.url, empty.folder) as site:
        assert site.ask("/healthz")[::2] == HEALTHY


@pytest.mark.full
def test_a_backup_of_a_newer_version_is_refused(database: Database, empty: Database) -> None:
    database.ask("INSERT INTO django_migrations (app, name, applied) VALUES ('quotes', '0099_later', '2099-01-01')")
    database.back_up()
    assert empty.restore(file=database.backup, fails=True) == (
        f"CommandError: {database.backup}: this backup is from a newer version of the site (quotes.0099_later is"
        " unknown here); update the site first. Nothing was changed.\n"
    )
    assert not any(empty.rows().values())


@pytest.mark.full
def test_a_file_that_is_cut_off_is_refused(original: Database, database: Database) -> None:
    before = database.rows()
    database.backup.write_bytes(original.backup.read_bytes()[:-200_000])
    assert database.restore("--force", fails=True).endswith(" Nothing was changed.\n")
    assert database.rows() == before
    assert not database.kept.exists()


@pytest.mark.full
@pytest.mark.parametrize("beginning", [b"", b"Dear diary", b"SQLite format 3\0", b"PGDMP"])
def test_a_file_that_is_no_backup_is_refused(original: Database, tmp_path: Path, beginning: bytes) -> None:
    (tmp_path / "file").write_bytes(beginning)
    assert original.restore("--force", file=tmp_path / "file", fails=True).endswith(" Nothing was changed.\n")
    assert original.ask("SELECT count(*) FROM quotes_quote") == [(17,)]


@pytest.mark.full
def test_a_missing_file_is_said_in_one_line(original: Database, tmp_path: Path) -> None:
    assert original.restore("--force", file=tmp_path / "file", fails=True) == (
        f"CommandError: {tmp_path / 'file'}: No such file or directory. Nothing was changed.\n"
    )


# SQLite


def damage(database: Database, *pages: int) -> None:
    with database.file.open("r+b") as file:
        for page in pages:
            file.seek(4096 * (page - 1))
            file.write(bytes(4096))


@pytest.mark.full
def test_another_programs_database_is_refused(sqlite_original: Database, tmp_path: Path) -> None:
    database = copy_of(sqlite_original, tmp_path)
    with closing(sqlite3.connect(database.backup)) as other, other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    assert "this is a backup of another program" in database.restore("--force", fails=True)


@pytest.mark.full
def test_the_database_is_not_restored_from_itself(sqlite_original: Database, tmp_path: Path) -> None:
    database = copy_of(sqlite_original, tmp_path)
    assert "this file is the database itself; choose a backup" in database.restore(
        "--force", file=database.file, fails=True
    )


@pytest.mark.full
def test_a_damaged_database_is_not_backed_up_but_can_be_replaced(sqlite_original: Database, tmp_path: Path) -> None:
    database = copy_of(sqlite_original, tmp_path)
    damage(
        database, *(page for (page,) in database.ask("SELECT rootpage FROM sqlite_master WHERE name LIKE 'quotes%'"))
    )
    assert "malformed" in database.manage("backup", database.backup, fails=True)
    assert not database.backup.exists()
    assert "kept in" in database.restore("--force", file=sqlite_original.backup)
    assert database.rows() == sqlite_original.rows()
    assert "verified." in database.back_up()


@pytest.mark.full
def test_a_database_that_cannot_be_opened_is_to_be_moved_away(sqlite_original: Database, tmp_path: Path) -> None:
    database = copy_of(sqlite_original, tmp_path)
    damage(database, *range(2, 100))
    assert "too damaged" in database.restore("--force", file=sqlite_original.backup, fails=True)
    database.file.unlink()
    database.restore(file=sqlite_original.backup)
    assert database.rows() == sqlite_original.rows()


@pytest.mark.full
def test_a_backup_with_pages_of_another_size_is_restored(sqlite_original: Database, tmp_path: Path) -> None:
    database = copy_of(sqlite_original, tmp_path)
    with closing(sqlite3.connect(database.file)) as file:
        file.execute("PRAGMA journal_mode = DELETE")
        file.execute("PRAGMA page_size = 8192")
        file.execute("VACUUM")
    database.restore("--force", file=sqlite_original.backup)
    assert database.rows() == sqlite_original.rows()
    assert database.ask("PRAGMA page_size") == [(8192,)]


@pytest.mark.full
def test_rows_that_name_others_that_are_gone_are_said_and_kept(sqlite_original: Database, tmp_path: Path) -> None:
    database = copy_of(sqlite_original, tmp_path)
    database.ask("UPDATE quotes_quote SET work_id = 999999 WHERE key = 'sommer-honest-men'")
    assert "Problem in the database itself: rows of quotes_quote that refer to missing rows: 1." in database.back_up()


# PostgreSQL


def test_the_password_is_on_no_command_line() -> None:
    with postgresql._login({"host": "db", "password": "a:b\\c", "prepare_threshold": None}) as login:
        path = Path(login.split("passfile=")[1])
        assert "host=db" in login
        assert "a:b" not in login
        assert path.read_text() == "*:*:*:*:a\\:b\\\\c\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


@pytest.mark.parametrize(
    ("version", "complaint"),
    [
        ("", "pg_dump is not installed (Debian: apt-get install postgresql-client-99)"),
        ("15.4 (Debian)", "pg_dump is version 15 but the server is version 99; install postgresql-client-99"),
        ("99.1", ""),
    ],
)
def test_pg_dump_is_as_new_as_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, complaint: str
) -> None:
    program = tmp_path / "pg_dump"
    if version:
        program.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}'\n")
        program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    if complaint:
        with pytest.raises(BackupError) as error:
            postgresql._program("pg_dump", server=99)
        assert str(error.value).endswith(complaint)
    else:
        assert postgresql._program("pg_dump", server=99) == str(program)
