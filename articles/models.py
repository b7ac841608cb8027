import itertools
import re
from collections.abc import Collection
from datetime import datetime
from string import ascii_lowercase

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from taggit.managers import TaggableManager

from articles import citing, diagrams, facts, markdown
from quotes.models import Person, Quote
from rlm_site.fields import (
    CharField,
    DatesField,
    DoiField,
    IsbnField,
    LanguageField,
    NamesField,
    NaturalKeyManager,
    ObjectField,
    OptionalForeignKey,
    RowsField,
    SlugField,
    TextField,
    URLField,
    site_language,
)
from rlm_site.indexing import queue
from rlm_site.page_cache.dependencies import depends_on
from rlm_site.publishing.models import Publishable
from rlm_site.publishing.visibility import is_public_at, public_at
from rlm_site.tags.manager import TagManager
from rlm_site.tags.models import Tag, TaggedBase
from rlm_site.text.dates import Dates, read_dates
from rlm_site.text.slugs import ABOUT, reverse, slug_for, validate_first_level, validate_section


class TaggedArticle(TaggedBase):
    content_object = models.ForeignKey("Article", on_delete=models.CASCADE, related_name="tagged_items")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tag", "content_object"], name="article_has_tag_once")]


class ArticleQuerySet(models.QuerySet["Article"]):
    def published(self, now: datetime) -> "ArticleQuerySet":
        """Return public articles. A section is public only if its topic is, too."""
        depends_on("all")  # the cache tags of articles are of single ones
        of_topic = Q(parent=None) | public_at(now, "parent__") & queue.sound("article", "parent__")
        return self.filter(public_at(now) & queue.sound("article") & of_topic)

    def listed(self) -> "ArticleQuerySet":
        """Return all articles; the counterpart of `QuoteQuerySet.listed`, which leaves some out."""
        return self

    def topics(self) -> "ArticleQuerySet":
        return self.filter(parent=None)

    def tagged(self, tag: Tag) -> "ArticleQuerySet":
        return self.filter(tagged_items__tag=tag)

    def in_reading_order(self) -> "ArticleQuerySet":
        return self.order_by("position", "id")

    def entries(self, kind: str) -> "ArticleQuerySet":
        """Return the first-level pages about a person, a place and so on, without the page about the site."""
        return self.filter(parent=None, kind=kind).exclude(slug=ABOUT)

    def without_body(self) -> "ArticleQuerySet":
        """Load no texts, but what of them decides where a page is found."""
        return self.defer("body", "parent__body", "parent__facts").annotate(
            has_no_text=models.ExpressionWrapper(Q(body=""), output_field=models.BooleanField())
        )

    def for_links(self) -> "ArticleQuerySet":
        """Load only what is needed to name and link articles."""
        return self.select_related("parent").without_body().defer("body", "facts", "diagram").in_reading_order()


class ArticleManager(models.Manager["Article"]):
    def get_by_natural_key(self, topic_slug: str, slug: str) -> "Article":
        if topic_slug:
            return self.get(parent__slug=topic_slug, parent__parent=None, slug=slug)
        return self.get(parent=None, slug=slug)


class Group(models.Model):
    """A group of entries on the front page; editors keep the groups and their order."""

    class Layout(models.TextChoices):
        START = "start", _("introduction: its first page opens the site")
        LIST = "list", _("titles with summaries")
        NAMES = "names", _("names with dates")

    title = CharField(_("title"), max_length=100)
    slug = SlugField(_("slug"), max_length=60, unique=True, blank=True, source="title")
    layout = CharField(_("layout"), max_length=5, choices=Layout.choices, default=Layout.LIST)
    position = models.PositiveIntegerField(_("position"), default=0, help_text=_("Order on the front page."))

    natural_key_fields = ["slug"]
    objects = NaturalKeyManager()

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("group of the front page")
        verbose_name_plural = _("groups of the front page")

    def __str__(self) -> str:
        return self.title

    def natural_key(self) -> tuple[str]:
        return (self.slug,)


