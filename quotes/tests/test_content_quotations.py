"""The quotations that ship with the site: enough of them, each with a clean attribution, and every person once."""

import re
from collections import Counter

import pytest

from quotes import duplicates
from quotes.importing import bartlett
from quotes.models import Collection, Person, Quote, Work
from rlm_site.fixture_files import fixture_files
from rlm_site.testing.variables import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.content]

# What no attribution may have, each with an example of what it was once.
ODD = {
    "a numeral that is not in digits": r"(?<![\w'’.])(?!ll\.|v\. )(?:[ivxlc]{2,}|[ivx])(?![\w'’])",  # Psalm cxix
    "a unit that is not abbreviated": r"\b(?:Act|Sc|Book|Chap|Line|Stanza|Vol|Epistle)\.? \d",  # Book 2
    "a year twice": r"\b(1[4-9]\d\d)\b[^)]*\(\1\)",  # Maxims, 1871 (1871)
    "a remark within a name": r"^[^,.]*\((?!\d|[cbd]\. |KJV)",  # Burton (quoting an old poet)
    "two marks in a row, or one at the end": r"[,;:][,;:.]|\.[;:.]|[,;:]$|\(\)|, \(",
    "brackets or marks of notes": r"[\[\]{}_*†‡]|Ibid",
}


def test_there_are_two_thousand_and_the_site_may_pick_them() -> None:
    by_collection = Counter(Quote.objects.values_list("collection__slug", flat=True))
    assert sum(by_collection.values()) >= 2_400
    assert by_collection["bartlett"] >= 2_000
    assert by_collection["voices"] >= 90
    assert None not in by_collection
    assert {*Collection.objects.values_list("register", "pick_policy")} == {("serious", "automatic")}


def test_every_attribution_is_clean() -> None:
    assert not Quote.objects.exclude(attribution_as_imported="").exists()
    printed = [str(quote.attribution) for quote in Quote.objects.for_display()]
    found = {kind: [line for line in printed if re.search(pattern, line)] for kind, pattern in ODD.items()}
    assert {kind: lines for kind, lines in found.items() if lines} == {}


def test_nobody_is_anonymous_and_scripture_names_itself() -> None:
    nameless = [quote for quote in Quote.objects.filter(person=None).for_display() if not quote.name_as_printed]
    assert len(nameless) > 100
    for quote in nameless:
        assert quote.work, quote.key
        assert quote.work.is_scripture, quote.key
        assert str(quote.attribution).startswith(quote.work.title)
    assert Quote.objects.get(key="bible-whither-thou-goest-i-will").name == "The Bible (KJV), Ruth"


def test_every_person_is_there_once_under_a_full_name() -> None:
    people = list(Person.objects.all())
    same = Counter((bartlett.name_parts(person.name)[1], person.born, person.died) for person in people if person.died)
    assert [key for key, number in same.items() if number > 1] == []
    for person in people:
        fuller = [other for other in people if bartlett.is_short_for(person.name, other.name)]
        assert [other.name for other in fuller if (other.born, other.died) == (person.born, person.died)] == [], person
        assert not fuller or bartlett.name_parts(person.name)[0], f"{person}: a surname alone"
        assert person.sort_name, person
        assert not re.search(r"[(),;:—]$|\(", person.name), person
        assert Quote.objects.filter(person=person).exists(), f"{person} is quoted nowhere"


def test_people_of_bartlett_have_their_time() -> None:
    quoted = Person.objects.filter(quotes__collection__slug="bartlett").distinct()
    unknown = [
        person.name for person in quoted if None in (person.born, person.died) and "centur" not in person.description
    ]
    assert unknown == []


def test_no_quotation_is_there_twice() -> None:
    rows = list(Quote.objects.order_by("pk").values_list("pk", "key", "text"))
    same = duplicates.duplicates_within([text for _pk, _key, text in rows], [pk for pk, _key, _text in rows])
    known = {*Quote.objects.exclude(version_of=None).values_list("key", flat=True)}
    found = [(rows[one.place][1], rows[one.earlier][1]) for one in same if one.earlier is not None]
    of_bartlett = {*Quote.objects.filter(collection__slug__in=["bartlett", "voices"]).values_list("key", flat=True)}
    assert [pair for pair in found if not known & {*pair} and of_bartlett & {*pair}] == []


def test_voices_name_work_and_translator_and_give_some_originals() -> None:
    voices = Quote.objects.filter(collection__slug="voices").for_display()
    assert all(quote.work and quote.translator and quote.person and quote.person.died < 1926 for quote in voices)
    assert set(voices.exclude(original_text="").values_list("original_language", flat=True)) == {"de", "pl", "ru"}


def test_every_work_is_quoted() -> None:
    unused = Work.objects.filter(quotes=None, quotes_within=None).exclude(
        pk__in=Quote.objects.values("checks__work").exclude(checks__work=None)
    )
    assert [str(work) for work in unused] == []


def test_every_list_of_the_files_names_all_of_them_in_order() -> None:
    names = " ".join(path.name.partition(".")[0] for path in fixture_files(ROOT / "fixtures"))
    for name in (".ci/run", "CONTRIBUTING.md"):
        text = " ".join((ROOT / name).read_text().replace("\\\n", " ").split())
        assert f"loaddata {names}" in text, name
