"""What the planner knows of the sizes of tables."""

import pytest
from django.db import connection

from articles.models import Reference
from rlm_site.indexing import analyze

pytestmark = pytest.mark.django_db


def test_a_table_that_has_outgrown_what_is_known_is_looked_at_once() -> None:
    Reference.objects.bulk_create(Reference(key=f"many-{number}", title="One of many") for number in range(1200))
    # PostgreSQL may have looked by itself meanwhile
    assert analyze.analyze_if_outgrown() or connection.vendor == "postgresql"
    assert not analyze.analyze_if_outgrown()


def test_where_there_is_little_nothing_is_written() -> None:
    analyze.analyze_if_outgrown()
    Reference.objects.bulk_create(Reference(key=f"some-{number}", title="One of some") for number in range(100))
    assert not analyze.analyze_if_outgrown()
