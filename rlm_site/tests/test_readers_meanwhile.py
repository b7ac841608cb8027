"""A reader of a page in memory hardly notices what editors do at the same time, at its worst."""

import statistics
import threading
import time
from http.client import HTTPConnection
from typing import Any

import pytest

from rlm_site.editor.concurrency.tests.test_saving_under_load import Editor, prepared
from rlm_site.testing.served import Site

pytestmark = pytest.mark.full

EDITORS = 8
MAX_RATIO = 3.0
SECONDS = 3.0
PAGE = "/yarle-valley/the-millers/"
ADD = "/admin/articles/article/add/"
WORST = (
    "".join(f"- [[d{number}]] *e* \"f' g [@c{number}]\n" for number in range(1600))
    + f"\n|{'a|' * 9}\n|{'-|' * 9}\n{'|' * 3}\n" * 100
    + "In the spring of 1845 the millers put their last hope in two wheels. " * 1500
)


def usual_wait(site: Site) -> float:
    """Return the median of the seconds that a reader waits for a page in memory."""
    connection = HTTPConnection(site.url.removeprefix("http://"), timeout=60)
    waits = []
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        began = time.perf_counter()
        connection.request("GET", PAGE)
        answer = connection.getresponse()
        answer.read()
        waits.append(time.perf_counter() - began)
        assert answer.status == 200
        time.sleep(0.002)
    connection.close()
    return statistics.median(waits)


def test_a_reader_waits_at_most_three_times_as_long_during_the_worst_previews(server: Site) -> None:
    editors, _articles = prepared(server, "panels", EDITORS, 0, is_superuser=True)
    stop = threading.Event()
    statuses: list[int] = []

    def write(number: int) -> None:
        editor: Editor = editors[number]
        form: dict[str, Any] = editor.opened_at(ADD)
        while not stop.is_set():
            form["body"] = f"{WORST}\n{number} {len(statuses)}"
            status, _page = editor.ask(f"{ADD}preview/", form)
            statuses.append(status)
            if status == 503:
                stop.wait(3)

    usual_wait(server)
    alone = usual_wait(server)
    threads = [threading.Thread(target=write, args=(number,)) for number in range(EDITORS)]
    for thread in threads:
        thread.start()
    while 200 not in statuses:
        time.sleep(0.1)
    meanwhile = min(usual_wait(server) for _time in range(3))
    stop.set()
    for thread in threads:
        thread.join()
    alone = max(alone, usual_wait(server))
    print(f"alone {alone * 1000:.2f} ms, meanwhile {meanwhile * 1000:.2f} ms, x{meanwhile / alone:.1f}")  # noqa: T201
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= 3
    assert meanwhile < MAX_RATIO * alone
