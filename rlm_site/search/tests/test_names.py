"""Entries are found by all their names, in any spelling, and before what only speaks of them."""

from collections.abc import Sequence

import pytest
from django.utils import timezone

from articles.models import Article
from quotes.models import Quote
from rlm_site.search.models import SearchWord
from rlm_site.search.query import Result, Results, nearest, search

pytestmark = pytest.mark.django_db


def find(text: str, **options: object) -> Results:
    return search(text, timezone.now(), **options)  # type: ignore[arg-type]


def first(text: str) -> str:
    results = find(text).results
    return str(results[0].row) if results else ""


def titles(text: str) -> list[str]:
    return [str(result.row) for result in find(text).results]


def plain(pieces: Sequence[tuple[str, bool]]) -> str:
    return "".join(piece for piece, _mark in pieces)


def entry(title: str, body: str = "It was there.", names: str = "", **fields: object) -> Article:
    """Create an entry; `names` are separated by semicolons, each may have a language after @."""
    aliases = [
        {"name": name, "language": language, "note": ""}
        for name, _at, language in (each.strip().partition("@") for each in names.split(";") if each.strip())
    ]
    slug = f"entry-{Article.objects.count()}"
    return Article.objects.create(title=title, slug=slug, body=body, aliases=aliases, published=True, **fields)


def quaggin() -> Article:
    return entry(
        "Andrey Quaggin",
        kind="person",
        sort_title="Quaggin, Andrey",
        names="Куаггин, Андрей Андреевич@ru; Andreas Quagginus (Quags); J. Zebrov",
    )


@pytest.mark.parametrize(
    "text",
    ["quaggin", "Andrey Quaggin", "quaggin, andrey", "Куаггин", "Андрей Куаггин", "Куаггина", "quagginus", "Quags",
     "Andreas Quagginus", "j. zebrov"],
)  # fmt: skip
def test_a_name_is_as_good_as_the_title(text: str) -> None:
    entry("Quaggin in the General Memory of Exiles", "Quaggin, Quaggin, Quaggin. J. Zebrov; Quags; Куаггин Андрей." * 9)
    entry("General Matters", "Of Quaggin. " * 30)
    made = quaggin()
    assert first(text) == str(made)


def test_a_name_among_other_words_comes_before_another_title_with_as_many() -> None:
    entry("A General Without an Army", "Quaggin had none. " * 20)
    made = quaggin()
    Article.objects.filter(pk=made.pk).update(body="He was a general.")
    assert first("General Quaggin") == first("quaggin the general") == str(made)


def test_another_name_alone_finds_an_entry() -> None:
    made = entry("Quagga Brigade", names="RQNA; Zebrov’s Own")
    assert titles("rqna") == titles("zebrov own") == [str(made)]


@pytest.mark.parametrize("text", ["ZOB", "zob", "Z.O.B.", "z.o.b", "Z-O-B", "«Z.O.B.»", "ЗОБ", "З.О.Б."])
def test_an_initialism_finds_its_entry_however_it_is_written(text: str) -> None:
    entry("The Zobian Road", "The zobian road, the Z.O.B. and the zobians. " * 20)
    made = entry("Zealous Old Brigade", names="ZOB; ЗОБ@ru", kind="formation")
    assert first(text) == str(made)


def test_an_initialism_in_a_text_is_one_word() -> None:
    made = entry("Elsewhere", "They left the Z.Q.B. in May.")
    assert titles("zqb") == titles("Z.Q.B.") == [str(made)]


def test_letters_that_would_be_a_function_word_are_left_apart() -> None:
    made = entry("Elsewhere", "They asked the U.S. zeppelins.")
    entry("Otherwise", "They asked us, zeppelins and all.")
    assert titles("U.S. zeppelins") == [str(made)]


def test_a_whole_word_comes_before_the_beginning_of_one() -> None:
    entry("The Quagroad Home")
    whole = entry("Elsewhere", "A badge of the quag on the sleeve.")
    assert titles("quag") == [str(whole), "The Quagroad Home"]


def test_the_whole_title_comes_before_everything() -> None:
    for number in range(3):
        entry(f"Quagga Quagga Market {number}", "A quagga, quagga. " * 30)
    made = entry("The Quagga", "It was there.")
    assert first("quagga") == first("the quagga") == str(made)


