"""The changes of the page cache benchmark, and what pages must show after each. Import it after django.setup()."""

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from html import unescape
from typing import Any

from clients import Editor, Writer
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from articles.models import Article, QuoteChoice, Reference, TaggedArticle
from quotes.models import Check, IndexTerm, Quote, TaggedQuote
from rlm_site.history.models import Revision
from rlm_site.tags.models import Tag
from rlm_site.testing.served import Site

SOON = 2.0  # seconds until what is scheduled comes due
FIRST_ID = 50_000_000  # of rows created here, by any client


@dataclass(frozen=True)
class Expectation:
    """A text that a page must contain once a change is committed, or must no longer contain."""

    path: str
    text: str
    there: bool = True

    def holds(self, answer: str) -> bool:
        return (self.text in answer) == self.there

    def negated(self) -> "Expectation":
        return replace(self, there=not self.there)


@dataclass(frozen=True)
class Change:
    what: str
    how: str
    make: Callable[[], object]
    expectations: Sequence[Expectation]
    invalidates: bool = True  # False: all cached pages must remain valid


def answer(site: Site, path: str) -> str:
    """Return status, redirect target and body as one text."""
    status, headers, body = site.ask(path)
    return f"HTTP {status} {headers.get('Location', '')}\n{unescape(body.decode())}"


