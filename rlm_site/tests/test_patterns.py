"""No pattern of the product takes long over what a person wrote, however it is written."""

import ast
import collections
import importlib
import re
from collections.abc import Iterable, Iterator
from re import _constants as kinds  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

import pytest

from rlm_site.testing.databases import on_postgresql
from rlm_site.testing.growth import Growth, processor_time
from rlm_site.tests.test_house_rules import modules
from rlm_site.text.limits import MAX_PASSAGE, MAX_TEXT

# The longest texts that the patterns of a module meet, where they are not whole articles.
SHORTER = {
    "quotes.attribution": 500,  # a source as a collection prints it
    "quotes.importing.bartlett": 500,
    "quotes.importing.records": MAX_PASSAGE,
    "quotes.duplicates": MAX_PASSAGE,
}
MARKS = "aA1 .,;:-–'’\"“[](){}@/\n\t\x00…_#|и"


class Use(NamedTuple):
    """A pattern, and the methods by which its module uses it."""

    pattern: re.Pattern[Any]
    methods: frozenset[str]

    def on(self, text: str) -> None:
        written: Any = text.encode() if isinstance(self.pattern.pattern, bytes) else text
        for method in self.methods:
            if method in {"match", "fullmatch"}:
                getattr(self.pattern, method)(written)
            else:
                collections.deque(self.pattern.finditer(written), maxlen=0)


METHODS = frozenset({"match", "fullmatch", "search", "findall", "finditer", "sub", "split"})


def uses() -> dict[str, Use]:
    """Return every pattern of the product: those that its modules hold, and those written where they are used."""
    found: dict[str, Use] = {}
    for name, path in modules().items():
        module, tree = importlib.import_module(name), ast.parse(path.read_text())
        calls = _calls(tree)
        for variable, value in vars(module).items():
            methods = {call.func.attr for call in calls[variable]} or METHODS
            for number, held in enumerate(_held(value)):
                found[f"{name}.{variable}[{number}]"] = Use(held, frozenset(methods))
        for function in ast.walk(tree):
            for call in _calls(function)["re"] if isinstance(function, ast.FunctionDef) else ():
                written = call.args[0]
                place = f"{name}:{call.lineno}"
                assert call.func.attr != "compile", f"{place}: compile this pattern at the module's top"
                assert isinstance(written, ast.Constant | ast.Name), f"{place}: write this pattern at the module's top"
                pattern: Any = getattr(module, written.id) if isinstance(written, ast.Name) else written.value
                found[place] = Use(re.compile(pattern), frozenset({call.func.attr}))
    return found


def _held(value: Any) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple | list | dict) and len(value) < 500:
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _held(inner)


def _calls(tree: ast.AST) -> collections.defaultdict[str, list[Any]]:
    """Return the calls of methods that use a pattern or make one, by the name of what is called."""
    calls: collections.defaultdict[str, list[Any]] = collections.defaultdict(list)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=called), attr=method)):
                if method in METHODS | {"compile"}:
                    calls[called].append(node)
    return calls


class _Samples:
    """Texts that a pattern nearly matches: what begins it, what it repeats, and what does not follow."""

    def __init__(self, pattern: re.Pattern[Any]) -> None:
        text = pattern.pattern.decode("latin-1") if isinstance(pattern.pattern, bytes) else pattern.pattern
        self.flags = pattern.flags & ~re.DEBUG
        self.repeated: dict[tuple[str, str], None] = {}  # what stands before a repeat, what it repeats
        self._sample(parser.parse(text, self.flags & re.VERBOSE), "")

    def _sample(self, nodes: Iterable[Any], before: str) -> str:
        """Return a text that the nodes match, or nearly, and note their repeats."""
        sample = ""
        for kind, value in nodes:
            sample += self._of_node(kind, value, before + sample)
        return sample

    def _of_node(self, kind: Any, value: Any, before: str) -> str:
        if kind is kinds.LITERAL:
            return chr(value)
        if kind in {kinds.ANY, kinds.NOT_LITERAL}:
            return "a" if value != ord("a") else "b"
        if kind is kinds.IN:
            return self._member(value)
        if kind in {kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT}:
            least, most, inner = value
            unit = self._sample(inner, before)
            if most > 8 and unit:
                self.repeated[before, unit] = None
            return unit * max(least, 1)
        if kind is kinds.SUBPATTERN:
            return self._sample(value[3], before)
        if kind is kinds.BRANCH:
            return next(self._sample(branch, before) for branch in value[1])
        if kind in {kinds.ASSERT, kinds.ASSERT_NOT}:
            self._sample(value[1], before)
        return ""

    def _member(self, items: list[Any]) -> str:
        probe = [(kinds.IN, items)]
        pattern = parser.SubPattern(parser.State(), probe)
        is_member = re._compiler.compile(pattern, 0)  # type: ignore[attr-defined]
        candidates = [*MARKS, *(chr(value) for kind, value in items if kind is kinds.LITERAL)]
        candidates += [chr(value[0]) for kind, value in items if kind is kinds.RANGE]
        return next((character for character in candidates if is_member.match(character)), "")


def attacks(pattern: re.Pattern[Any]) -> dict[str, tuple[str, str, str]]:
    """Return what to repeat, with what before and behind it."""
    repeated = list(_Samples(pattern).repeated)
    units = {unit for _before, unit in repeated} | {unit[:1] for _before, unit in repeated}
    found = [(before, unit, after) for before, unit in repeated for after in ("", "\x00", "\n\n")]
    found += [("", before + unit, "\x00") for before, unit in repeated]
    found += [("", mark, after) for mark in MARKS for after in ("\x00", "\n\n")]
    found += [("", one + other, "\x00") for one in units for other in units]
    return {f"{before!r} {unit!r}* {after!r}": (before, unit, after) for before, unit, after in found if unit}


@pytest.mark.full
@pytest.mark.skipif(on_postgresql(), reason="no database is asked, and once is enough")
@pytest.mark.parametrize(("name", "use"), uses().items(), ids=lambda value: value if isinstance(value, str) else "")
def test_no_pattern_takes_long(name: str, use: Use) -> None:
    most = next((most for module, most in SHORTER.items() if name.startswith(module)), MAX_TEXT)
    _check(name, use, most)


@pytest.mark.full
@pytest.mark.parametrize("slow", [r"\[@[^\]]*\]", r"(\w+\s?)+$", r"\s*x", r"(?:a|ab)*c(?:\d*)*;"])
def test_a_slow_pattern_is_found(slow: str) -> None:
    with pytest.raises(AssertionError, match=" s "):
        _check("slow", Use(re.compile(slow), METHODS), MAX_TEXT)


def _check(name: str, use: Use, most: int) -> None:
    for attack, (before, unit, after) in attacks(use.pattern).items():

        def text(size: int, before: str = before, unit: str = unit, after: str = after) -> str:
            return before + (unit * (size // len(unit) + 1))[:size] + after

        for size in [*range(16, 36, 4), *(2**power for power in range(6, 20, 2) if 2**power < most)]:
            taken = processor_time(use.on, text(size), times=1)
            assert taken < 1, f"{name} takes {taken:.1f} s over {size:,} characters of {attack}"
        Growth(f"{name} {attack}", most, text, use.on).check()
