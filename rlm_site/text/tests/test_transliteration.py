import json
from collections import defaultdict

import pytest

from rlm_site.fixture_files import find_file, read
from rlm_site.text.folding import fold
from rlm_site.text.transliteration import asked_keys, name_key, sound
from rlm_site.text.words import folded_words

SPELLINGS = [
    "Власов Vlasov Vlassov Wlassow Vlasoff Vlasof Wlasow",
    "Буняченко Bunyachenko Buniachenko Bunjatschenko Buňačenko Бунаяченко",
    "Жиленков Zhilenkov Schilenkow Žilenkov",
    "Жеребков Zherebkov Jerebkoff",
    "Малышкин Malyshkin Malyschkin Malyškin",
    "Трухин Trukhin Truchin Truhin",
    "Благовещенский Blagoveshchensky Blagoveshchenskii Blagowestschenski Blagověščenskij",
    "Мальцев Maltsev Mal’tsev Malzew",
    "Зверев Zverev Swerew",
    "Нерянин Nerianin Neryanin Njerjanin",
    "Боярский Boyarsky Boiarskii Bojarski",
    "Солженицын Solzhenitsyn Solschenizyn",
    "Якушев Yakushev Iakushev Jakuschew",
    "Щукин Shchukin Schtschukin Chtchoukin",
    "Фёдор Fyodor Fedor",
    "Юрий Yuri Iurii Jurij",
    "Андреев Andreev Andreyev Andrejew",
]
APART = ["Krasnov Krasin", "Pavlov Pavlenko", "Domanov Romanov", "Zykov Zhukov", "Vlasov Maslov", "Kononov Konovalov"]


def folded(word: str) -> str:
    return fold(word).replace("'", "")


@pytest.mark.parametrize("spellings", SPELLINGS)
def test_spellings_of_a_name_share_a_key(spellings: str) -> None:
    cyrillic, *others = map(folded, spellings.split())
    assert [word for word in others if sound(cyrillic) not in asked_keys(word)] == []


@pytest.mark.parametrize(
    ("asked", "name"),
    [("Власовым", "Vlasov"), ("Краснова", "Krasnov"), ("Каминского", "Kaminski"), ("Воронову", "Voronova")],
)
def test_a_russian_name_may_be_in_any_case(asked: str, name: str) -> None:
    assert sound(folded(name)) in asked_keys(folded(asked))


@pytest.mark.parametrize("names", APART)
def test_other_names_have_other_keys(names: str) -> None:
    assert len({sound(folded(name)) for name in names.split()}) == 2


@pytest.mark.parametrize("word", ["dinner", "diner", "later", "latter", "wine", "vine", "west", "vest", "river", "o"])
def test_an_ordinary_word_has_no_key(word: str) -> None:
    assert name_key(word) == ""


@pytest.mark.parametrize("word", ["123", "x2", "γνῶθι", "中文", "ab", ""])
def test_what_is_no_name_in_latin_or_cyrillic_has_none_either(word: str) -> None:
    assert (name_key(fold(word)), asked_keys(fold(word))) == ("", set())


@pytest.mark.content
def test_of_the_words_of_quotations_hardly_any_share_a_key() -> None:
    rows = json.loads(read(find_file("quotes-bartlett")))
    words = {word for row in rows if "text" in row["fields"] for word in folded_words(row["fields"]["text"])}
    by_key = defaultdict(set)
    for word in words:
        by_key[name_key(word)].add(word)
    del by_key[""]
    joined = [sorted(words) for words in by_key.values() if len(words) > 1]
    assert len(words) > 5_000
    assert len(joined) < len(words) / 500, joined
