"""What the planner knows of the sizes of tables."""

import pytest
from django.db import connection

from articles.models import Reference
from rlm_site.indexing import analyze

pytestmark = pytest.mark.django_db

KNOWN_ROWS = {
    "sqlite": "SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = 'articles_reference'",
    "postgresql": "SELECT reltuples FROM pg_class WHERE oid = 'articles_reference'::regclass",
}


def test_the_planner_learns_what_a_table_has_grown_to() -> None:
    Reference.objects.bulk_create(Reference(key=f"many-{number}", title="One of many") for number in range(1500))
    analyze.analyze()
    with connection.cursor() as cursor:
        cursor.execute(KNOWN_ROWS[connection.vendor])
        (known,) = cursor.fetchone()
    assert 0.5 < known / Reference.objects.count() < 2
