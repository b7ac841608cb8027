from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, Subquery
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _
from taggit.managers import TaggableManager

from quotes.attribution import Attribution, Place, attribution, dates
from quotes.provenance import Checked, provenance
from rlm_site.fields import (
    CharField,
    LanguageField,
    NamesField,
    NaturalKeyManager,
    OptionalForeignKey,
    SlugField,
    TextField,
    URLField,
    YearField,
    site_language,
)
from rlm_site.indexing import queue
from rlm_site.page_cache.dependencies import depends_on
from rlm_site.publishing.models import Publishable
from rlm_site.publishing.visibility import is_public_at, public_at
from rlm_site.tags.manager import TagManager
from rlm_site.tags.models import Tag, TaggedBase
from rlm_site.text.slugs import reverse, slug_for


class PersonQuerySet(models.QuerySet["Person"]):
    def published(self, now: datetime) -> "PersonQuerySet":
        """Return people with at least one public quotation."""
        return self.filter(Exists(Quote.objects.published(now).by_person(OuterRef("pk"))) & queue.sound("person"))

    def printed_as_living(self, today: date) -> "PersonQuerySet":
        """Return people printed with `b. 1933` whom nobody has checked for a year."""
        unchecked = models.Q(living_checked_on=None) | models.Q(living_checked_on__lte=today - timedelta(days=365))
        return self.filter(unchecked, kind=Person.Kind.PERSON, died=None, born__gt=today.year - 120)


class Person(models.Model):
    """The authoritative form of a name under which quotations are printed: a person, group, text or proverb."""

    class Kind(models.TextChoices):
        PERSON = "person", _("person")
        GROUP = "group", _("group")
        TEXT = "text", _("text")
        PROVERB = "proverb", _("proverb")
        ANONYMOUS = "anonymous", _("anonymous")

    kind = CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.PERSON)
    name = CharField(_("name as printed"), max_length=200)
    sort_name = CharField(_("sort name"), max_length=200, blank=True, help_text=_("Such as “Wordsworth, William”."))
    slug = SlugField(
        _("slug"), max_length=100, unique=True, source="name", help_text=_("The address is /quotes/people/…/.")
    )
    description = CharField(_("description"), max_length=200, blank=True, help_text=_("Such as “English poet”."))
    born = YearField(_("born"), null=True, blank=True, help_text=_("Year; negative for BC."))
    died = YearField(_("died"), null=True, blank=True, help_text=_("Year; negative for BC."))
    born_circa = models.BooleanField(_("year of birth is approximate"), default=False)
    died_circa = models.BooleanField(_("year of death is approximate"), default=False)
    living_checked_on = models.DateField(
        _("known to be living on"),
        null=True,
        blank=True,
        help_text=_("When somebody last made sure that a person without a year of death is alive."),
    )
    aliases = NamesField(_("other names"), default=list, blank=True, help_text=_('A list, such as ["Holmston"].'))

    natural_key_fields = ["slug"]
    objects = NaturalKeyManager.from_queryset(PersonQuerySet)()

    class Meta:
        ordering = ["sort_name", "id"]
        permissions = [("import_person", _("Can import people"))]
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("quotes:person", args=[self.slug])

    @property
    def dates(self) -> str:
        """Return the years of life as printed, or an empty string if none is known."""
        return dates(self.born, self.died, born_circa=self.born_circa, died_circa=self.died_circa)

    def natural_key(self) -> tuple[str]:
        return (self.slug,)

    def clean(self) -> None:
        if self.born is not None and self.died is not None and self.died < self.born:
            raise ValidationError({"died": _("The year of death is before the year of birth.")})
        if not self.slug and self.name:
            others = Person.objects.exclude(pk=self.pk)
            self.slug = slug_for(self.name, lambda slug: others.filter(slug=slug).exists())


