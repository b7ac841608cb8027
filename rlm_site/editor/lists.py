"""Lists of the admin: they take the filters that they show, and nothing else that an address may ask for."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, SEARCH_VAR, ChangeList, ChangeListSearchForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import smart_split
from django.utils.translation import gettext as _

from rlm_site.search.terms import MAX_WORDS

MAX_SEARCH = 200  # characters


def check_search(text: str) -> None:
    """Raise ValidationError where a search is too long to be one."""
    if len(text) > MAX_SEARCH or sum(1 for _word in smart_split(text)) > MAX_WORDS:
        told = _("Search for at most %(words)d words and %(characters)d characters.")
        raise ValidationError(told, params={"words": MAX_WORDS, "characters": MAX_SEARCH})


class BoundedSearchForm(ChangeListSearchForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[SEARCH_VAR].validators.append(check_search)


class OfferedChangeList(ChangeList):
    """A list that refuses what is none of its filters, before any query is made of it."""

    search_form_class = BoundedSearchForm

    def get_filters(self, request: HttpRequest) -> Any:
        is_repeated = any(len(values) > 1 for values in self.filter_params.values())
        is_long = len(self.params.get(ORDER_VAR, "")) > 2 * MAX_SEARCH
        if is_repeated or is_long:
            self._refuse(request)
        filters = super().get_filters(request)
        in_hierarchy = {f"{self.date_hierarchy}__{bound}" for bound in ("gte", "lt")} if self.date_hierarchy else set()
        if filters[2].keys() - in_hierarchy:  # what no filter has taken
            self._refuse(request)
        return filters

    def _refuse(self, request: HttpRequest) -> None:
        messages.warning(request, _("Part of the address is not valid. The list is shown without it."))
        raise IncorrectLookupParameters


class OfferedLookupsMixin(admin.ModelAdmin):
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Lead an address that is wrong again after it was refused to the list without anything."""
        if ERROR_FLAG in request.GET and len(request.GET) > 1:
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")
        return super().changelist_view(request, extra_context)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Leave to the list what it refuses: it knows its filters."""
        return True

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OfferedChangeList
