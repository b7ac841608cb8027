"""A form for a new record makes one record, however often it is sent.

Each opening of the form has an id. Whoever sends it again with the same text is led to the record that it has made, and
with another text is asked.
"""

import json
import secrets
from datetime import timedelta
from hashlib import blake2b
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from rlm_site.editor.concurrency.models import SubmittedForm

FORM_ID = "form_id"  # the field
REMEMBERED = timedelta(days=7)
_LONGEST_ID = 40  # characters


def new_form_id() -> str:
    return secrets.token_hex(10)


def form_id(request: HttpRequest) -> str:
    """Return the id of the form that was sent; empty where it was not opened here."""
    return request.POST.get(FORM_ID, "")[:_LONGEST_ID]


def find(request: HttpRequest, model: type[Model]) -> SubmittedForm | None:
    """Return what the form has made already."""
    return SubmittedForm.objects.filter(**_key(request, model)).first() if form_id(request) else None


def claim(request: HttpRequest, model: type[Model]) -> tuple[SubmittedForm, bool]:
    """Claim the form for a record that is about to be made; return it, and whether nobody had.

    Waits for another request that has not finished yet. To be called in the transaction that makes the record.
    """
    SubmittedForm.objects.filter(created__lt=timezone.now() - REMEMBERED).delete()
    return SubmittedForm.objects.get_or_create(**_key(request, model), defaults={"digest": digest(request)})


def digest(request: HttpRequest) -> str:
    """Return a digest of what was typed, whichever button was pressed."""
    sent = sorted((name, values) for name, values in request.POST.lists() if not name.startswith(("_", "csrf")))
    return blake2b(json.dumps(sent).encode(), digest_size=32).hexdigest()


def _key(request: HttpRequest, model: type[Model]) -> dict[str, Any]:
    return {
        "form_id": form_id(request),
        "user": request.user,
        "content_type": ContentType.objects.get_for_model(model),
    }
