"""ISBN and DOI in every form in which they are copied."""

import pytest
from django.core.exceptions import ValidationError

from rlm_site.text.identifiers import normalise_doi, normalise_isbn, validate_doi, validate_isbn

DOI = "10.1093/ehr/cez001"


@pytest.mark.parametrize(
    "pasted",
    [
        DOI,
        f" {DOI} ",
        f"https://doi.org/{DOI}",
        f"http://dx.doi.org/{DOI}",
        f"https://doi.org/https://doi.org/{DOI}",
        f"HTTPS://DOI.ORG/{DOI}",
        f"doi.org/{DOI}",
        f"doi:{DOI}",
        f"DOI: {DOI}.",
        f"DOI {DOI},",
        "https://doi.org/10.1093%2Fehr%2Fcez001",
        f"https://academic.example.org/doi/pdf/{DOI}?download=true#page=2",
        f"https://academic.example.org/doi/{DOI}/full",
    ],
)
def test_a_doi_is_found_in_what_is_pasted(pasted: str) -> None:
    assert normalise_doi(pasted) == DOI
    validate_doi(normalise_doi(pasted))


@pytest.mark.parametrize(
    "doi", ["10.1002/(SICI)1097-4571(1999)50:1<1::AID-ASI1>3.0.CO;2-A", "10.22363/2312-8674-2025-24-4-632-642"]
)
def test_a_doi_may_have_odd_signs(doi: str) -> None:
    assert normalise_doi(f"https://doi.org/{doi}") == doi


@pytest.mark.parametrize("text", ["11.1093/x", "10.1/x", "https://example.org/page", "10.1093/", "none"])
def test_what_is_no_doi_is_kept_and_refused(text: str) -> None:
    assert normalise_doi(text) == text
    with pytest.raises(ValidationError, match="is not a DOI"):
        validate_doi(text)


@pytest.mark.parametrize(
    ("pasted", "isbn"),
    [
        ("978-0-521-30536-5", "978-0-521-30536-5"),
        ("ISBN 978 0 521 30536 5", "978-0-521-30536-5"),
        ("isbn-13: 9780521305365.", "9780521305365"),
        ("ISBN-10: 0–8044–2957–x", "0-8044-2957-X"),
        ("0 252 00897 9", "0-252-00897-9"),
    ],
)
def test_an_isbn_is_written_in_one_way(pasted: str, isbn: str) -> None:
    assert normalise_isbn(pasted) == isbn
    validate_isbn(isbn)


@pytest.mark.parametrize("isbn", ["978-0-521-30536-5", "0-8044-2957-X"])
def test_every_wrong_digit_of_an_isbn_is_noticed(isbn: str) -> None:
    places = [place for place, sign in enumerate(isbn) if sign.isdigit()]
    for place in places:
        for digit in "0123456789".replace(isbn[place], ""):
            with pytest.raises(ValidationError, match="There is a slip"):
                validate_isbn(isbn[:place] + digit + isbn[place + 1 :])


@pytest.mark.parametrize("isbn", ["978-0-521", "978-0-521-30536-56", "97805213053X6", "book"])
def test_what_is_no_isbn_is_refused(isbn: str) -> None:
    with pytest.raises(ValidationError, match="is not an ISBN"):
        validate_isbn(isbn)
