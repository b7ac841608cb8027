from typing import Any

from django.db import models

from rlm_site.text.folding import fold_name


class NaturalKeyManager(models.Manager[Any]):
    """Manager whose natural key consists of the model's `natural_key_fields`."""

    def get_by_natural_key(self, *values: Any) -> Any:
        return self.get(**dict(zip(self.model.natural_key_fields, values, strict=True)))


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
        # loaddata saves raw rows without calling pre_save of fields, but it sends the signal
        models.signals.pre_save.connect(lambda instance, **kwargs: self.pre_save(instance, False), cls, weak=False)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        folded = fold_name(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, folded)
        return folded
