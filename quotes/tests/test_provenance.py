"""The sentences on the page of a quotation that say where it comes from and what was checked."""

from collections.abc import Sequence
from datetime import date
from itertools import product

import pytest
from django.test import Client

from quotes.attribution import Place
from quotes.models import Check, Quote, Work
from quotes.provenance import Checked, provenance
from rlm_site.tests.html import parse, text_of

NIGHT = Place("Twelfth Night", "act 5, sc. 1", "William Shakespeare", 1602)
BARTLETT = Place("Familiar Quotations", "p. 77", "John Bartlett", 1905)
DAY = date(2026, 5, 4)
OF_PRIMARY = Checked("A. Reader", DAY, NIGHT, found="As printed", is_primary=True)
OF_OTHER = Checked("A. Reader", DAY, BARTLETT, found="Without “heigh-ho”.", is_primary=False)
OF_PLACE = Checked("A. Reader", DAY, where="a facsimile of the First Folio")
BARE = Checked("A. Reader", DAY)


@pytest.mark.parametrize(
    ("said", "status", "fields"),
    [
        (
            "Checked by A. Reader on 4 May 2026 in Twelfth Night, act 5, sc. 1, by William Shakespeare (1602): As "
            "printed.",
            "verified",
            {"work": NIGHT, "quoted_in": BARTLETT, "checks": [OF_PRIMARY]},
        ),
        (
            "Checked by A. Reader on 4 May 2026 in a facsimile of the First Folio. Checked by A. Reader on 4 May 2026.",
            "verified",
            {"checks": [OF_PLACE, BARE]},
        ),
        ("It is not recorded who checked it, when and where.", "verified", {"work": NIGHT}),
        (
            "Printed in Familiar Quotations, p. 77, by John Bartlett (1905); not compared with the primary source, "
            "Twelfth Night, act 5, sc. 1 (1602).",
            "reported",
            {"work": NIGHT, "quoted_in": BARTLETT},
        ),
        (
            "Printed in Familiar Quotations, p. 77, by John Bartlett (1905). No primary source is named.",
            "reported",
            {"quoted_in": BARTLETT},
        ),
        ("Said to be from Twelfth Night, act 5, sc. 1 (1602); not compared with it.", "reported", {"work": NIGHT}),
        ("Attributed as it was found: “Zorblax, somewhere”.", "reported", {"as_imported": "Zorblax, somewhere"}),
        ("No source is named.", "reported", {}),
        (
            "Printed in Familiar Quotations, p. 77, by John Bartlett (1905). The primary source is said to be Twelfth "
            "Night, act 5, sc. 1 (1602). Checked by A. Reader on 4 May 2026.",
            "reported",
            {"work": NIGHT, "quoted_in": BARTLETT, "checks": [BARE]},
        ),
        ("Nobody has found a source.", "unverified", {}),
        ("Checked by A. Reader on 4 May 2026.", "unverified", {"checks": [BARE]}),
        (
            "Said to be from Twelfth Night, act 5, sc. 1 (1602). Nobody has checked this.",
            "unverified",
            {"work": NIGHT},
        ),
        (
            "It is doubtful who said this. Printed in Familiar Quotations, p. 77, by John Bartlett (1905). No primary "
            "source is named.",
            "disputed",
            {"quoted_in": BARTLETT},
        ),
        (
            "Shown here so that readers know that the attribution is wrong. Said to be from Twelfth Night, act 5, sc. "
            "1 (1602).",
            "misattributed",
            {"work": NIGHT},
        ),
        (
            "Said to be from King James Bible, Proverbs 22:6; not compared with it.",
            "reported",
            {"work": Place("King James Bible", "Proverbs 22:6", is_scripture=True)},
        ),
        (
            "Said to be from Psalms 119:105; not compared with it.",
            "reported",
            {"work": Place("Psalms", "119:105", is_scripture=True)},
        ),
        ("Said to be from Poems (500 BC); not compared with it.", "reported", {"work": Place("Poems", year=-500)}),
    ],
)  # fmt: skip
def test_it_says_what_the_fields_say(said: str, status: str, fields: dict[str, object]) -> None:
    assert " ".join(provenance(status, **fields)) == said  # type: ignore[arg-type]


CHECKS: list[list[Checked]] = [[], [OF_PRIMARY], [OF_OTHER], [OF_PLACE], [BARE], [OF_OTHER, BARE]]


