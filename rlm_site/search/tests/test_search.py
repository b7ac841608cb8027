"""The same words find the same things on both databases."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from articles.models import Article
from quotes.models import Person, Quote
from rlm_site.search import sql
from rlm_site.search.models import SearchDocument
from rlm_site.search.query import Results, search
from rlm_site.tags.models import Tag

pytestmark = pytest.mark.django_db


def find(text: str, **options: object) -> Results:
    return search(text, timezone.now(), **options)  # type: ignore[arg-type]


def titles(text: str, **options: object) -> list[str]:
    return [str(result.row) for result in find(text, **options).results]


def topic(title: str, body: str = "", **fields: object) -> Article:
    return Article.objects.create(title=title, slug=f"t-{Article.objects.count()}", body=body, published=True, **fields)


def quote(text: str, **fields: object) -> Quote:
    return Quote.objects.create(text=text, published=True, status="reported", **fields)


def test_titles_outrank_bodies() -> None:
    body = topic("Elsewhere", "A zeppelin, and again a zeppelin; the zeppelin flew. " * 5)
    title = topic("The Zeppelin", "It flew.")
    assert titles("zeppelin") == [str(title), str(body)]


def test_a_title_outranks_even_a_short_text_about_nothing_else() -> None:
    short = quote("Zeppelins feed on hope.")
    short.tags.add("zeppelin")
    title = topic("The Zeppelin and Memory", "It flew over the town. " * 200)
    assert [result.row for result in find("zeppelin").results] == [title, short]


def test_topics_sections_and_quotations_are_one_list() -> None:
    above = topic("Quagga")
    topic("Nothing", "about a quagga", parent=above)
    quote("No quagga is an island.")
    results = find("quagga")
    assert results.total == 3
    assert results.kinds == [("topic", 1), ("section", 1), ("quotation", 1)]
    assert {result.kind for result in results.results} == {"topic", "section", "quotation"}


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Two zebras", "zebra"),
        ("One zebra", "zebras"),
        ("The zebra's stripes", "zebras"),
        ("Zeppelinology", "zeppelin"),
        ("Émigré from Łódź", "emigre lodz"),
        ("emigre from Lodz", "Émigré, Łódź!"),
        ("Русская освободительная армия", "армии"),
        ("Русская освободительная армия", "освобод"),
        ("Ёлка", "елки"),
        ("Вла́сов сдался", "власов"),
        ("The 12th Weir of 1845", "12th 1845"),
        ("o'clock", "o’clock"),
    ],
)
def test_forms_beginnings_accents_and_cyrillic_are_found(text: str, query: str) -> None:
    made = topic("Unrelated heading", text)
    assert str(made) in titles(query)


@pytest.mark.parametrize(
    ("text", "query"), [("A driver", "river"), ("general", "generation"), ("regeneration", "generation")]
)
def test_words_inside_words_and_other_stems_are_not_found(text: str, query: str) -> None:
    made = topic("Unrelated heading", text)
    assert made.pk not in {result.row.pk for result in find(query, kind="topic").results}


def test_all_words_must_be_there() -> None:
    topic("Quokka")
    both = topic("Quokka and quoll")
    assert titles("quokka quoll") == [str(both)]


def test_the_excerpt_marks_what_was_found() -> None:
    topic("Heading", "Long ago. " * 60 + "Then came the okapis, at last. " + "And so on. " * 60)
    (result,) = find("okapi").results
    assert ("okapis", True) in result.excerpt
    text = "".join(piece for piece, _mark in result.excerpt)
    assert text.startswith("… ")
    assert text.endswith(" …")
    assert len(text) < 300


def test_of_very_many_the_first_are_ranked_and_those_with_the_word_in_their_title_before_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sql, "MAX_PER_KIND", 3)
    tag = Tag.objects.create(name="herds", slug="herds", folded="herds")
    made = [topic(f"Elsewhere {number}", "A wildebeest. " * number) for number in range(1, 6)]
    last = topic("Wildebeest")
    section = topic("There", "One wildebeest.", parent=made[0])
    for row in (*made, section):
        row.tags.add(tag)
    results = find("wildebeest")
    assert results.kinds == [("topic", 3), ("section", 1)]
    assert results.total == 4
    assert results.results[0].row == last
    assert section in [result.row for result in results.results]
    assert find("wildebeest", kind="topic").total == 3
    assert results.there_are_more
    assert find("wildebeest", kind="topic").there_are_more
    assert not find("wildebeest", kind="section").there_are_more
    assert find("wildebeest", tag=tag).kinds == [("topic", 3), ("section", 1)]
    assert find("wildebeest", tag=tag, kind="section").total == 1


def test_a_topic_that_becomes_a_section_is_found_as_one() -> None:
    above, made = topic("Above"), topic("Quagga")
    assert find("quagga").kinds == [("topic", 1)]
    Article.objects.filter(pk=made.pk).update(parent=above)
    assert find("quagga").kinds == [("section", 1)]


def test_what_is_not_public_is_nowhere() -> None:
    now = timezone.now()
    topic("Axolotl one")
    Article.objects.create(title="Axolotl draft", slug="axolotl-draft")
    topic("Axolotl later", publish_at=now + timedelta(hours=1))
    topic("Axolotl past", retire_at=now - timedelta(hours=1))
    hidden = Article.objects.create(title="Hidden", slug="hidden-topic")
    Article.objects.create(title="Axolotl below", slug="below", parent=hidden, published=True)
    Quote.objects.create(text="Axolotl, unsaid", status="reported")
    results = find("axolotl")
    assert results.total == 1
    assert results.kinds == [("topic", 1)]
    assert titles("axolotl") == ["Axolotl one"]


def test_time_is_compared_when_one_searches() -> None:
    now = timezone.now()
    topic("Numbat", publish_at=now + timedelta(hours=1), retire_at=now + timedelta(hours=2))
    counts = [search("numbat", now + timedelta(minutes=minutes)).total for minutes in (30, 90, 150)]
    assert counts == [0, 1, 0]


def test_filters_have_counts_and_narrow_the_list() -> None:
    first = topic("Tapir")
    first.tags.add("bread", "Italy")
    second = topic("Tapirs")
    second.tags.add("bread")
    quote("The tapir, sir.").tags.add("bread")
    results = find("tapir")
    assert [(str(tag), count) for tag, count in results.tags] == [("bread", 3), ("Italy", 1)]
    assert find("tapir", kind="topic").total == 2
    assert find("tapir", tag=Tag.objects.get(name="Italy")).total == 1
    assert find("tapir", kind="quotation", tag=Tag.objects.get(name="Italy")).total == 0


def test_people_and_tags_find_their_pages() -> None:
    person = Person.objects.create(name="Zenobia Quill", slug="zenobia-quill", aliases=["Zed"])
    quote("Say nothing.", person=person).tags.add("reticence")
    for query in ("zenobia", "zed", "reticence"):
        assert find(query).total == 1, query


def test_a_near_word_is_suggested_when_nothing_is_found() -> None:
    assert find("talrow").suggestion == "tarlow"
    assert find("edgar talrow").suggestion == "edgar tarlow"
    assert find("xqzwvj").suggestion == ""


def test_a_suggestion_betrays_no_draft() -> None:
    Article.objects.create(title="Qwertynium", slug="qwertynium")
    draft = topic("Qwertyniums")
    find("anything")
    Article.objects.filter(pk=draft.pk).update(published=False)
    assert find("qwertynius").suggestion == ""


def test_paging_is_bounded() -> None:
    for number in range(23):
        topic(f"Dugong {number}")
    assert len(find("dugong").results) == 10
    assert len(find("dugong", page=3).results) == 3
    assert find("dugong", page=99).page == 3
    assert find("dugong", page=-4).page == 1


@pytest.mark.parametrize(
    "text",
    ['"', "*", "NEAR", "NEAR(a b)", "a AND", "OR", "NOT x", "title:x", "^x", "-x", "'", "':*", "\\", "\0", "a\0b", "()",
     "a:*|b", "%", "_",
     "\U0001f600", "x" * 10_000, "a " * 5_000, "{}", "<b>", "col : x"],
)  # fmt: skip
def test_any_input_is_safe(text: str) -> None:
    find(text)


def test_nothing_asked_finds_nothing() -> None:
    assert find("   ") == Results("   ")


def test_function_words_alone_are_still_searched() -> None:
    assert find("the").total > 0


def by_update(article: Article) -> None:
    Article.objects.filter(pk=article.pk).update(title="Wombat")


def by_sql(article: Article) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE articles_article SET title = 'Wombat' WHERE id = %s", [article.pk])


def by_save(article: Article) -> None:
    article.title = "Wombat"
    article.save()


def by_tag(article: Article) -> None:
    article.tags.add("Wombat")


def by_topic(article: Article) -> None:
    article.parent = topic("Wombat")
    article.save()


@pytest.mark.parametrize("write", [by_update, by_sql, by_save, by_tag, by_topic])
def test_a_change_by_any_hand_is_found_at_once(write: object) -> None:
    article = topic("Before")
    assert article.pk not in {result.row.pk for result in find("wombat").results}
    write(article)  # type: ignore[operator]
    assert article.pk in {result.row.pk for result in find("wombat").results}


def test_loaded_fixtures_are_found_at_once(tmp_path: Path) -> None:
    fixture = tmp_path / "one.json"
    fields = {"title": "Pangolin", "slug": "pangolin", "published": True, "body": "x"}
    fixture.write_text(json.dumps([{"model": "articles.article", "fields": fields}]))
    call_command("loaddata", str(fixture), verbosity=0)
    assert titles("pangolin") == ["Pangolin"]


def test_what_is_deleted_is_gone_at_once() -> None:
    article = topic("Aardwolf")
    assert find("aardwolf").total == 1
    Article.objects.filter(pk=article.pk).delete()
    assert find("aardwolf").total == 0
    assert not SearchDocument.objects.filter(source="article", object_id=article.pk).exists()


def test_a_renamed_person_is_found_by_the_new_name() -> None:
    quote("So be it.", person=Person.objects.create(name="Old Name", slug="old-name"))
    assert find("serval").total == 0
    Person.objects.filter(slug="old-name").update(name="Serval Smith")
    assert find("serval").total == 1


def test_pages_are_found_by_what_readers_ask() -> None:
    assert titles("edgar tarlow")[0] == "Edgar Tarlow"
    assert titles("tolby market")[0] == "Tolby Market"
    assert titles("millers")[0] == "Yarle Valley - The Millers"
    assert "Tolby Market" in titles("tolby")[:3]


def test_the_number_of_queries_is_fixed(django_assert_max_num_queries: object) -> None:
    for number in range(40):
        topic(f"Caracal {number}").tags.add("bread", f"tag {number}")
        quote(f"Caracal, {number}", person=Person.objects.create(name=f"P {number}", slug=f"p-{number}"))
    find("anything")
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        find("caracal")
