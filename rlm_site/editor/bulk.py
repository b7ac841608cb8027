"""Acts on many records: what would happen to each is shown first; then they are done some at a time, with progress.

Each record is treated as by its own page: by the same permissions, refused for the same reasons, with an entry in its
history. What is refused leaves the others alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from django import forms
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rlm_site.editor import addresses, workflow
from rlm_site.editor.backlinks import NO_LINKS, Backlinks, backlinks_of
from rlm_site.editor.concurrency import locking, row_versions
from rlm_site.editor.features import Feature
from rlm_site.editor.forms import TagsField
from rlm_site.editor.states import badge_of
from rlm_site.editor.widgets import TagsInput
from rlm_site.history import reviews, revisions
from rlm_site.history.drafts import Draft
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.publishing import permissions, visibility
from rlm_site.publishing.models import Publishable
from rlm_site.tags import manager
from rlm_site.text.folding import fold_name

MOST = 1_000  # records at once
AT_A_TIME = 10  # in one transaction, so that others can write meanwhile
LIFETIME = 24 * 60 * 60  # seconds that a preview can be confirmed


_TAKEN = gettext_lazy("Its address leads readers elsewhere. Do this on its own page.")


class Plan(NamedTuple):
    """What would happen to a record, or why it would be left alone; one of the two is empty."""

    outcome: str = ""
    refusal: str = ""


class BulkForm(forms.Form):
    comment = forms.CharField(
        label=gettext_lazy("Comment for editors"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Saved in the history of each record."),
    )


class BulkAct:
    """Something that can be done to many records of a list."""

    name = ""
    label: str | Promise = ""  # in the list
    button: str | Promise = ""
    explanation: str | Promise = ""
    form: type[forms.Form] = BulkForm
    asks = False  # for something without which nothing can be said of the records
    loses_readers = False  # what links to the records is named
    takes_address = False  # readers may find the records at addresses that lead elsewhere now

    def is_offered(self, user: Any, model: Any) -> bool:
        """Return whether somebody may do it to any record of this kind."""
        raise NotImplementedError

    def plans(self, user: Any, rows: Sequence[Any], given: Mapping[str, Any]) -> dict[Any, Plan]:
        """Return what would happen to each, by key. As many queries for few records as for many."""
        raise NotImplementedError

    def apply(self, user: Any, row: Any, given: Mapping[str, Any]) -> str:
        """Do it and return what was done, in words. Raises ValidationError with the reason where it is refused."""
        raise NotImplementedError


# Transitions


class ByTransition(BulkAct):
    """A transition of the workflow, without what only one record can be asked about."""

    outcome: str | Promise = ""
    not_fitting: str | Promise = ""

    def __init__(self) -> None:
        self.transition = next(each for each in workflow.TRANSITIONS if each.name == self.transition_name)

    transition_name = ""

    def is_offered(self, user: Any, model: Any) -> bool:
        may_begin = bool(user.has_perm(f"{model._meta.app_label}.add_{model._meta.model_name}"))
        return self.may(user, model) or (self.transition_name == "review" and may_begin)

    may: Callable[[Any, Any], bool] = staticmethod(permissions.can_edit_any)

    def fits(self, row: Any, copy: Revision | None) -> bool:
        return self.transition.fits(row, copy)

    def given(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the transition is given of what the form was told."""
        return dict(cleaned)

    def plans(self, user: Any, rows: Sequence[Any], given: Mapping[str, Any]) -> dict[Any, Plan]:
        model = type(rows[0])
        keys = [row.pk for row in rows]
        copies = {
            copy.object_id: copy
            for copy in revisions.working_copies(model).filter(object_id__in=keys).defer("content", "standing")
        }
        judged = [row for row in rows if workflow.is_judged(self.transition, copies.get(row.pk))]
        written = reviews.writings_of(judged)
        outdated = revisions.outdated(model, copies.values()) if self.transition_name == "publish" else set()
        hidden = [row for row in rows if not row.is_public(timezone.now())] if self.takes_address else []
        taken = addresses.addresses_taken_by(hidden)
        found = {}
        for row in rows:
            copy = copies.get(row.pk)
            refusal = ""
            if not self.fits(row, copy):
                refusal = str(self.not_fitting)
            elif not self.transition.is_allowed(user, row):
                refusal = _("You may not do this here.")
            elif row in judged:
                refusal = workflow.why_not_alone(written.get(row.pk, []), user)
            if not refusal and copy is not None and copy.pk in outdated:
                refusal = _("The published text has changed since this draft was started. Merge the two first.")
            if not refusal and row.get_absolute_url() in taken:
                refusal = str(_TAKEN)
            found[row.pk] = Plan("" if refusal else str(self.outcome), refusal)
        return found

    def apply(self, user: Any, row: Any, given: Mapping[str, Any]) -> str:
        revisions.record_external_changes(row)
        plan = self.plans(user, [row], given)[row.pk]
        if plan.refusal:
            raise ValidationError(plan.refusal)
        return self.transition.apply(row, revisions.working_copy(row), user, self.given(given))


