"""A short run of the page cache benchmark; `benchmarks/page_cache.py` says what it tries, and runs it for longer."""

import subprocess
import sys
from pathlib import Path

import pytest

from rlm_site.testing.databases import OWN, fresh_database
from rlm_site.testing.variables import ROOT

pytestmark = pytest.mark.full


def test_after_changes_drawn_at_random_no_answer_of_two_processes_is_stale(tmp_path: Path, static_files: None) -> None:
    trial = [sys.executable, "benchmarks/page_cache.py", "--changes", "40", "--seed", "1845"]
    with fresh_database(tmp_path, OWN) as url:
        done = subprocess.run([*trial, "--database", url], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\n0 stale\n") == done.stdout.count("\n40 changes in ") == 1
