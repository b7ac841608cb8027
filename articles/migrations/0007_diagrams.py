"""Diagrams of articles, which nobody has drawn yet."""

from django.db import migrations

import rlm_site.fields


class Migration(migrations.Migration):
    dependencies = [("articles", "0006_events")]

    operations = [
        migrations.AddField(
            model_name="article",
            name="diagram",
            field=rlm_site.fields.ObjectField(blank=True, default=dict, verbose_name="diagram"),
        ),
    ]
