"""Files at the desk as tests send them."""

import csv
import io
import json
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from rlm_site.tests.editor import filled


def csv_of(*rows: dict[str, str]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def json_of(*rows: dict[str, Any]) -> bytes:
    return json.dumps(rows, ensure_ascii=False).encode()


def preview(client: Client, address: str, data: bytes, name: str = "rows.csv") -> Any:
    return client.post(f"{address}import/", {"file": SimpleUploadedFile(name, data)})


def confirm(client: Client, address: str, page: Any) -> Any:
    """Send the form of a preview."""
    return client.post(f"{address}import/", filled(page), follow=True)


def imported(client: Client, address: str, data: bytes, name: str = "rows.csv") -> Any:
    page = preview(client, address, data, name)
    assert "rows" in page.context, told(page)
    return confirm(client, address, page)


def told(page: Any) -> list[str]:
    """What a refused file is told: `line 3, year: …`, or beside the field of the file."""
    form = page.context.get("form")
    found = [*form.errors.get("file", [])] if form else []
    for row in page.context.get("invalid", []):
        found += [f"line {row.line}, {name}: {error}" for name, errors in row.error_dict.items() for error in errors]
    return found


def shown(page: Any) -> dict[str, dict[str, str]]:
    """Record -> what a preview marks of it as removed [-so-] and added {+so+}, by field."""
    marks = {"removed": "[-{}-]", "added": "{{+{}+}}", "same": "{}"}
    return {
        row.object_repr: {
            difference.name: "".join(marks[part.kind].format(part.text) for part in difference.parts)
            for difference in row.diff.differences
        }
        for row in page.context["rows"]
    }
