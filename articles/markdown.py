"""Rendering of editors' Markdown as safe HTML with headings and notes. Pure functions, cached by input.

CommonMark with tables, footnotes, typographic quotes and dashes, and three extensions:

- `[[Title]]`, `[[Title|text]]`, `[[Topic#Section]]` link pages of the site;
- `[@key, p. 42; @other]` cites references; citations and footnotes are numbered in one series;
- a paragraph `Table: caption` directly above a table is its caption; `[слово]{lang=ru}` sets a language.

Only this module imports the Markdown library and the sanitizer.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any, NamedTuple

import nh3
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.attrs import attrs_plugin
from mdit_py_plugins.footnote import footnote_plugin

from rlm_site.text.slugs import slug_for

# The allowlist of the sanitizer: tag -> attributes.
ALLOWED: dict[str, set[str]] = {
    "p": set(), "br": set(), "hr": set(), "em": set(), "strong": set(), "s": set(), "code": set(), "pre": set(),
    "blockquote": set(), "ul": set(), "ol": {"start"}, "li": {"id"}, "sup": {"class"}, "span": {"lang"},
    "h2": {"id"}, "h3": {"id"}, "h4": {"id"}, "h5": {"id"}, "h6": {"id"},
    "a": {"href", "id", "title", "class", "aria-label"},
    "div": {"class", "role", "tabindex", "aria-label"},
    "table": set(), "caption": set(), "thead": set(), "tbody": set(), "tr": set(), "th": {"scope"}, "td": set(),
}  # fmt: skip
ALLOWED_SCHEMES = {"http", "https", "mailto"}
# Ids used by the page around the text.
PAGE_IDS = frozenset({"main", "contents", "notes", "quotations", "cite", "search", "q"})

_WIKI_LINK = re.compile(r"\[\[([^\[\]|\n]+)(?:\|([^\[\]\n]+))?\]\]")
_CITATION = re.compile(r"\[(@[^\[\]\n]+)\]")
_CITED = re.compile(r"@([A-Za-z0-9][A-Za-z0-9_-]*)(?:\s*,\s*(.+))?$", re.DOTALL)
_CAPTION = re.compile(r"Table:\s+")


class Heading(NamedTuple):
    level: int
    id: str
    text: str


class Cited(NamedTuple):
    """One source in a citation: the key of a reference, and the place cited."""

    key: str
    place: str = ""


class Note(NamedTuple):
    """A numbered note. `back_links` are the ids of its markers in the text."""

    number: int
    html: SafeString
    back_links: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"note-{self.number}"

    def lettered_back_links(self) -> list[tuple[str, str]]:
        """Return (id, letter) of each marker; the letter is empty if there is only one."""
        if len(self.back_links) == 1:
            return [(self.back_links[0], "")]
        return [(link, chr(ord("a") + place % 26)) for place, link in enumerate(self.back_links)]


class Rendered(NamedTuple):
    html: SafeString
    headings: tuple[Heading, ...]
    notes: tuple[Note, ...]


class Passage(NamedTuple):
    """The text from one heading to the next; the part before the first heading has an empty one."""

    heading: str
    words: int
    has_citation: bool


class Source(NamedTuple):
    """The references and words of a text, before anything is looked up."""

    links: tuple[str, ...]  # targets of wiki links: `Title` or `Topic#Section`
    citations: tuple[Cited, ...]
    headings: tuple[Heading, ...]
    passages: tuple[Passage, ...]
    plain: str  # the words alone, for search and matching
    words: int


@lru_cache(maxsize=4096)
def render(
    text: str, links: tuple[tuple[str, str], ...] = (), references: tuple[tuple[str, str], ...] = ()
) -> Rendered:
    """Render the text.

    `links` pairs targets with addresses; other targets are rendered as plain text. `references` pairs keys with the
    HTML of a note, where `{place}` stands for the place cited.
    """
    env = _parse(text)
    env.links, env.references = dict(links), dict(references)
    html = _MARKDOWN.renderer.render(env.tokens, _MARKDOWN.options, env.as_dict())
    notes = tuple(
        Note(number, _clean(_note_html(key, env)), tuple(markers))
        for number, (key, markers) in enumerate(env.notes.items(), 1)
    )
    return Rendered(_clean(html), tuple(env.headings), notes)


@lru_cache(maxsize=4096)
def source(text: str) -> Source:
    """Return what must be looked up before the text can be rendered, and its words."""
    env = _parse(text)
    links, citations = [], []
    for token in _all_tokens([*env.tokens, *(token for footnote in env.footnotes.values() for token in footnote)]):
        if token.type == "wiki_link":
            links.append(token.meta["target"])
        elif token.type == "citation":
            citations.extend(token.meta["cited"])
    plain = _plain(env.tokens)
    return Source(
        tuple(dict.fromkeys(links)),
        tuple(dict.fromkeys(citations)),
        tuple(env.headings),
        tuple(_passages(env)),
        plain,
        len(plain.split()),
    )


def _passages(env: "_ParseState") -> Iterator[Passage]:
    heading = ""
    tokens: list[Token] = []
    for token in env.tokens:
        if token.type == "heading_open":
            yield Passage(heading, len(_plain(tokens).split()), _has_citation(tokens, env))
            heading, tokens = "", []
        elif token.type == "heading_close":
            heading, tokens = _plain(tokens), []
        else:
            tokens.append(token)
    yield Passage(heading, len(_plain(tokens).split()), _has_citation(tokens, env))


def _has_citation(tokens: Sequence[Token], env: "_ParseState") -> bool:
    """Return whether the tokens contain a citation, directly or in a footnote."""
    for token in _all_tokens(tokens):
        if token.type == "citation":
            return True
        if token.type == "footnote_ref" and any(
            inner.type == "citation" for inner in _all_tokens(env.footnotes.get(token.meta["label"], []))
        ):
            return True
    return False


NoteKey = str | tuple[Cited, ...]  # the label of a footnote, or the sources of a citation


class _ParseState:
    """The state of one parse. `notes` maps each footnote label or citation to the ids of its markers."""

    def __init__(self) -> None:
        self.tokens: list[Token] = []
        self.headings: list[Heading] = []
        self.footnotes: dict[str, list[Token]] = {}
        self.notes: dict[NoteKey, list[str]] = {}
        self.links: Mapping[str, str] = {}
        self.references: Mapping[str, str] = {}

    def as_dict(self) -> dict[str, Any]:
        return {"state": self}


def _parse(text: str) -> _ParseState:
    env = _ParseState()
    env.tokens = _MARKDOWN.parse(text, env.as_dict())
    return env


def _clean(html: str) -> SafeString:
    cleaned = nh3.clean(html, tags=set(ALLOWED), attributes=ALLOWED, url_schemes=ALLOWED_SCHEMES, link_rel=None)
    return mark_safe(cleaned)  # noqa: S308 - the only place where text becomes markup, after the sanitizer


def _all_tokens(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _all_tokens(token.children or [])


def _plain(tokens: Sequence[Token]) -> str:
    words = []
    for token in _all_tokens(tokens):
        if token.type in {"text", "code_inline", "code_block", "fence", "wiki_link"}:
            words.append(token.content)
        elif token.type in {"softbreak", "hardbreak"} or (token.nesting == -1 and token.block):
            words.append(" ")
    return " ".join("".join(words).split())


# Parsing


def _wiki_link(state: StateInline, silent: bool) -> bool:
    match = _WIKI_LINK.match(state.src, state.pos)
    if match is None:
        return False
    if not silent:
        target = " ".join(match[1].split())
        token = state.push("wiki_link", "a", 0)
        token.meta = {"target": target}
        token.content = (match[2] or target.rpartition("#")[2]).strip()
    state.pos = match.end()
    return True


def _citation(state: StateInline, silent: bool) -> bool:
    match = _CITATION.match(state.src, state.pos)
    if match is None:
        return False
    parts = [_CITED.match(part.strip()) for part in match[1].split(";")]
    if not all(parts):
        return False
    if not silent:
        token = state.push("citation", "sup", 0)
        token.meta = {"cited": tuple(Cited(part[1], (part[2] or "").strip()) for part in parts if part)}
    state.pos = match.end()
    return True


def _typography(state: StateCore) -> None:
    """Replace dashes and ellipses; the library's own rule would also turn `(c)` into a symbol."""
    for token in _all_tokens(state.tokens):
        if token.type == "text":
            token.content = token.content.replace("---", "—").replace("--", "–").replace("...", "…")