class Article(Publishable):  # type: ignore[django-manager-missing]
    """A topic (without parent) or a section of one. Both are edited, tagged, searched and cited alike.

    A topic is an entry of a kind, such as a person, with a summary, other names and facts; it needs no sections.
    """

    class Kind(models.TextChoices):
        SUBJECT = "subject", _("subject")
        PERSON = "person", _("person")
        PLACE = "place", _("place")
        FORMATION = "formation", _("formation")
        DOCUMENT = "document", _("document")
        TERM = "term", _("term")

    class Quotations(models.TextChoices):
        TOPIC = "topic", _("as its topic")
        AUTOMATIC = "automatic", _("picked by the site")
        CHOSEN = "chosen", _("only those chosen by editors")
        NONE = "none", _("none")

    parent = OptionalForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="sections",
        verbose_name=_("topic"),
        limit_choices_to={"parent": None},
        help_text=_("The topic of this section. Leave empty for a topic."),
    )
    title = CharField(_("title"), max_length=200)
    slug = SlugField(
        _("slug"),
        max_length=100,
        blank=True,
        source="title",
        help_text=_("The last part of the address. Leave empty to make it from the title."),
    )
    kind = CharField(
        _("kind"),
        max_length=9,
        choices=Kind.choices,
        default=Kind.SUBJECT,
        help_text=_("What a topic is about. A section has the kind of its topic."),
    )
    summary = CharField(
        _("summary"),
        max_length=160,
        blank=True,
        help_text=_("One sentence for lists and search results. Of a term, its definition."),
    )
    sort_title = CharField(
        _("sort title"),
        max_length=200,
        blank=True,
        help_text=_("Such as “Arden, Ann”. Leave empty to sort by the title."),
    )
    byline = CharField(_("byline"), max_length=200, blank=True, help_text=_("Who wrote it, where that is known."))
    aliases = RowsField(
        _("other names"),
        columns=("name", "language", "note"),
        help_text=_("Other spellings, original names and initials: readers who search for them find this page."),
    )
    facts = RowsField(
        _("facts"),
        columns=facts.COLUMNS,
        in_words=lambda name, text: str(facts.label_of(text)) if name == "fact" else text,
        help_text=_("A fact may be repeated where sources differ. [[Title]] and [@key, p. 42] work here, too."),
    )
    person = OptionalForeignKey(
        Person,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="entries",
        verbose_name=_("quoted as"),
        help_text=_("The author of quotations that this page is about."),
    )
    body = TextField(_("text"), blank=True, help_text=_("Markdown. [[Title]] makes a link, [@key, p. 42] a citation."))
    diagram = ObjectField(
        _("diagram"),
        default=dict,
        blank=True,
        help_text=_("JSON, shown below the text. The documentation of the content describes its fields."),
    )
    position = models.PositiveIntegerField(_("position"), default=0, help_text=_("Order among the topic’s sections."))
    group = OptionalForeignKey(
        Group,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="articles",
        verbose_name=_("group of the front page"),
        help_text=_("Where the front page lists a topic. Leave empty to leave it out."),
    )
    quotations = CharField(
        _("quotations"),
        max_length=9,
        choices=Quotations.choices,
        default=Quotations.TOPIC,
        help_text=_("“As its topic” follows the topic’s setting. For a topic, it means “picked by the site”."),
    )
    quote_words = CharField(
        _("words to match"),
        max_length=200,
        blank=True,
        help_text=_("Used instead of the words of the heading. Separate them with commas."),
    )
    reviewed_on = models.DateField(_("last reviewed"), null=True, blank=True)

    tags = TaggableManager(through=TaggedArticle, manager=TagManager, blank=True)

    versioned_fields = (
        "title", "kind", "summary", "sort_title", "byline", "aliases", "facts", "person", "body", "diagram",
        "quotations", "quote_words",
    )  # fmt: skip
    immediate_fields = ("parent", "slug", "position", "group", *Publishable.immediate_fields, "reviewed_on")
    address_fields = ("parent", "slug")
    objects = ArticleManager.from_queryset(ArticleQuerySet)()

    class Meta(Publishable.Meta):
        ordering = ["position", "id"]
        permissions = [("publish_article", _("Can publish, retire and move public articles"))]
        constraints = [
            *Publishable.Meta.constraints,
            models.UniqueConstraint(
                fields=["parent", "slug"],
                name="slug_is_unique_in_topic",
                violation_error_message=_("Another section of the topic has this slug."),
            ),
            models.UniqueConstraint(
                fields=["slug"],
                condition=Q(parent=None),
                name="slug_is_unique_among_topics",
                violation_error_message=_("Another topic has this slug."),
            ),
        ]
        indexes = [
            models.Index(fields=["publish_at"], name="article_publish_at"),
            models.Index(fields=["retire_at"], name="article_retire_at"),
            models.Index(fields=["title"], name="article_title"),  # wiki links name it
            models.Index(fields=["parent", "position", "id"], name="article_reading_order"),
            models.Index(fields=["kind"], name="article_kind"),
        ]

    def __str__(self) -> str:
        return self.full_title

    def natural_key(self) -> tuple[str, str]:
        return (self.parent.slug if self.parent else "", self.slug)

    @property
    def full_title(self) -> str:
        """Return `Topic - Section`, such as `Yarle Valley - The Millers`."""
        return f"{self.parent.title} - {self.title}" if self.parent else self.title

    @property
    def topic(self) -> "Article":
        return self.parent or self

    @property
    def applied_quotations(self) -> str:
        """Return the setting of quotations that applies: of a section that follows its topic, the topic's.

        A topic has none to follow. No such row is refused: the setting has drafts and old versions, the place has none.
        """
        setting = self.topic.quotations if self.quotations == Article.Quotations.TOPIC else self.quotations
        return Article.Quotations.AUTOMATIC if setting == Article.Quotations.TOPIC else setting

    @property
    def sorted_by(self) -> str:
        return self.sort_title or self.title

    @property
    def original_name(self) -> dict[str, str] | None:
        """Return the first of its names in another language than the site's: a row of `aliases`."""
        own = {"", site_language().split("-")[0]}
        return next((row for row in self.aliases if row["language"].lower().split("-")[0] not in own), None)

    @property
    def years(self) -> str:
        """Return the years of a person, such as `1821–1896`; empty where neither is known."""
        years: dict[str, str] = {}
        for fact in facts.facts_of(self.kind, self.facts):
            if fact.type.key in {"born", "died"} and fact.dates:
                years.setdefault(fact.type.key, fact.dates.year)
        match years:
            case {"born": born, "died": died}:
                return f"{born}–{died}"
            case {"born": born}:
                return _("b. %(year)s") % {"year": born}
            case {"died": died}:
                return _("d. %(year)s") % {"year": died}
        return ""

    @property
    def is_gloss(self) -> bool:
        """Return whether it is a term without a text, which has a place in the glossary and no page of its own."""
        if self.parent_id or self.kind != Article.Kind.TERM:
            return False
        return getattr(self, "has_no_text", False) if "body" in self.get_deferred_fields() else not self.body

    def get_absolute_url(self) -> str:
        if self.is_gloss:
            return f"{reverse('articles:glossary')}#{self.slug}"
        if self.parent:
            return reverse("articles:section", args=[self.parent.slug, self.slug])
        return reverse("articles:topic", args=[self.slug])

    def related_snapshot(self) -> dict[str, list[str]]:
        rows = self.quote_choices.values_list("action", "quote__key", "position", "reason")
        return {"choices": [" · ".join(str(part) for part in row if part != "") for row in rows]}

    def is_public(self, now: datetime) -> bool:
        return is_public_at(self, now) and (self.parent is None or is_public_at(self.parent, now))

    def clean(self) -> None:
        if self.title and not any(char.isalnum() for char in self.title):
            raise ValidationError({"title": _("Enter a title with at least one letter or digit.")})
        if not markdown.can_be_linked(self.title):
            told = _("Links such as [[Title]] cannot find this page. Remove [ ] | and <!--, and put a space")
            raise ValidationError({"title": told + " " + _("on one side of each #, but not on both.")})
        try:
            diagrams.check_diagram(self.diagram)
        except ValidationError as error:
            raise ValidationError({"diagram": error}) from error
        if not self.parent and all(isinstance(row, dict) for row in self.facts):
            try:
                facts.check_facts(self.kind, self.facts)
            except ValidationError as error:
                raise ValidationError({"facts": error}) from error
        if self.parent:
            if self.parent is self or (self.pk and self.parent_id == self.pk):
                raise ValidationError({"parent": _("A page cannot be a section of itself.")})
            if self.parent.parent:
                raise ValidationError({"parent": _("Choose a topic. A section cannot have sections of its own.")})
            if self.pk and self.sections.exists():
                raise ValidationError({"parent": _("This topic has sections. Move them before you make it a section.")})
        if not self.slug and self.title:
            self.slug = slug_for(self.title, self.slug_is_taken)
        elif reserved := self._reserved(self.slug):
            raise ValidationError({"slug": reserved})
        if self.retired_to and self.pk and self.retired_to == self.get_absolute_url():
            raise ValidationError(
                {"retired_to": _("A page cannot redirect readers to itself. Choose another address.")}
            )

    def slug_is_taken(self, slug: str) -> bool:
        """Return whether no page in this place may have this slug: another has it, or the site itself."""
        if self._reserved(slug):
            return True
        return Article.objects.filter(parent=self.parent, slug=slug).exclude(pk=self.pk).exists()

    def _reserved(self, slug: str) -> ValidationError | None:
        """Return why the site itself needs this slug in this place, if it does."""
        try:
            (validate_section if self.parent else validate_first_level)(slug)
        except ValidationError as error:
            return error
        return None


