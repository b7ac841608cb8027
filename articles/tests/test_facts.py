"""The facts of entries: what a kind has, what a row must say, and what is left out."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction

from articles.facts import COLUMNS, FACT_TYPES, check_facts, facts_of, label_of, read_place
from articles.models import Article

pytestmark = pytest.mark.django_db


def row(fact: str, value: str, detail: str = "", source: str = "") -> dict[str, str]:
    return dict(zip(COLUMNS, (fact, value, detail, source), strict=True))


def refused(kind: str, *rows: dict[str, str]) -> str:
    with pytest.raises(ValidationError) as error:
        check_facts(kind, rows)
    return " ".join(error.value.messages)


def test_each_kind_of_article_has_facts() -> None:
    assert {*FACT_TYPES} == {*Article.Kind.values}
    for types in FACT_TYPES.values():
        assert len({each.key for each in types}) == len(types)


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("person", [row("born", "1901-09-14", "Lomakino"), row("born", "c. 1900"), row("role", "[[General]]")]),
        ("place", [row("coordinates", "52.5244, 13.4105"), row("event", "1942-12/1943-01", "an appeal")]),
        ("formation", [row("strength", "18,000", "men, April 1945", "[@arden-1987, p. 4]")]),
        ("document", [row("date", "1941-08-16"), row("language", "ru")]),
        ("term", [row("original", "Abwehr", "de")]),
        ("subject", []),
    ],
)
def test_rows_that_a_kind_knows_are_right(kind: str, rows: list[dict[str, str]]) -> None:
    check_facts(kind, rows)


@pytest.mark.parametrize(
    ("kind", "wrong", "told"),
    [
        ("person", row("strength", "18,000"), "“Strength” is not a fact of this kind of page. Use one of: Born, Died,"),
        ("person", row("quagga", "striped"), "“quagga” is not a fact"),
        ("person", row("born", " "), "“Born” has no value"),
        ("person", row("born", "long ago"), "“long ago” is not a date. Write 1901,"),
        ("place", row("coordinates", "north"), "“north” are not coordinates. Write degrees"),
        ("place", row("coordinates", "91, 0"), "“91, 0” are not coordinates"),
        ("document", row("language", "Russian!"), "“Russian!” is not a language tag"),
        ("formation", row("strength", "18,000"), "“Strength” needs a source: who gives this figure."),
    ],
)
def test_a_wrong_row_is_named_with_the_remedy(kind: str, wrong: dict[str, str], told: str) -> None:
    message = refused(kind, wrong)
    assert message.startswith("Row 1: ")
    assert told in message


def test_every_wrong_row_is_named() -> None:
    assert "Row 1: " in (message := refused("person", row("born", "x"), row("role", "a"), row("died", "y")))
    assert "Row 3: " in message
    assert "Row 2: " not in message


def test_facts_stand_in_the_order_of_their_kind_without_what_no_form_would_take() -> None:
    rows = [row("role", "miller"), row("strength", "3"), row("died", "never"), row("born", "1901"), {"fact": "role"}]
    assert [(fact.type.key, fact.row["value"]) for fact in facts_of("person", rows)] == [
        ("born", "1901"),
        ("role", "miller"),
    ]


def test_points_are_read() -> None:
    assert read_place("-1.5,179") == (-1.5, 179.0)
    assert read_place("1.5 179") is None


def test_labels_are_those_of_any_kind() -> None:
    assert str(label_of("strength")) == "Strength"
    assert label_of("quagga") == "quagga"


def test_years_are_those_of_a_person() -> None:
    def years(*rows: dict[str, str], kind: str = "person") -> str:
        return Article(kind=kind, facts=list(rows)).years

    assert years(row("born", "1901-09-14"), row("died", "1946")) == "1901–1946"
    assert years(row("born", "c. 1901"), row("born", "1902")) == "b. c. 1901"
    assert years(row("died", "1946-08-01")) == "d. 1946"
    assert years() == years(row("born", "1901"), kind="place") == ""


# However rows are written


@pytest.mark.parametrize(
    "wrong",
    ["x", ["x"], [["born"]], [{"fact": "born", "value": 3}], [{"colour": "red"}], [{"fact": "b\x00"}], [{}] * 201],
)
def test_a_field_of_rows_refuses_what_is_none(wrong: Any) -> None:
    article = Article(title="Quagga", slug="quagga", facts=wrong)
    with pytest.raises(ValidationError) as error:
        article.full_clean()
    assert "facts" in error.value.message_dict


def test_missing_columns_are_empty() -> None:
    Article.objects.create(title="Quagga", slug="quagga", kind="person", facts=[{"fact": "born", "value": " 1901\n"}])
    assert Article.objects.get(slug="quagga").facts == [row("born", "1901")]


def test_the_database_refuses_another_shape(client: Any) -> None:
    article = Article.objects.create(title="Quagga", slug="quagga", published=True)
    for wrong in ('["x"]', '{"a": 1}', "3"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE articles_article SET facts = %s WHERE id = %s", [wrong, article.pk])


def test_rows_of_another_program_that_no_form_would_take_are_not_shown(client: Any) -> None:
    article = Article.objects.create(title="Quagga", slug="quagga", kind="person", published=True)
    with connection.cursor() as cursor:
        broken = '{"fact": 3}, {"value": "okapi"}, {"fact": "born", "value": "1901", "x": "okapi"}'
        wrong = f'[{broken}, {{"fact": "role", "value": "gnu"}}]'
        cursor.execute("UPDATE articles_article SET facts = %s WHERE id = %s", [wrong, article.pk])
    assert Article.objects.get(pk=article.pk).facts == [row("role", "gnu")]
    html = client.get("/quagga/").content.decode()
    assert "okapi" not in html
