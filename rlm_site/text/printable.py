"""The rule of what text may be stored: everything that can be printed, and nothing that breaks what is made of it.

What other programs put in place of a line break becomes one, and a byte order mark goes. Control characters, halves of
pairs, noncharacters, the sign of a lost character, and marks that turn the direction of what follows are refused: XML
and databases cannot hold them, or readers would see something else than is written.
"""

import re
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# First and last of each range.
REFUSED = (
    *((0x00, 0x08), (0x0B, 0x0C), (0x0E, 0x1F), (0x7F, 0x9F)),  # control characters, but for tab and line breaks
    *((0x2028, 0x2029), (0x202A, 0x202E), (0x2066, 0x2069)),  # separators; embeddings, overrides and isolates
    *((0xD800, 0xDFFF), (0xFDD0, 0xFDEF), (0xFFF9, 0xFFFB), (0xFFFD, 0xFFFF)),
    *((plane + 0xFFFE, plane + 0xFFFF) for plane in range(0x10000, 0x110000, 0x10000)),
)
_RANGES = [f"{chr(first)}-{chr(last)}" for first, last in REFUSED]
# All beyond the first plane is looked at twice: each of its ranges would else cost as much as all others together.
_CANDIDATES = "".join(text for text in _RANGES if text < "\U00010000") + "\U00010000-\U0010ffff"
_REFUSED = re.compile(f"[{_CANDIDATES}](?<=[{''.join(_RANGES)}])")
_LINE_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_CONTEXT = 20  # characters before a refused one, by which it is found


class Refused(NamedTuple):
    """The first character of a text that is refused, and where it stands."""

    code: int
    line: int
    column: int
    after: str

    def __str__(self) -> str:
        place = _("Line %(line)d, character %(column)d") if self.line > 1 else _("Character %(column)d")
        told = _("%(place)s is U+%(code)04X, which cannot be printed.") % {
            "place": place % {"line": self.line, "column": self.column},
            "code": self.code,
        }
        remedy = _("Delete it or type it again; it follows “%(after)s”.") % {"after": self.after}
        return f"{told} {remedy}" if self.after else f"{told} {_('Delete it or type it again.')}"


def with_line_breaks(text: str) -> str:
    """Return the text with plain line breaks for those of other systems, of word processors and of pages."""
    if text.isprintable():
        return text
    return _LINE_BREAK.sub("\n", text).replace("\ufeff", "")


def on_one_line(text: str) -> str:
    """Return the text with spaces for line breaks."""
    return with_line_breaks(text).replace("\n", " ")


def find_refused(text: str) -> Refused | None:
    """Return the first character that may not be stored."""
    match = _REFUSED.search(text)
    if match is None:
        return None
    start = text.rfind("\n", 0, match.start()) + 1
    after = text[max(start, match.start() - _CONTEXT) : match.start()].strip()
    return Refused(ord(match[0]), text.count("\n", 0, start) + 1, match.start() - start + 1, after)


def validate_printable(text: Any) -> None:
    """Raise ValidationError, which names the character and its place, where a text may not be stored as it is."""
    if isinstance(text, str) and (refused := find_refused(with_line_breaks(text))):
        raise ValidationError("%(refused)s", params={"refused": refused}, code="unprintable")


def harmless(text: str) -> str:
    """Return what was stored past the rule as it may be shown. The sign of a lost character stays: it can be seen."""
    if text.isprintable():
        return text
    return _REFUSED.sub(lambda found: found[0] if found[0] == "\ufffd" else "", with_line_breaks(text))


def harmless_within(value: Any) -> Any:
    """Return JSON with all its texts made harmless."""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, list):
        return [harmless_within(item) for item in value]
    if isinstance(value, dict):
        return {harmless(name): harmless_within(item) for name, item in value.items()}
    return value
