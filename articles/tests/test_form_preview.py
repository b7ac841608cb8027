"""The preview beside the form has whatever is typed there, saved or not."""

from typing import Any

import pytest
from django.db import models

from articles.form_preview import with_form_values
from articles.models import Article
from quotes.models import Person
from rlm_site.fields import ObjectField, RowsField
from rlm_site.history.drafts import Draft
from rlm_site.history.revisions import field_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", Article.versioned_fields)
def test_every_drafted_field_is_as_it_is_typed(name: str) -> None:
    row = Article.objects.get(slug="the-millers")
    field = field_of(row, name)
    sent: dict[str, str]
    expected: Any
    if isinstance(field, RowsField):
        row_typed = {column: f"{column} of it" for column in field.columns}
        sent, expected = {f"{name}-4-{column}": text for column, text in row_typed.items()}, [row_typed]
    elif isinstance(field, ObjectField):
        sent, expected = {name: '{"title": "quagga"}'}, {"title": "quagga"}
    elif name == "person":
        expected = Person.objects.order_by("pk")[0]
        sent = {name: str(expected.pk)}
    else:
        expected = str(field.flatchoices[-1][0]) if field.choices else "quagga"
        sent = {name: expected}
    assert getattr(with_form_values(Draft(row, []), sent).row, name) == expected
    assert getattr(row, name) != expected


def test_rows_and_choices_that_are_emptied_are_empty() -> None:
    row = Article.objects.get(slug="the-millers")
    row.aliases, row.person = [{"name": "Quagga", "language": "", "note": ""}], Person.objects.order_by("pk")[0]
    typed = with_form_values(Draft(row, []), {"aliases-0-name": "", "person": ""}).row
    assert (typed.aliases, typed.person) == ([], None)
    assert with_form_values(Draft(row, []), {"title": "Okapi"}).row.aliases == row.aliases


def test_a_text_is_cut_where_its_column_ends() -> None:
    row = Article.objects.get(slug="the-millers")
    title = Article._meta.get_field("title")
    assert isinstance(title, models.CharField)
    assert len(with_form_values(Draft(row, []), {"title": "q" * 1000}).row.title) == title.max_length
