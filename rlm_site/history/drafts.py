"""A record as it would be with content that is not saved: a working copy, an old version, or a form."""

from copy import copy
from dataclasses import dataclass
from typing import Generic, TypeVar

from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.history.revisions import Content
from rlm_site.publishing.models import Publishable
from rlm_site.tags import manager

Row = TypeVar("Row", bound=Publishable)


@dataclass
class Draft(Generic[Row]):
    """A record with content laid over it.

    `row` is to be read, shown and validated; saving is `revisions.save_draft` and `revisions.publish`.
    """

    row: Row
    tags: list[str]
    working_copy: Revision | None = None  # the newest unpublished revision of the record, where it has one

    @classmethod
    def of(cls, row: Row) -> "Draft[Row]":
        """Return the record as its editors see it: with its working copy, if it has one. The row stays as it is."""
        revision = revisions.working_copy(row)
        if revision is None or not row.published:  # a record that was never public is its own draft
            return cls(copy(row), revisions.tag_names(row), revision)
        return cls.at(row, revision, revision)

    @classmethod
    def at(cls, row: Row, revision: Revision, working_copy: Revision | None = None) -> "Draft[Row]":
        """Return the record as a revision has it.

        Fields that the revision does not have keep their value, and so do those that name a record deleted since.
        """
        draft = cls(copy(row), manager.current_names(revision.content.get("tags", [])), working_copy)
        for name in row.versioned_fields:
            if name in revision.content:
                field = revisions.field_of(row, name)
                value = field.to_python(revision.content[name])
                if value == getattr(row, field.attname) or revisions.key_exists(field, value):
                    setattr(draft.row, field.attname, value)
        return draft

    @property
    def content(self) -> Content:
        """The versioned fields and the tags, as a revision holds them."""
        return revisions.content_with_tags(self.row, self.tags)
