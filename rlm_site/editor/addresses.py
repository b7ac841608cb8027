"""New addresses of records: what would be lost with them is said, and asked about, before it is.

A record may take an address that leads readers to another, and links by its former name may lead nowhere.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rlm_site.editor.backlinks import NO_LINKS, Backlinks
from rlm_site.editor.questions import QuestionField, ask_in
from rlm_site.publishing.models import Publishable
from rlm_site.redirects import redirects

MAX_NAMED = 20  # of the addresses that are taken at once
FIELD = "take_addresses"


def addresses_taken_by(rows: Iterable[Any]) -> dict[str, Any]:
    """Return the addresses of these rows that lead readers elsewhere now, each with the row that it leads to."""
    rows = list(rows)
    targets = redirects.find_targets((row.get_absolute_url() for row in rows), timezone.now())
    return {path: target for path, target in targets.items() if target not in rows}


class TakeAddressesField(QuestionField):
    """A box to tick before addresses are taken, or links are broken."""

    def __init__(self) -> None:
        super().__init__(
            gettext_lazy("Take over an address that leads elsewhere"),
            gettext_lazy("Tick the box to continue, or choose another address."),
        )

    def ask_about(self, taken: Mapping[str, Any], lost: Backlinks = NO_LINKS) -> None:
        """Ask about addresses that are taken, each with the row that it leads to, and links that would be lost."""
        lines = [
            _("%(path)s now leads readers to “%(title)s”.") % {"path": path, "title": target}
            for path, target in sorted(taken.items())
        ]
        if len(lines) > MAX_NAMED:
            lines[MAX_NAMED:] = [_("And %(count)d more.") % {"count": len(lines) - MAX_NAMED}]
        if taken:
            lines.append(
                _("Readers will find this page there instead. Once it is unpublished, the address leads there again.")
            )
        lines += [
            _("The link %(link)s on “%(title)s” will be broken.") % {"link": link.target, "title": link.title}
            for link in lost.listed[:MAX_NAMED]
        ]
        if more := lost.total - len(lost.listed[:MAX_NAMED]):
            links = ngettext(
                "Links on %(count)d more page will be broken.",
                "Links on %(count)d more pages will be broken.",
                more,
            )
            lines.append(links % {"count": more})
        agreed = [*sorted(taken), *sorted(f"{link.address} {link.target}" for link in lost.listed), str(lost.more)]
        self.ask(lines, agreed, "" if taken else _("Save this and break these links"))


def ask_about(form: forms.Form, taken: Mapping[str, Any]) -> None:
    """Let a form ask about these addresses, if there are any."""
    if taken:
        form.fields[FIELD] = field = TakeAddressesField()
        field.ask_about(taken)


class AddressFormMixin(forms.ModelForm):
    """The form of a record that readers find at an address made of its slug."""

    take_addresses = TakeAddressesField()
    questions = {"slug": FIELD}

    @staticmethod
    def rows_shown_with(row: Any) -> list[Any]:
        """Return the record and those that readers find at addresses below its own."""
        return [row]

    def links_lost(self) -> Backlinks:
        """Return the links that lead to the record as it is stored, and would not as it is typed."""
        return NO_LINKS

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        field: Any = self.fields.get(FIELD)
        if field is None or "slug" in self.errors:
            return
        taken = addresses_taken_by(self.rows_shown_with(self.instance)) if self._has_new_address() else {}
        lost = self.links_lost()
        if taken or lost.total:
            field.ask_about(taken, lost)
            ask_in(self, FIELD)

    def _has_new_address(self) -> bool:
        """Return whether saving makes readers find it elsewhere; of what is not published, publishing asks."""
        if isinstance(self.instance, Publishable) and not self.instance.published:
            return False
        return self.instance.pk is None or bool({"slug", "parent"} & {*self.changed_data})
