"""Diagrams: what is refused and where, what is drawn, and the same as a table."""

import json
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from articles import diagrams, form_preview
from articles.models import Article, Link
from rlm_site.history import diff, revisions
from rlm_site.history.drafts import Draft
from rlm_site.indexing import queue
from rlm_site.tests.editor import count_queries, form_data, signed_in
from rlm_site.tests.html import links, parse, text_of, with_class

TREE: dict[str, Any] = {
    "layout": "tree",
    "title": "The mills and who ran them",
    "reading": "A solid line is *ownership*.",
    "lines": {"solid": "owned by", "dashed": "let to"},
    "items": [
        {"name": "Tolby", "detail": "market", "source": "[@arden-1987, p. 4]"},
        {"name": "[[The Millers]]", "under": "Tolby", "line": "dashed", "also": [{"name": "Weir", "line": "solid"}]},
        {"name": "Mill", "under": "[[The Millers]]", "figures": [
            {"what": "wheels", "value": "about 20", "least": 20, "most": 20, "given_by": "Ann Arden"},
            {"what": "wheels", "value": "over 10", "least": 10, "given_by": "[[Edgar Tarlow]]",
             "source": "[@moss-mills]"},
        ]},
        {"name": "Weir", "note": "Never built."},
    ],
}  # fmt: skip
ROWS: dict[str, Any] = {
    "layout": "rows",
    "title": "Sacks",
    "items": [
        {"name": "Spring", "from": "1901-03", "until": "1901-05", "figures": [
            {"value": "10 to 40", "least": 10, "most": 40, "given_by": "Arden"},
            {"value": "many", "given_by": "Moss"},
            {"value": "20", "least": 20, "most": 20, "given_by": "Moss"},
        ]},
        {"name": "Flood", "from": "1902"},
    ],
}  # fmt: skip
TIMES: dict[str, Any] = {
    "layout": "times",
    "title": "Names",
    "items": [
        {"name": "Guild", "from": "1901", "until": "1904"},
        {"name": "League", "from": "c. 1903-07-01", "form": "hollow", "detail": "on paper"},
    ],
}


def changed(diagram: dict[str, Any], *path: Any, to: Any) -> dict[str, Any]:
    """Return a copy with one value changed; `...` takes it away."""
    copied: dict[str, Any] = json.loads(json.dumps(diagram))
    holder: Any = copied
    for step in path[:-1]:
        holder = holder[step]
    if to is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = to
    return copied


# What is refused

