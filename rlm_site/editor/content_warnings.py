"""Warnings about a text."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from rlm_site.text.mojibake import find_mojibake


class ContentWarning(NamedTuple):
    """One thing an editor should know before a text is reviewed or published."""

    what: str | Promise  # “No public page for the link”
    where: str = ""  # the words of the text it is about, such as `[[Yarle Valley]]`


def check_encoding(values: Iterable[tuple[str | Promise, Any]]) -> Iterator[ContentWarning]:
    """Yield a warning for each of these values, with the names of their fields, that was read in a wrong encoding."""
    for name, value in values:
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and (misread := find_mojibake(text)):
                told = _("%(field)s: this is probably “%(text)s”, read in a wrong encoding")
                yield ContentWarning(told % {"field": capfirst(str(name)), "text": misread.probably}, misread.found)
