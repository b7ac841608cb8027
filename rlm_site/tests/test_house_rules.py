"""The rules of the house that nobody should have to remember."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

from rlm_site.testing import ROOT

APPS = ("rlm_site", "articles", "quotes")
# Apps start by telling each other what they watch, and commands and tests may use all that there is.
WIRING = re.compile(r"/(apps|testing)\.py$|/(tests|migrations|management)/")


def modules() -> dict[str, Path]:
    """Dotted name -> file, of the code that pages are made by."""
    found = {}
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if not WIRING.search(path.as_posix()):
                found[".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")] = path
    return found


def imported(path: Path) -> set[str]:
    """What the module imports when it runs, inside functions too; imports for type checkers do not count."""
    names: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text()))
    return names


def is_of(name: str, *packages: str) -> bool:
    return name.split(".")[0] in packages


def templates() -> list[Path]:
    return sorted((ROOT / "templates").rglob("*.html"))


def lines_with(pattern: str, *files: Path) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for path in files
        for text in [path.read_text()]
        for match in re.finditer(pattern, text)
    ]


def test_quotes_never_imports_articles() -> None:
    wrong = [name for name, path in modules().items() if is_of(name, "quotes") and _imports_of(path, "articles")]
    assert wrong == []


def test_imports_point_from_pages_to_articles_to_quotes_to_the_ground() -> None:
    imports = {name: imported(path) & set(modules()) for name, path in modules().items()}
    pages = {name for name in imports if is_of(name, "rlm_site") and _imports_of(modules()[name], "articles", "quotes")}
    while further := {name for name in imports if is_of(name, "rlm_site") and imports[name] & pages} - pages:
        pages |= further
    assert {"rlm_site.views", "rlm_site.search", "rlm_site.urls"} <= pages
    backward = [
        f"{name} imports {other}"
        for name in imports
        if is_of(name, "articles", "quotes")
        for other in sorted(imports[name] & pages)
    ]
    assert backward == []


@pytest.mark.parametrize("name", ["models", "publishing", "revisions", "tagging", "freshness", "derived", "settings"])
def test_the_ground_imports_neither_app(name: str) -> None:
    assert _imports_of(ROOT / "rlm_site" / f"{name}.py", "articles", "quotes") == []


def _imports_of(path: Path, *packages: str) -> list[str]:
    return sorted(name for name in imported(path) if is_of(name, *packages))


def test_no_module_is_named_for_nothing() -> None:
    nameless = {"utils", "util", "helpers", "services", "common", "misc"}
    assert [str(path) for app in APPS for path in (ROOT / app).rglob("*") if path.stem in nameless] == []


def test_the_environment_is_read_only_by_the_settings() -> None:
    code = [path for name, path in modules().items() if name != "rlm_site.settings"]
    code += [path for app in APPS for path in (ROOT / app).glob("management/**/*.py")]
    assert lines_with(r"os\.environ(?!\.setdefault)|os\.getenv|\bgetenv\(|import environ\b|from os import", *code) == []


def test_only_the_renderer_imports_the_markdown_library_and_the_sanitiser() -> None:
    libraries = ("markdown_it", "mdit_py_plugins", "nh3")
    assert [name for name, path in modules().items() if _imports_of(path, *libraries)] == ["articles.markdown"]


def test_no_template_marks_a_value_as_safe() -> None:
    assert lines_with(r"\|\s*safe\w*|\{%\s*autoescape\s+off", *templates()) == []


def test_no_template_has_a_script_or_a_style_of_its_own() -> None:
    inline_script = r"<script(?![^>]*(\ssrc=|type=.application/ld\+json))[^>]*>"
    assert lines_with(rf"{inline_script}|<style\b|\sstyle=|\son\w+=|javascript:", *templates()) == []


def test_colours_are_written_only_in_the_tokens() -> None:
    styles = [path for path in (ROOT / "static").rglob("*.css") if path.name != "tokens.css"]
    assert styles
    colour = r"#[0-9a-fA-F]{3,8}\b(?!\s*\{)|\b(rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\("
    assert lines_with(colour, *styles) == []
    assert lines_with(colour, ROOT / "static/css/tokens.css")


def test_every_template_is_used() -> None:
    code = [path for app in APPS for path in (ROOT / app).rglob("*.py") if "/tests/" not in path.as_posix()]
    text = "\n".join(path.read_text() for path in [*code, *templates()])
    orphans = [name for name in _names(templates()) if not re.search(rf"[\"']{re.escape(name)}[\"']", text)]
    assert [name for name in orphans if not _replaces_a_librarys(name)] == []


def _names(paths: list[Path]) -> Iterator[str]:
    for path in paths:
        yield path.relative_to(ROOT / "templates").as_posix()


def _replaces_a_librarys(name: str) -> bool:
    """A template of the admin or of another library, or the admin's for one app or model."""
    folder, _slash, file = name.rpartition("/")
    if name in {"404.html", "403.html", "400.html", "500.html", "403_csrf.html"}:
        return True
    candidates = [name]
    if folder.startswith("admin/") and folder.split("/")[1] in APPS:
        candidates.append(f"admin/{file}")
    return any(
        (Path(config.path) / "templates" / candidate).is_file()
        for config in apps.get_app_configs()
        if config.label not in APPS
        for candidate in candidates
    )


def test_every_folder_of_tests_is_found() -> None:
    assert [str(folder) for app in APPS for folder in (ROOT / app).rglob("tests") if not _is_package(folder)] == []


def _is_package(folder: Path) -> bool:
    return (folder / "__init__.py").is_file()
