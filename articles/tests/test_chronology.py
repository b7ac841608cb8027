"""The chronology: by years, with notes, filtered, divided where there is too much; and the strip of years."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from articles import chronology, markdown
from articles.models import Article, Event, Group
from articles.tests.test_events import add, page
from rlm_site.indexing import queue
from rlm_site.tests.html import links, parse, text_of

pytestmark = pytest.mark.django_db

ADDRESS = "/chronology/"


def told(client: Client, address: str = ADDRESS) -> dict[str, list[str]]:
    found = client.get(address).context["told"]
    return {year.heading: [line.event.title for line in year.lines] for year in found.years} if found else {}


def is_linked(client: Client, address: str) -> bool:
    return f'<a href="{ADDRESS}"' in client.get(address).content.decode()


def test_without_events_it_says_so_and_no_page_links_it(client: Client) -> None:
    response = client.get(ADDRESS)
    assert response.status_code == 200
    assert "No event is told yet." in text_of(parse(response))
    assert "<svg" not in response.content.decode()
    assert not is_linked(client, "/")
    assert ADDRESS not in client.get("/sitemap-pages.xml").content.decode()
    add(page(), published=False)
    assert not is_linked(client, "/yarle-valley/")


def test_with_one_every_page_links_it(client: Client) -> None:
    assert not is_linked(client, "/yarle-valley/the-millers/")
    event = add(page())
    for address in ("/", "/yarle-valley/the-millers/", "/quotes/", ADDRESS):
        assert is_linked(client, address), address
    Event.objects.filter(pk=event.pk).update(published=False)
    assert not is_linked(client, "/yarle-valley/the-millers/")


def test_events_stand_under_their_years_with_place_people_and_notes(client: Client) -> None:
    page("Zora Quill", kind="person")
    quagga = page()
    add(quagga, "The fire", "1901-09-14", text="It *burnt* near [[Zora Quill]].[@arden-1987, p. 4]", place="The mill")
    add(quagga, "The flood", "1901-10", text="So.[@arden-1987, p. 5]", people=["Zora Quill", "Nobody"])
    add(quagga, "The frost", "c. 1903")
    response = client.get(ADDRESS)
    assert told(client) == {"1901": ["The fire", "The flood"], "1903": ["The frost"]}
    html = response.content.decode()
    assert 'id="e-the-fire-1901"' in html
    assert '<time datetime="1901-09-14">14 September</time>' in html
    assert "<em>burnt</em>" in html
    assert '<a href="/zora-quill/">Zora Quill</a>' in html
    assert "c. 1903" in html
    text = text_of(parse(response))
    assert "The mill" in text
    assert "Zora Quill, Nobody" in text
    notes = response.context["told"].notes
    assert [note.number for note in notes] == [1, 2]
    assert len(notes[1].html) < len(notes[0].html)  # in full first, then short
    for note in notes:
        assert f'id="{note.id}"' in html
        assert f'id="{note.back_links[0]}"' in html
    assert "3 events, 14 September 1901 to c. 1903" in text


def test_the_same_citation_has_one_note(client: Client) -> None:
    for number in range(3):
        add(page(f"Page {number}"), text="So.[@arden-1987, p. 4]")
    note = client.get(ADDRESS).context["told"].notes[0]
    assert [back for back, _letter in note.lettered_back_links()] == ["ref-1", "ref-1-2", "ref-1-3"]


@pytest.mark.parametrize(
    "text",
    ["# Heading", "- item", "> said", "    code", "a | b\n--|--\n1 | 2", "[^1]: note", "<b>x</b>", "<!-- open", "***"],
)
def test_what_would_be_a_block_elsewhere_harms_nothing(client: Client, text: str) -> None:
    add(page(), "The fire", text=text)
    add(page("Okapi"), "The flood", text="It *rose*.[@arden-1987]")
    html = client.get(ADDRESS).content.decode()
    assert "<em>rose</em>" in html
    assert html.count("<h1") == 1
    told_html = html.partition('<ol class="events">')[2].partition("</ol>")[0]
    assert not re.search(r"<(ul|blockquote|pre|table|hr|b)>", told_html)


def test_a_note_that_is_written_out_stands_in_brackets_and_its_citation_is_numbered() -> None:
    works = [("arden", "Arden, in full{place}.", "Arden{place}.")]
    texts = ["One.^[See [@arden, p. 2].] Two.[@arden, p. 3]", "Three.[@arden, p. 2]"]
    rendered = markdown.render_lines(texts, (), works)
    assert [note.number for note in rendered.notes] == [1, 2]
    assert "(See " in rendered.lines[0]
    assert 'href="#note-1"' in rendered.lines[1] or 'href="#note-2"' in rendered.lines[1]


# Filters


def grouped() -> None:
    first = Group.objects.create(title="The mills", slug="mills")
    Group.objects.create(title="Empty", slug="empty", position=1)
    Article.objects.all().delete()
    add(page("Stripes", page("Zebra", group=first)), "The fire")  # the section counts as its topic
    add(page("Zora", kind="person"), "The flood")


def test_it_is_filtered_by_group_and_by_kind(client: Client) -> None:
    grouped()
    assert told(client, f"{ADDRESS}?group=mills") == {"1901": ["The fire"]}
    assert told(client, f"{ADDRESS}?kind=person") == {"1901": ["The flood"]}
    assert told(client, f"{ADDRESS}?group=mills&kind=person") == {}
    every = client.get(ADDRESS)
    counts = {choice.name: choice.number for choice in every.context["filters"]}
    assert counts == {"All": 2, "The mills": 1, "People": 1}
    assert 'content="noindex, follow"' in client.get(f"{ADDRESS}?kind=person").content.decode()
    assert "noindex" not in every.content.decode()
    filtered = client.get(f"{ADDRESS}?kind=person").content.decode()
    assert re.search(rf'rel="canonical" href="[^"?]*{ADDRESS}"', filtered)


@pytest.mark.parametrize("query", ["group=gone", "kind=gone", "kind=subject%00&group=x", "group=mills&kind=x"])
def test_a_filter_that_there_is_not_is_not_found(client: Client, query: str) -> None:
    grouped()
    assert client.get(f"{ADDRESS}?{query}").status_code == 404


def test_each_filter_shows_as_many_as_it_says(client: Client) -> None:
    grouped()
    for choice in client.get(ADDRESS).context["filters"]:
        shown = client.get(choice.address)
        assert shown.context["span"].number == choice.number
        assert [each.name for each in shown.context["filters"] if each.is_current] == [choice.name]


def test_without_groups_it_is_filtered_by_kind_alone_and_not_where_all_are_of_one(client: Client) -> None:
    add(page())
    assert client.get(ADDRESS).context["filters"] == []
    add(page("Zora", kind="person"))
    assert [each.name for each in client.get(ADDRESS).context["filters"]] == ["All", "Subjects", "People"]


# By years


def fill(number: int, article: Article, **fields: Any) -> None:
    Event.objects.bulk_create(
        Event(
            article=article,
            key=f"quagga-{n}",
            title=f"Event {n}",
            dates=f"{1900 + n % 5}-{1 + n % 12:02}",
            text=f"It was number {n}.[@arden-1987, p. {n}]",
            place="Yarle Valley",
            people=[f"Person {n % 50}"],
            published=True,
            **fields,
        )
        for n in range(number)
    )
    queue.process_queue()


def test_beyond_two_hundred_every_year_has_a_page(client: Client) -> None:
    quagga = page()
    fill(chronology.MOST_ON_PAGE, quagga)
    assert len(told(client)) == 5
    redirect = client.get(f"{ADDRESS}1902/")
    assert (redirect.status_code, redirect["Location"]) == (302, ADDRESS)
    add(quagga, "The frost", "1960")
    divided = client.get(ADDRESS)
    assert divided.context["told"] is None
    assert f"{ADDRESS}1902/" in links(parse(divided))
    year = client.get(f"{ADDRESS}1902/")
    assert list(told(client, f"{ADDRESS}1902/")) == ["1902"]
    assert year.context["span"].number == 40
    assert "Chronology of 1902" in text_of(parse(year))
    assert told(client, f"{ADDRESS}1960/") == {"1960": ["The frost"]}
    for missing in (f"{ADDRESS}1959/", f"{ADDRESS}0/", f"{ADDRESS}99999999/"):
        assert client.get(missing).status_code == 404
    event = Event.objects.get(key="quagga-2")
    page_of_event, _hash, anchor = event.get_absolute_url().partition("#")
    assert f'id="{anchor}"' in client.get(page_of_event).content.decode()


def test_every_link_of_the_strip_leads_to_what_it_names(client: Client) -> None:
    quagga = page()
    for dates in ("1901-02", "1902", "1903-05-01", "1903-06", "1903-07", "1903-08", "1903-09", "1999", "2010"):
        add(quagga, f"Event {dates}", dates, label="A label" if dates == "1902" else "")
    html = client.get(ADDRESS).content.decode()
    ids = set(re.findall(r'id="([^"]+)"', html))
    svg = html[html.index("<svg") : html.index("</svg>")]
    targets = re.findall(r'href="/chronology/#([^"]+)"', svg)
    assert targets
    assert set(targets) <= ids
    home = client.get("/").content.decode()
    assert "A label" in home
    assert 'href="/chronology/#e-event-1902-1902"' in home
    assert home.count("A label") == 2  # in the strip, and in the list for narrow screens


def test_the_strip_says_in_words_what_it_shows(client: Client) -> None:
    add(page())
    add(page("Okapi"), "The flood", "1903")
    assert 'aria-label="Strip of years: 2 events, 14 September 1901 to 1903"' in client.get("/").content.decode()


# Costs


def queries(client: Client, address: str) -> int:
    chronology.events._cached.cache_clear()
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_five_hundred_events_cost_no_more_queries_than_a_few(client: Client) -> None:
    quagga = page()
    fill(5, quagga)
    pages = (ADDRESS, f"{ADDRESS}?kind=subject", "/", "/quagga/", "/yarle-valley/", "/quagga/stripes/")
    page("Stripes", quagga)
    queue.process_queue()
    before = {address: queries(client, address) for address in pages}
    Event.objects.all().delete()
    fill(500, quagga)
    after = {address: queries(client, address) for address in pages}
    assert {address: (before[address], after[address]) for address in pages if after[address] > before[address]} == {}
    assert queries(client, f"{ADDRESS}1902/") <= before[ADDRESS]
    assert before[ADDRESS] <= 12
