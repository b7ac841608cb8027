"""Migrations are made for tables; the words, checks and defaults of a field are code's own matter."""

from django.core.management import load_command_class
from django.core.validators import RegexValidator
from django.db import models
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.state import ModelState, ProjectState

from rlm_site.management.autodetector import TableAutodetector

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
