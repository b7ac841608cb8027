"""Rendering of editors' Markdown as safe HTML with headings and notes. Pure functions, cached by input.

CommonMark with tables, footnotes, bare addresses, typographic quotes and dashes, and three extensions:

- `[[Title]]`, `[[Title|text]]`, `[[Topic#Section]]` link pages of the site;
- `[@key, p. 42; @other]` cites references; citations and footnotes are numbered in one series;
- a paragraph `Table: caption` directly above a table is its caption; `[слово]{lang=ru}` sets a language.

Terms of a glossary are linked to their explanations where they first stand. A work is cited in full in its first note
and in short in later ones. Lines, such as facts, are rendered without blocks and notes.

Comments are left out; what else does not reach readers as it was meant is among the faults of the source.

Only this module imports the Markdown library and the sanitizer.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import lru_cache, update_wrapper
from html import escape
from itertools import pairwise, takewhile
from typing import Any, Concatenate, Generic, NamedTuple, ParamSpec, TypeVar

import nh3
from django.utils.html import format_html
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

from articles import markdown_comments, markdown_faults, markdown_terms
from articles.markdown_comments import Commented
from articles.markdown_faults import Fault
from articles.markdown_limits import ADDRESSES, HEADINGS, NOTES, Excess, excess_of
from articles.markdown_terms import Term
from rlm_site import turns
from rlm_site.text.quotation_marks import Run, set_quotation_marks
from rlm_site.text.slugs import slug_for

# The allowlist of the sanitizer: tag -> attributes.
ALLOWED: dict[str, set[str]] = {
    "p": set(), "br": set(), "hr": set(), "em": set(), "strong": set(), "s": set(), "code": {"lang"}, "pre": set(),
    "blockquote": set(), "ul": set(), "ol": {"start"}, "li": {"id"}, "sup": {"class"}, "span": {"id", "lang"},
    "h2": {"id"}, "h3": {"id"}, "h4": {"id"}, "h5": {"id"}, "h6": {"id"},
    "a": {"href", "id", "title", "class", "aria-label", "lang"},
    "div": {"class", "role", "tabindex", "aria-label"},
    "table": set(), "caption": set(), "thead": set(), "tbody": set(), "tr": set(),
    "th": {"scope", "class"}, "td": {"class"},
}  # fmt: skip
ALLOWED_SCHEMES = {"http", "https", "mailto", "tel", "ftp"}
# Ids used by the page around the text.
PAGE_IDS = frozenset({"main", "contents", "notes", "quotations", "cite", "search", "q", "site-q"})

NOTE = "\0"  # a sign that is in no text

# Ids of notes and of their markers.
_NOTE_ID = re.compile(r"(?:note|ref)(?:-[0-9]+)+")

_WIKI_LINK = re.compile(r"\[\[([^\[\]|\n]+)(?:\|([^\[\]\n]+))?\]\]")
_CITATION = re.compile(r"\[(@[^\[\]\n]+)\]")
_CITED = re.compile(r"@([A-Za-z0-9][A-Za-z0-9_-]*)(?:\s*,\s*(.+))?$", re.DOTALL)
_CAPTION = re.compile(r"Table:\s+")
_LINE_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)
_ADDRESS = re.compile(r"(?<![\w/])(?:(?:https?|ftp)://\w|www\.\w)[^\s<>\[\]\"`{}|\\^“”‘’«»…–—]*", re.IGNORECASE)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_TEXT_END = re.compile(
    rf"[\n!#$%&*+\-:<=>@\[\\\]^_`{{}}~]|(?<![\w/])(?=(?:https?|ftp)://|www\.)|(?={_EMAIL.pattern})", re.IGNORECASE
)
_AFTER_ADDRESS = "?!.,:;*_~'"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_CELL_END = re.compile(r"(?<!\\)\|")


class Heading(NamedTuple):
    level: int
    id: str
    text: str


class Cited(NamedTuple):
    """One source in a citation: the key of a reference, and the place cited."""

    key: str
    place: str = ""


class Work(NamedTuple):
    """How a reference is cited in notes: HTML where `{place}` stands for the place cited."""

    key: str
    first: str
    later: str = ""  # after the first note; empty: as in the first


class Note(NamedTuple):
    """A numbered note. `back_links` are the ids of its markers in the text."""

    number: int
    html: SafeString
    back_links: tuple[str, ...]
    part: str = ""

    @property
    def id(self) -> str:
        return f"{self.part}note-{self.number}"

    def lettered_back_links(self) -> list[tuple[str, str]]:
        """Return (id, letter) of each marker; the letter is empty if there is only one."""
        if len(self.back_links) == 1:
            return [(self.back_links[0], "")]
        return [(link, chr(ord("a") + place % 26)) for place, link in enumerate(self.back_links)]


class Rendered(NamedTuple):
    html: SafeString
    headings: tuple[Heading, ...]
    notes: tuple[Note, ...]
    terms: tuple[str, ...] = ()  # the ids of those that are explained, in order

    @property
    def lead(self) -> SafeString:
        """Return the first paragraph; empty where the text begins with something else."""
        return SafeString(self.html[: self._end_of_lead])

    @property
    def after_lead(self) -> SafeString:
        return SafeString(self.html[self._end_of_lead :].strip())

    @property
    def _end_of_lead(self) -> int:
        return self.html.find("</p>") + len("</p>") if self.html.startswith("<p>") else 0


class Passage(NamedTuple):
    """The text from one heading to the next; the part before the first heading has an empty one."""

    heading: str
    words: int
    has_citation: bool


class Block(NamedTuple):
    """A paragraph, an item or a row of a table: its text with `NOTE` at each note and, in it, for each work cited.

    `noted` is whether the caption of a table or the head of its columns has a note, or the paragraph above a list ends
    with one.
    """

    text: str
    is_row: bool = False
    noted: bool = False
    is_lead: bool = True  # stands before the first heading


class Source(NamedTuple):
    """The references and words of a text, before anything is looked up."""

    links: tuple[str, ...]  # targets of wiki links: `Title` or `Topic#Section`
    addresses: tuple[str, ...]  # of all other links, as typed
    citations: tuple[Cited, ...]
    headings: tuple[Heading, ...]
    passages: tuple[Passage, ...]
    blocks: tuple[Block, ...]
    plain: str  # the words alone, for search and matching
    noted: str  # the words of the notes
    words: int
    faults: tuple[Fault, ...]
    excess: Excess | None  # why it is not read as Markdown, if it is not


P = ParamSpec("P")
Result = TypeVar("Result")


class _Cached(Generic[P, Result]):
    """A function of texts with a cache: of most articles there are, and of a few of the longest."""

    def __init__(self, function: Callable[Concatenate[str, P], Result]) -> None:
        self._function = function
        self._of_short: Any = lru_cache(maxsize=4096)(function)
        self._of_long: Any = lru_cache(maxsize=64)(self._in_turn)
        self.cache_info = self._of_short.cache_info
        update_wrapper(self, function)

    def __call__(self, text: str, *args: P.args, **kwargs: P.kwargs) -> Result:
        found: Result = (self._of_short if len(text) < turns.SHORT else self._of_long)(text, *args, **kwargs)
        return found

    def _in_turn(self, text: str, *args: P.args, **kwargs: P.kwargs) -> Result:
        with turns.long_work():
            return self._function(text, *args, **kwargs)

    def cache_clear(self) -> None:
        self._of_short.cache_clear()
        self._of_long.cache_clear()


def is_note_id(name: str) -> bool:
    """Return whether only notes and their markers have ids of this form."""
    return _NOTE_ID.fullmatch(name) is not None


@_Cached
def render(
    text: str,
    links: tuple[tuple[str, str], ...] = (),
    references: tuple[tuple[str, ...], ...] = (),
    former_ids: tuple[tuple[str, str], ...] = (),
    terms: tuple[tuple[str, str], ...] = (),
    part: str = "",
) -> Rendered:
    """Render the text.

    `links` pairs targets with addresses; other targets are rendered as plain text. `references` are `Work`s.
    `former_ids` pairs the id of a heading with one that it had when it was worded differently, which marks it too.
    `terms` pairs terms as they may be written with ids; where one first stands it becomes a link to `#term-ID`. With
    `part` the text is that of a part of a page: all its ids begin with it, and its headings are one level lower.
    """
    env = _parse(text)
    if env.excess:
        return Rendered(_unread_html(text), (), ())
    former = _by_heading(env, former_ids)
    tokens, explained = _with_terms(env, (Term(*pair) for pair in terms), former, part)
    works = {work.key: work for work in (Work(*each) for each in references)}
    context = {"links": dict(links), "works": works, "cited": set(), "former_ids": former, "part": part}
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, context)
    notes = tuple(
        Note(number, _clean(_note_html(key, env, context)), tuple(f"{part}{marker}" for marker in markers), part)
        for number, (key, markers) in enumerate(env.notes.items(), 1)
    )
    headings = tuple(heading._replace(id=f"{part}{heading.id}") for heading in env.headings)
    return Rendered(_clean(html), headings, notes, explained)


@_Cached
def render_line(
    text: str, links: tuple[tuple[str, str], ...] = (), references: tuple[tuple[str, str], ...] = ()
) -> SafeString:
    """Render one line of Markdown, such as a fact: without blocks, and with its citations where they stand.

    `references` pairs keys with the HTML of a citation, where `{place}` stands for the place cited.
    """
    env = _parsed_line(text)
    if env.excess:
        return _clean(escape(text))
    context = {"links": dict(links), "in_line": dict(references), "footnotes": env.footnotes, "part": ""}
    return _clean(_MARKDOWN.renderer.render(env.tokens, _MARKDOWN.options, context))


class RenderedLines(NamedTuple):
    """Several texts of one page, each a line, and the notes of all."""

    lines: list[SafeString]
    notes: tuple[Note, ...]


def render_lines(
    texts: Iterable[str], links: tuple[tuple[str, str], ...], references: Iterable[tuple[str, ...]]
) -> RenderedLines:
    """Render texts without blocks, with notes that are numbered through all of them.

    `links` and `references` are as in `render`. A note that is written out in a text stands there in brackets.
    """
    works = {work.key: work for work in (Work(*each) for each in references)}
    context = {"links": dict(links), "works": works, "cited": set(), "part": ""}
    whole = _ParseState(Commented(""))
    lines = []
    for text in texts:
        env = _parsed_line(text)
        if env.excess:
            lines.append(_clean(escape(text)))
            continue
        written = [*env.tokens, *(token for tokens in env.footnotes.values() for token in tokens)]
        _number([token for token in _all_tokens(written) if token.type == "citation"], whole)
        html = _MARKDOWN.renderer.render(env.tokens, _MARKDOWN.options, {**context, "footnotes": env.footnotes})
        lines.append(_clean(html))
    notes = (
        Note(number, _clean(_note_html(key, whole, context)), tuple(markers))
        for number, (key, markers) in enumerate(whole.notes.items(), 1)
    )
    return RenderedLines(lines, tuple(notes))


@_Cached
def source(text: str) -> Source:
    """Return what must be looked up before the text can be rendered, and its words."""
    env = _parse(text)
    links, addresses, citations = [], [], []
    for token in _text_and_footnotes(env):
        if token.type == "wiki_link":
            links.append(token.meta["target"])
        elif token.type == "link_open":
            addresses.append(str(token.attrs["href"]))
        elif token.type == "citation":
            citations.extend(token.meta["cited"])
    plain = _plain(env.tokens)
    return Source(
        tuple(dict.fromkeys(links)),
        tuple(dict.fromkeys(addresses)),
        tuple(dict.fromkeys(citations)),
        tuple(env.headings),
        tuple(_passages(env)),
        tuple(_blocks(env)),
        plain,
        " ".join(_plain(env.footnotes.get(key, [])) for key in env.order if not isinstance(key, tuple)),
        len(plain.split()),
        tuple(env.faults),
        env.excess,
    )


def _by_heading(env: "_ParseState", former_ids: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return former ids by the present one of their heading, without those that something else on the page has."""
    taken = {heading.id for heading in env.headings} | PAGE_IDS
    found: dict[str, list[str]] = {}
    for present, former in former_ids:
        if former not in taken:
            found.setdefault(present, []).append(former)
    return found


