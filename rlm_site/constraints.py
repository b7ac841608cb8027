"""What every row must be, held by triggers of the database: the rules of the forms, whoever writes and however.

They follow from the fields of the models: choices, length, characters, blanks, slugs, years, shapes of JSON, and on
SQLite the types too. `refuse` adds rules of several columns or rows. No CheckConstraint says these: some look at other
rows or at the URLconf, a table need not be rebuilt for them, and an update is asked only about columns that it changes,
so that a row which broke a rule before there was one can be mended bit by bit. `broken_rows` finds such rows.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, NamedTuple

from django.apps import apps
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.operations import BaseDatabaseOperations

from rlm_site import fields
from rlm_site.page_cache.versions import STALE_TABLE
from rlm_site.publishing.models import Publishable
from rlm_site.text import printable

APPS = ("rlm_site", "articles", "quotes")
WRITTEN_BY_TRIGGERS = {STALE_TABLE}
FIRST_DAY, LAST_DAY = "0001-01-02", "9999-12-30"  # a day less at each end, for other time zones


class Rule(NamedTuple):
    """A condition in SQL under which a row is broken; `{row}` stands for the row."""

    columns: tuple[str, ...]  # that it looks at
    broken: str
    told: str


_refused: list[tuple[type[models.Model], tuple[str, ...], Callable[[], str], str]] = []


def refuse(model: type[models.Model], columns: Iterable[str], broken: str | Callable[[], str], told: str) -> None:
    """Refuse rows of which this is true, in SQL that all databases understand. Call it in `AppConfig.ready`."""
    _refused.append((model, tuple(columns), broken if callable(broken) else lambda: broken, told))


def rules_of(model: type[models.Model], vendor: str) -> list[Rule]:
    """Return the rules of a table, in the SQL of this kind of database."""
    rules = [
        Rule((str(field.column),), condition, f"{model._meta.db_table}.{field.column} {told}")
        for field in model._meta.concrete_fields
        if not field.primary_key
        for condition, told in _rules_of_field(field, vendor)
    ]
    if issubclass(model, Publishable):
        rules.append(
            Rule(
                ("retired_to",),
                "{row}.retired_to <> '' AND ({row}.retired_to NOT LIKE '/%' OR {row}.retired_to LIKE '//%')",
                f"{model._meta.db_table}.retired_to must be an address of this site, such as /yarle-valley/.",
            )
        )
    return rules + [
        Rule(columns, broken(), f"{model._meta.db_table}: {told}")
        for of, columns, broken, told in _refused
        if of is model
    ]


def broken_rows(model: type[models.Model], ids: Collection[int] | None, using: str = "default") -> dict[int, str]:
    """Return those of these rows, or of all, that break a rule, and which. One query."""
    connection = connections[using]
    table, key = model._meta.db_table, model._meta.pk.column
    cases = " ".join(
        f"WHEN {rule.broken.format(row='checked')} THEN {_literal(rule.told)}"
        for rule in [*rules_of(model, connection.vendor), *_references_of(model)]
    )
    among = "" if ids is None else f"WHERE {key} IN ({', '.join(str(int(pk)) for pk in ids) or 'NULL'})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, told FROM (SELECT {key} AS id, CASE {cases} END AS told FROM {table} checked {among}) found"
            " WHERE told IS NOT NULL"
        )
        return dict(cursor.fetchall())


def _references_of(model: type[models.Model]) -> Iterator[Rule]:
    """Yield the rules of foreign keys, which SQLite enforces for programs that ask it to; no trigger holds them."""
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey) and getattr(field, "db_constraint", True):
            other, key = field.related_model._meta, field.target_field.column
            gone = f"NOT EXISTS (SELECT 1 FROM {other.db_table} named WHERE named.{key} = {{row}}.{field.column})"
            told = f"{model._meta.db_table}.{field.column} refers to a {other.verbose_name} that does not exist."
            yield Rule((str(field.column),), f"{{row}}.{field.column} IS NOT NULL AND {gone}", told)


def statements(connection: BaseDatabaseWrapper) -> Iterator[tuple[str, str, str]]:
    """Yield the triggers that hold the rules, for `page_cache.triggers`: table, name and statement of each."""
    build = _postgresql if connection.vendor == "postgresql" else _sqlite
    for label in APPS:
        for model in apps.get_app_config(label).get_models():
            table = model._meta.db_table
            if (
                model._meta.managed
                and table not in WRITTEN_BY_TRIGGERS
                and (rules := rules_of(model, connection.vendor))
            ):
                for event, statement in build(table, rules):
                    yield table, f"rules_{table}_{event}", statement


def _sqlite(table: str, rules: list[Rule]) -> Iterator[tuple[str, str]]:
    for event in ("INSERT", "UPDATE"):
        cases = " ".join(
            f"WHEN {_changed(rule, 'IS NOT') if event == 'UPDATE' else ''}({rule.broken.format(row='NEW')})"
            f" THEN RAISE(ABORT, {_literal(rule.told)})"
            for rule in rules
        )
        yield event.lower(), f"CREATE TRIGGER NAME BEFORE {event} ON {table} BEGIN SELECT CASE {cases} END; END"


def _postgresql(table: str, rules: list[Rule]) -> Iterator[tuple[str, str]]:
    checks = " ".join(
        f"IF (TG_OP = 'INSERT' OR {_changed(rule, 'IS DISTINCT FROM')}TRUE) AND ({rule.broken.format(row='NEW')})"
        f" THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = {_literal(rule.told)}; END IF;"
        for rule in rules
    )
    yield (
        "write",
        f"CREATE OR REPLACE FUNCTION NAME() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {checks} RETURN NEW; END $$; "
        f"CREATE TRIGGER NAME BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION NAME()",
    )


def _changed(rule: Rule, differs: str) -> str:
    return "(" + " OR ".join(f"NEW.{column} {differs} OLD.{column}" for column in rule.columns) + ") AND "


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''").replace("{", "").replace("}", "") + "'"


# The rules of a field: condition and what is told


def _rules_of_field(field: Any, vendor: str) -> Iterator[tuple[str, str]]:
    value = f"{{row}}.{field.column}"
    if vendor == "sqlite":
        yield from _types_on_sqlite(field, value)
    if isinstance(field, models.DateField):
        yield f"{value} < '{FIRST_DAY}' OR {value} > '{LAST_DAY}'", "must be a date in the years 1 to 9999."
    if isinstance(field, fields.YearField):
        first, last = fields.YEARS
        yield (
            f"{value} NOT BETWEEN {first} AND {last} OR {value} = 0",
            f"must be a year from {first} to {last}, and not 0.",
        )
    if isinstance(field, fields.NamesField | fields.ObjectField | fields.RowsField):
        yield from _rules_of_json(field, value, vendor)
    if isinstance(field, fields.TextField | fields.CharField):
        yield from _rules_of_text(field, value, vendor)


def _rules_of_text(field: Any, value: str, vendor: str) -> Iterator[tuple[str, str]]:
    if field.choices:
        known = [str(choice) for choice, _label in field.flatchoices] + ([""] if field.blank else [])
        words = ", ".join(known).rstrip(", ")
        yield f"{value} NOT IN ({', '.join(map(_literal, known))})", f"must be one of: {words}."
        return
    if field.max_length and (vendor == "sqlite" or isinstance(field, models.TextField)):
        yield f"length({value}) > {field.max_length}", f"has more than {field.max_length} characters."
    if isinstance(field, fields.SlugField):
        wrong = {"sqlite": f"{value} GLOB '*[^-a-zA-Z0-9_]*'", "postgresql": f"{value} !~ '^[-a-zA-Z0-9_]*$'"}[vendor]
        yield f"{value} = '' OR {wrong}", "must consist of letters from a to z, digits, hyphens and underscores."
        return
    if isinstance(field, fields.DatesField):
        year = "[0-9]" * 4
        begins = {
            "sqlite": f"{value} NOT GLOB '{year}*' AND {value} NOT GLOB 'c. {year}*'",
            "postgresql": f"{value} !~ '^(c[.] )?{year}'",
        }[vendor]
        yield begins, "must be a date, such as 1901, c. 1901-09 or 1901-09-14/1901-09-15."
    if isinstance(field, fields.URLField):
        begins = " OR ".join(f"lower({value}) LIKE '{scheme}://_%'" for scheme in ("http", "https", "ftp", "ftps"))
        yield f"{value} <> '' AND NOT ({begins})", "must begin with https:// or http://."
    if not field.blank:
        spaces = {"sqlite": "' ' || char(9) || char(10)", "postgresql": "E' \\t\\n'"}[vendor]
        yield f"trim({value}, {spaces}) = ''", "must not be empty."
    yield _unprintable(value, vendor), "contains a character that cannot be printed."


def _unprintable(value: str, vendor: str) -> str:
    if vendor == "postgresql":  # which stores neither the character 0 nor halves of pairs
        ranges = [(max(first, 1), last) for first, last in printable.REFUSED if first != 0xD800]
        return f"{value} ~ '[" + "".join(f"\\U{first:08X}-\\U{last:08X}" for first, last in ranges) + "]'"
    # At the character 0 SQLite ends; noncharacters and halves of pairs it reads as the sign of a lost one.
    ranges = [(first or 1, last) for first, last in printable.REFUSED if first not in {0xD800, 0xFFFD}]
    listed = " || ".join(f"char({first}) || '-' || char({last})" for first, last in [*ranges, (0xFFFD, 0xFFFD)])
    return f"instr({value}, char(0)) > 0 OR {value} GLOB '*[' || {listed} || ']*'"


def _rules_of_json(field: Any, value: str, vendor: str) -> Iterator[tuple[str, str]]:
    typeof = {"sqlite": "json_type", "postgresql": "jsonb_typeof"}[vendor]
    if isinstance(field, fields.ObjectField):
        yield f"{typeof}({value}) <> 'object'", "must be an object."
        return
    is_rows = isinstance(field, fields.RowsField)
    item_type = "object" if is_rows else {"sqlite": "text", "postgresql": "string"}[vendor]
    other = {
        "sqlite": f"SELECT 1 FROM json_each({value}) WHERE type <> '{item_type}'",
        "postgresql": f"SELECT 1 FROM jsonb_array_elements({value}) item WHERE jsonb_typeof(item) <> '{item_type}'",
    }[vendor]
    told = "must be a list of objects." if is_rows else "must be a list of names."
    yield f"CASE WHEN {typeof}({value}) = 'array' THEN EXISTS ({other}) ELSE TRUE END", told


def _types_on_sqlite(field: Any, value: str) -> Iterator[tuple[str, str]]:
    """Yield the rules that make a column of SQLite hold what other databases let it hold."""
    kind = field.get_internal_type()
    if isinstance(field, models.ForeignKey):
        kind = "BigIntegerField"
    if isinstance(field, models.BooleanField):
        yield f"typeof({value}) <> 'integer' OR {value} NOT IN (0, 1)", "must be 0 or 1."
    elif kind in BaseDatabaseOperations.integer_field_ranges:
        lowest, highest = BaseDatabaseOperations.integer_field_ranges[kind]
        wrong = f"typeof({value}) NOT IN ('integer', 'null') OR {value} < {lowest} OR {value} > {highest}"
        yield wrong, f"must be a whole number from {lowest} to {highest}."
    elif isinstance(field, models.DateTimeField):
        whole = f"strftime('%Y-%m-%d %H:%M:%S', substr({value}, 1, 19), '+0 days')"
        yield f"{value} IS NOT NULL AND {whole} IS NOT substr({value}, 1, 19)", "must be a date and time."
    elif isinstance(field, models.DateField):
        yield f"{value} IS NOT NULL AND date({value}, '+0 days') IS NOT {value}", "must be a date, such as 2024-02-11."
    elif isinstance(field, models.CharField | models.TextField):
        yield f"typeof({value}) NOT IN ('text', 'null')", "must be text."
