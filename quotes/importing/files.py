"""A file -> rows with their line numbers. Pure but for reading; a file that cannot be read whole gives problems."""

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

MAX_CELL = 1_000_000  # characters of one cell of a CSV file


class Problem(NamedTuple):
    """What is wrong in which line and field (empty: the whole row), and what would be right."""

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
    """The file as a whole is not what it should be."""


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def rows(path: Path) -> Iterator[Row | Problem]:
    """JSON Lines or CSV, told by the end of the name; UTF-8, with or without a byte order mark."""
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise UnreadableError(f"{path.name}: the name must end in {', '.join(_READERS)}.")
    with path.open("rb") as file:
        yield from read(file)


def _json_lines(lines: Iterable[bytes]) -> Iterator[Row | Problem]:
    for number, text, problem in _texts(lines):
        if problem:
            yield problem
        elif text.strip():
            try:
                values = _decoder.decode(text.strip())
            except json.JSONDecodeError as error:
                yield Problem(number, "", f"is not JSON: {error.msg.lower()} at character {error.pos + 1}.")
            except (ValueError, RecursionError) as error:
                yield Problem(number, "", f"is not JSON: {error}.")
            else:
                if isinstance(values, dict):
                    yield Row(number, values)
                else:
                    yield Problem(number, "", 'is no JSON object; a row is such as {"text": "…", "author": "…"}.')


def _csv(lines: Iterable[bytes]) -> Iterator[Row | Problem]:
    wrong: list[Problem] = []

    def texts() -> Iterator[str]:
        for _number, text, problem in _texts(lines):
            if problem:
                wrong.append(problem)
            yield text

    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(texts(), strict=True)
    header: list[str] | None = None
    begins = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            # Where a quotation mark is not closed, nothing that follows is what it seems.
            raise UnreadableError(
                f"line {begins:,}: is not CSV: {error}. Is a quotation mark missing or one too many?"
            ) from error
        if cells is None:
            return
        if header is None:
            header = _header(cells, wrong)
        elif wrong:
            yield wrong[0]
        elif cells and len(cells) != len(header):
            yield Problem(begins, "", f"has {len(cells)} cells; the first line names {len(header)} columns.")
        elif cells:
            yield Row(begins, dict(zip(header, cells, strict=True)), from_csv=True)
        wrong.clear()
        begins = reader.line_num + 1


def _header(cells: list[str], wrong: list[Problem]) -> list[str]:
    if wrong:
        raise UnreadableError(str(wrong[0]))
    names = [name.strip() for name in cells]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise UnreadableError(f"line 1, field {repeated[0]}: is named twice.")
    return names


_READERS: dict[str, Callable[[Iterable[bytes]], Iterator[Row | Problem]]] = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".csv": _csv,
}


def _texts(lines: Iterable[bytes]) -> Iterator[tuple[int, str, Problem | None]]:
    for number, line in enumerate(lines, 1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        try:
            yield number, line.decode("utf-8"), None
        except UnicodeDecodeError as error:
            place = f"byte 0x{line[error.start]:02X} at character {len(line[: error.start].decode()) + 1}"
            problem = Problem(number, "", f"is not UTF-8: {place}. Save the file as UTF-8.")
            yield number, line.decode("utf-8", "replace"), problem


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _value in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the field {repeated} is there twice")
    return values


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)
