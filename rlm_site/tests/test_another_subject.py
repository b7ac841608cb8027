"""Another subject, in another language and under another licence, is a matter of settings and content alone."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rlm_site.testing.databases import fresh_database
from rlm_site.testing.served import Site, serving
from rlm_site.testing.variables import ROOT
from rlm_site.tests.test_house_rules import lines_with, modules, templates

# Names and words of the subject that ships with the site, and of its licence.
OF_THE_SUBJECT = (
    r"(?i)vlasov|kaminski|smersh|keelhaul|lienz|\bcossack|repatriat|liberation (movement|army)|\b(roa|rona|konr)\b"
    r"|\b194[1-6]\b|wehrmacht|\bsoviet\b|\bnazi|andreyev|creativecommons|\bcc[ -]by\b"
)


def product_files() -> list[Path]:
    scripts = [path for path in (ROOT / "static").rglob("*") if path.suffix in {".css", ".js", ".svg"}]
    commands = [path for path in ROOT.glob("*/management/**/*.py") if ".venv" not in path.parts]
    return sorted(
        {*modules().values(), *commands, *templates(), *scripts, *ROOT.glob("*/**/*.txt"), *ROOT.glob("deploy/*")}
    )


def test_no_code_and_no_template_has_a_word_of_the_subject() -> None:
    files = [path for path in product_files() if not {".venv", "var", "vendor"} & set(path.parts)]
    assert len(files) > 200
    assert lines_with(OF_THE_SUBJECT, *files) == []


@pytest.mark.content
def test_no_code_and_no_template_names_a_topic() -> None:
    rows = json.loads((ROOT / "fixtures/articles.json").read_text())
    topics = {row["fields"]["title"] for row in rows if row["model"] == "articles.article"} - {"About this site"}
    names = [re.escape(title) for title in topics if len(title.split()) > 2]
    assert len(names) > 20
    assert lines_with("|".join(names), *modules().values(), *templates()) == []


ANOTHER = {
    "SITE_NAME": "Llyfr Melinau & Afonydd",
    "SITE_DESCRIPTION": "Llyfr am felinau “Cymru” a’u pobl.",
    "SITE_LANGUAGE": "cy",
    "LICENCE_NAME": "Trwydded y Felin",
    "LICENCE_URL": "https://trwydded.example/1/",
    "LICENCE_TERMS": "Copïwch bopeth.",
    "CONTACT_EMAIL": "swyddfa@trwydded.example",
}
# What another site must show nowhere: the name and the licence of the one that tests otherwise serve.
OURS = re.compile(rf"Yarle Almanac|Yarle Commons|licence\.example|{OF_THE_SUBJECT[4:]}", re.IGNORECASE)


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory, static_files: None) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("another")
    with ExitStack() as stack:
        url = stack.enter_context(fresh_database(folder, "own"))
        with pytest.MonkeyPatch.context() as patch:
            for name, value in ANOTHER.items():
                patch.setenv(name, value)
            site = stack.enter_context(serving(url, folder))
        yield site


def addresses(site: Site) -> list[str]:
    """Return every address of the sitemaps, and those that no sitemap has."""
    files = re.findall(r"<loc>[^<]*(/sitemap-[^<]*)</loc>", site.ask("/sitemap.xml")[2].decode())
    pages = [
        path for file in files for path in re.findall(rf"<loc>{site.url}([^<]*)</loc>", site.ask(file)[2].decode())
    ]
    others = [
        "/search/?q=water",
        "/search/?q=zyzzy",
        "/words/millers/",
        "/feeds/changes/",
        "/feeds/quotes/",
        "/robots.txt",
    ]
    return [*pages, *files, *others, "/nowhere/", "/admin/login/", "/static/nowhere", "/healthz"]


@pytest.mark.full
def test_a_site_with_another_name_language_and_licence_shows_ours_nowhere(another: Site, server: Site) -> None:
    assert OURS.search(server.ask("/")[2].decode())
    asked = addresses(another)
    assert len(asked) > 50
    for path in asked:
        status, _headers, body = another.ask(path, **{"Accept-Encoding": "identity"})
        assert status < 500, path
        page = body.decode()
        assert [found[0] for found in OURS.finditer(page)] == [], path
        if "<html" in page and path != "/admin/login/":
            assert '<html lang="cy">' in page, path


@pytest.mark.full
def test_pages_feeds_and_data_for_machines_have_its_own(another: Site) -> None:
    def page(path: str) -> str:
        return another.ask(path, **{"Accept-Encoding": "identity"})[2].decode()

    home, article, quote = page("/"), page("/yarle-valley/the-millers/"), page("/quotes/")
    assert "<h1>Llyfr Melinau &amp; Afonydd</h1>" in home
    assert '<meta name="description" content="Llyfr am felinau “Cymru” a’u pobl.">' in home
    assert '"inLanguage": "cy"' in article
    assert '"license": "https://trwydded.example/1/"' in article
    assert '<a href="https://trwydded.example/1/" rel="license">Trwydded y Felin</a>' in article
    assert 'xml:lang="cy"' in page("/feeds/changes/")
    assert "Llyfr Melinau &amp; Afonydd" in page("/feeds/quotes/")
    assert "Llyfr Melinau &amp; Afonydd" in page("/admin/login/")
    assert '<blockquote lang="en">' in quote  # the quotations are in English still
    assert "Trwydded y Felin" in page("/about/")
    assert "Copïwch bopeth." in page("/about/")
    assert "swyddfa@trwydded.example" in page("/about/")


@pytest.mark.full
def test_errors_of_another_site_are_its_own(another: Site) -> None:
    answers = [
        another.ask("/", Host="elsewhere.example"),
        another.ask("/admin/login/", "username=a"),
        another.ask("/about/", "a=b"),
    ]
    assert [status for status, _headers, _body in answers] == [400, 403, 405]
    assert [found[0] for _status, _headers, body in answers for found in OURS.finditer(body.decode())] == []
