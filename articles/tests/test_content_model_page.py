"""Read the model page of our own content, which was specified word by word."""

from xml.etree.ElementTree import Element

import pytest
from django.test import Client

from quotes.models import Quote
from rlm_site.tests.html import links, parse, text_of

pytestmark = [pytest.mark.content, pytest.mark.django_db]

ADDRESS = "/russian-liberation-movement/the-allies/"
SONTAG = (
    "... liberal intellectuals ... tend to have a classical theory of politics, in which the state has a monopoly of "
    "power; hoping that those in positions of authority may prove to be enlightened men, wielding power justly, they "
    "are natural, if cautious, allies of the “establishment.”"
)
GANNETT = (
    "They tell us that women can bring better things to pass by indirect influence. Try to persuade any man that he "
    "will have more weight, more influence, if he gives up his vote, allies himself with no party and relies on "
    "influence to achieve his ends! By all means let us use to the utmost whatever influence we have, but in all "
    "justice do not ask us to be content with this."
)


@pytest.fixture
def the_allies(client: Client) -> Element:
    return parse(client.get(ADDRESS))


def test_the_title_begins_with_topic_and_section(the_allies: Element) -> None:
    assert text_of(the_allies.find(".//title")).startswith("Russian Liberation Movement - The Allies")


def test_the_heading_shows_the_same_two_parts(the_allies: Element) -> None:
    headings = the_allies.findall(".//h1")
    assert [text_of(heading) for heading in headings] == ["Russian Liberation Movement - The Allies"]


def test_the_body_stands_in_the_main_part(the_allies: Element) -> None:
    text = text_of(the_allies.find(".//main"))
    assert "In the spring of 1945 Vlasov's supporters" in text or "In the spring of 1945 Vlasov’s supporters" in text
    assert links(the_allies)["/smolensk-and-prague-programmes/"] == "Smolensk appeal"


def test_it_says_where_more_about_its_topic_is(the_allies: Element) -> None:
    sentences = [element for element in the_allies.iter("p") if "Read more about this topic:" in text_of(element)]
    assert [text_of(sentence) for sentence in sentences] == ["Read more about this topic: Russian Liberation Movement"]
    assert [(link.get("href"), text_of(link)) for link in sentences[0].iter("a")] == [
        ("/russian-liberation-movement/", "Russian Liberation Movement")
    ]


def test_quotations_follow_under_the_word_that_they_contain(the_allies: Element) -> None:
    assert "Famous quotes containing the word allies:" in [text_of(heading) for heading in the_allies.iter("h2")]
    words = [text_of(element) for element in the_allies.iter()]
    heading = words.index("Famous quotes containing the word allies:")
    body = next(place for place, text in enumerate(words) if text.startswith("In the spring of 1945"))
    assert body < heading
    assert all(place > heading for place, text in enumerate(words) if text == SONTAG)


@pytest.mark.parametrize(
    ("quotation", "attribution"),
    [
        (SONTAG, "Susan Sontag (1933–2004)"),
        (
            GANNETT,
            "Mrs. William C. Gannett, U.S. suffragist. As quoted in History of Woman Suffrage, vol. 5, ch. 8, "
            "by Ida Husted Harper (1922)",
        ),
    ],
    ids=["Sontag", "Gannett"],
)
def test_the_model_quotations_are_shown_word_by_word_and_attributed_in_full(
    the_allies: Element, quotation: str, attribution: str
) -> None:
    figures = [figure for figure in the_allies.iter("figure") if text_of(figure.find(".//blockquote")) == quotation]
    assert len(figures) == 1
    assert [text_of(mark) for mark in figures[0].iter("mark")] == ["allies"]
    assert text_of(figures[0].find(".//figcaption")).startswith(attribution)
    assert Quote.objects.filter(text=quotation).count() == 1


def test_previous_and_next_section_are_linked(the_allies: Element) -> None:
    neighbours = {link.get("rel"): link.get("href") for link in the_allies.iter("a") if link.get("rel")}
    neighbours = {rel: address for rel, address in neighbours.items() if rel in {"prev", "next"}}
    assert neighbours == {
        "prev": "/russian-liberation-movement/crimes-and-victims/",
        "next": "/russian-liberation-movement/prague-the-last-battle/",
    }


def test_its_sources_are_named(the_allies: Element) -> None:
    text = text_of(the_allies.find(".//main"))
    for words in ("Foreign Relations of the United States", "doc. 1150", "Birstein, Vadim"):
        assert words in text
