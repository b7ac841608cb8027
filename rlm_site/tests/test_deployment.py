"""Files of deployment name variables and files that are there."""

import re
import runpy
from pathlib import Path

import pytest

from rlm_site import settings
from rlm_site.testing.variables import ROOT

DEPLOYMENT = [ROOT / name for name in ("Dockerfile", "compose.yaml", "deploy/nginx.conf", "deploy/rlm_site.service")]


def test_the_example_of_env_names_every_variable_and_no_other() -> None:
    named = re.findall(r"(?m)^#([A-Z_]+)=", (ROOT / ".env.example").read_text())
    assert sorted(named) == sorted(settings.VARIABLES)


def test_the_example_of_env_is_taken_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in re.findall(r'(?m)^#([A-Z_]+)="?(.*?)"?$', (ROOT / ".env.example").read_text()):
        monkeypatch.setenv(name, value)
    read = runpy.run_path(str(ROOT / "rlm_site" / "settings.py"))
    assert (read["SITE_URL"], read["PORT"], read["DEBUG"]) == ("https://example.org", 8000, False)


def test_containers_get_variables_that_the_site_knows() -> None:
    compose = (ROOT / "compose.yaml").read_text()
    site = compose[compose.index("  site:") : compose.index("  nginx:")]
    given = re.findall(r"(?m)^      ([A-Z_]+):", site)
    assert given
    assert set(given) <= set(settings.VARIABLES)


@pytest.mark.parametrize("path", DEPLOYMENT, ids=lambda path: path.name)
def test_deployment_names_files_that_are_there(path: Path) -> None:
    text = path.read_text()
    copied = re.findall(r"(?m)^COPY (\S+) ", text) + re.findall(r"(?<=- )\./([\w/.-]+)(?=:)", text)
    copied += re.findall(r"[\w/]*manage\.py|deploy/[\w.]+", text)
    assert [name for name in copied if not (ROOT / name).exists()] == []
