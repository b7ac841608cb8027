"""Databases that are made for a run are gone after it, whatever the process has worked on meanwhile."""

from pathlib import Path

import pytest

from rlm_site.testing.databases import _server, fresh_database, name_in, on_postgresql


def exists(url: str) -> bool:
    if not on_postgresql():
        return Path(name_in(url)).exists()
    with _server() as server:
        return bool(server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name_in(url)]).fetchone())


def test_a_process_that_goes_on_to_work_on_its_database_can_remove_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fresh_database(tmp_path) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        if not on_postgresql():
            Path(name_in(url)).touch()
        assert exists(url)
    assert not exists(url)
