#!/usr/bin/env python
"""What of published examples of Markdown does not reach readers: words lost, tags crossed, signs laid bare.

    python benchmarks/markdown_examples.py PATH… [--all]

Reads the examples of CommonMark as JSON (`spec.json`, a list of `markdown` and `html`), texts with blocks of
"example" (`spec.txt` of CommonMark and of GitHub), and fixtures of parsers in which lines with a single dot stand
between a title, what is typed and the HTML. Each is rendered as a text of this site. A deviation is

    lost      a word of the example that readers do not see, that is in no address, title or language, and not among
              what the check beside the form says; or that the published HTML shows more often than the site does
    crossed   a tag that is not closed, or not in order
    bare      a sign that readers see, outside of code, and that the published HTML does not show

and counts as named if the check beside the form says something of the example; the others are printed, and all with
--all. Comments, numbers of lists, names of notes and links and the languages of code are not for readers.
"""

import argparse
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django

import rlm_site.testing.variables  # noqa: F401 - sets them, so that no .env is needed

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rlm_site.settings")

django.setup()

from articles import markdown

EMPTY = {"br", "hr", "img", "input"}
FENCE = "`" * 32
SIGNS = re.compile(r"[*_~`\[\]{}<>|^#]")
WORD = re.compile(r"[^\W_]+")
NO_TEXT = (  # what readers are not meant to see
    re.compile(r"<!-->|<!--->|<!--[\s\S]*?(?:-->|\Z)"),  # comments
    re.compile(r"<br ?/?>|\[\^[^\[\]\s]+\]:?"),  # line breaks, and the names of notes
    re.compile(r"^[ \t>*+-]*(?:[0-9]{1,9}[.)][ \t>*+-]*)+(?=\s|$)", re.MULTILINE),  # numbers of lists
    re.compile(r"(?<=\])\[[^\[\]]*(?:\\\[)?\](?!:)|^ {0,3}\[(?!\^)[^\[\]]+\]:", re.MULTILINE),  # labels of links
    re.compile(r"^[ \t>*+-]*(?:`{3,}|~{3,})[ \t]*\S+[ \t]*$", re.MULTILINE),  # languages of code
)
KINDS = ("lost", "crossed", "bare")


class Example(NamedTuple):
    place: str
    typed: str
    html: str


class Shown(HTMLParser):
    """What readers see of HTML, what its attributes say, and whether its tags stand in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.code: list[str] = []
        self.attributes: list[str] = []
        self.crossed: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.crossed += [f"<{tag}> is not closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [unquote(value or "") for _name, value in attrs]
        self.text += [value or "" for name, value in attrs if name == "alt"]
        if tag not in EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()
        elif tag not in EMPTY:
            self.crossed.append(f"</{tag}> closes {self._open[-1:] or 'nothing'}")

    def handle_data(self, data: str) -> None:
        (self.code if {"code", "pre"} & set(self._open) else self.text).append(data)

    @property
    def words(self) -> Counter[str]:
        return words([*self.text, *self.code])


def words(texts: Iterable[str]) -> Counter[str]:
    """Count words, those of addresses and of characters by name as they are read."""
    return Counter(WORD.findall(unescape(unquote("\n".join(texts))).casefold()))


def examples(path: Path) -> Iterator[Example]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        for row in json.loads(text):
            yield Example(f"{path.name} {row['example']}", row["markdown"], row["html"])
    elif f"\n{FENCE} example" in text:
        for block in re.finditer(rf"^{FENCE} example.*\n([\s\S]*?)^\.\n([\s\S]*?)^{FENCE}$", text, re.MULTILINE):
            line = text.count("\n", 0, block.start()) + 1
            yield Example(f"{path.name}:{line}", block[1].replace("→", "\t"), block[2].replace("→", "\t"))
    else:
        for block in re.finditer(r"^\.\n([\s\S]*?)^\.\n([\s\S]*?)^\.$", text, re.MULTILINE):
            yield Example(f"{path.name}:{text.count(chr(10), 0, block.start()) + 1}", block[1], block[2])


def deviations(example: Example) -> Iterator[tuple[str, str]]:
    """Yield the kind of each deviation and what it is about."""
    rendered = markdown.render(example.typed)
    html = f"{rendered.html}\n" + "\n".join(f"<div>{note.html}</div>" for note in rendered.notes)
    ours, theirs = Shown(html), Shown(NO_TEXT[0].sub("", example.html))
    told = " ".join(fault.where for fault in markdown.source(example.typed).faults)
    typed = example.typed
    for pattern in NO_TEXT:
        typed = pattern.sub(" ", typed)
    known = words([*ours.attributes, told]).keys() | ours.words.keys()
    lost = [word for word in words([typed]) if word not in known]
    lost += [word for word in theirs.words - ours.words if word not in told.casefold() and word not in lost]
    for word in dict.fromkeys(lost):
        yield "lost", word
    for tag in ours.crossed:
        yield "crossed", tag
    bare = Counter(SIGNS.findall("".join(ours.text))) - Counter(SIGNS.findall("".join(theirs.text)))
    if bare:
        yield "bare", "".join(sorted(bare))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH")
    parser.add_argument("--all", action="store_true", help="also print what the check beside the form reports")
    args = parser.parse_args()
    for path in args.paths:
        found = list(examples(path))
        counts: Counter[tuple[str, bool]] = Counter()
        for example in found:
            faults = markdown.source(example.typed).faults
            for kind, what in deviations(example):
                counts[kind, bool(faults)] += 1
                if args.all or not faults:
                    named = "; ".join(f"{fault.line}: {fault.what}" for fault in faults)
                    print(f"  {example.place} {kind} {what!r}: {example.typed[:300]!r}{f' — {named}' if named else ''}")
        said = ", ".join(f"{kind} {counts[kind, False]} (and {counts[kind, True]} named)" for kind in KINDS)
        print(f"{path.name}: {len(found)} examples; {said}")


if __name__ == "__main__":
    main()
