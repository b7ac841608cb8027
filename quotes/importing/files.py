"""Reading JSON Lines and CSV files as rows with line numbers; what cannot be read is returned as problems."""

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from rlm_site.text.spreadsheets import read_cell

MAX_CELL = 1_000_000  # characters per CSV cell


class Problem(NamedTuple):
    """A problem with a field of a line (empty: the whole row), and how to fix it."""

    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line:,}{f', field {self.field}' if self.field else ''}: {self.message}"


class Row(NamedTuple):
    line: int
    values: dict[str, Any]
    from_csv: bool = False


class UnreadableError(Exception):
    """The file as a whole cannot be read."""


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_rows(path: Path) -> Iterator[Row | Problem]:
    """Read JSON Lines or CSV, by the suffix of the file; UTF-8, with or without a byte order mark."""
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise UnreadableError(f"{path.name}: the file name must end in {', '.join(_READERS)}.")
    with path.open("rb") as file:
        yield from read(file)


def _read_json_lines(lines: Iterable[bytes]) -> Iterator[Row | Problem]:
    for number, text, problem in _decoded_lines(lines):
        if problem:
            yield problem
        elif text.strip():
            try:
                values = _decoder.decode(text.strip())
            except json.JSONDecodeError as error:
                yield Problem(number, "", f"is not valid JSON: {error.msg.lower()} at character {error.pos + 1}.")
            except (ValueError, RecursionError) as error:
                yield Problem(number, "", f"is not valid JSON: {error}.")
            else:
                if isinstance(values, dict):
                    yield Row(number, values)
                else:
                    yield Problem(number, "", 'is not a JSON object; write each row like {"text": "…", "author": "…"}.')


def _read_csv(lines: Iterable[bytes]) -> Iterator[Row | Problem]:
    problems: list[Problem] = []

    def texts() -> Iterator[str]:
        for _number, text, problem in _decoded_lines(lines):
            if problem:
                problems.append(problem)
            yield text

    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(texts(), strict=True)
    header: list[str] | None = None
    first_line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            # After an unclosed quotation mark the rest of the file cannot be trusted.
            raise UnreadableError(
                f"line {first_line:,}: is not valid CSV: {error}. Check for a missing or extra quotation mark."
            ) from error
        if cells is None:
            return
        if header is None:
            header = _read_header(cells, problems)
        elif problems:
            yield problems[0]
        elif cells and len(cells) != len(header):
            yield Problem(first_line, "", f"has {len(cells)} cells; the first line names {len(header)} columns.")
        elif cells:
            yield Row(first_line, dict(zip(header, map(read_cell, cells), strict=True)), from_csv=True)
        problems.clear()
        first_line = reader.line_num + 1


def _read_header(cells: list[str], problems: list[Problem]) -> list[str]:
    if problems:
        raise UnreadableError(str(problems[0]))
    names = [name.strip() for name in cells]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise UnreadableError(f"line 1, field {repeated[0]}: appears twice.")
    return names


_READERS: dict[str, Callable[[Iterable[bytes]], Iterator[Row | Problem]]] = {
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".csv": _read_csv,
}


def _decoded_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, str, Problem | None]]:
    for number, line in enumerate(lines, 1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        try:
            yield number, line.decode("utf-8"), None
        except UnicodeDecodeError as error:
            place = f"byte 0x{line[error.start]:02X} at character {len(line[: error.start].decode()) + 1}"
            problem = Problem(number, "", f"is not UTF-8: {place}. Save the file as UTF-8.")
            yield number, line.decode("utf-8", "replace"), problem


def _unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _value in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the field {repeated} appears twice")
    return values


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


_decoder = json.JSONDecoder(object_pairs_hook=_unique_object, parse_constant=_refuse_constant)
