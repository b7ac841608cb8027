"""What the trial of freshness changes, and which pages must tell it. To be imported when Django is set up."""

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from html import unescape
from typing import Any

from clients import Editor, Way
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from articles.models import Article, QuoteChoice, Reference, TaggedArticle
from quotes.models import Check, IndexTerm, Quote, TaggedQuote
from rlm_site.history.models import Revision
from rlm_site.tags.models import Tag
from rlm_site.testing import Site

SOON = 2.0  # seconds until what is scheduled comes due
FIRST_ID = 50_000_000  # of rows made here, whoever inserts them


@dataclass(frozen=True)
class Says:
    """What an answer must contain once a change is committed, or must no longer contain."""

    path: str
    text: str
    there: bool = True

    def holds(self, answer: str) -> bool:
        return (self.text in answer) == self.there

    def denied(self) -> "Says":
        return replace(self, there=not self.there)


@dataclass(frozen=True)
class Change:
    what: str
    how: str
    make: Callable[[], object]
    then: Sequence[Says]
    renews: bool = True  # or the whole memory of pages stands


def answer(site: Site, path: str) -> str:
    """Status, target of a redirect, and the page, as one text."""
    status, headers, body = site.ask(path)
    return f"HTTP {status} {headers.get('Location', '')}\n{unescape(body.decode())}"


