"""Dashboard tasks about the collection of quotations."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from quotes.models import Person, Quote
from rlm_site.editor.dashboard import Task, TaskCount


def tasks(request: HttpRequest) -> Iterator[Task]:
    has_perm = request.user.has_perm
    if has_perm("quotes.change_quote"):
        yield Task(
            _("Unparsed attributions"),
            [TaskCount(Quote.objects.exclude(attribution_as_imported="").count(), Quote, {"attribution": "unparsed"})],
            _("All attributions are structured."),
        )
    if has_perm("quotes.change_person"):
        unchecked = Person.objects.printed_as_living(timezone.localdate()).count()
        yield Task(
            _("Living people to recheck"),
            [TaskCount(unchecked, Person, {"living": "unchecked"})],
            _("All living people were checked within the last year."),
        )
