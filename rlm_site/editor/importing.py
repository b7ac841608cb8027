"""Rows of files into records and back, on django-import-export: strict about what they say, clear about what is wrong.

A preview writes nothing and holds no lock; an import is one transaction. A column that a file does not have stays as it
is; an empty cell empties the field, and gives a new record what is usual.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

import tablib
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from import_export.fields import Field
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import ModelResource
from import_export.widgets import Widget

from rlm_site.editor.concurrency import row_versions
from rlm_site.editor.forms import TagsField
from rlm_site.history import diff
from rlm_site.history.models import Import
from rlm_site.tags import manager
from rlm_site.text import printable
from rlm_site.text.limits import MAX_PASSAGE
from rlm_site.text.mojibake import find_mojibake
from rlm_site.text.spreadsheets import read_cell, write_cell

MOST_ROWS = 1000  # of one import, which on SQLite keeps others from saving: 50 rows take a second
MOST_COLUMNS = 100
MOST_CELL = 100_000  # characters of a cell of a CSV file

_HALF_OF_A_PAIR = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


# Files


class UnreadableError(ValueError):
    """The file as a whole is not what it should be."""

    field = "file"  # of the form, beside which this is said


class TooManyRowsError(UnreadableError):
    """`count` is None where nobody has counted them."""

    def __init__(self, count: int | None = None) -> None:
        told = _("The file has %(count)s rows; at most %(most)d can be imported at once. Split it into several files.")
        counted = _("more than %(most)d") % {"most": MOST_ROWS} if count is None else count
        super().__init__(told % {"count": counted, "most": MOST_ROWS})


class TooManyColumnsError(UnreadableError):
    def __init__(self, count: int) -> None:
        told = _("The file has %(count)d columns; at most %(most)d are allowed. Delete the unknown ones.")
        super().__init__(told % {"count": count, "most": MOST_COLUMNS})


class Absent:
    """In place of what a row of a file does not name."""


class Rows(NamedTuple):
    headers: list[str]
    rows: list[list[Any]]
    lines: list[int]  # where each row begins

    def dataset(self) -> Any:
        if not self.rows:
            raise UnreadableError(_("The file has no rows."))
        return tablib.Dataset(*self.rows, headers=self.headers)


def decoded(data: bytes) -> str:
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        line, byte = data.count(b"\n", 0, error.start) + 1, data[error.start]
        told = _("Line %(line)d is not valid UTF-8: it contains the byte 0x%(byte)02X. Save the file as UTF-8.")
        raise UnreadableError(told % {"line": line, "byte": byte}) from error


def read_csv(text: str) -> Rows:
    csv.field_size_limit(MOST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    headers: list[str] = []
    found = Rows(headers, [], [])
    begins = 1
    try:
        for cells in reader:
            if not headers:
                headers += [name.strip() for name in cells]
                if len(headers) > MOST_COLUMNS:
                    raise TooManyColumnsError(len(headers))
            elif any(cells):
                if len(cells) != len(headers):
                    told = _("Line %(line)d has %(cells)d cells, but the first line names %(columns)d columns.")
                    counts = {"line": begins, "cells": len(cells), "columns": len(headers)}
                    raise UnreadableError(told % counts)
                if len(found.rows) == MOST_ROWS:
                    raise TooManyRowsError(MOST_ROWS + 1 + sum(any(more) for more in reader))
                found.rows.append([read_cell(cell) for cell in cells])
                found.lines.append(begins)
            begins = reader.line_num + 1
    except csv.Error as error:
        told = _("Line %(line)d is not valid CSV: %(error)s. Check for a missing or extra quotation mark.")
        raise UnreadableError(told % {"line": begins, "error": error}) from error
    return found


def read_json(text: str) -> Rows:
    """Read a list of objects; what an object does not name is `Absent`."""
    lines: list[int] = []
    values: list[dict[str, Any]] = []
    for line, value in _objects(text):
        if len(values) == MOST_ROWS:
            raise TooManyRowsError
        lines.append(line)
        values.append(value)
    if "\\u" in text and (half := _HALF_OF_A_PAIR.search(text)) and not _is_whole(values):
        told = _("Line %(line)d contains %(half)s, which is half of a character. Write the character itself.")
        raise UnreadableError(told % {"line": text.count("\n", 0, half.start()) + 1, "half": half[0]})
    headers = list(dict.fromkeys(name for value in values for name in value))
    if len(headers) > MOST_COLUMNS:
        raise TooManyColumnsError(len(headers))
    return Rows(headers, [[value.get(name, Absent) for name in headers] for value in values], lines)


def _is_whole(values: Any) -> bool:
    """Return whether all names and texts are made of whole characters."""
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


_OPENING = re.compile(r"[ \t\r\n]*\[[ \t\r\n]*(\])?")
_FOLLOWING = re.compile(r"[ \t\r\n]*(?:,[ \t\r\n]*|(\]))")


def _objects(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of a list, and the line of each; one by one, for nobody can interrupt the library in its work.

    Raises UnreadableError.
    """
    opening = _OPENING.match(text)
    if opening is None:
        raise _no_object(text, len(text) - len(text.lstrip()))
    line, counted, place, is_end = 1, 0, opening.end(), opening[1]
    while not is_end:
        if text[place : place + 1] != "{":
            raise _no_object(text, place)
        line, counted = line + text.count("\n", counted, place), place
        value, end = _read_object(text, place)
        yield line, value
        following = _FOLLOWING.match(text, end)
        if following is None:
            raise _no_json(text, end, "expecting ',' delimiter")
        place, is_end = following.end(), following[1]
    if rest := text[place:].lstrip():
        raise _no_json(text, len(text) - len(rest), "extra data")