class Work(models.Model):
    class Kind(models.TextChoices):
        BOOK = "book", _("book")
        PLAY = "play", _("play")
        POEM = "poem", _("poem")
        SPEECH = "speech", _("speech")
        LETTER = "letter", _("letter")
        ESSAY = "essay", _("essay")
        SCRIPTURE = "scripture", _("scripture")
        COLLECTION = "collection", _("collection")
        OTHER = "other", _("other")

    title = CharField(_("title"), max_length=300)
    authors = CharField(_("authors as printed"), max_length=300, blank=True)
    year = YearField(_("year"), null=True, blank=True, help_text=_("Negative for BC."))
    kind = CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.BOOK)
    url = URLField(_("address"), blank=True)

    natural_key_fields = ["title", "authors", "year"]
    objects = NaturalKeyManager()

    class Meta:
        ordering = ["title", "id"]
        constraints = [
            models.UniqueConstraint(fields=["title", "authors", "year"], name="work_is_unique"),
            models.UniqueConstraint(
                fields=["title", "authors"], condition=models.Q(year=None), name="work_without_year_is_unique"
            ),
        ]

    def __str__(self) -> str:
        return ", ".join(str(part) for part in (self.title, self.authors, self.year) if part)

    def natural_key(self) -> tuple[str, str, int | None]:
        return (self.title, self.authors, self.year)

    @property
    def is_scripture(self) -> bool:
        return self.kind == self.Kind.SCRIPTURE


class Collection(models.Model):
    """Where quotations come from together: a book, a file, a site. Decides whether the site may pick them."""

    class Register(models.TextChoices):
        SERIOUS = "serious", _("serious")
        LIGHT = "light", _("light")

    class PickPolicy(models.TextChoices):
        AUTOMATIC = "automatic", _("may be picked by the site")
        PINNED = "pinned", _("shown only where an editor pins them")

    class Trust(models.TextChoices):
        CHECKED = "checked", _("attributions checked against the sources")
        PRINTED = "printed", _("attributions as in a printed collection")
        UNCHECKED = "unchecked", _("attributions not checked")

    name = CharField(_("name"), max_length=200)
    slug = SlugField(
        _("slug"),
        max_length=100,
        unique=True,
        source="name",
        help_text=_("Permanent identifier for import and export, such as bartlett-1905."),
    )
    source = TextField(_("source"), blank=True, help_text=_("Where the quotations come from, in words."))
    url = URLField(_("address"), blank=True)
    licence = CharField(_("licence"), max_length=200, blank=True, help_text=_("Such as “public domain”."))
    register = CharField(_("register"), max_length=7, choices=Register.choices, default=Register.SERIOUS)
    pick_policy = CharField(_("its quotations"), max_length=9, choices=PickPolicy.choices, default=PickPolicy.AUTOMATIC)
    trust = CharField(
        _("trust"),
        max_length=9,
        choices=Trust.choices,
        default=Trust.UNCHECKED,
        help_text=_(
            "Decides the status of imported quotations whose rows give none: “unverified” if attributions were not "
            "checked, otherwise “reported”."
        ),
    )

    natural_key_fields = ["slug"]
    objects = NaturalKeyManager()

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("collection")

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str]:
        return (self.slug,)

    def clean(self) -> None:
        if not self.slug and self.name:
            others = Collection.objects.exclude(pk=self.pk)
            self.slug = slug_for(self.name, lambda slug: others.filter(slug=slug).exists())

    @classmethod
    def usual_policy(cls, register: str) -> "Collection.PickPolicy":
        """Return the policy of a new collection for which nobody has decided otherwise."""
        return cls.PickPolicy.PINNED if register == cls.Register.LIGHT else cls.PickPolicy.AUTOMATIC

    @property
    def usual_status(self) -> "Quote.Status":
        """Return the status of its imported quotations whose rows give none."""
        return Quote.Status.UNVERIFIED if self.trust == self.Trust.UNCHECKED else Quote.Status.REPORTED

    @property
    def is_pinned_only(self) -> bool:
        return self.pick_policy == self.PickPolicy.PINNED


class TaggedQuote(TaggedBase):
    content_object = models.ForeignKey("Quote", on_delete=models.CASCADE, related_name="tagged_items")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tag", "content_object"], name="quote_has_tag_once")]