FAULTS: list[tuple[dict[str, Any] | Any, str]] = [
    ([], "diagram: It must be an object"),
    ({"title": "A"}, "layout: Use one of: tree, rows, times."),
    (changed(TREE, "layout", to="flow"), "layout: Use one of"),
    (changed(TREE, "title", to=" "), "title: It is empty."),
    (changed(TREE, "reading", to=5), "reading: It must be text in quotation marks."),
    (changed(TREE, "colour", to="red"), "diagram: “colour” is unknown; use layout, title, reading, items, lines."),
    (changed(ROWS, "lines", to={}), "diagram: “lines” is unknown"),
    (changed(TREE, "lines", to=[]), "lines: It must be an object"),
    (changed(TREE, "lines", "wavy", to="x"), "lines: “wavy” is unknown; use solid, dashed, dotted."),
    (changed(TREE, "items", to={}), "items: It must be a list"),
    (changed(TREE, "items", to=[]), "items: There is none."),
    (changed(TREE, "items", to=...), "items: There is none."),
    (changed(TREE, "items", to=[{"name": str(n)} for n in range(61)]), "items: There are 61; at most 60 are allowed."),
    (changed(TREE, "items", 1, to="x"), "item 2: It must be an object"),
    (changed(TREE, "items", 0, "name", to=...), "item 1, name: It is empty."),
    (changed(TREE, "items", 0, "detail", to="x" * 501), "item 1, detail: It has 501 characters"),
    (changed(TREE, "items", 0, "detail", to="a\0b"), "item 1, detail: "),
    (changed(TREE, "items", 0, "from", to="1901"), "item 1: “from” is unknown"),
    (changed(TREE, "items", 1, "under", to="Mill"), "item 2, under: No item above this one is called “Mill”."),
    (changed(TREE, "items", 0, "under", to="Tolby"), "item 1, under: No item above this one"),
    (changed(TREE, "items", 3, "name", to="Mill"), "item 4, name: “Mill” is the name of another item."),
    (changed(TREE, "items", 1, "line", to="wavy"), "item 2, line: Use one of"),
    (changed(TREE, "items", 1, "also", 0, "name", to="Nobody"), "item 2, also: No item is called “Nobody”."),
    (changed(TREE, "items", 1, "also", 0, "line", to=[]), "item 2, also 1, line: Use one of"),
    (changed(TREE, "items", 1, "also", to="Weir"), "item 2, also: It must be a list"),
    (changed(TREE, "items", 2, "figures", 1, "given_by", to=...), "item 3, figures 2, given_by: It is empty."),
    (changed(TREE, "items", 2, "figures", 1, "value", to=20), "item 3, figures 2, value: It must be text"),
    (changed(TREE, "items", 2, "figures", 0, "least", to=21), "item 3, figures 1, most: It is less than “least”."),
    (changed(TREE, "items", 2, "figures", 0, "least", to="20"), "item 3, figures 1, least: It must be a whole number"),
    (changed(TREE, "items", 2, "figures", 0, "least", to=True), "item 3, figures 1, least: It must be a whole number"),
    (changed(TREE, "items", 2, "figures", 0, "most", to=1.5), "item 3, figures 1, most: It must be a whole number"),
    (changed(TREE, "items", 2, "figures", 0, "total", to=5), "item 3, figures 1: “total” is unknown"),
    (changed(TIMES, "items", 0, "from", to=...), "item 1, from: It is empty."),
    (changed(TIMES, "items", 0, "from", to="soon"), "item 1, from: “soon” is not one date."),
    (changed(TIMES, "items", 0, "from", to="1901/1902"), "item 1, from: “1901/1902” is not one date."),
    (changed(TIMES, "items", 0, "until", to="1900"), "item 1, until: It is before “from”."),
    (changed(TIMES, "items", 1, "form", to="thick"), "item 2, form: Use one of: full, hollow."),
    (changed(TIMES, "items", 1, "form", to={}), "item 2, form: Use one of"),
]  # fmt: skip


@pytest.mark.parametrize(("diagram", "told"), FAULTS)
def test_a_fault_is_named_with_its_place_and_is_never_drawn(diagram: Any, told: str) -> None:
    with pytest.raises(ValidationError) as raised:
        diagrams.check_diagram(diagram)
    assert any(told in message for message in raised.value.messages), raised.value.messages
    assert diagrams.draw(diagram) is None
    assert list(diagrams.texts_of(diagram)) == []


def test_every_fault_is_named_at_once() -> None:
    faulty = changed(changed(TIMES, "items", 0, "from", to="soon"), "items", 1, "form", to="thick")
    with pytest.raises(ValidationError) as raised:
        diagrams.check_diagram(faulty)
    assert len(raised.value.messages) == 2


@pytest.mark.parametrize("diagram", [{}, TREE, ROWS, TIMES])
def test_what_is_right_is_taken(diagram: dict[str, Any]) -> None:
    diagrams.check_diagram(diagram)
    assert diagrams.from_text(diagrams.as_text(diagram)) == diagram


def test_the_order_of_the_fields_is_the_same_whatever_the_database_makes_of_it() -> None:
    jumbled = {name: TREE[name] for name in sorted(TREE)}
    assert diagrams.as_text(jumbled) == diagrams.as_text(TREE)
    assert diagrams.as_text({}) == ""


# Bars


def test_a_bar_is_to_the_scale_of_its_own_row() -> None:
    one, none, other = diagrams.bars_of(ROWS["items"][0]["figures"])
    assert one is not None
    assert none is None
    assert other is not None
    assert one.end == 2 * other.end
    assert (one.full * 4, other.hollow_width) == (one.end, 0)
    assert one.end <= diagrams.LENGTH


@pytest.mark.parametrize("figures", [[], [{"least": 5}], [{"most": None}, {"least": 5}], [{"least": 0}, {"most": 0}]])
def test_there_is_no_bar_where_nothing_can_be_compared(figures: list[dict[str, Any]]) -> None:
    assert diagrams.bars_of(figures) == [None] * len(figures)


