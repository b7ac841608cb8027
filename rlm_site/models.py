"""What both apps stand on: tags, publishing, revisions, addresses, and the marks of what changed."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from taggit.models import ItemBase, TagBase

from rlm_site.folding import fold_name
from rlm_site.paths import reverse
from rlm_site.slugs import slug_for


class NaturalKeyManager(models.Manager[Any]):
    """Finds a row by the fields that its model names in `natural_key_fields`."""

    def get_by_natural_key(self, *values: Any) -> Any:
        return self.get(**dict(zip(self.model.natural_key_fields, values, strict=True)))


class FoldedField(models.CharField):
    """The folded form of another field, for unique constraints and look-ups; filled however the row is saved."""

    def __init__(self, *args: Any, source: str = "name", **kwargs: Any) -> None:
        self.source = source
        kwargs.setdefault("editable", False)
        kwargs.setdefault("max_length", 100)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "source": self.source}

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        # loaddata saves rows as they are and asks no field; the signal is sent all the same
        models.signals.pre_save.connect(lambda instance, **kwargs: self.pre_save(instance, False), cls, weak=False)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        folded = fold_name(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, folded)
        return folded


class TagQuerySet(models.QuerySet["Tag"]):
    def published(self, now: datetime) -> "TagQuerySet":
        """Those on something that readers find in lists, whatever it is: tagged models are found, not named."""
        used = models.Q(pk__in=[])
        for through in Tag.through_models():
            used |= models.Q(pk__in=through.public(now).values("tag"))
        return self.filter(used)


_TagManager = NaturalKeyManager.from_queryset(TagQuerySet)


class Tag(TagBase):
    slug = models.SlugField(_("slug"), unique=True, max_length=100, help_text=_("The tag's address: /tags/…/."))
    folded = FoldedField(unique=True, source="name", help_text=_("The name without case and accents."))
    description = models.TextField(_("description"), blank=True, help_text=_("One sentence, shown on the tag's page."))
    brings_quotations = models.BooleanField(
        _("may bring quotations"),
        default=False,
        help_text=_(
            "A page with this tag may show quotations with the same tag when none contains a word of its heading."
        ),
    )

    objects = _TagManager()

    class Meta:
        ordering = ["folded"]
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        permissions = [("merge_tag", _("Can rename and merge tags")), ("import_tag", _("Can import tags"))]

    def clean(self) -> None:
        if Tag.objects.filter(folded=fold_name(self.name)).exclude(pk=self.pk).exists():
            raise ValidationError(
                {"name": _("There is already a tag of this name, perhaps with other capitals or accents.")}
            )

    @classmethod
    def through_models(cls) -> "list[type[TaggedBase]]":
        """The tables that put tags on objects."""
        models_of_relations = [relation.related_model for relation in cls._meta.related_objects]
        return [model for model in models_of_relations if isinstance(model, type) and issubclass(model, TaggedBase)]

    def slugify(self, tag: str, i: int | None = None) -> str:
        return slug_for(tag) if i is None else f"{slug_for(tag)}-{i + 1}"

    def get_absolute_url(self) -> str:
        return reverse("tag", args=[self.slug])


class TaggedManager(models.Manager[Any]):
    def get_by_natural_key(self, tag_name: str, *object_key: Any) -> Any:
        tagged = self.model._meta.get_field("content_object").related_model
        return self.get(tag__name=tag_name, content_object=tagged.objects.get_by_natural_key(*object_key))


class TaggedBase(ItemBase):
    """One tag on one object; each app has a table of its own with real foreign keys."""

    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="%(class)s_items")

    objects = TaggedManager()

    class Meta:
        abstract = True

    @classmethod
    def public(cls, now: datetime) -> "models.QuerySet[Any]":
        """Rows whose object readers find in lists."""
        tagged: Any = cls._meta.get_field("content_object").related_model
        listed = tagged.objects.published(now).listed().values("pk")
        return cls._default_manager.filter(content_object__in=listed)

    def natural_key(self) -> tuple[Any, ...]:
        return (self.tag.name, *self.content_object.natural_key())


class Publishable(models.Model):
    """A row that readers see only while `publishing.live` says so."""

    published = models.BooleanField(
        _("published"), default=False, help_text=_("Readers can see it, at the times below.")
    )
    publish_at = models.DateTimeField(_("public from"), null=True, blank=True, help_text=_("Empty: at once."))
    retire_at = models.DateTimeField(_("public until"), null=True, blank=True, help_text=_("Empty: without end."))
    retired_to = models.CharField(
        _("after that, lead readers to"),
        max_length=300,
        blank=True,
        validators=[RegexValidator(r"^/(?!/)\S*$", _("Give an address of this site, such as /andrey-vlasov/."))],
        help_text=_("An address of this site that takes its place. Empty: readers are told that it was withdrawn."),
    )
    created = models.DateTimeField(_("created"), default=timezone.now, db_default=Now(), editable=False)
    updated = models.DateTimeField(_("updated"), default=timezone.now, db_default=Now(), editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        help_text=_("Who began it: an author may go on with their own."),
    )

    # Names of the fields that are drafted and reviewed; tags go with them. Set by each model.
    drafted_fields: tuple[str, ...] = ()
    # Names of the fields that act at once; what hangs on the row and acts at once too is named by `hanging`.
    standing_fields: tuple[str, ...] = ("published", "publish_at", "retire_at", "retired_to")

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=models.Q(publish_at=None)
                | models.Q(retire_at=None)
                | models.Q(retire_at__gt=models.F("publish_at")),
                name="%(class)s_retires_after_publication",
                violation_error_message=_("“Public until” must be later than “public from”."),
            )
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.updated = timezone.now()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "updated"}
        super().save(*args, **kwargs)

    def hanging(self) -> dict[str, Any]:
        """Rows of other tables that belong to this one, in words for its history: name -> list."""
        return {}


class Import(models.Model):
    """One file of rows that was imported; the revisions of the rows that it changed point here."""

    name = models.CharField(_("file"), max_length=200)
    digest = models.CharField(_("SHA-256"), max_length=64)
    model = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created = models.DateTimeField(default=timezone.now, db_default=Now())
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-created", "-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.digest[:12]})"


class Revision(models.Model):
    """One version of a record, written once and never changed; what happens to it is another revision.

    The row is what readers see. The newest revision of the text (`act` empty) is the working copy, unless it is
    published or discarded.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        IN_REVIEW = "in_review", _("in review")
        RETURNED = "returned", _("returned")
        APPROVED = "approved", _("approved")
        PUBLISHED = "published", _("published")
        DISCARDED = "discarded", _("discarded")

    WORKING = (State.DRAFT, State.IN_REVIEW, State.RETURNED, State.APPROVED)

    class Kind(models.TextChoices):
        """What a published revision means to readers; `none` is not listed for them."""

        NEW = "new", _("new")
        REVISION = "revision", _("revision")
        CORRECTION = "correction", _("correction")
        NONE = "none", _("not notable")

    class Act(models.TextChoices):
        """What acts at once and leaves the text, and a working copy of it, alone."""

        PLACE = "place", _("moved")
        CHOICES = "choices", _("choices and evidence")
        TIMES = "times", _("retired or put back")
        REVIEWED = "reviewed", _("reviewed, nothing changed")
        RECOVERED = "recovered", _("recovered after deletion")
        OUTSIDE = "outside", _("changed outside of the desk")

    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_id = models.BigIntegerField()
    number = models.PositiveIntegerField()
    content = models.JSONField(help_text=_("The drafted fields and the names of the tags."))
    standing = models.JSONField(
        default=dict, blank=True, help_text=_("What acts at once, as it stood: address, place, times, choices.")
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    comment = models.CharField(max_length=1000, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    act = models.CharField(max_length=10, choices=Act.choices, blank=True)
    base = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("The published revision that a working copy began from."),
    )
    imported = models.ForeignKey(Import, on_delete=models.SET_NULL, null=True, blank=True, related_name="revisions")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.NONE)
    note = models.CharField(max_length=300, blank=True, help_text=_("One sentence for readers."))
    created = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        ordering = ["-created", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["content_type", "object_id", "number"], name="revision_number_is_unique")
        ]
        indexes = [models.Index(fields=["state", "kind", "-created"], name="revision_changes")]

    def __str__(self) -> str:
        return f"{self.content_type.name} {self.object_id}, {self.number}"


