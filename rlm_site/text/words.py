"""Words of a text, and the base forms that their inflections share. Pure functions.

English nouns are reduced by number, Russian nouns and adjectives by case and number: `allies` and `ally` share a form,
`liberation` and `liberal` do not. Dictionaries are loaded when a word is first indexed, never to render a page.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import simplemma

from rlm_site.text.folding import fold

MAX_LENGTH = 64  # of a word that is indexed
# Letters and digits with combining stress marks; apostrophes only inside a word.
_WORD = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+(?:['’ʼ](?:[^\W\d_][\u0300-\u036f]*)+)*")
_POSSESSIVE = re.compile(r"'s?$")
_CYRILLIC = re.compile(r"[а-яіїєґў]")

# fmt: off
STOP_WORDS = frozenset(
    # English: articles, pronouns, prepositions, conjunctions, auxiliaries and modals, adverbs of degree
    "a about above across after again against all almost along already also although always am amid among an and another "
    "any anybody anyone anything are aren't around as at away back be because been before behind being below beneath beside "
    "besides between beyond both but by can can't cannot could couldn't did didn't do does doesn't doing don't done down "
    "during each either else ere even ever every everybody everyone everything except few for from further had hadn't has "
    "hasn't have haven't having he he'd he'll he's hence her here here's hers herself him himself his hither how however i "
    "i'd i'll i'm i've if in indeed inside instead into is isn't it it'd it'll it's its itself just least less lest let "
    "let's like many may me might mine more most much must my myself near neither never no nobody none nor not nothing now "
    "o of off oft often oh on once one only onto or other others otherwise ought our ours ourselves out outside over own per "
    "perhaps quite rather same shall shalt she she'd she'll she's should shouldn't since so some somebody someone something "
    "sometimes still such than that that'll that's the thee their theirs them themselves then thence there there's "
    "therefore these they they'd they'll they're they've thine this thither those thou though through throughout thus thy "
    "thyself till to together too toward towards under until unto up upon us used very was wasn't we we'd we'll we're we've "
    "were weren't what what's whatever when whence whenever where where's wherever whether which whichever while whither who "
    "who'd who'll who's whoever whole whom whose why will wilt with within without won't would wouldn't yea yes yet you you'd "
    "you'll you're you've your yours yourself yourselves "
    # Russian
    "а без более бы был была были было быть в вам вами вас весь во вот все всего всех всем всю вся вы где да даже для до его "
    "ее ей ему если есть еще же за зачем здесь и из или им ими их к как какая какой когда кого кому кто куда ли между меня "
    "мне мной мои мой мы на над надо нам нами нас не него нее ней нет ни нибудь них но ну о об обо один одна одно около он "
    "она они оно от ото перед по под после потому почему при про против раз с сам сама сами само свое своего своей свои свой "
    "себе себя со собой так также такой там те тебе тебя тем теми тех то тобой того тоже той только том тот ту ты у уж уже "
    "хотя чего чем через что чтобы чье чья эта эти этим этих это этого этой этом этот эту я".split()
)
CALENDAR = frozenset(
    "january february march april may june july august september october november december "
    "monday tuesday wednesday thursday friday saturday sunday "
    "январь января феврале февраль февраля март марта апрель апреля май мая июнь июня июль июля август августа сентябрь "
    "сентября октябрь октября ноябрь ноября декабрь декабря".split()
)
NUMBERS = frozenset(
    "two three four five six seven eight nine ten eleven twelve hundred thousand first second third fourth fifth sixth "
    "seventh eighth ninth tenth twice два две три четыре пять шесть семь восемь девять десять первый первая второй вторая".split()
)
# Adjectives that mean little without their noun: `The Last Battle` needs a battle, `Old Age` no old shoe.
QUALIFIERS = frozenset(
    "ancient armed bad big bitter black bloody blue brief bright broken captured central certain chief civil closed "
    "cold common contemporary cultural current daily dark dead deep difficult direct disputed double dying early "
    "eastern economic end enduring eternal external failed false famous far fatal few final fine first forced foreign "
    "forgotten former free fresh full further future general global golden good grand grave great green grey hard "
    "heavy hidden high holy home hot human important independent inner internal international joint just key large "
    "last late later latter left legal little local long lost low main major mass medieval military minor missing "
    "mixed modern national natural naval new noble northern occupied official old only open original other outer "
    "overseas own painful partial particular past permanent personal poor popular possible postwar present previous "
    "primary prime private promised proud public quiet rapid real recent red religious rich royal rural sacred second "
    "secret senior separate serious short silent simple single small social southern special spring strange strategic "
    "strong sudden summer supreme third total traditional true united universal unknown upper urban various vast "
    "wartime western white wide wild winter world wrong young".split()
)
# These are months only next to a number: `The March to Bohemia` is a march.
AMBIGUOUS_MONTHS = frozenset({"march", "august", "may", "март"})

PLURALS = {
    "men": "man", "women": "woman", "children": "child", "brethren": "brother", "oxen": "ox", "feet": "foot", "teeth": "tooth",
    "geese": "goose", "mice": "mouse", "lice": "louse", "dice": "die", "pence": "penny", "wives": "wife", "lives": "life",
    "knives": "knife", "leaves": "leaf", "thieves": "thief", "wolves": "wolf", "halves": "half", "selves": "self",
    "shelves": "shelf", "calves": "calf", "loaves": "loaf", "elves": "elf", "sheaves": "sheaf", "scarves": "scarf",
    "hooves": "hoof", "crises": "crisis", "bases": "base", "analyses": "analysis", "theses": "thesis", "axes": "axe",
    "hypotheses": "hypothesis", "oases": "oasis", "emphases": "emphasis", "parentheses": "parenthesis",
    "criteria": "criterion", "phenomena": "phenomenon", "memoranda": "memorandum", "strata": "stratum", "errata": "erratum",
    "formulae": "formula", "alumni": "alumnus", "stimuli": "stimulus", "nuclei": "nucleus", "radii": "radius",
    "indices": "index", "appendices": "appendix", "matrices": "matrix", "countrymen": "countryman", "gentlemen": "gentleman",
    "noblemen": "nobleman", "statesmen": "statesman", "workmen": "workman", "freemen": "freeman", "horsemen": "horseman",
    "kinsmen": "kinsman", "fishermen": "fisherman", "noblewomen": "noblewoman", "gentlewomen": "gentlewoman",
    "englishmen": "englishman", "frenchmen": "frenchman", "irishmen": "irishman", "dutchmen": "dutchman",
    "ties": "tie", "lies": "lie", "pies": "pie", "dies": "die", "movies": "movie", "eyes": "eye", "allies": "ally",
}
SINGULARS_IN_S = frozenset(
    "news politics ethics mathematics physics economics athletics mechanics tactics optics series species means "
    "barracks headquarters gallows lens christmas mass james thomas charles moses jesus paris venus mars brussels athens "
    "naples wales texas chaos cosmos pathos ethos bias alias atlas canvas gas bus plus virus status genius radius census "
    "corpus campus focus bonus chorus genus nexus opus pus thus its this his was has does is us yes as less perhaps always "
    "sometimes besides towards hence whereas alas perseus zeus orpheus brutus cassius caesars keats burns adams".split()
) - {"caesars"}
# fmt: on


class Occurrence(NamedTuple):
    """A word at text[start:end]; `word` is folded and without a possessive ending."""

    word: str
    start: int
    end: int


class HeadingWord(NamedTuple):
    """A word of a heading as written, with the reason why it is ignored (empty: it is used)."""

    text: str
    word: str
    ignored: str = ""


def occurrences(text: str) -> Iterator[Occurrence]:
    for match in _WORD.finditer(text):
        word = _fold_word(match.group())
        if word and len(word) <= MAX_LENGTH:
            yield Occurrence(word, match.start(), match.end())


def find_spans(text: str, word_filter: Mapping[str, bool]) -> list[tuple[int, int]]:
    """Return start and end of the words that the filter accepts, as they are written."""
    return [match.span() for match in _WORD.finditer(text) if word_filter[match.group()]]


class WordFilter(dict[str, bool]):
    """A cached predicate for words as written: `accepts` is asked once per spelling, with the folded form."""

    def __init__(self, accepts: Callable[[str], bool]) -> None:
        super().__init__()
        self.accepts = accepts

    def __missing__(self, written: str) -> bool:
        word = _fold_word(written)
        self[written] = accepted = bool(word) and len(word) <= MAX_LENGTH and self.accepts(word)
        return accepted


def folded_words(text: str) -> list[str]:
    """Return the words of `occurrences` without their positions, three times as fast."""
    return [word for written in _WORD.findall(text) if (word := _fold_word(written)) and len(word) <= MAX_LENGTH]


@lru_cache(maxsize=65536)
def _fold_word(written: str) -> str:
    return _POSSESSIVE.sub("", fold(written))


@lru_cache(maxsize=4096)
def vocabulary(text: str) -> frozenset[str]:
    """Return the folded words of a text without function words and bare numbers."""
    return frozenset(word for word in set(folded_words(text)) - STOP_WORDS if not word.isdigit())


def heading_words(heading: str) -> list[HeadingWord]:
    """Return every word of a heading once, in order, with the reason where it is ignored."""
    found: dict[str, HeadingWord] = {}
    words = list(occurrences(heading))
    for index, occurrence in enumerate(words):
        written = _without_possessive(heading[occurrence.start : occurrence.end])
        neighbours = [words[i].word for i in (index - 1, index + 1) if 0 <= i < len(words)]
        ignored = ""
        if occurrence.word in CALENDAR and (
            occurrence.word not in AMBIGUOUS_MONTHS or any(word.isdigit() for word in neighbours)
        ):
            ignored = "month or weekday"
        elif occurrence.word in STOP_WORDS:
            ignored = "function word"
        elif occurrence.word in NUMBERS or re.fullmatch(r"\d+\w{0,2}", occurrence.word):
            ignored = "number"
        found.setdefault(occurrence.word, HeadingWord(written, occurrence.word, ignored))
    return list(found.values())


def qualifiers(heading: str) -> frozenset[str]:
    """Return the words of a heading that only describe the word after them."""
    used = {found.word for found in heading_words(heading) if not found.ignored}
    words = list(occurrences(heading))
    return frozenset(
        first.word
        for first, second in pairwise(words)
        if first.word in QUALIFIERS and second.word in used and heading[first.end : second.start].isspace()
    )


def marked(text: str, words: Iterable[str]) -> list[tuple[str, bool]]:
    """Split the text into pieces, each with whether it is one of the folded words."""
    wanted = frozenset(words)
    pieces: list[tuple[str, bool]] = []
    end = 0
    for occurrence in occurrences(text):
        if occurrence.word in wanted:
            if occurrence.start > end:
                pieces.append((text[end : occurrence.start], False))
            word = _without_possessive(text[occurrence.start : occurrence.end])
            pieces.append((word, True))
            end = occurrence.start + len(word)
    if end < len(text):
        pieces.append((text[end:], False))
    return pieces


def _without_possessive(word: str) -> str:
    return re.sub(r"['’ʼ]s?$", "", word)


@lru_cache(maxsize=65536)
def form(word: str) -> str:
    """Return the base form that inflections of a folded word share: `allies` -> `ally`, `войны` -> `война`."""
    if _CYRILLIC.search(word):
        return _russian_form(word)
    return _english_form(word)


def _english_form(word: str) -> str:
    if word in PLURALS:
        return PLURALS[word]
    if not word.endswith("s") or len(word) < 4 or word in SINGULARS_IN_S or word.endswith(("ss", "us", "is", "'s")):
        return word
    if not word.isascii():
        return word[:-1]
    lemma = simplemma.lemmatize(word, lang="en").lower()
    if lemma != word and _plural(lemma) == word:
        return lemma
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zzes")):
        return word[:-2]
    return word[:-1]


def _plural(noun: str) -> str:
    """Return the regular plural; it tells whether a dictionary form is a noun."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    if noun.endswith("o") and noun[-2:-1] not in "aeiou":
        return noun + "es" if noun + "s" not in _PLURALS_IN_OS else noun + "s"
    return noun + "s"


