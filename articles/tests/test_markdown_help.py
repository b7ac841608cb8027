"""The help about Markdown: complete, and true because it is rendered."""

import re

import pytest

from articles import markdown, markdown_help
from rlm_site.tests.editor import count_queries, group_client, signed_in

ADDRESS = "/admin/articles/article/markdown/"
FORMS = [form for _group, _title, forms in markdown_help.FORMS for form in forms]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: str(form.name))
def test_an_example_reaches_readers_as_it_is_meant(form: markdown_help.Form) -> None:
    assert [fault.what for fault in markdown.source(form.example).faults] == []


def test_the_examples_have_every_tag_that_a_text_can_have() -> None:
    rendered = [shown.rendered for _group, _title, forms in markdown_help.shown() for shown in forms]
    html = " ".join(str(part) for each in rendered for part in (each.html, *(note.html for note in each.notes)))
    tags = set(re.findall(r"<([a-z0-9]+)", html))
    assert set(markdown.ALLOWED) - tags == {"h2"}  # of a page alone: headings of a part are one level lower


@pytest.mark.django_db
def test_the_page_shows_source_and_result() -> None:
    client = group_client("Authors")
    page = client.get(ADDRESS)
    assert page.status_code == 200
    text = page.content.decode()
    assert "They took [[The Ferry|a ferry]]." in text
    assert '<a href="#links">a ferry</a>' in text
    assert 'href="#example-' in text
    assert count_queries(client, ADDRESS) < 8


@pytest.mark.django_db
def test_whoever_may_not_look_at_articles_has_no_help_about_them() -> None:
    assert signed_in("other", "view_tag").get(ADDRESS).status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["/admin/articles/article/add/", "/admin/articles/event/add/"])
def test_the_help_is_linked_under_the_field(form: str) -> None:
    assert f'href="{ADDRESS}"' in signed_in().get(form).content.decode()