@pytest.mark.parametrize("status", Quote.Status.values)
@pytest.mark.parametrize(
    ("work", "quoted_in", "as_imported", "checks"), [*product([NIGHT, None], [BARTLETT, None], ["", "Zorblax"], CHECKS)]
)
def test_it_never_claims_more_than_the_fields(
    status: str, work: Place | None, quoted_in: Place | None, as_imported: str, checks: Sequence[Checked]
) -> None:
    sentences = provenance(status, work=work, quoted_in=quoted_in, as_imported=as_imported, checks=checks)
    said = " ".join(sentences)
    assert sentences
    assert all(sentence[-1] in ".”" and sentence == sentence.strip() for sentence in sentences)
    named = {place.title for place in (work, quoted_in, *(check.place for check in checks)) if place}
    assert ("Twelfth Night" in said) <= ("Twelfth Night" in named)
    assert ("Familiar Quotations" in said) <= ("Familiar Quotations" in named)
    assert said.count("Checked by A. Reader on 4 May 2026") == len(checks)
    # a source that was not compared is one that is named, and for which no check says or may say the contrary
    may_be_compared = any(check.is_primary is not False for check in checks)
    assert ("not compared" in said) == (status == "reported" and work is not None and not may_be_compared)
    assert ("the primary source, " in said or "primary source is said to be" in said) <= (work is not None)
    assert ("No primary source is named" in said) <= (work is None)
    has_source = bool(work or quoted_in or as_imported or checks)
    assert ("Nobody has found a source" in said) == (status == "unverified" and not has_source)
    assert ("Nobody has checked" in said) == (status == "unverified" and has_source and not checks)
    assert ("It is not recorded who checked it" in said) == (status == "verified" and not checks)


# On the page


def page(client: Client, key: str) -> str:
    return text_of(parse(client.get(Quote.objects.get(key=key).get_absolute_url())).find(".//main"))


@pytest.mark.django_db
def test_the_page_of_a_quotation_says_it_of_its_fields_and_checks(client: Client) -> None:
    assert "Reported. Printed in " in page(client, "shakespeare-for-the-rain")
    assert "not compared with the primary source, Twelfth Night" in page(client, "shakespeare-for-the-rain")
    assert "No primary source is named." in page(client, "garland-weights-and-measures")
    assert "Verified. Checked by " in page(client, "tennyson-haunts-of-coot-and-hern")
    assert "Disputed. It is doubtful who said this." in page(client, "ford-the-ferry-takes-everybody")


@pytest.mark.django_db
def test_a_check_against_the_primary_work_ends_the_word_that_it_was_not_compared(client: Client) -> None:
    quote = Quote.objects.get(key="shakespeare-for-the-rain")
    other = Work.objects.exclude(pk__in=[quote.work_id, quote.quoted_in_id])[0]
    check = Check.objects.create(quote=quote, checked_by="A. Reader", checked_on=DAY, work=other)
    assert "not compared" in page(client, quote.key)
    Check.objects.filter(pk=check.pk).update(work=quote.work)
    assert "not compared" not in page(client, quote.key)
    assert "Checked by A. Reader on 4 May 2026 in Twelfth Night" in page(client, quote.key)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "is_told"),
    [("verified", False), ("reported", False), ("unverified", True), ("disputed", True)],
)
def test_lists_and_blocks_tell_only_unusual_statuses(client: Client, status: str, is_told: bool) -> None:
    quote = Quote.objects.get(key="sommer-honest-men")
    Quote.objects.filter(pk=quote.pk).update(status=status)
    assert quote.person is not None
    for address in (f"/quotes/?person={quote.person.slug}&status={status}", quote.person.get_absolute_url()):
        figures = [text_of(figure) for figure in parse(client.get(address)).iter("figure")]
        shown = next(figure for figure in figures if "honest men" in figure)
        assert (f"{status.capitalize()}." in shown) == is_told, address
    assert f"{status.capitalize()}." in page(client, quote.key)


@pytest.mark.django_db
def test_the_feed_and_the_search_tell_them_too(client: Client) -> None:
    quote = Quote.objects.get(key="sommer-honest-men")
    for status, is_told in (("reported", False), ("unverified", True), ("disputed", True)):
        Quote.objects.filter(pk=quote.pk).update(status=status)
        [entry] = [
            part for part in client.get("/feeds/quotes/").content.decode().split("<entry>") if "honest men" in part
        ]
        assert (f"({status})" in entry) == is_told
        found = text_of(parse(client.get("/search/?q=natural+cautious+friends")).find(".//main"))
        assert (f"Quotation, {status}" in found) == is_told
