"""Filters that every list may have: by tag, by editor and by age. What has many values is chosen from a select."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rlm_site.history.models import Revision
from rlm_site.publishing import permissions
from rlm_site.tags.models import Tag


class SelectMixin:
    """A filter whose values are the options of a select, which works without JavaScript."""

    template = "editor/select_filter.html"
    field_name = ""  # of the form
    kept: list[tuple[str, str]]  # what else the list is asked for

    def values(self) -> list[tuple[str, str]]:
        raise NotImplementedError

    def chosen(self) -> str:
        raise NotImplementedError

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        expected: list[str | None] = self.expected_parameters()  # type: ignore[attr-defined]
        self.kept = [(name, value) for name, value in changelist.params.items() if name not in expected]
        for value, words in [("", _("All")), *self.values()]:
            yield {"value": value, "display": words, "selected": value == self.chosen()}


class SelectFilter(SelectMixin, admin.SimpleListFilter):
    """One whose values are the keys of records, or words of its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.field_name = self.parameter_name or ""

    def values(self) -> list[tuple[str, str]]:
        return [(str(value), str(words)) for value, words in self.lookup_choices]

    def chosen(self) -> str:
        """Return the value that is asked for, if it is one that can be chosen."""
        return self.value() if self.value() in dict(self.values()) else ""  # type: ignore[return-value]


class RelatedSelectFilter(SelectMixin, admin.RelatedOnlyFieldListFilter):
    """One whose values are the records that a field names in the list, and none where it may be empty."""

    NONE = "none"

    def __init__(
        self, field: Any, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any, field_path: str
    ) -> None:
        self.field_name = f"{field_path}__{field.target_field.name}__exact"
        if params.get(self.field_name) == [self.NONE]:
            del params[self.field_name]
            params[f"{field_path}__isnull"] = ["True"]
        super().__init__(field, request, params, model, model_admin, field_path)

    def values(self) -> list[tuple[str, str]]:
        none = [(self.NONE, _("(none)"))] if self.include_empty_choice else []
        return [*none, *((str(key), str(words)) for key, words in self.lookup_choices)]

    def chosen(self) -> str:
        return self.NONE if self.lookup_val_isnull else str((self.lookup_val or [""])[-1])


def _readable(request: HttpRequest, model_admin: Any) -> QuerySet[Any]:
    return permissions.readable(request.user, model_admin.model._default_manager.all(), timezone.now())


class TagFilter(SelectFilter):
    title = gettext_lazy("tag")
    parameter_name = "tag"
    NONE = "none"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        items = model_admin.model.tags.through._default_manager
        tagged = items.filter(content_object__in=_readable(request, model_admin).values("pk"))
        tags = Tag.objects.filter(pk__in=tagged.values("tag")).values_list("pk", "name")
        return [(self.NONE, _("(without tags)")), *((str(pk), name) for pk, name in tags)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (chosen := self.chosen()):
            return queryset
        items = queryset.model.tags.through._default_manager.filter(content_object=OuterRef("pk"))
        return queryset.filter(~Exists(items) if chosen == self.NONE else Exists(items.filter(tag=int(chosen))))


class EditorFilter(SelectFilter):
    """Records by who began them or changed them last."""

    title = gettext_lazy("editor")
    parameter_name = "editor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        rows = _readable(request, model_admin)
        revisions = _revisions_of(model_admin.model).filter(object_id__in=rows.values("pk"))
        people = User.objects.filter(Q(pk__in=rows.values("owner")) | Q(pk__in=revisions.values("author")))
        return [(str(user.pk), _("you") if user == request.user else str(user)) for user in people.order_by("username")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (chosen := self.chosen()):
            return queryset
        newest = _revisions_of(queryset.model).filter(object_id=OuterRef("pk")).order_by("-number").values("author")
        written = queryset.model._base_manager.alias(last_author=Subquery(newest[:1])).filter(last_author=int(chosen))
        return queryset.filter(Q(owner=int(chosen)) | Q(pk__in=written.values("pk")))


class AgeFilter(admin.SimpleListFilter):
    """Records by when they, or a draft of them, were changed last."""

    title = gettext_lazy("last change")
    parameter_name = "changed"
    DAYS = {"week": 7, "month": 31, "not-for-a-year": 365}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("week", _("within a week")),
            ("month", _("within a month")),
            ("not-for-a-year", _("not for a year")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value() or ""
        if chosen not in self.DAYS:
            return queryset
        moment = timezone.now() - timedelta(days=self.DAYS[chosen])
        revisions = _revisions_of(queryset.model).filter(object_id=OuterRef("pk"), created__gt=moment)
        changed = Q(updated__gt=moment) | Exists(revisions)
        return queryset.filter(~changed if chosen == "not-for-a-year" else changed)


def _revisions_of(model: Any) -> QuerySet[Revision]:
    return Revision.objects.filter(content_type=ContentType.objects.get_for_model(model))
