"""An article with what is typed in its form, saved or not, whatever is still wrong with the form."""

from collections.abc import Mapping
from contextlib import suppress
from copy import copy
from typing import Any

from articles import diagrams
from articles.models import Article
from quotes.models import Person
from rlm_site.editor.rows import Column, RowsInput, from_text
from rlm_site.fields import RowsField
from rlm_site.history.drafts import Draft
from rlm_site.tags.parsing import parse_tags
from rlm_site.text.limits import MAX_TAGS
from rlm_site.text.slugs import slug_for

_FIELDS: dict[str, Any] = {name: Article._meta.get_field(name) for name in Article.versioned_fields}
ROWS = {name: field for name, field in _FIELDS.items() if isinstance(field, RowsField)}
CHOICES = {name: dict(field.flatchoices) for name, field in _FIELDS.items() if getattr(field, "choices", None)}
TEXTS = tuple(name for name in _FIELDS if name not in {*ROWS, *CHOICES, "person", "diagram"})
MAX_LENGTHS = {name: getattr(_FIELDS[name], "max_length", None) for name in TEXTS}


def with_form_values(draft: Draft[Article], form: Mapping[str, Any]) -> Draft[Article]:
    """Return the article with the fields of the form laid over it; what makes no sense leaves it as it is."""
    article, tags = copy(draft.row), draft.tags
    typed = {name: str(value).replace("\r\n", "\n").replace("\0", "") for name, value in form.items()}
    for name in TEXTS:
        if name in typed:
            setattr(article, name, typed[name][: MAX_LENGTHS[name]])
    for name, choices in CHOICES.items():
        if typed.get(name) in choices:
            setattr(article, name, typed[name])
    for name, field in ROWS.items():
        rows = RowsInput([Column(column, "") for column in field.columns])
        if not rows.value_omitted_from_data(typed, {}, name):
            setattr(article, name, from_text(rows.value_from_datadict(typed, {}, name)) or [])
    if "diagram" in typed:
        with suppress(ValueError, RecursionError):  # JSON that is not finished yet
            article.diagram = diagrams.from_text(typed["diagram"])
    if _is_number(typed.get("person", "")) or typed.get("person") == "":
        article.person = Person.objects.filter(pk=int(typed["person"] or 0)).first()
    if _is_number(typed.get("position", "")):
        article.position = int(typed["position"])
    if "parent" in typed:
        article.parent = _topic(typed["parent"], article)
    if "tags" in typed:
        with suppress(ValueError):  # a quotation mark that is not closed yet
            tags = parse_tags(typed["tags"])[:MAX_TAGS]
    if typed.get("slug") or not article.slug:
        article.slug = slug_for(typed.get("slug") or article.title)
    return Draft(article, tags, draft.working_copy)


def _topic(key: str, article: Article) -> Article | None:
    if not _is_number(key):
        return None
    if article.parent and article.parent_id == int(key):
        return article.parent
    return Article.objects.topics().exclude(pk=article.pk).filter(pk=int(key)).first()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
