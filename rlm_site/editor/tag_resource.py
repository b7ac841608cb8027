"""Tags as rows of files."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rlm_site.editor.importing import ContentResource
from rlm_site.tags import changes, manager, parsing
from rlm_site.tags.models import Tag
from rlm_site.text.folding import fold_name
from rlm_site.text.slugs import slug_for


class TagResource(ContentResource):
    """A tag is known by its name, whatever the case and accents. A row may change these, but not the words."""

    natural_key = "name"

    class Meta(ContentResource.Meta):
        model = Tag
        fields = ("name", "slug", "description", "brings_quotations", "advises_silence")

    def identity(self, row: Mapping[str, Any]) -> str:
        return fold_name(super().identity(row))

    def find(self, stored: QuerySet[Any], identities: set[str]) -> dict[str, Any]:
        self.now_called = {folded: tag.name for folded, tag in manager.find_tags(identities).items()}
        return {tag.folded: tag for tag in stored.filter(folded__in=identities)}

    def complete(self, instance: Any) -> None:
        if not instance.slug:
            instance.slug = slug_for(instance.name, lambda slug: Tag.objects.filter(slug=slug).exists())

    def problems(self, instance: Any) -> dict[str, str]:
        problems = {}
        if instance.name:
            try:
                instance.name = parsing.clean_tag_name(instance.name)
            except ValidationError as error:
                problems["name"] = " ".join(error.messages)
        if instance._state.adding and (called := self.now_called.get(fold_name(instance.name))):
            problems["name"] = _("This tag is now called “%(name)s”.") % {"name": called}
        stored = self.stored.get(fold_name(instance.name))
        if stored is not None and not self.user.has_perm("rlm_site.merge_tag"):
            for name in ("name", "slug"):
                if getattr(instance, name) != getattr(stored, name):
                    problems[name] = _("You do not have permission to rename tags.")
        return problems

    def write(self, instance: Any, is_new: bool) -> None:
        if is_new:
            super().write(instance, is_new)
        else:
            changes.rename_tag(instance, self.user)
