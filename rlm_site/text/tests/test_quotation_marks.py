import pytest

from rlm_site.text.quotation_marks import MAX_UNCLOSED, Run, set_quotation_marks


@pytest.mark.parametrize(
    ("straight", "typographic"),
    [
        ('He said "no".', "He said “no”."),
        ("the mill's wheels' rims", "the mill’s wheels’ rims"),
        ("\"'Who?' she asked.\"", "“‘Who?’ she asked.”"),
        ('a 12" gauge and 5""', 'a 12" gauge and 5""'),
        ('("so") -"so"-', "(“so”) -“so”-"),
        ('foo"bar"baz', 'foo"bar"baz'),
        ('"Мельники"', "“Мельники”"),
        ("\"open and 'closed'", '"open and ‘closed’'),
    ],
)
def test_marks_open_close_or_stand_for_letters(straight: str, typographic: str) -> None:
    assert set_quotation_marks([Run(straight)]) == [typographic]


def test_marks_of_one_quotation_may_stand_in_two_runs_of_one_level() -> None:
    runs = [Run('He said "'), Run("no", 1), Run('".')]
    assert set_quotation_marks(runs) == ["He said “", "no", "”."]


def test_marks_at_different_levels_are_no_pair() -> None:
    assert set_quotation_marks([Run('a "b '), Run('c"', 1), Run(" d")]) == ['a "b ', 'c"', " d"]


def test_marks_in_code_are_left_alone() -> None:
    assert set_quotation_marks([Run('"a" ', 0, is_prose=False), Run('"b"')]) == ['"a" ', "“b”"]


def test_a_line_break_is_a_space() -> None:
    assert set_quotation_marks([Run("a"), Run("\n", is_prose=False), Run('"b"')])[2] == "“b”"


def test_a_quotation_is_not_looked_for_behind_very_many_that_are_open() -> None:
    near, far = ('"a ' + "'b " * count + 'c"' for count in (MAX_UNCLOSED - 1, MAX_UNCLOSED + 1))
    assert set_quotation_marks([Run(near)])[0].endswith("c”")
    assert set_quotation_marks([Run(far)])[0].endswith('c"')