class EventQuerySet(models.QuerySet["Event"]):
    def published(self, now: datetime) -> "EventQuerySet":
        """Return public events. One is public only if the page that tells it is, too, and the topic of that."""
        depends_on("events")
        of_topic = Q(article__parent=None) | queue.sound("article", "article__parent__")
        return self.public(now).filter(queue.sound("event") & queue.sound("article", "article__") & of_topic)

    def public(self, now: datetime) -> "EventQuerySet":
        """Return the same for pages that show no more of them than whether there are any: also those set aside."""
        depends_on("addresses")
        of_topic = Q(article__parent=None) | public_at(now, "article__parent__")
        return self.filter(public_at(now) & public_at(now, "article__") & of_topic)

    def listed(self) -> "EventQuerySet":
        """Return all events; the counterpart of `QuoteQuerySet.listed`, which leaves some out."""
        return self


class Event(Publishable):
    """Something that happened, as the chronology tells it, with the page that tells more of it."""

    article = models.ForeignKey(
        Article,
        on_delete=models.CASCADE,
        related_name="events",
        verbose_name=_("page"),
        help_text=_("The page that tells it."),
    )
    key = SlugField(
        _("key"),
        max_length=100,
        unique=True,
        blank=True,
        source="words_of_key",
        help_text=_("Permanent identifier for files, and its place in the chronology. Leave empty to make it."),
    )
    dates = DatesField(
        _("date"),
        help_text=_("1901, 1901-09, 1901-09-14 or 1901-09-14/1901-09-15; c. may precede."),
    )
    title = CharField(_("title"), max_length=100, help_text=_("What happened, in a few words, as in a heading."))
    text = TextField(
        _("text"),
        max_length=500,
        blank=True,
        help_text=_("One or two sentences. [[Title]] makes a link, [@key, p. 42] a citation."),
    )
    label = CharField(
        _("label"),
        max_length=40,
        blank=True,
        help_text=_("A few words for the strip of years. Leave empty to show a dot alone."),
    )
    place = CharField(
        _("place"),
        max_length=200,
        blank=True,
        help_text=_("Where it happened. The title of a page makes a link."),
    )
    people = NamesField(
        _("people"), default=list, blank=True, help_text=_("Who took part. The title of a page makes a link.")
    )

    versioned_fields = ("dates", "title", "text", "label", "place", "people")
    immediate_fields = ("article", "key", *Publishable.immediate_fields)
    natural_key_fields = ["key"]
    objects = NaturalKeyManager.from_queryset(EventQuerySet)()

    class Meta(Publishable.Meta):
        ordering = ["dates", "id"]
        permissions = [("publish_event", _("Can publish and retire events"))]
        verbose_name = _("event")
        indexes = [
            models.Index(fields=["publish_at"], name="event_publish_at"),
            models.Index(fields=["retire_at"], name="event_retire_at"),
        ]

    def __str__(self) -> str:
        return f"{read_dates(self.dates) or self.dates}: {self.title}"

    def natural_key(self) -> tuple[str]:
        return (self.key,)

    natural_key.dependencies = ["articles.article"]  # type: ignore[attr-defined]

    @property
    def words_of_key(self) -> str:
        return f"{self.title} {self.dates.removeprefix('c. ')[:4]}"

    @property
    def when(self) -> Dates:
        """Return its dates. Those of a row that is set aside may be none."""
        read = read_dates(self.dates)
        if read is None:
            raise ValueError(f"“{self.dates}” is not a date.")
        return read

    def get_absolute_url(self) -> str:
        """Return its place in the chronology, in one that is divided by years or not."""
        read = read_dates(self.dates)
        address = reverse("articles:year", [read.first.year]) if read else reverse("articles:chronology", [])
        return f"{address}#{self.anchor}"

    @property
    def anchor(self) -> str:
        return f"e-{self.key}"

    def is_public(self, now: datetime) -> bool:
        return is_public_at(self, now) and self.article.is_public(now)

    def clean(self) -> None:
        if not self.key and self.title:
            others = Event.objects.exclude(pk=self.pk)
            self.key = slug_for(self.words_of_key, lambda slug: others.filter(key=slug).exists())


