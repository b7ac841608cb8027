"""Import and export resource for references."""

from articles.models import Reference
from rlm_site.editor.importing import ContentResource


class ReferenceResource(ContentResource):
    natural_key = "key"

    class Meta(ContentResource.Meta):
        model = Reference
        fields = (
            "key", "kind", "authors", "title", "language", "container", "details", "publisher", "place", "year",
            "isbn", "doi", "url", "accessed", "note",
        )  # fmt: skip
