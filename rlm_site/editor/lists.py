"""Lists of the admin: they take the filters that they show, and nothing else that an address may ask for.

What is found by a search is listed by relevance, in lists, in suggestions and in the search of all kinds alike.
"""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, SEARCH_VAR, ChangeList, ChangeListSearchForm
from django.core.exceptions import ValidationError
from django.db.models import Case, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst, smart_split, unescape_string_literal
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rlm_site.editor.content import case_variants
from rlm_site.fields import FoldedField
from rlm_site.publishing.models import Publishable
from rlm_site.search.terms import MAX_WORDS
from rlm_site.text.folding import fold_name

MAX_SEARCH = 200  # characters


def check_search(text: str) -> None:
    """Raise ValidationError where a search is too long to be one."""
    if len(text) > MAX_SEARCH or sum(1 for _word in smart_split(text)) > MAX_WORDS:
        told = _("Search for at most %(words)d words and %(characters)d characters.")
        raise ValidationError(told, params={"words": MAX_WORDS, "characters": MAX_SEARCH})


def search_words(text: str) -> list[str]:
    """Return the words that a list is searched for; what stands in quotation marks is one.

    >>> search_words('rain "before noon"')
    ['rain', 'before noon']
    """
    words = list(smart_split(text))
    return [unescape_string_literal(word) if word[0] in "\"'" and word[0] == word[-1] else word for word in words]


def relevance(text: str, names: Sequence[str]) -> Case:
    """Return how well one of these fields answers a search: 0 is the best.

    First what is called so exactly, then what begins so, then what has all the words in its name, then the rest.
    """
    words = search_words(text)
    whole = " ".join(" ".join(words).split())

    def of_any(lookup: str, words: str) -> Q:
        conditions = (Q((f"{name}__{lookup}", spelling)) for name in names for spelling in case_variants(words))
        return Q(*conditions, _connector=Q.OR)

    named = Q(*(of_any("icontains", word) for word in words))
    return Case(
        When(of_any("iexact", whole), then=Value(0)),
        When(of_any("istartswith", whole), then=Value(1)),
        When(named, then=Value(2)),
        default=Value(3),
    )


@admin.display(description=gettext_lazy("on site"))
def public_page(obj: Publishable) -> SafeString | str:
    """Link what readers find, for `list_display` of records that say themselves whether they are public."""
    row: Any = obj
    if not row.is_public(timezone.now()):
        return ""
    return format_html(
        '<a href="{}">{}<span class="visually-hidden">: {}</span></a>', row.get_absolute_url(), _("View"), row
    )


class BoundedSearchForm(ChangeListSearchForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[SEARCH_VAR].validators.append(check_search)


class OfferedChangeList(ChangeList):
    """A list that refuses what is none of its filters, before any query is made of it."""

    search_form_class = BoundedSearchForm

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_popup:
            self.title = capfirst(str(self.opts.verbose_name_plural))

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Put what answers a search best first, unless somebody has chosen a column."""
        ordering: list[Any] = super().get_ordering(request, queryset)
        searched = self.query.strip() and not self.params.get(ORDER_VAR)
        model_admin: Any = self.model_admin
        return [model_admin.relevance(self.query), *ordering] if searched else ordering

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what is asked of the filters; a select that is sent without a choice asks for nothing."""
        asked: dict[str, Any] = super().get_filters_params(params)
        return {name: values for name, values in asked.items() if values != [""]}

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


class RelevantSuggestions(AutocompleteJsonView):
    """Suggestions for the field of a form, the most relevant first."""

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset()
        model_admin: Any = self.model_admin
        found: QuerySet[Any] = model_admin.order_by_relevance(rows, self.term)
        return found


class OfferedLookupsMixin(admin.ModelAdmin):
    """What every list can do; an admin may name in `search_names` the fields that say what a record is called."""

    def relevance(self, text: str) -> Case:
        """Return how well a record answers a search, 0 for best; it is called by the first field that is searched."""
        names = getattr(self, "search_names", [name.lstrip("^=@") for name in self.search_fields[:1]])
        is_folded = isinstance(self.opts.get_field(names[0]), FoldedField)
        return relevance(fold_name(text) if is_folded else text, names)

    def order_by_relevance(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        usual: Any = rows.query.order_by or self.opts.ordering
        return rows.order_by(self.relevance(text), *usual, "pk") if text.strip() and self.search_fields else rows

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
