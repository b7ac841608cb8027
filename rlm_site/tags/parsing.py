from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from rlm_site.tags.models import Tag
from rlm_site.text.folding import fold_name


def parse_tags(text: str) -> list[str]:
    """Parse names separated by commas; a name may contain spaces and, within quotation marks, commas.

    >>> parse_tags('free software, "Ochota, Warsaw", free software')
    ['free software', 'Ochota, Warsaw']

    Raises ValueError when a quotation mark is not closed. static/js/tags.js parses the same way.
    """
    names: list[str] = []
    name, quoted = "", False
    for char in text.replace("\n", ","):
        if char == '"':
            quoted = not quoted
        elif char == "," and not quoted:
            names.append(name)
            name = ""
        else:
            name += char
    if quoted:
        raise ValueError(_("A closing quotation mark is missing."))
    unique: dict[str, str] = {}
    for candidate in [*names, name]:
        candidate = " ".join(candidate.split())
        if candidate:
            unique.setdefault(fold_name(candidate), candidate)
    return list(unique.values())


def format_tags(tags: Iterable[Tag]) -> str:
    """Format tags for a form field; `parse_tags` is the inverse."""
    return ", ".join(
        f'"{tag.name}"' if "," in tag.name else tag.name for tag in sorted(tags, key=lambda tag: fold_name(tag.name))
    )


def clean_tag_name(name: str) -> str:
    """Normalize a name. Raises ValidationError where it could not be typed again, or has nothing to fold."""
    name = " ".join(name.split())
    if '"' in name:
        raise ValidationError(_("A tag cannot contain straight quotation marks. Use “ and ” instead."))
    if not any(char.isalnum() for char in name):
        raise ValidationError(_("Enter a name with at least one letter or digit."))
    return name
