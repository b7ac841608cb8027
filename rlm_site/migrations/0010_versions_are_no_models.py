"""The tables of content versions stay as they are, for triggers alone; no dump has their rows any more."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("rlm_site", "0009_sounds_of_words")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel("ContentVersion"),
                migrations.DeleteModel("PartVersion"),
            ]
        )
    ]
