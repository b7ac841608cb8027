import pytest

from rlm_site.text.edit_distance import edit_distance, most_edits


@pytest.mark.parametrize(
    ("first", "second", "edits"),
    [
        ("river", "river", 0),
        ("the-alies", "the-allies", 1),
        ("vallye", "valley", 1),
        ("clark", "clear", 2),
        ("andrei-vlassov", "andrey-vlasov", 2),
        ("ab", "ba", 1),
        ("", "ab", 2),
        ("", "", 0),
        ("abc", "", 3),
    ],
)
def test_letters_put_in_left_out_replaced_and_swapped_are_counted(first: str, second: str, edits: int) -> None:
    assert edit_distance(first, second, 3) == edit_distance(second, first, 3) == edits


def test_beyond_the_most_it_is_not_counted() -> None:
    assert edit_distance("kitten", "sitting", 3) == 3
    assert edit_distance("kitten", "sitting", 2) == 3
    assert edit_distance("kitten", "sitting", 1) == 2
    assert edit_distance("a" * 50, "b" * 50, 2) == 3


def test_a_longer_word_may_have_more_of_them() -> None:
    numbers = [most_edits("x" * length) for length in range(40)]
    assert numbers[:5] == [0, 0, 0, 0, 1]
    assert numbers == sorted(numbers)
    assert max(numbers) == 3
