"""The sections of a topic, moved by buttons."""

import re
from typing import Any

import pytest
from django.test import Client

from articles import ordering
from articles.models import Article
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.tests.editor import count_queries, form_data, group_client, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def topic() -> Article:
    above = Article.objects.create(title="Quagga", slug="quagga", published=True)
    for place, title in enumerate(["One", "Two", "Three", "Four"], 1):
        Article.objects.create(title=title, slug=title.lower(), parent=above, position=place, published=True)
    return above


@pytest.fixture
def publisher() -> Client:
    return signed_in("publisher")


def address(topic: Article) -> str:
    return f"/admin/articles/article/{topic.pk}/sections/"


def order(topic: Article) -> list[str]:
    return [section.title for section in topic.sections.in_reading_order()]


def move(somebody: Client, topic: Article, title: str, step: str, page: Any = None) -> Any:
    """Press a button on the page as it is, or as it was when it was opened."""
    form = form_data(page or somebody.get(address(topic)))
    return somebody.post(address(topic), {**form, "move": f"{Article.objects.get(title=title).pk} {step}"})


@pytest.mark.parametrize(
    ("title", "step", "after"),
    [
        ("Three", "up", "One Three Two Four"),
        ("Two", "down", "One Three Two Four"),
        ("Four", "top", "Four One Two Three"),
        ("One", "bottom", "Two Three Four One"),
        ("One", "up", "One Two Three Four"),
        ("Four", "down", "One Two Three Four"),
    ],
)
def test_a_section_is_moved_one_step_or_to_an_end(
    publisher: Client, client: Client, topic: Article, title: str, step: str, after: str
) -> None:
    assert move(publisher, topic, title, step).status_code == 302
    assert order(topic) == after.split()
    sentence = re.findall(
        r'href="/quagga/(\w+)/"',
        client.get("/quagga/").content.decode().partition('class="read-more"')[2].partition("</p>")[0],
    )
    assert sentence == after.lower().split()


def test_sections_without_an_order_of_their_own_get_one(publisher: Client, topic: Article) -> None:
    Article.objects.filter(parent=topic).update(position=0)
    move(publisher, topic, "Four", "up")
    assert order(topic) == ["One", "Two", "Four", "Three"]
    assert sorted(topic.sections.values_list("position", flat=True)) == [1, 2, 3, 4]


def test_a_move_stands_in_the_history_of_those_that_moved(publisher: Client, topic: Article) -> None:
    move(publisher, topic, "Three", "top")
    recorded = {
        section.title: list(section.revisions.filter(act=Revision.Act.PLACE)) for section in topic.sections.all()
    }
    assert {title: len(rows) for title, rows in recorded.items()} == {"One": 1, "Two": 1, "Three": 1, "Four": 0}
    [entry] = recorded["Three"]
    assert (entry.state, entry.kind, str(entry.author)) == ("published", "none", "publisher")
    assert entry.comment == "“Three” is now section 1 of 4."
    assert entry.standing["position"] == 1


def test_a_move_leaves_a_draft_of_the_text_alone(publisher: Client, topic: Article) -> None:
    section = Article.objects.get(title="Three")
    draft = revisions.save_draft(section, revisions.content_of(section) | {"body": "Drafted."})
    move(publisher, topic, "Three", "top")
    section.refresh_from_db()
    assert revisions.working_copy(section) == draft
    assert section.body == ""
    live = revisions.published_revision(section)
    assert live is not None
    assert live.content["body"] == ""


@pytest.mark.parametrize("meanwhile", ["moved", "added", "deleted"])
def test_a_move_is_refused_where_the_order_is_another_than_was_seen(
    publisher: Client, topic: Article, meanwhile: str
) -> None:
    opened = publisher.get(address(topic))
    if meanwhile == "moved":
        move(signed_in("other"), topic, "One", "bottom")
    elif meanwhile == "added":
        Article.objects.create(title="Five", slug="five", parent=topic, position=5)
    else:
        Article.objects.get(title="Two").delete()
    before, recorded = order(topic), Revision.objects.count()
    answer = move(publisher, topic, "Three", "top", opened)
    assert answer.status_code == 409
    assert "The order has been changed in the meantime." in answer.content.decode()
    assert (order(topic), Revision.objects.count()) == (before, recorded)
    assert move(publisher, topic, "Three", "top", answer).status_code == 302  # the answer shows the order as it is
    assert order(topic)[0] == "Three"


def focused(answer: Any) -> str:
    return str(re.findall(r'<button name="move" value="([^"]*)" autofocus>', answer.content.decode()))


def test_the_focus_stays_on_the_button_or_on_the_next_that_works(publisher: Client, topic: Article) -> None:
    three = Article.objects.get(title="Three").pk
    answer = publisher.get(move(publisher, topic, "Three", "up")["Location"])
    assert focused(answer) == f"['{three} up']"
    assert "is now section 2 of 4." in answer.content.decode()
    answer = publisher.get(move(publisher, topic, "Three", "up")["Location"])
    assert focused(answer) == f"['{three} down']"
    assert focused(publisher.get(address(topic))) == "[]"


