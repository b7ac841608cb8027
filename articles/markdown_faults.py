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
UNDEFINED_NOTE = _("This note has no text, so readers see its marker. Write [^name]: and the text on a line of its own")
UNUSED_NOTE = _("Nothing refers to this note, so readers do not see it. Put its marker into the text")
SECOND_NOTE = _("Two notes have the same name, and readers see only the first. Rename one of them")
EMPTY_NOTE = _("This note is empty. Write its text after the colon")
# Of links
UNUSED_ADDRESS = _(
    "No link uses this address, so readers do not see this line. If it is meant as text, write \\[ for ["
)
SECOND_ADDRESS = _("Two addresses have the same name, and links use the first. Rename one of them")
NO_ADDRESS = _("This link has no address. Write it between ( and )")
OTHER_SCHEME = _("Readers see this link as plain text. Use an https, http, mailto, tel or ftp address")
NO_SUCH_ADDRESS = _("Readers see this link as plain text, because its address is not valid. Copy it from the browser")
NO_SCHEME = _("This address is relative to the page. Begin it with https://, or with / if it is on this site")
NO_SUCH_PLACE = _("This page has nothing at this link. Link to one of its headings: #words-of-the-heading")
IMAGE = _(
    "Images are not shown; readers see the words in the brackets. Describe the image, or remove the ! to link to it"
)
# Of the rest
ATTRIBUTE = _("Only a language is allowed in braces, such as {lang=ru}. The rest is ignored")
LOST_CELLS = _(
    "This row has more cells than the table header, so readers do not see the last ones. In a cell, write \\| for |"
)
OPEN_CODE = _("This code block is not closed, so all that follows is shown as code. Close it with a line of ``` or ~~~")
BESIDE_CODE = _("Readers do not see what follows the opening ``` or ~~~ of a code block. Put it on the next line")
OPEN_COMMENT = _("This comment is not closed, so readers see nothing after it. Write --> where it ends")
FRONT_MATTER = _(
    "Front matter is not supported, so readers see it as text. Use the fields of the form and delete these lines"
)

# Of what is left as text although it looks like a construct
LOOSE_BRACKETS = _("Not a valid link or citation, so readers see the brackets. Write [[Title]] or [@key, p. 42]")
LOOSE_NOTE = _("Not a valid note, so readers see the brackets. Close it with ]")
LOOSE_LINK = _("Not a valid link, so readers see the brackets. Write [words](https://…), with no space in the address")
LOOSE_ADDRESS = _(
    "Not a valid link address, so readers see it. Put it after a blank line, with nothing else on the line"
)
HTML = _("HTML is shown as typed. Use Markdown instead, or delete it")
ENTITY = _("No character has this name, so readers see it as typed. Type the character itself")
BRACES = _("Readers see these braces, because only [words]{lang=ru} has an effect. Delete them")
EMPHASIS = _("These emphasis marks are not paired, so readers see them. Put them directly before and after the words")
LONE_SIGN = _("This mark is on one side of a word only, so readers see it. Put one on both sides, or write \\* for *")
LONE_BACKTICK = _(
    "Not valid code, so readers see the backtick. Close it with as many backticks, or type ’ for an apostrophe"
)
ONE_TILDE = _("A single ~ has no effect, so readers see it. Write ~~words~~ to strike words out")
OTHER_SIGNS = _(
    "Superscript, subscript and highlighting are not supported, so readers see the marks. Write m², or *words*"
)
NO_HEADING = _("Not a valid heading, so readers see the #. Write one to six, and a space after them")
DEFINITION = _("Definition lists are not supported, so readers see the mark. Use a list, with the terms in **bold**")
TASK = _("Task lists are not supported, so readers see the brackets. Use a plain list")
BOX = _("Callouts are not supported, so readers see the marks. Begin a block quotation, >, with a word in **bold**")
NO_TABLE = _(
    "Not a valid table, so readers see the marks. Below its header, add a line of dashes with as many cells: |---|---|"
)
NO_LIST = _("Not a valid list, so readers see the mark. Put a space after it")

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
