from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rlm_site", "0011_publishers_look_after_authors")]

    operations = [
        migrations.AddField(
            model_name="previewlink",
            name="whole_topic",
            field=models.BooleanField(default=False, db_default=False),
        ),
    ]