class Stories:
    """Draws what changes next. A story is one change, or several that lead back to where it began."""

    def __init__(self, rng: random.Random, ways: Sequence[Way], editor: Editor, password: str) -> None:
        self.rng = rng
        self.ways = ways
        self.editor = editor
        self.password = password
        self.number = 0
        self.all: list[Callable[[], Iterator[Change]]] = [
            getattr(self, name) for name in sorted(vars(Stories)) if name not in {"changes"} and name[0] != "_"
        ]

    def changes(self) -> Iterator[Change]:
        while True:
            yield from self.rng.choice(self.all)()

    # One field of one row

    def title_of_section(self) -> Iterator[Change]:
        section, sign = self._section(quote_words=""), self._sign()  # else its heading is not what is matched
        yield self._written(
            "title of a section", section, "title", sign,
            on=[section, section.parent, self._beside(section), *section.tags.all()],
            found=[f"/words/{sign}/", f"/search/?q={sign}"],
        )  # fmt: skip

    def title_of_topic(self) -> Iterator[Change]:
        topic = self._section().parent
        section = self._sections().filter(parent=topic).first()
        yield self._written("title of a topic", topic, "title", self._sign(), on=[topic, section, "/"])

    def text_of_section(self) -> Iterator[Change]:
        section, sign = self._section(), self._sign()
        found = [f"/search/?q={sign}"]
        yield self._written("text of a section", section, "body", sign, on=[section], found=found)

    def text_of_topic(self) -> Iterator[Change]:
        topic = self._section().parent
        yield self._written("text of a topic", topic, "body", self._sign(), on=[topic, "/"])

    def name_of_tag(self) -> Iterator[Change]:
        section = self._section()
        for tag in section.tags.all()[:1]:
            on = [tag, section, "/tags/", *self._quotes().filter(tags=tag)[:1]]
            yield self._written("name of a tag", tag, "name", self._sign(), on=on, by=self.editor)

    def description_of_tag(self) -> Iterator[Change]:
        for tag in self._section().tags.all()[:1]:
            yield self._written("description of a tag", tag, "description", self._sign(), on=[tag], by=self.editor)

    def name_of_person(self) -> Iterator[Change]:
        quote, section = self._pinned()
        if quote.person and not quote.name_as_printed:
            on = [quote.person, quote, section, "/people/"]
            yield self._written("name of a person", quote.person, "name", self._sign(), on=on, by=self.editor)

    def description_of_person(self) -> Iterator[Change]:
        quote, section = self._pinned()
        if quote.person and quote.person.description:
            on = [quote.person, quote, section]
            person = quote.person
            yield self._written("description of a person", person, "description", self._sign(), on=on, by=self.editor)

    def title_of_work(self) -> Iterator[Change]:
        quote, section = self._pinned()
        if work := quote.work or quote.quoted_in:
            yield self._written("title of a work", work, "title", self._sign(), on=[quote, section], by=self.editor)

    def text_of_quotation(self) -> Iterator[Change]:
        quote, section = self._pinned()
        sign = self._sign()
        if len(quote.text.split()) > 12:  # its address stays
            found = [f"/words/{sign}/", f"/search/?q={sign}"]
            yield self._written("text of a quotation", quote, "text", sign, on=[quote, section], found=found)

    def title_of_reference(self) -> Iterator[Change]:
        section = self._section()
        for reference in Reference.objects.filter(key__in=re.findall(r"\[@([\w-]+)", section.body))[:1]:
            on = [section, "/references/"]
            yield self._written("title of a reference", reference, "title", self._sign(), on=on, by=self.editor)

    def evidence(self) -> Iterator[Change]:
        check = self.rng.choice(Check.objects.select_related("quote"))
        yield self._written("evidence", check, "found", self._sign(), on=[check.quote])

    # Rows that come and go

    def a_section(self) -> Iterator[Change]:
        beside, sign = self._section(), self._sign()
        section = Article(
            pk=FIRST_ID + self.number, parent=beside.parent, slug=sign, title=f"The {sign}", body=f"On {sign}.",
            published=True, position=beside.position,
        )  # fmt: skip
        yield from self._comes_and_goes("a section", section, on=[beside, beside.parent, f"/search/?q={sign}"])

    def a_quotation(self) -> Iterator[Change]:
        sign = self._sign()
        person = self._pinned()[0].person
        quote = Quote(
            pk=FIRST_ID + self.number, key=sign, text=f"He who says {sign} has said it all.", person=person,
            status="reported", published=True,
        )  # fmt: skip
        yield from self._comes_and_goes("a quotation", quote, on=[f"/words/{sign}/", f"/search/?q={sign}"])

    def a_tag_on_a_section(self) -> Iterator[Change]:
        section = self._section()
        tag = self.rng.choice(Tag.objects.exclude(pk__in=section.tags.all()))
        row = TaggedArticle(pk=FIRST_ID + self._next(), tag=tag, content_object=section)
        says = [self._links(section, tag), self._links(tag, section)]
        yield from self._comes_and_goes("a tag on a section", row, says=says)

    def a_tag_on_a_quotation(self) -> Iterator[Change]:
        quote, _section = self._pinned()
        tag = self.rng.choice(Tag.objects.exclude(pk__in=quote.tags.all()))
        row = TaggedQuote(pk=FIRST_ID + self._next(), tag=tag, content_object=quote)
        yield from self._comes_and_goes("a tag on a quotation", row, says=[self._links(quote, tag)])

    def a_pin(self) -> Iterator[Change]:
        """Of a quotation that the site has not picked, and that is not banned for the whole topic."""
        section = self._section(quotations="automatic", quote_choices=None)
        page = answer(self.editor.sites[0], section.get_absolute_url())
        banned = QuoteChoice.objects.filter(article=section.parent, action="ban").values("quote")
        quotes = self._quotes().exclude(pk__in=banned)
        quote = self.rng.choice([row for row in quotes if f'href="{row.get_absolute_url()}"' not in page])
        row = QuoteChoice(pk=FIRST_ID + self._next(), article=section, quote=quote, action="pin")
        yield from self._comes_and_goes("a pin", row, says=[self._links(section, quote), self._links(quote, section)])

    def a_ban(self) -> Iterator[Change]:
        """Of a quotation that the site has picked, on the page or on its whole topic."""
        section = self._section(quotations="automatic", quote_choices=None)
        page = answer(self.rng.choice(self.editor.sites), section.get_absolute_url())
        picked = Quote.objects.filter(pk__in=re.findall(r'href="/quotes/(\d+)/', page)).first()
        if picked:
            article = self.rng.choice([section, section.parent])
            row = QuoteChoice(pk=FIRST_ID + self._next(), article=article, quote=picked, action="ban")
            yield from self._comes_and_goes("a ban", row, says=[self._links(section, picked, there=False)])

    def a_word_to_match(self) -> Iterator[Change]:
        """A page is given a word that one quotation has, which is then vetoed for it."""
        section, sign = self._section(quotations="automatic", quote_choices=None), self._sign()
        text = f"He who says {sign} has said it all."
        quote = Quote(pk=FIRST_ID + self.number, key=sign, text=text, status="reported", published=True)
        self._way().add(quote)
        way = self._way()
        shown = self._links(section, quote)
        yield Change("words to match", way.name, lambda: way.change(section, quote_words=sign), [shown])
        veto = IndexTerm(pk=FIRST_ID + self.number, quote=quote, word=sign, veto=True)
        yield from self._comes_and_goes("a veto", veto, says=[self._links(section, quote, there=False)])
        self._way().change(section, quote_words="")
        self._way().remove(quote)

    def a_work_cited(self) -> Iterator[Change]:
        """A page cites a work before there is a record of it."""
        section, sign = self._section(), self._sign()
        body, title = section.body, f"Memoirs of {sign}"
        way = self._way()
        way.change(section, body=f"{body}\n\nSo he says.[@{sign}]")
        reference = Reference(pk=FIRST_ID + self.number, key=sign, title=title)
        says = [Says(section.get_absolute_url(), title), Says("/references/", title)]
        yield from self._comes_and_goes("a work that is cited", reference, says=says)
        way.change(section, body=body)

    def news(self) -> Iterator[Change]:
        section, sign = self._section(), self._sign()
        revision = Revision(
            pk=FIRST_ID + self.number, content_type=ContentType.objects.get_for_model(section), object_id=section.pk,
            number=FIRST_ID + self.number, content={}, state="published", kind="correction", note=f"It was {sign}.",
        )  # fmt: skip
        says = [Says(path, sign) for path in ("/", "/changes/", "/feeds/changes/")]
        yield from self._comes_and_goes("a change told to readers", revision, says=says)

    # What moves, and what links to it

    def a_link_to_a_title(self) -> Iterator[Change]:
        """Of a page that gets this title only later, in another topic."""
        linking, sign = self._section(), self._sign()
        topic = self._section().parent
        body, title = linking.body, f"{_unsigned(topic.title)} {sign}"
        way = self._way()
        way.change(linking, body=f"{body}\n\nSee [[{title}]].")
        other = self._way()
        there = Says(linking.get_absolute_url(), f'<a href="{topic.get_absolute_url()}">{title}</a>')
        yield Change("a title that is linked to", other.name, lambda: other.change(topic, title=title), [there])
        way.change(linking, body=body)

    def an_address(self) -> Iterator[Change]:
        section, sign = self._section(), self._sign()
        before, beside = section.get_absolute_url(), self._beside(section).get_absolute_url()
        after = before.replace(f"/{section.slug}/", f"/{sign}/")
        yield from self._there_and_back(
            "the address of a section", section, {"slug": sign},
            [Says(before, f"HTTP 301 {after}"), Says(beside, f'href="{after}"'), Says(after, "HTTP 200")],
        )  # fmt: skip

    def another_topic(self) -> Iterator[Change]:
        section = self._section()
        topic = self._section().parent
        before, beside = section.get_absolute_url(), self._beside(section).get_absolute_url()
        after = f"{topic.get_absolute_url()}{section.slug}/"
        if before != after:
            yield from self._there_and_back(
                "the topic of a section",
                section,
                {"parent": topic},
                [
                    Says(before, f"HTTP 301 {after}"),
                    Says(beside, f'href="{before}"', False),
                    self._page_links(topic, after),
                ],
            )

    def the_order(self) -> Iterator[Change]:
        section = self._sections().filter(parent=self._section().parent).first()
        last = f'<a href="{section.get_absolute_url()}">{section.title}</a></p>'
        says = [Says(section.parent.get_absolute_url(), last)]
        yield from self._there_and_back("the place of a section", section, {"position": 1_000_000}, says)

    def whether_it_is_public(self) -> Iterator[Change]:
        section = self._section()
        says = [
            Says(section.get_absolute_url(), "HTTP 404"),
            self._links(section.parent, section, there=False),
            self._links(self._beside(section), section, there=False),
        ]
        yield from self._there_and_back("a section in public", section, {"published": False}, says)

    def whether_a_topic_is_public(self) -> Iterator[Change]:
        section = self._section()
        says = [
            Says(section.get_absolute_url(), "HTTP 410"),
            Says(section.parent.get_absolute_url(), "HTTP 410"),
            Says("/", f'href="{section.parent.get_absolute_url()}"', False),
        ]
        withdrawn = {"retire_at": timezone.now() - timedelta(minutes=1)}
        yield from self._there_and_back("a topic withdrawn", section.parent, withdrawn, says)

    def whether_a_quotation_is_public(self) -> Iterator[Change]:
        quote, section = self._pinned()
        says = [Says(quote.get_absolute_url(), "HTTP 404"), self._links(section, quote, there=False)]
        yield from self._there_and_back("a quotation in public", quote, {"published": False}, says)

    def whether_quotations_are_shown(self) -> Iterator[Change]:
        _quote, section = self._pinned()
        says = [Says(section.get_absolute_url(), '<aside class="quotations"', False)]
        yield from self._there_and_back("quotations of a page", section, {"quotations": "none"}, says)

    # What the clock does

    def a_publication_due(self) -> Iterator[Change]:
        section = self._section()
        says = [
            Says(section.get_absolute_url(), "HTTP 200"),
            self._links(section.parent, section),
            self._links(self._beside(section), section),
        ]
        yield from self._due("a publication comes due", section, "publish_at", says)

    def a_withdrawal_due(self) -> Iterator[Change]:
        section = self._section()
        says = [Says(section.get_absolute_url(), "HTTP 410"), self._links(section.parent, section, there=False)]
        yield from self._due("a withdrawal comes due", section, "retire_at", says)

    def a_quotation_due(self) -> Iterator[Change]:
        quote, section = self._pinned()
        says = [Says(quote.get_absolute_url(), "HTTP 200"), self._links(section, quote)]
        yield from self._due("a quotation comes due", quote, "publish_at", says)

    def a_withdrawal_of_a_quotation_due(self) -> Iterator[Change]:
        quote, section = self._pinned()
        says = [Says(quote.get_absolute_url(), "HTTP 410"), self._links(section, quote, there=False)]
        yield from self._due("a quotation's withdrawal comes due", quote, "retire_at", says)

    # What is no change of any page

    def signing_in(self) -> Iterator[Change]:
        yield Change("signing in", self.editor.name, lambda: self.editor.sign_in("editor", self.password), (), False)

    def signing_in_wrongly(self) -> Iterator[Change]:
        other = Editor(self.editor.sites, self.rng)
        name = f"nobody-{self._next()}"
        yield Change("failing to sign in", other.name, lambda: other.sign_in(name, "wrong"), (), False)

    def looking_into_a_form(self) -> Iterator[Change]:
        path = f"/admin/articles/article/{self._section().pk}/change/"
        self.editor.look(path)  # the first look enters into the history what was written outside of the desk
        yield Change("looking into a form", self.editor.name, lambda: self.editor.look(path), (), False)

    # How they are told

    def _written(
        self,
        what: str,
        row: Any,
        field: str,
        sign: str,
        on: Sequence[Any],
        found: Sequence[str] = (),
        by: Way | None = None,
    ) -> Change:
        """A new word in a field, which stands on these pages; under some others the row is found by it."""
        value = _unsigned(getattr(row, field))
        value = f"{sign} {value}" if field == "body" else f"{value} {sign}"
        way = self.rng.choice([*self.ways, *([by] * 3 if by else [])])
        says = [Says(page if isinstance(page, str) else page.get_absolute_url(), sign) for page in on if page]
        says += [self._page_links(path, row.get_absolute_url()) for path in found]
        return Change(what, way.name, lambda: way.change(row, **{field: value}), says)

    def _comes_and_goes(
        self, what: str, row: Any, on: Sequence[Any] = (), says: Sequence[Says] = ()
    ) -> Iterator[Change]:
        come, go = self._way(), self._way()
        says = [*says, *(self._page_links(page, row.get_absolute_url()) for page in on)]
        yield Change(f"{what} comes", come.name, lambda: come.add(row), says)
        yield Change(f"{what} goes", go.name, lambda: go.remove(row), [say.denied() for say in says])

    def _there_and_back(self, what: str, row: Any, values: dict[str, Any], says: Sequence[Says]) -> Iterator[Change]:
        before = {name: getattr(row, name) for name in values}
        there, back = self._way(), self._way()
        yield Change(f"{what} changes", there.name, lambda: there.change(row, **values), says)
        yield Change(f"{what} is as before", back.name, lambda: back.change(row, **before), [s.denied() for s in says])

    def _due(self, what: str, row: Any, field: str, says: Sequence[Says]) -> Iterator[Change]:
        moment = timezone.now() + timedelta(seconds=SOON)
        self._way().change(row, **{field: moment})
        yield Change(what, "the clock", lambda: _wait_until(moment.timestamp()), says)
        self._way().change(row, **{field: None})

    def _links(self, page: Any, target: Any, there: bool = True) -> Says:
        return Says(page.get_absolute_url(), f'href="{target.get_absolute_url()}"', there)

    def _page_links(self, page: Any, address: str) -> Says:
        return Says(page if isinstance(page, str) else page.get_absolute_url(), f'href="{address}"')

    # Whom they are about

    def _way(self) -> Way:
        return self.rng.choice(self.ways)

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _sign(self) -> str:
        """A word that stands nowhere yet."""
        number, letters = self._next(), ""
        while number:
            number, digit = divmod(number, 20)
            letters += "bcdfghjklmnpqrstvwxz"[digit]
        return f"zq{letters}qz"

    def _sections(self) -> Any:
        return Article.objects.published(timezone.now()).exclude(parent=None).select_related("parent")

    def _section(self, **conditions: Any) -> Any:
        """Any but the only one of its topic."""
        in_topic = Counter(self._sections().values_list("parent", flat=True))
        choice = [row for row in self._sections().filter(**conditions) if in_topic[row.parent_id] > 1]
        return self.rng.choice(choice)

    def _beside(self, section: Any) -> Any:
        return self._sections().filter(parent=section.parent).exclude(pk=section.pk).first()

    def _quotes(self) -> Any:
        shown = Quote.objects.published(timezone.now()).filter(status__in=Quote.PICKED_STATUSES, pk__lt=FIRST_ID)
        return shown.select_related("person", "work", "quoted_in")

    def _pinned(self) -> tuple[Any, Any]:
        """A quotation that is pinned, and the section."""
        choices = list(
            self._sections()
            .filter(quote_choices__action="pin", quote_choices__pk__lt=FIRST_ID)
            .values_list("pk", "quote_choices__quote")
        )
        section, quote = self.rng.choice(choices)
        return self._quotes().get(pk=quote), self._sections().get(pk=section)


def _unsigned(text: str) -> str:
    return re.sub(r"^zq\w+qz | zq\w+qz$", "", text)


def _wait_until(moment: float) -> None:
    while (left := moment - time.time()) > 0:
        time.sleep(left)
