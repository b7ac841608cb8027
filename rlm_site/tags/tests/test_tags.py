import pytest
from django.db import IntegrityError, transaction

from articles.models import Article
from quotes.models import Quote
from rlm_site.tags.models import Tag
from rlm_site.tags.parsing import format_tags, parse_tags


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("free software", ["free software"]),
        ("free software, bread", ["free software", "bread"]),
        ('"Oxmoor, Tolby", bread', ["Oxmoor, Tolby", "bread"]),
        ("bread,, ,Bread , BREAD", ["bread"]),
        ("rain\nriver", ["rain", "river"]),
        ("  a   b ", ["a b"]),
        ("", []),
    ],
)
def test_names_are_separated_by_commas(typed: str, names: list[str]) -> None:
    assert parse_tags(typed) == names


def test_an_open_quotation_mark_is_an_error() -> None:
    with pytest.raises(ValueError, match="closing quotation mark"):
        parse_tags('"Oxmoor, Tolby')


def test_what_the_form_shows_is_parsed_to_the_same_tags() -> None:
    names = ["free software", "Oxmoor, Tolby", "bread"]
    tags = [Tag(name=name) for name in names]
    assert format_tags(tags) == 'bread, free software, "Oxmoor, Tolby"'
    assert sorted(parse_tags(format_tags(tags))) == sorted(names)


@pytest.mark.django_db
def test_case_and_accents_make_no_second_tag() -> None:
    article, quote = Article.objects.create(title="A", slug="a"), Quote.objects.create(text="b")
    article.tags.add("Война", "Émigrés")
    quote.tags.add("война", "emigres", "ВОЙНА")
    assert set(quote.tags.all()) == set(article.tags.all())
    article.tags.set(["ВОЙНА"])
    assert [tag.name for tag in article.tags.all()] == ["Война"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "write",
    [
        lambda: Tag(name="BREAD", slug="bread-2").save(),
        lambda: Tag.objects.create(name="bréad", slug="bread-2"),
        lambda: Tag.objects.bulk_create([Tag(name="Bread", slug="bread-2")]),
    ],
)
def test_the_database_refuses_a_second_spelling(write: object) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        write()  # type: ignore[operator]


@pytest.mark.django_db
def test_every_tagged_model_is_found() -> None:
    assert {model.__name__ for model in Tag.through_models()} == {"TaggedArticle", "TaggedQuote"}


@pytest.mark.django_db
def test_a_cyrillic_tag_has_a_latin_address() -> None:
    assert Tag.objects.create(name="Война").slug == "voina"
    assert Tag.objects.create(name="Voina!").slug == "voina-2"
