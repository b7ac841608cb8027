"""What is known of where a quotation comes from, in sentences from its fields that claim no more. Pure functions."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from django.utils import formats
from django.utils.translation import gettext as _

from quotes.attribution import Place, year


class Checked(NamedTuple):
    """A check of a quotation against a source."""

    by: str
    on: date
    place: Place | None = None
    where: str = ""  # the place in a source that is not named as a work
    found: str = ""
    is_primary: bool | None = None  # whether the source is the primary work; None if that is not recorded


def provenance(
    status: str,
    *,
    work: Place | None = None,
    quoted_in: Place | None = None,
    as_imported: str = "",
    checks: Sequence[Checked] = (),
) -> list[str]:
    """Return the sentences that explain a status: what was printed or found where, and what was not compared."""
    sentences = [*_about_status(status, checks)]
    if status != "verified":
        is_compared = status != "reported" or any(check.is_primary is not False for check in checks)
        sentences += _about_sources(work, quoted_in, as_imported, is_compared)
        if status == "unverified" and sentences and not checks:
            sentences.append(_("Nobody has checked this."))
    if not sentences and not checks:
        sentences.append(_("Nobody has found a source.") if status == "unverified" else _("No source is named."))
    return [*sentences, *map(_about_check, checks)]


def _about_status(status: str, checks: Sequence[Checked]) -> Iterator[str]:
    if status == "verified" and not checks:
        yield _("It is not recorded who checked it, when and where.")
    elif status == "disputed":
        yield _("It is doubtful who said this.")
    elif status == "misattributed":
        yield _("Shown here so that readers know that the attribution is wrong.")


def _about_sources(work: Place | None, quoted_in: Place | None, as_imported: str, is_compared: bool) -> Iterator[str]:
    told = {
        "primary": _printed(work) if work else "",
        "later": _printed(quoted_in, with_authors=True) if quoted_in else "",
        "attribution": as_imported,
    }
    if quoted_in and not work:
        yield _("Printed in %(later)s. No primary source is named.") % told
    elif quoted_in and is_compared:
        yield _("Printed in %(later)s. The primary source is said to be %(primary)s.") % told
    elif quoted_in:
        yield _("Printed in %(later)s; not compared with the primary source, %(primary)s.") % told
    elif work and is_compared:
        yield _("Said to be from %(primary)s.") % told
    elif work:
        yield _("Said to be from %(primary)s; not compared with it.") % told
    elif as_imported:
        yield _("Attributed as it was found: “%(attribution)s”.") % told


def _about_check(check: Checked) -> str:
    where = _printed(check.place, with_authors=True) if check.place else check.where
    told = {"who": check.by, "day": formats.date_format(check.on, "j F Y"), "where": where}
    said = _("Checked by %(who)s on %(day)s in %(where)s") if where else _("Checked by %(who)s on %(day)s")
    found = check.found.strip()
    sentence = f"{said % told}: {found}" if found else said % told
    return sentence if sentence.endswith((".", "!", "?", "…", "”")) else f"{sentence}."


def _printed(place: Place, with_authors: bool = False) -> str:
    """Return a work with the place in it, such as `History of the Yarle Mills, vol. 5, by Ida Marsh Hollis (1922)`."""
    locator = f"{' ' if place.is_scripture and place.locator[:1].isdigit() else ', '}{place.locator}"
    authors = ", " + _("by %(authors)s") % {"authors": place.authors}
    return "".join(
        [
            place.title,
            locator if place.locator else "",
            authors if with_authors and place.authors else "",
            f" ({year(place.year)})" if place.year is not None else "",
        ]
    )