def term_id(term: str) -> str:
    """Return the id of the explanation of a term."""
    return f"term-{term}"


def term_marker(term: str) -> str:
    """Return the id of the place in the text from which a term is explained."""
    return f"ref-term-{term}"


def _with_terms(
    env: "_ParseState", terms: Iterable[Term], former_ids: Mapping[str, Sequence[str]], part: str
) -> tuple[list[Token], tuple[str, ...]]:
    """Return the tokens with links where terms first stand in prose, and the ids of these in order.

    What is parsed stays as it is. A term is left alone if a heading has one of the ids that it needs.
    """
    taken = {heading.id for heading in env.headings} | {name for names in former_ids.values() for name in names}
    usable = tuple(term for term in terms if taken.isdisjoint({term_id(term.id), term_marker(term.id)}))
    if not usable:
        return env.tokens, ()
    arranged = markdown_terms.arranged(usable)
    tokens: list[Token] = []
    explained: list[str] = []
    heads = 0
    for token in env.tokens:
        heads += token.nesting * (token.type in {"heading_open", "heading_close", "thead_open", "thead_close"})
        if token.type == "inline" and not heads and token.children:
            pieces = _prose(token.children)
            if found := list(markdown_terms.find_terms("".join(pieces), arranged, explained)):
                explained += [place.id for place in found]
                token = copy(token)
                token.children = list(_linked(zip(token.children or [], pieces, strict=True), found, part))
        tokens.append(token)
    return tokens, tuple(explained)


