from django.db import models


class Stale(models.Model):
    """Written by triggers: an object whose derived data must be made anew. See `derived`."""

    kind = models.CharField(max_length=20)
    object_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"
