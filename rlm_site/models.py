"""The models of all packages, which Django looks for here; code imports each from its package."""

from rlm_site.editor.concurrency.models import Presence, SubmittedForm
from rlm_site.fields import FoldedField
from rlm_site.history.models import Deletion, Import, PreviewLink, Revision
from rlm_site.indexing.models import SetAside, Stale
from rlm_site.publishing.models import Publishable
from rlm_site.redirects.models import Address
from rlm_site.search.models import SearchDocument, SearchWord
from rlm_site.tags.models import Tag, TagChange, TaggedBase

__all__ = [
    "Address",
    "Deletion",
    "FoldedField",  # migrations name it
    "Import",
    "Presence",
    "PreviewLink",
    "Publishable",
    "Revision",
    "SearchDocument",
    "SearchWord",
    "SetAside",
    "Stale",
    "SubmittedForm",
    "Tag",
    "TagChange",
    "TaggedBase",
]
