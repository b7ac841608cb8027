import pytest
from django.core.exceptions import ValidationError

from rlm_site.text.slugs import MAX_LENGTH, first_level_words, slug_for, validate_first_level


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("The Millers", "the-millers"),
        ("Tarlow’s Promise", "tarlows-promise"),
        ("Fire, 9 August 1790", "fire-9-august-1790"),
        ("Русское освободительное движение", "russkoe-osvoboditelnoe-dvizhenie"),
        ("Щука ёж", "shchuka-ezh"),
        ("Їжак", "izhak"),
        ("Žáček", "zacek"),
        ("???", "page"),
        ("", "page"),
        ("日本", "page"),
    ],
)
def test_titles_become_slugs_that_are_never_empty(title: str, slug: str) -> None:
    assert slug_for(title) == slug


def test_a_taken_slug_gets_a_number() -> None:
    assert slug_for("War", {"war", "war-2"}.__contains__) == "war-3"


def test_long_titles_are_cut_between_words() -> None:
    slug = slug_for("word " * 60)
    assert len(slug) <= MAX_LENGTH
    assert slug.endswith("-word")


@pytest.mark.parametrize(
    "word", ["admin", "quotes", "people", "words", "tags", "search", "changes", "en", "preview", "static"]
)
def test_words_of_the_url_table_and_reserved_ones_are_refused(word: str) -> None:
    with pytest.raises(ValidationError, match="reserved for the site itself"):
        validate_first_level(word)


def test_every_first_level_address_is_known() -> None:
    assert {
        "sitemap.xml",
        "robots.txt",
        "healthz",
        "references",
        "changes",
        "feeds",
        "favicon.ico",
    } <= first_level_words()
    assert "yarle-valley" not in first_level_words()
