"""New addresses of records: what would be lost with them is said, and asked about, before it is.

A record may take an address that leads readers to another, and links by its former name may lead nowhere.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rlm_site.editor.backlinks import NO_LINKS, Backlinks
from rlm_site.publishing.models import Publishable
from rlm_site.redirects import redirects

MAX_NAMED = 20  # of the addresses that are taken at once
FIELD = "take_addresses"


def addresses_taken_by(rows: Iterable[Any]) -> dict[str, Any]:
    """Return the addresses of these rows that lead readers elsewhere now, each with the row that it leads to."""
    rows = list(rows)
    targets = redirects.find_targets((row.get_absolute_url() for row in rows), timezone.now())
    return {path: target for path, target in targets.items() if target not in rows}


class _Tick(forms.CheckboxInput):
    """A box whose value is what is agreed to."""

    def __init__(self, value: str) -> None:
        super().__init__(check_test=lambda sent: sent == value)
        self.value = value

    def format_value(self, value: Any) -> str:
        return self.value

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return data.get(name, "")


class TakeAddressesField(forms.CharField):
    """A box to tick before addresses are taken. It is hidden until `ask` says which, and agrees to no others."""

    widget: Any = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(label=gettext_lazy("Take over an address that leads elsewhere"), required=False)

    def ask(self, taken: Mapping[str, Any], lost: Backlinks = NO_LINKS) -> None:
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
        else:
            self.label = _("Save this and break these links")
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
        self.help_text = format_html_join(" ", "{}", ((line,) for line in lines))
        agreed = [*sorted(taken), *sorted(f"{link.address} {link.target}" for link in lost.listed), str(lost.more)]
        self.widget = _Tick(hashlib.sha256("\n".join(agreed).encode()).hexdigest()[:32])

    def validate(self, value: str) -> None:
        super().validate(value)
        if isinstance(self.widget, _Tick) and value != self.widget.value:
            raise ValidationError(_("Tick the box to continue, or choose another address."), code="taken")


def ask_about(form: forms.Form, taken: Mapping[str, Any]) -> None:
    """Let a form ask about these addresses, if there are any."""
    if taken:
        form.fields[FIELD] = field = TakeAddressesField()
        field.ask(taken)


class AddressFormMixin(forms.ModelForm):
    """The form of a record that readers find at an address made of its slug."""

    take_addresses = TakeAddressesField()

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
            field.ask(taken, lost)
            self[FIELD].help_text, self[FIELD].label = field.help_text, field.label
            try:
                field.validate(self.cleaned_data.get(FIELD, ""))
            except ValidationError as error:
                self.add_error(FIELD, error)

    def _has_new_address(self) -> bool:
        """Return whether saving makes readers find it elsewhere; of what is not published, publishing asks."""
        if isinstance(self.instance, Publishable) and not self.instance.published:
            return False
        return self.instance.pk is None or bool({"slug", "parent"} & {*self.changed_data})
