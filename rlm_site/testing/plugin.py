"""The plugin that pytest loads for all tests (see pyproject.toml): fixtures, and what the marks of a test mean.

Each process of a run has one copy of the content, on which each test is rolled back, one served site and one browser;
they are made when the first test asks for them.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from whitenoise import WhiteNoise

from rlm_site.testing import databases
from rlm_site.testing.browser import CHROMIUM, NO_CHROMIUM, axe, chromium, editor_login, member_login, new_page
from rlm_site.testing.databases import content_of, fresh_database
from rlm_site.testing.served import Site, end_servers, serving

__all__ = ["axe", "chromium", "editor_login", "member_login", "new_page"]  # fixtures


def pytest_configure() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the servers are ended with the tests
    databases.SCRATCH.mkdir(mode=0o700, exist_ok=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the process that began the run, after all others
        end_servers()
        databases.remove_all()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add an option of our own for the long tests, so that `-m` is left to whoever runs some of the tests."""
    parser.addoption(
        "--full", choices=["no", "only", "also"], default="also", help="whether to run the tests marked full"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = {"no": True, "only": False}.get(config.getoption("--full"))
    deselected = [item for item in items if bool(item.get_closest_marker("full")) is left_out]
    if databases.on_postgresql():  # a browser sees nothing of the database
        deselected += [item for item in items if item.get_closest_marker("browser") and item not in deselected]
    if deselected:
        config.hook.pytest_deselected(items=deselected)
        items[:] = [item for item in items if item not in set(deselected)]
    for item in items:
        if item.get_closest_marker("browser"):
            if CHROMIUM is None and os.environ.get("CI") != "true":
                item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))
            # A browser that crashed has said nothing of the site: once more, in a new one. Its log stands in the error
            # only then, and not where a page was closed.
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=["(?s)TargetClosedError.*Browser logs:"]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if CHROMIUM is None and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line(f"browser tests skipped: {NO_CHROMIUM}")


def pytest_sessionstart() -> None:
    """Collect static files where they have changed, before a test's module imports the site, which looks for them."""
    from rlm_site import static_files

    settings.STATE_DIR.mkdir(exist_ok=True)
    with databases.only_one(settings.STATE_DIR / "static.lock"):
        if not static_files.are_collected():
            static_files.collect()


@pytest.fixture(scope="session", autouse=True)
def static_files() -> Iterator[None]:
    """Serve the collected static files: pages name hashed files, as in production."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoise, "update_files_dictionary", _look_through_once(WhiteNoise.update_files_dictionary))
        yield


def _look_through_once(look_through: Callable[..., None]) -> Callable[..., None]:
    """Remember the files of a folder: else each client of each test looks through all of them, for 50 ms."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}

    def add_files(server: WhiteNoise, root: str, prefix: str) -> None:
        files = found.get(key := (root, prefix, server.max_age))
        if files is None:
            look_through(server, root, prefix)
            found[key] = dict(server.files)
        else:
            server.files.update(files)

    return add_files


@pytest.fixture(scope="session")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """`copies("own")` is the address of the copy of this content that the tests of this process share."""
    with ExitStack() as stack:
        made: dict[str, str] = {}

        def copy(content: str) -> str:
            if content not in made:
                folder = tmp_path_factory.mktemp("database")
                made[content] = stack.enter_context(fresh_database(folder, content))
            return made[content]

        yield copy
        connection.close()


@pytest.fixture
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_blocker: Any,
    copies: Callable[[str], str],
) -> None:
    """Connect to the copy of the content that the test reads."""
    name = databases.name_in(copies(content_of(request.node)))
    if connection.settings_dict["NAME"] != name:
        with django_db_blocker.unblock():
            connection.close()
        connection.settings_dict["NAME"] = name


@pytest.fixture
def client() -> Client:
    """Return a reader: no cookie, the site's own host."""
    return Client(HTTP_HOST="127.0.0.1")


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory, static_files: None) -> Iterator[Callable[[str], Site]]:
    """`sites("own")` is the site with this content, as it is served to the tests of this process."""
    with ExitStack() as stack:
        started: dict[str, Site] = {}

        def site(content: str) -> Site:
            if content not in started:
                folder = tmp_path_factory.mktemp("site")
                url = stack.enter_context(fresh_database(folder, content))
                started[content] = stack.enter_context(serving(url, folder))
            return started[content]

        yield site


@pytest.fixture
def server(request: pytest.FixtureRequest, sites: Callable[[str], Site]) -> Site:
    """Return the served site with the content that the test reads, on a database of the kind that tests run on."""
    return sites(content_of(request.node))
