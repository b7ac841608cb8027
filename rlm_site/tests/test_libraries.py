"""The libraries: named once in pyproject.toml, locked with hashes, and installed as they are locked."""

import re
import tomllib
from importlib.metadata import version
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rlm_site.testing.variables import ROOT


def locked(name: str) -> dict[str, tuple[str, Marker | None]]:
    """Return the version of each library of a lock, and where it is installed."""
    lines = re.findall(r"(?m)^(\w\S+==[^\\\n]+?) \\$", (ROOT / name).read_text())
    requirements = [Requirement(line) for line in lines]
    return {
        canonicalize_name(each.name): (str(each.specifier).removeprefix("=="), each.marker) for each in requirements
    }


def named(*path: str) -> list[Requirement]:
    """Return the libraries that pyproject.toml names in a list."""
    found: Any = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for name in path:
        found = found[name]
    return [Requirement(line) for line in found]


@pytest.mark.parametrize(
    ("file", "lists"),
    [
        ("requirements.txt", [("project", "dependencies")]),
        ("requirements-dev.txt", [("project", "dependencies"), ("dependency-groups", "dev")]),
    ],
)
def test_what_pyproject_names_is_locked_in_a_version_that_it_allows(file: str, lists: list[tuple[str, ...]]) -> None:
    versions = locked(file)
    for requirement in (each for path in lists for each in named(*path)):
        found, _marker = versions[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(found), f"`make lock`: {file} has {requirement.name} {found}"


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_nothing_is_locked_that_pyproject_names_no_more(file: str) -> None:
    blocks = re.split(r"(?m)^(?=\w)", (ROOT / file).read_text())[1:]
    direct = {canonicalize_name(block.split("==")[0]) for block in blocks if "rlm-site (pyproject.toml" in block}
    wanted = named("project", "dependencies") + (named("dependency-groups", "dev") if "dev" in file else [])
    assert direct == {canonicalize_name(each.name) for each in wanted}, "`make lock`"


def test_tests_run_with_the_libraries_of_the_site() -> None:
    site, development = locked("requirements.txt"), locked("requirements-dev.txt")
    assert [name for name, (found, _marker) in site.items() if development[name][0] != found] == []


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_a_lock_has_hashes_and_neither_an_index_nor_a_path(file: str) -> None:
    text = (ROOT / file).read_text()
    blocks = re.split(r"(?m)^(?=\w)", text)[1:]
    assert [block for block in blocks if "--hash=sha256:" not in block] == []
    assert re.findall(r"(?m)^-.*|https?://\S*|file:\S*|(?<=\s)/\S*", text) == []


def test_the_libraries_that_run_are_those_that_are_locked() -> None:
    wrong = [
        f"{name} is {version(name)}, not {wanted}"
        for name, (wanted, marker) in locked("requirements-dev.txt").items()
        if (marker is None or marker.evaluate()) and version(name) != wanted
    ]
    assert wrong == [], "`make test` installs what is locked"
