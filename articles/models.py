from collections.abc import Collection
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from taggit.managers import TaggableManager

from articles import markdown
from quotes.models import Quote
from rlm_site.fields import (
    CharField,
    NaturalKeyManager,
    OptionalForeignKey,
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
from rlm_site.text.slugs import reverse, slug_for, validate_first_level


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

    def for_links(self) -> "ArticleQuerySet":
        """Load only what is needed to name and link articles."""
        return self.select_related("parent").defer("body", "parent__body").in_reading_order()


class ArticleManager(models.Manager["Article"]):
    def get_by_natural_key(self, topic_slug: str, slug: str) -> "Article":
        if topic_slug:
            return self.get(parent__slug=topic_slug, parent__parent=None, slug=slug)
        return self.get(parent=None, slug=slug)


class Article(Publishable):  # type: ignore[django-manager-missing]
    """A topic (without parent) or a section of one. Both are edited, tagged, searched and cited alike."""

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
    body = TextField(_("text"), blank=True, help_text=_("Markdown. [[Title]] makes a link, [@key, p. 42] a citation."))
    position = models.PositiveIntegerField(_("position"), default=0, help_text=_("Order among the topic’s sections."))
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

    versioned_fields = ("title", "body", "quotations", "quote_words")
    immediate_fields = ("parent", "slug", "position", *Publishable.immediate_fields, "reviewed_on")
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

    def get_absolute_url(self) -> str:
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
        if self.parent:
            if self.parent is self or (self.pk and self.parent_id == self.pk):
                raise ValidationError({"parent": _("A page cannot be a section of itself.")})
            if self.parent.parent:
                raise ValidationError({"parent": _("Choose a topic. A section cannot have sections of its own.")})
            if self.pk and self.sections.exists():
                raise ValidationError({"parent": _("This topic has sections. Move them before you make it a section.")})
        if not self.slug and self.title:
            self.slug = slug_for(self.title, self.slug_is_taken)
        elif not self.parent:
            try:
                validate_first_level(self.slug)
            except ValidationError as error:
                raise ValidationError({"slug": error}) from error
        if self.retired_to and self.pk and self.retired_to == self.get_absolute_url():
            raise ValidationError(
                {"retired_to": _("A page cannot redirect readers to itself. Choose another address.")}
            )

    def slug_is_taken(self, slug: str) -> bool:
        """Return whether no page in this place may have this slug: another has it, or the site itself."""
        if not self.parent:
            try:
                validate_first_level(slug)
            except ValidationError:
                return True
        return Article.objects.filter(parent=self.parent, slug=slug).exclude(pk=self.pk).exists()


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
    isbn = CharField("ISBN", max_length=20, blank=True)
    doi = CharField("DOI", max_length=100, blank=True)
    url = URLField(_("address"), max_length=400, blank=True)
    accessed = CharField(_("accessed"), max_length=20, blank=True)
    note = CharField(_("note"), max_length=400, blank=True, help_text=_("Such as “as transcribed at …”."))
    language = CharField(_("language of the title"), max_length=12, default=site_language)

    natural_key_fields = ["key"]
    objects = NaturalKeyManager()

    class Meta:
        ordering = ["authors", "title", "id"]
        permissions = [("import_reference", _("Can import references"))]

    def __str__(self) -> str:
        return f"{self.key}: {self.title}"

    def natural_key(self) -> tuple[str]:
        return (self.key,)

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
