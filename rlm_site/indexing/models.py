from django.db import models


class Stale(models.Model):
    """An object whose derived data must be rebuilt. Rows are written by triggers; see `indexing.queue`."""

    kind = models.CharField(max_length=20)
    object_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"
