"""The quotations that the site picks for its own pages."""

from collections import Counter

import pytest
from django.utils import timezone

from articles import placements

pytestmark = [pytest.mark.content, pytest.mark.django_db]


def test_no_quotation_stands_on_more_than_two_pages_or_twice_in_a_topic() -> None:
    pages: Counter[str] = Counter()
    topics: Counter[tuple[int, str]] = Counter()
    for article, block in placements.blocks_by_article(timezone.now()):
        for pick in block.picks:
            pages[pick.quote.key] += 1
            topics[article.topic.pk, pick.quote.key] += 1
    assert len(pages) > 12
    assert [key for key, count in pages.items() if count > 2] == []
    assert [key for key, count in topics.items() if count > 1] == []
