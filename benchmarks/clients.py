"""Every kind of client that writes to the database. Import it after django.setup()."""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import SimpleNamespace
from urllib.parse import urlencode, urlsplit

from django.core import serializers
from django.core.management import call_command
from django.db import connection
from django.db.models import JSONField, Model
from django.utils.html import strip_tags

from rlm_site.testing.served import Site
from rlm_site.tests.editor import form_data

BUSY_STATUS = 503  # nothing was saved, press Save again


class Writer(ABC):
    """A client that changes, adds and removes rows in its own way."""

    name: str

    def change(self, row: Model, **values: object) -> None:
        for column, value in values.items():
            setattr(row, column, value)
        self.write(row, list(values))

    @abstractmethod
    def write(self, row: Model, changed: list[str]) -> None: ...

    @abstractmethod
    def add(self, row: Model) -> None: ...

    @abstractmethod
    def remove(self, row: Model) -> None: ...


class SaveWriter(Writer):
    name = "save() in a shell"

    def write(self, row: Model, changed: list[str]) -> None:
        row.save()

    def add(self, row: Model) -> None:
        row.save(force_insert=True)

    def remove(self, row: Model) -> None:
        row.delete()


class BulkWriter(Writer):
    name = "bulk_create, bulk_update"

    def write(self, row: Model, changed: list[str]) -> None:
        type(row)._base_manager.bulk_update([row], changed)

    def add(self, row: Model) -> None:
        type(row)._base_manager.bulk_create([row])

    def remove(self, row: Model) -> None:
        type(row)._base_manager.filter(pk=row.pk).delete()


class UpdateWriter(BulkWriter):
    name = "QuerySet.update"

    def write(self, row: Model, changed: list[str]) -> None:
        values = {column: row.serializable_value(column) for column in changed}
        type(row)._base_manager.filter(pk=row.pk).update(**values)


class FixtureWriter(BulkWriter):
    name = "loaddata"

    def write(self, row: Model, changed: list[str]) -> None:
        self.add(row)

    def add(self, row: Model) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(serializers.serialize("json", [row]))
            file.flush()
            call_command("loaddata", file.name, verbosity=0)


class SqlClient(Writer):
    """A database client without Django: `sqlite3` or `psql`, or the driver where `sqlite3` is not installed."""

    name = "sqlite3 or psql"

    def __init__(self, url: str) -> None:
        self.url = url

    def write(self, row: Model, changed: list[str]) -> None:
        literals = self._literals(row)
        columns = [str(field.column) for field in row._meta.concrete_fields if field.name in changed]
        pairs = ", ".join(f"{column} = {literals[column]}" for column in columns)
        self.run(f"UPDATE {row._meta.db_table} SET {pairs} WHERE id = {row.pk}")

    def add(self, row: Model) -> None:
        self.run(f"INSERT {self._insert_clause(row)}")

    def remove(self, row: Model) -> None:
        self.run(f"DELETE FROM {row._meta.db_table} WHERE id = {row.pk}")

    def run(self, statement: str) -> None:
        if self.url.startswith("postgres"):
            parts = urlsplit(self.url)
            login = {"PGHOST": parts.hostname or "", "PGPORT": str(parts.port), "PGDATABASE": parts.path[1:]}
            login |= {"PGUSER": parts.username or "", "PGPASSWORD": parts.password or ""}
            command = ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement]
            subprocess.run(command, env={**os.environ, **login}, check=True)
            return
        file = self.url.removeprefix("sqlite:///")
        if client := shutil.which("sqlite3"):
            subprocess.run([client, "-cmd", ".timeout 20000", file, statement], check=True)
        else:
            driver = "import sqlite3, sys; sqlite3.connect(sys.argv[1], 20, isolation_level=None).execute(sys.argv[2])"
            subprocess.run([sys.executable, "-c", driver, file, statement], check=True)

    def _insert_clause(self, row: Model) -> str:
        literals = self._literals(row)
        return f"INTO {row._meta.db_table} ({', '.join(literals)}) VALUES ({', '.join(literals.values())})"

    def _literals(self, row: Model) -> dict[str, str]:
        """Return the values of a row as SQL literals, by column."""
        literals = {}
        for field in row._meta.concrete_fields:
            value = getattr(row, field.attname)
            plain = json.dumps(value) if isinstance(field, JSONField) else field.get_db_prep_save(value, connection)
            if plain is None:
                literal = "NULL"
            elif isinstance(plain, bool):
                literal = str(plain).upper()
            elif isinstance(plain, int):
                literal = str(int(plain))
            else:
                literal = "'" + str(plain).replace("'", "''") + "'"
            literals[str(field.column)] = literal
        return literals


class UpsertWriter(SqlClient):
    name = "INSERT OR REPLACE, ON CONFLICT"

    def write(self, row: Model, changed: list[str]) -> None:
        if self.url.startswith("postgres"):
            pairs = ", ".join(f"{column} = excluded.{column}" for column in self._literals(row))
            self.run(f"INSERT {self._insert_clause(row)} ON CONFLICT (id) DO UPDATE SET {pairs}")
        else:
            self.run(f"INSERT OR REPLACE {self._insert_clause(row)}")


class NotSavedError(Exception):
    """The admin's response was not that it has saved."""


class Editor(UpdateWriter):
    """A user of the admin of either server."""

    name = "a form of the admin"

    def __init__(self, sites: Sequence[Site], rng: random.Random) -> None:
        self.sites = sites
        self.rng = rng
        self.cookies: dict[str, str] = {}
        self.refused = 0  # because the database was busy, and pressed Save again

    def write(self, row: Model, changed: list[str]) -> None:
        site = self.rng.choice(self.sites)
        path = f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"
        typed = {column: getattr(row, column) for column in changed}
        while (answer := self._post(site, path, **typed))[0] == BUSY_STATUS:
            self.refused += 1
        if answer[0] != 302:
            raise NotSavedError(f"{path} was answered with {answer[0]}: {' '.join(strip_tags(answer[1]).split())}")

    def sign_in(self, name: str, password: str) -> int:
        self.cookies = {}
        return self._post(self.rng.choice(self.sites), "/admin/login/?next=/admin/", username=name, password=password)[
            0
        ]

    def look(self, path: str) -> int:
        return self._request(self.rng.choice(self.sites), path)[0]

    def _post(self, site: Site, path: str, **typed: str) -> tuple[int, str]:
        """Submit the form as a browser does after these values were typed."""
        form = form_data(SimpleNamespace(content=self._request(site, path)[1]), **typed)
        status, page = self._request(site, path, urlencode(form))
        return status, page.decode()

    def _request(self, site: Site, path: str, form: str = "") -> tuple[int, bytes]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        status, headers, page = site.ask(path, form, **({"Cookie": cookies} if cookies else {}))
        for cookie in headers.get_all("Set-Cookie", []):
            name, _equals, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        return status, page
