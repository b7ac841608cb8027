"""Versions of pages for readers. Those of before are recorded when a page is indexed or shown for the first time."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("articles", "0007_diagrams")]

    operations = [
        migrations.AlterField(
            model_name="link",
            name="kind",
            field=models.CharField(
                choices=[
                    ("name", "link by name"),
                    ("address", "link by address"),
                    ("citation", "citation"),
                    ("successor", "takes its place"),
                    ("mention", "name in an event"),
                ],
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="Version",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("revision", models.PositiveIntegerField(default=0)),
                ("since", models.DateTimeField()),
                ("kind", models.CharField(max_length=10)),
                ("note", models.CharField(blank=True, max_length=300)),
                ("content", models.JSONField(default=dict)),
                ("digest", models.CharField(max_length=64)),
                ("topic_title", models.CharField(blank=True, max_length=200)),
                ("html", models.TextField(blank=True)),
                ("kept_at", models.DateTimeField(null=True)),
                ("late", models.BooleanField(default=False)),
                (
                    "article",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="versions",
                        to="articles.article",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("article", "number"), name="version_number_is_unique")],
            },
        ),
    ]
