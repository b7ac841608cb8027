"""What somebody may have meant by an address at which there is no page."""

from collections.abc import Iterable
from functools import cache

from rlm_site.text.edit_distance import edit_distance, most_edits


def nearest_addresses(path: str, addresses: Iterable[tuple[int, str | None, str]], most: int) -> list[int]:
    """Return the ids of the pages whose addresses are spelt most like a path: those beside it first.

    Each address has an id, the slug of the topic of a section, and its own slug. A section may be looked for without
    its topic. Where nothing is like the path of a section, a topic that is spelt like the one asked for is meant.
    """
    segments = path.lower().strip("/").split("/")[:2]
    own, topic = segments[-1], segments[0] if len(segments) > 1 else ""

    @cache
    def edits(asked: str, slug: str) -> int:
        return edit_distance(asked, slug, most_edits(asked))

    near = []
    for pk, parent, slug in addresses:
        of_own, of_topic = edits(own, slug), edits(topic, parent or "")
        if of_own <= most_edits(own):
            is_beside = of_topic <= most_edits(topic)
            near.append((not is_beside, of_own + of_topic, pk))
        elif topic and not parent and 0 < edits(topic, slug) <= most_edits(topic):
            near.append((True, len(own) + edits(topic, slug), pk))
    return [pk for *_order, pk in sorted(near)[:most]]
