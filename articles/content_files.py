"""Faults of files with content, found without a database: what does not load, and what loads and is wrong.

The rows of all files are built in memory and joined by their natural keys; then each answers for itself, as it would in
a form, and texts for what they cite and link.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from articles import facts, markdown
from articles.links import LinkTargets
from articles.models import Article, Event, Reference
from articles.sources import sources_of
from rlm_site import fixture_files
from rlm_site.fields import FoldedField, SlugField
from rlm_site.publishing.models import Publishable
from rlm_site.tags.models import Tag
from rlm_site.tags.parsing import clean_tag_name
from rlm_site.text.slugs import slug_for

OURS = ("rlm_site", "articles", "quotes")

_SPACE = re.compile(r"[\s,]*")


class Fault(NamedTuple):
    """What is wrong with a file, where, and what to do about it."""

    path: Path
    line: int
    place: str  # the row and its field, as far as it is known
    told: str

    def __str__(self) -> str:
        return f"{_place(self.path, self.line)}: {f'{self.place}: ' if self.place else ''}{self.told}"


@dataclass
class _Row:
    path: Path
    line: int
    values: Mapping[str, Any]
    instance: models.Model
    pk: Any = None
    key: tuple[str, ...] | None = None  # its natural key, once what it refers to is found
    wrong: list[tuple[str, str]] = field(default_factory=list)  # field and what is told of it

    def add(self, told: str, name: str = "") -> None:
        self.wrong.append((name, " ".join(told.split())))

    def faults(self) -> Iterator[Fault]:
        for name, told in self.wrong:
            yield Fault(self.path, self.line, f"{self}, {name}" if name else str(self), told)

    def __str__(self) -> str:
        """Name the row by its natural key, or by what it says first."""
        said = _joined(self.key) if self.key else ", ".join(map(_short, list(self.values.values())[:2]))
        return f"{self.instance._meta.verbose_name} “{said}”"


def find_faults(paths: Iterable[Path]) -> tuple[int, list[Fault]]:
    """Return the number of rows and all faults of these files, which are read as a whole."""
    faults: list[Fault] = []
    rows: list[_Row] = []
    for path in paths:
        for line, value in _read(path, faults):
            if row := _built(path, line, value, faults):
                rows.append(row)
    is_whole = not faults  # of a file that cannot be read nobody knows what others could refer to
    _join(rows, tell=is_whole)
    _find_doubled(rows)
    _find_similar_keys(rows)
    for row in rows:
        _ask_the_model(row)
        _read_text(row)
    if is_whole:
        _follow_texts(rows)
    faults += [fault for row in rows for fault in row.faults()]
    return len(rows), sorted(faults, key=lambda fault: (str(fault.path), fault.line))


# Reading


def _read(path: Path, faults: list[Fault]) -> Iterator[tuple[int, Any]]:
    """Yield the rows of a file with the lines that they begin in."""
    try:
        text = fixture_files.read(path).decode("utf-8-sig")
        values = json.loads(text, object_pairs_hook=_object)
    except OSError as error:
        faults.append(Fault(path, 1, "", f"the file cannot be read: {error.strerror or error}."))
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        faults.append(Fault(path, line, "", _("the file is not UTF-8; save it as UTF-8.")))
    except json.JSONDecodeError as error:
        told = _("the file is not valid JSON: %(error)s at column %(column)d.")
        faults.append(Fault(path, error.lineno, "", told % {"error": error.msg.lower(), "column": error.colno}))
    except (ValueError, RecursionError) as error:
        faults.append(Fault(path, 1, "", f"the file is not valid JSON: {error}."))
    else:
        if isinstance(values, list):
            yield from zip(_beginnings(text), values, strict=True)
        else:
            faults.append(Fault(path, 1, "", _("the file is not a list of rows; begin it with [ and end it with ].")))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _value in pairs]
        raise ValueError(f"“{max(names, key=names.count)}” appears twice in one row")
    return values


def _beginnings(text: str) -> Iterator[int]:
    """Yield the line on which each item of a list begins."""
    decoder, line, counted = json.JSONDecoder(), 1, 0
    place = _SPACE.match(text, text.index("[") + 1).end()  # type: ignore[union-attr]
    while text[place] != "]":
        line, counted = line + text.count("\n", counted, place), place
        yield line
        _value, end = decoder.raw_decode(text, place)
        place = _SPACE.match(text, end).end()  # type: ignore[union-attr]


def _built(path: Path, line: int, value: Any, faults: list[Fault]) -> _Row | None:
    """Return the row with its plain fields, or None where it does not say of what model it is."""
    if not isinstance(value, dict) or not isinstance(value.get("fields"), dict):
        faults.append(Fault(path, line, "", _("a row must be an object with “model” and “fields”.")))
        return None
    try:
        model = apps.get_model(str(value.get("model")))
    except (LookupError, ValueError):
        names = [found._meta.label_lower for found in apps.get_models()]
        told = _("there is no model “%(model)s”.") % {"model": value.get("model")}
        faults.append(Fault(path, line, "", told + _nearest(str(value.get("model")), names)))
        return None
    row = _Row(path, line, value["fields"], model(), value.get("pk"))
    for name in value.keys() - {"model", "fields", "pk"}:
        row.add(_("a row may have only “model”, “pk” and “fields”."), name)
    known = {each.name: each for each in model._meta.get_fields() if each.concrete}
    for name in row.values.keys() - known.keys():
        row.add(_("unknown field.") + _nearest(name, known), name)
    for name, each in known.items():
        if not each.is_relation and (name in row.values or (each.editable and not each.primary_key)):
            _set(row, each, row.values.get(name, each.get_default()))
    return row


def _set(row: _Row, each: Any, value: Any) -> None:
    instance: Any = row.instance
    try:
        if value is None and not each.null:
            raise ValidationError(_("null is not allowed; leave the field out or write “”."))
        python = each.to_python(value)
        setattr(instance, each.attname, python)
        if python not in each.empty_values or not each.blank:
            each.clean(value, instance)
    except ValidationError as error:
        known = [str(choice) for choice, _label in each.flatchoices or ()]
        told = " ".join(error.messages)
        row.add(f"{told} {_('Use one of: %(words)s.') % {'words': ', '.join(known)}}" if known else told, each.name)


# Joining rows by their natural keys

_ByKey = dict[tuple[type[models.Model], tuple[str, ...]], _Row]


def _join(rows: list[_Row], tell: bool) -> None:
    """Set what rows refer to, as far as it is in the files, name each by its natural key, and tell what is missing."""
    by_key: _ByKey = {}
    waiting = rows
    while waiting:
        still = [row for row in waiting if not _is_joined(row, by_key)]
        if len(still) == len(waiting):
            break
        waiting = still
    if not tell:
        return
    known = by_key.keys() | {(type(row.instance), _expected_key(row)) for row in waiting}
    for row in waiting:
        for each, key in _missing(row, by_key):
            if (each.related_model, key) not in known:
                names = [_joined(other) for model, other in known if model is each.related_model]
                told = _("there is no %(kind)s “%(key)s” in these files.")
                told %= {"kind": each.related_model._meta.verbose_name, "key": _joined(key)}
                row.add(told + _nearest(_joined(key), names), each.name)


def _expected_key(row: _Row) -> tuple[str, ...]:
    """Return the natural key that a row will have when what it refers to is there."""
    instance: Any = row.instance
    if isinstance(instance, Article):
        topic = row.values.get("parent")
        return (str(topic[-1]) if isinstance(topic, list) and topic else "", instance.slug or slug_for(instance.title))
    return tuple(str(getattr(instance, name)) for name in getattr(instance, "natural_key_fields", ()))


def _is_joined(row: _Row, by_key: _ByKey) -> bool:
    """Set what the row refers to; return whether all of it is known, and the row with it."""
    if any(_missing(row, by_key)):
        return False
    instance: Any = row.instance
    for each in instance._meta.concrete_fields:
        if isinstance(each, SlugField) and each.source and not getattr(instance, each.attname):
            setattr(instance, each.attname, slug_for(getattr(instance, each.source)))
        elif isinstance(each, FoldedField):
            each.pre_save(instance, False)
    keys: list[tuple[str, ...]] = [(f"pk {row.pk}",)] if row.pk is not None else []
    if hasattr(instance, "natural_key"):
        row.key = tuple(map(str, instance.natural_key()))
        keys.append(row.key)
    for key in keys:
        first = by_key.setdefault((type(instance), key), row)
        if first is not row:
            row.add(_("%(place)s is the same row; rename one of them.") % {"place": _place(first.path, first.line)})
    return True


def _missing(row: _Row, by_key: _ByKey) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Set the foreign keys that are known; yield the others, with what they name."""
    for each in row.instance._meta.concrete_fields:
        value = row.values.get(each.name)
        if isinstance(each, models.ForeignKey) and value is not None and each.related_model._meta.app_label in OURS:
            key = tuple(map(str, value)) if isinstance(value, list) else (f"pk {value}",)
            if other := by_key.get((each.related_model, key)):
                setattr(row.instance, each.name, other.instance)
            else:
                yield each, key


