"""Versions of pages for readers: every text that they saw, kept as it was, under an address that goes on working.

Readers' versions are the published revisions whose time came while the page was public, one after another; those that
differ in nothing that readers see on the page are one version. The words are those of the history. What was made of
them with the references, links and terms of that time is recorded when a page is published, or when it is first shown,
and never again.
"""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from datetime import date, datetime
from html.parser import HTMLParser
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Min, OuterRef, QuerySet, Subquery
from django.template.loader import render_to_string
from django.utils import timezone

from articles import topics
from articles.citing import NOBODY, People, Work, chicago, meta_tags, people_in_line
from articles.models import Article, Version
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.page_cache.dependencies import collect_dependencies
from rlm_site.text.json_ld import absolute
from rlm_site.text.slugs import reverse

MOST_AT_ONCE = 100  # pages whose versions are kept while they are indexed; of more, each when it is first shown
NOT_SHOWN = {"sort_title", "person", "quotations", "quote_words"}  # on the page, as a part of its text
SHOWN = tuple(name for name in Article.versioned_fields if name not in NOT_SHOWN)
_FIELDS: dict[str, Any] = {name: Article._meta.get_field(name) for name in SHOWN}
_EMPTY: tuple[Any, ...] = ("", None, [], {})


# Addresses


def address_of(article: Article, number: int | None = None, tail: str = "") -> str:
    """Return the path of a version of a page, or of the list of its versions."""
    of_topic = reverse("articles:topic", [article.topic.slug])
    page = reverse("articles:section", [article.topic.slug, article.slug]) if article.parent_id else of_topic
    return f"{page}versions/{f'{number}/' if number else ''}{tail}"


# Recording


def current(article: Article, now: datetime) -> Version | None:
    """Return the version of a public page that readers see, with all but its HTML. One query as a rule."""
    for _attempt in range(2):  # somebody else may have recorded one of a text before this one
        newest = of_article(article).first()
        if newest is not None and newest.kept_at and newest.digest == digest_of(article):
            return newest
        with collect_dependencies():  # the page itself says what it depends on
            _record([article], now)
    return of_article(article).first()


def record_versions(ids: Sequence[int]) -> None:
    """Record the versions of these pages that readers can see by now."""
    now = timezone.now()
    rows = Article.objects.filter(pk__in=ids, published=True).select_related("parent")
    newest = _newest(ids)
    new = [row for row in rows if row.is_public(now) and (row.pk not in newest or _is_new(row, newest[row.pk]))]
    if len(new) <= MOST_AT_ONCE:
        with collect_dependencies():  # of no page, though one may have asked for the indexing
            _record(new, now, newest)


def keep_all() -> None:
    """Keep the versions of all public pages as they are now, a page at a time: after files with many were loaded."""
    now = timezone.now()
    for article in Article.objects.published(now).select_related("parent").iterator(chunk_size=100):
        current(article, now)


def _is_new(row: Article, newest: Version) -> bool:
    return not newest.kept_at or newest.digest != digest_of(row)


def _newest(ids: Collection[int]) -> dict[int, Version]:
    last = Version.objects.filter(article=OuterRef("article")).order_by("-number").values("number")[:1]
    rows = Version.objects.filter(article__in=ids, number=Subquery(last)).defer("html", "content")
    return {row.article_id: row for row in rows}


def _record(rows: Sequence[Article], now: datetime, newest: Mapping[int, Version] | None = None) -> None:
    """Add the versions of these public pages since the last that is known, and keep the HTML of the newest."""
    rows = [row for row in rows if not row.is_gloss]
    if not rows:
        return
    known = _newest([row.pk for row in rows]) if newest is None else newest
    published = _published_revisions(rows, known)
    opened = _first_publications({row.parent.pk for row in rows if row.parent})
    with transaction.atomic():
        for row in rows:
            since = opened.get(row.parent_id) if row.parent_id else None
            new = list(_versions(row, known.get(row.pk), published[row.pk], since, now))
            Version.objects.bulk_create(new, ignore_conflicts=True)  # of another process
            last = of_article(row).first() if new else known.get(row.pk)
            if last is not None and not last.kept_at and last.digest == digest_of(row):
                _keep(last, row, now)


