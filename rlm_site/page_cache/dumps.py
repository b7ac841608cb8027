"""JSON of `dumpdata`, where older dumps have rows of versions, which were models then: these are passed over."""

from collections.abc import Iterator
from typing import Any

from django.core.serializers import json

FORMER_MODELS = {"rlm_site.contentversion", "rlm_site.partversion"}

Serializer = json.Serializer


class Deserializer(json.Deserializer):
    """Django's, for all that is still a model."""

    def _handle_object(self, obj: dict[str, Any]) -> Iterator[Any]:
        if str(obj.get("model")).lower() not in FORMER_MODELS:
            yield from super()._handle_object(obj)  # type: ignore[misc]
