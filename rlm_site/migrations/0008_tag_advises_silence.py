from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rlm_site", "0007_several_owners_of_an_address"),
    ]

    operations = [
        migrations.AddField(
            model_name="tag",
            name="advises_silence",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Editors are warned if the site picks quotations for a page with this tag.",
                verbose_name="advises silence",
            ),
        ),
    ]
