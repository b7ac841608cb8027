from django.db import models


class ContentVersion(models.Model):
    """The token of all content, and of each part that has a name: triggers renew them with every change.

    See `freshness`.
    """

    name = models.CharField(max_length=20, primary_key=True)
    token = models.CharField(max_length=40)

    def __str__(self) -> str:
        return f"{self.name}: {self.token}"


class PartVersion(models.Model):
    """The token of one part of the content that some pages are made of, such as `article:5`. See `freshness`."""

    name = models.CharField(max_length=40, primary_key=True)
    token = models.CharField(max_length=40)

    def __str__(self) -> str:
        return f"{self.name}: {self.token}"
