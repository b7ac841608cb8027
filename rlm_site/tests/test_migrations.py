"""Migrations are made for tables; the words, checks and defaults of a field are code's own matter."""

from importlib import import_module

import pytest
from django.apps import apps
from django.core.management import load_command_class
from django.core.validators import RegexValidator
from django.db import models
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.state import ModelState, ProjectState

from articles.models import Article
from rlm_site.management.autodetector import TableAutodetector
from rlm_site.page_cache.triggers import drop_triggers

BEFORE = models.CharField("name", max_length=10)


def seen(field: models.Field) -> object:
    return TableAutodetector(ProjectState(), ProjectState()).deep_deconstruct(field)


def test_what_no_column_knows_of_needs_no_migration() -> None:
    after = models.CharField("title", max_length=10, help_text="Short.", default="x", validators=[RegexValidator("x")])
    assert seen(after) == seen(BEFORE)
    assert seen(models.CharField(choices=[("a", "one")])) == seen(models.CharField(choices=[("a", "first")]))


def test_another_name_of_a_model_needs_no_migration() -> None:
    before, after = ProjectState(), ProjectState()
    for state, name in ((before, "quagga"), (after, "zebra")):
        options = {"verbose_name": name, "verbose_name_plural": f"{name}s"}
        state.add_model(ModelState("zoo", "Animal", [("id", models.BigAutoField(primary_key=True))], options))
    assert TableAutodetector(before, after).changes(MigrationGraph()) == {}


def test_what_a_column_knows_of_needs_one() -> None:
    others: list[models.Field] = [
        models.CharField("name", max_length=20),
        models.CharField("name", max_length=10, null=True),
        models.CharField("name", max_length=10, db_default=""),
        models.TextField("name"),
    ]
    assert [field for field in others if seen(field) == seen(BEFORE)] == []
    assert seen(models.CharField(choices=[("a", "one")])) != seen(models.CharField(choices=[("b", "one")]))


def test_both_commands_look_at_tables_alone() -> None:
    for name in ("makemigrations", "migrate"):
        assert getattr(load_command_class("rlm_site", name), "autodetector", None) is TableAutodetector


@pytest.mark.django_db
def test_pages_whose_addresses_the_site_takes_get_others() -> None:
    entries = import_module("articles.migrations.0005_entries")
    drop_triggers()  # of the rules that refuse such pages by now
    for slug in ("places", "places-topic"):
        Article.objects.create(title=slug.title(), slug=slug)
    topic = Article.objects.create(title="Quagga", slug="quagga")
    for slug, parent in (("all", topic), ("places", topic), ("versions", None)):
        Article.objects.create(title=slug.title(), slug=slug, parent=parent)
    entries.free_addresses(apps, None)
    topics = Article.objects.filter(parent=None, title__in=["Places", "Versions"])
    assert dict(topics.values_list("title", "slug")) == {"Places": "places-topic-2", "Versions": "versions"}
    assert set(topic.sections.values_list("slug", flat=True)) == {"all-section", "places"}
