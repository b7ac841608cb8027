"""A developer's loop: a fresh checkout, `manage.py migrate`, a server, and every edit on the next request."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django.fixtures import Settings
from whitenoise.runserver_nostatic.management.commands import runserver

from articles import markdown, views
from rlm_site import static_files
from rlm_site.page_cache import middleware
from rlm_site.page_cache.memory import PageMemory
from rlm_site.testing.served import free_port
from rlm_site.testing.variables import ROOT

ABOUT = "templates/front/_about_every_site.html"


@pytest.mark.django_db
def test_without_room_in_memory_every_page_is_rendered(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "MEMORY", PageMemory(0))
    monkeypatch.setattr("rlm_site.page_cache.versions.content_version", lambda: pytest.fail("the page cache was asked"))
    assert client.get("/about/").status_code == 200


def test_notes_are_rendered_anew_with_debug_alone(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    rendered = (str(number) for number in count(1))
    monkeypatch.setattr(views, "render_to_string", lambda _name, _context: next(rendered))
    notes = markdown.render("A remark.[^1]\n\n[^1]: Only here, in this test.", (), ()).notes
    assert [views._notes(notes), views._notes(notes)] == ["1", "1"]
    settings.DEBUG = True
    assert [views._notes(notes), views._notes(notes)] == ["2", "3"]


@pytest.mark.parametrize(("debug", "collected"), [(True, False), (False, True), (False, False)])
def test_the_development_server_collects_static_files_only_without_debug(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, debug: bool, collected: bool
) -> None:
    done: list[str] = []
    settings.DEBUG = debug
    monkeypatch.setattr(static_files, "are_collected", lambda: collected)
    monkeypatch.setattr(static_files, "collect", lambda: done.append("collected"))
    monkeypatch.setattr(runserver.Command, "inner_run", lambda *_args, **_options: done.append("serving"))
    call_command("runserver", "--noreload")
    assert done == (["serving"] if debug or collected else ["collected", "serving"])


class Checkout:
    """A copy of the repository without what is not in it: no `var/`, no `.env`."""

    def __init__(self, folder: Path) -> None:
        ignored = shutil.ignore_patterns(".git", ".venv", "var", ".env", "__pycache__", ".*_cache")
        self.folder = Path(shutil.copytree(ROOT, folder / "checkout", ignore=ignored))
        self.port = free_port()
        own = {"DEBUG": "true", "PORT": str(self.port), "SITE_URL": f"http://127.0.0.1:{self.port}"}
        self.variables = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | own

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=self.variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def serving(self, command: str) -> Iterator[None]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", command],
            cwd=self.folder,
            env=self.variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # the reloader has a child
        )
        try:
            wait_for(lambda: self.ask("/about/")[0] == 200)
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 15)
            process.wait(30)

    def ask(self, path: str) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def append(self, file: str, text: str) -> None:
        path = self.folder / file
        path.write_text(path.read_text() + text)

    def replace(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


def wait_for(is_done: Callable[[], Any], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(OSError):
            if is_done():
                return
        time.sleep(0.1)
    raise AssertionError("it never happened")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    made = Checkout(tmp_path_factory.mktemp("development"))
    made.manage("migrate")
    return made


@pytest.mark.full
@pytest.mark.parametrize("command", ["runserver", "serve"])
def test_an_edited_template_and_an_edited_style_show_on_the_next_request(checkout: Checkout, command: str) -> None:
    sign = f"Edited under {command}"
    with checkout.serving(command):
        assert sign not in checkout.ask("/about/")[1]
        checkout.replace(ABOUT, '<div class="text">', f'<div class="text">{sign}')
        assert sign in checkout.ask("/about/")[1]
        assert sign not in checkout.ask("/static/css/site.css")[1]
        checkout.append("static/css/site.css", f"/* {sign} */")
        assert sign in checkout.ask("/static/css/site.css")[1]
        assert "/static/css/site.css" in checkout.ask("/about/")[1]


@pytest.mark.full
def test_the_development_server_reloads_code_and_serves_the_admin(checkout: Checkout) -> None:
    with checkout.serving("runserver"):
        status, page = checkout.ask("/admin/login/")
        assert status == 200
        assert checkout.ask("/static/admin/css/base.css")[0] == 200
        assert "/static/admin/css/base.css" in page
        checkout.replace("rlm_site/front/views.py", '"User-agent: *"', '"User-agent: *", "# Edited"')
        wait_for(lambda: "# Edited" in checkout.ask("/robots.txt")[1])


@pytest.mark.full
def test_migrate_works_after_a_field_is_added_and_removed_again(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    checkout.manage("migrate")
    models = "articles/models.py"
    field = "    pages = models.IntegerField(default=0, db_index=True)\n\n    class Quotations("
    for old, new in (("    class Quotations(", field), (field, "    class Quotations(")):
        checkout.replace(models, old, new)
        checkout.manage("makemigrations", "articles")
        checkout.manage("migrate")
        checkout.manage("check", "--deploy", "--tag", "database", "--database", "default")
