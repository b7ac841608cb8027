from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.fields import GenericRelation
from django.core.validators import RegexValidator
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rlm_site.fields import CharField


class RevisionRelation(GenericRelation):
    """The revisions of a record. They outlive it, so that a record that is recovered has its history."""

    def bulk_related_objects(self, objs: Any, using: str = DEFAULT_DB_ALIAS) -> QuerySet[Any]:
        """Return nothing: what this returns is deleted with the record."""
        return self.related_model._base_manager.none()


class Publishable(models.Model):
    """A record that readers see only while `visibility.public_at` says so."""

    published = models.BooleanField(
        _("published"), default=False, help_text=_("Readers can see it between the times below.")
    )
    publish_at = models.DateTimeField(
        _("public from"), null=True, blank=True, help_text=_("Leave empty to publish at once.")
    )
    retire_at = models.DateTimeField(
        _("public until"), null=True, blank=True, help_text=_("Leave empty for no end date.")
    )
    retired_to = CharField(
        _("redirect readers to"),
        max_length=300,
        blank=True,
        validators=[RegexValidator(r"^/(?!/)\S*$", _("Enter an address on this site, such as /yarle-valley/."))],
        help_text=_("The address on this site that replaces it. Leave empty to tell readers that it was withdrawn."),
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
        help_text=_("Who created it. Authors may edit what they created."),
    )

    revisions = RevisionRelation("rlm_site.Revision")

    # Fields that are drafted and reviewed; tags go with them. Set by each model.
    versioned_fields: tuple[str, ...] = ()
    # Fields whose changes take effect at once; `related_snapshot` tells of rows of other tables that do.
    immediate_fields: tuple[str, ...] = ("published", "publish_at", "retire_at", "retired_to")

    address_fields: tuple[str, ...] = ()  # those of them that its address is made of

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

    def related_snapshot(self) -> dict[str, Any]:
        """Return rows of other tables that belong to this one, in words for its history: name -> list."""
        return {}


def any_record() -> bool:
    """Return whether the site has any record that is or was to be published: an article or a quotation, say."""
    return any(model._default_manager.exists() for model in apps.get_models() if issubclass(model, Publishable))
