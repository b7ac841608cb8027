"""Pages as a strict HTML5 parser reads them."""

import re
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from django.http import HttpResponse


def parse(response: HttpResponse | Any) -> Element:
    """The page's root element. Fails on the first error that an HTML5 parser would repair."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    root: Element = parser.parse(response.content.decode())
    return root


def text_of(element: Element | None) -> str:
    """The words of an element as they are read: runs of white space are one space."""
    assert element is not None
    return " ".join("".join(element.itertext()).split())


def with_class(root: Element, name: str) -> list[Element]:
    return [element for element in root.iter() if name in str(element.get("class", "")).split()]


def links(root: Element) -> dict[str, str]:
    """Address -> text of every link in the page's main part."""
    main = root.find(".//main")
    assert main is not None
    return {str(link.get("href")): text_of(link) for link in main.iter("a") if link.get("href")}


def meta(root: Element, name: str) -> str | None:
    """The content of `<meta name>` or `<meta property>`."""
    for element in root.iter("meta"):
        if name in {element.get("name"), element.get("property")}:
            return element.get("content")
    return None


def without_marks(markup: str) -> str:
    """Markup without the elements that mark words, as the text in the database has none."""
    return re.sub(r"</?(mark|span)[^>]*>", "", markup)
