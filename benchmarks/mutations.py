#!/usr/bin/env python
"""Whether any request, form or file brings the site down: mutated ones by five kinds of people, and the pages after.

    python benchmarks/mutations.py [--requests 100000] [--forms 5000] [--seed N] [--database URL]

A scratch database with the tests' own content (SQLite, or beside the PostgreSQL database that DATABASE_URL names) is
asked in-process. Requests are drawn from all addresses of the site and of its admin and mutated in path, query string,
method and headers; forms are those of the admin as a browser would send them, and import files, mutated in fields and
bytes. After every hundred forms all pages that readers find must still be there. Ends with 1 if an answer was 500 or
later, if a page broke, or if a form was refused without what was typed in it. `--seed` repeats a run. How far it is
stands in the output all the time, and whoever interrupts it is told what was found until then.
"""

import argparse
import logging
import os
import random
import re
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rlm_site.testing.databases import OWN, fill, fresh_database

NASTY = [
    "", " ", "0", "-1", "1e999", "9" * 40, "9" * 5000, "x" * 10_000, "\x00", "\x0b", "\x1b[31m", "\u202e", "\ufeff",
    "\ud800", "\uffff", "٣", "🙂", "Война", "é", "%00", "%ff", "%0d%0aX: y", "../../etc/passwd", "//evil.example/",
    "javascript:alert(1)", "<script>alert(1)</script>", "' OR 1=1 --", '"', "(", "(((a+)+)+)$\\", "[", "{}", "[]",
    '{"a":', "null", "true", "NaN", "2026-02-30", "9999-12-31 23:59", "0000-00-00", "1,5", "a,b,c", "a\r\nb",
    "*" * 500, "[[" * 300, "[^1]" * 300, "[@x]" * 300, "|" * 500, "`" * 500, "<!--", "]]>", "=HYPERLINK(1)", "-", ".",
    "/", "#", "?",
]  # fmt: skip
PARAMETERS = [
    "q", "p", "o", "e", "all", "page", "tag", "person", "word", "status", "kind", "_popup", "_to_field", "state",
    "next", "_changelist_filters", "title", "title__regex", "parent__title__icontains", "id__in", "parent", "topic",
    "tags", "term", "app_label", "model_name", "field_name", "format", "ids", "action", "_facets", "draft", "from",
    "to", "with", "created__gte", "user__password__startswith", "published__exact", "slug__contains", "text", "body",
    "version",
]  # fmt: skip
METHODS = ["GET"] * 12 + ["HEAD", "POST", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
HEADERS = [
    "HTTP_HOST", "HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING", "HTTP_ACCEPT_LANGUAGE", "HTTP_IF_NONE_MATCH", "HTTP_RANGE",
    "HTTP_IF_MODIFIED_SINCE", "HTTP_AUTHORIZATION", "HTTP_REFERER", "HTTP_ORIGIN", "HTTP_USER_AGENT", "HTTP_COOKIE",
    "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_FORWARDED", "HTTP_X_REAL_IP",
    "HTTP_X_REQUESTED_WITH", "HTTP_X_HTTP_METHOD_OVERRIDE", "CONTENT_TYPE",
]  # fmt: skip
PEOPLE = ("reader", "Authors", "Editors", "Publishers", "administrator")
PAUSE = 10  # seconds between two lines that tell how far it is
TYPED = "Zorblaxian words that somebody typed"


@dataclass
class Result:
    tried: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def fail(self, what: str) -> None:
        self.failures.append(what[:600])


class Trial:
    """Asks the site in-process, as people of every kind."""

    def __init__(self, rng: random.Random) -> None:
        from django.test import Client

        self.rng = rng
        self.result = Result()
        self.people = {name: Client(False, HTTP_HOST="127.0.0.1", raise_request_exception=False) for name in PEOPLE}
        self.sign_in()
        self.addresses = addresses()
        self.forms = [address for address in self.addresses if re.search(r"/(add|change|import|\d+/\w+)/$", address)]
        self.lists = [address for address in self.addresses if re.fullmatch(r"/admin/\w+/\w+/", address)]

    def sign_in(self) -> None:
        """Sign everybody in anew: some of what they do ends their sessions, or their accounts."""
        from django.contrib.auth.models import Group, User

        for name, client in self.people.items():
            client.cookies.clear()
            if name == "reader":
                continue
            is_admin = name == "administrator"
            values = {"is_staff": True, "is_active": True, "is_superuser": is_admin, "password": "!"}
            user, _made = User.objects.update_or_create(username=f"mutating-{name.lower()}", defaults=values)
            user.groups.set([] if is_admin else [Group.objects.get_or_create(name=name)[0]])
            user.user_permissions.clear()
            client.force_login(user, "django.contrib.auth.backends.ModelBackend")

    def ask(self, who: str, method: str, address: str, what: str, **given: Any) -> Any:
        """Ask, and note a failure where the answer is 500 or later."""
        path, _mark, query = address.partition("?")
        try:
            response = self.people[who].generic(method, path, QUERY_STRING=query, **given)
        except UnicodeError:  # the client cannot even write it down
            return None
        self.note(response, f"{who} {method} {address} {given}", what)
        return response

    def note(self, response: Any, said: str, what: str) -> None:
        self.result.statuses[f"{what} {response.status_code}"] += 1
        if response.status_code >= 500 and response.status_code != 503:
            error = getattr(response, "exc_info", None)
            where = traceback.extract_tb(error[2])[-1] if error else None
            place = f"{Path(where.filename).name}:{where.lineno} {error[1]!r:.100}" if where and error else ""
            self.result.fail(f"{response.status_code}: {place} {said[:400]}")

    def request(self) -> None:
        rng = self.rng
        address = self.mutated_path(rng.choice(self.addresses))
        if rng.random() < 0.6:
            known = [f"{quote(rng.choice(PARAMETERS))}={quoted(rng.choice(NASTY))}" for _n in range(rng.randint(1, 3))]
            address += ("&" if "?" in address else "?") + "&".join(known)
        given: dict[str, Any] = {}
        for name in rng.sample(HEADERS, rng.choice([0, 0, 1, 2])):
            given[name] = rng.choice(NASTY).encode("utf-8", "replace").decode("latin-1").replace("\n", "").strip("\x00")
        method = rng.choice(METHODS)
        if method not in {"GET", "HEAD"}:
            given["data"] = "&".join(f"{quote(rng.choice(PARAMETERS))}={quoted(rng.choice(NASTY))}" for _n in range(4))
            given.setdefault("content_type", "application/x-www-form-urlencoded")
        self.ask(rng.choice(list(self.people)), method, address, "request", **given)

    def mutated_path(self, address: str) -> str:
        rng = self.rng
        if rng.random() < 0.5:
            return address
        path, mark, query = address.partition("?")
        parts = path.split("/")
        index = rng.randrange(len(parts))
        act = rng.randrange(5)
        if act == 0:
            parts[index] = quoted(rng.choice(NASTY)[:2000])
        elif act == 1:
            parts.insert(index, quoted(rng.choice(NASTY)[:2000]))
        elif act == 2:
            parts[index] = parts[index].upper()
        elif act == 3:
            del parts[index]
        else:
            parts[index] = re.sub(
                r"\d+", lambda found: str(int(found[0]) + rng.choice([1, 10**6, 10**30])), parts[index]
            )
        return "/" + "/".join(parts).lstrip("/") + mark + query

    def form(self) -> None:
        """Submit a form as a browser would, but for some of its fields."""
        from rlm_site.tests.editor import form_data

        rng = self.rng
        who = rng.choice(["Authors", "Editors", "Publishers", "administrator", "administrator"])
        address = rng.choice(self.forms if rng.random() < 0.9 else self.lists)
        page = self.ask(who, "GET", address, "form")
        if page is None or page.status_code != 200 or not page.get("Content-Type", "").startswith("text/html"):
            return
        data = form_data(page)
        names = [name for name in data if name != "csrfmiddlewaretoken"]
        if not names:
            return
        typed = ""
        for name in rng.sample(names, min(len(names), rng.choice([0, 1, 1, 2, 4]))):
            act = rng.randrange(4)
            if act == 0:
                data.pop(name, None)
            elif act == 1:
                data[name] = [data[name], rng.choice(NASTY)]
            else:
                data[name] = rng.choice(NASTY)
        text = next((name for name in ("body", "text", "title", "description") if isinstance(data.get(name), str)), "")
        if text and text in names:
            typed = data[text] = f"{TYPED} {rng.random()}"
        if "/import/" in address and rng.random() < 0.9:
            data = {**data, "file": self.file(address)}
        button = rng.choice(["_save", "_continue", "_publish", "_show", "_addanother", "_draft", "action"])
        data[button] = rng.choice(["1", "1", "publish", "delete_selected", *NASTY[:5]])
        data = {name: value for name, value in data.items() if encodable(value)}
        response = self.people[who].post(address, data)
        self.note(response, f"{who} POST {address} { {k: str(v)[:60] for k, v in data.items()} }", "form")
        if typed and response.status_code in {200, 409} and typed not in unescape(response.content.decode()):
            self.result.fail(f"lost: {who} POST {address}: {response.status_code} without what was typed in {text}")

    def file(self, address: str) -> Any:
        """Return an export of the records, mutated in its bytes."""
        from django.core.files.uploadedfile import SimpleUploadedFile

        rng = self.rng
        kind = rng.choice(["csv", "json"])
        exported: Any = self.people["administrator"].get(f"{address.removesuffix('import/')}export/{kind}/")
        content = b"".join(exported.streaming_content) if exported.streaming else exported.content
        data = bytearray(content[: rng.choice([200, 2000, 20_000])])
        for _n in range(rng.choice([0, 1, 3, 10])):
            act, at = rng.randrange(4), rng.randrange(len(data) + 1)
            if act == 0 and at < len(data):
                data[at] = rng.randrange(256)
            elif act == 1:
                data[at:at] = rng.choice(NASTY).encode("utf-8", "surrogatepass")
            elif act == 2:
                del data[at : at + rng.randrange(200)]
            else:
                data[at:at] = data[max(0, at - 200) : at]
        return SimpleUploadedFile(rng.choice([f"rows.{kind}", "rows.txt", "rows.xlsx", "a" * 300]), bytes(data))

    def look(self) -> None:
        """Ask for everything that readers find."""
        self.addresses = addresses()
        self.forms = [address for address in self.addresses if re.search(r"/(add|change|import|\d+/\w+)/$", address)]
        for address in [address for address in self.addresses if not address.startswith("/admin/")]:
            response = self.people["reader"].get(address)
            self.note(response, f"page {address}", "page")
        for address in ["/admin/", *self.lists]:
            self.note(self.people["administrator"].get(address), f"list {address}", "list")


def addresses() -> list[str]:
    """Return every address of the site, with the records that there are and some that there are not."""
    from django.apps import apps
    from django.contrib.admin import site
    from django.urls import NoReverseMatch, get_resolver, reverse

    known: list[str] = [
        "/", "/about/", "/changes/", "/quotes/people/", "/quotes/", "/references/", "/search/?q=mill", "/tags/",
        "/words/mill/",
        "/feeds/changes/", "/feeds/quotes/", "/sitemap.xml", "/sitemap-articles.xml", "/robots.txt", "/healthz",
        "/preview/x/", "/favicon.ico", "/static/css/site.css", "/admin/", "/admin/login/", "/admin/jsi18n/",
        "/admin/password_change/", "/admin/autocomplete/", "/admin/r/1/1/",
    ]  # fmt: skip
    rows = {model: list(model._default_manager.order_by("pk")[:40]) for model in apps.get_models()}
    for found in rows.values():
        known += [row.get_absolute_url() for row in found if hasattr(row, "get_absolute_url") and is_shown(row)]
    for model, model_admin in site._registry.items():
        for pattern in model_admin.urls:
            if not pattern.name:
                continue
            for pk in [row.pk for row in rows.get(model, [])[:6]] + [10**9]:
                for arguments in ([], [pk], ["csv"], [pk, 1], [pk, 1, 2], [pk, "publish"]):
                    with suppress(NoReverseMatch):
                        known.append(reverse(f"admin:{pattern.name}", args=arguments))
    named = [
        name for name in get_resolver("rlm_site.urls").namespace_dict["admin"][1].reverse_dict if isinstance(name, str)
    ]
    for name in named:
        with suppress(NoReverseMatch):
            known.append(reverse(f"admin:{name}"))
    return sorted({urlsplit(address)._replace(scheme="", netloc="").geturl() for address in known} - {"/admin/logout/"})


def is_shown(row: Any) -> bool:
    return getattr(row, "published", True)


def quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"))


def encodable(value: Any) -> bool:
    """Return whether a browser could send the value at all."""
    try:
        "".join(map(str, value if isinstance(value, list) else [value])).encode()
    except UnicodeError:
        return False
    return True


def run(trial: Trial, what: str, count: int, act: Callable[[], None]) -> None:
    said = began = time.monotonic()
    for number in range(1, count + 1):
        act()
        trial.result.tried[what] += 1
        if number % 20 == 0:
            trial.sign_in()
        if what == "forms" and number % 100 == 0:
            trial.look()
        if number == count or time.monotonic() - said > PAUSE:
            said = time.monotonic()
            failures = len(trial.result.failures)
            print(f"{number:,} of {count:,} {what}, {failures} failures, {said - began:,.0f} s", flush=True)


def print_result(result: Result, seed: int) -> None:
    for what, number in sorted(result.statuses.items()):
        print(f"  {what:20}{number:10,}")
    print(f"{result.tried['requests']:,} requests, {result.tried['forms']:,} forms (--seed {seed})")
    print(f"{len(result.failures):,} failures")
    for line in list(dict.fromkeys(result.failures))[:40]:
        print(line)
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--forms", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--database", metavar="URL", help="use and damage this database instead of a temporary one")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was found until then is told
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = args.database or stack.enter_context(fresh_database(folder))
        if not args.database and (problem := fill(url, OWN)):
            sys.exit(problem)
        os.environ.update(DATABASE_URL=url, DJANGO_SETTINGS_MODULE="rlm_site.settings")
        import django
        from django.test.utils import setup_test_environment

        django.setup()
        from rlm_site import static_files

        if not static_files.are_collected():
            static_files.collect()
        setup_test_environment()
        logging.disable(logging.CRITICAL)
        trial = Trial(random.Random(args.seed))
        with suppress(KeyboardInterrupt):
            run(trial, "requests", args.requests, trial.request)
            run(trial, "forms", args.forms, trial.form)
            trial.look()
        print_result(trial.result, args.seed)
    sys.exit(bool(trial.result.failures))


if __name__ == "__main__":
    main()
