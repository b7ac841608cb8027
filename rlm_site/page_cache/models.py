from django.db import models


class ContentVersion(models.Model):
    """The version of the whole content, or of one cache tag with a name alone; see `page_cache.versions`."""

    name = models.CharField(max_length=20, primary_key=True)
    token = models.CharField(max_length=40)

    def __str__(self) -> str:
        return f"{self.name}: {self.token}"


class PartVersion(models.Model):
    """The version of the cache tag of a row, such as `article:5`; see `page_cache.versions`."""

    name = models.CharField(max_length=40, primary_key=True)
    token = models.CharField(max_length=40)

    def __str__(self) -> str:
        return f"{self.name}: {self.token}"
