"""The preview beside the form has whatever is typed there, saved or not."""

import pytest
from django.db import models

from articles.form_preview import with_form_values
from articles.models import Article
from rlm_site.history.drafts import Draft
from rlm_site.history.revisions import field_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", Article.versioned_fields)
def test_every_drafted_field_is_as_it_is_typed(name: str) -> None:
    row = Article.objects.get(slug="the-millers")
    typed = "none" if field_of(row, name).choices else "quagga"
    assert getattr(with_form_values(Draft(row, []), {name: typed}).row, name) == typed
    assert getattr(row, name) != typed


def test_a_text_is_cut_where_its_column_ends() -> None:
    row = Article.objects.get(slug="the-millers")
    title = Article._meta.get_field("title")
    assert isinstance(title, models.CharField)
    assert len(with_form_values(Draft(row, []), {"title": "q" * 1000}).row.title) == title.max_length
