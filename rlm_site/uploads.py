"""Files that are sent with a form."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.files.uploadhandler import MemoryFileUploadHandler


class EditorsUploadHandler(MemoryFileUploadHandler):
    """Takes files from people who work here only, and keeps them in memory.

    It is the first to see a file, whatever reads the form first.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        user = getattr(self.request, "user", None)
        if user is None or not user.is_staff:
            raise PermissionDenied
        super().new_file(*args, **kwargs)
