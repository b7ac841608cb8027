"""One key for all spellings of a name: in Cyrillic, and in the English, German, French and scholarly transliterations.

`Киселёв`, `Kiselev`, `Kisselev` and `Kisselew` share a key, and so do `Жуков`, `Zhukov` and `Schukow`. What
one system tells apart another spells alike (German `s` is Russian `с` and `з`, `ch` is `ч` and `х`), so a key keeps no
such differences. It is too coarse for ordinary words: it also joins `dinner` with `diner`, `later` with `latter` and
`wine` with `vine`. Words in the dictionary of the site's language have no key, therefore.
"""

import re
from functools import lru_cache

import simplemma

from rlm_site.text.slugs import CYRILLIC
from rlm_site.text.words import DICTIONARY, MAX_LENGTH, RUSSIAN_ENDINGS

MIN_KEY = 3  # letters; shorter ones say too little
NOMINATIVES = ("", "а", "я", "о", "ий")  # endings of names
_LATIN = re.compile(r"[a-z]+")

# The first that fits is taken; sounds that some system spells alike become one letter.
_SPELLINGS = [
    (r"schtsch|chtch|shch|stsch|sc(?=[eiy])", "s"),  # щ
    (r"tsch|tch|cz", "h"),  # ч
    (r"sch|sh|zh|ts|tz", "s"),  # ш, ж, ц; z and s are з and с or ц and з
    (r"ch|kh|c(?=[eiy])", "h"),  # х, ч
    (r"ck|c|q", "k"),
    (r"x", "ks"),
    (r"ph", "f"),
    (r"gh", "g"),
    (r"z", "s"),
    (r"w|(?<!f)f+$", "v"),
    (r"ou", "u"),
    (r"(?<![iyj])[iyj]+o", "e"),  # ё
    (r"(?<![iyj])[iyj]+(?=[aeu])", ""),
    (r"oe", "o"),
    (r"ae", "a"),
    (r"ue", "u"),
    (r"[yj]", "i"),
    (r"(.)\1+", r"\1"),
]
_PASSES = [(re.compile(pattern), key) for pattern, key in _SPELLINGS]


@lru_cache(maxsize=65536)
def sound(word: str) -> str:
    """Return the key of a folded word, whatever it is; empty if it has other letters than Latin or Cyrillic."""
    latin = word.translate(CYRILLIC)
    if not _LATIN.fullmatch(latin):
        return ""
    for pattern, letters in _PASSES:
        latin = pattern.sub(letters, latin)
    return latin[:MAX_LENGTH]


def name_key(word: str) -> str:
    """Return the key by which a word of a text is found in another spelling; empty for an ordinary word.

    It looks the word up in a dictionary, which is loaded when a text is indexed, and not when one is searched for.
    """
    if len(key := sound(word)) < MIN_KEY or (word.isascii() and _is_ordinary(word)):
        return ""
    return key


def asked_keys(word: str) -> set[str]:
    """Return the keys under which the word of a query may be found.

    `j` is a vowel in German and `ж` in French; a Russian name may be in any case.
    """
    spellings = {word, "zh" + word[1:] if word.startswith("j") else word}
    if not word.isascii():
        stems = {word.removesuffix(ending) for ending in RUSSIAN_ENDINGS}
        spellings |= {stem + ending for stem in stems if len(stem) >= MIN_KEY for ending in NOMINATIVES}
    return {key for key in map(sound, spellings) if len(key) >= MIN_KEY}


def _is_ordinary(word: str) -> bool:
    return not DICTIONARY or simplemma.is_known(word, lang=DICTIONARY)
