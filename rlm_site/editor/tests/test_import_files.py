"""Files of rows: read whole, or refused with the line and what is wrong with it."""

from datetime import date
from typing import Any

import pytest

from rlm_site.editor import importing
from rlm_site.editor.importing import (
    Absent,
    Day,
    NameList,
    Text,
    UnreadableError,
    Year,
    YesNo,
    decoded,
    read_csv,
    read_json,
    write_csv,
    write_json,
)


def test_a_csv_file_is_read_with_the_lines_on_which_its_rows_begin() -> None:
    rows = read_csv('name,text\r\na,"one\ntwo"\r\n\r\n,\r\nb,three\r\n')
    assert rows == (["name", "text"], [["a", "one\ntwo"], ["b", "three"]], [2, 6])


def test_a_json_file_is_read_with_the_lines_on_which_its_objects_begin() -> None:
    rows = read_json('[\n {"name": "a",\n  "year": 1},\n {"name": "b", "tags": ["c"]}]')
    assert rows == (["name", "year", "tags"], [["a", 1, Absent], ["b", Absent, ["c"]]], [2, 4])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name,text\na\n", "Line 2 has 1 cells, but the first line names 2 columns."),
        ('name\n"a\nb\n', "Line 2 is not valid CSV"),
        ('name\n"a" b\n', "Line 2 is not valid CSV"),
    ],
)
def test_what_is_not_csv_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(UnreadableError, match=told):
        read_csv(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[{"name": "a"},\n{"name" "b"}]', "Line 2 is not valid JSON: expecting ':' delimiter"),
        ('{"name": "a"}', "not a list of objects"),
        ('["a"]', "not a list of objects"),
        ('[{"name": "a", "name": "b"}]', "the field name appears twice"),
        ('[{"year": NaN}]', "NaN is not a number"),
        ("[" * 100_000, "not a list of objects"),
        ('[{"a":' + "[" * 100_000, "not valid JSON"),
        ('[{"a": 1}', "Line 1 is not valid JSON: expecting ',' delimiter"),
        ('[{"a": 1},\n]', "Line 2 is not valid JSON: expecting value"),
        ('[{"a": 1}]\n]', "Line 2 is not valid JSON: extra data"),
        ("[,]", "Line 1 is not valid JSON: expecting value"),
        ("zoo", "not a list of objects"),
        ("", "Line 1 is not valid JSON"),
    ],
)
def test_what_is_not_json_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(UnreadableError, match=told):
        read_json(text)


def test_what_is_not_utf_8_is_refused_with_its_line() -> None:
    assert decoded("\ufeffname\nÉmigré\n".encode()) == "name\nÉmigré\n"
    with pytest.raises(UnreadableError, match=r"Line 3 is not valid UTF-8: it contains the byte 0xE9\. Save"):
        decoded("name\nEmigre\nÉmigré".replace("É", "E").encode("latin-1"))


def test_a_file_of_no_rows_and_one_of_too_many_are_refused(monkeypatch: Any) -> None:
    with pytest.raises(UnreadableError, match="no rows"):
        read_csv("name\n").dataset()
    monkeypatch.setattr(importing, "MOST_ROWS", 2)
    assert len(read_csv("name\na\nb\n").dataset()) == 2
    with pytest.raises(UnreadableError, match="The file has 3 rows; at most 2 can be imported at once"):
        read_csv("name\na\nb\nc\n").dataset()
    assert len(read_json("[{}, {}]").rows) == 2
    with pytest.raises(UnreadableError, match="The file has more than 2 rows; at most 2 can be imported at once"):
        read_json("[{}, {}, {}]")


def test_a_json_file_may_have_spaces_anywhere_and_no_object_at_all() -> None:
    assert read_json('\n [ {"a" : 1} ,\r\n\t{"a":2}\n]\n ') == (["a"], [[1], [2]], [2, 3])
    assert read_json(" [ ] ") == ([], [], [])


def test_what_is_written_is_read_again() -> None:
    headers, rows = ["name", "text"], [["a", 'say "no", or\nnot'], ["Щука", ""]]
    assert read_csv(write_csv(headers, rows).removeprefix("\ufeff"))[:2] == (headers, rows)
    assert read_json(write_json(headers, rows))[:2] == (headers, rows)


@pytest.mark.parametrize(
    ("widget", "cell", "value"),
    [
        (YesNo(), "yes", True),
        (YesNo(), "TRUE", True),
        (YesNo(), True, True),
        (YesNo(), "1", True),
        (YesNo(), " No ", False),
        (YesNo(), 0, False),
        (Day(), "1945-02-11", date(1945, 2, 11)),
        (Day(), "", None),
        (Year(), "-43", -43),
        (Year(), 1862, 1862),
        (Year(), " ", None),
        (Year(), None, None),
        (Text(), "  a\t", "a"),
        (Text(), None, ""),
        (Text(lines=True), "a\r\nb", "a\nb"),
        (NameList(), "Holmston; Smyslovsky ;", ["Holmston", "Smyslovsky"]),
        (NameList(), '["a; b", "c"]', ["a; b", "c"]),
        (NameList(), ["a", ""], ["a"]),
        (NameList(), "", []),
    ],
)
def test_a_cell_says_one_thing(widget: Any, cell: Any, value: Any) -> None:
    assert widget.clean(cell, row={}) == value


@pytest.mark.parametrize(
    ("widget", "cell"),
    [
        *((YesNo(), cell) for cell in ("maybe", "", None, "2", "on", 2)),
        *((Day(), cell) for cell in ("3/4/2020", "2020-02-30", "20200101", "2020-W01-1", "2020", 2020)),
        *((Year(), cell) for cell in ("1.5", "1862?", "c. 1862", "٤", True, 1.5, "1e3", "9" * 5000)),
        *((Text(), cell) for cell in ("a\nb", "a\0b", "a\x07", 5, ["a"])),
        *((NameList(), cell) for cell in ("[1", [1], {"a": 1})),
    ],
)
def test_a_cell_that_says_something_else_is_refused(widget: Any, cell: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        widget.clean(cell, row={})


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_csv, ",".join(f"c{number}" for number in range(20_000)) + "\n"),
        (read_json, "[" + ",".join(f'{{"c{number}": 1}}' for number in range(500)) + "]"),
        (read_json, "[{" + ",".join(f'"c{number}": 1' for number in range(20_000)) + "}]"),
    ],
)
def test_a_file_has_at_most_a_hundred_columns(read: Any, text: str) -> None:
    with pytest.raises(UnreadableError, match=r"The file has \d+ columns; at most 100 are allowed"):
        read(text)


def test_a_text_has_at_most_as_many_characters_as_in_a_form() -> None:
    with pytest.raises(ValueError, match="The text has 20,001 characters; at most 20,000 are allowed"):
        Text(lines=True).clean("a" * 20_001)


@pytest.mark.parametrize("widget", [NameList(), Text()])
def test_a_list_that_is_nested_too_deeply_is_refused(widget: Any) -> None:
    with pytest.raises(ValueError, match=r"JSON list|characters"):
        widget.clean("[" * 100_000)
