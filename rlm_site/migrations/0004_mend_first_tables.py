"""Give a database that an earlier form of the first migrations made the tables of a new one.

Until release 1.0.0 the first migrations were changed in place, so a database may have recorded them and lack what came
later. Whatever is missing is added, no row that anybody wrote is lost, and where anything was missing everything is
indexed anew. A database of the last form is left as it is. Later changes are migrations of their own.
"""

from importlib import import_module

from django.db import migrations, models
from django.db.migrations.state import ProjectState
from django.db.models import Count, Min

LABELS = ("rlm_site", "articles", "quotes")
SEARCH_INDEX = import_module("rlm_site.migrations.0002_search_index")


def mend(apps, schema_editor):
    tables = Tables(apps, schema_editor)
    for label in LABELS:
        for model in apps.get_app_config(label).get_models():
            tables.mend(model)
    if tables.have_earlier_search_index():
        SEARCH_INDEX.drop(apps, schema_editor)
        SEARCH_INDEX.create(apps, schema_editor)
        tables.mended = True
    if tables.mended:
        index_everything(apps)


def index_everything(apps):
    """Forget what was derived for search, and queue all that is indexed."""
    for name in ("SearchDocument", "SearchWord"):
        apps.get_model("rlm_site", name).objects.all().delete()
    queue = apps.get_model("rlm_site", "Stale").objects
    for kind, label in (("article", "articles"), ("quote", "quotes")):
        ids = apps.get_model(label, kind).objects.values_list("id", flat=True)
        queue.bulk_create([queue.model(kind=kind, object_id=pk) for pk in ids], batch_size=1000)


class Tables:
    """The tables as they are, and the operations that bring them to what the models say."""

    def __init__(self, apps, schema_editor):
        self.editor = schema_editor
        self.state = ProjectState.from_apps(apps)  # first all that is missing is taken out of it, then added
        self.mended = False
        with self.editor.connection.cursor() as cursor:
            self.names = self.editor.connection.introspection.table_names(cursor)

    def mend(self, model):
        label, name, table = model._meta.app_label, model._meta.model_name, model._meta.db_table
        fields = {field.column: field for field in model._meta.local_concrete_fields}
        columns = self.columns(table) if table in self.names else {}
        if not columns or columns.keys() - fields.keys():  # only tables of derived rows ever lost a column
            if columns:
                self.editor.delete_model(model)
            self.editor.create_model(model)
            self.mended = True
            return
        operations = []
        for column, field in fields.items():
            if column not in columns:
                operations.append(migrations.AddField(name, field.name, field.clone()))
                self.state.remove_field(label, name, field.name)
            elif isinstance(field, models.CharField) and self.width(columns[column]) not in {None, field.max_length}:
                operations.append(migrations.AlterField(name, field.name, field.clone()))
                narrow = field.clone()
                narrow.max_length = self.width(columns[column])
                self.state.alter_field(label, name, field.name, narrow, preserve_default=True)
        known = self.constraints(table)
        for index in model._meta.indexes:
            expected = [model._meta.get_field(field).column for field, _order in index.fields_orders]
            if index.name not in known:
                self.state.remove_index(label, name, index.name)
                operations.append(migrations.AddIndex(name, index))
            elif known[index.name]["columns"] != expected:
                operations += [migrations.RemoveIndex(name, index.name), migrations.AddIndex(name, index)]
        for constraint in model._meta.constraints:
            if constraint.name not in known:
                self.state.remove_constraint(label, name, constraint.name)
                leave_one_of_each(model, constraint)
                operations.append(migrations.AddConstraint(name, constraint))
        for operation in operations:
            self.run(label, operation)

    def run(self, label, operation):
        before = self.state
        self.state = before.clone()
        operation.state_forwards(label, self.state)
        operation.database_forwards(label, self.editor, before, self.state)
        self.mended = True

    def columns(self, table):
        with self.editor.connection.cursor() as cursor:
            description = self.editor.connection.introspection.get_table_description(cursor, table)
        return {column.name: column for column in description}

    def width(self, column):
        """Return the most characters of a column; PostgreSQL gives -1 where there is no bound."""
        size = column.display_size or column.internal_size
        return size if size and size > 0 else None

    def constraints(self, table):
        with self.editor.connection.cursor() as cursor:
            return self.editor.connection.introspection.get_constraints(cursor, table)

    def have_earlier_search_index(self):
        if self.editor.connection.vendor == "postgresql":
            return "titles" not in self.columns("search_index")
        with self.editor.connection.cursor() as cursor:
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'search_index'")
            return cursor.fetchone()[0] != SEARCH_INDEX.CREATE["sqlite"][0]


def leave_one_of_each(model, constraint):
    """Delete rows that repeat another one in all that the constraint names."""
    repeated = model.objects.values(*constraint.fields).annotate(first=Min("pk"), rows=Count("pk")).filter(rows__gt=1)
    for found in repeated:
        same = {name: found[name] for name in constraint.fields}
        model.objects.filter(**same).exclude(pk=found["first"]).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("rlm_site", "0003_groups"),
        ("articles", "0001_initial"),
        ("quotes", "0001_initial"),
    ]
    operations = [migrations.RunPython(mend, migrations.RunPython.noop)]