def _read_object(text: str, place: int) -> tuple[dict[str, Any], int]:
    try:
        return _DECODER.raw_decode(text, place)
    except json.JSONDecodeError as error:
        raise _no_json(text, error.pos, error.msg.lower()) from error
    except (ValueError, RecursionError) as error:
        raise UnreadableError(_("The file is not valid JSON: %(error)s.") % {"error": error}) from error


def _no_json(text: str, place: int, why: str) -> UnreadableError:
    line = text.count("\n", 0, place) + 1
    return UnreadableError(_("Line %(line)d is not valid JSON: %(error)s.") % {"line": line, "error": why})


def _no_object(text: str, place: int) -> UnreadableError:
    if text[place : place + 1] in {"", ",", "]"}:
        return _no_json(text, place, "expecting value")
    return UnreadableError(_('The file is not a list of objects, such as [{"name": "…"}, {"name": "…"}].'))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        [(name, _count)] = Counter(name for name, _value in pairs).most_common(1)
        raise ValueError(_("the field %(name)s appears twice") % {"name": name})
    return values


def _no_constant(name: str) -> NoReturn:
    raise ValueError(_("%(name)s is not a number") % {"name": name})


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)


def write_csv(headers: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Return rows as CSV with a byte order mark, without which spreadsheets misread the text."""
    written = io.StringIO(newline="")
    csv.writer(written).writerows([headers, *([write_cell(f"{value}") for value in row] for row in rows)])
    return "\ufeff" + written.getvalue()


def write_json(headers: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    names = list(headers)
    lines = [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in rows]
    return "[\n" + ",\n".join(lines) + "\n]\n"


READERS = {"csv": read_csv, "json": read_json}


# What stands in a cell


def is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


class Text(Widget):
    def __init__(self, *, lines: bool = False) -> None:
        super().__init__()
        self.lines = lines

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            raise ValueError(_("%(value)s is not text.") % {"value": value})
        value = value.strip()
        if len(value) > MAX_PASSAGE:
            told = _("The text has %(count)s characters; at most %(most)s are allowed.")
            raise ValueError(told % {"count": f"{len(value):,}", "most": f"{MAX_PASSAGE:,}"})
        value = printable.with_line_breaks(value).strip()
        if refused := printable.find_refused(value):
            raise ValueError(str(refused))
        if "\n" in value and not self.lines:
            raise ValueError(_("The text has more than one line. Write it on one line."))
        if misread := find_mojibake(value):
            raise ValueError(
                _("%(misread)s Correct it, or save the original file as UTF-8 again.") % {"misread": misread}
            )
        return value

    def render(self, value: Any, **kwargs: Any) -> Any:
        return value or ""


class YesNo(Widget):
    KNOWN = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> bool:
        known = self.KNOWN.get(str(value).strip().lower())
        if known is None:
            raise ValueError(_("“%(value)s” is not valid. Write yes or no.") % {"value": value})
        return known

    def render(self, value: Any, as_json: bool = False, **kwargs: Any) -> Any:
        return bool(value) if as_json else "yes" if value else "no"


class Year(Widget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int | None:
        if is_empty(value):
            return None
        if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]{1,4}", str(value).strip()):
            raise ValueError(_("“%(value)s” is not a year. Write it as 1862, or as -43 for 43 BC.") % {"value": value})
        return int(value)

    def render(self, value: Any, as_json: bool = False, **kwargs: Any) -> Any:
        return value if as_json or value is not None else ""


class Day(Widget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> date | None:
        if is_empty(value):
            return None
        text = str(value).strip()
        try:
            if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
                raise ValueError(text)
            return date.fromisoformat(text)
        except ValueError as error:
            raise ValueError(_("“%(value)s” is not a date. Write it as 2024-02-11.") % {"value": value}) from error

    def render(self, value: Any, **kwargs: Any) -> str:
        return value.isoformat() if value else ""


class NameList(Widget):
    """Names with semicolons between them; a list of them in JSON."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> list[str]:
        if isinstance(value, str) and value.lstrip().startswith("["):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError) as error:
                raise ValueError(_("Separate the names with semicolons, or write them as a JSON list.")) from error
        names = value if isinstance(value, list) else Text().clean(value).split(";")
        return [name for name in (Text().clean(name) for name in names) if name]

    def render(self, value: Any, as_json: bool = False, **kwargs: Any) -> Any:
        names = list(value or ())
        if as_json:
            return names
        return json.dumps(names, ensure_ascii=False) if any(";" in name for name in names) else "; ".join(names)