class PreviewLink(models.Model):
    """Shows one revision to whoever has the link, until it expires or is taken back."""

    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="preview_links")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    revoked = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created", "-id"]

    def __str__(self) -> str:
        return f"{self.revision}, {self.expires:%Y-%m-%d}"


class Deletion(models.Model):
    """What was deleted, row by row as Django serializes it, so that all of it can come back."""

    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_id = models.BigIntegerField()
    title = models.CharField(max_length=400)
    rows = models.JSONField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created = models.DateTimeField(default=timezone.now)
    recovered = models.DateTimeField(null=True, blank=True)
    recovered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-created", "-id"]

    def __str__(self) -> str:
        return self.title


class TagChange(models.Model):
    """A tag was renamed, or merged into another; `before` is what it takes to undo that."""

    class Kind(models.TextChoices):
        RENAME = "rename", _("renamed")
        MERGE = "merge", _("merged")

    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices)
    tag = models.ForeignKey(Tag, on_delete=models.SET_NULL, null=True, related_name="+")
    said = models.CharField(_("what was done"), max_length=400)
    before = models.JSONField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created = models.DateTimeField(default=timezone.now)
    undone = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-created", "-id"]

    def __str__(self) -> str:
        return self.said


class Presence(models.Model):
    """Somebody has the form of a record open; the browser says so again and again."""

    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_id = models.BigIntegerField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(default=timezone.now)
    seen = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["content_type", "object_id", "user"], name="one_presence_a_user_and_form")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.content_type.name} {self.object_id}"


