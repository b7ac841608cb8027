from django.db import models
from django.utils.translation import gettext_lazy as _


class Address(models.Model):
    """A present or former path of an object; kept as long as the object exists."""

    path = models.CharField(max_length=300, unique=True)
    kind = models.CharField(max_length=20)
    object_id = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["kind", "object_id"], name="address_object")]
        verbose_name_plural = _("addresses")

    def __str__(self) -> str:
        return self.path