def test_a_figure_without_an_upper_bound_has_an_open_end() -> None:
    [least, most] = diagrams.bars_of([{"least": 10}, {"most": 40}])
    assert least is not None
    assert most is not None
    assert (least.open_end, most.open_end, most.full) == (True, False, 0)


def test_bars_of_time_lie_on_one_axis() -> None:
    drawn = diagrams.draw(TIMES)
    assert drawn is not None
    guild, league = (item.bar for item in drawn.items)
    assert guild is not None
    assert league is not None
    assert (guild.start, guild.open_end, guild.hollow_width) == (0, False, 0)
    assert (league.end, league.open_end, league.full_width) == (diagrams.LENGTH, True, 0)
    assert abs(league.start - diagrams.LENGTH * 2.5 / 4) <= 1
    assert [tick.year for tick in drawn.ticks] == [1901, 1902, 1903, 1904]


def test_a_long_time_has_few_years_on_its_axis() -> None:
    drawn = diagrams.draw(changed(TIMES, "items", 0, "until", to="1999"))
    assert drawn is not None
    assert [tick.year for tick in drawn.ticks] == [1920, 1940, 1960, 1980]


# The page


@pytest.fixture
def millers(db: None) -> Article:
    return Article.objects.get(slug="the-millers")


def diagram_on(client: Client, article: Article, diagram: dict[str, Any]) -> Element:
    Article.objects.filter(pk=article.pk).update(diagram=diagram)
    [found] = with_class(parse(client.get(article.get_absolute_url())), "diagram")
    return found


def test_a_tree_hangs_its_items_and_says_all_in_a_table(client: Client, millers: Article) -> None:
    found = diagram_on(client, millers, TREE)
    [root, weir] = next(each for each in found.iter("ul") if each.get("class") == "tree").findall("li")
    assert text_of(weir).startswith("Weir")
    [inner] = [each for each in root if each.tag == "ul"]
    [let] = inner.findall("li")
    assert let.get("class") == "dashed"
    assert "Also Weir: owned by" in text_of(let)
    assert "wheels: about 20 Ann Arden" in text_of(let)
    table = [[text_of(cell) for cell in line] for line in found.iter("tr")]
    assert table == [
        ["Name", "Under", "What it is", "Figures, and who gives them", "Sources"],
        ["Tolby", "", "market", "", "Arden 1987, p. 4"],
        ["The Millers", "Tolby (let to); Weir (owned by)", "", "", ""],
        ["Mill", "The Millers (owned by)", "", "wheels: about 20, Ann Ardenwheels: over 10, Edgar Tarlow Moss", ""],
        ["Weir", "", "Never built.", "", ""],
    ]
    document = parse(client.get(millers.get_absolute_url()))
    assert {"/edgar-tarlow/", "/references/#arden-1987"} <= links(document).keys()
    assert "Moss" in text_of(with_class(document, "cited")[0])


def test_rows_and_times_have_their_bars_and_dates(client: Client, millers: Article) -> None:
    rows = diagram_on(client, millers, ROWS)
    assert len([each for each in rows.iter() if each.get("class") == "bar"]) == 2
    assert "Spring March 1901 – May 1901" in text_of(rows)
    times = diagram_on(client, millers, TIMES)
    assert len([each for each in times.iter() if each.get("class") == "bar"]) == 3
    table = [[text_of(cell) for cell in line] for line in times.iter("tr")]
    assert table[1:] == [
        ["Guild", "1901 – 1904", "full bar", ""],
        ["League", "from c. 1 July 1903", "on paper; hollow bar", ""],
    ]


def test_what_a_diagram_says_is_escaped(client: Client, millers: Article) -> None:
    sly = "<script>x</script>"
    given = changed(changed(TREE, "items", 0, "detail", to=sly), "title", to=sly)
    diagram_on(client, millers, given)
    assert "<script>x" not in client.get(millers.get_absolute_url()).content.decode()


