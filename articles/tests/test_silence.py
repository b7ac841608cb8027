"""The advice that the site should pick no quotations for a page: beside its form, and the report of all such pages."""

from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from articles import review_checks, silence
from articles.models import Article
from rlm_site.indexing import queue
from rlm_site.tags.models import Tag
from rlm_site.tests.editor import form_data, group_client, signed_in
from rlm_site.tests.html import parse, text_of
from rlm_site.text.word_lists import list_lines
from rlm_site.text.words import folded_words

LINES = list_lines("suffering", Path(silence.__file__).parent / "lists")
REPORT = "/admin/articles/article/silence/"
BODY = "The rebels were captured. Forty of them were executed, and their families deported to the north."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BODY, ("executed", "deported")),
        ("Mass graves of the murdered.", ("mass graves", "murdered")),
        ("Death sentences for three; one was hanged.", ("death sentences", "hanged")),
        ("KILLED and Handed\nover.", ("killed", "handed over")),
        ("The killing went on, and massacres, and killings.", ("killing", "massacres", "killings")),
        ("A prisoner-of-war camp, with starvation.", ("prisoner of war camp", "starvation")),
    ],
)
def test_the_words_that_a_text_has_for_it_are_found_each_once_and_in_order(text: str, words: tuple[str, ...]) -> None:
    assert silence.words_of_suffering(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The mill ground flour for two villages until 1845.",
        "The program is executed again and again: each execution takes a second.",
        "The keys were handed over to the new owner, who handed them back.",
        "A deported miller and a deportee: two words that mean the same.",
        "Deadlines, skills, hangars and the painkilled, shotgun weddings, over handed.",
    ],
)
def test_a_text_with_words_of_one_meaning_or_of_none_is_let_be(text: str) -> None:
    assert silence.words_of_suffering(text) == ()


def test_at_most_some_words_are_named() -> None:
    assert len(silence.words_of_suffering(" ".join(LINES))) == silence.MOST_NAMED


def test_the_list_names_each_word_once_and_as_texts_are_folded() -> None:
    phrases = [phrase.strip() for line in LINES for phrase in line.split(",")]
    assert len(phrases) == len({*phrases})
    assert [phrase for phrase in phrases if " ".join(folded_words(phrase)) != phrase] == []


# Beside the form


@pytest.fixture
def mourning() -> Tag:
    return Tag.objects.create(name="Mourning", advises_silence=True)


def told(article: Article, *tags: str) -> list[str]:
    found = review_checks.check_article(article, timezone.now(), tags)
    return [warning.where for warning in found if "picks quotations" in str(warning.what)]


@pytest.mark.django_db
def test_a_page_picked_for_is_named_with_its_words_and_tags(mourning: Tag) -> None:
    assert told(Article(title="A", slug="a", body=BODY)) == ["executed, deported"]
    assert told(Article(title="A", slug="a", body="Flour."), "mourning", "bread") == ["mourning"]
    assert told(Article(title="A", slug="a", body=BODY), "Mourning") == ["Mourning", "executed, deported"]
    assert told(Article(title="A massacre", slug="a", body="Forty were killed.")) == ["massacre, killed"]
    assert told(Article(title="A", slug="a", body="Flour."), "bread") == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("own", "topics", "is_told"),
    [
        ("automatic", "none", True),
        ("topic", "automatic", True),
        ("topic", "topic", True),
        ("topic", "none", False),
        ("topic", "chosen", False),
        ("none", "automatic", False),
        ("chosen", "automatic", False),
    ],
)
def test_only_a_page_that_the_site_picks_for_is_named(own: str, topics: str, is_told: bool, mourning: Tag) -> None:
    topic = Article(title="Okapi", quotations=topics)
    row = Article(title="A", slug="a", body=BODY, parent=topic, quotations=own)
    assert bool(told(row, "Mourning")) == is_told


@pytest.mark.django_db
def test_the_form_as_typed_is_checked_and_never_refused(mourning: Tag) -> None:
    editor = signed_in()
    row = Article.objects.get(slug="tolby-market")
    change, checks = (f"/admin/articles/article/{row.pk}/{page}/" for page in ("change", "checks"))
    form = form_data(editor.get(change), body=BODY, tags="mourning, bread")
    shown = editor.post(checks, form).content.decode()
    assert "it has a tag that advises silence" in shown
    assert "executed, deported" in shown
    assert "advises silence" not in editor.post(checks, {**form, "tags": "bread"}).content.decode()
    assert "picks quotations" not in editor.post(checks, {**form, "quotations": "none"}).content.decode()
    assert editor.post(change, form).status_code == 302
    assert "advises silence" in editor.get(f"/admin/articles/article/{row.pk}/publish/").content.decode()


# The report


def listed(client: Client) -> dict[str, list[str]]:
    rows = parse(client.get(REPORT)).findall(".//tbody/tr")
    return {text_of(row[0]): [text_of(cell) for cell in row[1:]] for row in rows}


@pytest.mark.django_db
def test_the_report_lists_public_pages_that_the_site_picks_for(mourning: Tag) -> None:
    editor = signed_in()
    assert listed(editor) == {}
    assert "The site picks no quotations for pages about suffering." in editor.get(REPORT).content.decode()
    millers = Article.objects.get(slug="the-millers")
    millers.tags.add(mourning)
    Article.objects.filter(slug__in=["the-fair", "the-great-flood", "the-ferry"]).update(body=BODY)
    Article.objects.create(title="Draft", slug="draft", body=BODY)
    assert listed(editor) == {
        "Yarle Valley - The Millers": ["Mourning", ""],
        "Tolby Market - The Fair": ["", "executed, deported"],
    }
    Article.objects.filter(slug="yarle-valley").update(quotations="chosen")
    assert [*listed(editor)] == ["Tolby Market - The Fair"]
    Tag.objects.filter(pk=mourning.pk).update(advises_silence=False)
    Article.objects.filter(slug="yarle-valley").update(quotations="automatic")
    assert [*listed(editor)] == ["Tolby Market - The Fair"]


@pytest.mark.django_db
def test_the_report_is_for_those_who_see_articles() -> None:
    assert group_client("Authors").get(REPORT).status_code == 200
    assert signed_in("tagger", "view_tag").get(REPORT).status_code == 403
    assert Client(HTTP_HOST="127.0.0.1").get(REPORT).status_code == 302


@pytest.mark.django_db
def test_the_report_makes_as_many_queries_for_many_pages(django_assert_num_queries: object) -> None:
    queue.ensure_indexed()
    with django_assert_num_queries(3):  # type: ignore[operator]
        few = silence.pages_advised(timezone.now())
    Article.objects.bulk_create(Article(title=f"Z {n}", slug=f"z-{n}", body=BODY, published=True) for n in range(30))
    with django_assert_num_queries(3):  # type: ignore[operator]
        assert len(silence.pages_advised(timezone.now())) == len(few) + 30
