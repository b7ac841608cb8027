"""Dates as precise as they are known, read and told."""

import pytest

from rlm_site.text.dates import read_dates


@pytest.mark.parametrize(
    ("text", "words", "year"),
    [
        ("1901", "1901", "1901"),
        ("1901-09", "September 1901", "1901"),
        ("1901-09-14", "14 September 1901", "1901"),
        ("c. 1901", "c. 1901", "c. 1901"),
        ("1942-07-11/1942-07-12", "11–12 July 1942", "1942"),
        ("1942-07-30/1942-08-02", "30 July – 2 August 1942", "1942"),
        ("1944-12-30/1945-01-02", "30 December 1944 – 2 January 1945", "1944"),
        ("1942-07/1942-08", "July–August 1942", "1942"),
        ("1942/1944", "1942–1944", "1942"),
        ("1942-07/1944", "July 1942 – 1944", "1942"),
        (" 1901 ", "1901", "1901"),
    ],
)
def test_dates_are_told_in_words(text: str, words: str, year: str) -> None:
    dates = read_dates(text)
    assert dates is not None
    assert (str(dates), dates.year) == (words, year)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unknown",
        "1901-13",
        "1901-02-30",
        "14.09.1901",
        "1901-09-14/1901-09-13",
        "1901/",
        "1/2/3",
        "190",
        "0000",
        "c.",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert read_dates(text) is None


def test_a_date_spans_its_days() -> None:
    dates = read_dates("1944-02")
    assert dates is not None
    assert dates.first.first_day.isoformat() == "1944-02-01"
    assert dates.first.last_day.isoformat() == "1944-02-29"
    assert dates.first.iso == "1944-02"
