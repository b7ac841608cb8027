from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from taggit.models import ItemBase, TagBase

from rlm_site.fields import CharField, FoldedField, NaturalKeyManager, ObjectField, SlugField, TextField
from rlm_site.indexing import queue
from rlm_site.page_cache.dependencies import depends_on
from rlm_site.text.folding import fold_name
from rlm_site.text.slugs import reverse, slug_for


class TagQuerySet(models.QuerySet["Tag"]):
    def published(self, now: datetime) -> "TagQuerySet":
        """Return the tags of objects that readers find in lists, of any tagged model."""
        depends_on("all")  # each tagged model has cache tags of its own
        used = models.Q(pk__in=[])
        for through in Tag.through_models():
            used |= models.Q(pk__in=through.public(now).values("tag"))
        return self.filter(used & queue.sound("tag"))


_TagManager = NaturalKeyManager.from_queryset(TagQuerySet)


class Tag(TagBase):
    name = CharField(_("name"), unique=True, max_length=100)
    slug = SlugField(
        _("slug"),
        unique=True,
        max_length=100,
        source="name",
        help_text=_("The last part of the tag’s address: /tags/…/."),
    )
    folded = FoldedField(unique=True, source="name", help_text=_("The name without case and accents."))
    description = TextField(_("description"), blank=True, help_text=_("One sentence, shown on the tag’s page."))
    brings_quotations = models.BooleanField(
        _("can supply quotations"),
        default=False,
        help_text=_(
            "A page with this tag may show quotations with the same tag if none contains a word of its heading."
        ),
    )
    advises_silence = models.BooleanField(
        _("advises silence"),
        default=False,
        db_default=False,
        help_text=_("Editors are warned if the site picks quotations for a page with this tag."),
    )

    objects = _TagManager()

    class Meta:
        ordering = ["folded"]
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        permissions = [("merge_tag", _("Can rename and merge tags")), ("import_tag", _("Can import tags"))]

    def clean(self) -> None:
        if self.brings_quotations and self.advises_silence:
            raise ValidationError(
                {"advises_silence": _("A tag cannot both supply quotations and advise silence. Choose one of the two.")}
            )
        if Tag.objects.filter(folded=fold_name(self.name)).exclude(pk=self.pk).exists():
            raise ValidationError(
                {"name": _("There is already a tag with this name, perhaps with different capitals or accents.")}
            )

    @classmethod
    def through_models(cls) -> "list[type[TaggedBase]]":
        """Return the tables that assign tags to objects."""
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
    """One tag on one object. Each app has its own table with real foreign keys."""

    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="%(class)s_items")

    objects = TaggedManager()

    class Meta:
        abstract = True

    @classmethod
    def public(cls, now: datetime) -> "models.QuerySet[Any]":
        """Return the rows whose object readers find in lists."""
        tagged: Any = cls._meta.get_field("content_object").related_model
        listed = tagged.objects.published(now).listed().values("pk")
        return cls._default_manager.filter(content_object__in=listed)

    def natural_key(self) -> tuple[Any, ...]:
        return (self.tag.name, *self.content_object.natural_key())


class TagChange(models.Model):
    """A rename of a tag or its merge into another; `before` holds what is needed to undo it."""

    class Kind(models.TextChoices):
        RENAME = "rename", _("renamed")
        MERGE = "merge", _("merged")

    kind = CharField(_("kind"), max_length=6, choices=Kind.choices)
    tag = models.ForeignKey(Tag, on_delete=models.SET_NULL, null=True, related_name="+")
    said = CharField(_("what was done"), max_length=400)
    before = ObjectField()
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
