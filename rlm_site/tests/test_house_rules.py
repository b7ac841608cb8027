"""The rules of the house that nobody should have to remember."""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps

from rlm_site.testing.variables import ROOT

APPS = ("rlm_site", "articles", "quotes")

# A package imports itself and what stands above it; what stands on one line never imports its neighbour. README.md and
# docs say the same in words.
FLOORS = (
    ("rlm_site.text", "rlm_site.file_locks", "rlm_site.fixture_files", "rlm_site.progress", "rlm_site.turns"),
    ("rlm_site.fields",),
    ("rlm_site.publishing",),
    ("rlm_site.page_cache",),
    ("rlm_site.constraints",),
    ("rlm_site.indexing",),
    ("rlm_site.redirects",),
    ("rlm_site.tags",),
    ("rlm_site.history",),
    ("rlm_site.search", "rlm_site.backups"),
    ("rlm_site.editor",),
    ("quotes",),
    ("articles",),
    ("rlm_site.front",),
)
PACKAGES = tuple(package for floor in FLOORS for package in floor)
NO_PRODUCT_CODE = re.compile(r"/(tests|migrations)/|/rlm_site/testing/")


def modules() -> dict[str, Path]:
    """Return the product's modules by dotted name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for app in APPS
        for path in sorted((ROOT / app).rglob("*.py"))
        if not NO_PRODUCT_CODE.search(path.as_posix())
    }


def imported(path: Path) -> set[str]:
    """Return the dotted names that a module imports: at its top, in functions, and for type checkers alike."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def package_of(name: str) -> str:
    """Return the package of `PACKAGES` that a dotted name lies in, or its app where it lies in none of them."""
    inside = [package for package in PACKAGES if name == package or name.startswith(f"{package}.")]
    return inside[0] if inside else name.split(".")[0]


def can_import(package: str) -> set[str]:
    """Return the packages that one may import; the files of `rlm_site` itself are in no package."""
    if package not in PACKAGES:
        return {name for name in PACKAGES if name.startswith("rlm_site.")} - {"rlm_site.front"} | {package}
    above = itertools.takewhile(lambda floor: package not in floor, FLOORS)
    return {name for floor in above for name in floor} | {package}


def templates() -> list[Path]:
    return sorted((ROOT / "templates").rglob("*.html"))


def lines_with(pattern: str, *files: Path) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for path in files
        for text in [path.read_text()]
        for match in re.finditer(pattern, text)
    ]


def test_imports_point_one_way() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, path in modules().items()
        for other in sorted(imported(path))
        if other.split(".")[0] in APPS and package_of(other) not in can_import(package_of(name))
        if (name, package_of(other)) != ("rlm_site.urls", "rlm_site.front")
    ]
    assert wrong == []


def test_models_are_imported_from_their_package() -> None:
    wrong = [name for name, path in modules().items() if any(n.startswith("rlm_site.models") for n in imported(path))]
    assert wrong == []


def test_every_package_says_in_three_lines_what_it_is_for() -> None:
    rooms = [
        ROOT / package.replace(".", "/") / "__init__.py" for package in PACKAGES if package.startswith("rlm_site.")
    ]
    for path in filter(Path.exists, rooms):
        tree = ast.parse(path.read_text())
        assert len(tree.body) == 1, path
        assert len((ast.get_docstring(tree) or "").split("\n\n", 1)[1].splitlines()) == 2, path


def _imports_of(path: Path, *packages: str) -> list[str]:
    return sorted(name for name in imported(path) if name.split(".")[0] in packages)


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
    """Return whether it overrides a template of the admin or of another library."""
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


def test_no_test_empties_the_database_that_others_of_its_process_share() -> None:
    for path in ROOT.glob("*/**/test_*.py"):
        if path.is_relative_to(ROOT / ".venv") or path.name == "test_house_rules.py":
            continue
        assert "transaction=True" not in path.read_text(), path
