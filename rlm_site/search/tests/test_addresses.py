import pytest

from rlm_site.search.addresses import nearest_addresses

PAGES = [
    (1, None, "yarle-valley"),
    (2, "yarle-valley", "the-millers"),
    (3, "yarle-valley", "the-source"),
    (4, None, "edgar-tarlow"),
    (5, "edgar-tarlow", "the-millers"),
    (6, None, "the-miller"),
]


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("/yarle-valley/the-milers/", [2]),
        ("/edgar-tarlow/the-milers/", [5]),
        ("/edgar-tarlof/the-millers/", [5]),
        ("/yarle-valey/the-sorce/", [3]),
        ("/yarle-valey/zorblax/", [1]),
        ("/edgar-tarlof/", [4]),
        ("/the-source/", [3]),
        ("/The-Milers", [6]),
        ("/the-milers/of/old/", [6]),
        ("/zorblax/", []),
        ("/", []),
        ("//", []),
        ("", []),
    ],
)
def test_what_is_beside_an_address_comes_first_and_what_is_spelt_most_like_it(path: str, nearest: list[int]) -> None:
    assert nearest_addresses(path, PAGES, 9)[:1] == nearest


def test_no_more_are_told_than_are_asked_for() -> None:
    assert nearest_addresses("/yarle-valley/the-milers/", PAGES, 2) == [2, 5]


def test_one_of_ten_thousand_addresses_is_found() -> None:
    pages = [(number, None, f"page-{number * 7919 % 100_003}-of-the-river") for number in range(10_000)]
    assert nearest_addresses(f"/{pages[5_000][2].replace('the-r', 'teh-r')}/", pages, 3)[0] == 5_000