@pytest.mark.parametrize("pressed", ["", "x", "x up", "999999 up", "1", "1 sideways", "\0 up"])
def test_nonsense_moves_nothing(publisher: Client, topic: Article, pressed: str) -> None:
    form = form_data(publisher.get(address(topic)))
    assert publisher.post(address(topic), {**form, "move": pressed}).status_code == 409
    assert publisher.post(address(topic), {"move": pressed}).status_code == 409
    assert order(topic) == ["One", "Two", "Three", "Four"]
    assert publisher.get(f"{address(topic)}?moved={pressed}&step=up").status_code == 200


def test_only_a_topic_has_sections_to_order(publisher: Client, topic: Article) -> None:
    assert publisher.get(address(Article.objects.get(title="One"))).status_code == 404
    assert publisher.get("/admin/articles/article/999999/sections/").status_code == 404
    lonely = Article.objects.create(title="Okapi", slug="okapi")
    assert "This topic has no sections yet." in publisher.get(address(lonely)).content.decode()


def test_on_a_public_topic_only_a_publisher_orders_sections(topic: Article) -> None:
    editor = signed_in("editor", "view_article", "add_article", "change_article")
    assert editor.get(address(topic)).status_code == 403
    change = f"/admin/articles/article/{topic.pk}/change/"
    assert address(topic) not in editor.get(change).content.decode()
    assert address(topic) in signed_in("publisher").get(change).content.decode()
    form = {"seen": ",".join(str(pk) for pk in topic.sections.in_reading_order().values_list("pk", flat=True))}
    form["move"] = f"{Article.objects.get(title='Three').pk} top"
    assert editor.post(address(topic), form).status_code == 403
    assert Client(HTTP_HOST="127.0.0.1").post(address(topic), form).status_code == 403
    assert order(topic) == ["One", "Two", "Three", "Four"]
    Article.objects.filter(pk=topic.pk).update(published=False)
    assert editor.post(address(topic), form).status_code == 302
    assert order(topic)[0] == "Three"
    looker = signed_in("looker", "view_article")
    assert looker.get(address(topic)).status_code == looker.post(address(topic), form).status_code == 403


def test_the_page_makes_as_many_queries_for_many_sections_as_for_few(publisher: Client, topic: Article) -> None:
    few = count_queries(publisher, address(topic))
    for number in range(30):
        Article.objects.create(title=f"Part {number}", slug=f"part-{number}", parent=topic)
    assert count_queries(publisher, address(topic)) == few <= 12


# Dragging, and the topics themselves


@pytest.mark.parametrize(("place", "after"), [(1, "Three One Two Four"), (4, "One Two Four Three")])
def test_a_section_is_dragged_to_its_place(publisher: Client, topic: Article, place: int, after: str) -> None:
    form = form_data(publisher.get(address(topic)))
    section = Article.objects.get(title="Three")
    publisher.post(address(topic), {**form, "dragged": f"{section.pk} {place}"})
    assert order(topic) == after.split()


@pytest.mark.parametrize("place", ["0", "5", "99999999999", "²", "-1", "1.5", ""])
def test_a_place_that_is_none_moves_nothing(publisher: Client, topic: Article, place: str) -> None:
    form = form_data(publisher.get(address(topic)))
    section = Article.objects.get(title="Three")
    refused = publisher.post(address(topic), {**form, "dragged": f"{section.pk} {place}"})
    assert refused.status_code == 409
    assert order(topic) == ["One", "Two", "Three", "Four"]


ORDER = "/admin/articles/article/order/"


def topics() -> list[str]:
    return [row.title for row in ordering.siblings(None)]


def test_a_topic_is_moved_and_readers_see_it_at_once(publisher: Client, client: Client) -> None:
    before = topics()
    last = Article.objects.get(title=before[-1])
    form = form_data(publisher.get(ORDER))
    assert publisher.post(ORDER, {**form, "move": f"{last.pk} top"}).status_code == 302
    assert topics() == [before[-1], *before[:-1]]
    page = client.get("/").content.decode()
    assert page.index(before[-1]) < page.index(before[0], page.index("<main"))


def test_a_new_topic_comes_last(publisher: Client) -> None:
    add = "/admin/articles/article/add/"
    publisher.post(add, form_data(publisher.get(add), title="Okapi", summary="An animal.", body="It hides."))
    assert topics()[-1] == "Okapi"


def test_only_publishers_order_topics() -> None:
    assert group_client("Editors").get(ORDER).status_code == 403
    assert group_client("Publishers").get(ORDER).status_code == 200


def test_the_page_of_topics_makes_as_many_queries_however_many_there_are(publisher: Client) -> None:
    few = count_queries(publisher, ORDER)
    Article.objects.bulk_create(Article(title=f"Topic {number}", slug=f"topic-{number}") for number in range(30))
    assert count_queries(publisher, ORDER) == few
