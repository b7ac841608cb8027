import os

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from articles import topics
from articles.models import Article
from rlm_site.front import views
from rlm_site.indexing import queue
from rlm_site.page_cache import triggers

pytestmark = pytest.mark.django_db


def test_a_working_site_says_so(client: Client) -> None:
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


def test_the_answer_is_never_stored(client: Client) -> None:
    assert "no-store" in client.get("/healthz")["Cache-Control"]


def test_a_missing_trigger_is_reported(client: Client) -> None:
    name, table = next(
        (name, table) for name, table in triggers._installed(connection).items() if table == "articles_article"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if connection.vendor == "postgresql" else ""))
    response = client.get("/healthz")
    assert response.status_code == 503
    assert "articles_article" in response.json()["status"]


def test_migrations_that_are_not_applied_are_reported(client: Client) -> None:
    [last] = MigrationLoader(connection).graph.leaf_nodes("rlm_site")
    MigrationRecorder(connection).record_unapplied(*last)
    response = client.get("/healthz")
    assert response.status_code == 503
    assert "migrations" in response.json()["status"]


def test_a_host_that_monitors_may_ask_without_the_last_slash(client: Client) -> None:
    assert client.head("/healthz").status_code == 200


def test_a_home_page_that_cannot_be_made_is_reported(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(article: Article) -> str:
        raise ValueError("no sentence")

    monkeypatch.setattr(topics, "first_sentence", fail)
    response = client.get("/healthz")
    assert response.status_code == 503
    assert response.json() == {"status": "the home page cannot be rendered"}


def test_a_database_that_cannot_be_written_to_is_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    queue.process_queue()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")  # as on a standby
    else:
        monkeypatch.setattr(views.os, "access", lambda path, mode: mode != os.W_OK)
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "database": "read-only"}
