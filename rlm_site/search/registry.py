"""The registry of searchable sources: each app registers its own in `AppConfig.ready`."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from rlm_site.search.models import SearchDocument
from rlm_site.tags.models import TaggedBase


class Document(NamedTuple):
    """One object as it is indexed."""

    object_id: int
    kind: str
    title: str
    names: list[str]  # that are as good as the title, in any spelling
    about: list[str]  # keywords that are not in its text: title of the topic, tags, people
    text: str
    public_from: datetime
    public_until: datetime | None


class Kind(NamedTuple):
    """A kind of result."""

    number: int  # in the ids of documents; must never change
    rank: int  # of equally good results, those of a lower rank come first


class Shown(NamedTuple):
    """What a result shows beside its title and text."""

    names: Sequence[tuple[str, str]] = ()  # each with its language, empty for that of the site
    summary: str = ""


@dataclass(frozen=True)
class Source:
    """Objects that can be searched, by their name in the indexing queue."""

    name: str
    kinds: Mapping[str, Kind]  # kinds of results, in their order
    documents: Callable[[Sequence[int]], Iterable[Document]]  # of the objects that are or will be public
    results: Callable[[Collection[int], datetime], Mapping[int, Any]]  # the public rows by id, ready for display
    tagged: type[TaggedBase]
    shown: Callable[[Any], Shown] = lambda _row: Shown()  # of a row of `results`


class _Registered(NamedTuple):
    name: str
    rank: int
    source: Source


_sources: dict[str, Source] = {}
_kinds: dict[int, _Registered] = {}  # by the kind's number


def register(source: Source) -> None:
    """Register a source."""
    _sources[source.name] = source
    _kinds.update({kind.number: _Registered(name, kind.rank, source) for name, kind in source.kinds.items()})


def source(name: str) -> Source:
    """Return the source of this name."""
    return _sources[name]


def sources() -> list[Source]:
    """Return the registered sources."""
    return list(_sources.values())


def kinds() -> list[str]:
    """Return the kinds of results in their order."""
    return [kind.name for kind in sorted(_kinds.values(), key=lambda kind: kind.rank)]


def kind_numbers() -> list[int]:
    """Return the numbers of the kinds."""
    return sorted(_kinds)


def kind_of(document_id: int) -> str:
    """Return the kind of result that a document's id stands for."""
    return _kinds[document_id // SearchDocument.SPAN].name


def rank_of(document_id: int) -> int:
    """Return the rank of the kind that a document's id stands for."""
    return _kinds[document_id // SearchDocument.SPAN].rank


def source_of(document_id: int) -> Source:
    """Return the source that a document's id belongs to."""
    return _kinds[document_id // SearchDocument.SPAN].source


def document_id(source: Source, document: Document) -> int:
    """Return the id that a document has in the index."""
    return source.kinds[document.kind].number * SearchDocument.SPAN + document.object_id
