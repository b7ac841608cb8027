from django.db import models
from django.utils.translation import gettext_lazy as _


class Address(models.Model):
    """A present or former path of an object; kept when it is deleted, if readers had seen it.

    A path may have had several owners; the one that was recorded last has the highest id.
    """

    path = models.CharField(max_length=300)
    kind = models.CharField(max_length=20)
    object_id = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["kind", "object_id"], name="address_object")]
        constraints = [
            models.UniqueConstraint(fields=["path", "kind", "object_id"], name="an_object_has_an_address_once")
        ]
        verbose_name_plural = _("addresses")

    def __str__(self) -> str:
        return self.path

    @property
    def owner(self) -> tuple[str, int]:
        return self.kind, self.object_id