class Reference(models.Model):
    """A work that articles cite."""

    class Kind(models.TextChoices):
        BOOK = "book", _("book")
        ARTICLE = "article", _("article")
        CHAPTER = "chapter", _("chapter")
        THESIS = "thesis", _("thesis")
        DOCUMENT = "document", _("document")
        NEWSPAPER = "newspaper", _("newspaper")
        WEB = "web", _("web page")
        MEMOIR = "memoir", _("memoir")
        ENCYCLOPEDIA = "encyclopedia", _("encyclopedia")

    class Consulted(models.TextChoices):
        WHOLE = "whole", _("in full")
        PART = "part", _("the cited part")
        EXTRACT = "extract", _("in extract")
        INDIRECTLY = "indirectly", _("as cited by others")

    key = SlugField(_("key"), max_length=60, unique=True, help_text=_("Used in citations: [@arden-1987, p. 42]."))
    kind = CharField(_("kind"), max_length=12, choices=Kind.choices, default=Kind.BOOK)
    authors = CharField(
        _("authors"), max_length=300, blank=True, help_text=_("Such as “Arden, Ann”. Separate several with semicolons.")
    )
    title = CharField(_("title"), max_length=400)
    container = CharField(_("published in"), max_length=300, blank=True, help_text=_("Journal, book, series or site."))
    details = CharField(_("volume, number, pages"), max_length=200, blank=True)
    publisher = CharField(_("publisher"), max_length=200, blank=True)
    place = CharField(_("place"), max_length=100, blank=True)
    year = CharField(_("year"), max_length=20, blank=True)
    isbn = IsbnField("ISBN", max_length=20, blank=True)
    doi = DoiField("DOI", max_length=100, blank=True, help_text=_("Or its address: https://doi.org/…"))
    url = URLField(_("address"), max_length=400, blank=True)
    accessed = CharField(_("accessed"), max_length=20, blank=True)
    note = CharField(_("note"), max_length=400, blank=True, help_text=_("Such as “as transcribed at …”."))
    language = LanguageField(_("language of the title"), max_length=12, default=site_language)
    consulted = CharField(
        _("consulted"), max_length=12, choices=Consulted.choices, blank=True, help_text=_("How the editors read it.")
    )
    proposed = models.BooleanField(
        _("proposed"), default=False, help_text=_("Added by an author and not yet confirmed by an editor.")
    )

    natural_key_fields = ["key"]
    objects = NaturalKeyManager()

    class Meta:
        ordering = ["authors", "title", "id"]
        permissions = [("import_reference", _("Can import references"))]

    def __str__(self) -> str:
        return f"{self.key}: {self.title}"

    def natural_key(self) -> tuple[str]:
        return (self.key,)

    def clean(self) -> None:
        if not self.key and self.title:
            self.key = self.proposed_key()

    def proposed_key(self) -> str:
        """Return a key that no other has, of the first author and the year: `arden-1987`, then `arden-1987b`."""
        names = citing.people(self.authors).names
        words = [*slug_for(names[0].family if names else self.title).split("-")[:3]]
        year = re.search(r"\d{4}", self.year)
        if not year and names:
            words += slug_for(self.title).split("-")[:1]
        key = "-".join([*words, *([year[0]] if year else [])])[:50].strip("-")
        others = Reference.objects.filter(key__istartswith=key).exclude(pk=self.pk)
        taken = {other.lower() for other in others.values_list("key", flat=True)}
        letters = ("".join(pair) for pair in itertools.product(["", *ascii_lowercase], ascii_lowercase[1:]))
        return next(
            found for found in itertools.chain([key], (key + letter for letter in letters)) if found not in taken
        )

    def validate_unique(self, exclude: Collection[str] | None = None) -> None:
        super().validate_unique(exclude)
        same = Reference.objects.filter(key__iexact=self.key).exclude(pk=self.pk).first()
        if same is not None and "key" not in (exclude or ()):
            raise ValidationError({"key": Reference.similar(same.key)})

    @staticmethod
    def similar(key: str) -> str:
        """Say that another reference has a key that differs only in capitals."""
        told = _("“%(key)s” differs from this key only in capitals, which citations ignore. Choose another key.")
        return told % {"key": key}


