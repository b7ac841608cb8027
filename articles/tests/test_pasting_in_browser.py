"""Rich text becomes Markdown when it is pasted: clipboards as Word, LibreOffice, Google Docs and browsers write them.

`clipboards/NAME.html` is what the program hands over, `clipboards/NAME.md` what stands in the field afterwards.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from articles import markdown

if TYPE_CHECKING:
    from playwright.sync_api import Page

    NewPage = Callable[..., Page]
    Login = Callable[["Page"], None]

CLIPBOARDS = Path(__file__).parent / "clipboards"
# What each clipboard has, counted by eye, and what of it Markdown has no form for
KEPT: dict[str, dict[str, int]] = {
    "word-report": {"h2": 2, "li": 3, "a": 1, "strong": 1, "em": 2, "blockquote": 1, "notes": 2},
    "word-table": {"h2": 1, "tr": 3, "td": 6, "th": 3, "li": 2, "blockquote": 1, "strong": 3},
    "word-online": {"h2": 1, "li": 3, "a": 1, "strong": 1, "em": 1},
    "word-russian": {"h3": 1, "li": 2, "strong": 1, "em": 1, "notes": 1},
    "libreoffice-article": {
        "h2": 1, "h3": 1, "li": 4, "a": 1, "strong": 1, "em": 2, "s": 1, "blockquote": 1, "tr": 2, "notes": 2,
    },
    "libreoffice-calc": {"tr": 3, "th": 3, "td": 6, "a": 1, "strong": 3},
    "google-docs-chapter": {"h2": 1, "h3": 1, "li": 3, "a": 1, "strong": 1, "em": 1, "blockquote": 1, "tr": 2},
    "google-docs-notes": {"notes": 3},  # one of them cites
    "chromium-encyclopedia": {"h2": 1, "a": 1, "strong": 1, "em": 2, "notes": 1},
    "firefox-essay": {"h2": 1, "a": 2, "strong": 2, "em": 1, "blockquote": 1, "code": 2, "br": 1, "notes": 1},
}  # fmt: skip
LEFT_OUT = {
    "word-report": "comments, pictures, colours",
    "word-table": "deleted passages of tracked changes, underlining, merged cells",
    "libreoffice-article": "pictures",
    "google-docs-chapter": "pictures, colours",
    "google-docs-notes": "comments",
    "chromium-encyclopedia": "pictures, notes whose text was not copied",
    "firefox-essay": "videos and embedded pages",
}
FIELD = "#id_body"
MESSAGE = "[data-pasted-into=id_body]"
PASTE = """(field, clipboard) => {
    const clipboardData = new DataTransfer();
    for (const [type, content] of Object.entries(clipboard)) clipboardData.setData(type, content);
    field.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
}"""


def clipboard(name: str) -> str:
    return (CLIPBOARDS / f"{name}.html").read_text()


def as_markdown(name: str) -> str:
    return (CLIPBOARDS / f"{name}.md").read_text().strip()


def paste(page: "Page", html: str, **others: Any) -> str:
    page.locator(FIELD).evaluate(PASTE, {"text/html": html, "text/plain": "plain", **others})
    return page.input_value(FIELD)


@pytest.mark.parametrize("name", KEPT)
def test_readers_get_as_much_as_was_copied(name: str) -> None:
    rendered = markdown.render(as_markdown(name))
    html = str(rendered.html) + " ".join(str(note.html) for note in rendered.notes)
    tags = re.findall(r"<(h[2-6]|li|strong|em|s|blockquote|tr|td|th|code|br)\b", html)
    links = re.findall(r'<a href="(?:http|mailto)', html)
    found = {tag: tags.count(tag) for tag in tags} | {"a": len(links), "notes": len(rendered.notes)}
    assert {tag: found.get(tag, 0) for tag in KEPT[name]} == KEPT[name]
    assert {tag for tag, count in found.items() if count} - {"td", "th", "br"} <= set(KEPT[name])
    assert markdown.source(as_markdown(name)).faults == ()


def test_every_clipboard_is_counted() -> None:
    assert {path.stem for path in CLIPBOARDS.glob("*.html")} == set(KEPT)


@pytest.fixture
def editor(new_page: "NewPage", editor_login: "Login") -> "Page":
    page = new_page(1400, 900)
    editor_login(page)
    page.goto("/admin/articles/article/add/")
    page.wait_for_selector("markdown-toolbar")
    page.wait_for_load_state()
    return page


@pytest.mark.browser
def test_ten_clipboards_become_markdown_and_what_was_left_out_is_named(editor: "Page") -> None:
    page = editor
    for name in KEPT:
        page.fill(FIELD, "")
        assert paste(page, clipboard(name)) == as_markdown(name), name
        told = f"Pasted as Markdown. Left out: {LEFT_OUT[name]}." if name in LEFT_OUT else ""
        assert page.locator(MESSAGE).inner_text() == told, name
        page.keyboard.press("Control+z")
        assert page.input_value(FIELD) == "", name


@pytest.mark.browser
@pytest.mark.full
def test_what_is_pasted_stands_apart_and_its_notes_are_numbered_on(editor: "Page") -> None:
    page = editor
    page.fill(FIELD, "Before.[^1] After.\n\n[^1]: There already.")
    page.locator(FIELD).evaluate("field => field.setSelectionRange(11, 12)")
    html = '<h2>Weirs</h2><p>Two.<a href="#f" id="r"><sup>1</sup></a></p><div id="f"><a href="#r">1</a> Moss.</div>'
    after = "Before.[^1]\n\n## Weirs\n\nTwo.[^2]\n\n[^2]: Moss.\n\nAfter.\n\n[^1]: There already."
    assert paste(page, html) == after
    page.keyboard.press("Control+z")
    assert page.input_value(FIELD) == "Before.[^1] After.\n\n[^1]: There already."
    page.fill(FIELD, "A  weir.")
    page.locator(FIELD).evaluate("field => field.setSelectionRange(2, 2)")
    assert paste(page, "<span style='font-style: italic'>wicker</span>") == "A *wicker* weir."


ODD = {
    "<p><b>a</b><b>b</b> <b>c</b></p>": "**ab** **c**",
    "<p><i><b>a</b>b</i> <b><i>c</i>d</b></p>": "***a**b* ***c*d**",
    "<p>snake_case *stars* [brackets]</p><p>1. &lt;b&gt;</p>": "snake\\_case \\*stars\\* \\[brackets\\]\n\n1\\. \\<b>",
    "<p>See [[The Ferry|ferries]] [@a_b-1, p. 2]</p><p>.</p>": "See [[The Ferry|ferries]] [@a_b-1, p. 2]\n\n.",
    "<a href='javascript:alert(1)'>x</a><a href='file:///C:/a'>y</a><hr>": "xy\n\n---",
    "<table><tr><td><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>": "| a | b |\n| --- | --- |",
    "<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li></ul>": "- a\n  - b\n    - c",
    "<ol start=9><li>a<p>more</p></li><li>b</li></ol>": "9. a\n\n   more\n10. b",
    "<p>a</p><p>b</p><script>c</script><style>d</style>": "a\n\nb",
    "<p>See <a href='#h'>[3]</a></p><h2 id=h>Three</h2>": "See\n\n## Three",
    "<p title='> style=x'>one style= two</p><p>b</p>": "one style= two\n\nb",
    "<p onclick='x()'>a<br></p><p style='margin-left: 1.5in'>b<br><br>c</p>": "a\n\n> b\n>\n> c",
}


@pytest.mark.browser
@pytest.mark.full
def test_odd_clipboards(editor: "Page") -> None:
    for html, text in ODD.items():
        editor.fill(FIELD, "")
        assert paste(editor, html) == text, html


@pytest.mark.browser
@pytest.mark.full
def test_plain_words_are_left_to_the_browser(editor: "Page") -> None:
    page = editor
    for html in ("<span style='color: red'>plain *words*</span>", "<pre>code</pre>", "<meta charset=utf-8>"):
        assert paste(page, html) == "", html  # an event of ours brings no text with it
    assert paste(page, "<h2>code</h2>", **{"vscode-editor-data": "{}"}) == ""
    assert page.locator(MESSAGE).inner_text() == ""


@pytest.mark.browser
def test_the_keys_paste_as_markdown_and_with_shift_as_plain_text(editor: "Page") -> None:
    page = editor
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async () => {
            const item = (text, type) => new Blob([text], {type});
            const html = item("<h2>Weirs</h2><p>Of <b>stone</b></p>", "text/html");
            const plain = item("Weirs\\nOf stone", "text/plain");
            await navigator.clipboard.write([new ClipboardItem({"text/html": html, "text/plain": plain})]);
        }"""
    )
    page.focus(FIELD)
    page.keyboard.press("Control+v")
    assert page.input_value(FIELD) == "## Weirs\n\nOf **stone**"
    page.keyboard.press("Control+z")
    assert page.input_value(FIELD) == ""
    page.keyboard.press("Control+Shift+v")
    assert page.input_value(FIELD) == "Weirs\nOf stone"


@pytest.mark.browser
@pytest.mark.full
def test_a_long_text_is_pasted_at_once(editor: "Page") -> None:
    page = editor
    paragraph = "<p>In the spring of <b>1845</b> the ferry was <i>new</i>.<sup>2</sup></p>"
    text = paste(page, "".join([paragraph] * 2000))
    assert text.count("**1845**") == text.count("*new*.²") == 2000
