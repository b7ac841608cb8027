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
    about: list[str]  # keywords that are not in its text: title of the topic, tags, names
    text: str
    public_from: datetime
    public_until: datetime | None


@dataclass(frozen=True)
class Source:
    """A kind of object that can be searched, by its name in the indexing queue."""

    name: str
    kinds: Mapping[str, int]  # kind of result -> its number in document ids; orders results and must never change
    documents: Callable[[Sequence[int]], Iterable[Document]]  # of the objects that are or will be public
    results: Callable[[Collection[int], datetime], Mapping[int, Any]]  # the public rows by id, ready for display
    tagged: type[TaggedBase]


_sources: dict[str, Source] = {}
_kinds: dict[int, tuple[str, Source]] = {}  # by the kind's number


def register(source: Source) -> None:
    """Register a source."""
    _sources[source.name] = source
    _kinds.update({number: (kind, source) for kind, number in source.kinds.items()})


def source(name: str) -> Source:
    """Return the source of this name."""
    return _sources[name]


def sources() -> list[Source]:
    """Return the registered sources."""
    return list(_sources.values())


def kinds() -> list[str]:
    """Return the kinds of results in their order."""
    return [kind for _number, (kind, _source) in sorted(_kinds.items())]


def kind_numbers() -> list[int]:
    """Return the numbers of the kinds in their order."""
    return sorted(_kinds)


def kind_of(document_id: int) -> str:
    """Return the kind of result that a document's id stands for."""
    return _kinds[document_id // SearchDocument.SPAN][0]


def source_of(document_id: int) -> Source:
    """Return the source that a document's id belongs to."""
    return _kinds[document_id // SearchDocument.SPAN][1]


def document_id(source: Source, document: Document) -> int:
    """Return the id that a document has in the index."""
    return source.kinds[document.kind] * SearchDocument.SPAN + document.object_id
