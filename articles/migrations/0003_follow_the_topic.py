from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("articles", "0002_links"),
    ]

    operations = [
        migrations.AlterField(
            model_name="article",
            name="quotations",
            field=models.CharField(
                choices=[
                    ("topic", "as its topic"),
                    ("automatic", "picked by the site"),
                    ("chosen", "only those chosen by editors"),
                    ("none", "none"),
                ],
                default="topic",
                help_text="“As its topic” follows the topic’s setting. For a topic, it means “picked by the site”.",
                max_length=9,
                verbose_name="quotations",
            ),
        ),
    ]
