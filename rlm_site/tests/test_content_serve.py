"""Start the site for the first time, as `make run` does: it serves the content that ships with it."""

import pytest

from rlm_site.testing.databases import fresh_database
from rlm_site.testing.served import serving

pytestmark = [pytest.mark.content, pytest.mark.full]


def test_the_first_start_serves_the_content(tmp_path_factory: pytest.TempPathFactory, static_files: None) -> None:
    folder = tmp_path_factory.mktemp("first")
    with fresh_database(folder) as url, serving(url, folder) as site:
        assert "Loading content from fixtures/ …" in site.log.read_text()
        assert site.ask("/healthz")[::2] == (200, b'{"status": "ok"}')
        status, _headers, page = site.ask("/russian-liberation-movement/the-allies/")
        assert status == 200
        assert b"Famous quotes containing the word allies:" in page
