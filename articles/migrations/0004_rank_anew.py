"""Index all quotations and headings again, since the ranks of words mean something else."""

from django.db import migrations


def enqueue(apps, schema_editor):
    stale = schema_editor.quote_name(apps.get_model("rlm_site", "Stale")._meta.db_table)
    for kind, app_label, model in (("quote", "quotes", "Quote"), ("article", "articles", "Article")):
        table = schema_editor.quote_name(apps.get_model(app_label, model)._meta.db_table)
        schema_editor.execute(f"INSERT INTO {stale} (kind, object_id) SELECT '{kind}', id FROM {table}")


class Migration(migrations.Migration):
    dependencies = [
        ("articles", "0003_follow_the_topic"),
        ("quotes", "0002_collections"),
        ("rlm_site", "0008_tag_advises_silence"),
    ]

    operations = [migrations.RunPython(enqueue, migrations.RunPython.noop)]
