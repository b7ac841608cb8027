"""What is cited, in the forms of other programs: read back by libraries that read these forms."""

from datetime import date
from typing import Any

import bibtexparser
import pytest
import rispy
from bibtexparser import middlewares

from articles import citations, citing
from articles.citing import Name, People, Work
from articles.models import Reference


def read_bibtex(text: str) -> list[dict[str, Any]]:
    """Return the entries of a file, with names in parts; anything that the library cannot read fails."""
    library = bibtexparser.parse_string(
        text,
        append_middleware=[
            middlewares.SeparateCoAuthors(),
            middlewares.SplitNameParts(),
            middlewares.LatexDecodingMiddleware(),
        ],
    )
    assert library.failed_blocks == []
    return [
        {"type": each.entry_type, "key": each.key, **{name: field.value for name, field in each.fields_dict.items()}}
        for each in library.entries
    ]


def read_ris(text: str) -> list[dict[str, Any]]:
    return [dict(each) for each in rispy.loads(text)]


def names_of(parts: list[Any]) -> list[tuple[str, str, str]]:
    return [(" ".join([*each.von, *each.last]), " ".join(each.first), " ".join(each.jr)) for each in parts]


HARD = Work(
    key="mosty-1943",
    kind="article",
    title="Мосты & “броды”: 100 % of {everything}_ #1, $5 ~ \\ end",
    authors=citing.people(
        "Іваненко, Олена; King, Martin Luther, Jr.; van der Moss, Tim; Tolby & Sons Institute; et al."
    ),
    container="Вестник реки",
    volume="4",
    number="2",
    pages="11–38",
    place="Толби",
    publisher="Річка & Ко.",
    year="1943",
    url="https://river.example/мости?a=1&b=50%25#c_d~e",
    accessed=date(2026, 5, 4),
    note="as transcribed;\n two lines",
    language="ru",
)


def test_bibtex_is_read_back_with_all_fields() -> None:
    [entry] = read_bibtex(citing.bibtex([HARD]))
    assert (entry["type"], entry["key"]) == ("article", "mosty-1943")
    assert entry["title"] == "Мосты & “броды”: 100 % of (everything)_ #1, $5 ~ \\ end"
    assert names_of(entry["author"]) == [
        ("Іваненко", "Олена", ""),
        ("King", "Martin Luther", "Jr."),
        ("van der Moss", "Tim", ""),
        (r"{Tolby \& Sons Institute}", "", ""),  # in braces, as it is no person
        ("others", "", ""),
    ]
    assert entry["journal"] == "Вестник реки"
    assert entry["publisher"] == "Річка & Ко."
    assert (entry["volume"], entry["number"], entry["pages"], entry["year"]) == ("4", "2", "11–38", "1943")
    assert (entry["urldate"], entry["language"]) == ("2026-05-04", "ru")
    assert "url = {https://river.example/мости?a=1&b=50%25#c_d~e}" in citing.bibtex([HARD])
    assert entry["note"] == "as transcribed; two lines"


def test_ris_is_read_back_with_all_fields() -> None:
    [entry] = read_ris(citing.ris([HARD]))
    assert entry["type_of_reference"] == "JOUR"
    assert entry["title"] == HARD.title
    assert entry["authors"] == [
        "Іваненко, Олена", "King, Martin Luther, Jr.", "van der Moss, Tim", "Tolby & Sons Institute",
    ]  # fmt: skip
    assert entry["secondary_title"] == "Вестник реки"
    assert (entry["volume"], entry["number"], entry["start_page"], entry["end_page"]) == ("4", "2", "11", "38")
    assert (entry["year"], entry["access_date"], entry["language"]) == ("1943", "2026/05/04/", "ru")
    assert entry["urls"] == [HARD.url]
    assert entry["notes"] == ["as transcribed; two lines"]


