"""A table of labelled inputs: what is typed in it, and how two versions of it are merged."""

from typing import Any

import pytest
from django import forms
from django.http import QueryDict

from rlm_site.editor.concurrency.form_state import FormSnapshot
from rlm_site.editor.rows import MOST_READ, Column, RowsFormField, as_text, from_text, in_words, merge_rows

COLUMNS = (Column("name", "Name"), Column("note", "Note", [("Notes", [("old", "formerly")])]))
OTTER, PIKE = {"name": "otter", "note": ""}, {"name": "pike", "note": "old"}


class Form(forms.Form):
    fish = RowsFormField(columns=COLUMNS)


def sent(**values: str) -> QueryDict:
    data = QueryDict(mutable=True)
    data.update({name.replace("_", "-"): value for name, value in values.items()})
    return data


def typed(**values: str) -> Any:
    form = Form(sent(**values))
    assert form.is_valid()
    return form.cleaned_data["fish"]


def test_rows_come_in_the_order_of_their_numbers_without_empty_ones() -> None:
    found = typed(fish_10_name="pike", fish_10_note="old", fish_2_name=" otter ", fish_3_name=" ", fish_3_note="")
    assert found == [OTTER, PIKE]


def test_a_row_without_its_name_is_kept_for_the_record_to_refuse() -> None:
    assert typed(fish_0_note="old") == [{"name": "", "note": "old"}]


@pytest.mark.parametrize(
    "name", ["fish-x-name", "fish--name", "fish-0", "fish-999999-name", "fish-٣-name", "fishes-0-name"]
)
def test_other_names_are_no_rows(name: str) -> None:
    assert typed(**{name: "pike"}) == []


def test_no_more_rows_are_read_than_a_form_has() -> None:
    data = {f"fish-{number}-name": "pike" for number in range(MOST_READ + 5)}
    assert len(typed(**data)) == MOST_READ


def test_a_form_opens_with_its_rows_and_empty_ones() -> None:
    html = str(Form(initial={"fish": [OTTER, PIKE]})["fish"])
    assert 'name="fish-0-name" value="otter"' in html
    assert '<option value="old" selected>formerly</option>' in html
    assert 'name="fish-3-name" value=""' in html


def test_what_is_typed_is_shown_again_escaped() -> None:
    assert 'value="&lt;b&gt; &quot;"' in str(Form(sent(fish_0_name='<b> "'))["fish"])


def test_a_form_has_changed_where_its_rows_have() -> None:
    assert not Form(sent(fish_7_name="otter"), initial={"fish": [OTTER]}).has_changed()
    assert Form(sent(fish_0_name="otter", fish_0_note="old"), initial={"fish": [OTTER]}).has_changed()


def test_a_snapshot_is_sent_back_as_it_was() -> None:
    snapshot = FormSnapshot(Form(initial={"fish": [OTTER, PIKE]}))  # type: ignore[arg-type]
    opened = snapshot.opened()
    data = snapshot.write(opened, sent(fish_9_name="eel", other="kept"))
    assert data["other"] == "kept"
    assert "fish-9-name" not in data
    assert snapshot.sent(data) == opened
    assert snapshot.words("", "fish", opened.fields["fish"]) == "otter\npike · formerly"


def test_a_row_in_words_names_choices() -> None:
    assert in_words(PIKE, COLUMNS) == "pike · formerly"


def test_what_is_no_text_of_rows_is_none() -> None:
    assert from_text(as_text([OTTER, PIKE])) == [OTTER, PIKE]
    assert from_text("") == []
    assert from_text("[1]") is None
    assert from_text("{") is None


def merged(base: list[Any] | None, mine: list[Any], theirs: list[Any]) -> Any:
    text = merge_rows(None if base is None else as_text(base), as_text(mine), as_text(theirs))
    return None if text is None else from_text(text)


def test_changes_of_different_cells_are_merged() -> None:
    mine = [{**OTTER, "name": "beaver"}, PIKE]
    theirs = [{**OTTER, "note": "old"}, {**PIKE, "note": ""}]
    assert merged([OTTER, PIKE], mine, theirs) == [{"name": "beaver", "note": "old"}, {"name": "pike", "note": ""}]


def test_rows_that_one_side_added_or_removed_are_merged_with_changes_elsewhere() -> None:
    eel = {"name": "eel", "note": ""}
    assert merged([OTTER, PIKE, eel], [OTTER, PIKE, eel, OTTER], [PIKE, eel]) == [PIKE, eel, OTTER]


def test_what_both_changed_differently_is_left_to_somebody_to_choose() -> None:
    assert merged([OTTER], [{**OTTER, "name": "beaver"}], [{**OTTER, "name": "pike"}]) is None
    assert merged([OTTER], [], [{**OTTER, "name": "pike"}]) is None
    assert merged(None, [OTTER], [PIKE]) is None