class QuoteQuerySet(models.QuerySet["Quote"]):
    def published(self, now: datetime) -> "QuoteQuerySet":
        depends_on("quotes")  # with their people, works, index terms and tags
        return self.filter(public_at(now) & queue.sound("quote"))

    def pickable(self, now: datetime) -> "QuoteQuerySet":
        """Return quotations that the site may pick automatically."""
        allowed = self.published(now).filter(auto_pick=True, status__in=Quote.PICKED_STATUSES)
        return allowed.exclude(collection__pick_policy=Collection.PickPolicy.PINNED)

    def by_person(self, person: "Person | OuterRef") -> "QuoteQuerySet":
        """Return quotations that may be listed under this person."""
        return self.filter(person=person).listed()

    def listed(self) -> "QuoteQuerySet":
        """Exclude misattributed quotations, which appear on their own page only."""
        return self.exclude(status=Quote.Status.MISATTRIBUTED)

    def tagged(self, tag: Tag) -> "QuoteQuerySet":
        return self.filter(tagged_items__tag=tag)

    def containing(self, words: Iterable[str]) -> "QuoteQuerySet":
        """Return quotations whose text contains one of these folded words, best first."""
        links = QuoteWord.objects.filter(word__text__in=list(words), contained=True)
        best = links.filter(quote=OuterRef("pk")).order_by("-rank").values("rank")[:1]
        return self.filter(pk__in=links.values("quote")).annotate(best=Subquery(best)).order_by("-best", "id")

    def for_display(self) -> "QuoteQuerySet":
        return self.select_related("person", "work", "quoted_in", "collection")


def new_key() -> str:
    return get_random_string(12, "abcdefghijkmnpqrstuvwxyz23456789")


