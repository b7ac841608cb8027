"""What the tests of all apps share; loaded by pytest as a plugin (see pyproject.toml).

The test database holds the site's own fixtures, so that tests read real content; each test is rolled back.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from zeal import zeal_context

FIXTURES = ["tags", "people", "works", "quotes", "references", "articles"]


@pytest.fixture(scope="session", autouse=True)
def content(django_db_setup: None, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        call_command("loaddata", *FIXTURES, verbosity=0)
        from rlm_site import derived

        derived.drain()


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """Pages name hashed files, as in production."""
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(autouse=True)
def n_plus_one_queries_fail() -> Iterator[None]:
    with zeal_context():
        yield


@pytest.fixture
def client() -> Client:
    """A reader: no cookie, the site's own host."""
    return Client(HTTP_HOST="127.0.0.1")
