"""docs/bartlett.py: which rows of a file become content, whatever they are about."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rlm_site.testing.variables import ROOT

pytestmark = [pytest.mark.content, pytest.mark.full]

POPE = {"author": "Alexander Pope", "born": 1688, "died": 1744, "descriptor": "English poet"}
BIBLE = {"author": "The Bible (King James Version)", "born": None, "died": None, "descriptor": "scripture"}


def row(text: str, title: str = "Essay on Wombats", locator: str = "Line 19", **fields: Any) -> dict[str, Any]:
    given = {"source": "", "year": None, "tags": ["verse"], "translator": "", "evidence": "raw/a.txt:1", **POPE}
    collection = "John Bartlett, Familiar Quotations, 9th ed. (Boston: Little, Brown, 1905)"
    return {"text": text, "source_title": title, "locator": locator, "as_quoted_in": collection, **given, **fields}


TAKEN = [
    row("The wombat is a judge of grass, and never yet was wrong."),
    row("Can wombats reason? Nobody has asked them, and they keep it close."),
    row("The wombat is a digger of halls, and no man letteth them to him.", "Psalm", "cxx. 9", **BIBLE),
]
LEFT_OUT = {
    "length": row("A wombat is a wombat."),
    "not whole sentences": row("And is a judge of every kind of grass that grows beneath."),
    "ends with a comma": row("The wombat is a judge of grass and never yet was wrong,"),
    "no verb": row("A rounder wombat, and a shadier hole beneath the stringybark."),
    "remark": row("The wombat is [according to Burton] a judge of grass and hay."),
    "note": row("The wombat is a judge of grass, and never yet was wrong.1"),
    "speaker": row("Wom. What is the grass to you, my numbat, or to me?"),
    "spelling": row("The wombatte is a juge of grasse, and neuer yette was wronge."),
    "marked": row("The wombat has a hole for every day of all the year.", tags=["check-two-passages"]),
    "same": row("The wombat is the judge of grass, & never yet was wrong!"),
    "unknown person": row("The wombat has a hall of stone, and lets it to the owl.", author="Ambrose Quill"),
    "namesake": row("The wombat has a hall of slate, and lets it to the owl.", born=1888, died=1944),
    "nobody": row("The wombat has a hall of sand, and lets it to the owl.", author="Anonymous", born=None, died=None),
    "no work": row("The wombat has a hall of salt, and lets it to the owl.", title="", locator=""),
    "no place": row("The wombat has a hall of soap, and lets it to the owl.", title="MS. Rawl 85"),
}


def test_clean_rows_are_taken_and_others_left_out(tmp_path: Path) -> None:
    source, target = tmp_path / "rows.jsonl", tmp_path / "rows.json.gz"
    source.write_text("".join(json.dumps(each) + "\n" for each in [*TAKEN, *LEFT_OUT.values()]))
    command = [sys.executable, "docs/bartlett.py", str(source), str(target)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    rows = json.loads(gzip.decompress(target.read_bytes()))
    quotes = [each["fields"] for each in rows if each["model"] == "quotes.quote"]
    assert [each["text"] for each in quotes] == [each["text"] for each in TAKEN]
    assert quotes[0]["person"] == ["alexander-pope"]
    assert quotes[0]["work"] == ["Essay on Wombats", "Alexander Pope", None]
    assert quotes[2]["work"] == ["The Bible (KJV), Psalms", "", None]
    assert (quotes[2]["locator"], quotes[2].get("person")) == ("120:9", None)
    first = target.read_bytes()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    assert target.read_bytes() == first
