"""Writers of an SQLite database take turns, in one process and between several, and nobody waits for a dead one."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.db import connection

from rlm_site.editor.concurrency.locking import WritersTurn
from rlm_site.testing.variables import ROOT


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name another database, beside which the turns of these tests are."""
    monkeypatch.setitem(connection.settings_dict, "NAME", str(tmp_path / "db.sqlite3"))
    return tmp_path / "db.sqlite3"


def test_one_writer_at_a_time_has_the_turn_and_may_take_it_again() -> None:
    ours, theirs = WritersTurn(), WritersTurn()  # of two processes
    assert ours.acquire(1)
    assert ours.acquire(1)
    ours.release()
    assert not theirs.acquire(0.05)
    ours.release()
    assert theirs.acquire(1)
    theirs.release()


def test_who_gave_up_leaves_nothing_taken() -> None:
    ours, theirs, others = WritersTurn(), WritersTurn(), WritersTurn()
    assert ours.acquire(1)
    assert not theirs.acquire(0.05)
    ours.release()
    for turn in (others, theirs, ours):
        assert turn.acquire(1)
        turn.release()


def test_a_process_that_is_killed_gives_its_turn_back(database: Path) -> None:
    hold = (
        "import sys, time; from pathlib import Path; from rlm_site import file_locks\n"
        "file = file_locks.open_locks(Path(sys.argv[1]))\n"
        "print(file_locks.try_lock(file, 0) and file_locks.try_lock(file, 1), flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", hold, f"{database}-turn"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        turn = WritersTurn()
        assert not turn.acquire(0.05)
        holder.kill()
        assert turn.acquire(10)
        turn.release()


def test_of_two_processes_neither_gets_less_than_a_third_of_the_turns() -> None:
    ended, turns = threading.Event(), {"one": WritersTurn(), "other": WritersTurn()}
    taken = dict.fromkeys(turns, 0)

    def write(name: str) -> None:
        while not ended.is_set():
            assert turns[name].acquire(30)
            taken[name] += 1
            time.sleep(0.002)
            turns[name].release()

    writers = [threading.Thread(target=write, args=[name]) for name in ("one", "one", "one", "other")]
    for writer in writers:
        writer.start()
    while sum(taken.values()) < 200:
        time.sleep(0.01)
    ended.set()
    for writer in writers:
        writer.join()
    assert min(taken.values()) * 3 >= max(taken.values())


def test_where_the_file_cannot_be_opened_writers_still_write(database: Path) -> None:
    Path(f"{database}-turn").mkdir()
    turn = WritersTurn()
    assert turn.acquire(1)
    turn.release()
