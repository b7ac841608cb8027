"""How works are named: in full in the first note, in short in later ones, with the year in lines."""

import pytest
from django.test import Client

from articles import citations, markdown
from articles.models import Article, Reference
from rlm_site.tests.html import parse, text_of


def work(key: str, authors: str = "", title: str = "", **fields: str) -> Reference:
    return Reference(key=key, authors=authors, title=title or key.title(), language="en", **fields)


ARDEN = work("arden-1987", "Arden, Clara", "Edgar Tarlow: A Life", year="1987")
ANOTHER = work("arden-1990", "Arden, Clara", "The Ferry", year="1990")
SAME_YEAR = work("arden-1987b", "Arden, Clara", "The Mills: A History", year="1987")
MOSS = work("moss-arden", "Moss, Tim; Arden, Clara", year="1991")


def short(*works: Reference, dated: bool = False) -> list[str]:
    names = citations.short_names(works, dated=dated)
    return [str(names[each.key]) for each in works]


@pytest.mark.parametrize(
    ("works", "expected"),
    [
        ((ARDEN,), ["Arden"]),
        ((ARDEN, MOSS), ["Arden", "Moss and Arden"]),
        ((ARDEN, ANOTHER), ["Arden 1987", "Arden 1990"]),
        ((ARDEN, SAME_YEAR), ["Arden, <em>Edgar Tarlow</em>", "Arden, <em>The Mills</em>"]),
        ((ARDEN, SAME_YEAR, ANOTHER), ["Arden, <em>Edgar Tarlow</em>", "Arden, <em>The Mills</em>", "Arden 1990"]),
        ((work("rolls", title="Court Rolls: 1790"),), ["<em>Court Rolls</em>"]),
        (
            (work("a", title="Court Rolls: 1790"), work("b", title="Court Rolls: 1845")),
            ["<em>Court Rolls: 1790</em>", "<em>Court Rolls: 1845</em>"],
        ),
        (
            (work("a", "Tolby", "Rolls: 1790", details="vol. 1"), work("b", "Tolby", "Rolls: 1790", details="vol. 2")),
            ["Tolby, <em>Rolls: 1790</em>, vol. 1", "Tolby, <em>Rolls: 1790</em>, vol. 2"],
        ),
        ((work("a", "A, B; C, D; E, F"),), ["A, C and E"]),
        ((work("a", "A, B; C, D; E, F; G, H"),), ["A and others"]),
        ((work("a", title="On <b> & {place}", container="Annals", kind="article"),), ["“On &lt;b&gt; &amp; {place}”"]),
    ],
)
def test_a_name_is_as_short_as_tells_it_from_the_others(works: tuple[Reference, ...], expected: list[str]) -> None:
    assert short(*works) == expected


def test_no_two_works_of_a_page_have_one_name() -> None:
    works = [
        work(f"{author}-{year}-{title}-{details}", author, title, year=year, details=details)
        for author in ("", "Arden, Clara", "Moss, Tim")
        for year in ("", "1987")
        for title in ("Mills", "Mills: A History")
        for details in ("", "vol. 2")
    ]
    for dated in (False, True):
        assert len(set(short(*works, dated=dated))) == len(works)


def test_lines_name_a_work_with_its_year() -> None:
    assert short(ARDEN, MOSS, dated=True) == ["Arden 1987", "Moss and Arden 1991"]
    assert short(work("undated", "Arden, Clara"), dated=True) == ["Arden"]


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("A.[@arden-1987, p. 1] B.[@arden-1987, p. 2]", ["Full, p. 1.", "Short, p. 2."]),
        ("A.[@arden-1987, p. 1] B.[@arden-1987, p. 1]", ["Full, p. 1."]),
        ("A.[@arden-1987, p. 1; @arden-1987, p. 9]", ["Full, p. 1; Short, p. 9."]),
        ("A.[^a] B.[@arden-1987]\n\n[^a]: Note.[@arden-1987, p. 3]", None),
    ],
)
def test_only_the_first_note_cites_a_work_in_full(text: str, notes: list[str] | None) -> None:
    rendered = markdown.render(text, (), (("arden-1987", "Full{place}.", "Short{place}."),))
    cited = [str(note.html) for note in rendered.notes]
    assert "".join(cited).count("Full") == 1
    assert next(note for note in cited if "Full" in note or "Short" in note).startswith("Full")
    assert notes is None or cited == notes


@pytest.mark.django_db
def test_a_page_cites_a_work_in_full_once_and_leads_back_by_number(client: Client) -> None:
    Article.objects.create(
        title="Okapi", slug="okapi", body="A.[@arden-1987, p. 1] B.[@arden-1987, p. 2]", published=True
    )
    document = parse(client.get("/okapi/"))
    first, second = (element for element in document.iter("li") if element.get("id") in {"note-1", "note-2"})
    assert "Mills and Millers of the Yarle" in text_of(first)
    assert text_of(second) == "Arden, p. 2. ↩ 2"
    assert [link.get("aria-label") for link in second.iter("a")] == ["Back to note 2 in the text"]
