from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.http import QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from rlm_site.editor.rows import RowsFormField, RowsInput

Value = str | list[str]  # of one control, as a browser sends it
Row = dict[str, Value]  # by the field's name
DELETE = forms.formsets.DELETION_FIELD_NAME


@dataclass
class FormState:
    """The values of a form's controls. Rows of inlines have their key; the keys of new ones begin with `+`."""

    fields: Row
    rows: dict[str, dict[str, Row]] = field(default_factory=dict)


# Reading and writing forms


class FormSnapshot:
    """A form with its inlines, not bound to anything sent: how it would be opened now."""

    def __init__(self, form: forms.ModelForm, formsets: Iterable[Any] = ()) -> None:
        self.form = form
        self.formsets = {formset.prefix: formset for formset in formsets}

    def opened(self) -> FormState:
        """Return what a browser sends back if nobody types anything."""
        rows = {
            prefix: {
                str(row.instance.pk): {name: _shown_value(row[name]) for name in self.names(prefix)}
                for row in formset.initial_forms
            }
            for prefix, formset in self.formsets.items()
        }
        return FormState({name: _shown_value(self.form[name]) for name in self.form.fields}, rows)

    def sent(self, data: QueryDict) -> FormState:
        """Return what a browser has sent, without new rows in which nothing was typed."""
        rows = {prefix: dict(self._rows_sent(prefix, data)) for prefix in self.formsets}
        return FormState(_read_all(self.form.fields, data), rows)

    def _rows_sent(self, prefix: str, data: QueryDict) -> Iterator[tuple[str, Row]]:
        formset = self.formsets[prefix]
        untouched = {name: _shown_value(formset.empty_form[name]) for name in self.names(prefix)}
        for index in range(min(_number(data, f"{prefix}-TOTAL_FORMS"), formset.absolute_max)):
            row = _read_all(self.row_fields(prefix), data, f"{prefix}-{index}-")
            if index < _number(data, f"{prefix}-INITIAL_FORMS"):
                yield data.get(f"{prefix}-{index}-{formset._pk_field.name}", ""), row
            elif row != untouched and not row.get(DELETE):
                yield f"+{index}", row

    def write(self, state: FormState, data: QueryDict) -> QueryDict:
        """Return the data with this state in it, as if a browser had sent it."""
        told = data.copy()
        for name in list(told):
            if name.startswith(tuple(f"{prefix}-" for prefix in self.formsets)) and not name.endswith("_NUM_FORMS"):
                del told[name]
        _write_all(self.form.fields, state.fields, told)
        for prefix, formset in self.formsets.items():
            rows = sorted(state.rows.get(prefix, {}).items(), key=lambda item: item[0].startswith("+"))
            told[f"{prefix}-TOTAL_FORMS"] = str(len(rows))
            told[f"{prefix}-INITIAL_FORMS"] = str(sum(not key.startswith("+") for key, _row in rows))
            for index, (key, row) in enumerate(rows):
                told[f"{prefix}-{index}-{formset._pk_field.name}"] = "" if key.startswith("+") else key
                told[f"{prefix}-{index}-{formset.fk.name}"] = str(formset.instance.pk or "")
                _write_all(self.row_fields(prefix), row, told, f"{prefix}-{index}-")
        return told

    def names(self, prefix: str) -> list[str]:
        formset = self.formsets[prefix]
        return [name for name in formset.empty_form.fields if name not in {formset._pk_field.name, formset.fk.name}]

    def row_fields(self, prefix: str) -> dict[str, forms.Field]:
        fields = self.formsets[prefix].empty_form.fields
        return {name: fields[name] for name in self.names(prefix)}

    def fields(self, prefix: str) -> Mapping[str, forms.Field]:
        return self.row_fields(prefix) if prefix else self.form.fields

    # In words

    def label(self, prefix: str, key: str, name: str) -> str:
        """Return the label of a field, a row, or a field of a row."""
        words = []
        if prefix:
            formset = self.formsets[prefix]
            row = next((row.instance for row in formset.initial_forms if str(row.instance.pk) == key), None)
            words = [capfirst(str(formset.model._meta.verbose_name)), str(row or "")]
        if name and name != DELETE:
            words.append(self._label(prefix, name))
        return " · ".join(word for word in words if word)

    def words(self, prefix: str, name: str, value: Any) -> str:
        """Return a value in words."""
        if isinstance(value, dict):
            names = [part for part in value if part != DELETE]
            parts = ((self._label(prefix, part), self.words(prefix, part, value[part])) for part in names)
            return "\n".join(f"{label}: {words}" for label, words in parts if words)
        if not name or value is None:
            return ""
        if name == DELETE:
            return _("deleted") if value else ""
        return _describe(self.fields(prefix)[name], value)

    def _label(self, prefix: str, name: str) -> str:
        return str(self.fields(prefix)[name].label or capfirst(name))


