"""Fields and forms of content: what is typed is kept, and what is wrong is said beside it."""

from functools import partial
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AutocompleteSelect, RelatedFieldWidgetWrapper
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import BigIntegerField
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from taggit.forms import TagField

from rlm_site.tags.models import Tag
from rlm_site.tags.parsing import parse_tags
from rlm_site.text.folding import fold_name
from rlm_site.text.limits import MAX_PASSAGE, MAX_TAGS


class TextField(forms.CharField):
    """A text of several lines, kept to the letter.

    Browsers send its lines with carriage returns, which are no change of it. One of nothing but spaces is empty. One
    of more than `most` characters is refused, not cut: browsers do not know the limit.
    """

    widget = AdminTextareaWidget

    def __init__(self, *, most: int = MAX_PASSAGE, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "strip": False})
        self.validators.append(partial(_validate_length, most=most))

    def to_python(self, value: Any) -> str:
        text = (super().to_python(value) or "").replace("\r\n", "\n").replace("\r", "\n")
        return text if text.strip() else ""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return not self.disabled and self.to_python(initial) != self.to_python(data)


def _validate_length(text: str, most: int) -> None:
    if len(text) > most:
        told = _(
            "The text has %(count)s characters; at most %(most)s are allowed. The limit is exceeded on line %(line)s."
        )
        params = {"count": f"{len(text):,}", "most": f"{most:,}", "line": f"{text.count(chr(10), 0, most) + 1:,}"}
        raise ValidationError(told, params=params, code="too_long")


class NamesField(forms.CharField):
    """A list of names, typed one on a line."""

    widget = AdminTextareaWidget(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        lines = value if isinstance(value, list) else (super().to_python(value) or "").splitlines()
        return [name for name in (" ".join(line.split()) for line in lines) if name]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return not self.disabled and self.to_python(initial or "") != self.to_python(data or "")


class TagsField(TagField):
    """Names with commas between them. What is wrong with them is said in words."""

    def clean(self, value: Any) -> list[str]:
        text = forms.CharField.clean(self, value)
        try:
            names = parse_tags(text)
        except ValueError as error:
            raise ValidationError(str(error), code="unclosed") from error
        if len(names) > MAX_TAGS:
            told = _("There are %(count)s tags; at most %(most)d are allowed.")
            raise ValidationError(told, params={"count": f"{len(names):,}", "most": MAX_TAGS}, code="too_many")
        longest = Tag._meta.get_field("name").max_length or 100
        for name in names:
            if len(name) > longest:
                raise ValidationError(
                    _("“%(name)s…” is too long. A tag has at most %(count)s characters."),
                    params={"name": name[:40], "count": longest},
                    code="too_long",
                )
            if not any(char.isalnum() for char in name):
                raise ValidationError(
                    _("“%(name)s” needs at least one letter or digit."), params={"name": name}, code="no_letters"
                )
        return names

    def has_changed(self, initial_value: Any, data_value: Any) -> bool:
        if self.disabled:
            return False
        try:
            names = self.clean(data_value)
        except ValidationError:
            return True
        return {tag.folded for tag in initial_value or ()} != {fold_name(name) for name in names}


class Autocomplete(AutocompleteSelect):
    """Names what is chosen without a query where the form's row has it at hand."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known: dict[str, str] = {}

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        chosen = [str(key) for key in value if _can_be_key(str(key))]
        if not chosen or not set(chosen) <= self.known.keys():
            return super().optgroups(name, chosen, attrs)
        options = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
        options += [self.create_option(name, key, self.known[key], True, len(options)) for key in chosen]
        return [(None, options, 0)]


def _can_be_key(text: str) -> bool:
    """Anything can be sent, or stand in an address; what is the key of no row is not looked up."""
    return text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= BigIntegerField.MAX_BIGINT


class ContentForm(forms.ModelForm):
    is_held = False  # to be shown again and not saved, whatever its fields say
    # Name of a constraint -> the field beside which its violation is told, and the words if its own do not serve
    beside: dict[str, tuple[str, str | Promise]] = {}
    questions: dict[str, str] = {}  # Name of a field -> that of the question (see `questions`) which stands below it

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            widget: Any = field.widget
            if isinstance(widget, RelatedFieldWidgetWrapper):
                widget = widget.widget
            if isinstance(widget, Autocomplete):
                row = self.instance._state.fields_cache.get(name)
                widget.known = {str(row.pk): str(row)} if row else {}
                widget.attrs["title"] = field.label  # the script names its box by this
            elif isinstance(widget, forms.SplitDateTimeWidget):
                for part, words in zip(widget.widgets, (_("date"), _("time")), strict=True):
                    part.attrs["aria-label"] = f"{field.label}, {words}"

    def is_multipart(self) -> bool:
        """Let browsers send the text as it is: Cyrillic would else be six times as long, and slow to be read."""
        return True

    def is_valid(self) -> bool:
        return super().is_valid() and not self.is_held

    def add_error(self, field: str | None, error: Any) -> None:
        """Add the error of a constraint of several fields beside the field that must change."""
        if field is not None or not hasattr(error, "error_dict"):
            super().add_error(field, error)
            return
        told = dict(error.error_dict)
        for broken in told.pop(NON_FIELD_ERRORS, []):
            name, words = self.beside.get(self._constraint_of(broken), ("", ""))
            super().add_error(name or None, ValidationError(str(words), code=broken.code) if words else broken)
        if told:
            super().add_error(None, ValidationError(told))

    def _constraint_of(self, error: ValidationError) -> str:
        fields = (error.params or {}).get("unique_check")
        for constraint in self._meta.model._meta.constraints:
            if fields == getattr(constraint, "fields", ()) or error.message == constraint.get_violation_error_message():
                return str(constraint.name)
        return ""


class RowForm(ContentForm):
    """A row of a table: the column's heading is the label of its field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label
