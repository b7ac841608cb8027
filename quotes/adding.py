"""People and works that are missing while a quotation is entered, with a look at who is there already."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from quotes.models import Person, Work
from rlm_site.editor.adding import AddRecord, Offer, best
from rlm_site.text.edit_distance import edit_distance, most_edits
from rlm_site.text.folding import fold_name

_LEAST_TITLE = 6  # letters that tell a work


class AddPerson(AddRecord):
    adds = Person
    name = "people"
    fields = ("name", "kind", "sort_name", "description", "born", "died")
    identified_by = "name"
    title = gettext_lazy("Add a person")
    remark = gettext_lazy("Readers find the person as soon as a quotation is published.")

    def offer(self, row: Person) -> Offer:
        return Offer(row.pk, row.name, ", ".join(filter(None, (row.dates, row.description))))

    def find_near(self, typed: Mapping[str, str]) -> list[Offer]:
        """Return people one of whose names is much like the one that is typed. One query."""
        name = fold_name(typed.get("name", ""))
        if len(name) < 3:
            return []
        found = []
        for row in Person.objects.all():
            ranks = [_distance(name, fold_name(other)) for other in (row.name, row.sort_name, *row.aliases) if other]
            if (rank := min(ranks)) < _FAR:
                found.append((rank, self.offer(row)))
        return best(found)


_FAR = 9


def _distance(name: str, other: str) -> int:
    """Return how unlike two folded names are: whatever the order of their words, and with initials for names."""
    words, others = (sorted(text.replace(",", " ").replace(".", " ").split()) for text in (name, other))
    if words == others:
        return 0
    if len(words) > 1 and len(others) > 1 and (_are_among(words, others) or _are_among(others, words)):
        return 1
    if (edits := edit_distance(name, other, 2)) <= min(2, most_edits(name)):
        return 1 + edits
    return 4 if len(words) == 1 and words[0] in others and len(words[0]) > 3 else _FAR


def _are_among(words: list[str], others: list[str]) -> bool:
    """Return whether each word is one of the others or its initial; one at least is whole."""
    rest = [*others]
    for word in sorted(words, key=len, reverse=True):
        same = next((other for other in rest if other == word), None)
        same = same or next((other for other in rest if 1 in {len(word), len(other)} and other[0] == word[0]), None)
        if same is None:
            return False
        rest.remove(same)
    return any(word in others and len(word) > 2 for word in words)


class AddWork(AddRecord):
    adds = Work
    name = "works"
    fields = ("title", "authors", "year", "kind", "url")
    identified_by = "title"
    title = gettext_lazy("Add a work")

    def offer(self, row: Any) -> Offer:
        return Offer(row.pk, str(row), str(row.get_kind_display()))

    def find_near(self, typed: Mapping[str, str]) -> list[Offer]:
        """Return works whose title is the one that is typed, or begins so, or nearly so. One query."""
        title = fold_name(typed.get("title", ""))
        if not title:
            return []
        found = []
        for row in Work.objects.all():
            other = fold_name(row.title)
            is_long = min(len(title), len(other)) >= _LEAST_TITLE
            if title == other:
                found.append((0, self.offer(row)))
            elif is_long and (other.startswith(title) or title.startswith(other)):
                found.append((1, self.offer(row)))
            elif is_long and edit_distance(title, other, 2) <= min(2, most_edits(title)):
                found.append((2, self.offer(row)))
        return best(found)
