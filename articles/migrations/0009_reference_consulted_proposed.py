from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("articles", "0008_versions")]

    operations = [
        migrations.AddField(
            model_name="reference",
            name="consulted",
            field=models.CharField(
                "consulted",
                max_length=12,
                blank=True,
                choices=[
                    ("whole", "in full"),
                    ("part", "the cited part"),
                    ("extract", "in extract"),
                    ("indirectly", "as cited by others"),
                ],
            ),
        ),
        migrations.AddField(
            model_name="reference",
            name="proposed",
            field=models.BooleanField("proposed", default=False),
        ),
    ]