def _headings(state: StateCore) -> None:
    """Set heading levels from 2 and unique ids derived from the text."""
    env: _ParseState = state.env["state"]
    taken_ids = set(PAGE_IDS)
    for opening, inline, closing in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if opening.type != "heading_open":
            continue
        level = max(2, int(opening.tag[1]))
        opening.tag = closing.tag = f"h{level}"
        text = _plain(inline.children or [])
        heading_id = slug_for(text, taken_ids.__contains__)
        taken_ids.add(heading_id)
        opening.attrSet("id", heading_id)
        env.headings.append(Heading(level, heading_id, text))


def _captions(state: StateCore) -> None:
    tokens = state.tokens
    for place in range(len(tokens) - 3):
        inline = tokens[place + 1]
        if (
            tokens[place].type == "paragraph_open"
            and tokens[place + 3].type == "table_open"
            and _CAPTION.match(inline.content)
            and inline.children
        ):
            inline.children[0].content = _CAPTION.sub("", inline.children[0].content, count=1)
            tokens[place + 3].meta = {"caption": inline}
            for token in tokens[place : place + 3]:
                token.hidden = True
                token.type = "nothing"


def _notes(state: StateCore) -> None:
    """Take footnotes out of the text, and number them together with citations by first appearance."""
    env: _ParseState = state.env["state"]
    text: list[Token] = []
    footnote: list[Token] | None = None
    for token in state.tokens:
        if token.type == "footnote_reference_open":
            footnote = env.footnotes.setdefault(token.meta["label"], [])
        elif token.type == "footnote_reference_close":
            footnote = None
        else:
            (text if footnote is None else footnote).append(token)
    state.tokens = text
    _number(text, env)
    for key in list(env.notes):  # citations within footnotes follow the notes of the text
        if isinstance(key, str):
            _number(env.footnotes.get(key, []), env)


