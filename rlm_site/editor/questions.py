"""Questions of a form: what a save would bring about is said, and done only once a box beside it is ticked."""

import hashlib
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html_join


class Tick(forms.CheckboxInput):
    """A box whose value is what is agreed to."""

    def __init__(self, value: str) -> None:
        super().__init__(check_test=lambda sent: sent == value)
        self.value = value

    def format_value(self, value: Any) -> str:
        return self.value

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return data.get(name, "")


class QuestionField(forms.CharField):
    """A box that is hidden until something is asked, and agrees to nothing else."""

    widget: Any = forms.HiddenInput

    def __init__(self, label: Any, refusal: Any) -> None:
        super().__init__(label=label, required=False)
        self.refusal = refusal

    def ask(self, lines: Iterable[str], agreed: Iterable[str], label: Any = "") -> None:
        """Ask, in these lines, whether to go on; `agreed` is all that a tick agrees to."""
        self.label = label or self.label
        self.help_text = format_html_join(" ", "{}", ((line,) for line in lines))
        self.widget = Tick(hashlib.sha256("\n".join(agreed).encode()).hexdigest()[:32])

    def validate(self, value: str) -> None:
        super().validate(value)
        if isinstance(self.widget, Tick) and value != self.widget.value:
            raise ValidationError(str(self.refusal), code="asked")


def ask_in(form: Any, name: str) -> None:
    """Show the question of a form that was just asked, and add its error where the box is not ticked."""
    field = form.fields[name]
    form[name].help_text, form[name].label = field.help_text, field.label
    try:
        field.validate(form.cleaned_data.get(name, ""))
    except ValidationError as error:
        form.add_error(name, error)
