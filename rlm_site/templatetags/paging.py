from collections.abc import Iterator

from django import template
from django.core.paginator import Paginator

register = template.Library()


@register.filter
def page_numbers(paginator: Paginator, number: int) -> Iterator[int | str]:
    """Return the first pages, those around the current one and the last, with gaps between."""
    return paginator.get_elided_page_range(number, on_each_side=2, on_ends=1)
