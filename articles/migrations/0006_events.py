"""Events: what happened, for the chronology, each with the page that tells more of it."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

RIGHTS = {
    "Authors": ["view", "add"],
    "Editors": ["view", "add", "change"],
    "Publishers": ["view", "add", "change", "delete", "publish"],
}


def give_rights(apps, schema_editor):
    config = apps.get_app_config("articles")
    config.models_module = True  # create_permissions passes over an app without models
    create_permissions(config, apps=apps, using=schema_editor.connection.alias, verbosity=0)
    config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="articles")
    for name, acts in RIGHTS.items():
        for group in apps.get_model("auth", "Group").objects.filter(name=name):
            group.permissions.add(*permissions.filter(codename__in=[f"{act}_event" for act in acts]))


class Migration(migrations.Migration):
    dependencies = [
        ("articles", "0005_entries"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("published", models.BooleanField(default=False, verbose_name="published")),
                ("publish_at", models.DateTimeField(blank=True, null=True, verbose_name="public from")),
                ("retire_at", models.DateTimeField(blank=True, null=True, verbose_name="public until")),
                ("retired_to", models.CharField(blank=True, max_length=300, verbose_name="redirect readers to")),
                (
                    "created",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "updated",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                        editable=False,
                        verbose_name="updated",
                    ),
                ),
                ("key", models.SlugField(blank=True, max_length=100, unique=True, verbose_name="key")),
                ("dates", models.CharField(max_length=30, verbose_name="date")),
                ("title", models.CharField(max_length=100, verbose_name="title")),
                ("text", models.TextField(blank=True, max_length=500, verbose_name="text")),
                ("label", models.CharField(blank=True, max_length=40, verbose_name="label")),
                ("place", models.CharField(blank=True, max_length=200, verbose_name="place")),
                ("people", models.JSONField(blank=True, default=list, verbose_name="people")),
                (
                    "article",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="articles.article",
                        verbose_name="page",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["dates", "id"],
                "permissions": [("publish_event", "Can publish and retire events")],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["publish_at"], name="event_publish_at"),
                    models.Index(fields=["retire_at"], name="event_retire_at"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("publish_at", None),
                            ("retire_at", None),
                            ("retire_at__gt", models.F("publish_at")),
                            _connector="OR",
                        ),
                        name="event_retires_after_publication",
                        violation_error_message="“Public until” must be later than “public from”.",
                    )
                ],
            },
        ),
        migrations.RunPython(give_rights, migrations.RunPython.noop),
    ]