def _prose(tokens: Sequence[Token]) -> list[str]:
    """Return the text of each token of a paragraph; what is in a link, or is no text, is a sign that is in no term."""
    pieces, links = [], 0
    for token in tokens:
        links += token.nesting * (token.type in {"link_open", "link_close"})
        if token.type == "text" and not links:
            pieces.append(token.content)
        else:
            pieces.append("\n" if token.type == "softbreak" and not links else "\0")
    return pieces


def _linked(tokens: Iterable[tuple[Token, str]], found: Iterable[markdown_terms.Found], part: str) -> Iterator[Token]:
    """Yield the tokens of a paragraph, each given with its prose, with links around the terms found in it."""
    borders: deque[tuple[int, Token]] = deque()
    for term, start, end in found:
        ids = {"href": f"#{part}{term_id(term)}", "id": f"{part}{term_marker(term)}"}
        borders.append((start, Token("term_open", "a", 1, attrs={"class": "term", **ids})))
        borders.append((end, Token("term_close", "a", -1)))
    end = 0
    for token, prose in tokens:
        start, end = end, end + len(prose)
        done = start
        while borders and borders[0][0] < end + (borders[0][1].nesting == -1):
            place, link = borders.popleft()
            if place > done:
                yield _piece(token, prose[done - start : place - start])
            done = place
            yield link
        if done == start:
            yield token
        elif done < end:
            yield _piece(token, prose[done - start :])


