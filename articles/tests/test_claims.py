"""Claims that do not say on what they rest: on the form, and in the lists for editors."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from articles import claims, markdown, review_checks
from articles.models import Article, Event, Reference
from rlm_site.indexing import queue
from rlm_site.testing.growth import Growth
from rlm_site.tests.editor import count_queries, group_client, signed_in
from rlm_site.tests.html import parse, text_of
from rlm_site.text.limits import MAX_TEXT
from rlm_site.text.word_lists import list_lines

LIST, REPORT = "/admin/articles/article/", "/admin/articles/article/claims/"
V, N, F = claims.VAGUE, claims.NEGATIVE, claims.FIGURE


def found(text: str, **about: Any) -> list[tuple[str, str]]:
    return [(claim.kind, claim.words) for claim in claims.claims_in(markdown.source(text), **about)]


# Sources without names


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("According to general accounts the mill burnt.", "general accounts"),
        ("Popular accounts have it otherwise.[@a, p. 1]", "Popular accounts"),
        ("It was, by most estimates, the largest.", "most estimates"),
        ("Several local accounts agree.", "Several local accounts"),
        ("Many of the later\nhistorians differ.", "Many of the later historians"),
        ("One much-read online encyclopedia prints it.", "One much-read online encyclopedia"),
        ("One account puts it at ninety.[@a]", "One account"),
        ("It is usually given as new.[@a]", "is usually given"),
        ("It is said that it rained.", "It is said"),
        ("| mill | general accounts |\n| - | - |\n| weir | most accounts |", "most accounts"),
    ],
)
def test_sources_that_are_not_named_are_found(text: str, words: str) -> None:
    assert found(text) == [(V, words)]


@pytest.mark.parametrize(
    "text",
    [
        "Some historians dispute this.[@a; @b]",
        "Some historians dispute this[@a] to this day.[@b, p. 3]",
        "Several accounts differ.[^1]\n\n[^1]: So Arden.[@a] Otherwise Moss.[@b]",
        "Arden’s account differs from that of Moss.",
        "She kept the accounts of most mills.",
        "“Most accounts are false,” he said.",
        "> Most accounts are false.",
        "`most accounts`",
        "## Most accounts",
        "Almost accounts. Utmost estimates.",
        "",
    ],
)
def test_sources_that_are_named_and_words_of_others_are_not(text: str) -> None:
    assert found(text) == []


# Negatives


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Its age has never been established.", "has never been established"),
        ("Their number is unknown.", "is unknown"),
        ("There is no record of a trial.", "no record of"),
        ("Its height cannot now be told.", "cannot now be told"),
        ("Nobody knows why.", "Nobody knows"),
        ("No printed list survives.", "No printed list survives"),
        ("The names have not been found.", "have not been found"),
        ("Who began it is not known. Arden began the other.[@a]", "is not known"),
        ("Why is unknown (to Dr. Moss).", "is unknown"),
    ],
)
def test_negatives_without_a_note_are_found(text: str, words: str) -> None:
    assert found(text) == [(N, words)]


@pytest.mark.parametrize(
    "text",
    [
        "Its age has never been established.[@a, p. 3]",
        "Its age is unknown,[@a] as is its name.",
        "Its age is unknown.[^1]\n\n[^1]: Looked for in the rolls.",
        "It has never been sold, and cannot be moved.",
        "He was unknown in the valley.",
        "He said: “Its age is unknown.”",
        "> Its age is unknown.",
    ],
)
def test_a_negative_with_a_note_is_none(text: str) -> None:
    assert found(text) == []


# Figures

TABLE = "| | men |{head}\n| - | - |\n| Tolby | 1,200{row} |\n| Marl | 90 |"


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        ("There were 12,000 sheep.", "12,000"),
        ("There were 300 sheep.", "300"),
        ("Some 120,000–130,000 sheep.", "120,000"),
        ("About 2.5 million sheep.", "2.5 million"),
        ("Several hundred sheep came.", "Several hundred"),
        ("According to Moss, 300 sheep came.", "300"),
        ("Moss (300 sheep) left.", "300"),
        ("Some 300 sheep came.", "300"),
        ("Twenty thousand sheep came.", "Twenty thousand"),
        ("In 1845 there were 300 sheep.", "300"),
        ("One.[@a] There were 300 sheep.", "300"),
        ("There were 300 sheep.\n\nOne.[@a]", "300"),
        ("- One.[@a]\n- There were 300 sheep.", "300"),
        (TABLE.format(head="", row=""), "1,200"),
    ],
)
def test_figures_without_a_note_are_found(text: str, figure: str) -> None:
    assert found(text) == [(F, figure)]


@pytest.mark.parametrize(
    "text",
    [
        "There were 300 sheep.[@a]",
        "There were 300 sheep. Most were white.[@a]",
        "There were 300[@a] sheep. Most were white.",
        "Arden counts them:[@a]\n\n- 300 sheep\n- 400 goats",
        TABLE.format(head="", row="[@a]"),
        TABLE.format(head="", row="").replace("men", "men[@a]"),
        "Table: Men[@a]\n" + TABLE.format(head="", row=""),
        "In 1845, on 12 May 1845 and until 1950–51.",
        "On p. 312 of vol. 114, doc. 1165 and note no. 227.",
        "The 600th Mill, (Order 270) and Weir 300 and FO 371/4795.",
        "300 km from Tolby, 250 metres high, 105 mm.",
        "It cost 99, or 12.5, at 10:100 o’clock; [here](https://river.example/123456).",
        "“There were 300 sheep,” he said.",
        "> There were 300 sheep.",
        "A hundred sheep, thousands of goats.",
    ],
)
def test_a_figure_with_a_note_and_what_counts_nothing_is_none(text: str) -> None:
    assert found(text) == []


def test_of_a_document_only_what_stands_above_it_is_looked_at() -> None:
    text = "It counts 300 sheep.\n\n## Text\n\nThere are 300 sheep, by most accounts. More is unknown."
    assert found(text, is_document=True) == [(F, "300")]
    assert [kind for kind, _words in found(text)] == [F, V, F, N]


def test_the_sentence_is_told_whole_and_without_marks() -> None:
    text = "One.[@a] By Dr. A. Moss, in [[Tolby]], *most* accounts agree.[@a, p. 3] Two."
    [claim] = claims.claims_in(markdown.source(text))
    assert claim.sentence == "By Dr. A. Moss, in Tolby, most accounts agree."


@pytest.mark.parametrize("name", ["vague_sources", "negatives", "figures"])
def test_every_line_of_a_list_finds_its_own_words(name: str) -> None:
    pattern = re.compile(claims._phrases(name), re.IGNORECASE)
    for line in list_lines(name, Path(claims.__file__).parent / "lists"):
        for choice in range(2):
            places = [place.split("/") for place in line.split() if place != "…"]
            words = " ".join(place[-1 if choice else 0].replace("0", "7") for place in places)
            assert pattern.search(f"Then {words}."), words


@pytest.mark.full
@pytest.mark.parametrize("piece", ["most ", "no ", "300 ", "1,", "a. ", "“", "[@a] ", "| 300 ", "has not ", "x", ".”"])
def test_long_texts_take_time_in_proportion(piece: str) -> None:
    def text(size: int) -> markdown.Source:
        block = markdown.Block((piece * (size // len(piece) + 1))[:size].replace("[@a]", markdown.NOTE))
        return markdown.source("")._replace(blocks=(block,))

    Growth(f"claims in {piece!r}", MAX_TEXT, text, lambda source: list(claims.claims_in(source))).check()


# On the form and in the lists


@pytest.fixture
def works(db: None) -> None:
    for kind in Reference.Kind.values:
        Reference.objects.create(key=f"a-{kind}", kind=kind, title=kind)
    for how in Reference.Consulted.values:
        Reference.objects.create(key=f"seen-{how}", kind="book", title=how, consulted=how)


def warned(row: Article) -> dict[str, str]:
    """Return where each kind of claim was found on the form."""
    kinds = {str(words): kind for kind, words in claims.ADVICE.items()}
    warnings = review_checks.check_article(row, timezone.now())
    return {kinds[str(each.what)]: each.where for each in warnings if str(each.what) in kinds}


@pytest.mark.usefixtures("works")
def test_the_form_names_the_sentence() -> None:
    body = "One is unknown. By most accounts there were 300.\n\nTwo.[@a-book] Three.[@a-memoir, p. 3]"
    assert warned(Article(title="Quagga", body=body)) == {
        V: "most accounts: By most accounts there were 300.",
        N: "is unknown: One is unknown.",
        F: "300: By most accounts there were 300.",
        claims.NO_PLACE: "[@a-book]",
    }
    told = review_checks.check_event(Event(title="Ran", text="There were 300.", article=Article()), timezone.now())
    assert "300: There were 300." in {each.where for each in told}


@pytest.mark.usefixtures("works")
@pytest.mark.parametrize(
    ("key", "is_told"),
    [
        *((f"a-{kind}", kind in {"book", "memoir", "thesis"}) for kind in Reference.Kind.values),
        *((f"seen-{how}", how in {"whole", "part"}) for how in Reference.Consulted.values),
        ("unrecorded", False),
    ],
)
def test_a_book_is_cited_with_its_page_unless_it_was_seen_in_extract(key: str, is_told: bool) -> None:
    told = {claims.NO_PLACE: f"[@{key}]"} if is_told else {}
    assert warned(Article(title="Quagga", body=f"One.[@{key.upper()}]")) == told
    assert warned(Article(title="Quagga", body=f"One.[@{key}, p. 3]")) == {}
    facts = [{"fact": "role", "value": "a miller", "detail": "", "source": f"[@{key}]"}]
    assert warned(Article(title="Quagga", kind="person", facts=facts, body="")) == told


@pytest.mark.usefixtures("works")
def test_a_text_full_of_them_is_told_of_some_and_of_how_many_more() -> None:
    warnings = review_checks.check_article(Article(title="Quagga", body="Why is unknown. " * 200), timezone.now())
    assert sum(str(each.what) == str(claims.ADVICE[N]) for each in warnings) == 50
    assert [str(each.what) for each in warnings if "More claims" in str(each.what)] == [
        "More claims without sources: 150"
    ]


def page(title: str, body: str, **fields: Any) -> Article:
    return Article.objects.create(**{"title": title, "body": body, "published": True, **fields})


@pytest.mark.usefixtures("works")
def test_the_lists_show_public_pages_and_events_and_no_others() -> None:
    editor = signed_in("anna")
    rows = {
        V: page("Quagga of sources", "By most accounts it ran."),
        N: page("Quagga of negatives", "Why is unknown."),
        F: page("Quagga of figures", "There were 300."),
        claims.NO_PLACE: page("Quagga of books", "It ran.[@a-book]"),
    }
    page("Draft of a quagga", "By most accounts there were 300, and why is unknown.", published=False)
    above = Article.objects.get(slug="the-millers")
    for title, published in (("A quagga ran", True), ("A draft ran", False)):
        Event.objects.create(
            title=title, key=title[2:7], text="So did 300.", article=above, dates="1901", published=published
        )
    queue.process_queue()
    for kind, row in rows.items():
        listed = set(editor.get(f"{LIST}?check={kind}&all=").context["cl"].result_list)
        assert row in listed
        assert {each for each in listed if "uagga" in each.title} == {row}
    report = [text_of(cells) for cells in parse(editor.get(REPORT)).findall(".//table/tbody/tr")]
    for title in (*(row.title for row in rows.values()), "A quagga ran"):
        assert len([line for line in report if title in line]) == 1, title
    assert not [line for line in report if "raft" in line]
    assert "Claims without a source" in text_of(parse(editor.get("/admin/")))


@pytest.mark.usefixtures("works")
def test_the_list_follows_the_text_and_the_reference_and_costs_no_query_more() -> None:
    editor = signed_in("anna")
    row = page("Quagga", "It ran.[@a-book]")
    few = count_queries(editor, REPORT)
    assert "Quagga" in editor.get(REPORT).content.decode()
    for number in range(20):
        page(f"Okapi {number}", "There were 300.")
    assert count_queries(editor, REPORT) <= few
    Reference.objects.filter(key="a-book").update(consulted="extract")
    assert "Quagga" not in editor.get(REPORT).content.decode()
    Article.objects.filter(pk=row.pk).update(body="There were 300 quaggas.")
    assert "300 quaggas" in editor.get(REPORT).content.decode()


@pytest.mark.django_db
def test_only_who_may_read_pages_there_sees_the_list() -> None:
    assert Client().get(REPORT).status_code == 302
    assert signed_in("somebody", "add_quote").get(REPORT).status_code == 403
    assert group_client("Authors").get(REPORT).status_code == 200
