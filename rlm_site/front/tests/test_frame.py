"""What every page has around its content: the frame, the style and the picture of shared links."""

import struct

import brotli
import pytest
from django.test import Client

from rlm_site.testing.variables import ROOT
from rlm_site.tests.html import meta, parse

STATIC = ROOT / "static"
HEAVIEST = 9_000  # bytes of frame and style together, as they are sent


@pytest.mark.django_db
def test_frame_and_style_are_light(client: Client) -> None:
    frame = brotli.compress(client.get("/no-such-page/").content)
    style = [brotli.compress((STATIC / "css" / name).read_bytes()) for name in ("tokens.css", "site.css")]
    assert sum(map(len, [frame, *style])) <= HEAVIEST


@pytest.mark.django_db
def test_the_picture_of_shared_links_is_as_large_as_pages_say(client: Client) -> None:
    picture = (STATIC / "img" / "card.png").read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    page = parse(client.get("/yarle-valley/the-millers/"))
    told = tuple(int(meta(page, f"og:image:{side}") or 0) for side in ("width", "height"))
    assert struct.unpack(">II", picture[16:24]) == told == (1200, 630)
    assert (meta(page, "og:image") or "").startswith("http://127.0.0.1:8000/static/img/card")