class Quote(Publishable):  # type: ignore[django-manager-missing]
    class Status(models.TextChoices):
        VERIFIED = "verified", _("verified")
        REPORTED = "reported", _("reported")
        UNVERIFIED = "unverified", _("unverified")
        DISPUTED = "disputed", _("disputed")
        MISATTRIBUTED = "misattributed", _("misattributed")

    PICKED_STATUSES = (Status.VERIFIED, Status.REPORTED)

    key = SlugField(
        _("key"),
        max_length=64,
        unique=True,
        default=new_key,
        help_text=_("Permanent identifier for import and export."),
    )
    text = TextField(_("text"), help_text=_("Exactly as printed in the source. Line breaks in verse are kept."))
    language = LanguageField(_("language of the text"), max_length=12, default=site_language)
    person = OptionalForeignKey(
        Person,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="quotes",
        help_text=_("Leave empty if anonymous."),
    )
    name_as_printed = CharField(
        _("name as printed here"),
        max_length=200,
        blank=True,
        help_text=_("Only if it differs from the person’s name."),
    )
    work = OptionalForeignKey(
        Work, on_delete=models.PROTECT, null=True, blank=True, related_name="quotes", help_text=_("The primary source.")
    )
    locator = CharField(_("place in the work"), max_length=200, blank=True, help_text=_("Such as “act 3, sc. 2”."))
    locator_as_printed = CharField(_("place as printed"), max_length=200, blank=True)
    quoted_in = OptionalForeignKey(
        Work,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="quotes_within",
        verbose_name=_("as quoted in"),
        help_text=_("The later work in which the quotation was found."),
    )
    quoted_in_locator = CharField(_("place in the later work"), max_length=200, blank=True)
    year_said = YearField(_("year said"), null=True, blank=True)
    original_text = TextField(_("original text"), blank=True)
    original_language = LanguageField(_("language of the original"), max_length=12, blank=True)
    translator = CharField(_("translator"), max_length=200, blank=True)
    status = CharField(_("status"), max_length=13, choices=Status.choices, default=Status.UNVERIFIED)
    true_source = OptionalForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="misattributions",
        help_text=_("For a misattributed quotation: the one that it really is."),
    )
    version_of = OptionalForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="versions",
        help_text=_("Another version of the same quotation: longer, shorter or differently worded."),
    )
    auto_pick = models.BooleanField(
        _("may be picked by the site"), default=True, help_text=_("If not, it is shown only where an editor pins it.")
    )
    attribution_as_imported = CharField(
        _("attribution as imported"),
        max_length=500,
        blank=True,
        help_text=_("Kept because it could not be parsed."),
    )
    collection = OptionalForeignKey(
        Collection,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="quotes",
        help_text=_("Where it was imported from. It may say that the site picks none of its quotations."),
    )

    tags = TaggableManager(through=TaggedQuote, manager=TagManager, blank=True)

    versioned_fields = (
        "text", "language", "person", "name_as_printed", "work", "locator", "locator_as_printed", "quoted_in",
        "quoted_in_locator", "year_said", "original_text", "original_language", "translator", "status", "true_source",
        "version_of", "auto_pick", "attribution_as_imported", "collection",
    )  # fmt: skip
    natural_key_fields = ["key"]
    objects = NaturalKeyManager.from_queryset(QuoteQuerySet)()

    class Meta(Publishable.Meta):
        ordering = ["id"]
        permissions = [
            ("publish_quote", _("Can publish and retire quotations")),
            ("import_quote", _("Can import quotations")),
        ]
        verbose_name = _("quotation")
        indexes = [
            models.Index(fields=["publish_at"], name="quote_publish_at"),
            models.Index(fields=["retire_at"], name="quote_retire_at"),
        ]

    def __str__(self) -> str:
        return f"“{self.first_words()}”, {self.name}"

    def natural_key(self) -> tuple[str]:
        return (self.key,)

    def get_absolute_url(self) -> str:
        return reverse("quote", args=[self.pk, self.slug])

    @property
    def slug(self) -> str:
        return slug_for(self.first_words(8))[:60].strip("-")

    @property
    def name(self) -> str:
        """Return the name under which the quotation is printed; of scripture, its title."""
        if self.is_named:
            return self.name_as_printed or self.person.name
        source = self.work or self.quoted_in
        return source.title if source and source.is_scripture else str(_("Anonymous"))

    @property
    def is_named(self) -> bool:
        """Return whether it is printed under a name of its own, which scripture does without."""
        return bool(self.name_as_printed or self.person)

    @property
    def attribution(self) -> Attribution:
        return attribution(
            name=self.name_as_printed or (self.person.name if self.person else ""),
            born=self.person.born if self.person else None,
            died=self.person.died if self.person else None,
            born_circa=bool(self.person and self.person.born_circa),
            died_circa=bool(self.person and self.person.died_circa),
            description=self.person.description if self.person else "",
            work=self._place(self.work, self.locator),
            quoted_in=self._place(self.quoted_in, self.quoted_in_locator),
            year_said=self.year_said,
            translator=self.translator,
            disputed=self.status in {self.Status.DISPUTED, self.Status.MISATTRIBUTED},
            as_imported=self.attribution_as_imported,
        )

    def provenance(self, checks: "Iterable[Check]") -> list[str]:
        """Return what was checked and what was not, in sentences; `checks` are its own, with their works."""
        return provenance(
            self.status,
            work=self._place(self.work, self.locator),
            quoted_in=self._place(self.quoted_in, self.quoted_in_locator),
            as_imported=self.attribution_as_imported,
            checks=[
                Checked(
                    by=check.checked_by,
                    on=check.checked_on,
                    place=self._place(check.work, check.place),
                    where=check.place,
                    found=check.found,
                    is_primary=check.work_id == self.work_id if check.work_id else None,
                )
                for check in checks
            ],
        )

    @property
    def is_doubtful(self) -> bool:
        """Return whether readers are told of the status wherever the quotation stands."""
        return self.status not in self.PICKED_STATUSES

    @property
    def is_verse(self) -> bool:
        return "\n" in self.text.strip()

    def is_public(self, now: datetime) -> bool:
        return is_public_at(self, now)

    def related_snapshot(self) -> dict[str, list[str]]:
        checks = self.checks.values_list("checked_on", "checked_by", "place", "found")
        terms = self.index_terms.values_list("word", "veto", "note")
        return {
            "evidence": [" · ".join(str(part) for part in row if part != "") for row in checks],
            "index_terms": [
                " · ".join(part for part in (word, str(_("veto")) if veto else "", note) if part)
                for word, veto, note in terms
            ],
        }

    def first_words(self, count: int = 10) -> str:
        words = self.text.split()
        return " ".join(words[:count]) + ("…" if len(words) > count else "")

    def clean(self) -> None:
        if self.status == self.Status.MISATTRIBUTED and not (self.person_id or self.person):
            told = _("A misattributed quotation needs a person. Choose the one to whom it is wrongly attributed.")
            raise ValidationError({"status": told})
        for name in ("true_source", "version_of"):
            if self.pk and getattr(self, f"{name}_id") == self.pk:
                raise ValidationError({name: _("A quotation cannot be its own source or a version of itself.")})

    @staticmethod
    def _place(work: Work | None, locator: str) -> Place | None:
        if work is None:
            return None
        return Place(work.title, locator, work.authors, work.year, work.is_scripture)


