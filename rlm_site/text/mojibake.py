"""Text that was read in a wrong encoding: `â€™` for `’`, `Ã©` for `é`, `РџСЂРёРІРµС‚` or `Ïðèâåò` for `Привет`.

It is found by reading it the other way. Real words contain some of these characters too, as in `MAÇÃ…` and `«allá»…`;
so a letter with what may follow a word is no evidence by itself, but only beside better evidence.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from django.utils.translation import gettext as _

from rlm_site.text.printable import harmless

_MOST_TIMES = 4  # that a text was misread one after the other
_CONTEXT = 30  # characters that are shown on either side

_AFTER_LETTERS = frozenset("’‘”“…–—›‹»«™®°•\xa0¹²³†‡ªº·´¿¡ŠšŽžŒœŸ")  # within a word or after it
_CYRILLIC = (*range(0x400, 0x460), 0x462, 0x463, 0x472, 0x473, 0x490, 0x491)
_LATIN = (*range(0xA0, 0x180), 0x1A0, 0x1A1, 0x1AF, 0x1B0, *range(0x218, 0x21C))
_OTHERS = (0x386, *range(0x388, 0x3CF), *range(0x5D0, 0x5EB), *range(0x620, 0x64B), *range(0x671, 0x6D4))
_RARER = (*range(0x1E00, 0x2000), *range(0x2010, 0x205F), *range(0x20A0, 0x2C00), *range(0xFB00, 0xFB07), 0xFEFF)
_EXPECTED = frozenset(map(chr, (*_LATIN, *_CYRILLIC, *_OTHERS, *_RARER)))
_EASTERN = range(0x3000, 0xD7A4)  # by itself, a letter with marks behind it may look like one of these: `é\xa0»`


class _Read(NamedTuple):
    """A character that was read as several, and whether these can hardly be what was written."""

    start: int
    end: int
    probably: str
    is_sure: bool


class Mojibake(NamedTuple):
    """Words that were probably read in a wrong encoding, what they were before, and where they are."""

    found: str
    probably: str
    character: int  # from 1

    def __str__(self) -> str:
        told = _("“%(found)s” is probably “%(probably)s”, read in a wrong encoding (character %(character)d).")
        return told % self._asdict()


def find_mojibake(text: str) -> Mojibake | None:
    """Return the first words of a text that were probably read in a wrong encoding."""
    if text.isascii():
        return None
    for find in _FINDERS:
        reads = find(text)
        sure = next((read for read in reads if read.is_sure), None)
        if sure:
            start = max(text.rfind(" ", 0, sure.start), text.rfind("\n", 0, sure.start), sure.start - _CONTEXT - 1) + 1
            ends = [end for end in (text.find(" ", sure.end), text.find("\n", sure.end)) if end >= 0]
            end = min([len(text), sure.end + _CONTEXT, *ends])
            found = text[start:end]
            return Mojibake(harmless(found), mend(found), sure.start + 1)
    return None


def mend(text: str) -> str:
    """Return the text as it probably was before it was read in a wrong encoding, perhaps several times."""
    for _time in range(_MOST_TIMES):
        found = (find(text) for find in _FINDERS)
        reads = next((reads for reads in found if any(read.is_sure for read in reads)), [])
        if not reads:
            break
        starts = [0, *(read.end for read in reads)]
        ends = [*(read.start for read in reads), len(text)]
        kept = [text[start:end] for start, end in zip(starts, ends, strict=True)]
        text = kept[0] + "".join(read.probably + rest for read, rest in zip(reads, kept[1:], strict=True))
    return text


# UTF-8, of which each byte was read as a character


def _bytes_of(encoding: str) -> dict[str, int]:
    """Return the byte of each character beyond ASCII; what the code page leaves out was read as a control character."""
    read = {byte: bytes([byte]).decode(encoding, "ignore") or chr(byte) for byte in range(0x80, 0x100)}
    return {character: byte for byte, character in read.items()}


def _sequences(bytes_of: dict[str, int]) -> str:
    """Return a pattern of characters that are, as bytes, one character of UTF-8."""

    def among(first: int, last: int) -> str:
        return "[" + "".join(re.escape(char) for char, byte in bytes_of.items() if first <= byte <= last) + "]"

    more = among(0x80, 0xBF)
    return f"{among(0xC2, 0xDF)}{more}|{among(0xE0, 0xEF)}{more}{{2}}|{among(0xF0, 0xF4)}{more}{{3}}"


# Windows-1252, with the control characters of Latin-1 for what it prints in their place.
_WESTERN_BYTES = {chr(byte): byte for byte in range(0x80, 0x100)} | _bytes_of("cp1252")
_WESTERN = re.compile(_sequences(_WESTERN_BYTES))
_RUSSIAN_BYTES = _bytes_of("cp1251")
_RUSSIAN = re.compile(_sequences(_RUSSIAN_BYTES))


def _decoded(sequence: str, bytes_of: dict[str, int]) -> str:
    return bytes(bytes_of[character] for character in sequence).decode("utf-8", "ignore")


def _utf_8_read_as_western(text: str) -> list[_Read]:
    return list(_western_reads(text))


def _western_reads(text: str) -> Iterator[_Read]:
    last = -1
    matches = [(match, _decoded(match[0], _WESTERN_BYTES)) for match in _WESTERN.finditer(text)]
    eastern = {match.start() for match, read in matches if read and ord(read) in _EASTERN}
    for match, read in matches:
        start, end = match.span()
        if start in eastern:
            yield _Read(start, end, read, last == start or end in eastern)
            last = end
        elif read and (read in _EXPECTED or len(match[0]) == 4):
            before, after = text[start - 1 : start], text[end : end + 1]
            yield _Read(start, end, read, _is_unnatural(match[0], read, before, after))


def _is_unnatural(sequence: str, read: str, before: str, after: str) -> bool:
    """Return whether nobody would write this, not even as a part of a word or of what follows it."""
    if not _AFTER_LETTERS.issuperset(sequence[1:]):
        return True
    if len(sequence) > 2 or not sequence[0].isalpha():
        return False
    if before.islower() or (before.isdigit() and sequence[0] == "Â"):
        return True  # a capital letter within a word
    return not before.isalpha() and after.isalpha() and (read.isupper() or not read.isalpha())  # `Ã…ngström`


def _utf_8_read_as_russian(text: str) -> list[_Read]:
    """Find pairs that begin with Р or С, three in a row, and `вЂ™` for `’`."""
    reads: list[_Read] = []
    row = 0
    for match in _RUSSIAN.finditer(text):
        read = _decoded(match[0], _RUSSIAN_BYTES)
        if len(match[0]) == 2 and read and ord(read) in _CYRILLIC:
            row = row + 1 if reads and reads[-1].end == match.start() else 1
            reads.append(_Read(*match.span(), read, row >= 3))
        elif len(match[0]) == 3 and read in _EXPECTED and match[0][1] in "Ђ‚„":
            reads.append(_Read(*match.span(), read, True))
    return reads


# Cyrillic, read as letters of western Europe

_ACCENTED_WORD = re.compile(r"(?<!\w)[À-ÿ¸¨]+(?!\w)")
_VOWELS = frozenset("аеёиоуыэюя")
_LEAST_LETTERS = 4  # of a word: some languages have shorter ones of accented letters alone, such as `åô` and `öö`


def _cyrillic_read_as_western(text: str) -> list[_Read]:
    """Find words of accented letters alone that are words of Cyrillic: two, or one in a text without other letters."""
    only = not re.search("[A-Za-z]", text)
    found = []
    for match in _ACCENTED_WORD.finditer(text):
        written = match[0].encode("latin-1")
        words = [word for word in (written.decode("cp1251"), written.decode("koi8-r")) if _is_a_word(word)]
        if words:
            found.append((match, max(words, key=lambda word: sum(map(str.islower, word)))))
    long = {word for _match, word in found if len(word) >= _LEAST_LETTERS and _has_vowels_and_consonants(word)}
    sure = len(long) >= (1 if only else 2)
    return [_Read(*match.span(), word, sure and word in long) for match, word in found if only or word in long]


def _is_a_word(word: str) -> bool:
    return word.isalpha() and (word.islower() or word.isupper() or word.istitle())


def _has_vowels_and_consonants(word: str) -> bool:
    letters = set(word.lower())
    return bool(letters & _VOWELS) and bool(letters - _VOWELS)


_FINDERS = (_utf_8_read_as_western, _utf_8_read_as_russian, _cyrillic_read_as_western)