class QuoteChoiceManager(models.Manager["QuoteChoice"]):
    def get_by_natural_key(self, topic_slug: str, slug: str, quote_key: str) -> "QuoteChoice":
        return self.get(article=Article.objects.get_by_natural_key(topic_slug, slug), quote__key=quote_key)


class QuoteChoice(models.Model):
    """A pin or ban of a quotation on a page by an editor. A ban on a topic applies to its sections."""

    class Action(models.TextChoices):
        PIN = "pin", _("pin")
        BAN = "ban", _("ban")

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="quote_choices")
    quote = models.ForeignKey(Quote, on_delete=models.CASCADE, related_name="choices")
    action = CharField(_("action"), max_length=3, choices=Action.choices, default=Action.PIN)
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    reason = CharField(_("reason"), max_length=300, blank=True)

    objects = QuoteChoiceManager()

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["article", "quote"], name="one_choice_a_quote_and_article")]

    def __str__(self) -> str:
        return f"{self.action}: {self.quote}"

    def natural_key(self) -> tuple[str, ...]:
        return (*self.article.natural_key(), self.quote.key)


class Alias(models.Model):
    """A name of a topic beside its title, built by indexing: searches, links and addresses find the topic by it."""

    article = models.ForeignKey(Article, on_delete=models.DO_NOTHING, db_constraint=False, related_name="alias_rows")
    name = models.CharField(max_length=500)
    slug = models.CharField(max_length=100, db_index=True)
    language = models.CharField(max_length=500)
    position = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["article", "position"], name="alias_position_is_unique")]

    def __str__(self) -> str:
        return self.name


