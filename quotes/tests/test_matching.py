"""Which quotations answer a heading, in which order of recourse, and what the line above them says."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from quotes import matching
from quotes.matching import Block, MatchRequest, Rule
from quotes.models import IndexTerm, Person, Quote, Work
from quotes.word_index import add_words
from rlm_site.indexing import queue
from rlm_site.page_cache import versions
from rlm_site.page_cache.dependencies import collect_dependencies
from rlm_site.tags.models import Tag

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    matching._block_cache.clear()
    yield
    matching._block_cache.clear()


def quote(text: str, **fields: object) -> Quote:
    return Quote.objects.create(text=text, **{"published": True, "status": "reported", **fields})


def someone(name: object) -> Person:
    return Person.objects.create(name=str(name), slug=f"p{name}")


def ask(*pages: MatchRequest) -> list[Block]:
    add_words(word for page in pages for word in page.used_words())
    queue.process_queue()
    return matching.blocks([pages], timezone.now())[0]


def ask_one(heading: str, **fields: object) -> Block:
    return ask(MatchRequest(heading, **fields))[0]  # type: ignore[arg-type]


def texts(block: Block) -> list[str]:
    return [pick.quote.text for pick in block.picks]


def test_the_exact_word_comes_first_and_rules_are_not_mixed() -> None:
    quote("One wombat is enough for any garden.")
    exact = quote("Two wombats are too many for mine.")
    block = ask_one("The Wombats")
    assert texts(block) == [exact.text]
    assert block.line == "Famous quotes containing the word wombats:"


def test_another_form_is_found_and_the_line_names_the_form_shown() -> None:
    quote("One wombat is enough for any garden.")
    assert ask_one("The Wombats").line == "Famous quotes containing the word wombat:"


def test_a_word_inside_another_or_of_the_same_stem_is_no_hit() -> None:
    quote("He stalls with the tallyman’s wife.")
    quote("A zebralike, zebrine thing of stripes.")
    assert not ask_one("Talls and Zebras")


def test_the_line_names_only_words_that_are_shown_in_the_order_of_the_heading() -> None:
    quote("The quagga is gone from the plains.", person=someone("A"))
    quote("A numbat is asleep by day in a log.", person=someone("B"))
    both = ask_one("Numbat, Dugong and Quagga")
    assert both.line == "Famous quotes containing the words numbat and/or quagga:"
    quote("The dugong is a numbat’s friend, quagga.", person=someone("C"))
    assert (
        ask_one("Numbat, Dugong and Quagga").line == "Famous quotes containing the words numbat, dugong and/or quagga:"
    )


def test_an_index_term_is_the_third_resort() -> None:
    filed = quote("Say nothing of them, they bite at night.")
    IndexTerm.objects.create(quote=filed, word="Vampires")
    block = ask_one("Vampires")
    assert block.line == "Famous quotes on vampires:"
    assert block.picks[0].reason == "filed under vampires"


def test_a_shared_tag_that_may_bring_quotations_is_the_last_resort() -> None:
    brings = Tag.objects.create(name="Zymurgy", brings_quotations=True)
    silent = Tag.objects.create(name="Zanzibar")
    quote("The brewer is a patient man.").tags.add(brings)
    quote("An island is an island.").tags.add(silent)
    tags = ((silent.pk, silent.name, False), (brings.pk, brings.name, True))
    block = ask_one("Qwerty", tags=tags)
    assert block.line == "Famous quotes on the subject of Zymurgy:"
    assert texts(block) == ["The brewer is a patient man."]
    assert not ask_one("Qwerty", tags=tags[:1])


def test_nothing_is_padded_when_there_is_no_hit() -> None:
    assert not ask_one("Xyzzy and Plugh")
    assert not ask_one("The Of And 1945")


def test_at_most_three_are_shown_one_a_person_and_one_a_work() -> None:
    people = [someone(number) for number in range(4)]
    work = Work.objects.create(title="One Book")
    for number in range(8):
        quote(f"The okapi is number {number} to all of us.", person=people[number % 4])
    quote("The okapi in the book is tall.", work=work)
    quote("The okapi in the book is small.", work=work)
    block = ask_one("Okapi")
    assert len(block.picks) == 3
    assert len({pick.quote.person_id for pick in block.picks if pick.quote.person_id}) >= 2
    assert sum(pick.quote.work_id == work.pk for pick in block.picks) <= 1


def test_a_topic_repeats_no_quotation_but_pinned_ones() -> None:
    quotes = [quote(f"An ibex is sure of foot, number {number}.", person=someone(number)) for number in range(4)]
    first, second, third = ask(MatchRequest("Ibex"), MatchRequest("The Ibex again"), MatchRequest("One more ibex"))
    assert len(first.picks) == 3
    assert len(second.picks) == 1
    assert [text for text in texts(second) if text in texts(first)] == []
    assert not third
    pinned = ask(MatchRequest("Ibex"), MatchRequest("The Ibex again", pins=tuple(made.pk for made in quotes)))[1]
    assert len(pinned.picks) == 3


@pytest.mark.parametrize(
    "fields",
    [
        {"published": False},
        {"auto_pick": False},
        {"status": "unverified"},
        {"status": "disputed"},
        {"status": "misattributed"},
        {"publish_at": timezone.now() + timedelta(days=1)},
        {"retire_at": timezone.now() - timedelta(days=1)},
    ],
)
def test_only_published_sure_quotations_are_picked(fields: dict[str, object]) -> None:
    quote("A lone pangolin walks by the river.", person=someone("X"), **fields)
    assert not ask_one("Pangolin")


def test_a_pin_comes_first_and_a_pin_that_does_not_bear_the_line_out_changes_it() -> None:
    quote("The dodo is no more, alas.")
    apt = quote("I met a dodo once, in a dream.", auto_pick=False)
    other = quote("Nothing to do with birds at all.", auto_pick=False)
    block = ask_one("The Dodo", pins=(apt.pk,))
    assert texts(block)[0] == apt.text
    assert block.line == "Famous quotes containing the word dodo:"
    block = ask_one("The Dodo", pins=(other.pk,))
    assert texts(block)[0] == other.text
    assert block.line == "Famous quotes chosen for this page:"


def test_a_page_of_chosen_ones_shows_its_pins_alone() -> None:
    quote("The dodo is no more, alas.")
    pin = quote("A dodo again, in prose.", auto_pick=False)
    assert texts(ask_one("The Dodo", pins=(pin.pk,), automatic=False)) == [pin.text]
    assert not ask_one("The Dodo", automatic=False)


def test_a_disputed_quotation_is_shown_when_pinned_and_a_misattributed_one_never() -> None:
    disputed = quote("Let them eat dodo, she said.", status="disputed")
    wrong = quote("The dodo is the state, he said.", status="misattributed", person=someone("X"))
    assert texts(ask_one("The Dodo", pins=(disputed.pk, wrong.pk))) == [disputed.text]


def test_a_ban_and_a_veto_keep_a_quotation_out() -> None:
    made = quote("The dodo is no more, alas.")
    assert ask_one("The Dodo")
    assert not ask_one("The Dodo", bans=frozenset({made.pk}))
    IndexTerm.objects.create(quote=made, word="Dodos", veto=True)
    assert not ask_one("The Dodo")


def test_an_editor_overrides_the_words_of_the_heading() -> None:
    made = quote("The dodo is no more, alas.")
    block = ask_one("The Closed Trial", words=("dodo",))
    assert texts(block) == [made.text]
    assert block.line == "Famous quotes containing the word dodo:"


def test_more_phrases_and_shared_tags_rank_higher() -> None:
    tag = Tag.objects.create(name="Zymurgy")
    for number in range(6):
        quote(f"The lemur is still, number {number}.", person=someone(number))
    two = quote("There is a lemur and a tarsier.")
    assert texts(ask_one("Lemur and Tarsier"))[0] == two.text
    tagged = quote("The lemur is still, as it happens.")
    tagged.tags.add(tag)
    assert texts(ask_one("Lemur", tags=((tag.pk, tag.name, False),)))[0] == tagged.text


def test_each_phrase_of_the_heading_has_its_chance() -> None:
    for number in range(5):
        quote(f"The lemur is what the lemur is, number {number}.", person=someone(number))
    quote("A tarsier is alone in the tree.")
    block = ask_one("Lemurs and lemur, tarsier")
    assert block.line == "Famous quotes containing the words lemur and/or tarsier:"


def test_a_name_is_answered_by_the_whole_of_it_and_a_compound_weakly_by_a_part() -> None:
    part = quote("The kingdom is a garden, and a garden is a kingdom.")
    assert not ask_one("The war of the United Kingdom")
    assert not ask_one("United Kingdom")
    assert texts(ask_one("Garden pests")) == [part.text]
    whole = quote("There are garden pests in all of it.")
    quote("There is no garden in all of it.")
    assert texts(ask_one("Garden pests", bans=frozenset({part.pk})))[0] == whole.text
    whole = quote("Here is the United Kingdom at dinner.")
    assert texts(ask_one("United Kingdom")) == [whole.text]


@pytest.mark.parametrize("heading", ["Background", "Uses", "Works", "Overview", "Plot summary", "Legal status"])
def test_a_heading_that_names_a_part_of_an_article_asks_for_nothing(heading: str) -> None:
    quote("The plot is a plot, works are works, and the status is the status of uses and of the background.")
    assert not ask_one(heading)


@pytest.mark.parametrize(
    "text",
    [
        "They laughed, and he told them of the lemur, and she did not believe him for an hour.",
        "The lemur’s tree is down. " + "The river is up to the door of the house on the hill. " * 7,
        "“Where went the lemur?” asked one. “To the river,” said another.",
        "The lemur-tree stood by the river, and nobody knew.",
    ],
    ids=["of somebody named before", "long", "dialogue", "part of a compound"],
)
def test_a_mention_in_passing_is_not_shown(text: str) -> None:
    quote(text)
    assert not ask_one("Lemur")


def test_pages_with_the_same_word_show_different_quotations() -> None:
    for number in range(30):
        quote(f"The lemur is a lemur, number {number}.", person=someone(number))
    blocks = [ask_one(f"The lemur and the {word}") for word in ("dodo", "quagga", "gecko", "numbat", "ibex")]
    shown = Counter(text for block in blocks for text in texts(block))
    assert sum(shown.values()) == 15
    assert len(shown) >= 9
    assert texts(ask_one("The lemur and the dodo")) == texts(blocks[0])


def test_what_says_what_the_thing_is_ranks_higher() -> None:
    quote("There is a tree, and in it is the lemur.")
    near = quote("The lemur is a creature of the night.")
    assert texts(ask_one("Lemur"))[0] == near.text


def test_every_part_of_the_score_is_kept_with_the_pick() -> None:
    quote("The dodo is no more, alas.")
    (pick,) = ask_one("The Dodo").picks
    assert set(pick.score) == set(matching.WEIGHTS)
    assert pick.total == pytest.approx(sum(pick.score.values()))
    assert pick.words == ("dodo",)
    assert pick.lines == [[("The ", False), ("dodo", True), (" is no more, alas.", False)]]


def test_the_same_content_gives_the_same_picks() -> None:
    for number in range(20):
        quote(f"A gecko is a gecko is {number}.")
    assert texts(ask_one("Gecko")) == texts(ask_one("Gecko"))


def blocks_at(version: str, page: MatchRequest, now: datetime) -> list[matching.Block]:
    """As within a request that began with this version of the quotations."""
    with versions.pin_when_read():
        versions.pin(versions.Versions({"quotes": version, "tags": "t"}, stale=False))
        return matching.blocks([(page,)], now)[0]


def test_a_block_is_cached_as_long_as_its_version_is_current() -> None:
    made = quote("The dodo is no more, alas.")
    page = MatchRequest("The Dodo")
    ask(page)
    before = blocks_at("v1", page, timezone.now())
    Quote.objects.filter(pk=made.pk).update(published=False)
    queue.process_queue()
    assert blocks_at("v1", page, timezone.now()) == before
    assert not blocks_at("v2", page, timezone.now())[0]


def test_a_page_depends_on_quotations_and_tags_whether_its_block_was_cached_or_not() -> None:
    quote("The dodo is no more, alas.")
    page = MatchRequest("The Dodo")
    for _round in range(2):
        with collect_dependencies() as dependencies:
            blocks_at("v1", page, timezone.now())
        assert dependencies == {"quotes": "v1", "tags": "t"}


def test_a_remembered_block_ends_when_a_scheduled_quotation_comes_due() -> None:
    now = timezone.now()
    quote("The dodo is coming back.", publish_at=now + timedelta(hours=1))
    page = MatchRequest("The Dodo")
    ask(page)
    assert not blocks_at("v1", page, now)[0]
    assert blocks_at("v1", page, now + timedelta(hours=2))[0]


def test_a_shared_tag_counts_however_many_quotations_have_it() -> None:
    birds = Tag.objects.create(name="birds")
    for number in range(matching.CANDIDATES_PER_WORD + 10):
        quote(f"Nothing is said of it in number {number}, which is long enough.", status="verified").tags.add(birds)
    quote("The dodo is no more, alas, and nobody knows.")
    tagged = quote("The dodo is no more, alas, and nobody minds.")
    tagged.tags.add(birds)
    pick = ask_one("The Dodo", tags=((birds.pk, "birds", False),)).picks[0]
    assert (pick.quote, pick.tags) == (tagged, ("birds",))


def test_the_number_of_queries_does_not_grow(django_assert_num_queries: Callable[[int], object]) -> None:
    page = MatchRequest("The Dodo")
    for number in range(300):
        quote(f"The dodo is number {number} of its kind.")
    ask(page)
    with django_assert_num_queries(2):  # type: ignore[attr-defined]
        matching.blocks([(page, MatchRequest("The Gecko"))], timezone.now())


def test_whatever_is_asked_the_database_hears_two_statements_that_it_need_not_plan_again() -> None:
    pages = [
        MatchRequest("The Dodo"),
        MatchRequest("The Dodo and the Gecko", tags=((1, "birds", True),)),
        MatchRequest("The Gecko's River"),
    ]
    for text in ("The dodo is no more, alas.", "A gecko sat beside the river.", "A river runs, and so did the dodo."):
        quote(text)
    ask(*pages)
    with CaptureQueriesContext(connection) as captured:
        for page in pages * 4:
            matching.blocks([(page,)], timezone.now())
    statements = Counter(re.sub(r"\[.*?\]|'.*?'", "?", query["sql"]) for query in captured)
    assert sorted(statements.values()) == [12, 12]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sum(generic_plans) FROM pg_prepared_statements WHERE statement LIKE '%FROM quotes_%'"
            )
            assert cursor.fetchone()[0] > 0


def test_reasons_are_printed_for_readers() -> None:
    quote("The dodo is no more, alas.")
    block = ask_one("The Dodo")
    assert block.rule is Rule.WORD
    assert block.picks[0].reason == "contains dodo"
    assert block.more == [("dodo", "/words/dodo/")]


def test_an_adjective_of_the_heading_brings_nothing_without_its_noun() -> None:
    quote("It was a cold night in the hills for all of us.")
    assert not ask_one("Cold Wombat")
    wombat = quote("The wombat is not cold in its hole at night.")
    assert texts(ask_one("Cold Wombat")) == [wombat.text]
    assert texts(ask_one("Cold and Wombat"))[0] == wombat.text


def test_a_verb_is_no_hit_for_a_heading() -> None:
    quote("Every morning the okapi would whistle to us.")
    assert not ask_one("The Whistle")
    noun = quote("There is a whistle by the river.")
    assert texts(ask_one("The Whistle")) == [noun.text]


def test_a_noun_ranks_higher_than_a_verb() -> None:
    quote("It is not good to revolt on Sundays.")
    noun = quote("The revolt is at noon.")
    assert texts(ask_one("The Revolt")) == [noun.text]
