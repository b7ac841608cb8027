from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone


class Presence(models.Model):
    """Somebody has the form of a record open; the browser says so again and again."""

    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_id = models.BigIntegerField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(default=timezone.now)
    seen = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["content_type", "object_id", "user"], name="one_presence_a_user_and_form")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.content_type.name} {self.object_id}"


class SubmittedForm(models.Model):
    """A form that has made a record: when it is sent once more, it makes no second one."""

    form_id = models.CharField(max_length=40)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_id = models.BigIntegerField(null=True)
    digest = models.CharField(max_length=64)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["form_id", "user", "content_type"], name="a_form_makes_one_record")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.content_type.name} {self.object_id}"