class Related(models.Model):
    """A topic that has to do with another, and why; built by indexing from links and shared tags."""

    article = models.ForeignKey(Article, on_delete=models.DO_NOTHING, db_constraint=False, related_name="related_rows")
    other = models.ForeignKey(Article, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    named = models.PositiveIntegerField(default=0)  # pages of the topic that link to the other
    naming = models.PositiveIntegerField(default=0)  # pages of the other that link to the topic
    tags = NamesField(default=list)  # that both have, by name
    position = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["article", "other"], name="related_topic_is_unique")]

    def __str__(self) -> str:
        return f"{self.article_id}: {self.other_id}"


class HeadingWord(models.Model):
    """A word in the heading of a page, built by indexing."""

    article = models.ForeignKey(Article, on_delete=models.DO_NOTHING, db_constraint=False, related_name="heading_words")
    word = models.CharField(max_length=64, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["article", "word"], name="heading_word_is_unique")]

    def __str__(self) -> str:
        return self.word


class Link(models.Model):
    """A link of a page, or of its draft, to a place of this site; built by indexing.

    `lookup` is what it is found by: a name of a page in the form of a slug, the path of an address, the key of a
    reference. A link that may be found by several has a row for each.
    """

    class Kind(models.TextChoices):
        NAME = "name", _("link by name")
        ADDRESS = "address", _("link by address")
        CITATION = "citation", _("citation")
        SUCCESSOR = "successor", _("takes its place")
        MENTION = "mention", _("name in an event")  # of a page or of nothing

    source_kind = models.CharField(max_length=20)
    source_id = models.BigIntegerField()
    is_draft = models.BooleanField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    target = models.TextField()
    lookup = models.CharField(max_length=300)

    class Meta:
        indexes = [
            models.Index(fields=["source_kind", "source_id"], name="link_source"),
            models.Index(fields=["kind", "lookup"], name="link_lookup"),
        ]

    def __str__(self) -> str:
        return self.target


