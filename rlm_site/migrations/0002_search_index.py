from django.db import migrations

# The full-text table beside SearchDocument. It is fed with folded words and their forms (see rlm_site/search.py), so
# neither database stems or folds by itself and both find the same.
CREATE = {
    "sqlite": [
        "CREATE VIRTUAL TABLE search_index USING fts5"
        "(title, about, body, tokenize = 'unicode61 remove_diacritics 0 tokenchars _', prefix = '3 4')"
    ],
    "postgresql": [
        "CREATE TABLE search_index (rowid bigint PRIMARY KEY, titles tsvector NOT NULL, terms tsvector NOT NULL)",
        "CREATE INDEX search_index_titles ON search_index USING gin (titles)",
        "CREATE INDEX search_index_terms ON search_index USING gin (terms)",
    ],
}


def create(apps, schema_editor):
    for statement in CREATE[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    schema_editor.execute("DROP TABLE search_index")


class Migration(migrations.Migration):
    dependencies = [("rlm_site", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