def _piece(token: Token, text: str) -> Token:
    piece = copy(token)
    piece.content = text
    return piece


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
            inner.type == "citation" for inner in _all_tokens(env.footnotes.get(_footnote_of(token), []))
        ):
            return True
    return False


def _blocks(env: "_ParseState") -> Iterator[Block]:
    """Yield the paragraphs, items and rows of a text that are its author's own words: no headings, no quotations."""
    tokens = iter(env.tokens)
    lists, noted, is_lead, above = 0, False, True, ""
    for token in tokens:
        if token.nesting == 1 and token.type in {"heading_open", "blockquote_open", "table_open"}:
            end = token.type.replace("_open", "_close"), token.level
            inner = list(takewhile(lambda each, end=end: (each.type, each.level) != end, tokens))  # type: ignore[misc]
            is_lead = is_lead and token.type != "heading_open"
            if token.type == "table_open":
                yield from _rows(token, inner, is_lead, env)
        elif token.type in {"bullet_list_open", "ordered_list_open"}:
            noted = noted if lists else above.endswith(NOTE)
            lists += 1
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            lists -= 1
        elif token.type == "inline":
            above = _with_notes(token.children or [], env)
            yield Block(above, noted=noted and lists > 0, is_lead=is_lead)


def _rows(table: Token, inner: Iterable[Token], is_lead: bool, env: "_ParseState") -> Iterator[Block]:
    caption = (table.meta or {}).get("caption")
    rows: list[list[str]] = []
    for token in inner:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(_with_notes(token.children or [], env))
    noted = NOTE in "".join([_with_notes(caption.children or [], env) if caption else "", *rows[0]])
    for cells in rows[1:]:
        yield Block(" | ".join(cells), is_row=True, noted=noted, is_lead=is_lead)


def _with_notes(tokens: Sequence[Token], env: "_ParseState") -> str:
    """Return the words of a paragraph without code, with `NOTE` at its notes and for each work that they cite."""
    pieces = []
    for token in tokens:
        if token.type == "citation":
            pieces.append(NOTE * len(token.meta["cited"]))
        elif token.type == "footnote_ref":
            inner = _all_tokens(env.footnotes.get(_footnote_of(token), []))
            pieces.append(NOTE + NOTE * sum(len(each.meta["cited"]) for each in inner if each.type == "citation"))
        elif token.type in {"text", "wiki_link"}:
            pieces.append(token.content)
        elif token.type in {"softbreak", "hardbreak"}:
            pieces.append(" ")
    return " ".join(markdown_comments.forget("".join(pieces)).split())


Footnote = str | int  # its label, or its number among the inline ones
NoteKey = Footnote | tuple[Cited, ...]  # a footnote, or the sources of a citation


def _footnote_of(token: Token) -> Footnote:
    found: Footnote = token.meta.get("label", token.meta["id"])
    return found


class _ParseState:
    """The state of one parse. `notes` maps each footnote label or citation to the ids of its markers."""

    def __init__(self, commented: Commented) -> None:
        self.tokens: list[Token] = []
        self.headings: list[Heading] = []
        self.footnotes: dict[Footnote, list[Token]] = {}
        self.notes: dict[NoteKey, list[str]] = {}
        self.numbers: dict[NoteKey, int] = {}
        self.order: list[NoteKey] = []  # as they are numbered
        self.excess: Excess | None = None
        self.links: list[tuple[int, str]] = []  # the line and the address of each
        self.faults: list[Fault] = []
        self.commented = commented
        self.shows_comment = False


def _parse(text: str) -> _ParseState:
    """Parse a text, once for all who need it in one turn: what it names is looked up before it is rendered."""
    with turns.long_work(len(text)) as kept:
        parsed: _ParseState = kept[text] if text in kept else kept.setdefault(text, _parsed(text))
        return parsed


def _parsed(text: str) -> _ParseState:
    if excess := excess_of(text):
        return _unread(text, excess)
    env = _parsed_without(markdown_comments.take_out(text))
    if env.shows_comment and "<!--" in text:  # one that seemed to be code, and is none or only in part
        env = _parsed_without(markdown_comments.take_out(text, from_code=True))
    env.excess = _excess_parsed(env)
    env.faults = [fault._replace(line=env.commented.line(fault.line)) for fault in (*env.faults, *_faults_parsed(env))]
    if env.commented.open_line:
        env.faults.append(Fault(markdown_faults.OPEN_COMMENT, env.commented.open_line, "<!--"))
    env.faults.sort(key=lambda fault: fault.line)
    return _unread(text, env.excess) if env.excess else env


def _parsed_line(text: str) -> _ParseState:
    """Parse a text as one line, in which nothing is a block."""
    if excess := excess_of(text):
        return _unread(text, excess)
    return _parsed_without(markdown_comments.take_out(text), _MARKDOWN.parseInline)


def _parsed_without(commented: Commented, parse: Callable[[str, EnvType], list[Token]] | None = None) -> _ParseState:
    env = _ParseState(commented)
    env.tokens = (parse or _MARKDOWN.parse)(commented.text, {"state": env})
    return env


