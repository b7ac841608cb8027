"""What a text may have of each kind: told in the form, and harmless where it is stored all the same."""

import time
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from articles import markdown, review_checks
from articles.markdown_limits import CELLS, HEADINGS, LINES, NOTES
from articles.models import Article
from rlm_site.tests.editor import form_data, signed_in
from rlm_site.text.limits import MAX_TAGS, MAX_TEXT

ADD = "/admin/articles/article/add/"

TOO_MUCH = {
    "characters": (
        "a" * (MAX_TEXT + 1),
        "The text has 200,001 characters; at most 200,000 are allowed. The limit is exceeded on line 1.",
    ),
    "lines": (
        "a\n" * LINES.most,
        "The text has 5,001 lines; at most 5,000 are allowed. The limit is exceeded on line 5,001.",
    ),
    "brackets": ("a\n\n" + "[@a] " * 5001, "5,001 opening brackets (links, citations and notes); at most 5,000"),
    "signs": ("*a* " * 8000, "16,000 formatting marks"),
    "cells": (
        "|" + "a|" * 44 + "\n|" + "-|" * 44 + "\n" + "|\n" * 2000,
        f"at most {CELLS.most:,} are allowed. The limit is exceeded on line 229",
    ),
    "headings": (
        "# a\n" * (HEADINGS.most + 1),
        "The text has 501 headings; at most 500 are allowed. Split the text into",
    ),
    "notes": ("".join(f"[@a{n}] " for n in range(NOTES.most + 1)), "2,001 notes, counting every citation"),
    "addresses": (f"[a]: /{'x' * 15_000}\n\n" + "[a]\n" * 3000, "characters in link addresses"),
}


def refused(editor: Client, **typed: Any) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """Return the errors of a form that was sent, and what stands in it now."""
    response = editor.post(ADD, form_data(editor.get(ADD), title="Zorblax", summary="It.", **typed))
    assert response.status_code == 200
    return response.context["adminform"].form.errors, form_data(response)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", TOO_MUCH)
def test_a_form_says_what_is_too_much_and_keeps_the_text(kind: str) -> None:
    body, told = TOO_MUCH[kind]
    errors, shown = refused(signed_in(), body=body)
    assert told in errors["body"][0]
    assert shown["body"].replace("\r\n", "\n").strip("\n") == body.strip("\n")
    assert not Article.objects.filter(title="Zorblax").exists()


@pytest.mark.parametrize("kind", TOO_MUCH)
def test_what_is_stored_all_the_same_is_shown_as_its_words_in_a_moment(kind: str) -> None:
    body, _told = TOO_MUCH[kind]
    body = f"{body}\n\nThe <b>last</b> words."
    began = time.thread_time()
    rendered = markdown.render(body)
    assert time.thread_time() - began < 1
    assert len(rendered.html) < 3 * len(body)
    assert "The &lt;b&gt;last&lt;/b&gt; words." in rendered.html
    assert rendered.headings == rendered.notes == ()
    assert markdown.source(body).plain.endswith("The <b>last</b> words.")


@pytest.mark.django_db
def test_editors_are_warned_of_a_stored_text_with_too_much_in_it() -> None:
    body, told = TOO_MUCH["cells"]
    warnings = review_checks.check_article(Article(title="Zorblax", summary="It.", body=body), timezone.now())
    assert told in warnings[0].where


@pytest.mark.django_db
def test_readers_see_the_words_of_a_stored_text_with_too_much_in_it(client: Client) -> None:
    body, _told = TOO_MUCH["headings"]
    Article.objects.filter(slug="the-millers").update(body=f"{body}\n\nThe last words.")
    assert "The last words." in client.get("/yarle-valley/the-millers/").content.decode()


@pytest.mark.django_db
def test_what_is_at_the_limit_is_saved() -> None:
    body = "# a\n\n" * 400 + "".join(f"[@a{n}] " for n in range(1900)) + "word " * 30_000
    editor = signed_in()
    assert editor.post(ADD, form_data(editor.get(ADD), title="Zorblax", summary="It.", body=body)).status_code == 302
    assert Article.objects.get(title="Zorblax").body.strip() == body.strip()


@pytest.mark.django_db
def test_a_record_has_at_most_a_hundred_tags() -> None:
    tags = ", ".join(f"tag {number}" for number in range(MAX_TAGS + 1))
    errors, shown = refused(signed_in(), tags=tags)
    assert errors["tags"] == ["There are 101 tags; at most 100 are allowed."]
    assert shown["tags"] == tags


@pytest.mark.django_db
@pytest.mark.parametrize("kind", TOO_MUCH)
def test_a_preview_of_too_much_is_shown(kind: str) -> None:
    editor = signed_in()
    typed = {"title": "a" * 300_000, "body": TOO_MUCH[kind][0], "tags": ", ".join(map(str, range(300_000)))}
    assert editor.post(f"{ADD}preview/", typed).status_code == 200
    assert editor.post(f"{ADD}checks/", typed).status_code == 200


def test_a_footnote_that_only_another_footnote_names_is_numbered_too() -> None:
    rendered = markdown.render("One.[^a]\n\n[^a]: Two.[^b]\n\n[^b]: Three.[^c] [@arden-1987]\n\n[^c]: Four.")
    assert [note.number for note in rendered.notes] == [1, 2, 3, 4]
    assert [str(note.html)[:5] for note in rendered.notes[:3]] == ["Two.<", "Three", "Four."]
