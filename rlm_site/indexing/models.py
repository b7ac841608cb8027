from django.db import models
from django.utils import timezone


class Stale(models.Model):
    """An object whose derived data must be rebuilt. Rows are written by triggers; see `indexing.queue`."""

    kind = models.CharField(max_length=20)
    object_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"


class SetAside(models.Model):
    """A row that breaks a rule or cannot be indexed, and so is in no list until it is mended; see `indexing.queue`."""

    kind = models.CharField(max_length=20)
    object_id = models.BigIntegerField()
    reason = models.TextField()
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="an_object_is_set_aside_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}: {self.reason}"