class OfQuoteManager(models.Manager[Any]):
    """Manager with a natural key of the quotation's key and these fields."""

    def __init__(self, *fields: str) -> None:
        super().__init__()
        self.fields = fields

    def get_by_natural_key(self, quote_key: str, *values: Any) -> Any:
        return self.get(quote__key=quote_key, **dict(zip(self.fields, values, strict=True)))


class Check(models.Model):
    """One check of a quotation against a source, as evidence."""

    quote = models.ForeignKey(Quote, on_delete=models.CASCADE, related_name="checks")
    checked_by = CharField(_("checked by"), max_length=150)
    checked_on = models.DateField(_("checked on"))
    work = OptionalForeignKey(Work, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    place = CharField(_("place"), max_length=200, blank=True)
    found = TextField(_("what was found"), blank=True)

    objects = OfQuoteManager("checked_on", "checked_by", "place")

    class Meta:
        ordering = ["checked_on", "id"]
        constraints = [
            models.UniqueConstraint(fields=["quote", "checked_on", "checked_by", "place"], name="check_is_unique")
        ]

    def __str__(self) -> str:
        return f"{self.checked_on}, {self.checked_by}"

    def natural_key(self) -> tuple[str, ...]:
        return (self.quote.key, str(self.checked_on), self.checked_by, self.place)


class IndexTerm(models.Model):
    """A word that a quotation is filed under, or a veto of one that it contains in a wrong sense."""

    quote = models.ForeignKey(Quote, on_delete=models.CASCADE, related_name="index_terms")
    word = CharField(_("word"), max_length=64)
    veto = models.BooleanField(
        _("veto"), default=False, help_text=_("Never pick the quotation for this word, although it contains it.")
    )
    note = CharField(_("note"), max_length=200, blank=True)

    objects = OfQuoteManager("word")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["quote", "word"], name="index_term_is_unique")]

    def __str__(self) -> str:
        return f"not {self.word}" if self.veto else self.word

    def natural_key(self) -> tuple[str, ...]:
        return (self.quote.key, self.word)


class WordManager(models.Manager["Word"]):
    def forms_of(self, word: str) -> list[str]:
        """Return the spellings that share the base form of a word, the word included."""
        form = self.filter(text=word).values("form")[:1]
        return list(self.filter(form__in=form).order_by("text").values_list("text", flat=True)) or [word]

    def public_counts(self, words: Iterable[str], now: datetime) -> list[tuple[str, int]]:
        """Return (word, number of public quotations) for those words that any contains."""
        public = Quote.objects.published(now).listed().values("pk")
        links = QuoteWord.objects.filter(word__text__in=list(words), contained=True, quote__in=public)
        return list(links.order_by("word__text").values_list("word__text").annotate(models.Count("pk")))


class Word(models.Model):
    """The vocabulary, built by indexing: a folded word of a quotation or heading, with its base form."""

    text = models.CharField(max_length=64, unique=True)
    form = models.CharField(max_length=64, db_index=True)
    quote_count = models.PositiveIntegerField(default=0, help_text="Quotations that contain it, published or not.")

    objects = WordManager()

    def __str__(self) -> str:
        return self.text

    def get_absolute_url(self) -> str:
        return reverse("word", args=[self.text])


class QuoteWord(models.Model):
    """An entry of the word index. `rank` is 0 where the site may not pick the quotation for this word."""

    word = models.ForeignKey(Word, on_delete=models.CASCADE, related_name="links")
    # No constraint: other database clients may delete a quotation, whose entries are removed by indexing.
    quote = models.ForeignKey(Quote, on_delete=models.DO_NOTHING, db_constraint=False, related_name="word_links")
    rank = models.SmallIntegerField()
    contained = models.BooleanField(default=True, help_text="False: filed under the word by an editor.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["word", "quote"], name="word_of_quote_is_unique")]
        # A covering index: picking quotations for a word reads nothing else.
        indexes = [models.Index(fields=["word", "-rank", "quote", "contained"], name="best_quotes_of_word")]

    def __str__(self) -> str:
        return f"{self.word_id} in {self.quote_id}"