_PLURALS_IN_OS = frozenset({"pianos", "photos", "memos", "autos", "solos", "altos", "dynamos", "ghettos", "manifestos"})

# Endings of nouns and adjectives by case and number, folded (ё is е), the empty ending included.
RUSSIAN_ENDINGS = (
    "",
    *"а я о е ы и у ю ь й ой ей ий ый ая яя ое ее ые ие ую юю ам ям ах ях ом ем ов ев ого его ому ему ым им ых их".split(),
    *"ами ями ыми ими ью ия ии ию ией ием иям иях иями".split(),
)

# Endings of nouns in a soft sign; with any other, a lemma in -ть, -ти or -чь is a verb.
_SOFT_NOUN_ENDINGS = ("ь", "и", "ью", "ей", "ям", "ями", "ях")


def _russian_form(word: str) -> str:
    if len(word) < 3:
        return word
    lemma = fold(simplemma.lemmatize(word, lang="ru"))
    if lemma.endswith(("ся", "сь")):
        return word
    if lemma.endswith(("ть", "чь")) and word not in {lemma[:-1] + ending for ending in _SOFT_NOUN_ENDINGS}:
        return word
    if lemma.endswith("ти") and lemma != word:
        return word
    return lemma


def possible_forms(word: str) -> set[str]:
    """Return spellings of which an unknown word may be an inflection, without using a dictionary."""
    if _CYRILLIC.search(word):
        stems = {word.removesuffix(ending) for ending in RUSSIAN_ENDINGS if word.endswith(ending)} | {word}
        return {stem + ending for stem in stems if len(stem) > 2 for ending in RUSSIAN_ENDINGS} - {word}
    if word in PLURALS:
        return {PLURALS[word]}
    if len(word) < 4 or not word.endswith("s") or word in SINGULARS_IN_S:
        return set()
    return {word[:-1], word[:-2], word[:-3] + "y"} if word.endswith("ies") else {word[:-1], word[:-2]}


@lru_cache(maxsize=8192)
def words_in(text: str) -> tuple[str, ...]:
    """Return the folded words of a text in order, cached because the index and the search read the same texts."""
    return tuple(folded_words(text))
