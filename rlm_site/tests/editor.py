"""Helpers for tests of the admin: signed-in clients, and forms submitted as a browser does."""

from html.parser import HTMLParser
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext


def signed_in(name: str = "editor", *permissions: str, **fields: Any) -> Client:
    """Return a client of a staff user with these permissions (`view_article`), or with all if none are named."""
    user = User.objects.create(username=name, is_staff=True, is_superuser=not permissions, password="!", **fields)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(user)
    return client


def group_client(group: str, name: str = "") -> Client:
    """Return a client of a staff user whose only rights are those of a group: Authors, Editors or Publishers."""
    user = User.objects.create(username=name or group.lower(), is_staff=True, password="!")
    user.groups.add(Group.objects.get(name=group))
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(user)
    return client


def user_of(client: Client) -> User:
    return User.objects.get(pk=client.session["_auth_user_id"])


def count_queries(client: Client, address: str) -> int:
    """Return the number of queries of the page, once caches are warm."""
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._textarea = self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "textarea":
            self._textarea = name
            self.values[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and ("selected" in given or self._select not in self.values):
            self.values[self._select] = given.get("value", "")
        elif tag == "input" and name and given.get("type") != "submit":
            if given.get("type") != "checkbox":
                self.values[name] = given.get("value", "")
            elif "checked" in given:
                self.values[name] = given.get("value", "on")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.values[self._textarea] = self.values[self._textarea].removeprefix("\n")
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.values[self._textarea] += data


def form_data(page: Any, **typed: Any) -> dict[str, Any]:
    """Return the form data that a browser would send after these values were typed; None unticks a box."""
    fields = _Fields()
    fields.feed(page.content.decode())
    values = {name: value.replace("\r\n", "\n").replace("\n", "\r\n") for name, value in fields.values.items()}
    values |= typed
    return {name: value for name, value in values.items() if value is not None}


def transition(client: Client, row: Model, name: str, **given: Any) -> Any:
    """Perform a transition on its page: `transition(editor, article, "publish", kind="correction", note="…")`."""
    address = f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/{name}/"
    page = client.get(address)
    return client.post(address, form_data(page, **given)) if page.status_code == 200 else page


def delete(client: Client, row: Model) -> Any:
    """Delete a row through the confirmation page."""
    address = f"{changelist_url(row)}{row.pk}/delete/"
    page = client.get(address)
    return client.post(address, form_data(page)) if page.status_code == 200 else page


def run_action(client: Client, action: str, *rows: Model, **given: Any) -> Any:
    """Run an admin action on these rows in their list."""
    address = f"{changelist_url(rows[0])}?all="
    chosen = {"action": action, "_selected_action": [row.pk for row in rows], **given}
    return client.post(address, form_data(client.get(address), **chosen))


def delete_selected(client: Client, *rows: Model) -> Any:
    page = run_action(client, "delete_selected", *rows)
    return client.post(changelist_url(rows[0]), form_data(page, _selected_action=[row.pk for row in rows]))


def changelist_url(row: Model) -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/"
