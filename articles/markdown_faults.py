"""What in a text does not reach readers as it was meant, each with its remedy. Pure functions."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MAX_SHOWN = 60  # characters of the place
# What stands in a line for all that is no text: for an address, and for code, an escaped sign, a citation
ADDRESS, OPAQUE = "\ufffb", "\ufffc"


class Fault(NamedTuple):
    """A fault, the line on which it stands, and the words that it is about."""

    what: str | Promise
    line: int
    where: str


# Of notes
UNDEFINED_NOTE = _("A note that is not written: readers see its sign. Write [^name]: and the note in a line of its own")
UNUSED_NOTE = _("A note that nothing points to: readers do not see it. Write its sign where it belongs")
SECOND_NOTE = _("A second note of the same name: readers see only the first. Give it another name")
EMPTY_NOTE = _("A note without words. Write them after the colon")
# Of links
UNUSED_ADDRESS = _("An address that no link uses: readers do not see this line. If it is text, write \\[ for the [")
SECOND_ADDRESS = _("A second address of the same name: links lead to the first. Give it another name")
NO_ADDRESS = _("A link without an address. Write it between the brackets")
OTHER_SCHEME = _("A link that readers see as plain words. Use an address with https, http, mailto, tel or ftp")
NO_SUCH_ADDRESS = _("A link that readers see as plain words: there is no such address. Copy it from the browser")
NO_SCHEME = _("A link to a place beside this page. Begin an address with https://, and one of this site with /")
NO_SUCH_PLACE = _("A link to a place that this page does not have. Headings are its places: #words-of-the-heading")
IMAGE = _("Images are not shown: readers see the words in the brackets. Describe it in the text, or link it without !")
# Of the rest
ATTRIBUTE = _("Only a language may stand in the braces, such as {lang=ru}: the rest is dropped")
LOST_CELLS = _(
    "The row has more cells than the head of the table: readers do not see the last. In a cell, write \\| for |"
)
OPEN_CODE = _(
    "A block of code that is not closed: all that follows is shown as code. Close it with a line of ``` or ~~~"
)
BESIDE_CODE = _("Readers do not see what stands behind the signs of a block of code. Put the words into the next line")
OPEN_COMMENT = _("A comment that is not closed: readers see nothing of what follows. Write --> where it ends")
FRONT_MATTER = _(
    "Readers see this as text: there is no front matter here. Use the fields of the form and delete the lines"
)

# Of what is left as text although it looks like a construct
LOOSE_BRACKETS = _("Not read as a link or a citation: readers see the brackets. Write [[Title]] or [@key, p. 42]")
LOOSE_NOTE = _("Not read as a note: readers see the brackets. Close it with ]")
LOOSE_LINK = _("Not read as a link: readers see the brackets. Write [words](https://…), with no space in the address")
LOOSE_ADDRESS = _(
    "Not read as the address of a link: readers see it. Put it below an empty line, with nothing behind it"
)
HTML = _("HTML is shown as it is typed. Use the signs of Markdown, or delete it")
ENTITY = _("No character has this name: readers see it as it is typed. Type the character itself")
BRACES = _("Readers see these braces: only [words]{lang=ru} has an effect. Delete them")
EMPHASIS = _(
    "Signs of emphasis without their counterparts: readers see them. Put them close to the words, at both ends"
)
LONE_SIGN = _(
    "A sign before a word and none behind it, or the reverse: readers see it. Put one at both ends, or write \\* for *"
)
LONE_BACKTICK = _("Not read as code: readers see the sign. Write as many behind it, or ’ for an apostrophe")
ONE_TILDE = _("One ~ has no effect: readers see it. Write ~~words~~ for what is struck out")
OTHER_SIGNS = _("No text is raised, lowered or marked: readers see the signs. Write m², or *words* for emphasis")
NO_HEADING = _("Not read as a heading: readers see the #. Write one to six, and a space after them")
DEFINITION = _("There are no lists of definitions: readers see the sign. Write a list, with the terms in **bold**")
TASK = _("There are no lists of tasks: readers see the brackets. Write a plain list")
BOX = _("There are no boxes for remarks: readers see the signs. Begin a quoted passage, >, with a word in **bold**")
NO_TABLE = _(
    "Not read as a table: readers see the signs. Below its head it needs a line of dashes with as many cells, |---|---|"
)
NO_LIST = _("Not read as a list: readers see the sign. Put a space after it")

_ANYWHERE = (
    (re.compile(r"\[\[|\[@"), LOOSE_BRACKETS),
    (re.compile(r"\[\^[^\[\]\n]*\]"), UNDEFINED_NOTE),
    (re.compile(r"\^\["), LOOSE_NOTE),
    (re.compile(r"\]\(|\]\[|\] \((?=[/#\ufffb])"), LOOSE_LINK),
    (re.compile(r"</?[A-Za-z][^<>]*>|(?<!\w)</?[A-Za-z][A-Za-z0-9-]*(?=[\s/>]|\Z)|<\?|<![A-Za-z\[]"), HTML),
    (re.compile(r"&#?[A-Za-z0-9]{2,32};"), ENTITY),
    (re.compile(r"\{[#.][^{}\n]*\}|\{[A-Za-z-]+=[^{}\n]*\}|\{\{[^{}\n]*\}\}|\{[A-Za-z:_-]+\}(?=\ufffc)"), BRACES),
    (re.compile(r"\*\*|__(?=[^\W_])|~~"), EMPHASIS),
    (re.compile(r"(?<![\w*])\*(?=[\"'“‘«(]?[^\W\d_])|(?<!\S)\*\s[^*]*[^\W\d_]\*(?!\w)"), LONE_SIGN),
    (re.compile(r"(?<![\w_])_(?=[\"'“‘«(]?[^\W\d_])|(?<=[^\W_])_+(?!\w)"), LONE_SIGN),
    (re.compile(r"`+"), LONE_BACKTICK),
    (re.compile(r"(?<![\w~])~[^~\s](?:[^~\n]*[^~\s])?~(?![~\w])|(?<![\w~])~[^~\s]*\w~(?=\w)"), ONE_TILDE),
    (re.compile(r"(?<=\w)~[^~\s]+~(?!~)|\^[^\^\s\[\]]+\^|(?<!=)==[^=\s][^=\n]*=="), OTHER_SIGNS),
)
_AT_LINE_START = (
    (re.compile(r"\A(?:#{1,6}[^\W\d_]|#{7,}\s)"), NO_HEADING),
    (re.compile(r"\A(?::[ \t]+\S|~[ \t]+[^\W\d_])"), DEFINITION),
    (re.compile(r"\A\[[ xX]\]\s"), TASK),
    (re.compile(r"\A\[[^\[\]^]+\]:[ \t]*(?:[/#<\ufffb]|\Z)"), LOOSE_ADDRESS),
    (re.compile(r"\A(?:\[![A-Za-z]+\]|:{3,}|!!!\s)"), BOX),
    (re.compile(r"\A(?:\|?[ :]*-[-: ]*\||\|[^|]*\|)"), NO_TABLE),
    (re.compile(r"\A(?:[-+•][^\W\d_]|[0-9]{1,3}\)[^\W\d_])"), NO_LIST),
)
_SIGNS = re.compile(r"[\[\]<&{*_~`^=]")
_FIELD = re.compile(r"---[ \t]*\n\s*\w+:")


_SHOWN = str.maketrans({ADDRESS: "…", OPAQUE: "…"})


def excerpt(text: str) -> str:
    """Return the beginning of a place on one line."""
    words = " ".join(text[: 2 * MAX_SHOWN].translate(_SHOWN).split())
    return words if len(words) <= MAX_SHOWN else words[: MAX_SHOWN - 1] + "…"


def faults_of_line(text: str, line: int) -> Iterator[Fault]:
    """Yield what readers see of a line as it was typed, none of it code or escaped."""
    for pattern, told in _AT_LINE_START:
        if pattern.match(text):
            yield Fault(told, line, excerpt(text))
    if not _SIGNS.search(text):
        return
    for pattern, told in _ANYWHERE:
        for match in pattern.finditer(text):
            yield Fault(told, line, excerpt(text[match.start() : max(match.end(), match.start() + 40)]))


def has_front_matter(text: str) -> bool:
    """Return whether a text begins with fields between lines of dashes."""
    return bool(_FIELD.match(text)) and "\n---" in text[4:]
