"""Text that was read in a wrong encoding is told from real words, whatever the language."""

import pytest
from simplemma.strategies.dictionaries.dictionary_factory import SUPPORTED_LANGUAGES, DefaultDictionaryFactory

from rlm_site.testing.databases import on_postgresql
from rlm_site.text.mojibake import find_mojibake, mend

REAL = (
    "“café” naïve, l’œuvre, déjà\xa0» voilà\xa0! cité\xa0§\xa03 — été\xa0®",
    "AMANHÃ… “MAÇÔ IRMÃ—ela “É…” É—disse Ó…não São João ROMÂ°",
    "«allá»… «¿Ñ…?» “Ñ” ESPAÑ” PINGÜINO",
    "Spaß“, sagte er. Ä…ähm Ö… Ü” Fußgängerübergänge",
    "”PÅ” 5Å–6Å 10Å… ÆØÅ ÅÄÖ åäö jäääär Öö",
    "Þórr Æsir øðrum æ áð",
    "Zażółć gęślą jaźń ĄĆĘ Łódź",
    "Příliš žluťoučký kůň ÚŽINA ÚŠŤ Úžina DOPÚŠŤA MŮŽ",
    "Î…în sfârșit",
    "NGÃ… NGÔ Nguyễn Thị Đặng",
    "ПРИВЕТ, Пётр! «Г» В» Рёв Різдво Світ СІРІ 25°С№5 Ђорђе Љубав",
    "2×² 3×“ ×",
    "Άλφα 日本語 “引用”… עברית العربية 😀🎉 €5 £5 5° ﬁne",
)

MISREAD = {
    "donâ€™t": "don’t",
    "donвЂ™t": "don’t",
    "don\xe2\x80\x99t": "don’t",
    "cafÃ©": "café",
    "voilÃ\xa0": "voilà",
    "Ã–sterreich": "Österreich",
    "ÃŠtre": "Être",
    "FuÃŸball": "Fußball",
    "Ã…ngstrÃ¶m": "Ångström",
    "Â«BonjourÂ»": "«Bonjour»",
    "25Â°C": "25°C",
    "ÃƒÂ©tÃƒÂ©": "été",
    "Å‚Ã³dÅº": "łódź",
    "Ð¿Ñ€Ð¸Ð²ÐµÑ‚": "привет",
    "РџСЂРёРІРµС‚, РјРёСЂ": "Привет, мир",
    "Ìèð è ñâîáîäà": "Мир и свобода",
    "ÐÒÉ×ÅÔ ÍÉÒ": "привет мир",
    "×©×œ×•×\x9d": "שלום",
    "ä½\xa0å¥½": "你好",
    "ðŸ˜€": "😀",
    "â‚¬5": "€5",
}


@pytest.mark.parametrize("text", REAL)
def test_real_words_are_left_alone(text: str) -> None:
    for words in (text, *text.split(), text.upper(), text.lower()):
        assert find_mojibake(words) is None, words


@pytest.mark.parametrize(("text", "probably"), MISREAD.items())
def test_what_was_misread_is_found_with_what_it_probably_is(text: str, probably: str) -> None:
    assert find_mojibake(text)
    assert mend(text) == probably
    assert find_mojibake(probably) is None


@pytest.mark.parametrize("text", [text for text in REAL if not text.isascii()])
@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_a_real_text_that_is_misread_is_found(text: str, encoding: str) -> None:
    misread = "".join(bytes([byte]).decode(encoding, "ignore") or chr(byte) for byte in f"naïve {text}".encode())
    assert find_mojibake(misread)


def test_the_words_are_named_with_their_place() -> None:
    assert str(find_mojibake("He said\nthat cafÃ©s close.")) == (
        "“cafÃ©s” is probably “cafés”, read in a wrong encoding (character 17)."
    )
    long = find_mojibake("x" * 300 + "Ã©" + "y" * 300)
    assert long
    assert (len(long.found), len(long.probably), long.character) == (62, 61, 301)


@pytest.mark.full
@pytest.mark.skipif(on_postgresql(), reason="no database is asked, and once is enough")
@pytest.mark.parametrize("language", sorted(SUPPORTED_LANGUAGES))
def test_no_word_of_a_dictionary_is_taken_for_misread(language: str) -> None:
    dictionary = DefaultDictionaryFactory().get_dictionary(language)
    words = [word for word in dictionary if not word.isascii()][::60]

    wrong = [
        word
        for word in words
        for written in (word, word.upper(), f"«{word.upper()}»…", f"“{word.title()}”—", f"{word.upper()}\xa0», {word}’")
        if find_mojibake(written) and mend(word) == word  # a dictionary may have misread words of its own
    ]
    assert wrong == []
