"""A short run of the benchmark of mutated requests and forms, which says what it tries and runs for longer."""

import subprocess
import sys
from pathlib import Path

import pytest

from rlm_site.testing.databases import OWN, fresh_database
from rlm_site.testing.variables import ROOT

pytestmark = pytest.mark.full


def test_mutated_requests_and_forms_break_nothing_and_lose_nothing(tmp_path: Path, static_files: None) -> None:
    trial = [sys.executable, "benchmarks/mutations.py", "--requests", "300", "--forms", "120", "--seed", "1845"]
    with fresh_database(tmp_path, OWN) as url:
        done = subprocess.run([*trial, "--database", url], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n0 failures" in done.stdout
    assert "form 302" in done.stdout