def _excess_parsed(env: _ParseState) -> Excess | None:
    """Return what there is too much of that only a parsed text tells."""
    addresses = sum(len(str(value)) for token in _text_and_footnotes(env) for value in token.attrs.values())
    counts = ((HEADINGS, len(env.headings)), (NOTES, len(env.notes)), (ADDRESSES, addresses))
    return next((Excess(limit, count) for limit, count in counts if count > limit.most), None)


def _unread(text: str, excess: Excess) -> _ParseState:
    """Return a text with too much in it as its words alone, which is never slow and loses nothing."""
    env = _ParseState(Commented(""))
    env.excess = excess
    env.tokens = [Token("unread", "", 0, content=text)]
    return env


def _clean(html: str) -> SafeString:
    html = markdown_comments.forget(html)
    cleaned = nh3.clean(html, tags=set(ALLOWED), attributes=ALLOWED, url_schemes=ALLOWED_SCHEMES, link_rel=None)
    return mark_safe(cleaned)  # noqa: S308 - the only place where text becomes markup, after the sanitizer


def _unread_html(text: str) -> SafeString:
    """Return the words of a text with too much in it, in paragraphs; nothing in it is markup."""
    escaped = escape(text.replace("\r\n", "\n")).replace("\n\n", "</p>\n<p>")
    return format_html("<p>{}</p>\n", mark_safe(escaped))  # noqa: S308 - escaped, but for the paragraphs


