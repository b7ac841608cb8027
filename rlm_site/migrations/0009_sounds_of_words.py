"""Words of the search with the keys of names in other spellings. All that is searched is indexed again."""

from django.db import migrations, models


def index_everything(apps, schema_editor):
    apps.get_model("rlm_site", "SearchWord").objects.all().delete()
    stale = schema_editor.quote_name(apps.get_model("rlm_site", "Stale")._meta.db_table)
    for kind, app_label in (("article", "articles"), ("quote", "quotes")):
        table = schema_editor.quote_name(apps.get_model(app_label, kind)._meta.db_table)
        schema_editor.execute(f"INSERT INTO {stale} (kind, object_id) SELECT '{kind}', id FROM {table}")


class Migration(migrations.Migration):
    dependencies = [
        ("articles", "0004_rank_anew"),
        ("quotes", "0002_collections"),
        ("rlm_site", "0008_tag_advises_silence"),
    ]
    operations = [
        migrations.AddField(
            model_name="searchword",
            name="sound",
            field=models.CharField(db_index=True, default="", max_length=64),
            preserve_default=False,
        ),
        migrations.RunPython(index_everything, migrations.RunPython.noop),
    ]
