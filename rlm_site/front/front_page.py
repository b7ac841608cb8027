"""What the front page shows: groups of entries, or topics where editors keep no groups; some documents; what is new."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from articles import entries, ordering, topics
from articles.models import Article, ArticleQuerySet, Group
from rlm_site.front import changes

DOCUMENTS = 6
CHANGES = 5
NEW_FOR = timedelta(days=60)

Summary = tuple[Article, str]


class Members(NamedTuple):
    """A group with the public entries in it, each with its summary."""

    group: Group
    entries: list[Summary]

    @property
    def kind(self) -> str:
        """Return the kind that all entries have; empty where they differ."""
        kinds = {entry.kind for entry, _summary in self.entries}
        return kinds.pop() if len(kinds) == 1 else ""


def groups(now: datetime) -> list[Members]:
    """Return the groups that have public entries, in their order. Documents have a place of their own. Two queries."""
    members: dict[int | None, list[Article]] = defaultdict(list)
    grouped = Article.objects.published(now).topics().exclude(group=None).exclude(kind=Article.Kind.DOCUMENT)
    for entry in grouped.in_reading_order():
        members[entry.group_id].append(entry)
    found = []
    for group in Group.objects.all():
        if of_group := members.get(group.pk):
            if group.layout == Group.Layout.NAMES:
                of_group.sort(key=lambda entry: entry.sorted_by.casefold())
            found.append(Members(group, with_summaries(of_group)))
    return found


def topics_without_list(now: datetime) -> ArticleQuerySet:
    """Return the topics that no list of entries but the index has."""
    return ordering.siblings(None).published(now)


def with_summaries(articles: Iterable[Article]) -> list[Summary]:
    """Return pages with their written summary, or with their first sentence where nobody has written one."""
    return [(article, article.summary or topics.first_sentence(article)) for article in articles]


def documents(now: datetime) -> list[entries.Entry]:
    """Return the documents that editors have put into groups, or a few spread over all, by date. One query."""
    every = entries.documents(now)
    found = [entry for entry in every if entry.article.group_id] or every
    last = len(found) - 1
    return [found[place * last // (DOCUMENTS - 1)] for place in range(DOCUMENTS)] if last >= DOCUMENTS else found


def new(now: datetime) -> list[changes.Change]:
    """Return the newest changes that are not old yet. Two queries."""
    return changes.with_articles(changes.notable_changes(now).filter(created__gt=now - NEW_FOR)[:CHANGES])