@pytest.mark.parametrize("kind", Reference.Kind.values)
def test_a_work_of_every_kind_is_read_back(kind: str) -> None:
    reference = Reference(
        key=f"a-{kind}", kind=kind, title="Вода: A & B", authors="Arden, Ann; Мосс, Тим",
        container="Yarle, ed. Eve Low", details="vol. 2, pp. 3–4", year="1950", language="en",
    )  # fmt: skip
    work = citations.as_work(reference)
    [in_bibtex], [in_ris] = read_bibtex(citing.bibtex([work])), read_ris(citing.ris([work]))
    assert in_bibtex["title"] == in_ris["title"] == "Вода: A & B"
    assert names_of(in_bibtex["author"]) == [("Arden", "Ann", ""), ("Мосс", "Тим", "")]
    assert in_ris["authors"] == ["Arden, Ann", "Мосс, Тим"]
    assert names_of(in_bibtex["editor"]) == [("Low", "Eve", "")]
    assert (in_bibtex["volume"], in_bibtex["pages"]) == (in_ris["volume"], "3–4") == ("2", "3–4")
    assert in_ris["secondary_title"] == "Yarle"


def test_many_works_are_as_many_entries() -> None:
    works = [Work(key=f"work-{number}", kind="book", title=f"Work {number}") for number in range(50)]
    assert [entry["key"] for entry in read_bibtex(citing.bibtex(works))] == [work.key for work in works]
    assert [entry["id"] for entry in read_ris(citing.ris(works))] == [work.key for work in works]


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("King, Martin Luther, Jr.; et al.", People((Name("King", "Martin Luther", "Jr."),), others=True)),
        ("King, Martin Luther, Jr., et al.", People((Name("King", "Martin Luther", "Jr."),), others=True)),
        ("Arden, Ann; Moss, Tim", People((Name("Arden", "Ann"), Name("Moss", "Tim")))),
        ("Tolby Institute; Moss, Tim", People((Name("Tolby Institute"), Name("Moss", "Tim")))),
        ("Martin Luther King, Jr.", People((Name("King", "Martin Luther", "Jr."),))),
        ("et al.", People((), others=True)),
        (" ; ", People()),
        ("", People()),
    ],
)
def test_names_of_references_are_taken_apart(text: str, who: People) -> None:
    assert citing.people(text) == who


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ann Arden", [Name("Arden", "Ann")]),
        ("Ann Arden and Tim van der Moss", [Name("Arden", "Ann"), Name("van der Moss", "Tim")]),
        ("Ann Arden, T. Moss, and Eve Low, Jr.", [Name("Arden", "Ann"), Name("Moss", "T."), Name("Low", "Eve", "Jr.")]),
        ("Arden, Ann", [Name("Arden", "Ann")]),
        ("Arden, Ann; Moss, Tim", [Name("Arden", "Ann"), Name("Moss", "Tim")]),
        ("Анна Арден и Пётр Мосс", [Name("Арден", "Анна"), Name("Мосс", "Пётр")]),
        ("Tolby History Society", [Name("Tolby History Society")]),
        ("The editors", [Name("The editors")]),
        ("Platon", [Name("Platon")]),
        ("", []),
    ],
)  # fmt: skip
def test_names_of_bylines_are_taken_apart(text: str, names: list[Name]) -> None:
    assert list(citing.people_in_line(text).names) == names


@pytest.mark.parametrize(
    ("text", "note", "entry"),
    [
        ("King, Martin Luther, Jr.; et al.", "Martin Luther King Jr. et al.", "King, Martin Luther, Jr., et al."),
        ("Arden, Ann; Moss, Tim", "Ann Arden and Tim Moss", "Arden, Ann, and Tim Moss"),
        ("Arden, Ann; Low, Eve; Moss, Tim", "Ann Arden, Eve Low and Tim Moss", "Arden, Ann, Eve Low, and Tim Moss"),
        ("Tolby Institute", "Tolby Institute", "Tolby Institute"),
        ("", "", ""),
    ],
)
def test_names_stand_as_notes_and_bibliographies_have_them(text: str, note: str, entry: str) -> None:
    who = citing.people(text)
    assert (citing.in_note(who), citing.in_list(who)) == (note, entry)


PAGE = Work(
    key="the-millers-v3",
    kind="encyclopedia",
    title="The “Great” <Millers>",
    authors=citing.people_in_line("Ann Arden and Tim Moss"),
    editors=citing.people_in_line("Eve Low and Clara Brandt"),
    container="Yarle Almanac",
    publisher="Yarle Almanac",
    day=date(2026, 11, 29),
    version=3,
    url="https://yarle.example/the-millers/versions/3/",
    accessed=date(2026, 11, 30),
    language="en",
)