@pytest.mark.parametrize("diagram", [given for given, _told in FAULTS if isinstance(given, dict)])
def test_whatever_another_program_leaves_there_the_page_is_shown(
    client: Client, millers: Article, diagram: Any
) -> None:
    Article.objects.filter(pk=millers.pk).update(diagram=json.loads(json.dumps(diagram).replace(r"\u0000", "")))
    assert client.get(millers.get_absolute_url()).status_code == 200


def test_a_page_costs_the_same_however_large_its_diagram_is(client: Client, millers: Article) -> None:
    Article.objects.filter(pk=millers.pk).update(diagram=TREE)
    few = count_queries(client, millers.get_absolute_url())
    many = changed(TREE, "items", to=TREE["items"] + [{"name": f"[[Zorb {n}]] [@zorb-{n}]"} for n in range(50)])
    Article.objects.filter(pk=millers.pk).update(diagram=many)
    assert count_queries(client, millers.get_absolute_url()) <= few + 1  # links that lead nowhere are asked for again


def test_links_and_citations_of_a_diagram_are_indexed_and_listed(client: Client, millers: Article) -> None:
    Article.objects.filter(slug="the-source").update(diagram=TREE)
    queue.process_queue()
    source = Article.objects.get(slug="the-source")
    found = set(Link.objects.filter(source_kind="article", source_id=source.pk).values_list("target", flat=True))
    assert {"The Millers", "Edgar Tarlow", "moss-mills"} <= found
    [item] = [each for each in parse(client.get("/references/")).iter("li") if each.get("id") == "moss-mills"]
    assert source.get_absolute_url() in [link.get("href") for link in item.iter("a")]


# The form


def change_page(article: Article) -> str:
    return f"/admin/articles/article/{article.pk}/change/"


def test_a_diagram_is_typed_as_json_and_drafted(client: Client, millers: Article) -> None:
    editor = signed_in()
    page = editor.get(change_page(millers))
    assert form_data(page)["diagram"] == ""
    response = editor.post(change_page(millers), form_data(page, diagram=json.dumps(TREE), _continue="1"))
    assert response.status_code == 302, response.context["errors"]
    assert with_class(parse(client.get(millers.get_absolute_url())), "diagram") == []
    assert json.loads(form_data(editor.get(change_page(millers)))["diagram"]) == TREE
    copy = revisions.working_copy(millers)
    assert copy is not None
    assert copy.content["diagram"] == TREE


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ('{"layout": "tree",\n "title" "A"}', "Line 2, column 10: this is not JSON"),
        ("[]", "It must be an object"),
        ("[" * 50_000, "This is not JSON."),
        ('{"layout": NaN}', "This is not JSON."),
        (json.dumps(changed(TREE, "items", 1, "under", to="X")), "item 2, under: No item above this one"),
    ],
)  # fmt: skip
def test_a_refused_diagram_says_where_and_keeps_what_was_typed(millers: Article, typed: str, told: str) -> None:
    editor = signed_in()
    page = editor.get(change_page(millers))
    response = editor.post(change_page(millers), form_data(page, diagram=typed))
    assert response.status_code == 200
    assert told in text_of(parse(response))
    assert form_data(response)["diagram"].replace("\r\n", "\n") == typed
    assert revisions.working_copy(millers) is None


def test_a_form_that_is_sent_as_it_was_opened_changes_nothing(millers: Article) -> None:
    editor = signed_in()
    Article.objects.filter(pk=millers.pk).update(diagram=TREE)
    editor.post(change_page(millers), form_data(editor.get(change_page(millers))))
    assert revisions.working_copy(millers) is None


def test_a_comparison_shows_what_changed_in_a_diagram(millers: Article) -> None:
    before, after = ({"diagram": diagram} for diagram in (TREE, changed(TREE, "title", to="The weirs")))
    [difference] = diff.differences(Article, before, after)
    said = "".join(str(part) for part in difference.parts)
    assert "weirs" in said
    assert "mills" in said


def test_a_preview_draws_what_is_typed(millers: Article) -> None:
    draft = form_preview.with_form_values(Draft(millers, [], None), {"diagram": json.dumps(TIMES)})
    assert draft.row.diagram == TIMES
    unfinished = form_preview.with_form_values(Draft(millers, [], None), {"diagram": '{"layout":'})
    assert unfinished.row.diagram == {}
