"""What both apps stand on: tags, publishing, revisions, addresses, and the marks of what changed."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from taggit.models import ItemBase, TagBase

from rlm_site.folding import fold_name
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
    slug = models.SlugField(_("slug"), unique=True, max_length=100, help_text=_("The tag's address: /tags/<slug>/."))
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

    # Names of the fields that are drafted and reviewed; tags go with them. Set by each model.
    drafted_fields: tuple[str, ...] = ()

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


class Revision(models.Model):
    """One version of a record's text, written once and never changed."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        IN_REVIEW = "in_review", _("in review")
        RETURNED = "returned", _("returned")
        APPROVED = "approved", _("approved")
        PUBLISHED = "published", _("published")

    class Kind(models.TextChoices):
        """What a published revision means to readers; `none` is not listed for them."""

        NEW = "new", _("new")
        REVISION = "revision", _("revision")
        CORRECTION = "correction", _("correction")
        NONE = "none", _("not notable")

    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_id = models.BigIntegerField()
    number = models.PositiveIntegerField()
    content = models.JSONField(help_text=_("The drafted fields and the names of the tags."))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    comment = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
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
    """A row for each app and one for all: triggers renew the token with every change. See `freshness`."""

    name = models.CharField(max_length=20, primary_key=True)
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

    source = models.CharField(max_length=20)  # article or quote
    object_id = models.BigIntegerField()
    kind = models.CharField(max_length=20)  # topic, section or quotation: what readers filter by
    title = models.CharField(max_length=400)
    text = models.TextField()
    public_from = models.DateTimeField()
    public_until = models.DateTimeField(null=True)

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
