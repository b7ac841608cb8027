"""What two versions differ in, as HTML: tens of thousands of words, for which a loop in a template takes seconds."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def marked_parts(parts: Iterable[Any]) -> SafeString:
    """Return the words of a series with those removed and added marked; every space counts."""
    marks = _marks(get_language())
    return format_html_join("", "{}{}{}", ((marks[part.kind][0], part.shown, marks[part.kind][1]) for part in parts))


@lru_cache(maxsize=8)
def _marks(language: str | None) -> dict[str, tuple[str, str]]:
    """Return what stands before and after a part of each kind, in this language."""
    told = '<{0}><span class="visually-hidden">{1} </span>'
    return {
        "same": ("", ""),
        "removed": (format_html(told, "del", _("removed:")), format_html("</{}>", "del")),
        "added": (format_html(told, "ins", _("added:")), format_html("</{}>", "ins")),
    }
