"""Several editors who choose quotations and order sections in the same moment, over HTTP."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from rlm_site.editor.concurrency.tests.test_saving_under_load import Editor, locked, prepared
from rlm_site.testing.served import Site

pytestmark = pytest.mark.full

EDITORS, PINS = 4, 3

FURNISH = """
import json
from articles.models import Article
from quotes.models import Quote
topic = Article.objects.get(pk={topic})
sections = [
    Article.objects.create(parent=topic, title=f"Part {{n}}", slug=f"part-{{n}}", position=n).pk
    for n in range({editors})
]
quotes = [Quote.objects.create(text=f"{{topic.slug}} said {{n}}.").pk for n in range({quotes})]
print(json.dumps([sections, quotes]))
"""

REPORT = """
import json
from articles.models import Article
from rlm_site.history import revisions
topic = Article.objects.get(pk={topic})
pins = [[pin.quote_id, pin.position] for pin in topic.quote_choices.all()]
order = [section.pk for section in topic.sections.in_reading_order()]
print(json.dumps([pins, order, topic.revisions.filter(act="choices").count()]))
"""


def furnished(site: Site, name: str) -> tuple[list[Editor], int, list[int], list[int]]:
    """Editors, and a topic that they may change, with a section for each and quotations to pin."""
    editors, [topic] = prepared(site, name, EDITORS, 1)
    script = FURNISH.format(topic=topic, editors=EDITORS, quotes=EDITORS * PINS)
    sections, quotes = json.loads(site.manage("shell", "-v", "0", given=script))
    return editors, topic, sections, quotes


def report(site: Site, topic: int) -> tuple[list[list[int]], list[int], int]:
    pins, order, recorded = json.loads(site.manage("shell", "-v", "0", given=REPORT.format(topic=topic)))
    return pins, order, recorded


def panel(topic: int) -> str:
    return f"/admin/articles/article/{topic}/quotations/"


def order(topic: int) -> str:
    return f"/admin/articles/article/{topic}/sections/"


def test_of_pins_in_the_same_moment_none_is_lost(server: Site) -> None:
    editors, topic, _sections, quotes = furnished(server, "pinners")
    forms = [editor.opened(topic) for editor in editors]

    def pin(number: int) -> list[int]:
        mine = quotes[number * PINS : (number + 1) * PINS]
        token = forms[number]["csrfmiddlewaretoken"]
        choices = [{"action": "pin", "quote": quote, "csrfmiddlewaretoken": token} for quote in mine]
        return [editors[number].ask(panel(topic), choice)[0] for choice in choices]

    with ThreadPoolExecutor(EDITORS) as pool:
        answers = [status for statuses in pool.map(pin, range(EDITORS)) for status in statuses]
    pins, _order, recorded = report(server, topic)
    assert answers == [200] * len(quotes)
    assert sorted(quote for quote, _position in pins) == quotes
    assert sorted(position for _quote, position in pins) == list(range(1, len(quotes) + 1))
    assert recorded == len(quotes)


def test_of_moves_on_one_order_the_first_is_done_and_the_others_are_told(server: Site) -> None:
    editors, topic, sections, _quotes = furnished(server, "movers")
    forms = []
    for editor in editors:
        status, page = editor.ask(order(topic))
        assert status == 200
        forms.append(page.content.decode().split('name="csrfmiddlewaretoken" value="')[1].split('"')[0])
    seen = ",".join(map(str, sections))

    def move(number: int) -> int:
        # none of these leaves the order as it is
        pressed = f"{sections[number]} {'bottom' if number == 0 else 'top'}"
        form = {"seen": seen, "move": pressed, "csrfmiddlewaretoken": forms[number]}
        return editors[number].ask(order(topic), form)[0]

    with ThreadPoolExecutor(EDITORS) as pool:
        answers = list(pool.map(move, range(EDITORS)))
    _pins, after, _recorded = report(server, topic)
    assert sorted(answers) == [302] + [409] * (EDITORS - 1)
    first = answers.index(302)
    rest = [section for section in sections if section != sections[first]]
    assert after == ([*rest, sections[0]] if first == 0 else [sections[first], *rest])


def test_a_choice_and_a_move_are_refused_in_words_while_the_database_is_busy(server: Site) -> None:
    [editor, *_others], topic, sections, quotes = furnished(server, "waiters")
    token = editor.opened(topic)["csrfmiddlewaretoken"]
    with locked(server, topic):
        choice = {"action": "pin", "quote": quotes[0], "csrfmiddlewaretoken": token}
        status, answer = editor.ask(panel(topic), choice)
        assert status == 503
        assert "The database is busy. Nothing was changed. Please try again." in answer.content.decode()
        assert "quotation-panel-words" in answer.content.decode()
        move = {"seen": ",".join(map(str, sections)), "move": f"{sections[1]} top", "csrfmiddlewaretoken": token}
        assert editor.ask(order(topic), move)[0] == 503
    assert report(server, topic) == ([], sections, 0)
    assert editor.ask(panel(topic), choice)[0] == 200
    assert editor.ask(order(topic), move)[0] == 302
