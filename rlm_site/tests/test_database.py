"""The database as a server's: many readers beside one writer."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rlm_site.testing.served import Site

PATIENCE = 5  # seconds; who waits for a lock waits for twenty


@contextmanager
def long_transaction(url: str) -> Iterator[Any]:
    """Of another client, which takes everything back in the end."""
    if url.startswith("postgres"):
        import psycopg

        with psycopg.connect(url) as server:
            yield server
            server.rollback()
        return
    client = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    client.execute("BEGIN IMMEDIATE")
    yield client
    client.execute("ROLLBACK")
    client.close()


def test_readers_do_not_wait_for_a_writer(server: Site) -> None:
    remembered, made_now = "/edgar-tarlow/", "/edgar-tarlow/ledgers-and-maps/"
    before = server.ask(remembered)[2]
    with long_transaction(server.database_url) as client:
        client.execute("UPDATE articles_article SET body = 'Not committed'")
        client.execute("DELETE FROM quotes_check")
        began = time.monotonic()
        assert server.ask(remembered)[2] == before
        for path in (made_now, "/search/?q=tarlow", "/tags/bread/", "/words/millers/"):
            status, _headers, page = server.ask(path)
            assert status == 200
            assert b"Not committed" not in page
        assert time.monotonic() - began < PATIENCE
