"""Comments that editors write into a text, `<!-- like this -->`, which nobody else sees. Pure functions."""

import re
from bisect import bisect_right
from typing import NamedTuple

# What decides whether `<!--` begins a comment: an escaped sign, a block of code or code in a line, or nothing.
_MARK = re.compile(r"\\[\\`<]|`+|~{3,}|<!--")
_BACKTICKS = re.compile(r"`+")
_BEFORE_FENCE = " \t>-+*.)0123456789"
_OUTDENTED = re.compile(r"\n(?!    | {0,3}\t|[ \t]*(?:\n|\Z))")  # the end of what is indented as code
_STAND_IN = re.compile("\x1a([0-9]+)\x1a")


class Commented(NamedTuple):
    """A text without its comments.

    `kept` are those that may prove to be code and those that stand between paragraphs; a sign stands in for each.
    `moved` pairs a line with the number of lines that were taken out before it and those after it.
    """

    text: str
    kept: tuple[str, ...] = ()
    moved: tuple[tuple[int, int], ...] = ()
    open_line: int = 0  # of a comment that is never closed

    def line(self, number: int) -> int:
        """Return the number that a line of the text, counted from 1, has for the editor."""
        place = bisect_right(self.moved, number, key=lambda moved: moved[0])
        return number + (self.moved[place - 1][1] if place else 0)

    def restore(self, code: str) -> str:
        """Return code with the comments that turned out to be part of it."""
        return _STAND_IN.sub(lambda found: self.kept[int(found[1])], code)


def forget(text: str) -> str:
    """Return the text without what stands in for comments."""
    return _STAND_IN.sub("", text) if "\x1a" in text else text


def take_out(text: str, *, from_code: bool = False) -> Commented:
    """Take the comments out of a text, and out of its code only if asked to; a line with nothing else goes as well.

    >>> take_out("One <!-- check --> two.").text
    'One  two.'
    """
    text = text.replace("\r\n", "\n").replace("\x1a", "")
    if "<!--" not in text:
        return Commented(text)
    parts: list[str] = []
    kept: list[str] = []
    moved: list[tuple[int, int]] = []
    done = place = line = removed = open_line = 0
    while match := _MARK.search(text, place):
        start = match.start()
        if match[0] != "<!--":
            place = match.end() if from_code else _end_of_code(text, match)
            continue
        end = text.find("-->", start + 2)
        place = end + 3 if end >= 0 else len(text)
        line_start, line_end = text.rfind("\n", 0, start) + 1, _end_of_line(text, place)
        indent = text[line_start : _after_spaces(text, line_start)]
        has_lines = line_start + len(indent) == start and _after_spaces(text, place) == line_end
        is_apart = has_lines and _is_blank(text, line_start - 1) and _is_blank(text, line_end + 1)
        is_indented = len(indent.expandtabs(4)) > 3 and not _OUTDENTED.search(text, start, place)
        is_kept = not from_code and (is_apart or is_indented)
        if has_lines and not is_kept:
            start, place = line_start, min(line_end + 1, len(text))
        line += text.count("\n", done, start)
        if end < 0:
            open_line = line + removed + 1
        parts.append(text[done:start])
        if is_kept:
            parts.append(f"\x1a{len(kept)}\x1a")
            kept.append(text[start:place])
        removed += text.count("\n", start, place)
        moved.append((line + (1 if has_lines and not is_kept else 2), removed))
        done = place
    return Commented("".join([*parts, text[done:]]), tuple(kept), tuple(moved), open_line)


def _is_blank(text: str, place: int) -> bool:
    """Return whether the line at this place is blank, or outside of the text."""
    if not 0 <= place < len(text):
        return True
    start = text.rfind("\n", 0, place) + 1
    return _after_spaces(text, start) == _end_of_line(text, place)


def _after_spaces(text: str, place: int) -> int:
    while text.startswith((" ", "\t"), place):
        place += 1
    return place


def _end_of_line(text: str, place: int) -> int:
    end = text.find("\n", place)
    return end if end >= 0 else len(text)


def _end_of_code(text: str, match: re.Match[str]) -> int:
    """Return where the code ends that begins here: a block at its closing line, in a line at as many signs again."""
    signs, end = match[0], match.end()
    line_end = _end_of_line(text, end)
    before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
    if signs[0] == "\\":
        return end
    if len(signs) > 2 and not before.strip(_BEFORE_FENCE) and (signs[0] == "~" or "`" not in text[end:line_end]):
        return _end_of_block(text, signs, line_end)
    runs = _BACKTICKS.finditer(text, end, line_end) if signs[0] == "`" else ()
    return next((run.end() for run in runs if run[0] == signs), end)


def _end_of_block(text: str, signs: str, line_end: int) -> int:
    while line_end < len(text):
        start, line_end = line_end + 1, _end_of_line(text, line_end + 1)
        line = text[start:line_end].strip(" \t>")
        if line.startswith(signs) and not line.strip(signs[0]):
            return line_end
    return len(text)