class Address(models.Model):
    """A path at which an object was once found, or is now; never removed while the object exists."""

    path = models.CharField(max_length=300, unique=True)
    kind = models.CharField(max_length=20)
    object_id = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["kind", "object_id"], name="address_object")]
        verbose_name_plural = _("addresses")

    def __str__(self) -> str:
        return self.path


class ContentVersion(models.Model):
    """The token of all content, and of each part that has a name: triggers renew them with every change.

    See `freshness`.
    """

    name = models.CharField(max_length=20, primary_key=True)
    token = models.CharField(max_length=40)

    def __str__(self) -> str:
        return f"{self.name}: {self.token}"


class PartVersion(models.Model):
    """The token of one part of the content that some pages are made of, such as `article:5`. See `freshness`."""

    name = models.CharField(max_length=40, primary_key=True)
    token = models.CharField(max_length=40)

    def __str__(self) -> str:
        return f"{self.name}: {self.token}"


class Stale(models.Model):
    """Written by triggers: an object whose derived data must be made anew. See `derived`."""

    kind = models.CharField(max_length=20)
    object_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"


class SearchDocument(models.Model):
    """What the search knows of one object; derived. The full-text table beside it is made by a migration."""

    SPAN = 2**40  # ids of a kind (topic, section, quotation, in this order) lie together: its number * SPAN + object_id

    id = models.BigIntegerField(primary_key=True)
    source = models.CharField(max_length=20)  # article or quote
    object_id = models.BigIntegerField()
    title = models.CharField(max_length=400)
    public_from = models.DateTimeField(db_index=True)
    public_until = models.DateTimeField(null=True, db_index=True)
    text = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "object_id"], name="one_search_document_an_object")]

    def __str__(self) -> str:
        return self.title


class SearchWord(models.Model):
    """The vocabulary of the search: spellings that some document has or had, for noun forms and suggestions."""

    text = models.CharField(max_length=64, primary_key=True)
    form = models.CharField(max_length=64, db_index=True)

    def __str__(self) -> str:
        return self.text