def test_of_equally_good_results_entries_come_before_sections_and_quotations_last() -> None:
    topic = entry("Nothing Here")
    section = Article.objects.create(title="Quagga Yard", slug="yard", parent=topic, published=True)
    made = entry("Quagga Field", kind="place")
    quote = Quote.objects.create(text="No quagga is an island.", status="reported", published=True)
    assert [result.row for result in find("quagga").results] == [made, section, quote]
    assert find("quagga").kinds == [("place", 1), ("section", 1), ("quotation", 1)]


def test_kinds_are_listed_and_narrow_the_list() -> None:
    kinds = ["person", "place", "formation", "document", "term", "subject"]
    made = {kind: entry(f"Quagga {kind}", kind=kind) for kind in reversed(kinds)}
    assert [kind for kind, _count in find("quagga").kinds] == [*kinds[:-1], "topic"]
    assert [result.row for result in find("quagga", kind="formation").results] == [made["formation"]]


def test_an_entry_that_becomes_another_kind_is_found_as_that() -> None:
    made = entry("Quagga", kind="place")
    assert find("quagga").kinds == [("place", 1)]
    Article.objects.filter(pk=made.pk).update(kind="formation")
    assert find("quagga").kinds == [("formation", 1)]
    assert len(find("quagga").results) == 1


@pytest.mark.parametrize("text", ["Zvlasov", "Zvlassov", "Zwlassow", "Звласов", "Звласова", "Звласовым", "Zvlasoff"])
@pytest.mark.parametrize("written", ["Zvlasov", "Zwlassow", "Звласов"])
def test_a_name_is_found_in_every_spelling_whichever_is_written(written: str, text: str) -> None:
    made = entry("Elsewhere", f"And then {written} came home.")
    [result] = find(text).results
    assert result.row == made
    assert any(is_marked for _piece, is_marked in result.excerpt)


def test_all_spellings_find_the_same() -> None:
    for written in ("Zvlasov", "Zwlassow", "Звласов", "Zvlassov"):
        entry(f"Elsewhere {written}", f"There, {written}.")
    found = [sorted(titles(text)) for text in ("Zvlasov", "zwlassow", "ЗВЛАСОВ", "Звласова", "Zvlasoff")]
    assert all(each == found[0] and len(each) == 4 for each in found)


def test_ordinary_words_keep_their_letters() -> None:
    entry("Elsewhere", "They had dinner later, and vine leaves.")
    assert titles("diner") == titles("latter") == titles("wine") == []


def test_of_russian_words_only_the_forms_are_the_same() -> None:
    entry("Elsewhere", "Тот же чаровник.")
    assert titles("харовник") == []


def test_the_name_that_was_found_stands_beside_the_title() -> None:
    quaggin()
    by_title, by_name, by_other = (find(text).results[0] for text in ("quaggin", "Куаггин", "Quagginus"))
    assert (plain(by_title.also), by_title.language) == ("", "")
    assert (plain(by_other.also), by_other.language) == ("Andreas Quagginus (Quags)", "")
    assert ("Quaggin", True) in by_name.title


def test_of_several_names_the_one_is_shown_that_was_asked_for() -> None:
    entry("Zealous Old Brigade", names="Badge of the ZOB; ЗОБ@ru; ZOB; Z.O.B.")
    [result] = find("zob").results
    assert plain(result.also) == "ZOB"
    [result] = find("зоб").results
    assert (plain(result.also), result.language) == ("ЗОБ", "ru")


def summary(result: Result) -> str:
    return plain(result.excerpt)


def test_where_the_text_has_none_of_the_words_the_summary_stands() -> None:
    entry("Quagga", "It grazed in herds.", summary="A striped beast of the south.", names="Okapi")
    assert summary(find("okapi").results[0]) == summary(find("striped").results[0]) == "A striped beast of the south."
    assert ("striped", True) in find("striped").results[0].excerpt
    assert summary(find("herds").results[0]) == "It grazed in herds."


def test_a_term_without_a_text_is_found_in_the_glossary() -> None:
    entry("Quag", "", kind="term", summary="A badge of the river folk.")
    assert find("river folk badge").results[0].address.startswith("/glossary/#")


