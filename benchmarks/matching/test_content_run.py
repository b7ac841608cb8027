"""Run the script that tells how well headings are answered, those of our own content among them."""

import json
from pathlib import Path

import evaluation
import pytest
import run as command

from quotes.models import Quote

pytestmark = [pytest.mark.content, pytest.mark.django_db, pytest.mark.full]


def test_the_script_prints_both_halves_and_what_changed_and_leaves_the_site_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "judged"
    folder.mkdir()
    texts = ["The wombat is a judge of grass.", "Here is a wombat, said the numbat."]
    rows = [
        {"line": line, "text": text, "author": f"A{line}", "work": "", "evidence": ""}
        for line, text in enumerate(texts, 1)
    ]
    headings = [{"heading": name, "good": [1], "bad": []} for name in ("The Wombat", "Wombats", "Numbat and Wombat")]
    (folder / "quotations.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "headings.jsonl").write_text("\n".join(map(json.dumps, headings)))
    monkeypatch.setattr(evaluation, "OWN", folder)
    before = Quote.objects.count()

    command.main(store=True)
    out = capsys.readouterr().out
    assert "3 headings, 2 quotations (the judged quotations)" in out
    assert "There is no stored run to compare with." in out
    assert "not judged yet: line 2 for “The Wombat”" in out
    assert "pages of the fixtures that should have quotations have them" in out
    assert "The Allies, judged apart: Famous quotes containing the word allies:" in out
    assert "Mrs. William C. Gannett" in out
    stored = evaluation.stored_runs()["the judged quotations"]
    assert sorted(stored["The Wombat"]) == [1, 2]

    evaluation.store("the judged quotations", {**stored, "The Wombat": [7]})
    command.main()
    out = capsys.readouterr().out
    assert "Headings with different quotations from the stored run: 1" in out
    assert "    - 7: \n    + " in out
    assert "    + 1: The wombat is a judge of grass." in out
    assert evaluation.stored_runs()["the judged quotations"]["The Wombat"] == [7]
    assert Quote.objects.count() == before
