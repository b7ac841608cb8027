import pytest

from rlm_site.text.folding import fold, fold_name


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Miller", "miller"),
        ("Łódź", "lodz"),
        ("Émigré", "emigre"),
        ("Ёлка", "елка"),
        ("Йод", "йод"),
        ("Вла́сов", "власов"),
        ("Straße", "strasse"),
        ("Tarlow’s", "tarlow's"),
        ("Řeka", "reka"),
        ("ﬁeld", "field"),
    ],
)
def test_case_accents_and_letters_are_folded(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_folding_twice_changes_nothing() -> None:
    for text in ("Ёлки Йод", "Łódź ½ ﬁ", "İstanbul", "Ὀδυσσεύς"):
        assert fold(fold(text)) == fold(text)


def test_white_space_of_names_is_folded() -> None:
    assert fold_name("  Free \n Software ") == "free software"