class HeadingId(models.Model):
    """An id that a heading of a published page has or had, recorded by indexing so that links to it go on working.

    Kept as long as revisions are. A present one has the position of its heading; a former one has none and leads to
    the heading that took its place.
    """

    article = models.ForeignKey(Article, on_delete=models.DO_NOTHING, db_constraint=False, related_name="heading_ids")
    name = models.CharField(max_length=120)
    position = models.PositiveIntegerField(null=True)
    leads_to = models.CharField(max_length=120)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["article", "name"], name="heading_id_is_unique")]

    def __str__(self) -> str:
        return self.name


class Version(models.Model):
    """A text of a page as readers saw it, recorded by indexing or by the first page that shows it, and kept for good.

    They are numbered for readers, from 1. `html` is what was made of the text with the references, links and terms of
    that time; it is written once, and `kept_at` says when. One that was replaced before is `late`.
    """

    article = models.ForeignKey(Article, on_delete=models.DO_NOTHING, db_constraint=False, related_name="versions")
    number = models.PositiveIntegerField()
    revision = models.PositiveIntegerField(default=0)  # the number of the newest one in the history by then
    since = models.DateTimeField()
    kind = models.CharField(max_length=10)  # as of `Revision`
    note = models.CharField(max_length=300, blank=True)
    content = ObjectField(default=dict)  # the versioned fields that readers see
    digest = models.CharField(max_length=64)  # of the content
    topic_title = models.CharField(max_length=200, blank=True)  # of a section
    html = models.TextField(blank=True)
    kept_at = models.DateTimeField(null=True)
    late = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["article", "number"], name="version_number_is_unique")]

    def __str__(self) -> str:
        return f"{self.article_id}, {self.number}"
