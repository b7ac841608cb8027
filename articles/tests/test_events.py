"""Events: who sees them and when, what they name, and what is told of those that are wrong."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from articles import backlinks, content_files, events, review_checks
from articles.models import Article, Event, Link
from rlm_site.indexing import queue
from rlm_site.indexing.models import SetAside
from rlm_site.page_cache import triggers

pytestmark = pytest.mark.django_db

SOON, LATELY = timezone.now() + timedelta(days=1), timezone.now() - timedelta(days=1)


def page(title: str = "Quagga", parent: Article | None = None, **fields: Any) -> Article:
    values = {"slug": title.lower().replace(" ", "-"), "body": "A text.", "published": True, **fields}
    return Article.objects.create(title=title, parent=parent, **values)


def add(article: Article, title: str = "The fire", dates: str = "1901-09-14", **fields: Any) -> Event:
    return Event.objects.create(article=article, title=title, dates=dates, **{"published": True, **fields})


def shown() -> list[str]:
    queue.process_queue()
    return [event.title for event in events.public(timezone.now())]


# Dates


@pytest.mark.parametrize(
    "dates", ["1901", "1901-09", "c. 1901-09-14", "1942-07-11/1942-07-12", "1942/1943", "1901-09/1902"]
)
def test_a_date_is_as_precise_as_it_is_known(dates: str) -> None:
    event = Event(article=page(), title="The fire", dates=dates)
    event.full_clean()
    event.save()
    assert event.when.first.first_day <= event.when.last.last_day


@pytest.mark.parametrize("dates", ["", "yesterday", "1901-13", "1901-02-30", "1902/1901", "1901/1902/1903", "190"])
def test_what_is_no_date_is_refused(dates: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Event(article=page(), title="The fire", dates=dates).full_clean()
    assert list(refused.value.message_dict) == ["dates"]


def test_events_are_in_order_of_their_dates_and_less_exact_ones_lead() -> None:
    quagga = page()
    for dates in ("1902-01", "1902-01-09", "c. 1901-12-31", "1902", "1902-01-09/1902-01-10", "1902-01-08"):
        add(quagga, dates, dates)
    assert shown() == ["c. 1901-12-31", "1902", "1902-01", "1902-01-08", "1902-01-09", "1902-01-09/1902-01-10"]


@pytest.mark.parametrize(("column", "value"), [("dates", "soon"), ("title", ""), ("key", "a b"), ("people", "{}")])
def test_another_program_is_refused(column: str, value: str) -> None:
    event = add(page())
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE articles_event SET {column} = %s WHERE id = %s", [value, event.pk])


def test_a_text_of_more_than_five_hundred_characters_is_refused() -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        add(page(), text="x" * 501)
    add(page("Okapi"), text="x" * 500)


def test_an_event_whose_date_no_calendar_has_is_set_aside_and_the_rest_goes_on() -> None:
    quagga = page()
    event = add(quagga)
    add(quagga, "The flood")
    Event.objects.filter(pk=event.pk).update(dates="1901-13-40")
    assert shown() == ["The flood"]
    assert "1901-13-40" in SetAside.objects.get(kind="event").reason
    Event.objects.filter(pk=event.pk).update(dates="1901-12")
    assert shown() == ["The flood", "The fire"]


# Keys


def test_a_key_is_made_however_the_row_is_saved() -> None:
    quagga = page()
    first, second = add(quagga, "The Great Fire"), add(quagga, "The Great Fire")
    assert [first.key, second.key] == ["the-great-fire-1901", "the-great-fire-1901-2"]
    assert first.get_absolute_url() == "/chronology/1901/#e-the-great-fire-1901"


def test_events_are_dumped_and_loaded_by_their_keys(tmp_path: Path) -> None:
    event = add(page(parent=page("Zebra")), text="Burnt.", place="Nowhere", people=["Zora"], label="Fire")
    path = tmp_path / "events.json"
    with path.open("w") as file:
        call_command("dumpdata", "articles.event", natural_foreign=True, natural_primary=True, stdout=file)
    fields = json.loads(path.read_text())[0]["fields"]
    assert (fields["article"], fields["key"]) == (["zebra", "quagga"], event.key)
    Event.objects.all().delete()
    call_command("loaddata", str(path), verbosity=0)
    call_command("loaddata", str(path), verbosity=0)  # again: the same row
    loaded = Event.objects.get()
    assert [getattr(loaded, name) for name in Event.versioned_fields] == [
        getattr(event, name) for name in Event.versioned_fields
    ]


# Who sees them


@pytest.mark.parametrize("hidden", [{"published": False}, {"publish_at": SOON}, {"retire_at": LATELY}])
@pytest.mark.parametrize("what", ["event", "section", "topic"])
def test_an_event_is_public_with_its_page_and_the_topic_of_that(what: str, hidden: dict[str, Any]) -> None:
    topic = page("Zebra", **(hidden if what == "topic" else {}))
    section = page("Quagga", topic, **(hidden if what == "section" else {}))
    add(section, **(hidden if what == "event" else {}))
    assert shown() == []
    assert Event.objects.published(timezone.now()).count() == 0
    for model in (Event, Article):
        model._default_manager.update(published=True, publish_at=None, retire_at=None)
    assert shown() == ["The fire"]
    assert Event.objects.published(timezone.now()).count() == 1


def test_an_event_of_a_page_that_is_set_aside_is_in_no_list() -> None:
    add(page())
    assert shown() == ["The fire"]
    with connection.cursor() as cursor:
        for name, table in triggers._installed(connection).items():
            if table == "articles_article" and name.startswith("rules_"):
                triggers._drop(connection, {name: table})
        cursor.execute("UPDATE articles_article SET title = '' WHERE slug = 'quagga'")
    assert shown() == []


# What they name


def test_the_pages_of_a_person_and_of_a_place_have_their_events(client: Client) -> None:
    person = page("Zora Quill", kind="person", aliases=[{"name": "Кваггин", "language": "ru", "note": ""}])
    place = page("Upper Yarle", kind="place")
    topic = page("Okapi")
    add(page("Stripes", topic), "The fire", place="Upper Yarle", people=["Кваггин", "Nobody"])
    add(topic, "The flood", "1902")
    add(page("Other"), "The frost", "1903", text="Of [[Zora Quill]].")  # it names her, but she took no part
    queue.process_queue()
    own = {
        row.slug: [line.event.title for line in client.get(row.get_absolute_url()).context["chronicle"].lines]
        for row in (person, place, topic)
    }
    assert own == {"zora-quill": ["The fire"], "upper-yarle": ["The fire"], "okapi": ["The fire", "The flood"]}
    assert client.get("/okapi/stripes/").context["chronicle"] is None
    assert client.get("/tolby-market/").context["chronicle"] is None


def test_the_page_of_a_person_shows_a_change_at_once_and_keeps_otherwise(client: Client) -> None:
    page("Zora Quill", kind="person")
    event = add(page(), people=["Zora Quill"])
    assert b"The fire" in client.get("/zora-quill/").content
    event.title = "The blaze"
    event.save()
    assert b"The blaze" in client.get("/zora-quill/").content
    Article.objects.filter(slug="quagga").update(published=False)
    assert b"The blaze" not in client.get("/zora-quill/").content


def refs() -> list[tuple[int, str, str]]:
    queue.process_queue()
    return list(Link.objects.filter(source_kind="article", is_draft=False).values_list("source_id", "kind", "target"))


def test_links_of_events_are_links_of_their_page() -> None:
    quagga = page(body="Nothing.")
    event = add(quagga, text="See [[Tolby Market]] and [there](/about/).[@gone, p. 4]", place="Upper Yarle")
    own = {(kind, target) for source, kind, target in refs() if source == quagga.pk}
    assert own == {
        ("name", "Tolby Market"),
        ("address", "/about/"),
        ("citation", "gone"),
        ("mention", "Upper Yarle"),
    }
    event.delete()
    assert [row for row in refs() if row[0] == quagga.pk] == []


def test_a_name_of_no_page_is_no_broken_link() -> None:
    add(page(), text="See [[Nowhere at All]].", place="Nowhere Else", people=["Nobody"])
    queue.process_queue()
    assert [link.target for link in review_checks.broken_links(timezone.now())] == ["[[Nowhere at All]]"]


def test_the_deletion_of_a_person_tells_of_the_events_that_name_them() -> None:
    zora = page("Zora Quill", kind="person")
    add(page(), people=["Zora Quill"])
    editor = User.objects.create(username="editor", is_superuser=True)
    found = backlinks.backlinks_of([zora], editor, timezone.now())
    assert [(link.title, link.target) for link in found] == [("Quagga", "Zora Quill")]


# Files


def faults(tmp_path: Path, **fields: Any) -> list[str]:
    article = {"model": "articles.article", "fields": {"title": "Quagga", "slug": "quagga", "body": "x"}}
    values = {"article": ["", "quagga"], "key": "fire", "dates": "1901", "title": "The fire", **fields}
    path = tmp_path / "events.json"
    path.write_text(json.dumps([article, {"model": "articles.event", "fields": values}]))
    return [fault.told for fault in content_files.find_faults([path])[1]]


def test_files_with_events_are_checked_without_a_database(tmp_path: Path) -> None:
    assert faults(tmp_path, text="See [[Quagga]].", place="Anywhere", people=["Anybody"]) == []
    assert "[[Quagg]] does not lead to a page" in faults(tmp_path, text="See [[Quagg]].")[0]
    assert "[@gone]" in faults(tmp_path, text="So.[@gone]")[0]
    assert "is not a date" in faults(tmp_path, dates="soon")[0]
    assert "there is no article" in faults(tmp_path, article=["", "okapi"])[0]
    assert "at most 500" in faults(tmp_path, text="x" * 501)[0]
    assert "required" in faults(tmp_path, article=None)[0]
    assert faults(tmp_path, text="x<!-- open") != []