def _all_tokens(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _all_tokens(token.children or [])


def _text_and_footnotes(env: _ParseState) -> Iterator[Token]:
    return _all_tokens([*env.tokens, *(token for footnote in env.footnotes.values() for token in footnote)])


def _plain(tokens: Sequence[Token]) -> str:
    words = []
    for token in _all_tokens(tokens):
        if token.type in {"text", "code_inline", "code_block", "fence", "wiki_link", "address", "unread"}:
            words.append(token.content)
        elif token.type in {"softbreak", "hardbreak"} or (token.nesting == -1 and token.block):
            words.append(" ")
    return " ".join(markdown_comments.forget("".join(words)).split())


# Parsing


def _text(state: StateInline, silent: bool) -> bool:
    """Skip to the next character with which a rule, or a bare address, may begin."""
    end = _TEXT_END.search(state.src, state.pos, state.posMax)
    place = end.start() if end else state.posMax
    if place == state.pos:
        return False
    if not silent:
        state.append_pending(state.src[state.pos : place])
    state.pos = place
    return True


def _address(state: StateInline, silent: bool) -> bool:
    """Link an address that is typed as it is."""
    match = _ADDRESS.match(state.src, state.pos, state.posMax)
    if found := match or _EMAIL.match(state.src, state.pos, state.posMax):
        address = _without_what_follows(found[0])
        if not silent:
            _push_address(state, address, "" if _SCHEME.match(address) else "http://" if match else "mailto:")
        state.pos += len(address)
    return bool(found)


def _without_what_follows(address: str) -> str:
    """Return the address without the signs of the sentence around it."""
    unopened, end = address.count(")") - address.count("("), len(address)
    while address[end - 1] in _AFTER_ADDRESS or (address[end - 1] == ")" and unopened > 0):
        unopened -= address[end - 1] == ")"
        end -= 1
    return address[:end]


def _push_address(state: StateInline, address: str, scheme: str) -> None:
    is_link = state.linkLevel == 0
    if is_link:
        state.push("link_open", "a", 1).attrs = {"href": state.md.normalizeLink(scheme + address)}
    state.push("address", "", 0).content = address
    if is_link:
        state.push("link_close", "a", -1)


def _line_break(state: StateInline, silent: bool) -> bool:
    """Break the line at `<br>`; all other HTML is text."""
    match = _LINE_BREAK.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        state.push("hardbreak", "br", 0).markup = "br"
    state.pos = match.end()
    return True


def _wiki_link(state: StateInline, silent: bool) -> bool:
    match = _WIKI_LINK.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        target = " ".join(match[1].split())
        token = state.push("wiki_link", "a", 0)
        token.meta = {"target": target}
        token.content = (match[2] or path_of(target)[-1]).strip()
    state.pos = match.end()
    return True


def path_of(target: str) -> tuple[str, ...]:
    """Return the names in the target of a wiki link: one, or those of a topic and its section.

    A sign that has a space on one side alone is part of a name.

    >>> path_of("Topic#Section"), path_of("F# music"), path_of("F# music#Issue #5")
    (('Topic', 'Section'), ('F# music',), ('F# music', 'Issue #5'))
    """
    for sign in re.finditer("#", target):
        topic, section = target[: sign.start()], target[sign.end() :]
        if topic.strip() and section.strip() and topic[-1].isspace() == section[0].isspace():
            return topic.strip(), section.strip()
    return (target,)


def can_be_linked(title: str) -> bool:
    """Return whether `[[title]]` means a page of this title and nothing else."""
    return source(f"[[{title}]]").links == (" ".join(title.split()),) and path_of(title) == (title,)


def _citation(state: StateInline, silent: bool) -> bool:
    match = _CITATION.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    parts = [_CITED.match(part.strip()) for part in match[1].split(";")]
    if not all(parts):
        return False
    if not silent:
        token = state.push("citation", "sup", 0)
        token.meta = {"cited": tuple(Cited(part[1].lower(), (part[2] or "").strip()) for part in parts if part)}
    state.pos = match.end()
    return True


def _inline_notes(state: StateCore) -> None:
    """Keep the notes that stand in the text, `^[like this]`, with the footnotes."""
    env: _ParseState = state.env["state"]
    for number, note in state.env.get("footnotes", {}).get("list", {}).items():
        if "tokens" in note:
            env.footnotes[number] = [Token("inline", "", 0, children=note["tokens"])]


def _comments(state: StateCore) -> None:
    """Give code its comments back, and take away paragraphs that were nothing else."""
    env: _ParseState = state.env["state"]
    empty: set[int] = set()
    for place, token in enumerate(state.tokens):
        for code in (token, *(token.children or [])):
            if code.type in {"code_block", "fence", "code_inline"}:
                code.content = env.commented.restore(code.content)
        is_paragraph = token.type == "inline" and state.tokens[place - 1].type == "paragraph_open"
        if is_paragraph and not markdown_comments.forget(token.content).strip():
            empty |= {place - 1, place, place + 1}
    state.tokens = [token for place, token in enumerate(state.tokens) if place not in empty]


def _faults(state: StateCore) -> None:
    """Gather what readers would see as it was typed, before anything else is made of it."""
    env: _ParseState = state.env["state"]
    lines = state.src.split("\n")
    columns = 0
    for token in state.tokens:
        line = token.map[0] + 1 if token.map else 0
        if token.type == "inline":
            _faults_of_line(token.children or [], line, env)
        elif token.type == "fence" and token.map:
            if not _is_closed(token, lines[token.map[1] - 1]):
                env.faults.append(Fault(markdown_faults.OPEN_CODE, line, token.markup + token.info))
            if len(token.info.split()) > 1:
                env.faults.append(Fault(markdown_faults.BESIDE_CODE, line, markdown_faults.excerpt(token.info)))
        elif token.type == "thead_open":
            columns = _cells(lines[line - 1])
        elif token.type == "tr_open" and _cells(lines[line - 1]) > columns:
            env.faults.append(Fault(markdown_faults.LOST_CELLS, line, markdown_faults.excerpt(lines[line - 1])))


def _is_closed(fence: Token, last_line: str) -> bool:
    last_line = last_line.strip(" \t>")
    is_other_line = fence.map is not None and fence.map[1] - fence.map[0] > 1
    return is_other_line and last_line.startswith(fence.markup) and not last_line.strip(fence.markup[0])


def _cells(line: str) -> int:
    line = line.strip(" \t>").removeprefix("|")
    return len(_CELL_END.findall(line)) + (0 if line.endswith("|") and not line.endswith("\\|") else 1)


def _faults_of_line(tokens: Sequence[Token], line: int, env: _ParseState) -> None:
    text = ""
    for token in tokens:
        if token.type == "text":
            text += token.content
            env.shows_comment |= "<!--" in token.content or "-->" in token.content
        elif token.type in {"softbreak", "hardbreak"}:
            env.faults += markdown_faults.faults_of_line(text, line)
            text, line = "", line + (token.markup != "br")
        elif token.nesting == 0:
            text += markdown_faults.ADDRESS if token.type == "address" else markdown_faults.OPAQUE
        if token.type == "link_open":
            env.links.append((line, str(token.attrs["href"])))
        elif token.type == "image":
            env.faults.append(Fault(markdown_faults.IMAGE, line, markdown_faults.excerpt(f"![{token.content}]")))
        elif token.type == "footnote_ref":
            token.meta["line"] = line
            if "label" not in token.meta:
                _faults_of_line(env.footnotes[_footnote_of(token)][0].children or [], line, env)
        if dropped := {**token.meta.get("insecure_attrs", {}), **_wrong_language(token)}:
            words = " ".join(f"{name}={value}" for name, value in dropped.items())
            env.faults.append(Fault(markdown_faults.ATTRIBUTE, line, markdown_faults.excerpt(f"{{{words}}}")))
    env.faults += markdown_faults.faults_of_line(text, line)


def _wrong_language(token: Token) -> dict[str, str]:
    language = str(token.attrs.get("lang", "en"))
    return {} if _LANGUAGE.fullmatch(language) else {"lang": language}


def _faults_parsed(env: _ParseState) -> Iterator[Fault]:
    """Yield what only the whole text tells: notes, addresses and places that do not fit together."""
    if markdown_faults.has_front_matter(env.commented.text):
        yield Fault(markdown_faults.FRONT_MATTER, 1, "---")
    places = {heading.id for heading in env.headings} | PAGE_IDS
    places |= {marker for markers in env.notes.values() for marker in markers}
    places |= {f"note-{number}" for number in env.numbers.values()}
    shown = _clean("".join(f'<a href="{escape(address)}"></a>' for _line, address in env.links)).split("</a>")
    for (line, address), link in zip(env.links, shown, strict=False):
        scheme = _SCHEME.match(address)
        if not address:
            yield Fault(markdown_faults.NO_ADDRESS, line, "()")
        elif scheme and scheme[1].lower() not in ALLOWED_SCHEMES:
            yield Fault(markdown_faults.OTHER_SCHEME, line, markdown_faults.excerpt(address))
        elif "href" not in link:
            yield Fault(markdown_faults.NO_SUCH_ADDRESS, line, markdown_faults.excerpt(address))
        elif address[0] == "#" and address[1:] not in places:
            yield Fault(markdown_faults.NO_SUCH_PLACE, line, markdown_faults.excerpt(address))
        elif not scheme and address[0] not in "/#":
            yield Fault(markdown_faults.NO_SCHEME, line, markdown_faults.excerpt(address))


def _addresses(state: StateCore) -> None:
    """Name addresses of links that no link uses."""
    env: _ParseState = state.env["state"]
    used = {token.meta.get("label") for token in _all_tokens(state.tokens)}
    used |= {token.meta.get("label") for note in env.footnotes.values() for token in _all_tokens(note)}
    for label, found in state.env.get("references", {}).items():
        if label not in used:
            env.faults.append(Fault(markdown_faults.UNUSED_ADDRESS, found["map"][0] + 1, f"[{label.lower()}]:"))
    for found in state.env.get("duplicate_refs", ()):
        fault = Fault(markdown_faults.SECOND_ADDRESS, found["map"][0] + 1, f"[{found['label'].lower()}]:")
        env.faults.append(fault)


def _typography(state: StateCore) -> None:
    """Replace dashes, ellipses and quotation marks; the library's own rules are slow, or turn `(c)` into a symbol."""
    env: _ParseState = state.env["state"]
    for inline in (*state.tokens, *(token for note in env.footnotes.values() for token in note)):
        tokens = inline.children or []
        for opening, linked in pairwise(tokens):
            if opening.markup == "autolink" and linked.type == "text":
                linked.type = "address"
        runs = [Run(_run_text(token), token.level, token.type == "text") for token in tokens]
        for token, text in zip(tokens, set_quotation_marks(runs), strict=True):
            if token.type == "text":
                token.content = text.replace("---", "—").replace("--", "–").replace("...", "…")


def _run_text(token: Token) -> str:
    return "\n" if token.type in {"softbreak", "hardbreak"} else token.content


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
        if is_note_id(heading_id):
            heading_id = slug_for(f"heading {text}", taken_ids.__contains__)
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


def _cells_of_tables(state: StateCore) -> None:
    """Give cells their alignment as a class, because a style would be one of the page's own, and heads their scope."""
    for token in state.tokens:
        if token.type in {"th_open", "td_open"}:
            side = str(token.attrs.pop("style", "")).removeprefix("text-align:")
            if token.type == "th_open":
                token.attrs["scope"] = "col"
            if side in {"right", "center"}:
                token.attrs["class"] = f"align-{side}"


def _notes(state: StateCore) -> None:
    """Take footnotes out of the text, and number them together with citations by first appearance."""
    env: _ParseState = state.env["state"]
    text: list[Token] = []
    footnote: list[Token] | None = None
    lines: dict[str, int] = {}
    label, line = "", 0
    for token in state.tokens:
        if token.type == "footnote_reference_open":
            label, footnote = token.meta["label"], []
            line = token.map[0] + 1 if token.map else 0
            if label in lines:
                env.faults.append(Fault(markdown_faults.SECOND_NOTE, line, f"[^{label}]:"))
            else:
                env.footnotes[label], lines[label] = footnote, line
        elif token.type == "footnote_reference_close":
            if not footnote:
                env.faults.append(Fault(markdown_faults.EMPTY_NOTE, line, f"[^{label}]:"))
            footnote = None
        else:
            (text if footnote is None else footnote).append(token)
    state.tokens = text
    _number(text, env)
    for key in env.order:  # it grows: citations and footnotes within footnotes follow the notes of the text
        if not isinstance(key, tuple):
            _number(env.footnotes.get(key, []), env)
    for label in lines.keys() - env.notes.keys():
        env.faults.append(Fault(markdown_faults.UNUSED_NOTE, lines[label], f"[^{label}]:"))


def _number(tokens: Sequence[Token], env: _ParseState) -> None:
    for token in _all_tokens(tokens):
        if token.type == "citation":
            key: NoteKey = token.meta["cited"]
        elif token.type == "footnote_ref":
            key = _footnote_of(token)
        else:
            continue
        if key not in env.notes:
            env.notes[key] = []
            env.order.append(key)
            env.numbers[key] = len(env.order)
        markers, number = env.notes[key], env.numbers[key]
        marker = f"ref-{number}" + (f"-{len(markers) + 1}" if markers else "")
        markers.append(marker)
        token.meta = {**token.meta, "number": number, "marker": marker}


# Render rules, with the arguments of markdown-it: the renderer as self, tokens, index, options, env


def _render_wiki_link(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    token = tokens[index]
    address = env["links"].get(token.meta["target"])
    text = escape(token.content)
    return f'<a href="{escape(address)}">{text}</a>' if address else text


def _render_heading_open(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    token, part = tokens[index], env["part"]
    former = env["former_ids"].get(token.attrs.get("id"), ())
    marks = "".join(f'<span id="{part}{escape(name)}"></span>' for name in former)
    return f'<{_heading_tag(token, part)} id="{part}{token.attrs["id"]}">{marks}'


def _render_heading_close(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    return f"</{_heading_tag(tokens[index], env['part'])}>\n"


def _heading_tag(token: Token, part: str) -> str:
    return f"h{min(6, int(token.tag[1]) + bool(part))}"


def _render_link_open(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    token, part = tokens[index], env["part"]
    address = str(token.attrs.get("href", ""))
    if part and address.startswith("#"):
        token = copy(token)
        token.attrs = {**token.attrs, "href": f"#{part}{address[1:]}"}
    return self.renderToken([token], 0, options, env)


def _render_marker(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    if "in_line" in env:
        return _render_citation_in_line(tokens, index, env["in_line"])
    number, marker, part = tokens[index].meta["number"], tokens[index].meta["marker"], env["part"]
    label = escape(_("Note %(number)d") % {"number": number})
    link = f'<a href="#{part}note-{number}" id="{part}{marker}" aria-label="{label}">{number}</a>'
    return f'<sup class="note">{link}</sup>'


def _render_footnote_marker(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Render the marker of a footnote; in a line its words."""
    if "footnotes" not in env:
        return _render_marker(self, tokens, index, options, env)
    inner = [token for each in env["footnotes"].get(_footnote_of(tokens[index]), ()) for token in each.children or []]
    return f" ({self.renderInline(inner, options, env)})"


def _render_citation_in_line(tokens: Sequence[Token], index: int, works: Mapping[str, str]) -> str:
    """Render a citation as the names of its works, in brackets if it follows words."""
    cited = "; ".join(
        _placed(works.get(cited.key) or _unknown(cited.key), cited.place) for cited in tokens[index].meta["cited"]
    )
    before = tokens[index - 1] if index else None
    if tokens[0].type == "citation":
        return f"; {cited}" if before and before.type == "citation" else cited
    return f"({cited})" if before and before.content.endswith(" ") else f" ({cited})"


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


def _render_address(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return escape(tokens[index].content)


def _render_image(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """Render the words that describe it."""
    return self.renderInline(tokens[index].children or [], options, env)


def _render_nothing(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return ""


def _note_html(key: NoteKey, env: _ParseState, context: dict[str, Any]) -> str:
    if not isinstance(key, tuple):
        html = _MARKDOWN.renderer.render(env.footnotes.get(key, []), _MARKDOWN.options, context).strip()
        is_one_paragraph = html.endswith("</p>") and html.count("<p>") == 1
        return html.removeprefix("<p>").removesuffix("</p>") if is_one_paragraph else html
    notes = []
    for cited in key:
        work = context["works"].get(cited.key)
        is_first = cited.key not in context["cited"]
        context["cited"].add(cited.key)
        record = (work.first if is_first else work.later or work.first) if work else f"{_unknown(cited.key)}."
        notes.append(_placed(record, cited.place))
    return "; ".join(note.removesuffix(".") for note in notes[:-1]) + ("; " if notes[1:] else "") + notes[-1]


def _unknown(key: str) -> str:
    return escape(_("Unknown source “%(key)s”") % {"key": key}) + "{place}"


def _placed(record: str, place: str) -> str:
    return record.replace("{place}", f", {escape(place)}" if place else "")


def _markdown() -> MarkdownIt:
    md = MarkdownIt("commonmark", {"html": False, "typographer": True, "linkify": False})
    md.enable(["table", "strikethrough"])
    md.disable(["html_block"])
    md.options["store_labels"] = True
    md.inline.ruler.at("text", _text)
    md.inline.ruler.at("linkify", _address)
    md.inline.ruler.at("html_inline", _line_break)
    md.enable("linkify")
    footnote_plugin(md, move_to_end=False)
    attrs_plugin(md, spans=True, allowed=["lang"])
    md.inline.ruler.before("link", "wiki_link", _wiki_link)
    md.inline.ruler.before("link", "citation", _citation)
    for name, core_rule in {
        "inline_notes": _inline_notes,
        "comments": _comments,
        "faults": _faults,
        "addresses": _addresses,
        "typography": _typography,
    }.items():
        md.core.ruler.before("text_join", name, core_rule)
    md.core.ruler.push("headings", _headings)
    md.core.ruler.push("captions", _captions)
    md.core.ruler.push("cells", _cells_of_tables)
    md.core.ruler.push("notes", _notes)
    for name, rule in {
        "wiki_link": _render_wiki_link,
        "heading_open": _render_heading_open,
        "heading_close": _render_heading_close,
        "link_open": _render_link_open,
        "citation": _render_marker,
        "footnote_ref": _render_footnote_marker,
        "table_open": _render_table_open,
        "table_close": _render_table_close,
        "address": _render_address,
        "image": _render_image,
        "nothing": _render_nothing,
    }.items():
        md.add_render_rule(name, rule)
    return md


_MARKDOWN = _markdown()