def test_a_page_is_cited_in_chicago_style() -> None:
    assert citing.chicago(PAGE) == (
        "Arden, Ann, and Tim Moss. “The ‘Great’ &lt;Millers&gt;.” In <cite>Yarle Almanac</cite>, edited by Eve Low and "
        "Clara Brandt. Version 3, 29 November 2026. Accessed 30 November 2026. "
        '<span class="address">https://yarle.example/the-millers/versions/3/</span>.'
    )


def test_a_page_has_the_fields_of_an_article_in_a_reference_work() -> None:
    [bibtex], [ris] = read_bibtex(citing.bibtex([PAGE])), read_ris(citing.ris([PAGE]))
    assert bibtex["type"] == "incollection"
    assert (bibtex["booktitle"], bibtex["note"], bibtex["url"]) == ("Yarle Almanac", "Version 3", PAGE.url)
    assert (bibtex["year"], bibtex["month"], bibtex["day"], bibtex["urldate"]) == ("2026", "nov", "29", "2026-11-30")
    assert ris["type_of_reference"] == "ENCYC"
    assert (ris["secondary_title"], ris["edition"], ris["urls"]) == ("Yarle Almanac", "Version 3", [PAGE.url])
    assert (ris["date"], ris["access_date"]) == ("2026/11/29/", "2026/11/30/")
    assert ris["secondary_authors"] == ["Low, Eve", "Brandt, Clara"]


def test_the_tags_are_those_that_zotero_documents() -> None:
    tags = citing.meta_tags(PAGE, "What it is about.")
    assert {name for name, _content in tags} <= citing.TAGS
    # an author or editor has a tag each; of all others there is one
    others = [name for name, _content in tags if name not in {"citation_author", "citation_editor"}]
    assert len(others) == len(set(others))
    assert [content for name, content in tags if name == "citation_author"] == ["Arden, Ann", "Moss, Tim"]
    found = dict(tags)
    assert found["citation_publication_date"] == "2026/11/29"
    assert found["citation_public_url"] == PAGE.url
    assert (found["dc.type"], found["prism.publicationName"]) == ("encyclopediaArticle", "Yarle Almanac")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("vol. 24, no. 4, pp. 632–642", {"volume": "24", "number": "4", "pages": "632–642", "details": ""}),
        ("p. 7", {"pages": "7", "details": ""}),
        ("vol. 59, part 2 (Series 505)", {"volume": "59", "details": "part 2 (Series 505)"}),
        ("2 vols", {"details": "2 vols"}),
        ("", {"details": ""}),
    ],
)
def test_details_are_taken_apart(text: str, found: dict[str, str]) -> None:
    assert citing.details_in(text) == found


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("18 February 1978", date(1978, 2, 18)),
        ("no. 3, 1 May 2020", date(2020, 5, 1)),
        ("2026-05-04", date(2026, 5, 4)),
        ("31 February 1978", None),
        ("12 Foo 1978", None),
        ("May–June 2016", None),
        ("", None),
    ],
)
def test_a_day_is_found_in_a_line(text: str, day: date | None) -> None:
    assert citing.day_in(text) == day


@pytest.mark.parametrize(
    ("authors", "in_note"),
    [
        ("King, Martin Luther, Jr.", "Martin Luther King Jr."),
        ("King, Jr., Martin Luther", "Martin Luther King Jr."),
        ("King Jr., Martin Luther", "Martin Luther King Jr."),
        ("King, Martin Luther, Jr.; Moss, Tim", "Martin Luther King Jr. and Tim Moss"),
        ("Arden, Ann; et al.", "Ann Arden et al."),
        ("Arden, Ann et al", "Ann Arden et al."),
        ("King, Martin Luther, Jr., et al.", "Martin Luther King Jr. et al."),
        ("Власов, Андрей, и др.", "Андрей Власов et al."),
        ("Weiß, Eva, u. a.", "Eva Weiß et al."),
    ],
)
def test_names_in_notes_have_their_suffix_last_and_their_others_in_short(authors: str, in_note: str) -> None:
    note = citations.in_note(Reference(key="k", title="Weirs", authors=authors))
    assert str(note) == f"{in_note}, <em>Weirs</em>{{place}}."
