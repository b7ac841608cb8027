"""Helpers for tests of imports in the admin."""

import csv
import io
import json
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from rlm_site.tests.editor import form_data


def csv_of(*rows: dict[str, str]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def json_of(*rows: dict[str, Any]) -> bytes:
    return json.dumps(rows, ensure_ascii=False).encode()


def preview(client: Client, address: str, data: bytes, name: str = "rows.csv", /, **chosen: Any) -> Any:
    """Send a file, and what is chosen beside it, and return the page with what it would change."""
    return client.post(f"{address}import/", {"file": SimpleUploadedFile(name, data), **chosen})


def confirm(client: Client, address: str, page: Any) -> Any:
    """Submit the form of a preview."""
    return client.post(f"{address}import/", form_data(page), follow=True)


def import_rows(client: Client, address: str, data: bytes, name: str = "rows.csv", /, **chosen: Any) -> Any:
    page = preview(client, address, data, name, **chosen)
    assert "rows" in page.context, error_messages(page)
    return confirm(client, address, page)


def error_messages(page: Any) -> list[str]:
    """Return the errors shown for a refused file: `line 3, year: …`, or those of the form."""
    form = page.context.get("form")
    found = [error for errors in form.errors.values() for error in errors] if form else []
    for row in page.context.get("invalid", []):
        found += [f"line {row.line}, {name}: {error}" for name, errors in row.error_dict.items() for error in errors]
    return found


def shown_changes(page: Any) -> dict[str, dict[str, str]]:
    """Return, for each record of a preview, its fields with [-removed-] and {+added+} text."""
    marks = {"removed": "[-{}-]", "added": "{{+{}+}}", "same": "{}"}
    return {
        row.object_repr: {
            difference.name: "".join(marks[part.kind].format(part.text) for part in difference.parts)
            for difference in row.diff.differences
        }
        for row in page.context["rows"]
    }
