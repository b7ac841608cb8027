"""Entries: kinds, summaries, other names and facts of topics. All are indexed again, and so are the paths of people."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

LISTS = ("places", "documents", "glossary", "index", "chronology", "map")
IN_TOPICS = ("all", "versions")


def give_rights(apps, schema_editor):
    """Let everybody see the groups of the front page, and publishers keep them: what they change is public at once."""
    config = apps.get_app_config("articles")
    config.models_module = True  # create_permissions passes over an app without models
    create_permissions(config, apps=apps, using=schema_editor.connection.alias, verbosity=0)
    config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="articles")
    rights = {"Authors": ["view"], "Editors": ["view"], "Publishers": ["view", "add", "change", "delete"]}
    for name, acts in rights.items():
        for group in apps.get_model("auth", "Group").objects.filter(name=name):
            group.permissions.add(*permissions.filter(codename__in=[f"{act}_group" for act in acts]))


def free_addresses(apps, schema_editor):
    """Give pages another slug whose address the site needs from now on."""
    articles = apps.get_model("articles", "Article").objects
    for slugs, is_section, ending in ((LISTS, False, "topic"), (IN_TOPICS, True, "section")):
        for article in articles.filter(slug__in=slugs, parent__isnull=not is_section):
            others = articles.filter(parent=article.parent_id)
            names = (f"{article.slug}-{ending}{number}" for number in ("", *(f"-{each}" for each in range(2, 1000))))
            slug = next(name for name in names if not others.filter(slug=name).exists())
            articles.filter(pk=article.pk).update(slug=slug)


def enqueue(apps, schema_editor):
    stale = schema_editor.quote_name(apps.get_model("rlm_site", "Stale")._meta.db_table)
    for kind, app_label, model in (("article", "articles", "Article"), ("person", "quotes", "Person")):
        table = schema_editor.quote_name(apps.get_model(app_label, model)._meta.db_table)
        schema_editor.execute(f"INSERT INTO {stale} (kind, object_id) SELECT '{kind}', id FROM {table}")


class Migration(migrations.Migration):
    dependencies = [
        ("articles", "0004_rank_anew"),
        ("quotes", "0002_collections"),
        ("rlm_site", "0008_tag_advises_silence"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Group",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=100, verbose_name="title")),
                ("slug", models.SlugField(blank=True, max_length=60, unique=True, verbose_name="slug")),
                (
                    "layout",
                    models.CharField(
                        choices=[
                            ("start", "introduction: its first page opens the site"),
                            ("list", "titles with summaries"),
                            ("names", "names with dates"),
                        ],
                        default="list",
                        max_length=5,
                        verbose_name="layout",
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=0, help_text="Order on the front page.", verbose_name="position"
                    ),
                ),
            ],
            options={
                "ordering": ["position", "id"],
            },
        ),
        migrations.CreateModel(
            name="Related",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("named", models.PositiveIntegerField(default=0)),
                ("naming", models.PositiveIntegerField(default=0)),
                ("tags", models.JSONField(default=list)),
                ("position", models.PositiveIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="article",
            name="aliases",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Other spellings, original names and initials: readers who search for them find this page.",
                verbose_name="other names",
            ),
        ),
        migrations.AddField(
            model_name="article",
            name="byline",
            field=models.CharField(
                blank=True, help_text="Who wrote it, where that is known.", max_length=200, verbose_name="byline"
            ),
        ),
        migrations.AddField(
            model_name="article",
            name="facts",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="A fact may be repeated where sources differ. [[Title]] and [@key, p. 42] work here, too.",
                verbose_name="facts",
            ),
        ),
        migrations.AddField(
            model_name="article",
            name="kind",
            field=models.CharField(
                choices=[
                    ("subject", "subject"),
                    ("person", "person"),
                    ("place", "place"),
                    ("formation", "formation"),
                    ("document", "document"),
                    ("term", "term"),
                ],
                default="subject",
                help_text="What a topic is about. A section has the kind of its topic.",
                max_length=9,
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="article",
            name="person",
            field=models.ForeignKey(
                blank=True,
                help_text="The author of quotations that this page is about.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="entries",
                to="quotes.person",
                verbose_name="quoted as",
            ),
        ),
        migrations.AddField(
            model_name="article",
            name="sort_title",
            field=models.CharField(
                blank=True,
                help_text="Such as “Arden, Ann”. Leave empty to sort by the title.",
                max_length=200,
                verbose_name="sort title",
            ),
        ),
        migrations.AddField(
            model_name="article",
            name="summary",
            field=models.CharField(
                blank=True,
                help_text="One sentence for lists and search results. Of a term, its definition.",
                max_length=160,
                verbose_name="summary",
            ),
        ),
        migrations.CreateModel(
            name="Alias",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=500)),
                ("slug", models.CharField(db_index=True, max_length=100)),
                ("language", models.CharField(max_length=500)),
                ("position", models.PositiveIntegerField()),
                (
                    "article",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="alias_rows",
                        to="articles.article",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="article",
            name="group",
            field=models.ForeignKey(
                blank=True,
                help_text="Where the front page lists a topic. Leave empty to leave it out.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="articles",
                to="articles.group",
                verbose_name="group of the front page",
            ),
        ),
        migrations.AddIndex(
            model_name="article",
            index=models.Index(fields=["kind"], name="article_kind"),
        ),
        migrations.AddField(
            model_name="related",
            name="article",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="related_rows",
                to="articles.article",
            ),
        ),
        migrations.AddField(
            model_name="related",
            name="other",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="articles.article",
            ),
        ),
        migrations.AddConstraint(
            model_name="alias",
            constraint=models.UniqueConstraint(fields=("article", "position"), name="alias_position_is_unique"),
        ),
        migrations.AddConstraint(
            model_name="related",
            constraint=models.UniqueConstraint(fields=("article", "other"), name="related_topic_is_unique"),
        ),
        migrations.RunPython(give_rights, migrations.RunPython.noop),
        migrations.RunPython(free_addresses, migrations.RunPython.noop),
        migrations.RunPython(enqueue, migrations.RunPython.noop),
    ]