def _find_doubled(rows: list[_Row]) -> None:
    """Say where rows have values that only one may have."""
    first: dict[tuple[Any, ...], _Row] = {}
    for row in rows:
        meta = row.instance._meta
        alone = [(each.name,) for each in meta.concrete_fields if each.unique and not each.primary_key]
        for names in [*alone, *(each.fields for each in meta.total_unique_constraints)]:
            values = [getattr(row.instance, name, None) for name in names]
            if row.key is None or None in values:
                continue
            same = tuple(id(value) if isinstance(value, models.Model) else value for value in values)
            other = first.setdefault((meta.label, names, same), row)
            if other is not row and other.key != row.key:
                told = _("%(place)s has the same value, which must be unique.")
                row.add(told % {"place": _place(other.path, other.line)}, ", ".join(names))


def _find_similar_keys(rows: list[_Row]) -> None:
    """Say which references have keys that a citation cannot tell apart."""
    first: dict[str, _Row] = {}
    for row in rows:
        if isinstance(row.instance, Reference) and row.key:
            other = first.setdefault(row.instance.key.lower(), row)
            if other.key != row.key:
                told = _("the key at %(place)s differs only in capitals, which citations ignore; choose another key.")
                row.add(told % {"place": _place(other.path, other.line)}, "key")


