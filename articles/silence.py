"""Pages for which the site should pick no quotations. This is advice for editors: nothing is refused or hidden."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from articles import markdown
from articles.models import Article
from articles.topics import load_topics
from rlm_site.tags.models import Tag
from rlm_site.text.folding import fold_name
from rlm_site.text.word_lists import list_lines
from rlm_site.text.words import folded_words

LEAST_MEANINGS = 2  # a single word may mean another thing: programs are executed, parcels handed over
MOST_NAMED = 8

_PHRASES: dict[str, list[tuple[list[str], int]]] = defaultdict(list)  # by their first word, with the line they stand on
for _meaning, _line in enumerate(list_lines("suffering", Path(__file__).parent / "lists")):
    for _phrase in _line.split(","):
        _words = folded_words(_phrase)
        _PHRASES[_words[0]].append((_words, _meaning))


class SilenceAdvice(NamedTuple):
    """Why the site should pick no quotations for a page: its tags that advise silence, and words of its text."""

    row: Article
    tags: tuple[str, ...]
    words: tuple[str, ...]


def advising_tags() -> frozenset[str]:
    """Return the folded names of the tags that advise silence. One query."""
    return frozenset(Tag.objects.filter(advises_silence=True).values_list("folded", flat=True))


def advice_for(article: Article, tag_names: Iterable[str], advising: Collection[str]) -> SilenceAdvice | None:
    """Return why the site should not pick quotations for this page, as it does; None if it does not or may."""
    if article.applied_quotations != Article.Quotations.AUTOMATIC:
        return None
    tags = tuple(name for name in tag_names if fold_name(name) in advising)
    words = words_of_suffering(f"{article.full_title}\n{markdown.source(article.body).plain}")
    return SilenceAdvice(article, tags, words) if tags or words else None


def words_of_suffering(text: str) -> tuple[str, ...]:
    """Return the words for killing and handing over in a text, each once; none if all of them mean the same."""
    found: dict[str, int] = {}
    words = folded_words(text)
    for start, word in enumerate(words):
        for phrase, meaning in _PHRASES.get(word, ()):
            if words[start : start + len(phrase)] == phrase:
                found[" ".join(phrase)] = meaning
    return tuple(found)[:MOST_NAMED] if len({*found.values()}) >= LEAST_MEANINGS else ()


def pages_advised(now: datetime) -> list[SilenceAdvice]:
    """Return the public pages for which the site picks quotations and should not, in reading order. Three queries."""
    advising = advising_tags()
    return [
        advice
        for topic in load_topics(Article.objects.topics(), now)
        for article in topic.articles
        if (advice := advice_for(article, [tag.name for tag in topic.tags.get(article.pk, [])], advising))
    ]
