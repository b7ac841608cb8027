"""Tags in the admin: suggestions while one is typed, merging one into another, and undo."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rlm_site.editor.concurrency import locking
from rlm_site.editor.features import Feature, registered_admins
from rlm_site.editor.widgets import TagInput
from rlm_site.indexing import queue
from rlm_site.tags import changes, lists, manager
from rlm_site.tags.models import Tag, TagChange, TaggedBase

MOST_PREVIEWED = 10  # of the rows of each kind that a merge moves
MOST_TYPED = 200  # characters of a name that are looked at, and names beside it


class MergeForm(forms.Form):
    into = forms.CharField(
        label=gettext_lazy("Merge into"),
        widget=TagInput(attrs={"class": "vTextField"}),
        help_text=gettext_lazy("The name of the tag to keep. You see what will change before anything is saved."),
    )

    def __init__(self, tag: Tag, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tag = tag

    def clean_into(self) -> Tag:
        into = next(iter(manager.find_tags([self.cleaned_data["into"]]).values()), None)
        if into is None:
            raise ValidationError(_("There is no tag with this name."))
        if into.pk == self.tag.pk:
            raise ValidationError(_("A tag cannot be merged into itself."))
        return into


class Moving(NamedTuple):
    """The effect of a merge on the records of one kind."""

    kind: str
    moved: int
    first: list[tuple[str, Any]]  # addresses at the desk, and rows
    both: int


class TagChanges(Feature):
    """Suggestions while a tag is typed, merging one into another, and undoing what was done."""

    def urls(self) -> list[URLPattern]:
        return [
            self.path("suggestions/", self.suggestions_view, "suggestions"),
            self.path("<int:pk>/merge/", self.merge_view, "merge"),
            self.path("changes/<int:pk>/undo/", require_POST(self.undo_view), "undo"),
        ]

    def form_context(self, request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
        tag = context["original"]
        return {} if tag is None else {"can_merge": self.can_merge(request), "log": changes.changes_of(tag)}

    def can_merge(self, request: HttpRequest) -> bool:
        """Return whether somebody may rename and merge tags, and undo that."""
        return request.user.has_perm("rlm_site.merge_tag")

    def suggestions_view(self, request: HttpRequest) -> JsonResponse:
        if not _can_tag(request.user):
            raise PermissionDenied
        typed = request.GET.get("typed", "")[:MOST_TYPED]
        chosen = [name[:MOST_TYPED] for name in request.GET.getlist("chosen")[:MOST_TYPED]]
        return JsonResponse({"names": lists.suggest_tags(typed, chosen)})

    def merge_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask into which tag, show what would move, and move it."""
        if not self.can_merge(request):
            raise PermissionDenied
        tag = get_object_or_404(Tag, pk=pk)
        given = request.POST if request.method == "POST" else request.GET
        form = MergeForm(tag, given if "into" in given else None)
        into = form.cleaned_data["into"] if form.is_valid() else None
        if request.method == "POST" and into is not None:
            return self._merge(request, tag, into)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Merge “%(tag)s” into another tag") % {"tag": tag},
            "opts": self.opts,
            "media": self.admin.media + form.media,
            "original": tag,
            "form": form,
            "into": into,
            "moving": [self._moving(request, through, tag, into) for through in Tag.through_models()] if into else [],
        }
        return TemplateResponse(request, "editor/merge_tags.html", context)

    def _moving(self, request: HttpRequest, through: type[TaggedBase], tag: Tag, into: Tag) -> Moving:
        model: Any = through._meta.get_field("content_object").related_model
        moved, both = changes.split_by_overlap(through, tag, into)
        page = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        model_admin = registered_admins(self.admin_site)[model]
        rows = model_admin.get_queryset(request).filter(pk__in=moved.values("content_object"))
        if not model_admin.has_view_permission(request):
            rows = rows.none()
        first = [(reverse(page, args=[row.pk]), row) for row in rows.order_by("pk")[:MOST_PREVIEWED]]
        return Moving(capfirst(str(model._meta.verbose_name_plural)), moved.count(), first, both.count())

    def _merge(self, request: HttpRequest, tag: Tag, into: Tag) -> HttpResponse:
        author: Any = request.user
        refused = f"{reverse('admin:rlm_site_tag_merge', args=[tag.pk])}?{urlencode({'into': into.name})}"

        def merge() -> tuple[Tag, str]:
            return into, changes.merge_tags(tag, into, author).said

        return self._act(request, merge, refused)

    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.can_merge(request):
            raise PermissionDenied
        change = get_object_or_404(TagChange, pk=pk)
        author: Any = request.user
        refused = _page_of(change.tag) if change.tag else reverse("admin:rlm_site_tag_changelist")

        def undo() -> tuple[Tag, str]:
            return changes.undo_change(change, author), _("Undone: %(said)s") % {"said": change}

        return self._act(request, undo, refused)

    def _act(self, request: HttpRequest, act: Callable[[], tuple[Tag, str]], refused: str) -> HttpResponse:
        """Do it and go to the tag that stays, or say why not and go back."""
        try:
            with locking.write_transaction():
                tag, said = act()
                self.admin.log_change(request, tag, said)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return HttpResponseRedirect(refused)
        except OperationalError as error:
            if not locking.is_busy(error):
                raise
            messages.error(request, _("The database is busy. Nothing was changed. Please try again."))
            return HttpResponseRedirect(refused)
        queue.process_queue()  # a batch a transaction: others can write between them
        messages.success(request, f"{said}.")
        return HttpResponseRedirect(_page_of(tag))


def _page_of(tag: Tag) -> str:
    return reverse("admin:rlm_site_tag_change", args=[tag.pk])


def _can_tag(user: Any) -> bool:
    """Return whether somebody may write anything that has tags, or tags themselves."""
    tagged = [through._meta.get_field("content_object").related_model for through in Tag.through_models()]
    models: list[Any] = [Tag, *tagged]
    return any(
        user.has_perm(f"{model._meta.app_label}.{act}_{model._meta.model_name}")
        for model in models
        for act in ("add", "change")
    )
