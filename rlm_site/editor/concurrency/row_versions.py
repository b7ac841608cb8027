"""Etags of rows: a page that lists rows carries them, signed, to be compared before anything is done."""

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Max, Model

from rlm_site.history.models import Revision
from rlm_site.page_cache import versions, watch
from rlm_site.publishing.models import Publishable
from rlm_site.tags.models import Tag

SALT = "rlm_site.editing.digests"
ETAGS_FIELD = "seen"  # the field of a page's form that has them
Etags = dict[str, dict[str, str]]  # by model and key


def etags_of(rows: Iterable[Model]) -> Etags:
    """Return the etags of those rows that pages show: of columns, tags and newest version. A few queries a model."""
    found: Etags = {}
    by_model: dict[type[Model], list[Model]] = {}
    for row in rows:
        if row._meta.db_table in watch.WATCHED:
            by_model.setdefault(type(row), []).append(row)
    for model, same in by_model.items():
        beside = _related_values(model, [row.pk for row in same])
        found[model._meta.label_lower] = {str(row.pk): _etag(row, beside.get(row.pk, [])) for row in same}
    return found


def etags_of_keys(model: type[Model], keys: Sequence[Any]) -> Etags:
    return etags_of(model._base_manager.filter(pk__in=keys))


def content_etag() -> str:
    """Another one after anything was changed anywhere: for whoever chooses rows that the page does not list."""
    newest = Revision.objects.aggregate(newest=Max("pk"))["newest"]
    return f"{versions.read_versions().versions.get('all', '')} {newest}"


def sign(found: Etags, mark: str = "") -> str:
    return signing.dumps([found, mark], salt=SALT, compress=True)


def unsign(text: str) -> tuple[Etags, str]:
    """Nothing where it was not signed here: then every row counts as changed."""
    try:
        found, mark = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        return {}, ""
    return found, mark


def changed_rows(rows: Iterable[Model], seen: Etags) -> list[Model]:
    """Return the rows that a page did not show as they are now."""
    rows = list(rows)
    now = etags_of(rows)
    return [row for row in rows if _etag_of(now, row) != _etag_of(seen, row)]


def _etag_of(found: Mapping[str, Mapping[str, str]], row: Model) -> str:
    return found.get(row._meta.label_lower, {}).get(str(row.pk), "")


def _etag(row: Model, beside: list[Any]) -> str:
    values = [field.value_from_object(row) for field in row._meta.concrete_fields]
    text = json.dumps([values, sorted(map(str, beside))], cls=DjangoJSONEncoder, sort_keys=True)
    return blake2b(text.encode(), digest_size=9).hexdigest()


def _related_values(model: type[Model], keys: Sequence[Any]) -> dict[Any, list[Any]]:
    """Return what belongs to the rows in other tables: tags, and the number of the newest version."""
    found: dict[Any, list[Any]] = {}
    for through in Tag.through_models():
        if through._meta.get_field("content_object").related_model is model:
            for key, tag in through.objects.filter(content_object__in=keys).values_list("content_object_id", "tag_id"):
                found.setdefault(key, []).append(tag)
    if issubclass(model, Publishable):
        revisions = Revision.objects.filter(
            content_type=ContentType.objects.get_for_model(model), object_id__in=keys
        ).order_by()
        for version in revisions.values("object_id").annotate(newest=Max("number")):
            found.setdefault(version["object_id"], []).append(f"version {version['newest']}")
    return found
