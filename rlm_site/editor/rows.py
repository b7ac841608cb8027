"""A form field of rows: a table of labelled inputs, for a `RowsField`.

Between forms, and in what conflicts compare, the rows are a text with one row a line, each the JSON of its columns.
Rows in which nothing is typed are left out. Without a script there are always some empty rows to type in.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django import forms
from django.forms import Script
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from rlm_site.text.merge import Passage, join_passages, three_way_merge
from rlm_site.text.printable import on_one_line

EMPTY_ROWS = 2  # offered below those that are filled in
MOST_READ = 1000  # rows of a form

Row = dict[str, str]


class Column(NamedTuple):
    name: str
    label: str | Promise
    choices: Sequence[tuple[str, Sequence[tuple[str, str | Promise]]]] = ()  # by the label of their group
    wide: bool = False

    def words(self, value: str) -> str:
        """Return the label of a choice, and any other value as it is."""
        return next((str(label) for _group, choices in self.choices for key, label in choices if key == value), value)


def as_text(rows: Iterable[Mapping[str, str]]) -> str:
    """Return rows as a text, one a line."""
    return "\n".join(json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows)


def from_text(text: str) -> list[Row] | None:
    """Return the rows of a text; None where it is not one of rows."""
    try:
        rows = [json.loads(line) for line in text.split("\n") if line]
    except ValueError:
        return None
    is_sound = all(isinstance(row, dict) and all(isinstance(value, str) for value in row.values()) for row in rows)
    return rows if is_sound else None


class RowsInput(forms.Widget):
    """A table with an input for each column of each row: `facts-0-value`."""

    template_name = "editor/rows.html"
    use_fieldset = True

    class Media:
        js = [Script("js/rows.js", defer=True)]

    def __init__(self, columns: Sequence[Column], attrs: Any = None) -> None:
        super().__init__(attrs)
        self.columns = tuple(columns)

    def format_value(self, value: Any) -> str:
        return value if isinstance(value, str) else as_text(value or ())

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        """Return the rows that were typed, in their order."""
        numbers = {
            int(number)
            for key in data
            if key.startswith(f"{name}-")
            for number in key[len(name) + 1 :].split("-")[:1]
            if number.isascii() and number.isdigit() and len(number) < 6
        }
        rows = (
            {
                column.name: on_one_line(data.get(f"{name}-{number}-{column.name}", "")).strip()
                for column in self.columns
            }
            for number in sorted(numbers)[:MOST_READ]
        )
        return as_text(row for row in rows if any(row.values()))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return not any(key.startswith(f"{name}-") for key in data)

    def write(self, value: str, data: QueryDict, name: str) -> None:
        """Write the rows into data, as if a browser had sent them."""
        for key in [key for key in data if key.startswith(f"{name}-")]:
            del data[key]
        for number, row in enumerate(from_text(value) or ()):
            for column in self.columns:
                data[f"{name}-{number}-{column.name}"] = row.get(column.name, "")

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        filled = from_text(self.format_value(value)) or []
        rows = [*filled, *({} for _row in range(EMPTY_ROWS))]
        context["widget"] |= {
            "columns": self.columns,
            "rows": [
                [(column, f"{name}-{number}-{column.name}", row.get(column.name, "")) for column in self.columns]
                for number, row in enumerate(rows)
            ],
        }
        return context

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        """Render a template of ours; Django's renderer of forms knows its own alone."""
        return render_to_string(template_name, context)

    def id_for_label(self, id_: str) -> str:
        return ""  # each input has a label of its own


class RowsFormField(forms.Field):
    """Rows of texts, each on one line."""

    widget: Any

    def __init__(self, *, columns: Sequence[Column], **kwargs: Any) -> None:
        self.columns = tuple(columns)
        for name in ("encoder", "decoder", "show_hidden_initial"):  # what a field of JSON with a default gives its form
            kwargs.pop(name, None)
        super().__init__(**{"widget": RowsInput(columns), "required": False, **kwargs})

    def to_python(self, value: Any) -> list[Row]:
        rows = from_text(value) if isinstance(value, str) else value
        return list(rows or [])

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))

    def words(self, value: Any) -> str:
        """Return the rows in words, one a line."""
        return "\n".join(in_words(row, self.columns) for row in self.to_python(value))


def in_words(row: Mapping[str, str], columns: Sequence[Column]) -> str:
    """Return a row in words: `Born · 1901-09-14 · Lomakino`."""
    return " · ".join(words for column in columns if (words := column.words(row.get(column.name, ""))))


def merge_rows(base: str | None, mine: str, theirs: str) -> str | None:
    """Merge two versions of rows: cell by cell where none was added or removed, else row by row.

    Return None where both sides changed the same in different ways, or where it is not known what either changed.
    """
    versions = [from_text(text) for text in (base or "", mine, theirs)]
    before, own, others = versions
    if base is None or before is None or own is None or others is None:
        return None
    if len(before) == len(own) == len(others):
        merged = []
        for rows in zip(before, own, others, strict=True):
            cells = {name: Passage(*(row.get(name, "") for row in rows)) for name in rows[1] | rows[2]}
            if any(cell.overlaps for cell in cells.values()):
                return None
            merged.append({name: cell.merged for name, cell in cells.items()})
        return as_text(merged)
    passages = three_way_merge(base, mine, theirs)
    if any(passage.overlaps for passage in passages):
        return None
    text = join_passages(passages, lambda passage: passage.mine)
    return text if from_text(text) is not None else None
