"""Every form of Markdown that works, with what it becomes; see `articles.markdown`."""

from collections.abc import Iterator
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from articles import markdown
from articles.markdown import Rendered, Work

# What the examples link to and cite is made up, so that they read alike on every site.
_LINKS = tuple((target, "#links") for target in ("The Ferry", "The River#Its weirs"))
_WORKS = (
    Work(
        "moss-1987", "Tim Moss, <em>Weirs of the River</em> (1987){place}.", "Moss, <em>Weirs of the River</em>{place}."
    ),
    Work("low-1991", "Eve Low, <em>Ferries</em> (1991){place}.", "Low, <em>Ferries</em>{place}."),
)


class Form(NamedTuple):
    """A form, and an example of it."""

    name: str | Promise
    example: str


class Shown(NamedTuple):
    """A form with what readers see of its example."""

    form: Form
    rendered: Rendered
    part: str


# By the id of each group and its title
FORMS: tuple[tuple[str, str | Promise, tuple[Form, ...]], ...] = (
    (
        "text",
        _("Text"),
        (
            Form(_("Paragraphs: an empty line between them"), "The ferry was new.\n\nThe old one had sunk."),
            Form(_("Italic, bold, struck out"), "*The Herald* called it **new**, not ~~safe~~."),
            Form(_("A new line in the same paragraph: \\ or two spaces"), "We bind the river\\\nas one binds a sheaf."),
            Form(_("Headings, from ## to ######"), "## The ferry\n\n### Its boats"),
            Form(_("Smaller headings"), "#### Oars\n\n##### Of ash\n\n###### Of elm\n\n# One # is the same as two"),
            Form(_("A heading with a line below it"), "The ferry\n---------"),
            Form(_("A passage from a source"), "> No man shall cross on a Sunday.\n>\n> But the miller may."),
            Form(_("Quotation marks and dashes as you type them"), "\"The ferry\" sank in 1862--1863 --- 'twice'..."),
            Form(_("A line across"), "Before the flood.\n\n---\n\nAfter it."),
            Form(_("Words in another language"), "He spoke of [паром]{lang=ru}."),
            Form(_("A sign that would mean something: \\ before it"), "5 \\* 4, and \\[sic\\]"),
            Form(
                _("Signs of a typewriter, and several lines of them"),
                "Type `ferry`.\n\n```\nferry   1845\nbridge  1862\n```",
            ),
            Form(_("Lines indented by four spaces, likewise"), "    ferry   1845"),
            Form(_("A comment, which readers never see"), "The ferry<!-- check the year --> was new."),
        ),
    ),
    (
        "links",
        _("Links"),
        (
            Form(_("To a page of this site, by its title or another of its names"), "They took [[The Ferry]]."),
            Form(_("The same with words of your own"), "They took [[The Ferry|a ferry]]."),
            Form(_("To a section of a topic"), "See [[The River#Its weirs]]."),
            Form(_("To a heading of this page"), "See [below](#losses).\n\n## Losses"),
            Form(_("To a page elsewhere"), "See [the register](https://example.org/register)."),
            Form(_("The address alone"), "See https://example.org/register or <https://example.org/>."),
            Form(_("Mail"), "Write to [Ann](mailto:ann@example.org)."),
            Form(
                _("The address at the end of the text"), "See [the register][r].\n\n[r]: https://example.org/register"
            ),
        ),
    ),
    (
        "sources",
        _("Sources and notes"),
        (
            Form(_("A citation, with its page"), "It sank twice.[@moss-1987, p. 42]"),
            Form(
                _("Several works in one note; the second citation of a work is short"),
                "It sank.[@moss-1987, p. 42] Twice.[@moss-1987, p. 44; @low-1991]",
            ),
            Form(_("A note"), "It sank twice.[^a]\n\n[^a]: In May and in June."),
            Form(_("A short note where it stands"), "It sank twice.^[In May and in June.]"),
            Form(
                _("A note of several paragraphs: each further one indented"),
                "It sank.[^b]\n\n[^b]: In May.\n\n    And in June.",
            ),
        ),
    ),
    (
        "lists",
        _("Lists and tables"),
        (
            Form(_("A list, with another in it"), "- grain\n- letters\n  - and answers"),
            Form(_("A numbered list, from any number"), "3. grain\n4. letters"),
            Form(
                _("A table with a caption; <br> begins a new line in a cell"),
                "Table: Its load\n\n| Year | Load |\n| --- | --- |\n| 1845 | grain<br>mail |\n| 1846 | 3 \\| 4 sheep |",
            ),
        ),
    ),
)


def shown() -> Iterator[tuple[str, str | Promise, list[Shown]]]:
    """Yield the groups of forms, each example rendered as on a page, with ids of its own."""
    number = 0
    for group, title, forms in FORMS:
        found = []
        for form in forms:
            number += 1
            part = f"example-{number}-"
            found.append(Shown(form, markdown.render(form.example, _LINKS, _WORKS, part=part), part))
        yield group, title, found