class TagNames(Widget):
    """Names of tags as they are typed in a form; a list of them in JSON."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> list[str]:
        if isinstance(value, list):
            names = [Text().clean(name) for name in value]
            value = ", ".join(f'"{name}"' for name in names)
        try:
            typed = TagsField(required=False).clean(Text(lines=True).clean(value))
        except ValidationError as error:
            raise ValueError(" ".join(error.messages)) from error
        return manager.current_names(typed)

    def render(self, value: Any, as_json: bool = False, **kwargs: Any) -> Any:
        return list(value) if as_json else ", ".join(f'"{name}"' if "," in name else name for name in value)


class OtherRow(Widget):
    """A row of another table by one field; what was found is remembered for the rows that follow."""

    def __init__(self, model: type[models.Model], field: str) -> None:
        super().__init__()
        self.model, self.field = model, field
        self.found: dict[str, models.Model] = {}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> models.Model | None:
        key = Text().clean(value)
        if not key:
            return None
        if key not in self.found:
            found = self.model._default_manager.filter(**{self.field: key}).first()
            if found is None:
                told = _("There is no %(kind)s with the %(field)s “%(key)s”.")
                field: Any = self.model._meta.get_field(self.field)
                names = {"kind": self.model._meta.verbose_name, "field": field.verbose_name, "key": key}
                raise ValueError(told % names)
            self.found[key] = found
        return self.found[key]

    def render(self, value: Any, **kwargs: Any) -> str:
        return getattr(value, self.field) if value else ""


def widget_for(field: Any) -> Widget:
    if isinstance(field, models.BooleanField):
        return YesNo()
    if isinstance(field, models.DateField):
        return Day()
    if isinstance(field, models.SmallIntegerField):
        return Year()
    return Text(lines=isinstance(field, models.TextField))


# Records


class Changes:
    """The effect of an import on one record."""

    def __init__(self, resource: "ContentResource", instance: Any, new: bool) -> None:
        self.model = resource._meta.model
        self.before: Mapping[str, Any] = {} if new else resource.content(instance)
        self.after: Mapping[str, Any] = {}

    def compare_with(self, resource: "ContentResource", instance: Any) -> None:
        self.after = resource.content(instance)

    def as_html(self) -> "Changes":
        """Return nothing: the library keeps this for its own template."""
        return self

    @cached_property
    def differences(self) -> list[diff.Difference]:
        return diff.differences(self.model, self.before, self.after)


class Stored(BaseInstanceLoader):
    """The records that a file is about, found beforehand; each as a copy for its row to change."""

    def get_instance(self, row: Mapping[str, Any]) -> Any:
        stored = self.resource.stored.get(self.resource.identity(row))
        return copy(stored) if stored is not None else None


class ContentResource(ModelResource):
    """Columns of a file <-> fields of a model. `natural_key` is the column that says which record a row is about.

    Rows without it are new records, where the model can make one of its own.
    """

    natural_key = ""
    command = ""  # of manage.py, for more rows than these
    explained: Mapping[str, str | Promise] = {}  # what stands in columns of which the model does not say it

    class Meta:
        import_id_fields: tuple[str, ...] = ()  # `Stored` knows better
        instance_loader_class = Stored
        clean_model_instances = True
        store_instance = True

    def __init__(self, user: Any, options: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.user = user
        self.options = options or {}  # what was chosen beside the file
        self.stored: dict[str, Any] = {}
        self.seen: row_versions.Etags = {}
        self.lines: list[int] = []
        self.first: dict[str, int] = {}  # identity -> the line that had it first
        self.imported: Import | None = None

    @classmethod
    def get_diff_class(cls) -> type[Changes]:
        return Changes

    @classmethod
    def field_from_django_field(cls, field_name: str, django_field: Any, readonly: bool) -> Field:
        return Field(attribute=field_name, column_name=field_name, widget=widget_for(django_field))

    def ordered(self) -> list[Field]:
        return [self.fields[name] for name in self._meta.fields]

    def columns(self) -> list[tuple[str, str]]:
        """Name of each column, and what stands in it."""
        return [(name, str(self.explained.get(name) or self._explained(name))) for name in self._meta.fields]

    def _explained(self, name: str) -> str:
        field: Any = self._meta.model._meta.get_field(name)
        words = [capfirst(str(field.verbose_name)), str(field.help_text or "")]
        if field.choices:
            words.append(_("One of %(words)s") % {"words": ", ".join(str(value) for value, _label in field.choices)})
        elif isinstance(field, models.BooleanField):
            words.append(_("“yes” or “no”"))
        return ". ".join(word.rstrip(".") for word in words if word) + "."

    # For subclasses

    def content(self, instance: Any) -> dict[str, Any]:
        """Return what a row can change, by field."""
        fields = self._meta.model._meta
        return {name: fields.get_field(name).value_from_object(instance) for name in self.fields}

    def identity(self, row: Mapping[str, Any]) -> str:
        """Return what identifies the record that a row is about; empty where the row does not say, or not in words."""
        value = row.get(self.natural_key)
        return value.strip() if isinstance(value, str) and not printable.find_refused(value) else ""

    def find(self, stored: models.QuerySet[Any], identities: set[str]) -> dict[str, Any]:
        """Return the records of these identities."""
        rows = stored.filter(**{f"{self.natural_key}__in": identities})
        return {getattr(row, self.natural_key): row for row in rows}

    def complete(self, instance: Any) -> None:
        """Give a record what its row may leave to us, such as a slug."""

    def problems(self, instance: Any) -> dict[str, str]:
        """Return what else is wrong, by column."""
        return {}

    def write(self, instance: Any, is_new: bool) -> None:
        instance.save(force_insert=is_new)

    def outcome(self, instance: Any, is_new: bool) -> str:
        """Return what will be done with a row, where its words do not say it."""
        return ""

    def remarks(self, result: Any) -> list[str]:
        """Return what else is said of an import, and before it of its preview."""
        return []

    # The import

    def load(self, rows: Rows, *, lock: bool = False) -> None:
        """Read the file, and the records that it is about. Raises UnreadableError."""
        self.dataset = rows.dataset()
        self.lines = rows.lines
        if wrong := self._wrong_headers(rows.headers):
            raise UnreadableError(" ".join(wrong))
        stored = self._meta.model._default_manager.all()
        identities = {self.identity(row) for row in self.dataset.dict} - {""}
        found = self.find(stored.select_for_update(of=("self",)) if lock else stored, identities)
        self.seen = row_versions.etags_of(found.values())
        self.stored = self.prepared(found)

    def run(self, *, write: bool) -> Any:
        """Import the rows, or only check them. Where anything is wrong, nothing is written."""
        if write:
            result = self.import_data(self.dataset, use_transactions=True, rollback_on_validation_errors=True)
        else:
            result = self.import_data_inner(self.dataset, True, False, False, False)
        if result.base_errors:
            raise result.base_errors[0].error  # no fault of the file
        for invalid in result.invalid_rows:
            invalid.line = self.lines[invalid.number - 1]
        return result

    def changed_since(self, seen: row_versions.Etags) -> list[Any]:
        """Return the records that are not as the preview showed them."""
        label = self._meta.model._meta.label_lower
        then, now = seen.get(label, {}), self.seen.get(label, {})
        return [row for row in self.stored.values() if then.get(str(row.pk)) != now.get(str(row.pk))]

    def prepared(self, found: dict[str, Any]) -> dict[str, Any]:
        """Return the records as rows change them: with their working copies, say."""
        return found

    def _wrong_headers(self, headers: list[str]) -> list[str]:
        known = {field.column_name for field in self.fields.values()}
        wrong = [_("Unknown column “%(name)s”.") % {"name": name} for name in headers if name not in known]
        wrong += [
            _("The column “%(name)s” appears twice.") % {"name": name}
            for name in dict.fromkeys(headers)
            if headers.count(name) > 1
        ]
        if self.natural_key not in headers:
            told = _("The column “%(name)s” is missing. It says which record each row is about.")
            wrong.append(told % {"name": self.natural_key})
        return wrong

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        for name in [name for name, value in row.items() if value is Absent]:
            del row[name]
        line = self.lines[kwargs["row_number"] - 1]
        if identity := self.identity(row):
            first = self.first.setdefault(identity, line)
            if first != line:
                told = _("Line %(line)d is about the same record.") % {"line": first}
                raise ValidationError({self.natural_key: told})

    def import_field(self, field: Field, instance: Any, row: Mapping[str, Any], *args: Any, **kwargs: Any) -> None:
        usual = instance._state.adding and is_empty(row.get(field.column_name))
        if not usual and not field.readonly:
            super().import_field(field, instance, row, *args, **kwargs)

    def import_instance(self, instance: Any, row: Mapping[str, Any], **kwargs: Any) -> None:
        try:
            super().import_instance(instance, row, **kwargs)
        finally:
            self.complete(instance)

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        known = not instance._state.adding and not import_validation_errors
        return known and self.content(instance) == self.content(original)

    def validate_instance(self, instance: Any, import_validation_errors: Any = None, *args: Any) -> None:
        errors = dict(import_validation_errors or {})
        for name, told in self.problems(instance).items():
            errors.setdefault(name, [ValidationError(told)])
        try:
            instance.full_clean(exclude=set(errors), validate_constraints=self._changes_constrained_fields)
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        if errors:
            raise ValidationError(errors)

    @cached_property
    def _changes_constrained_fields(self) -> bool:
        """Whether a row can break a constraint at all: to validate one costs a query a row."""
        columns = {field.attribute for field in self.fields.values()}
        return any(
            not columns.isdisjoint(getattr(constraint, "fields", ()) or constraint.condition.referenced_base_fields)
            for constraint in self._meta.model._meta.constraints
        )

    def save_instance(self, instance: Any, is_create: bool, row: Any, **kwargs: Any) -> None:
        if not self._is_dry_run(kwargs):
            self.write(instance, is_create)

    def import_row(self, row: Any, instance_loader: Any, **kwargs: Any) -> Any:
        found = super().import_row(row, instance_loader, **kwargs)
        if found.errors:
            raise found.errors[0].error  # no fault of the file
        found.line = self.lines[kwargs["row_number"] - 1]
        if found.is_valid():
            found.outcome = self.outcome(found.instance, found.is_new())
        return found

    # The export

    def exported(self, queryset: models.QuerySet[Any], *, as_json: bool) -> str:
        fields = self.ordered()
        headers = [field.column_name for field in fields]
        rows = ([field.export(row, as_json=as_json) for field in fields] for row in queryset)
        return (write_json if as_json else write_csv)(headers, rows)
