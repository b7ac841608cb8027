"""Authors, editors and publishers. Permissions are made after migrations as a rule; these groups need them now."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

APPS = ("rlm_site", "articles", "quotes")
SEEN = ("article", "reference", "quotechoice", "quote", "person", "work", "check", "indexterm", "tag", "revision")
WRITTEN = ("article", "reference", "quotechoice", "quote", "person", "work", "check", "indexterm", "tag")

AUTHORS = {*(f"view_{name}" for name in SEEN), "add_article", "add_quote"}
EDITORS = {
    *AUTHORS,
    *(f"{act}_{name}" for act in ("add", "change") for name in WRITTEN),
    *(f"import_{name}" for name in ("tag", "reference", "quote", "person")),
    "merge_tag",
}
PUBLISHERS = {*EDITORS, *(f"delete_{name}" for name in WRITTEN), "publish_article", "publish_quote"}


def make_groups(apps, schema_editor):
    for label in APPS:
        config = apps.get_app_config(label)
        config.models_module = True  # create_permissions passes over an app without models
        create_permissions(config, apps=apps, using=schema_editor.connection.alias, verbosity=0)
        config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label__in=APPS)
    for name, codenames in {"Authors": AUTHORS, "Editors": EDITORS, "Publishers": PUBLISHERS}.items():
        group, _made = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        group.permissions.add(*permissions.filter(codename__in=codenames))


class Migration(migrations.Migration):
    dependencies = [
        ("rlm_site", "0002_search_index"),
        ("articles", "0001_initial"),
        ("quotes", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
