from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rlm_site.fields import CharField, ObjectField


class Import(models.Model):
    """An imported file; the revisions of the rows that it changed refer to it."""

    name = CharField(_("file"), max_length=200)
    digest = CharField(_("SHA-256"), max_length=64)
    model = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+", verbose_name=_("kind of record"))
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
        return self.name


class Revision(models.Model):
    """One version of a record, never changed; later transitions are new revisions.

    The row holds what readers see. The newest revision of the text (with an empty `act`) is the working copy, unless it
    is published or discarded.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        IN_REVIEW = "in_review", _("in review")
        RETURNED = "returned", _("returned")
        APPROVED = "approved", _("approved")
        PUBLISHED = "published", _("published")
        DISCARDED = "discarded", _("discarded")

    WORKING = (State.DRAFT, State.IN_REVIEW, State.RETURNED, State.APPROVED)
    UNDER_REVIEW = (State.IN_REVIEW, State.APPROVED)  # by others than who wrote it

    class Kind(models.TextChoices):
        """The significance of a published revision for readers; `none` is not listed for them."""

        NEW = "new", _("new")
        REVISION = "revision", _("revision")
        CORRECTION = "correction", _("correction")
        NONE = "none", _("minor change")

    class Act(models.TextChoices):
        """Changes that take effect at once, and leave the text and its working copy alone."""

        PLACE = "place", _("moved")
        CHOICES = "choices", _("choices or evidence changed")
        TIMES = "times", _("schedule changed")
        REVIEWED = "reviewed", _("marked as reviewed")
        RECOVERED = "recovered", _("restored after deletion")
        OUTSIDE = "outside", _("changed by another program")

    content_type = models.ForeignKey(
        ContentType, on_delete=models.CASCADE, related_name="+", verbose_name=_("kind of record")
    )
    object_id = models.BigIntegerField()
    number = models.PositiveIntegerField()
    content = ObjectField(help_text=_("The versioned fields and the names of the tags."))
    standing = ObjectField(
        default=dict,
        blank=True,
        help_text=_("What takes effect immediately, as it was: address, place, times, choices."),
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    comment = CharField(max_length=1000, blank=True)
    state = CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    act = CharField(_("action"), max_length=10, choices=Act.choices, blank=True)
    base = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("The published version that the draft started from."),
    )
    imported = models.ForeignKey(Import, on_delete=models.SET_NULL, null=True, blank=True, related_name="revisions")
    kind = CharField(_("kind of change"), max_length=10, choices=Kind.choices, default=Kind.NONE)
    note = CharField(_("summary for readers"), max_length=300, blank=True, help_text=_("One sentence for readers."))
    created = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        ordering = ["-created", "-id"]
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        constraints = [
            models.UniqueConstraint(fields=["content_type", "object_id", "number"], name="revision_number_is_unique")
        ]
        indexes = [models.Index(fields=["state", "kind", "-created"], name="revision_changes")]

    def __str__(self) -> str:
        return f"{self.content_type.name} {self.object_id}, {self.number}"


class PreviewLink(models.Model):
    """A link that shows one revision without an account, until it expires or is revoked.

    One of a whole topic also shows its sections, as they were when it was made.
    """

    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="preview_links")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    revoked = models.DateTimeField(null=True, blank=True)
    whole_topic = models.BooleanField(default=False, db_default=False)

    class Meta:
        ordering = ["-created", "-id"]

    def __str__(self) -> str:
        return f"{self.revision}, {self.expires:%Y-%m-%d}"


class Deletion(models.Model):
    """A deleted record with all its rows, as serialized by Django, for recovery."""

    content_type = models.ForeignKey(
        ContentType, on_delete=models.CASCADE, related_name="+", verbose_name=_("kind of record")
    )
    object_id = models.BigIntegerField()
    title = CharField(max_length=400)
    rows = ObjectField()
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
        verbose_name = _("deleted record")
        verbose_name_plural = _("deleted records")

    def __str__(self) -> str:
        return self.title
