"""Ask our own content what readers ask."""

import pytest
from django.utils import timezone

from rlm_site.search.query import search

pytestmark = [pytest.mark.content, pytest.mark.django_db]


def titles(text: str) -> list[str]:
    return [str(result.row) for result in search(text, timezone.now()).results]


def test_the_fixtures_answer_what_readers_ask() -> None:
    assert titles("andrey vlasov")[0] == "Andrey Vlasov"
    assert titles("kaminski brigade")[0] == "Kaminski Brigade"
    assert titles("allies")[0] == "Russian Liberation Movement - The Allies"
    assert "Operation Keelhaul" in titles("keelhaul")[:3]
