"""Fields whose values are sound however they are written: by a form, a file, a shell, or another program.

Text is normalised and refused by the rule of `text.printable` on its way into the database, and made harmless on its
way out of it. To migrations these fields are those of Django: they change no column.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.fields.json import KeyTransform
from django.db.models.fields.related_descriptors import ForwardManyToOneDescriptor
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from rlm_site.text import identifiers, printable
from rlm_site.text.dates import validate_dates
from rlm_site.text.folding import fold_name
from rlm_site.text.slugs import slug_for


def site_language() -> str:
    """Return the language of the site, the default of a text that does not name its own."""
    language: str = settings.SITE_LANGUAGE
    return language


class NaturalKeyManager(models.Manager[Any]):
    """Manager whose natural key consists of the model's `natural_key_fields`."""

    def get_by_natural_key(self, *values: Any) -> Any:
        return self.get(**dict(zip(self.model.natural_key_fields, values, strict=True)))


class _DjangosToMigrations(models.Field):
    """A field that migrations know as the one of Django that it extends."""

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        base = next(base for base in type(self).__mro__ if base.__module__.startswith("django.db.models.fields"))
        return name, f"django.db.models.{base.__name__}", args, kwargs


class _Text(_DjangosToMigrations):
    default_validators = [printable.validate_printable]

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return printable.with_line_breaks(value) if isinstance(value, str) else value

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        if not self.blank and isinstance(value, str) and not value.strip():
            raise ValidationError(self.error_messages["blank"], code="blank")

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Refuse what cannot be printed, whichever of `save`, `update`, `bulk_create` and `loaddata` writes it."""
        try:
            printable.validate_printable(value)
        except ValidationError as error:
            raise ValidationError({self.name: error}) from error
        return super().get_db_prep_save(value, connection)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return printable.harmless(value) if isinstance(value, str) else value


class TextField(_Text, models.TextField):
    """Text of several lines; with `max_length` of no more characters, whatever writes it."""

    @cached_property
    def validators(self) -> list[Any]:
        most = [MaxLengthValidator(self.max_length)] if self.max_length else []
        return [*super().validators, *most]


class CharField(_Text, models.CharField):
    """Text of one line."""

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return printable.on_one_line(value) if isinstance(value, str) else value


class LanguageField(CharField):
    """A language by its tag: `ru`."""


class DatesField(CharField):
    """A date as precise as it is known, or a range: see `text.dates`. As text, dates are in their order."""

    default_validators = [*CharField.default_validators, validate_dates]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_length": 30, **kwargs})


class URLField(CharField, models.URLField):
    """The address of a page elsewhere."""

    default_validators = [*models.URLField.default_validators, *CharField.default_validators]


class _IdentifierInput(forms.CharField):
    """An identifier, read in the form in which it was pasted, however long that is."""

    def __init__(self, *, normalise: Callable[[str], str], **kwargs: Any) -> None:
        self.normalise = normalise
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        return self.normalise(printable.on_one_line(super().to_python(value) or ""))

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}


class _Identifier(CharField):
    """An identifier in the one form that its registry writes, whoever writes it, and in whatever form."""

    normalise: Callable[[str], str]

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return type(self).normalise(value) if isinstance(value, str) else value

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return super().get_db_prep_save(type(self).normalise(value) if isinstance(value, str) else value, connection)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        value = super().from_db_value(value, expression, connection)
        return type(self).normalise(value) if value else value

    def formfield(self, **kwargs: Any) -> Any:
        given = {"form_class": _IdentifierInput, "normalise": type(self).normalise}
        return super().formfield(**{**kwargs, **given})


class DoiField(_Identifier):
    """A DOI without the address that leads to it: `10.1093/ehr/cez001`."""

    normalise = staticmethod(identifiers.normalise_doi)
    default_validators = [*CharField.default_validators, identifiers.validate_doi]


class IsbnField(_Identifier):
    """An ISBN of 10 or 13 digits whose last one is right: `978-0-521-30536-6`."""

    normalise = staticmethod(identifiers.normalise_isbn)
    default_validators = [*CharField.default_validators, identifiers.validate_isbn]


class SlugField(CharField, models.SlugField):
    """A part of an address. With `source` an empty one is made of that field, however the row is saved."""

    default_validators = [*models.SlugField.default_validators]

    def __init__(self, *args: Any, source: str = "", **kwargs: Any) -> None:
        self.source = source
        super().__init__(*args, **kwargs)

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        _prepare_raw_rows(self, cls)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        if self.source and not getattr(model_instance, self.attname):
            setattr(model_instance, self.attname, self.make(model_instance))
        return super().pre_save(model_instance, add)

    def make(self, row: models.Model) -> str:
        """Return a slug for the row that no other has. A model may say by `slug_is_taken` which are not to be had."""
        others = type(row)._default_manager.exclude(pk=row.pk)
        is_taken = getattr(row, "slug_is_taken", lambda slug: others.filter(**{self.attname: slug}).exists())
        return slug_for(getattr(row, self.source), is_taken)


YEARS = (-9999, 9999)


class YearField(_DjangosToMigrations, models.SmallIntegerField):
    """A year; negative is BC. There is no year 0."""

    default_validators = [MinValueValidator(YEARS[0]), MaxValueValidator(YEARS[1])]

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        if value == 0:
            raise ValidationError(_("There is no year 0. Enter -1 for 1 BC and 1 for AD 1."), code="no_year")


class _Json(_DjangosToMigrations, models.JSONField):
    """JSON of one shape; what another program left there of another is read as nothing."""

    shape: type = dict

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        if not isinstance(value, self.shape):
            told = _("Enter a list.") if self.shape is list else _("Enter an object with names and values.")
            raise ValidationError(told, code="wrong_shape")

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return super().get_db_prep_save(printable.harmless_within(value), connection)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        read = printable.harmless_within(super().from_db_value(value, expression, connection))
        return read if isinstance(read, self.shape) or isinstance(expression, KeyTransform) else self.shape()


class ObjectField(_Json):
    """Values by their names."""


class NamesField(_Json):
    """A list of names."""

    shape = list

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        for name in value:
            if not isinstance(name, str):
                raise ValidationError(_("“%(name)s” is not a name."), params={"name": name}, code="no_name")
            printable.validate_printable(name)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        read = super().from_db_value(value, expression, connection)
        return [name for name in read if isinstance(name, str)] if isinstance(read, list) else read


class RowsField(_Json):
    """A list of rows: texts by the names of `columns`, the first of which no row may leave empty."""

    shape = list
    most = 200  # rows
    longest = 500  # characters of one text

    def __init__(
        self,
        *args: Any,
        columns: Sequence[str] = (),
        in_words: Callable[[str, str], str] = lambda name, text: text,
        **kwargs: Any,
    ) -> None:
        """`in_words(column, text)` returns the words of a text that is a key of something."""
        self.columns = tuple(columns)
        self.words = in_words
        super().__init__(*args, **{"default": list, "blank": True, **kwargs})

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        if len(value) > self.most:
            raise ValidationError(_("Enter at most %(most)d rows."), params={"most": self.most}, code="too_many")
        for number, row in enumerate(value, 1):
            if fault := self._fault(row):
                raise ValidationError(_("Row %(number)d: %(fault)s"), params={"number": number, "fault": fault})

    def _fault(self, row: Any) -> str:
        """Return what is wrong with a row, whatever it is."""
        if not isinstance(row, dict):
            return _("it must be an object with names and values.")
        if unknown := sorted(map(str, row.keys() - {*self.columns})):
            return _("“%(name)s” is unknown; use %(names)s.") % {"name": unknown[0], "names": ", ".join(self.columns)}
        for name, text in row.items():
            if not isinstance(text, str):
                return _("“%(name)s” must be text.") % {"name": name}
            if len(text) > self.longest:
                told = _("“%(name)s” has %(length)d characters; it must have at most %(most)d.")
                return told % {"name": name, "length": len(text), "most": self.longest}
            try:
                printable.validate_printable(text)
            except ValidationError as error:
                return f"“{name}”: {' '.join(error.messages)}"
        if not row.get(self.columns[0], "").strip():
            return _("“%(name)s” is empty.") % {"name": self.columns[0]}
        return ""

    def to_python(self, value: Any) -> Any:
        """Return the rows with all columns, each text on one line; what is none is left for `validate` to tell."""
        read = super().to_python(value)
        return [self._whole(row) for row in read] if isinstance(read, list) else read

    def _whole(self, row: Any) -> Any:
        if not isinstance(row, dict):
            return row
        texts = {
            name: printable.on_one_line(text).strip() if isinstance(text, str) else text for name, text in row.items()
        }
        return {**dict.fromkeys(self.columns, ""), **texts}

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        read = super().from_db_value(value, expression, connection)
        return [self._whole(row) for row in read if not self._fault(row)] if isinstance(read, list) else read


class _RowOrNone(ForwardManyToOneDescriptor):
    def __get__(self, instance: Any, cls: Any = None) -> Any:
        try:
            return super().__get__(instance, cls)
        except ObjectDoesNotExist:
            return None


class OptionalForeignKey(_DjangosToMigrations, models.ForeignKey):
    """A foreign key that may be empty, and is read as empty where another program has deleted what it names."""

    forward_related_accessor_class = _RowOrNone


class FoldedField(models.CharField):
    """The folded form of another field, for unique constraints and look-ups; set however the row is saved."""

    def __init__(self, *args: Any, source: str = "name", **kwargs: Any) -> None:
        self.source = source
        kwargs.setdefault("editable", False)
        kwargs.setdefault("max_length", 100)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "source": self.source}

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        _prepare_raw_rows(self, cls)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        folded = fold_name(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, folded)
        return folded


def _prepare_raw_rows(field: Any, model: type[models.Model]) -> None:
    """Have the field prepare rows of `loaddata`, which saves them without calling `pre_save` but sends the signal."""
    models.signals.pre_save.connect(lambda instance, **kwargs: field.pre_save(instance, False), model, weak=False)