def test_facts_are_found() -> None:
    made = entry("Zob", kind="formation", facts=[
        {"fact": "commander", "value": "Ivan Quaggin", "detail": "from 1944", "source": ""},
    ])  # fmt: skip
    assert titles("quaggin") == [str(made)]


def test_names_of_sections_are_nobodys() -> None:
    section = entry("Yard", names="Quagga", parent=entry("Above"))
    assert section.pk not in {result.row.pk for result in find("quagga").results}


def test_a_name_that_is_taken_away_finds_nothing_more() -> None:
    made = entry("Zob", names="Quagga")
    assert titles("quagga") == [str(made)]
    Article.objects.filter(pk=made.pk).update(aliases=[])
    assert titles("quagga") == []


def test_where_nothing_has_all_words_there_is_what_has_some_and_most_first() -> None:
    entry("Quagga")
    entry("Elsewhere", "An okapi and a zeppelin, or two okapis.")
    found = find("okapi quagga zeppelin")
    assert not found.has_all
    assert [str(result.row) for result in found.results] == ["Elsewhere", "Quagga"]
    assert find("okapi zeppelin").has_all
    assert find("okapi xqzwvj").total == 1
    assert find("xqzwvj").total == 0


def test_what_has_some_words_is_narrowed_like_any_other_list() -> None:
    entry("Quagga").tags.add("bread")
    entry("Okapi", kind="place")
    found = find("okapi quagga")
    assert sorted(found.kinds) == [("place", 1), ("topic", 1)]
    assert [(str(tag), count) for tag, count in found.tags] == [("bread", 1)]
    assert [str(result.row) for result in find("okapi quagga", kind="place").results] == ["Okapi"]
    assert [str(result.row) for result in find("okapi quagga", tag=found.tags[0][0]).results] == ["Quagga"]


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("quaggs", "quagga"),
        ("zeplelin", "zeppelin"),
        ("quagga zeplelin", "quagga zeppelin"),
        ("zeplelin okapy", "zeppelin okapi"),
        ("mcquagga okaqx", ""),  # too short a word for two letters
        ("okapi xqzwvj", ""),  # nothing is like the other
        ("okapi quaggs", ""),  # nothing has both
        ("zeppel okapi", ""),  # the beginning of a word is known
        ("cat", ""),
    ],
)
def test_a_spelling_is_suggested_only_where_all_of_it_leads_somewhere(text: str, suggestion: str) -> None:
    entry("Quagga and Zeppelin", "A mcquagga, too.")
    entry("Zeppelin and Okapi")
    entry("Car", "And the quaggas there.")
    assert find(text).suggestion == suggestion


def test_a_word_that_is_known_is_never_replaced() -> None:
    entry("Quagga")
    entry("Quaggo")
    entry("Zeppelin and Quagga")
    assert find("quaggo zeppelin").suggestion == ""
    assert find("quaggo zeppelim").suggestion == ""


def test_of_words_as_near_those_of_titles_are_suggested() -> None:
    entry("Elsewhere", "A quaggi.")
    entry("The Quaggu")
    assert find("quaggx").suggestion == "quaggu"


def test_the_vocabulary_knows_the_sounds_of_names_alone() -> None:
    entry("Zwlassow", "A river.")
    find("anything")
    sounds = dict(SearchWord.objects.filter(text__in=["zwlassow", "river"]).values_list("text", "sound"))
    assert sounds == {"zwlassow": "svlasov", "river": ""}


def test_pages_near_an_address_come_before_those_with_its_words() -> None:
    named, other = entry("Quagga Field"), entry("Quagga")
    find("anything")
    assert nearest("quagga field", timezone.now(), "article", 2, [other.pk]) == [other, named]


def test_the_number_of_queries_is_fixed_for_names_too(django_assert_max_num_queries: object) -> None:
    for number in range(30):
        entry(f"Caracal {number}", names=f"Zwlassow {number}; Звласов {number}@ru", kind="person").tags.add("bread")
    find("anything")
    for text in ("Zvlasov", "caracal okapi zvlasov", "caracl", " ".join(f"zvlasov{n}" for n in range(200))):
        with django_assert_max_num_queries(12):  # type: ignore[operator]
            find(text)
