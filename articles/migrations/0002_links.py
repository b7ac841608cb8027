import django.db.models.deletion
from django.db import migrations, models


def enqueue(apps, schema_editor):
    """Have the links of all pages indexed."""
    database = schema_editor.connection.alias
    stale = apps.get_model("rlm_site", "Stale").objects.using(database)
    row = stale.model
    for kind, app, model in (("article", "articles", "Article"), ("quote", "quotes", "Quote")):
        rows = apps.get_model(app, model).objects.using(database)
        if kind == "quote":
            rows = rows.exclude(retired_to="")
        stale.bulk_create(
            (row(kind=kind, object_id=pk) for pk in rows.values_list("pk", flat=True).iterator()), batch_size=1000
        )


class Migration(migrations.Migration):
    dependencies = [
        ("articles", "0001_initial"),
        ("quotes", "0001_initial"),
        ("rlm_site", "0007_several_owners_of_an_address"),
    ]

    operations = [
        migrations.CreateModel(
            name="Link",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source_kind", models.CharField(max_length=20)),
                ("source_id", models.BigIntegerField()),
                ("is_draft", models.BooleanField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("name", "link by name"),
                            ("address", "link by address"),
                            ("citation", "citation"),
                            ("successor", "takes its place"),
                        ],
                        max_length=10,
                    ),
                ),
                ("target", models.TextField()),
                ("lookup", models.CharField(max_length=300)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["source_kind", "source_id"], name="link_source"),
                    models.Index(fields=["kind", "lookup"], name="link_lookup"),
                ],
            },
        ),
        migrations.CreateModel(
            name="HeadingId",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("position", models.PositiveIntegerField(null=True)),
                ("leads_to", models.CharField(max_length=120)),
                (
                    "article",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="heading_ids",
                        to="articles.article",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("article", "name"), name="heading_id_is_unique")],
            },
        ),
        migrations.RunPython(enqueue, migrations.RunPython.noop, elidable=True),
    ]
