"""A database of every earlier form comes out with the tables of a new one, with its content, and serves."""

import lzma
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rlm_site.testing.databases import fresh_database, name_in, on_postgresql
from rlm_site.testing.served import free_port, serving
from rlm_site.testing.variables import ROOT, environment

pytestmark = pytest.mark.full

Rows = set[tuple[Any, ...]]

STORED = Path(__file__).parent / "databases"
KIND = "postgresql.sql" if on_postgresql() else "sqlite3"
COMMITS = sorted(path.name.split(".")[0] for path in STORED.glob(f"*.{KIND}.xz"))

POSTGRESQL_SCHEMA = {
    "column": """
        SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default, is_identity
        FROM information_schema.columns WHERE table_schema = 'public'""",
    "index": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraint": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "trigger": """
        SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal""",
}
GROUPS = """
    SELECT auth_group.name, auth_permission.codename FROM auth_group
    JOIN auth_group_permissions ON auth_group_permissions.group_id = auth_group.id
    JOIN auth_permission ON auth_permission.id = auth_group_permissions.permission_id"""
CONTENT = """
    SELECT slug, title, body FROM articles_article UNION
    SELECT key, text, '' FROM quotes_quote UNION
    SELECT name, slug, description FROM rlm_site_tag UNION
    SELECT username, email, password FROM auth_user"""


def store(commit: str, url: str) -> None:
    """Fill an empty database with the stored one."""
    stored = lzma.decompress((STORED / f"{commit}.{KIND}.xz").read_bytes())
    if on_postgresql():
        import psycopg

        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(stored)
    else:
        Path(name_in(url)).write_bytes(stored)


def rows(url: str, query: str) -> Rows:
    if on_postgresql():
        import psycopg

        with psycopg.connect(url) as connection:
            return set(connection.execute(query).fetchall())
    with closing(sqlite3.connect(name_in(url))) as connection:
        return set(connection.execute(query))


def write(url: str, statement: str) -> None:
    if on_postgresql():
        import psycopg

        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement)
    else:
        with closing(sqlite3.connect(name_in(url))) as connection:
            connection.execute(statement)
            connection.commit()


def schema(url: str) -> Rows:
    """Return all that the database knows of its tables, but the order of their columns."""
    if on_postgresql():
        return {(kind, *row) for kind, query in POSTGRESQL_SCHEMA.items() for row in rows(url, query)}
    found: Rows = set()
    own = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'"
    for kind, name, table, sql in rows(url, own):
        if kind == "table" and not sql.startswith("CREATE VIRTUAL"):
            columns = f"SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_xinfo('{name}')"
            found |= {("column", table, *column) for column in rows(url, columns)}
            found |= {("constraint", table, constraint) for constraint in constraints(sql)}
        else:
            found.add((kind, table, name, sql))
    return found


def constraints(sql: str) -> list[str]:
    """Return the named constraints of a table, each up to the next or the end."""
    return [constraint.strip(" ,)") for constraint in re.split(r"(?=\bCONSTRAINT )", sql)[1:]]


def manage(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *arguments]
    where = environment(url, free_port())
    return subprocess.run(command, cwd=ROOT, env=where, capture_output=True, text=True, check=False, timeout=120)


def test_the_stored_databases_are_found() -> None:
    assert "cc16bab" in COMMITS


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rows, Rows]:
    """Return the schema of a new database and the permissions of its groups."""
    with fresh_database(tmp_path_factory.mktemp("new")) as url:
        assert manage(url, "migrate").returncode == 0
        return schema(url), rows(url, GROUPS)


@pytest.mark.parametrize("commit", COMMITS)
def test_an_earlier_database_becomes_like_a_new_one(
    commit: str, tmp_path: Path, new: tuple[Rows, Rows], static_files: None
) -> None:
    with fresh_database(tmp_path) as old:
        store(commit, old)
        content = rows(old, CONTENT)
        with serving(old, tmp_path) as site:
            assert site.log.read_text().startswith("Updating the database tables …\nIndexing")
            assert b"The Millers" in site.ask("/yarle-valley/the-millers/")[2]
            assert b"Millers</mark> pray for rain" in site.ask("/words/millers/")[2]
            assert b"/yarle-valley/the-millers/" in site.ask("/search/?q=millers")[2]
        assert schema(old) == new[0]
        assert rows(old, GROUPS) == new[1]
        assert rows(old, CONTENT) == content
        assert manage(old, "migrate", "--check").returncode == 0
        assert manage(old, "check", "--deploy", "--tag", "database", "--database", "default").returncode == 0


def test_a_database_of_a_newer_release_is_refused_in_a_line(tmp_path: Path) -> None:
    with fresh_database(tmp_path, "own") as url:
        write(url, "INSERT INTO django_migrations (app, name, applied) VALUES ('articles', '9999_later', '2030-01-01')")
        done = manage(url, "serve")
    assert done.returncode == 1
    assert done.stdout + done.stderr == (
        "CommandError: The database belongs to a newer release: it has the migration articles.9999_later. Install"
        " that release, or restore a backup made before it.\n"
    )


def test_a_database_whose_tables_are_of_no_release_is_refused_in_a_line(tmp_path: Path) -> None:
    with fresh_database(tmp_path) as url:
        store(COMMITS[0], url)
        write(url, "DELETE FROM django_migrations WHERE name = '0001_initial' AND app = 'quotes'")
        done = manage(url, "serve")
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: The database tables could not be updated: ")
    assert done.stderr.count("\n") == 1
    assert os.fspath(ROOT) not in done.stderr
