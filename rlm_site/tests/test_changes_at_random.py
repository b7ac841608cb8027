"""The trial of freshness in little; `benchmarks/freshness.py` says what it tries, and runs it for longer."""

import subprocess
import sys

from rlm_site.testing import ROOT


def test_after_changes_drawn_at_random_no_answer_of_two_processes_is_stale(static_files: None) -> None:
    trial = [sys.executable, "benchmarks/freshness.py", "--changes", "40", "--seed", "1945"]
    done = subprocess.run(trial, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\n0 stale\n") == done.stdout.count("\n40 changes in ") == 1