class SendAct(ByTransition):
    name = transition_name = "review"
    label = gettext_lazy("Send for review…")
    button = gettext_lazy("Send for review")
    explanation = gettext_lazy("Reviewers find them on their dashboard.")
    outcome = gettext_lazy("Will be sent for review")
    not_fitting = gettext_lazy("It has no draft that could be sent.")


class ApproveAct(ByTransition):
    name = transition_name = "approve"
    label = gettext_lazy("Approve…")
    button = gettext_lazy("Approve")
    explanation = gettext_lazy("A publisher can then publish them.")
    outcome = gettext_lazy("Will be approved")
    not_fitting = gettext_lazy("It is not in review.")


class PublishManyForm(BulkForm):
    kind = workflow.PublishForm.base_fields["kind"]
    note = workflow.PublishForm.base_fields["note"]
    field_order = ["kind", "note", "comment"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("kind") == Revision.Kind.CORRECTION and not cleaned.get("note"):
            self.add_error("note", _("For a correction, tell readers what was wrong."))
        return cleaned


class PublishAct(ByTransition):
    name = transition_name = "publish"
    label = gettext_lazy("Publish…")
    button = gettext_lazy("Publish")
    explanation = gettext_lazy("Readers see these texts as soon as they are published.")
    takes_address = True
    form = PublishManyForm
    outcome = gettext_lazy("Readers will see it")
    not_fitting = gettext_lazy("It has no draft that could be published.")
    may = staticmethod(permissions.can_publish)


class UnpublishAct(ByTransition):
    name = "unpublish"
    transition_name = "times"
    label = gettext_lazy("Unpublish…")
    button = gettext_lazy("Unpublish")
    explanation = gettext_lazy("Their addresses tell readers that they were withdrawn.")
    outcome = gettext_lazy("Readers will not see it any more")
    not_fitting = gettext_lazy("Readers cannot see it.")
    loses_readers = True
    may = staticmethod(permissions.can_publish)

    def fits(self, row: Any, copy: Revision | None) -> bool:
        return visibility.publication_state(row) == "published"

    def given(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        return {**cleaned, "retire_at": timezone.now()}


# What is drafted


class DraftAct(BulkAct):
    """A change of what is drafted: of a published record readers see it once the draft is published."""

    def is_offered(self, user: Any, model: Any) -> bool:
        begins = bool(user.has_perm(f"{model._meta.app_label}.add_{model._meta.model_name}"))
        return begins or permissions.can_edit_any(user, model)

    def change(self, content: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """Return those fields of the content that become something else."""
        raise NotImplementedError

    def no_change(self, given: Mapping[str, Any]) -> str:
        raise NotImplementedError

    def in_words(self, changed: Mapping[str, Any]) -> str:
        raise NotImplementedError

    def names(self) -> Sequence[str]:
        """Return the fields of the content that are looked at."""
        raise NotImplementedError

    def plans(self, user: Any, rows: Sequence[Any], given: Mapping[str, Any]) -> dict[Any, Plan]:
        contents = revisions.drafted_values(rows, self.names())
        found = {}
        for row in rows:
            changed = self.change(contents[row.pk], given)
            if not permissions.can_write_draft(user, row):
                found[row.pk] = Plan(refusal=_("You may not do this here."))
            elif not changed:
                found[row.pk] = Plan(refusal=self.no_change(given))
            else:
                later = " " + _("(readers see it once its draft is published)") if row.published else ""
                found[row.pk] = Plan(self.in_words(changed) + later)
        return found

    def apply(self, user: Any, row: Any, given: Mapping[str, Any]) -> str:
        revisions.record_external_changes(row)
        draft = Draft.of(row)
        changed = self.change(draft.content, given)
        if not permissions.can_write_draft(user, row):
            raise ValidationError(_("You may not do this here."))
        if not changed:
            raise ValidationError(self.no_change(given))
        revisions.save_draft(row, draft.content | changed, author=user, comment=given["comment"])
        return self.in_words(changed)


class TagsForm(BulkForm):
    tags = TagsField(
        label=gettext_lazy("Tags"),
        widget=TagsInput(attrs={"class": "vLargeTextField"}),
        help_text=gettext_lazy("Separate tags with commas: free software, exile."),
    )
    field_order = ["tags", "comment"]

    def clean_tags(self) -> list[str]:
        names: list[str] = self.cleaned_data["tags"]
        if not names:
            raise ValidationError(_("Name at least one tag."))
        return manager.current_names(names)


class TagAct(DraftAct):
    name = "tag"
    label = gettext_lazy("Add tags…")
    button = gettext_lazy("Add tags")
    form = TagsForm
    asks = True

    def is_offered(self, user: Any, model: Any) -> bool:
        return hasattr(model, "tags") and super().is_offered(user, model)

    def names(self) -> Sequence[str]:
        return ["tags"]

    def change(self, content: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        had = {fold_name(name) for name in content["tags"]}
        new = [name for name in given["tags"] if fold_name(name) not in had]
        return {"tags": sorted([*content["tags"], *new])} if new else {}

    def no_change(self, given: Mapping[str, Any]) -> str:
        return _("It has these tags already.")

    def in_words(self, changed: Mapping[str, Any]) -> str:
        return _("Tags: %(tags)s") % {"tags": ", ".join(changed["tags"]) or _("none")}


class UntagAct(TagAct):
    name = "untag"
    label = gettext_lazy("Remove tags…")
    button = gettext_lazy("Remove tags")

    def change(self, content: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        unwanted = {fold_name(name) for name in given["tags"]}
        left = [name for name in content["tags"] if fold_name(name) not in unwanted]
        return {} if left == list(content["tags"]) else {"tags": left}

    def no_change(self, given: Mapping[str, Any]) -> str:
        return _("It has none of these tags.")


class SetAct(DraftAct):
    """One field of all records gets the same value, of those that it offers."""

    asks = True

    def __init__(
        self, name: str, field_name: str, label: Any, choices: Iterable[tuple[Any, Any]], read: Any = str
    ) -> None:
        self.name, self.field_name, self.label, self.read = name, field_name, label, read
        self.choices = list(choices)
        offered = forms.ChoiceField(label=str(label).rstrip("…"), choices=self.choices, widget=forms.RadioSelect)
        self.form = type("SetForm", (BulkForm,), {"value": offered, "field_order": ["value", "comment"]})
        self.button = str(label).rstrip("…")

    def names(self) -> Sequence[str]:
        return [self.field_name]

    def change(self, content: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        value = self.read(given["value"])
        return {} if content[self.field_name] == value else {self.field_name: value}

    def no_change(self, given: Mapping[str, Any]) -> str:
        return _("It is set so already.")

    def in_words(self, changed: Mapping[str, Any]) -> str:
        return next(str(label) for value, label in self.choices if self.read(value) == changed[self.field_name])


class SetNowAct(SetAct):
    """The same for records without drafts: readers see it at once."""

    def is_offered(self, user: Any, model: Any) -> bool:
        return bool(user.has_perm(f"{model._meta.app_label}.change_{model._meta.model_name}"))

    def plans(self, user: Any, rows: Sequence[Any], given: Mapping[str, Any]) -> dict[Any, Plan]:
        found = {}
        for row in rows:
            changed = self.change({self.field_name: getattr(row, self.field_name)}, given)
            found[row.pk] = Plan(self.in_words(changed)) if changed else Plan(refusal=self.no_change(given))
        return found

    def apply(self, user: Any, row: Any, given: Mapping[str, Any]) -> str:
        changed = self.change({self.field_name: getattr(row, self.field_name)}, given)
        if not changed:
            raise ValidationError(self.no_change(given))
        setattr(row, self.field_name, changed[self.field_name])
        row.save(update_fields=[self.field_name])
        return self.in_words(changed)


PUBLISHING_ACTS: tuple[BulkAct, ...] = (SendAct(), ApproveAct(), PublishAct(), UnpublishAct(), TagAct(), UntagAct())


# The pages


@dataclass
class Job:
    """An act on records, while its pages are gone through: it travels in their forms, signed, and is kept nowhere."""

    keys: list[int]
    seen: row_versions.Etags
    data: dict[str, str] = field(default_factory=dict)  # what the form of the act was told
    done: int = 0
    changed: int = 0
    refused: list[tuple[int, str, str]] = field(default_factory=list)  # key, title, reason

    def signed(self, salt: str) -> str:
        return signing.dumps(asdict(self), salt=salt, compress=True)

    @classmethod
    def read(cls, text: str, salt: str) -> "Job":
        return cls(**signing.loads(text, salt=salt, max_age=LIFETIME))


class BulkActs(Feature):
    """The acts that a list offers on the records chosen in it; see `ContentAdmin.get_actions`."""

    def urls(self) -> list[URLPattern]:
        return [self.path(f"many/{act.name}/", self.act_view, f"many_{act.name}", act=act) for act in self.acts()]

    def acts(self) -> Sequence[BulkAct]:
        found: Sequence[BulkAct] = self.admin.bulk_acts
        return found

    def actions(self, request: HttpRequest) -> dict[str, tuple[Callable[..., Any], str, str]]:
        """Return what the list offers to this person, as Django's lists have it."""

        def action(act: BulkAct) -> Callable[..., HttpResponse]:
            return lambda _admin, request, queryset: self.start(request, act, queryset)

        offered = [act for act in self.acts() if act.is_offered(request.user, self.model)]
        return {f"many_{act.name}": (action(act), f"many_{act.name}", str(act.label)) for act in offered}

    def start(self, request: HttpRequest, act: BulkAct, rows: Any) -> HttpResponse:
        """Show what an act would do to these rows."""
        keys = list(rows.order_by(*rows.query.order_by or ["pk"]).values_list("pk", flat=True)[: MOST + 1])
        if len(keys) > MOST:
            told = _("Choose at most %(most)s records at once. Nothing was done.") % {"most": f"{MOST:,}"}
            return self._page(request, act, Job([], {}), act.form(), [], error=told, status=400)
        queue.process_queue()  # indexing may note something beside the records
        job = Job(keys, row_versions.etags_of_keys(self.model, keys))
        return self._preview(request, act, job, act.form())

    def act_view(self, request: HttpRequest, act: BulkAct) -> HttpResponse:
        if not act.is_offered(request.user, self.model):
            raise PermissionDenied
        if request.method != "POST":
            rows = self.admin.rows_beside(request, request.GET.get("of", ""))
            if rows is None:
                raise Http404
            return self.start(request, act, rows)
        try:
            job = Job.read(request.POST.get("job", ""), self._salt(request, act))
        except (signing.BadSignature, TypeError):
            told = _("The preview has expired. Nothing was done. Please choose the records again.")
            return self._page(request, act, Job([], {}), act.form(), [], error=told, status=400)
        form = act.form(job.data if "go_on" in request.POST else request.POST)
        if not form.is_valid() or not {"apply", "go_on"} & {*request.POST}:
            return self._preview(request, act, job, form)
        if not job.data:
            job.data = {name: request.POST.get(name, "") for name in form.fields}
        return self._work(request, act, job, form.cleaned_data)

    def _salt(self, request: HttpRequest, act: BulkAct) -> str:
        return f"{self.opts.label_lower} {act.name} by {request.user.pk}"

    def _rows(self, request: HttpRequest, keys: Sequence[int]) -> list[Any]:
        """Return the rows of these keys that this person may read, in their order."""
        found = self.admin.get_queryset(request).in_bulk(keys)
        return [found[key] for key in keys if key in found]

    def _preview(self, request: HttpRequest, act: BulkAct, job: Job, form: Any) -> HttpResponse:
        rows = self._rows(request, job.keys)
        given = form.cleaned_data if form.is_bound and form.is_valid() else {}
        plans = act.plans(request.user, rows, given) if rows and (given or not act.asks) else {}
        has_states = issubclass(self.model, Publishable)
        lines = [
            (row, reverse(self._form_name, args=[row.pk]), badge_of(row) if has_states else "", plans.get(row.pk))
            for row in rows
        ]
        links = backlinks_of(rows, request.user) if act.loses_readers and rows else NO_LINKS
        status = 200 if not form.errors else 400
        return self._page(request, act, job, form, lines, links=links, status=status)

    @property
    def _form_name(self) -> str:
        return f"admin:{self.opts.app_label}_{self.opts.model_name}_change"

    def _work(self, request: HttpRequest, act: BulkAct, job: Job, given: Mapping[str, Any]) -> HttpResponse:
        """Do it to the next of the records, and show how far it is."""
        keys = job.keys[job.done : job.done + AT_A_TIME]
        error = ""
        try:
            with locking.write_transaction():
                changed, refused = self._apply(request, act, job, keys, given)
        except OperationalError as busy:
            if not locking.is_busy(busy):
                raise
            error = _("The database is busy. Nothing more was done. Please continue.")
        else:
            job.done += len(keys)
            job.changed += changed
            job.refused += refused
        finished = job.done >= len(job.keys)
        return self._page(request, act, job, None, [], error=error, finished=finished, status=503 if error else 200)

    def _apply(
        self, request: HttpRequest, act: BulkAct, job: Job, keys: Sequence[int], given: Mapping[str, Any]
    ) -> tuple[int, list[tuple[int, str, str]]]:
        """Return how many were changed, and which were refused. To be called in a transaction."""
        manager: Any = self.model._default_manager
        locked = manager.select_for_update(of=("self",)).in_bulk(keys)
        readable = {row.pk for row in self._rows(request, keys)}
        changed_since = {row.pk for row in row_versions.changed_rows(locked.values(), job.seen)}
        changed, refused = 0, []
        for key in keys:
            row = locked.get(key)
            if row is None or key not in readable:
                refused.append((key, str(key), _("It was deleted.")))
                continue
            if key in changed_since:
                refused.append((key, str(row), _("It was changed since you opened the preview.")))
                continue
            title = str(row)
            try:
                with transaction.atomic():
                    self._check_addresses(act, row)
                    said = act.apply(request.user, row, given)
            except ValidationError as error:
                refused.append((key, title, " ".join(error.messages)))
            else:
                self.admin.log_change(request, row, said)
                changed += 1
        queue.process_queue()
        return changed, refused

    def _check_addresses(self, act: BulkAct, row: Any) -> None:
        """Raise ValidationError where readers would find the record at an address that leads them elsewhere now."""
        if not act.takes_address or self.admin.is_public(row):
            return
        if addresses.addresses_taken_by(self.admin.form.rows_shown_with(row)):
            raise ValidationError(_TAKEN)

    def _page(
        self,
        request: HttpRequest,
        act: BulkAct,
        job: Job,
        form: Any,
        lines: Sequence[Any],
        *,
        links: Backlinks = NO_LINKS,
        error: str = "",
        finished: bool = False,
        status: int = 200,
    ) -> HttpResponse:
        planned = [plan for _row, _address, _state, plan in lines if plan is not None]
        context = {
            **self.admin_site.each_context(request),
            "title": f"{act.button}: {capfirst(str(self.opts.verbose_name_plural))}",
            "opts": self.opts,
            "act": act,
            "act_address": self.url(f"many_{act.name}"),
            "job": job,
            "signed": job.signed(self._salt(request, act)),
            "form": form,
            "lines": lines,
            "has_states": issubclass(self.model, Publishable),
            "planned": bool(planned),
            "will": sum(not plan.refusal for plan in planned),
            "will_not": sum(bool(plan.refusal) for plan in planned),
            "total": len(job.keys),
            "backlinks": links,
            "error": error,
            "finished": finished,
            "refused": [(reverse(self._form_name, args=[key]), title, why) for key, title, why in job.refused],
            "media": self.admin.media + (form.media if form is not None else forms.Media()),
        }
        return TemplateResponse(request, "editor/bulk.html", context, status=status)