class Scenarios:
    """Random changes. A scenario is one change, or several that restore the original state."""

    def __init__(self, rng: random.Random, writers: Sequence[Writer], editor: Editor, password: str) -> None:
        self.rng = rng
        self.writers = writers
        self.editor = editor
        self.password = password
        self.number = 0
        self.scenarios: list[Callable[[], Iterator[Change]]] = [
            getattr(self, name) for name in sorted(vars(Scenarios)) if name not in {"changes"} and name[0] != "_"
        ]

    def changes(self) -> Iterator[Change]:
        while True:
            yield from self.rng.choice(self.scenarios)()

    # One field of one row

    def title_of_section(self) -> Iterator[Change]:
        section, marker = self._section(quote_words=""), self._new_marker()  # so that its heading is matched
        yield self._field_changed(
            "title of a section", section, "title", marker,
            on=[section, section.parent, self._sibling(section), *section.tags.all()],
            found=[f"/words/{marker}/", f"/search/?q={marker}"],
        )  # fmt: skip

    def title_of_topic(self) -> Iterator[Change]:
        topic = self._section().parent
        section = self._sections().filter(parent=topic).first()
        yield self._field_changed("title of a topic", topic, "title", self._new_marker(), on=[topic, section, "/"])

    def text_of_section(self) -> Iterator[Change]:
        section, marker = self._section(), self._new_marker()
        found = [f"/search/?q={marker}"]
        yield self._field_changed("text of a section", section, "body", marker, on=[section], found=found)

    def text_of_topic(self) -> Iterator[Change]:
        topic = self._section().parent
        yield self._field_changed("text of a topic", topic, "body", self._new_marker(), on=[topic, "/"])

    def name_of_tag(self) -> Iterator[Change]:
        section = self._section()
        for tag in section.tags.all()[:1]:
            on = [tag, section, "/tags/", *self._quotes().filter(tags=tag)[:1]]
            yield self._field_changed("name of a tag", tag, "name", self._new_marker(), on=on, by=self.editor)

    def description_of_tag(self) -> Iterator[Change]:
        for tag in self._section().tags.all()[:1]:
            yield self._field_changed(
                "description of a tag", tag, "description", self._new_marker(), on=[tag], by=self.editor
            )

    def name_of_person(self) -> Iterator[Change]:
        quote, section = self._pinned()
        if quote.person and not quote.name_as_printed:
            on = [quote.person, quote, section, "/quotes/people/"]
            yield self._field_changed(
                "name of a person", quote.person, "name", self._new_marker(), on=on, by=self.editor
            )

    def description_of_person(self) -> Iterator[Change]:
        quote, section = self._pinned()
        if quote.person and quote.person.description:
            on = [quote.person, quote, section]
            person = quote.person
            yield self._field_changed(
                "description of a person", person, "description", self._new_marker(), on=on, by=self.editor
            )

    def title_of_work(self) -> Iterator[Change]:
        quote, section = self._pinned()
        if work := quote.work or quote.quoted_in:
            yield self._field_changed(
                "title of a work", work, "title", self._new_marker(), on=[quote, section], by=self.editor
            )

    def text_of_quotation(self) -> Iterator[Change]:
        quote, section = self._pinned()
        marker = self._new_marker()
        if len(quote.text.split()) > 12:  # its address stays
            found = [f"/words/{marker}/", f"/search/?q={marker}"]
            yield self._field_changed("text of a quotation", quote, "text", marker, on=[quote, section], found=found)

    def title_of_reference(self) -> Iterator[Change]:
        section = self._section()
        for reference in Reference.objects.filter(key__in=re.findall(r"\[@([\w-]+)", section.body))[:1]:
            on = [section, "/references/"]
            yield self._field_changed(
                "title of a reference", reference, "title", self._new_marker(), on=on, by=self.editor
            )

    def evidence(self) -> Iterator[Change]:
        check = self.rng.choice(Check.objects.select_related("quote"))
        yield self._field_changed("evidence", check, "found", self._new_marker(), on=[check.quote])

    # Rows that come and go

    def a_section(self) -> Iterator[Change]:
        sibling, marker = self._section(), self._new_marker()
        section = Article(
            pk=FIRST_ID + self.number, parent=sibling.parent, slug=marker, title=f"The {marker}", body=f"On {marker}.",
            published=True, position=sibling.position,
        )  # fmt: skip
        yield from self._added_and_removed("a section", section, on=[sibling, sibling.parent, f"/search/?q={marker}"])

    def a_quotation(self) -> Iterator[Change]:
        marker = self._new_marker()
        person = self._pinned()[0].person
        quote = Quote(
            pk=FIRST_ID + self.number, key=marker, text=f"He who says {marker} has said it all.", person=person,
            status="reported", published=True,
        )  # fmt: skip
        yield from self._added_and_removed("a quotation", quote, on=[f"/words/{marker}/", f"/search/?q={marker}"])

    def a_tag_on_a_section(self) -> Iterator[Change]:
        section = self._section()
        tag = self.rng.choice(Tag.objects.exclude(pk__in=section.tags.all()))
        row = TaggedArticle(pk=FIRST_ID + self._next(), tag=tag, content_object=section)
        expectations = [self._links(section, tag), self._links(tag, section)]
        yield from self._added_and_removed("a tag on a section", row, expectations=expectations)

    def a_tag_on_a_quotation(self) -> Iterator[Change]:
        quote, _section = self._pinned()
        tag = self.rng.choice(Tag.objects.exclude(pk__in=quote.tags.all()))
        row = TaggedQuote(pk=FIRST_ID + self._next(), tag=tag, content_object=quote)
        yield from self._added_and_removed("a tag on a quotation", row, expectations=[self._links(quote, tag)])

    def a_pin(self) -> Iterator[Change]:
        """Pin a quotation that the site has not picked, and that is not banned on the topic."""
        section = self._section(quotations__in=("automatic", "topic"), quote_choices=None)
        page = answer(self.editor.sites[0], section.get_absolute_url())
        banned = QuoteChoice.objects.filter(article=section.parent, action="ban").values("quote")
        quotes = self._quotes().exclude(pk__in=banned)
        quote = self.rng.choice([row for row in quotes if f'href="{row.get_absolute_url()}"' not in page])
        row = QuoteChoice(pk=FIRST_ID + self._next(), article=section, quote=quote, action="pin")
        yield from self._added_and_removed(
            "a pin", row, expectations=[self._links(section, quote), self._links(quote, section)]
        )

    def a_ban(self) -> Iterator[Change]:
        """Ban a quotation that the site has picked, on the page or its topic."""
        section = self._section(quotations__in=("automatic", "topic"), quote_choices=None)
        page = answer(self.rng.choice(self.editor.sites), section.get_absolute_url())
        picked = Quote.objects.filter(pk__in=re.findall(r'href="/quotes/(\d+)/', page)).first()
        if picked:
            article = self.rng.choice([section, section.parent])
            row = QuoteChoice(pk=FIRST_ID + self._next(), article=article, quote=picked, action="ban")
            yield from self._added_and_removed("a ban", row, expectations=[self._links(section, picked, there=False)])

    def a_word_to_match(self) -> Iterator[Change]:
        """Give a page a word that one quotation contains, then veto the quotation for it."""
        section, marker = self._section(quotations__in=("automatic", "topic"), quote_choices=None), self._new_marker()
        text = f"All is said by {marker}, and {marker} is all."
        quote = Quote(pk=FIRST_ID + self.number, key=marker, text=text, status="reported", published=True)
        self._writer().add(quote)
        writer = self._writer()
        shown = self._links(section, quote)
        yield Change("words to match", writer.name, lambda: writer.change(section, quote_words=marker), [shown])
        veto = IndexTerm(pk=FIRST_ID + self.number, quote=quote, word=marker, veto=True)
        yield from self._added_and_removed("a veto", veto, expectations=[self._links(section, quote, there=False)])
        self._writer().change(section, quote_words="")
        self._writer().remove(quote)

    def a_work_cited(self) -> Iterator[Change]:
        """Cite a work before its reference is added."""
        section, marker = self._section(), self._new_marker()
        body, title = section.body, f"Memoirs of {marker}"
        writer = self._writer()
        writer.change(section, body=f"{body}\n\nSo he says.[@{marker}]")
        reference = Reference(pk=FIRST_ID + self.number, key=marker, title=title)
        expectations = [Expectation(section.get_absolute_url(), title), Expectation("/references/", title)]
        yield from self._added_and_removed("a work that is cited", reference, expectations=expectations)
        writer.change(section, body=body)

    def news(self) -> Iterator[Change]:
        section, marker = self._section(), self._new_marker()
        revision = Revision(
            pk=FIRST_ID + self.number, content_type=ContentType.objects.get_for_model(section), object_id=section.pk,
            number=FIRST_ID + self.number, content={}, state="published", kind="correction", note=f"It was {marker}.",
        )  # fmt: skip
        expectations = [Expectation(path, marker) for path in ("/changes/", "/feeds/changes/")]
        yield from self._added_and_removed("a change told to readers", revision, expectations=expectations)

    # What moves, and what links to it

    def a_link_to_a_title(self) -> Iterator[Change]:
        """Link to a title that a page of another topic gets only later."""
        linking, marker = self._section(), self._new_marker()
        topic = self._section().parent
        body, title = linking.body, f"{_without_marker(topic.title)} {marker}"
        writer = self._writer()
        writer.change(linking, body=f"{body}\n\nSee [[{title}]].")
        other = self._writer()
        there = Expectation(linking.get_absolute_url(), f'<a href="{topic.get_absolute_url()}">{title}</a>')
        yield Change("a title that is linked to", other.name, lambda: other.change(topic, title=title), [there])
        writer.change(linking, body=body)

    def an_address(self) -> Iterator[Change]:
        section, marker = self._section(), self._new_marker()
        before, sibling = section.get_absolute_url(), self._sibling(section).get_absolute_url()
        after = before.replace(f"/{section.slug}/", f"/{marker}/")
        expectations = [
            Expectation(before, f"HTTP 301 {after}"),
            Expectation(sibling, f'href="{after}"'),
            Expectation(after, "HTTP 200"),
        ]
        yield from self._changed_and_restored("the address of a section", section, {"slug": marker}, expectations)

    def another_topic(self) -> Iterator[Change]:
        section = self._section()
        topic = self._section().parent
        before, sibling = section.get_absolute_url(), self._sibling(section).get_absolute_url()
        after = f"{topic.get_absolute_url()}{section.slug}/"
        if before != after:
            yield from self._changed_and_restored(
                "the topic of a section",
                section,
                {"parent": topic},
                [
                    Expectation(before, f"HTTP 301 {after}"),
                    Expectation(sibling, f'href="{before}"', False),
                    self._page_links(topic, after),
                ],
            )

    def the_order(self) -> Iterator[Change]:
        section = self._sections().filter(parent=self._section().parent).first()
        last = f'<a href="{section.get_absolute_url()}">{section.title}</a></p>'
        expectations = [Expectation(section.parent.get_absolute_url(), last)]
        yield from self._changed_and_restored("the place of a section", section, {"position": 1_000_000}, expectations)

    def whether_it_is_public(self) -> Iterator[Change]:
        section = self._section()
        expectations = [
            Expectation(section.get_absolute_url(), "HTTP 404"),
            self._links(section.parent, section, there=False),
            self._links(self._sibling(section), section, there=False),
        ]
        yield from self._changed_and_restored("a section in public", section, {"published": False}, expectations)

    def whether_a_topic_is_public(self) -> Iterator[Change]:
        section = self._section()
        expectations = [
            Expectation(section.get_absolute_url(), "HTTP 410"),
            Expectation(section.parent.get_absolute_url(), "HTTP 410"),
            Expectation("/", f'href="{section.parent.get_absolute_url()}"', False),
        ]
        withdrawn = {"retire_at": timezone.now() - timedelta(minutes=1)}
        yield from self._changed_and_restored("a topic withdrawn", section.parent, withdrawn, expectations)

    def whether_a_quotation_is_public(self) -> Iterator[Change]:
        quote, section = self._pinned()
        expectations = [Expectation(quote.get_absolute_url(), "HTTP 404"), self._links(section, quote, there=False)]
        yield from self._changed_and_restored("a quotation in public", quote, {"published": False}, expectations)

    def whether_quotations_are_shown(self) -> Iterator[Change]:
        _quote, section = self._pinned()
        expectations = [Expectation(section.get_absolute_url(), '<aside class="quotations"', False)]
        yield from self._changed_and_restored("quotations of a page", section, {"quotations": "none"}, expectations)

    # What the clock does

    def a_publication_due(self) -> Iterator[Change]:
        section = self._section()
        expectations = [
            Expectation(section.get_absolute_url(), "HTTP 200"),
            self._links(section.parent, section),
            self._links(self._sibling(section), section),
        ]
        yield from self._scheduled("a publication comes due", section, "publish_at", expectations)

    def a_withdrawal_due(self) -> Iterator[Change]:
        section = self._section()
        expectations = [
            Expectation(section.get_absolute_url(), "HTTP 410"),
            self._links(section.parent, section, there=False),
        ]
        yield from self._scheduled("a withdrawal comes due", section, "retire_at", expectations)

    def a_quotation_due(self) -> Iterator[Change]:
        quote, section = self._pinned()
        expectations = [Expectation(quote.get_absolute_url(), "HTTP 200"), self._links(section, quote)]
        yield from self._scheduled("a quotation comes due", quote, "publish_at", expectations)

    def a_withdrawal_of_a_quotation_due(self) -> Iterator[Change]:
        quote, section = self._pinned()
        expectations = [Expectation(quote.get_absolute_url(), "HTTP 410"), self._links(section, quote, there=False)]
        yield from self._scheduled("a quotation's withdrawal comes due", quote, "retire_at", expectations)

    # What is no change of any page

    def signing_in(self) -> Iterator[Change]:
        yield Change("signing in", self.editor.name, lambda: self.editor.sign_in("editor", self.password), (), False)

    def signing_in_wrongly(self) -> Iterator[Change]:
        other = Editor(self.editor.sites, self.rng)
        name = f"nobody-{self._next()}"
        yield Change("failing to sign in", other.name, lambda: other.sign_in(name, "wrong"), (), False)

    def looking_into_a_form(self) -> Iterator[Change]:
        path = f"/admin/articles/article/{self._section().pk}/change/"
        self.editor.look(path)  # the first view records in the history what other clients have written
        yield Change("looking into a form", self.editor.name, lambda: self.editor.look(path), (), False)

    # How they are told

    def _field_changed(
        self,
        what: str,
        row: Any,
        field: str,
        marker: str,
        on: Sequence[Any],
        found: Sequence[str] = (),
        by: Writer | None = None,
    ) -> Change:
        """Add a marker to a field; it appears on the pages `on`, and the row is listed on the pages `found`."""
        value = _without_marker(getattr(row, field))
        value = f"{marker} {value}" if field == "body" else f"{value} {marker}"
        writer = self.rng.choice([*self.writers, *([by] * 3 if by else [])])
        expectations = [
            Expectation(page if isinstance(page, str) else page.get_absolute_url(), marker) for page in on if page
        ]
        expectations += [self._page_links(path, row.get_absolute_url()) for path in found]
        return Change(what, writer.name, lambda: writer.change(row, **{field: value}), expectations)

    def _added_and_removed(
        self, what: str, row: Any, on: Sequence[Any] = (), expectations: Sequence[Expectation] = ()
    ) -> Iterator[Change]:
        adder, remover = self._writer(), self._writer()
        expectations = [*expectations, *(self._page_links(page, row.get_absolute_url()) for page in on)]
        yield Change(f"{what} comes", adder.name, lambda: adder.add(row), expectations)
        yield Change(
            f"{what} goes",
            remover.name,
            lambda: remover.remove(row),
            [expectation.negated() for expectation in expectations],
        )

    def _changed_and_restored(
        self, what: str, row: Any, values: dict[str, Any], expectations: Sequence[Expectation]
    ) -> Iterator[Change]:
        before = {name: getattr(row, name) for name in values}
        there, back = self._writer(), self._writer()
        yield Change(f"{what} changes", there.name, lambda: there.change(row, **values), expectations)
        yield Change(
            f"{what} is as before", back.name, lambda: back.change(row, **before), [s.negated() for s in expectations]
        )

    def _scheduled(self, what: str, row: Any, field: str, expectations: Sequence[Expectation]) -> Iterator[Change]:
        moment = timezone.now() + timedelta(seconds=SOON)
        self._writer().change(row, **{field: moment})
        yield Change(what, "the clock", lambda: _wait_until(moment.timestamp()), expectations)
        self._writer().change(row, **{field: None})

    def _links(self, page: Any, target: Any, there: bool = True) -> Expectation:
        return Expectation(page.get_absolute_url(), f'href="{target.get_absolute_url()}"', there)

    def _page_links(self, page: Any, address: str) -> Expectation:
        return Expectation(page if isinstance(page, str) else page.get_absolute_url(), f'href="{address}"')

    # Whom they are about

    def _writer(self) -> Writer:
        return self.rng.choice(self.writers)

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _new_marker(self) -> str:
        """Return a word that does not occur anywhere yet."""
        number, letters = self._next(), ""
        while number:
            number, digit = divmod(number, 20)
            letters += "bcdfghjklmnpqrstvwxz"[digit]
        return f"zq{letters}qz"

    def _sections(self) -> Any:
        return Article.objects.published(timezone.now()).exclude(parent=None).select_related("parent")

    def _section(self, **conditions: Any) -> Any:
        """Return a section that is not the only one of its topic."""
        in_topic = Counter(self._sections().values_list("parent", flat=True))
        choice = [row for row in self._sections().filter(**conditions) if in_topic[row.parent_id] > 1]
        return self.rng.choice(choice)

    def _sibling(self, section: Any) -> Any:
        return self._sections().filter(parent=section.parent).exclude(pk=section.pk).first()

    def _quotes(self) -> Any:
        shown = Quote.objects.published(timezone.now()).filter(status__in=Quote.PICKED_STATUSES, pk__lt=FIRST_ID)
        return shown.select_related("person", "work", "quoted_in")

    def _pinned(self) -> tuple[Any, Any]:
        """Return a pinned quotation and its section."""
        choices = list(
            self._sections()
            .filter(
                quote_choices__action="pin", quote_choices__pk__lt=FIRST_ID, quote_choices__quote__in=self._quotes()
            )
            .values_list("pk", "quote_choices__quote")
        )
        section, quote = self.rng.choice(choices)
        return self._quotes().get(pk=quote), self._sections().get(pk=section)


def _without_marker(text: str) -> str:
    return re.sub(r"^zq\w+qz | zq\w+qz$", "", text)


def _wait_until(moment: float) -> None:
    while (left := moment - time.time()) > 0:
        time.sleep(left)
