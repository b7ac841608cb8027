"""Import and export resource for references."""

from typing import Any

from articles.models import Reference
from rlm_site.editor.importing import ContentResource


class ReferenceResource(ContentResource):
    natural_key = "key"

    class Meta(ContentResource.Meta):
        model = Reference
        fields = (
            "key", "kind", "authors", "title", "language", "container", "details", "publisher", "place", "year",
            "isbn", "doi", "url", "accessed", "consulted", "note",
        )  # fmt: skip

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.keys: dict[str, str] = {}  # those of earlier rows, by their small letters

    def problems(self, instance: Reference) -> dict[str, str]:
        earlier = self.keys.setdefault(instance.key.lower(), instance.key)
        return {} if earlier == instance.key else {"key": Reference.similar(earlier)}