# What rows say of themselves, and what texts name


def _ask_the_model(row: _Row) -> None:
    instance: Any = row.instance
    for each in instance._meta.concrete_fields:
        if isinstance(each, models.ForeignKey) and not each.null and row.values.get(each.name) is None:
            row.add(_("this field is required."), each.name)
    if row.key is None or row.wrong:
        return
    try:
        if isinstance(instance, Tag):
            clean_tag_name(instance.name)
        else:
            instance.clean()
        if isinstance(instance, Publishable):
            _retires_after_publication(instance)
    except ValidationError as error:
        for name, told in error.message_dict.items() if hasattr(error, "error_dict") else [("", error.messages)]:
            row.add(" ".join(told), name)


def _retires_after_publication(row: Publishable) -> None:
    if row.publish_at and row.retire_at and row.retire_at <= row.publish_at:
        raise ValidationError({"retire_at": _("“Public until” must be later than “public from”.")})


def _read_text(row: _Row) -> None:
    """Say what in the text of an article or event does not reach readers as it was meant."""
    name = "body" if isinstance(row.instance, Article) else "text"
    if isinstance(row.instance, Article | Event):
        source = markdown.source(getattr(row.instance, name))
        if source.excess:
            row.add(str(source.excess), name)
        for fault in source.faults:
            row.add(f"{fault.what}: {fault.where}", _("%(field)s, line %(line)d") % {"field": name, "line": fault.line})


def _follow_texts(rows: list[_Row]) -> None:
    """Say which citations and links of articles and events lead nowhere."""
    keys = {row.instance.key.lower() for row in rows if isinstance(row.instance, Reference)}
    articles = [row.instance for row in rows if isinstance(row.instance, Article)]
    targets = LinkTargets(articles)
    for row in rows:
        sources = _sources_of(row.instance)
        beside = row.instance if isinstance(row.instance, Article) else None
        for key in dict.fromkeys(cited.key for source in sources for cited in source.citations):
            if key not in keys:
                told = _("it cites [@%(key)s], but there is no such reference.") % {"key": key}
                row.add(told + _nearest(key, keys), _line_of(f"@{key}", row.instance))
        for target in dict.fromkeys(target for source in sources for target in source.links):
            if targets.page(target, beside) is None:
                told = _("[[%(target)s]] does not lead to a page.") % {"target": target}
                titles = [each.title for each in articles] + [each.full_title.replace(" - ", "#") for each in articles]
                row.add(told + _nearest(target, titles), _line_of(target, row.instance))


def _sources_of(instance: models.Model) -> list[markdown.Source]:
    """Return what a row names in its texts, if it is of a kind that may name anything."""
    if isinstance(instance, Event):
        return [markdown.source(instance.text)]
    return sources_of(instance) if isinstance(instance, Article) else []


def _line_of(words: str, row: models.Model) -> str:
    """Return where these words stand in an article or event: in the text, the facts or the diagram."""
    if not isinstance(row, Article):
        return "text"
    place = row.body.find(words)
    if place < 0 and (row.facts or row.diagram):
        return "facts" if any(words in text for text in facts.texts_of(row.facts)) else "diagram"
    return f"body, line {row.body.count(chr(10), 0, max(place, 0)) + 1}"


def _place(path: Path, line: int) -> str:
    inside = path.resolve().is_relative_to(settings.BASE_DIR)
    return f"{path.resolve().relative_to(settings.BASE_DIR) if inside else path}:{line}"


def _nearest(name: str, known: Iterable[str]) -> str:
    """Return a sentence that asks whether another name was meant, if one is much like it."""
    near = get_close_matches(name, list(known), 1, 0.75)
    return " " + _("Did you mean “%(name)s”?") % {"name": near[0]} if near else ""


def _short(value: Any) -> str:
    text = " ".join((_joined(value) if isinstance(value, list) else str(value)).split())
    return text if len(text) <= 40 else f"{text[:40]}…"


def _joined(key: Iterable[Any]) -> str:
    return "/".join(str(part) for part in key if part not in {"", None})
