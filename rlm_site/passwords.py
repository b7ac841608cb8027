"""Rules for passwords beside Django's."""

import re
import unicodedata
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

SHORTEST_NAME = 3  # letters; shorter ones are in every text


class NameInPasswordValidator:
    """Refuses passwords that are made of names of the person or of the site, however often and in whatever case."""

    def __init__(self, min_length: int) -> None:
        self.min_length = min_length

    def validate(self, password: str, user: Any = None) -> None:
        rest = _folded(password)
        for name in _names(user):
            rest = rest.replace(name, "")
        if len(rest) < self.min_length <= len(password):
            raise ValidationError(self.get_help_text(), code="password_made_of_names")

    def get_help_text(self) -> str:
        return _(
            "Not counting your own names and the name of the site, your password must contain at least "
            "%(count)d characters."
        ) % {"count": self.min_length}


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _names(user: Any) -> list[str]:
    """Return the names and their parts, the longest first."""
    attributes = ("username", "first_name", "last_name", "email")
    texts = [settings.SITE_NAME, *(str(getattr(user, name, "") or "") for name in attributes)]
    parts = {part for text in map(_folded, texts) for part in (text, *re.split(r"[\W_]+", text))}
    return sorted((part for part in parts if len(part) >= SHORTEST_NAME), key=len, reverse=True)
