"""Long work is done by one thread at a time, and never by so many that none is left for readers."""

import gc
import threading
import time
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from rlm_site import turns


def test_one_thread_at_a_time_has_long_work() -> None:
    at_work, most = [], []

    def work() -> None:
        with turns.long_work():
            at_work.append(1)
            most.append(len(at_work))
            time.sleep(0.01)
            at_work.pop()

    threads = [threading.Thread(target=work) for _number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 5


def test_no_garbage_is_collected_meanwhile_and_again_afterwards() -> None:
    with turns.long_work(), turns.long_work():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_who_waits_too_long_for_a_turn_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_TURN", 0.01)
    release, has_turn, done = threading.Event(), threading.Event(), []

    def hold() -> None:
        with turns.long_work():
            has_turn.set()
            release.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    has_turn.wait(10)
    with turns.long_work():
        done.append(True)
    release.set()
    holder.join()
    assert done == [True]


class Panel:
    def __init__(self) -> None:
        self.release = threading.Event()

    @turns.long_view
    def view(self, request: HttpRequest) -> HttpResponse:
        self.release.wait(10)
        return HttpResponse("done")


def test_more_requests_than_can_wait_are_told_to_ask_again() -> None:
    panel = Panel()
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(panel.view(HttpRequest()))) for _number in range(8)]
    for thread in threads:
        thread.start()
    while len(answers) < 8 - turns.AT_ONCE - turns.WAITING:
        time.sleep(0.005)
    panel.release.set()
    for thread in threads:
        thread.join()
    refused = [answer for answer in answers if answer.status_code == 503]
    assert len(refused) == 8 - turns.AT_ONCE - turns.WAITING
    assert {answer["Retry-After"] for answer in refused} == {"3"}
    assert [answer.content for answer in answers if answer.status_code == 200] == [b"done"] * 4
