"""Identifiers of books and papers, written as their registries write them: ISBN and DOI. Pure functions."""

import re
from urllib.parse import unquote

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_DOI_BEGINS = re.compile(r"10\.\d{4,9}/\S")
_IS_ADDRESS = re.compile(r"(?:https?://|www\.)", re.IGNORECASE)
_ISBN_LABEL = re.compile(r"ISBN(?:-1[03])?:?", re.IGNORECASE)
_DASHES = re.compile(r"[\s‐‑‒–—−-]+")


def normalise_doi(text: str) -> str:
    """Return the DOI alone out of what is pasted: an address, `doi:10.…`, or a publisher's page that contains it.

    >>> normalise_doi("https://doi.org/10.1093/ehr/cez001."), normalise_doi("doi: 10.1093/ehr/cez001")
    ('10.1093/ehr/cez001', '10.1093/ehr/cez001')
    """
    text = text.strip()
    decoded = unquote(text) if _IS_ADDRESS.match(text) else text
    found = _DOI_BEGINS.search(decoded)
    if not found:
        return text
    doi = decoded[found.start() :].split()[0]
    if _IS_ADDRESS.match(text) and "doi.org/" not in text.lower():
        doi = re.split(r"[?#]", doi, maxsplit=1)[0].removesuffix("/full").removesuffix("/pdf")
    return doi.rstrip(".,;")


def validate_doi(text: str) -> None:
    if text and not _DOI_BEGINS.match(text):
        told = _("“%(doi)s” is not a DOI. One begins with “10.” and has a slash, such as 10.1093/ehr/cez001.")
        raise ValidationError(told, params={"doi": text[:60]}, code="no_doi")


def normalise_isbn(text: str) -> str:
    """Return an ISBN without its label, with hyphens where it has marks or spaces, and with a capital X.

    >>> normalise_isbn("ISBN-13: 978 0 521 30536 5"), normalise_isbn("0–8044–2957–x")
    ('978-0-521-30536-5', '0-8044-2957-X')
    """
    return _DASHES.sub("-", _ISBN_LABEL.sub("", text)).strip("- .,;").upper()


def validate_isbn(text: str) -> None:
    """Refuse what has not 10 or 13 digits, or a last one that does not follow from the others."""
    digits = text.replace("-", "")
    if not text:
        return
    if not re.fullmatch(r"[0-9]{9}[0-9X]|[0-9]{13}", digits):
        told = _("“%(isbn)s” is not an ISBN. One has 10 or 13 digits, such as 978-0-521-30536-5.")
        raise ValidationError(told, params={"isbn": text[:60]}, code="no_isbn")
    if not _is_sound(digits):
        told = _("There is a slip in “%(isbn)s”: its last digit does not fit the others. Compare it with the book.")
        raise ValidationError(told, params={"isbn": text}, code="wrong_isbn")


def _is_sound(digits: str) -> bool:
    values = [10 if digit == "X" else int(digit) for digit in digits]
    if len(values) == 10:
        return sum(weight * value for weight, value in zip(range(10, 0, -1), values, strict=True)) % 11 == 0
    return sum((3 if place % 2 else 1) * value for place, value in enumerate(values)) % 10 == 0