def _number(tokens: Sequence[Token], env: _ParseState) -> None:
    for token in _all_tokens(tokens):
        if token.type == "citation":
            key: NoteKey = token.meta["cited"]
        elif token.type == "footnote_ref":
            key = token.meta["label"]
        else:
            continue
        markers = env.notes.setdefault(key, [])
        number = list(env.notes).index(key) + 1
        marker = f"ref-{number}" + (f"-{len(markers) + 1}" if markers else "")
        markers.append(marker)
        token.meta = {**token.meta, "number": number, "marker": marker}


# Render rules, with the arguments of markdown-it: the renderer as self, tokens, index, options, env


def _render_wiki_link(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    token = tokens[index]
    address = env["state"].links.get(token.meta["target"])
    text = escape(token.content)
    return f'<a href="{escape(address)}">{text}</a>' if address else text


def _render_marker(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    number, marker = tokens[index].meta["number"], tokens[index].meta["marker"]
    label = _("Note %(number)d") % {"number": number}
    return f'<sup class="note"><a href="#note-{number}" id="{marker}" aria-label="{escape(label)}">{number}</a></sup>'


def _render_table_open(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    inline = (tokens[index].meta or {}).get("caption")
    caption = self.renderInline(inline.children, options, env) if inline else ""
    label = escape(_plain(inline.children)) if inline else escape(_("Table"))
    opening = f'<div class="scroll" role="region" tabindex="0" aria-label="{label}"><table>'
    return opening + (f"<caption>{caption}</caption>" if caption else "")


def _render_table_close(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    return "</table></div>\n"


def _render_th_open(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return '<th scope="col">'


def _render_nothing(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return ""


def _note_html(key: NoteKey, env: _ParseState) -> str:
    if isinstance(key, str):
        html = _MARKDOWN.renderer.render(env.footnotes.get(key, []), _MARKDOWN.options, env.as_dict())
        return html.strip().removeprefix("<p>").removesuffix("</p>")
    notes = []
    for cited in key:
        record = env.references.get(cited.key)
        if record is None:
            record = escape(_("Unknown source “%(key)s”") % {"key": cited.key}) + "{place}."
        notes.append(record.replace("{place}", f", {escape(cited.place)}" if cited.place else ""))
    return "; ".join(note.removesuffix(".") for note in notes[:-1]) + ("; " if notes[1:] else "") + notes[-1]


def _markdown() -> MarkdownIt:
    md = MarkdownIt("commonmark", {"html": False, "typographer": True, "linkify": False})
    md.enable(["table", "strikethrough", "smartquotes"])
    md.disable(["image", "html_block", "html_inline"])
    footnote_plugin(md, inline=False, move_to_end=False)
    attrs_plugin(md, spans=True, allowed=["lang"])
    md.inline.ruler.before("link", "wiki_link", _wiki_link)
    md.inline.ruler.before("link", "citation", _citation)
    md.core.ruler.after("inline", "typography", _typography)
    md.core.ruler.push("headings", _headings)
    md.core.ruler.push("captions", _captions)
    md.core.ruler.push("notes", _notes)
    for name, rule in {
        "wiki_link": _render_wiki_link,
        "citation": _render_marker,
        "footnote_ref": _render_marker,
        "table_open": _render_table_open,
        "table_close": _render_table_close,
        "th_open": _render_th_open,
        "nothing": _render_nothing,
    }.items():
        md.add_render_rule(name, rule)
    return md


_MARKDOWN = _markdown()