def _published_revisions(rows: Iterable[Article], known: Mapping[int, Version]) -> dict[int, list[Revision]]:
    """Return the published revisions of pages, in order, that are newer than the newest known version. One query."""
    found: dict[int, list[Revision]] = defaultdict(list)
    ids = [row.pk for row in rows]
    of_pages = Revision.objects.filter(
        content_type=ContentType.objects.get_for_model(Article), object_id__in=ids, state=Revision.State.PUBLISHED
    )
    for revision in of_pages.order_by("number"):
        before = known.get(revision.object_id)
        if before is None or revision.number > before.revision:
            found[revision.object_id].append(revision)
    return found


def _first_publications(ids: Collection[int]) -> dict[int, datetime]:
    """Return when these topics were published first."""
    published = Revision.objects.filter(
        content_type=ContentType.objects.get_for_model(Article), object_id__in=ids, state=Revision.State.PUBLISHED
    )
    return dict(published.order_by().values_list("object_id").annotate(first=Min("created"))) if ids else {}


def _versions(
    row: Article, known: Version | None, history: Sequence[Revision], opened: datetime | None, now: datetime
) -> Iterator[Version]:
    """Yield the versions of a page after the one that is known; the last is of the text as it is stored."""
    number, digest = (known.number, known.digest) if known else (0, "")

    def version(content: Mapping[str, Any], digest: str, since: datetime, **of_revision: Any) -> Version:
        title = row.parent.title if row.parent else ""
        return Version(
            article=row, number=number, content=content, digest=digest, since=since, topic_title=title, **of_revision
        )

    for revision, since in _seen(history, opened, now):
        content = shown(revision.content)
        is_gloss = not row.parent_id and content.get("kind") == Article.Kind.TERM and not content.get("body")
        if not is_gloss and digest_in(content) != digest:
            number, digest = number + 1, digest_in(content)
            yield version(content, digest, since, revision=revision.number, kind=revision.kind, note=revision.note)
    stored = content_of(row)
    if digest_in(stored) != digest:  # another program wrote it, which the history does not know yet
        number, digest = number + 1, digest_in(stored)
        newest = history[-1].number if history else known.revision if known else 0
        yield version(stored, digest, now, revision=newest, kind=Revision.Kind.NONE)


def _seen(history: Sequence[Revision], opened: datetime | None, now: datetime) -> Iterator[tuple[Revision, datetime]]:
    """Yield those of the published revisions that readers could see, and since when; `opened` is when the topic was."""
    starts = [max(filter(None, (each.created, _moment(each, "publish_at"), opened))) for each in history]
    ends = [*starts[1:], now][: len(starts)]
    for revision, start, end in zip(history, starts, ends, strict=True):
        retired = _moment(revision, "retire_at")
        is_last = revision is history[-1]
        if revision.standing.get("published") is False or (retired and retired <= start):
            continue
        if start <= now and (is_last or start < end):
            yield revision, start


def _moment(revision: Revision, name: str) -> datetime | None:
    given = revision.standing.get(name)
    return datetime.fromisoformat(given) if isinstance(given, str) and given else None


