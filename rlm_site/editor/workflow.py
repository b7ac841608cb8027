"""The workflow of a draft: review, approval, publication and discarding, each transition on a page of its own."""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rlm_site.editor import addresses
from rlm_site.editor.backlinks import NO_LINKS, backlinks_of
from rlm_site.editor.concurrency import locking
from rlm_site.editor.features import Feature
from rlm_site.history import diff, reviews, revisions
from rlm_site.history.drafts import Draft
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.publishing import permissions, visibility
from rlm_site.publishing.models import Publishable

_Moment = forms.SplitDateTimeField


class TransitionForm(forms.Form):
    seen = forms.IntegerField(widget=forms.HiddenInput)  # the newest revision that the page was made of
    comment = forms.CharField(
        label=gettext_lazy("Comment for editors"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Saved in the history."),
    )

    def __init__(self, *args: Any, row: Publishable, taken: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row
        addresses.ask_about(self, taken)


class ReasonsForm(TransitionForm):
    comment = forms.CharField(
        label=gettext_lazy("Comments"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("What the author should change. Shown above the text until it is in review again."),
    )


class PublishForm(TransitionForm):
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind of change"),
        choices=[(kind, capfirst(label)) for kind, label in Revision.Kind.choices if kind != Revision.Kind.NEW],
        initial=Revision.Kind.REVISION,
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=gettext_lazy("Summary for readers"),
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
        help_text=gettext_lazy("Tells readers on the changes page what changed. Minor changes are not listed."),
    )
    publish_at = _Moment(
        label=gettext_lazy("Publish at"), required=False, widget=AdminSplitDateTime, help_text="", initial=None
    )
    field_order = ["kind", "note", "publish_at", "comment"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.row.published:
            del self.fields["publish_at"]
        else:
            del self.fields["kind"]  # it is new
            self.fields["publish_at"].help_text = _("Leave empty to publish at once. %(clock)s") % {
                "clock": describe_clock()
            }
        _name_parts(self)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        kind = cleaned.get("kind", Revision.Kind.NONE)
        if kind == Revision.Kind.CORRECTION and not cleaned.get("note"):
            self.add_error("note", _("For a correction, tell readers what was wrong."))
        return cleaned


SCHEDULE = ("publish_at", "retire_at", "retired_to")


class ScheduleForm(TransitionForm):
    retire_now = forms.BooleanField(label=gettext_lazy("Unpublish now"), required=False)
    publish_at = _Moment(label=gettext_lazy("Public from"), required=False, widget=AdminSplitDateTime)
    retire_at = _Moment(label=gettext_lazy("Public until"), required=False, widget=AdminSplitDateTime)
    retired_to = forms.CharField(
        label=gettext_lazy("Redirect readers to"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
        help_text=gettext_lazy(
            "The address on this site that replaces it. Leave empty to tell readers that it was withdrawn."
        ),
    )
    field_order = ["retire_now", "publish_at", "retire_at", "retired_to", "comment"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        now = timezone.now()
        for name in list(self.fields):
            if hasattr(self.row, name):
                self.initial.setdefault(name, getattr(self.row, name))
        state = visibility.publication_state(self.row, now)
        if state != "scheduled":
            del self.fields["publish_at"]
        if state == "retired":
            del self.fields["retire_now"]
        self.fields["retire_at"].help_text = _("Leave empty for no end date. %(clock)s") % {"clock": describe_clock()}
        _name_parts(self)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("retire_now"):
            cleaned["retire_at"] = timezone.now()
        if cleaned.get("retire_at") and cleaned["retire_at"] <= timezone.now():
            self.errors.pop(addresses.FIELD, None)  # it takes none
        names = [name for name in SCHEDULE if name in cleaned]
        row = copy(self.row)  # the page shows the row as it is
        for name in names:
            setattr(row, name, cleaned[name])
        others = {field.name for field in row._meta.fields} - set(names)
        try:
            row.full_clean(exclude=others, validate_unique=False)
        except ValidationError as error:
            for name, told in error.update_error_dict({}).items():
                self.add_error(name if name in self.fields else "retire_at", told)
        return cleaned


def describe_clock() -> str:
    """Return by which clock the times of a form go, in words."""
    return _("Time zone: %(zone)s (now %(time)s).") % {
        "zone": timezone.get_current_timezone_name(),
        "time": timezone.localtime().strftime("%H:%M"),
    }


def _name_parts(form: forms.Form) -> None:
    for field in form.fields.values():
        if isinstance(field.widget, forms.SplitDateTimeWidget):
            for part, words in zip(field.widget.widgets, (_("date"), _("time")), strict=True):
                part.attrs["aria-label"] = f"{field.label}, {words}"


@dataclass(frozen=True)
class Transition:
    name: str
    label: str | Promise  # on the button
    explanation: str | Promise
    is_allowed: Callable[[Any, Publishable], bool]
    fits: Callable[[Publishable, Revision | None], bool]
    # Returns what was done, in words with the record's title; empty where nothing was changed
    apply: Callable[[Publishable, Revision | None, Any, Mapping[str, Any]], str]
    form: type[TransitionForm] = TransitionForm
    shows_difference: bool = False
    takes_address: bool = False  # of a record that readers do not find now
    loses_readers: bool = False  # what links to the record is named


def _set_state(state: str, said: str | Promise) -> Callable[..., str]:
    def apply(row: Publishable, copy: Revision | None, user: Any, given: Mapping[str, Any]) -> str:
        assert copy is not None  # noqa: S101 - it fits
        revisions.record_revision(
            row, state=state, content=copy.content, base=copy.base, author=user, comment=given["comment"]
        )
        return str(said) % {"title": row}

    return apply


def _publish(row: Publishable, copy: Revision | None, user: Any, given: Mapping[str, Any]) -> str:
    assert copy is not None  # noqa: S101 - it fits
    publish_at: datetime | None = given.get("publish_at")
    if publish_at is not None and publish_at <= timezone.now():
        publish_at = None
    revisions.publish(
        row,
        copy.content,
        kind=given.get("kind", Revision.Kind.NONE),
        note=given["note"],
        author=user,
        comment=given["comment"],
        publish_at=publish_at,
    )
    if visibility.publication_state(row) == "retired":
        return _("The changes are saved, but “%(title)s” is still unpublished.") % {"title": row}
    return _describe_schedule(row)


def _reschedule(row: Publishable, copy: Revision | None, user: Any, given: Mapping[str, Any]) -> str:
    changed = [name for name in SCHEDULE if name in given and _as_typed(given[name]) != _as_typed(getattr(row, name))]
    if not changed:
        return ""
    for name in changed:
        setattr(row, name, given[name])
    row.save(update_fields=SCHEDULE)
    revisions.record_revision(
        row, state=Revision.State.PUBLISHED, act=Revision.Act.TIMES, author=user, comment=given["comment"]
    )
    return _describe_schedule(row)


def _as_typed(value: Any) -> Any:
    """Return a value as a form shows it: a time without its fraction of a second."""
    return value.replace(microsecond=0) if isinstance(value, datetime) else value


def _describe_schedule(row: Publishable) -> str:
    """Return what readers see of a record that is published, and until when, in words."""
    now = timezone.now()
    times = {
        "title": row,
        "start": _moment(row.publish_at, now),
        "end": _moment(row.retire_at, now),
        "path": row.retired_to,
    }
    state = visibility.publication_state(row, now)
    if state == "retired" and row.retired_to:
        return _("“%(title)s” is unpublished. Its address redirects readers to %(path)s.") % times
    if state == "retired":
        return _("“%(title)s” is unpublished.") % times
    if state == "scheduled" and row.retire_at:
        return _("“%(title)s” will be published on %(start)s, and unpublished on %(end)s.") % times
    if state == "scheduled":
        return _("“%(title)s” will be published on %(start)s.") % times
    if row.retire_at:
        return _("“%(title)s” is published until %(end)s.") % times
    return _("“%(title)s” is published.") % times


def _moment(moment: datetime | None, now: datetime) -> str:
    """Return a time with its time zone, without the year where it is this one."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    return formats.date_format(local, "j F, H:i T" if local.year == timezone.localtime(now).year else "j F Y, H:i T")


def is_judged(transition: Transition, copy: Revision | None) -> bool:
    """Return whether it takes somebody else than who wrote the text: to approve it, or publish what nobody approved."""
    approves = transition.name == "approve" or (
        transition.name == "publish" and getattr(copy, "state", "") != Revision.State.APPROVED
    )
    return approves and settings.REVIEW_BY_ANOTHER


def why_not_alone(written: list[reviews.Written], user: Any) -> str:
    """Return why this person cannot approve a text alone, in words; empty where somebody else has read all of it."""
    if not reviews.is_unread_by_others(written, user.pk):
        return ""
    if all(each.in_review for each in written if each.author == user.pk):
        return _("You corrected this text in review. Its author or another editor has to approve it.")
    return _("You wrote part of this text. Somebody else has to approve it.")


def _mark_reviewed(row: Any, copy: Revision | None, user: Any, given: Mapping[str, Any]) -> str:
    row.reviewed_on = timezone.localdate()
    row.save(update_fields=["reviewed_on"])
    state = Revision.State.PUBLISHED if row.published else Revision.State.DRAFT
    revisions.record_revision(row, state=state, act=Revision.Act.REVIEWED, author=user, comment=given["comment"])
    return _("“%(title)s” is marked as reviewed today.") % {"title": row}


def _can_approve(user: Any, row: Publishable) -> bool:
    """Return whether the user may approve: editors, and whoever accepts what a reviewer corrected in their text."""
    if permissions.can_edit_any(user, row):
        return True
    if not settings.REVIEW_BY_ANOTHER or not permissions.can_write_draft(user, row):
        return False
    return reviews.is_corrected_for(reviews.writings_of([row]).get(row.pk, []), user.pk)


def _in_state(*states: str) -> Callable[[Publishable, Revision | None], bool]:
    return lambda row, copy: copy is not None and copy.state in states


State = Revision.State
TRANSITIONS = (
    Transition(
        "publish",
        gettext_lazy("Publish changes…"),
        gettext_lazy("Readers see this text as soon as it is published."),
        permissions.can_publish,
        _in_state(*Revision.WORKING),
        _publish,
        PublishForm,
        shows_difference=True,
        takes_address=True,
    ),
    Transition(
        "review",
        gettext_lazy("Send for review…"),
        gettext_lazy("Reviewers find it on their dashboard."),
        permissions.can_write_draft,
        _in_state(State.DRAFT, State.RETURNED),
        _set_state(State.IN_REVIEW, gettext_lazy("“%(title)s” was sent for review.")),
        shows_difference=True,
    ),
    Transition(
        "approve",
        gettext_lazy("Approve…"),
        gettext_lazy("A publisher can then publish it."),
        _can_approve,
        _in_state(State.IN_REVIEW),
        _set_state(State.APPROVED, gettext_lazy("“%(title)s” is approved.")),
        shows_difference=True,
        takes_address=True,
    ),
    Transition(
        "withdraw",
        gettext_lazy("Withdraw from review…"),
        gettext_lazy("It is a draft again, with all that was changed in review."),
        permissions.can_write_draft,
        _in_state(*Revision.UNDER_REVIEW),
        _set_state(State.DRAFT, gettext_lazy("“%(title)s” was withdrawn from review.")),
    ),
    Transition(
        "return",
        gettext_lazy("Return with comments…"),
        gettext_lazy("The draft goes back to its author."),
        permissions.can_edit_any,
        _in_state(State.IN_REVIEW, State.APPROVED),
        _set_state(State.RETURNED, gettext_lazy("“%(title)s” was returned to its author.")),
        ReasonsForm,
        shows_difference=True,
    ),
    Transition(
        "discard",
        gettext_lazy("Discard draft…"),
        gettext_lazy("The published text does not change. The draft is kept in the history."),
        permissions.can_write_draft,
        lambda row, copy: row.published and copy is not None,
        _set_state(State.DISCARDED, gettext_lazy("The draft of “%(title)s” was discarded.")),
        shows_difference=True,
    ),
    Transition(
        "times",
        gettext_lazy("Schedule or unpublish…"),
        gettext_lazy("Once it is unpublished, its address tells readers that it was withdrawn, or redirects them."),
        permissions.can_publish,
        lambda row, copy: row.published,
        _reschedule,
        ScheduleForm,
        takes_address=True,
        loses_readers=True,
    ),
    Transition(
        "reviewed",
        gettext_lazy("Mark as reviewed…"),
        gettext_lazy("Records that somebody checked it today and found it correct. Readers see no change."),
        permissions.can_edit_any,
        lambda row, copy: hasattr(row, "reviewed_on"),
        _mark_reviewed,
    ),
)


class Workflow(Feature):
    """A page for each transition, with the same care on all of them for who may and for what is there by now."""

    def urls(self) -> list[URLPattern]:
        return [
            self.path(f"<int:pk>/{transition.name}/", self.transition_view, transition.name, transition=transition)
            for transition in TRANSITIONS
        ]

    def form_context(self, request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
        draft: Draft[Any] | None = context.get("draft")
        row: Any = None if draft is None else draft.row
        copy = None if draft is None else draft.working_copy
        offered = [] if row is None else self.available_transitions(request.user, row, copy)
        return {
            "state": "" if row is None else self.admin.describe(row, copy),
            "transitions": [(transition, self.url(transition.name, row.pk)) for transition in offered],
            "transition_names": {transition.name for transition in offered},
            "can_publish": permissions.can_publish(request.user, self.model),
            "reasons": copy.comment if copy is not None and copy.state == Revision.State.RETURNED else "",
            "draft_first": row is None or not row.published,
        }

    def available_transitions(self, user: Any, row: Any, copy: Revision | None) -> list[Transition]:
        """Return what this person may do with the record as it is."""
        return [each for each in TRANSITIONS if each.is_allowed(user, row) and each.fits(row, copy)]

    def transition_view(self, request: HttpRequest, pk: int, transition: Transition) -> HttpResponse:
        """Show what a transition would do, and do it."""
        rows: QuerySet[Any] = self.model._default_manager.select_for_update(of=("self",))
        try:
            with locking.write_transaction():
                row = get_object_or_404(rows, pk=pk)
                if not transition.is_allowed(request.user, row):
                    raise PermissionDenied
                revisions.record_external_changes(row)
                return self._transition(request, row, transition)
        except OperationalError as error:
            if not locking.is_busy(error):
                raise
        row = get_object_or_404(self.model, pk=pk)
        form = transition.form(request.POST or None, row=row, taken={}, initial={"seen": 0})
        busy = _("The database is busy. Nothing was changed. Please try again.")
        response = self._transition_page(request, transition, row, revisions.working_copy(row), form, busy)
        response.status_code = 503
        return response

    def _transition(self, request: HttpRequest, row: Any, transition: Transition) -> HttpResponse:
        """Do what was submitted, or show the page. To be called in a transaction that has locked the row."""
        copy = revisions.working_copy(row)
        newest = row.revisions.select_related("author").order_by("-number").first()
        obstacle = self._in_the_way(request, transition, row, copy)
        taken = self._addresses_taken(transition, row)
        seen = newest.number if newest else 0
        form = transition.form(request.POST or None, row=row, taken=taken, initial={"seen": seen})
        opened = None  # the version that the page was made of, where it is not the newest
        if request.method == "POST" and not obstacle and form.is_valid():
            if newest is None or form.cleaned_data["seen"] == newest.number:
                try:
                    with transaction.atomic():
                        said = transition.apply(row, copy, request.user, form.cleaned_data)
                        queue.process_queue()
                except ValidationError as error:
                    row.refresh_from_db()
                    form.add_error(None, ValidationError(error.messages))
                else:
                    return self._done(request, row, said, form.cleaned_data["comment"])
            else:
                obstacle = _("%(name)s saved a newer version after you opened this page. Check it, then try again.") % {
                    "name": newest.author or _("Another program")
                }
                opened = row.revisions.filter(number=form.cleaned_data["seen"], act="").first()
                form = transition.form(row=row, taken=taken, initial={**form.cleaned_data, "seen": newest.number})
        return self._transition_page(request, transition, row, copy, form, obstacle, opened)

    def _addresses_taken(self, transition: Transition, row: Any) -> dict[str, Any]:
        """Return the addresses that lead readers elsewhere until they find the record there."""
        if not transition.takes_address or self.admin.is_public(row):
            return {}
        return addresses.addresses_taken_by(self.admin.form.rows_shown_with(row))

    def _in_the_way(self, request: HttpRequest, transition: Transition, row: Publishable, copy: Revision | None) -> str:
        """Return why this cannot be done now and what can be done about it; empty where nothing is in the way."""
        if not transition.fits(row, copy):
            return _("This is no longer possible. Somebody may have done it already.")
        if is_judged(transition, copy):
            written = reviews.writings_of([row]).get(row.pk, [])
            if told := why_not_alone(written, request.user):
                return told
        published = revisions.published_since(row, copy) if transition.name == "publish" and copy is not None else None
        if published is not None:
            return format_html(
                '{} <a href="{}?merge={}">{}</a>',
                _("The published text has changed since this draft was started. Publishing would undo those changes."),
                self.url("change", row.pk),
                published.number,
                _("Merge the two versions"),
            )
        return ""

    def _transition_page(
        self,
        request: HttpRequest,
        transition: Transition,
        row: Any,
        copy: Revision | None,
        form: TransitionForm,
        obstacle: str,
        opened: Revision | None = None,
    ) -> HttpResponse:
        live = revisions.published_revision(row)
        differences, since = None, []
        if transition.shows_difference and copy is not None:
            differences = diff.differences(self.model, live.content if live else {}, copy.content)
            since = [
                (told, diff.differences(self.model, earlier.content, copy.content))
                for told, earlier in (
                    (_("Changed since you opened this page"), opened),
                    (_("Changed in review"), reviews.changed_since_sent(row, copy)),
                )
                if earlier is not None
            ]
        shown = Draft.of(row) if copy is None else Draft.at(row, copy)
        context = {
            **self.admin_site.each_context(request),
            "title": str(transition.label).rstrip("…"),
            "subtitle": str(row),
            "transition": transition,
            "backlinks": backlinks_of([row], request.user) if transition.loses_readers else NO_LINKS,
            "form": form,
            "original": row,
            "object_id": row.pk,
            "opts": self.opts,
            "state": self.admin.describe(row, copy),
            "obstacle": obstacle,
            "live": live,
            "differences": differences,
            "since": [(told, changed) for told, changed in since if changed],
            "content_warnings": self.admin.content_warnings(shown) if transition.shows_difference else [],
            "media": self.admin.media + form.media,
        }
        status = 409 if obstacle and request.method == "POST" else 200
        return TemplateResponse(request, "editor/transition.html", context, status=status)

    def _done(self, request: HttpRequest, row: Any, said: str, comment: str) -> HttpResponse:
        if not said:
            messages.info(request, _("Nothing was changed."))
            return HttpResponseRedirect(self.url("change", row.pk))
        self.admin.log_change(request, row, f"{said} {comment}".strip())
        link = ""
        if self.admin.is_public(row):
            link = format_html(' <a href="{}">{}</a>', row.get_absolute_url(), _("See the public page"))
        messages.success(request, format_html("{}{}", said, link))
        return HttpResponseRedirect(self.url("change", row.pk))