def bare_widget(widget: forms.Widget) -> Any:
    """Without the admin's links beside it."""
    return getattr(widget, "widget", widget)


def _shown_value(bound: BoundField) -> Value:
    return _stripped(bound.field, _as_submitted(bare_widget(bound.field.widget), bound.value()))


def _stripped(one: forms.Field, value: Value) -> Value:
    """Without the space at the ends that the field takes away."""
    return value.strip() if isinstance(value, str) and getattr(one, "strip", False) else value


def _as_submitted(widget: Any, value: Any) -> Value:
    if isinstance(widget, forms.MultiWidget):
        parts = zip(widget.widgets, widget.decompress(value) or [], strict=True)
        return [str(_as_submitted(bare_widget(part), part_value)) for part, part_value in parts]
    if isinstance(widget, forms.CheckboxInput):
        return "on" if widget.check_test(value) else ""
    shown = widget.format_value(value)
    if isinstance(widget, forms.widgets.ChoiceWidget):
        return list(shown) if widget.allow_multiple_selected else (shown[0] if shown else "")
    return _plain_breaks(shown or "")


def _read(widget: Any, data: QueryDict, name: str) -> Value:
    if names := _names_of_parts(widget, name):
        return [_plain_breaks(data.get(part, "")) for part in names]
    if isinstance(widget, RowsInput):
        return widget.value_from_datadict(data, {}, name)
    if isinstance(widget, forms.CheckboxInput):
        return "on" if name in data else ""
    if getattr(widget, "allow_multiple_selected", False):
        return data.getlist(name)
    return _plain_breaks(data.get(name, ""))


def _write(widget: Any, value: Value, data: QueryDict, name: str) -> None:
    if names := _names_of_parts(widget, name):
        for part, part_value in zip(names, value, strict=True):
            data[part] = part_value
    elif isinstance(widget, RowsInput):
        widget.write(str(value), data, name)
    elif isinstance(value, list):
        data.setlist(name, value)
    elif isinstance(widget, forms.CheckboxInput) and not value:
        data.pop(name, None)
    else:
        data[name] = value


def _names_of_parts(widget: Any, name: str) -> list[str]:
    return [name + suffix for suffix in getattr(widget, "widgets_names", ())]


def _read_all(fields: Mapping[str, forms.Field], data: QueryDict, prefix: str = "") -> Row:
    return {name: _stripped(one, _read(bare_widget(one.widget), data, prefix + name)) for name, one in fields.items()}


def _write_all(fields: Mapping[str, forms.Field], row: Row, data: QueryDict, prefix: str = "") -> None:
    for name, one in fields.items():
        if name in row:
            _write(bare_widget(one.widget), row[name], data, prefix + name)


def _plain_breaks(text: str) -> str:
    """Browsers send a break of lines as two characters."""
    return str(text).replace("\r\n", "\n").replace("\r", "\n")


def _number(data: QueryDict, name: str) -> int:
    text = data.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _describe(one: Any, value: Value) -> str:
    if isinstance(one, RowsFormField):
        return one.words(value)
    if isinstance(one, forms.BooleanField):
        return _("yes") if value else _("no")
    if isinstance(one, forms.ModelChoiceField):
        try:
            row = one.to_python(value)
        except ValidationError:
            return _("deleted (id %(id)s)") % {"id": value}
        return "" if row is None else str(one.label_from_instance(row))
    if isinstance(one, forms.ChoiceField):
        choices: Any = one.choices
        return str(dict(choices).get(value, value))
    return " ".join(value) if isinstance(value, list) else value.strip("\n")
