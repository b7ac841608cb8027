"""Every construct of Markdown that an editor may type: it reaches readers as meant, or is named beside the form.

CommonMark, GitHub's tables, strikethrough, addresses, tasks and boxes, and the footnote, definition-list and attribute
extensions. `named` are words of the check.
"""

import re
from typing import NamedTuple

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from articles import markdown, review_checks
from articles.models import Article, Reference
from rlm_site.tests.editor import form_data, signed_in, transition


class Row(NamedTuple):
    construct: str
    typed: str
    html: str
    named: str = ""
    notes: tuple[str, ...] = ()


def marker(number: int) -> str:
    link = f'<a href="#note-{number}" id="ref-{number}" aria-label="Note {number}">{number}</a>'
    return f'<sup class="note">{link}</sup>'


def table(head: str, body: str, caption: str = "") -> str:
    top = f"<caption>{caption}</caption>" if caption else ""
    div = f'<div class="scroll" role="region" tabindex="0" aria-label="{caption or "Table"}">'
    rows = f"<thead>\n<tr>\n{head}\n</tr>\n</thead>\n<tbody>\n<tr>\n{body}\n</tr>\n</tbody>\n"
    return f"{div}<table>{top}{rows}</table></div>"


TH = '<th scope="col">'

WORKS = [
    # CommonMark, blocks
    Row("paragraphs", "one\n\ntwo", "<p>one</p>\n<p>two</p>"),
    Row("line within a paragraph", "one\ntwo", "<p>one\ntwo</p>"),
    Row("rule", "a\n\n***", "<p>a</p>\n<hr>"),
    Row("heading", "## One", '<h2 id="one">One</h2>'),
    Row("heading of the first level", "# One", '<h2 id="one">One</h2>'),
    Row("closed heading", "### One ###", '<h3 id="one">One</h3>'),
    Row("heading of the sixth level", "###### One", '<h6 id="one">One</h6>'),
    Row("underlined heading", "One\n===\n\nTwo\n---", '<h2 id="one">One</h2>\n<h2 id="two">Two</h2>'),
    Row("indented code", "    a < b", "<pre><code>a &lt; b\n</code></pre>"),
    Row("block of code", "```py\na--b [^x]\n```", "<pre><code>a--b [^x]\n</code></pre>"),
    Row("block of code with tildes", "~~~\na\n~~~", "<pre><code>a\n</code></pre>"),
    Row("quoted passage", "> a\n> b", "<blockquote>\n<p>a\nb</p>\n</blockquote>"),
    Row("list", "- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
    Row("numbered list", "3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
    Row("list in a list", "- a\n  - b", "<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul>\n</li>\n</ul>"),
    Row("list of paragraphs", "- a\n\n  b", "<ul>\n<li>\n<p>a</p>\n<p>b</p>\n</li>\n</ul>"),
    # CommonMark, within a line
    Row("emphasis", "*a* _b_ **c** __d__ ***e***",
        "<p><em>a</em> <em>b</em> <strong>c</strong> <strong>d</strong> <em><strong>e</strong></em></p>"),
    Row("code", "`a -- b` ``c`d``", "<p><code>a -- b</code> <code>c`d</code></p>"),
    Row("link", '[a](https://e.org/x "t")', '<p><a href="https://e.org/x" title="t">a</a></p>'),
    Row("link on this site", "[a](/b/)", '<p><a href="/b/">a</a></p>'),
    Row("link to a heading", "[a](#one)\n\n# One", '<p><a href="#one">a</a></p>\n<h2 id="one">One</h2>'),
    Row("link in pointed brackets", "[a](<https://e.org/x y>)", '<p><a href="https://e.org/x%20y">a</a></p>'),
    Row("link by a name", "[a][b] [b][] [b]\n\n[b]: /c/",
        '<p><a href="/c/">a</a> <a href="/c/">b</a> <a href="/c/">b</a></p>'),
    Row("link to write to", "[a](mailto:a@b.org)", '<p><a href="mailto:a@b.org">a</a></p>'),
    Row("link to call", "[a](tel:+491)", '<p><a href="tel:+491">a</a></p>'),
    Row("link to a file server", "[a](ftp://e.org/x)", '<p><a href="ftp://e.org/x">a</a></p>'),
    Row("address in pointed brackets", "<https://e.org/a--b>",
        '<p><a href="https://e.org/a--b">https://e.org/a--b</a></p>'),
    Row("mail in pointed brackets", "<a@b.org>", '<p><a href="mailto:a@b.org">a@b.org</a></p>'),
    Row("line break", "a  \nb\\\nc", "<p>a<br>\nb<br>\nc</p>"),
    Row("escapes", r"\*a\* \[^x] \`b\` \# \<b> \{#c}", "<p>*a* [^x] `b` # &lt;b&gt; {#c}</p>"),
    Row("characters by name", "&copy; &#1103; &amp;lt;", "<p>© я &amp;lt;</p>"),
    Row("words in square brackets", "he [sic] said", "<p>he [sic] said</p>"),
    Row("sign of birth", "Anna (*1901)", "<p>Anna (*1901)</p>"),
    Row("sign of a note", "dead* and buried*", "<p>dead* and buried*</p>"),
    Row("signs of sums", "2 * 3 = 6, a_b, 5 ^ 2, ~50 to ~60, ~50–~60, -5, x == y",
        "<p>2 * 3 = 6, a_b, 5 ^ 2, ~50 to ~60, ~50–~60, -5, x == y</p>"),
    Row("a blank to be filled in", "Name: ____, ___", "<p>Name: ____, ___</p>"),
    Row("words in brackets before others", "he [sic] (see [@arden])", f"<p>he [sic] (see {marker(1)})</p>",
        notes=("Arden.",)),
    Row("signs that are meant", r"\*a \_b \`c", "<p>*a _b `c</p>"),
    Row("emphasised sign", "*\\*a*", "<p><em>*a</em></p>"),
    # GitHub's
    Row("table", "| a | b |\n|---|---|\n| c | d |",
        table(f"{TH}a</th>\n{TH}b</th>", "<td>c</td>\n<td>d</td>")),
    Row("caption", "Table: Size\n\n| a |\n|---|\n| c |",
        table(f"{TH}a</th>", "<td>c</td>", "Size")),
    Row("alignment", "| a | b | c |\n|:--|:-:|--:|\n| d | e | f |",
        table(f'{TH}a</th>\n<th scope="col" class="align-center">b</th>\n<th scope="col" class="align-right">c</th>',
              '<td>d</td>\n<td class="align-center">e</td>\n<td class="align-right">f</td>')),
    Row("line break in a cell", "| a |\n|---|\n| c<br>d |", table(f"{TH}a</th>", "<td>c<br>\nd</td>")),
    Row("a stroke in a cell", "| a |\n|---|\n| c \\| d |", table(f"{TH}a</th>", "<td>c | d</td>")),
    Row("struck out", "~~a~~", "<p><s>a</s></p>"),
    Row("bare address", "https://e.org/a--b", '<p><a href="https://e.org/a--b">https://e.org/a--b</a></p>'),
    Row("address in a sentence", "(See https://e.org/a--b_c_d/_e_f.)",
        '<p>(See <a href="https://e.org/a--b_c_d/_e_f">https://e.org/a--b_c_d/_e_f</a>.)</p>'),
    Row("address with brackets", "https://e.org/a_(b)",
        '<p><a href="https://e.org/a_(b)">https://e.org/a_(b)</a></p>'),
    Row("emphasised address", "**https://e.org**",
        '<p><strong><a href="https://e.org">https://e.org</a></strong></p>'),
    Row("address without https", "www.e.org", '<p><a href="http://www.e.org">www.e.org</a></p>'),
    Row("address of mail", "Ask a_b@c.org.", '<p>Ask <a href="mailto:a_b@c.org">a_b@c.org</a>.</p>'),
    Row("address as words of a link", "[https://e.org/a--b](/c/)", '<p><a href="/c/">https://e.org/a--b</a></p>'),
    Row("address with a note", "https://e.org^[a]", f'<p><a href="https://e.org">https://e.org</a>{marker(1)}</p>',
        notes=("a",)),
    # Notes
    Row("note", "A[^x]\n\n[^x]: one", f"<p>A{marker(1)}</p>", notes=("one",)),
    Row("note of several paragraphs", "A[^x]\n\n[^x]: one\n\n    two", f"<p>A{marker(1)}</p>",
        notes=("<p>one</p>\n<p>two</p>",)),
    Row("note with a list", "A[^x]\n\n[^x]: one\n\n    - two", f"<p>A{marker(1)}</p>",
        notes=("<p>one</p>\n<ul>\n<li>two</li>\n</ul>",)),
    Row("inline note", 'A^["one" *two*] B', f"<p>A{marker(1)} B</p>", notes=("“one” <em>two</em>",)),
    Row("note in an inline note", "A^[b^[c]]", f"<p>A{marker(1)}</p>", notes=(f"b{marker(2)}", "c")),
    Row("note in a note", "A[^x]\n\n[^x]: one[^y]\n\n[^y]: two", f"<p>A{marker(1)}</p>",
        notes=(f"one{marker(2)}", "two")),
    Row("citation", "A[@arden, p. 4]", f"<p>A{marker(1)}</p>", notes=("Arden, p. 4.",)),
    Row("citation in capitals", "A[@Arden]", f"<p>A{marker(1)}</p>", notes=("Arden.",)),
    # Attributes
    Row("language of words", "[Власов]{lang=ru}", '<p><span lang="ru">Власов</span></p>'),
    Row("language of a link", "[Власов](/a/){lang=ru}", '<p><a href="/a/" lang="ru">Власов</a></p>'),
    Row("language of code", "`a`{lang=ru}", '<p><code lang="ru">a</code></p>'),
    # Comments
    Row("comment", "a <!-- secret --> b", "<p>a  b</p>"),
    Row("comment in its own lines", "a\n\n<!-- secret\n\nsecret -->\n\nb", "<p>a</p>\n<p>b</p>"),
    Row("comment over paragraphs", "a <!-- secret\n\nsecret --> b", "<p>a  b</p>"),
    Row("comment between rows", "| a |\n|---|\n<!-- secret -->\n| c |", table(f"{TH}a</th>", "<td>c</td>")),
    Row("comment between lists", "- a\n\n<!-- secret -->\n\n- b",
        "<ul>\n<li>a</li>\n</ul>\n<ul>\n<li>b</li>\n</ul>"),
    Row("comment above a table", "Table: Size\n\n<!-- secret -->\n\n| a |\n|---|\n| c |",
        table(f"{TH}a</th>", "<td>c</td>", "Size")),
    Row("comment in a list", "- a\n\n    <!-- secret -->\n- b",
        "<ul>\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ul>"),
    Row("comment in a heading", "## One <!-- secret -->", '<h2 id="one">One</h2>'),
    Row("comment in a note", "A[^x]\n\n[^x]: one <!-- secret -->", f"<p>A{marker(1)}</p>", notes=("one",)),
    Row("comment as code", "`<!-- a -->`\n\n    <!-- b -->\n\n```\n<!-- c -->\n```",
        "<p><code>&lt;!-- a --&gt;</code></p>\n<pre><code>&lt;!-- b --&gt;\n</code></pre>\n"
        "<pre><code>&lt;!-- c --&gt;\n</code></pre>"),
    Row("comment that begins in code", "    a <!-- secret\n\nsecret --> b", "<pre><code>a  b\n</code></pre>"),
    Row("arrow", "a --> b", "<p>a –&gt; b</p>"),
    Row("comment after an indented fence", "    ```\n\na <!-- secret\n\nsecret --> b",
        "<pre><code>```\n</code></pre>\n<p>a  b</p>"),
]  # fmt: skip

NAMED = [
    # Notes
    Row("note without words below", "A[^x]", "<p>A[^x]</p>", "This note has no text"),
    Row("note with a space in its name", "A[^my note]", "<p>A[^my note]</p>", "This note has no text"),
    Row("note that nothing points to", "A\n\n[^x]: lost", "<p>A</p>", "Nothing refers to this note"),
    Row("second note of a name", "A[^x]\n\n[^x]: one\n\n[^x]: two", f"<p>A{marker(1)}</p>", "Two notes have the same",
        notes=("one",)),
    Row("note in capitals", "A[^X]\n\n[^x]: one", "<p>A[^X]</p>", "This note has no text"),
    Row("empty note", "A[^x]\n\n[^x]:", f"<p>A{marker(1)}</p>", "This note is empty", notes=("",)),
    Row("open inline note", "A^[one", "<p>A^[one</p>", "Not a valid note"),
    # Links and images
    Row("image", "![A tank](x.jpg)", "<p>A tank</p>", "Images are not shown"),
    Row("image by a name", "![A tank][x]\n\n[x]: x.jpg", "<p>A tank</p>", "Images are not shown"),
    Row("image in a link", "[![A tank](x.jpg)](/a/)", '<p><a href="/a/">A tank</a></p>', "Images are not shown"),
    Row("link with another scheme", "[a](foo:b)", "<p><a>a</a></p>", "Readers see this link as plain text"),
    Row("link with a script", "[a](javascript:b)", "<p>[a](javascript:b)</p>", "Not a valid link"),
    Row("link to no address", "[a](https://e]f.org)", "<p><a>a</a></p>", "its address is not valid"),
    Row("link to no port", "[a](https://e.org:99999/)", "<p><a>a</a></p>", "its address is not valid"),
    Row("link with a space", "[a](b c)", "<p>[a](b c)</p>", "Not a valid link"),
    Row("link by a name that nothing has", "[a][b]", "<p>[a][b]</p>", "Not a valid link"),
    Row("link without address", "[a]()", '<p><a href="">a</a></p>', "This link has no address"),
    Row("link without https", "[a](www.e.org)", '<p><a href="www.e.org">a</a></p>', "This address is relative"),
    Row("link to no heading", "[a](#b)", '<p><a href="#b">a</a></p>', "This page has nothing at this link"),
    Row("address of no link", "A\n\n[b]: /c/", "<p>A</p>", "No link uses this address"),
    Row("second address", "[b]\n\n[b]: /c/\n[b]: /d/", '<p><a href="/c/">b</a></p>', "Two addresses have"),
    Row("link with a space before its address", "[a] (/b/) [a] (https://e.org)",
        '<p>[a] (/b/) [a] (<a href="https://e.org">https://e.org</a>)</p>', "Not a valid link"),
    Row("address of a link within a paragraph", "A\n[b]: /c/", "<p>A\n[b]: /c/</p>", "Not a valid link address"),
    Row("address of a link with more behind it", '[b]: /c/ "d" e', "<p>[b]: /c/ “d” e</p>", "Not a valid link address"),
    Row("open link to a page", "[[A", "<p>[[A</p>", "Not a valid link or citation"),
    Row("citation without a comma", "[@arden p. 4]", "<p>[@arden p. 4]</p>", "Not a valid link or citation"),
    # HTML
    Row("HTML within a line", "<b>a</b>", "<p>&lt;b&gt;a&lt;/b&gt;</p>", "HTML is shown"),
    Row("HTML over lines", "<div\n*a*", "<p>&lt;div\n<em>a</em></p>", "HTML is shown"),
    Row("block of HTML", '<div class="x">\na\n</div>',
        "<p>&lt;div class=“x”&gt;\na\n&lt;/div&gt;</p>", "HTML is shown"),
    Row("declaration", "<!DOCTYPE html>", "<p>&lt;!DOCTYPE html&gt;</p>", "HTML is shown"),
    Row("instruction over lines", "a <?\n?>", "<p>a &lt;?\n?&gt;</p>", "HTML is shown"),
    Row("HTML with emphasis in it", '<a b="*c*">', "<p>&lt;a b=“<em>c</em>”&gt;</p>", "HTML is shown"),
    Row("instruction", "<?php a ?>", "<p>&lt;?php a ?&gt;</p>", "HTML is shown"),
    Row("character data", "<![CDATA[a]]>", "<p>&lt;![CDATA[a]]&gt;</p>", "HTML is shown"),
    Row("character without a name", "a &nosuch; b", "<p>a &amp;nosuch; b</p>", "No character has this name"),
    Row("open comment", "a <!-- secret\n\nb", "<p>a</p>", "This comment is not closed"),
    # Blocks
    Row("front matter", "---\ntitle: a\n---\n\nb",
        '<hr>\n<h2 id="title-a">title: a</h2>\n<p>b</p>', "Front matter is not supported"),
    Row("open block of code", "```\na", "<pre><code>a</code></pre>", "This code block is not closed"),
    Row("comment after what is no code", "- `a\n- b <!-- ` secret\n\nsecret --> c",
        "<ul>\n<li>`a</li>\n<li>b  c</li>\n</ul>", "Not valid code"),
    Row("words beside a block of code", "```py Table 1\na\n```", "<pre><code>a\n</code></pre>",
        "Readers do not see what"),
    Row("open code", "a `b", "<p>a `b</p>", "Not valid code"),
    Row("quotation marks of a typewriter", "a ``b''", "<p>a ``b’’</p>", "Not valid code"),
    Row("list without spaces", "-one\n-two", "<p>-one\n-two</p>", "Not a valid list"),
    Row("numbered list without spaces", "1)one", "<p>1)one</p>", "Not a valid list"),
    Row("table without a line of dashes", "| a | b |\n| c | d |", "<p>| a | b |\n| c | d |</p>", "Not a valid table"),
    Row("heading without a space", "##One", "<p>##One</p>", "Not a valid heading"),
    Row("heading of the seventh level", "####### One", "<p>####### One</p>", "Not a valid heading"),
    Row("tasks", "- [ ] a\n- [x] b", "<ul>\n<li>[ ] a</li>\n<li>[x] b</li>\n</ul>", "Task lists are not supported"),
    Row("box", "> [!NOTE]\n> a", "<blockquote>\n<p>[!NOTE]\na</p>\n</blockquote>", "Callouts are not supported"),
    Row("definitions", "Term\n: a", "<p>Term\n: a</p>", "Definition lists are not supported"),
    Row("definitions with another sign", "Term\n  ~ a", "<p>Term\n~ a</p>", "Definition lists are not supported"),
    Row("container", "::: note\na\n:::", "<p>::: note\na\n:::</p>", "Callouts are not supported"),
    Row("admonition", "!!! note\n    a", "<p>!!! note\na</p>", "Callouts are not supported"),
    Row("definitions of paragraphs", "Term\n\n:   a", "<p>Term</p>\n<p>:   a</p>",
        "Definition lists are not supported"),
    Row("table whose head does not fit", "a | b\n--|--|--\nc | d", "<p>a | b\n–|–|–\nc | d</p>",
        "Not a valid table"),
    Row("row with a cell too many", "| a |\n|---|\n| c | d |", table(f"{TH}a</th>", "<td>c</td>"), "more cells"),
    Row("comment in a cell too many", "1) ~~~|\n-|\na|b <!-- secret\n\nsecret --> c",
        table(f"{TH}1) ~~~</th>", "<td>a</td>"), "more cells"),
    # Emphasis and attributes
    Row("emphasis that is not closed", "**a", "<p>**a</p>", "These emphasis marks"),
    Row("emphasis with spaces", "** a **", "<p>** a **</p>", "These emphasis marks"),
    Row("struck out and not closed", "~~a", "<p>~~a</p>", "These emphasis marks"),
    Row("struck out with one sign", "~a~", "<p>~a~</p>", "A single ~ has no effect"),
    Row("struck out with one sign around more", "~a *b* `c` ~~d~~~", "<p>~a <em>b</em> <code>c</code> <s>d</s>~</p>",
        "A single ~ has no effect"),
    Row("emphasis of one sign that is not closed", "a *b", "<p>a *b</p>", "on one side of a word"),
    Row("emphasis of words in quotation marks that is not closed", 'a *"b"', "<p>a *“b”</p>", "on one side of a word"),
    Row("emphasis closed too early", "***a**", "<p>*<strong>a</strong></p>", "on one side of a word"),
    Row("emphasis of a link that is not closed", "*[a](/b/)", '<p>*<a href="/b/">a</a></p>', "on one side of a word"),
    Row("emphasis with low lines that is not closed", "a _b", "<p>a _b</p>", "on one side of a word"),
    Row("emphasis with low lines that is not opened", "a b_ c", "<p>a b_ c</p>", "on one side of a word"),
    Row("emphasis opened before a space", "a * b c* d", "<p>a * b c* d</p>", "on one side of a word"),
    Row("lowered", "H~2~O", "<p>H~2~O</p>", "Superscript, subscript"),
    Row("raised", "m^2^", "<p>m^2^</p>", "Superscript, subscript"),
    Row("marked", "==a b==", "<p>==a b==</p>", "Superscript, subscript"),
    Row("substitution", "{{ a }}", "<p>{{ a }}</p>", "Readers see these braces"),
    Row("role", "{a}`b`", "<p>{a}<code>b</code></p>", "Readers see these braces"),
    Row("id of a heading", "## One {#two}", '<h2 id="one-two">One {#two}</h2>', "Readers see these braces"),
    Row("attribute of emphasis", "*a*{lang=ru}", "<p><em>a</em>{lang=ru}</p>", "Readers see these braces"),
    Row("attributes of a block", "{.a}\nb", "<p>{.a}\nb</p>", "Readers see these braces"),
    Row("id of words", "[a]{#b}", "<p><span>a</span></p>", "Only a language is allowed"),
    Row("class of a link", "[a](/b/){.c}", '<p><a href="/b/">a</a></p>', "Only a language is allowed"),
    Row("no language", "[a]{lang=russian}", '<p><span lang="russian">a</span></p>', "Only a language is allowed"),
]  # fmt: skip

REFERENCES = (("arden", "Arden{place}."),)


def faults(text: str) -> list[tuple[int, str]]:
    return [(fault.line, str(fault.what)) for fault in markdown.source(text).faults]


@pytest.mark.parametrize("row", [*WORKS, *NAMED], ids=lambda row: row.construct)
def test_each_construct_looks_as_the_table_says(row: Row) -> None:
    rendered = markdown.render(row.typed, (), REFERENCES)
    assert str(rendered.html).strip().replace("\n\n", "\n") == row.html
    assert tuple(str(note.html).strip() for note in rendered.notes) == row.notes
    assert "secret" not in markdown.source(row.typed).plain


@pytest.mark.parametrize("row", WORKS, ids=lambda row: row.construct)
def test_nothing_is_said_of_what_works(row: Row) -> None:
    assert faults(row.typed) == []


@pytest.mark.parametrize("row", NAMED, ids=lambda row: row.construct)
@pytest.mark.parametrize(
    "above", ["", "One\n  two.\n\n", "<!-- a\n\nb -->\n\n<!-- c -->\n", "a <!-- b\n\nc\n--> d\n\n"]
)
def test_what_does_not_work_is_named_with_its_line_and_a_remedy(row: Row, above: str) -> None:
    if row.construct == "front matter" and above:
        return  # it stands at the beginning, or is none
    lines = {line: told for line, told in faults(f"{above}{row.typed}") if row.named in told}
    assert lines, faults(row.typed)
    before, after = above.count("\n"), f"{above}{row.typed}".count("\n") + 1
    assert all(before < line <= after for line in lines)
    assert all(". " in told or ": " in told for told in lines.values())


# The ids of a page


@pytest.mark.parametrize(
    "heading", ["Note 1", "Ref 1", "Ref 1 2", "Note", "Ref", "Notes", "Main", "Heading Note 1", "Q"]
)
def test_ids_of_headings_and_notes_never_meet(client: Client, heading: str) -> None:
    text = f"## {heading}\n\n## {heading}\n\n## {heading}\n\nA[^x] B[^x] C^[d]\n\n[^x]: one"
    rendered = markdown.render(text)
    ids = [found.id for found in rendered.headings]
    ids += [each for note in rendered.notes for each in (note.id, *note.back_links)]
    assert len(set(ids)) == len(ids) == 8


@pytest.mark.django_db
def test_no_id_stands_twice_on_a_page(client: Client) -> None:
    def ids() -> list[str]:
        return re.findall(r"\sid=\"([^\"]*)\"", client.get("/yarle-valley/the-millers/").content.decode())

    before = ids()
    body = "".join(f"## {name}\n\nA^[{name}]\n\n" for name in before)
    Article.objects.filter(slug="the-millers").update(body=body)
    assert len(ids()) >= 3 * len(before) > 30
    assert sorted(set(ids())) == sorted(ids())


# Comments stay among editors


@pytest.mark.django_db
def test_a_comment_is_nowhere_on_the_site(client: Client) -> None:
    body = "The <!-- zorblax\n\nzorblax --> quagga.\n\n- a <!-- zorblax -->\n\n    <!-- zorblax -->\n"
    Article.objects.filter(slug__in=["the-millers", "yarle-valley"]).update(body=body)
    for address in ("/", "/yarle-valley/", "/yarle-valley/the-millers/", "/feeds/changes/", "/changes/"):
        page = client.get(address)
        assert page.status_code == 200
        assert "zorblax" not in page.content.decode(), address
    assert "the-millers" in client.get("/search/", {"q": "quagga"}).content.decode()
    assert "the-millers" not in client.get("/search/", {"q": "zorblax"}).content.decode()


@pytest.mark.django_db
def test_the_words_of_notes_are_found_by_readers_who_see_them(client: Client) -> None:
    body = "One[^x] two^[an okapi].\n\n[^x]: a quagga[^y]\n\n[^y]: a quoll\n\n[^z]: a zorblax <!-- zorblax -->"
    Article.objects.filter(slug="the-millers").update(body=body)
    for word in ("okapi", "quagga", "quoll"):
        assert "the-millers" in client.get("/search/", {"q": word}).content.decode()
    assert "the-millers" not in client.get("/search/", {"q": "zorblax"}).content.decode()
    assert "quagga" not in str(client.get("/").content)


# Links and citations by names that look like something else

UNLINKABLE = ["F#m", "A # B", "#A#B", "A|B", "A [b]", "A]]", "[[A", "A <!-- b"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "title",
    ["F# music", "Topic#", "Issue #5", "# 7", "C#", "A ## B", "Half & half", "A *b*", "A `b`", "1–2 <b>", "~A~"],
)
def test_a_title_with_a_sign_of_links_can_be_linked(client: Client, title: str) -> None:
    page = Article.objects.create(title=title, published=True)
    Article.objects.filter(slug="the-millers").update(body=f"See [[{title}]].")
    shown = client.get("/yarle-valley/the-millers/").content.decode()
    assert f'See <a href="{page.get_absolute_url()}">{escape(title)}</a>.' in shown
    assert named(page) == []
    page.full_clean()


@pytest.mark.django_db
def test_a_section_of_a_topic_with_a_sign_of_links_can_be_linked(client: Client) -> None:
    topic = Article.objects.create(title="F# music", slug="music", published=True)
    section = Article.objects.create(parent=topic, title="Issue #5", slug="fifth", published=True)
    Article.objects.filter(slug="the-millers").update(body="See [[F# music#Issue #5]].")
    shown = client.get("/yarle-valley/the-millers/").content.decode()
    assert f'See <a href="{section.get_absolute_url()}">Issue #5</a>.' in shown


@pytest.mark.django_db
@pytest.mark.parametrize("title", UNLINKABLE)
def test_a_title_that_links_cannot_name_is_told(title: str) -> None:
    """One of before the rule, say: its text can be published, but not without being asked."""
    assert any("Links cannot use the title of this page" in told for told in named(Article(title=title, slug="a")))


@pytest.mark.django_db
@pytest.mark.parametrize("title", UNLINKABLE)
def test_a_title_that_links_cannot_name_is_refused_in_the_form_which_keeps_it(title: str) -> None:
    editor = signed_in()
    add = "/admin/articles/article/add/"
    answer = editor.post(add, form_data(editor.get(add), title=title, summary="It.", body="Zorblax."))
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "Links such as [[Title]] cannot find this page." in page
    assert escape(title) in page
    assert not Article.objects.filter(title=title).exists()
    row = Article.objects.get(slug="the-millers")
    change = f"/admin/articles/article/{row.pk}/change/"
    assert "cannot find this page" in editor.post(change, form_data(editor.get(change), title=title)).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["t-doi", "T-Doi"])
def test_a_citation_finds_its_reference_in_any_letters(client: Client, key: str) -> None:
    Reference.objects.create(key=key, title="Quagga")
    body = "A[@T-DOI, p. 1] B[@t-doi, p. 1]"
    row = Article.objects.get(slug="the-millers")
    Article.objects.filter(pk=row.pk).update(body=body)
    page = client.get("/yarle-valley/the-millers/").content.decode()
    assert "<em>Quagga</em>, p. 1." in page
    assert page.count('id="note-') == 1
    assert "Quagga" in client.get("/references/").content.decode()
    assert not any("not among the references" in told for told in named(Article(title="A", slug="a", body=body)))


def named(article: Article) -> list[str]:
    found = review_checks.check_article(article, timezone.now())
    return [
        f"{warning.what} {warning.where}"
        for warning in found
        if not re.search("no citation|no summary", str(warning.what))
    ]


# Beside the form, and before readers see it


@pytest.mark.django_db
def test_it_is_said_beside_the_form_and_asked_once_more_before_publishing() -> None:
    editor = signed_in()
    add = "/admin/articles/article/add/"
    body = "A.\n\nB[^x] and an ![image](x.jpg)."
    said = editor.post(f"{add}checks/", {"title": "Zorblax", "body": body}).content.decode()
    editor.post(add, form_data(editor.get(add), title="Zorblax", summary="It.", body=body))
    row = Article.objects.get(title="Zorblax")
    asked = editor.get(f"/admin/articles/article/{row.pk}/publish/").content.decode()
    for page in (said, asked):
        assert "Line 3: This note has no text" in page
        assert "Line 3: Images are not shown" in page
    transition(editor, row, "publish")
    row.refresh_from_db()
    assert row.published


@pytest.mark.django_db
def test_many_faults_are_counted() -> None:
    found = named(Article(title="A", slug="a", body="[^x]\n\n" * 70))
    assert len(found) == 51
    assert "later lines: 20" in found[-1]
