"""Publishers make and change the accounts of authors; the admin shows them no others."""

from django.contrib.auth.management import create_permissions
from django.db import migrations


def let_publishers(apps, schema_editor):
    config = apps.get_app_config("auth")
    config.models_module = True  # create_permissions passes over an app without models
    create_permissions(config, apps=apps, using=schema_editor.connection.alias, verbosity=0)
    config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="auth", codename__in=["view_user", "add_user", "change_user"]
    )
    for group in apps.get_model("auth", "Group").objects.filter(name="Publishers"):
        group.permissions.add(*permissions)


class Migration(migrations.Migration):
    dependencies = [
        ("rlm_site", "0010_versions_are_no_models"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(let_publishers, migrations.RunPython.noop)]