def shown(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what readers see of the content of a revision; a field that it does not have yet was empty."""
    return {name: field.to_python(content.get(name, field.get_default())) for name, field in _FIELDS.items()}


def content_of(article: Article) -> dict[str, Any]:
    return shown(revisions.content_with_tags(article, ()))


def digest_of(article: Article) -> str:
    return digest_in(content_of(article))


def digest_in(content: Mapping[str, Any]) -> str:
    """Return a digest of what readers see. Fields that are empty do not count, so that a new one changes none."""
    given = {name: value for name, value in content.items() if value not in _EMPTY}
    return hashlib.sha256(json.dumps(given, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _keep(version: Version, row: Article, now: datetime, *, late: bool = False) -> None:
    """Write the HTML of a version, unless it is there."""
    html = _render(_as_it_was(row, version), version.topic_title, now)
    Version.objects.filter(pk=version.pk, kept_at=None).update(html=html, kept_at=now, late=late)


def _as_it_was(row: Article, version: Version) -> Article:
    """Return the page with the content of a version laid over it."""
    article = copy(row)
    for name, value in shown(version.content).items():
        setattr(article, name, value)
    return article


def _render(article: Article, topic_title: str, now: datetime) -> str:
    text = topics.render_text(article, now)
    context: dict[str, Any] = {
        "article": article,
        "topic_title": topic_title,
        "text": text.rendered,
        "facts": [group for group in text.facts if not group.is_table],
        "figures": [group for group in text.facts if group.is_table],
        "diagram": text.diagram,
        "notes": text.rendered.notes,
        "terms": text.terms,
        "cited": text.cited,
        "part": "",
    }
    return render_to_string("articles/_version_text.html", context)


# Reading


def of_article(article: Article) -> QuerySet[Version]:
    """Return the versions of a page, the newest first, without their HTML."""
    return Version.objects.filter(article=article.pk).defer("html").order_by("-number")


def all_of(article: Article, now: datetime) -> list[Version]:
    """Return the versions of a public page, the newest first, all recorded, without their content. Two queries."""
    return list(of_article(article).defer("html", "content")) if current(article, now) else []


def kept(article: Article, version: Version, now: datetime) -> Version:
    """Return a version with its HTML, which is made now where nobody has seen it before."""
    if not version.kept_at:
        with collect_dependencies():
            _keep(version, article, now, late=True)
    return Version.objects.get(pk=version.pk)


def comparable(version: Version) -> dict[str, Any]:
    """Return what readers saw of a version, for comparisons: the text as it was shown, and not its Markdown.

    That may hold comments of editors, and the names of pages that are not public.
    """
    aliases = version.content.get("aliases")
    names = [{"name": row.get("name", ""), "language": row.get("language", "")} for row in aliases or ()]
    plain = {name: str(version.content.get(name) or "") for name in ("title", "kind", "summary", "byline")}
    return {**plain, "aliases": names, "body": plain_text(version.html)}


class _PlainText(HTMLParser):
    """The text of the parts of a page below its title, one block a line."""

    BLOCKS = frozenset("p li dt dd tr h2 h3 h4 blockquote pre table figcaption div section".split())
    LEFT_OUT = frozenset("title back visually-hidden note".split())

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._left_out: list[str] = []  # the elements that are open, from one that is left out

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = set((dict(attrs).get("class") or "").split())
        if self._left_out or tag == "svg" or classes & self.LEFT_OUT:
            self._left_out.append(tag)
        elif tag in self.BLOCKS:
            self.parts.append("\n")
        elif tag in {"td", "th"}:
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if self._left_out:
            while self._left_out and self._left_out.pop() != tag:
                pass
        elif tag in self.BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._left_out:
            self.parts.append(re.sub(r"\s+", " ", data))


def plain_text(html: str) -> str:
    """Return the text of a kept page below its title, each block on a line of its own."""
    parser = _PlainText()
    parser.feed(html)
    lines = (" ".join(line.split()) for line in "".join(parser.parts).split("\n"))
    return "\n".join(line for line in lines if line)


# Citing


def full_title(version: Version) -> str:
    title = str(version.content.get("title", ""))
    return f"{version.topic_title} - {title}" if version.topic_title else title


def work_of(article: Article, version: Version, accessed: date | None = None) -> Work:
    """Return what is cited where a page is: a version of it, as an article in a reference work."""
    topic = f"{article.topic.slug}-" if article.parent_id else ""
    return Work(
        key=f"{topic}{article.slug}-v{version.number}",
        kind="encyclopedia",
        title=full_title(version),
        authors=people_in_line(str(version.content.get("byline", ""))),
        editors=editors(),
        container=settings.SITE_NAME,
        publisher=settings.SITE_NAME,
        day=timezone.localdate(version.since),
        version=version.number,
        url=absolute(address_of(article, version.number)),
        accessed=accessed,
        language=settings.SITE_LANGUAGE,
        rights=settings.LICENCE_NAME,
    )


def editors() -> People:
    return people_in_line(settings.SITE_EDITORS) if settings.SITE_EDITORS else NOBODY


def citation_of(article: Article, version: Version) -> dict[str, object]:
    """Return what a page shows of how to cite it. The day of access is not known there: `today` leads to it."""
    work = work_of(article, version)
    return {
        "chicago": chicago(work),
        "tags": meta_tags(work, str(version.content.get("summary", ""))),
        "number": version.number,
        "since": version.since,
        "address": address_of(article, version.number),
        "today": address_of(article, version.number, "cite/"),
        "list": address_of(article),
    }
