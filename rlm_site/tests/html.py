"""Helpers for tests of HTML, with a strict HTML5 parser."""

import re
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from django.http import HttpResponse


def parse(response: HttpResponse | Any) -> Element:
    """Return the root element of the page. Raises on the first parse error."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    root: Element = parser.parse(response.content.decode())
    return root


def text_of(element: Element | None) -> str:
    """Return the text of an element, with white space collapsed."""
    assert element is not None
    return " ".join("".join(element.itertext()).split())


def with_class(root: Element, name: str) -> list[Element]:
    return [element for element in root.iter() if name in str(element.get("class", "")).split()]


def links(root: Element) -> dict[str, str]:
    """Return the text of every link in the main part of the page, by address."""
    main = root.find(".//main")
    assert main is not None
    return {str(link.get("href")): text_of(link) for link in main.iter("a") if link.get("href")}


def meta(root: Element, name: str) -> str | None:
    """Return the content of `<meta name>` or `<meta property>`."""
    for element in root.iter("meta"):
        if name in {element.get("name"), element.get("property")}:
            return element.get("content")
    return None


def without_marks(markup: str) -> str:
    """Remove the elements that mark words, which the text in the database does not have."""
    return re.sub(r"</?(mark|span)[^>]*>", "", markup)
