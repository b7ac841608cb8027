"""Import and export in the admin: a file is previewed with its differences, and imported as it was previewed."""

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rlm_site import turns
from rlm_site.editor.concurrency import locking, row_versions
from rlm_site.editor.features import Feature
from rlm_site.editor.importing import (
    MOST_COLUMNS,
    MOST_ROWS,
    READERS,
    ContentResource,
    Rows,
    TooManyRowsError,
    UnreadableError,
    decoded,
)
from rlm_site.history.models import Import
from rlm_site.indexing import queue

MOST_BYTES = 2_000_000
MOST_EXPORTED = 10_000
MOST_NAMED = 20  # of the rows that somebody has changed meanwhile
PREVIEW_SECONDS = 24 * 60 * 60  # seconds that a preview can be confirmed


@dataclass(frozen=True)
class Upload:
    """A file between preview and import: it travels in the form, signed, and is kept nowhere."""

    name: str
    digest: str
    text: str
    options: dict[str, Any] = field(default_factory=dict)  # what was chosen beside the file, by the name of its field

    @classmethod
    def of(cls, file: Any, options: dict[str, Any]) -> "Upload":
        data = file.read()
        return cls(file.name, hashlib.sha256(data).hexdigest(), decoded(data), options)

    def rows(self) -> Rows:
        return READERS[_ending(self.name)](self.text)

    def signed(self, salt: str) -> str:
        return signing.dumps(asdict(self), salt=salt, compress=True)

    @classmethod
    def read(cls, text: str, salt: str) -> "Upload":
        """Return the file that a form has carried. Raises BadSignature."""
        return cls(**signing.loads(text, salt=salt, max_age=PREVIEW_SECONDS))


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower()


class UploadForm(forms.Form):
    """Asks for a file; for kinds of records that ask for more, `groups` are its other fields, each with a title."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        max_length=200,
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.json"}),
        help_text=gettext_lazy("A CSV or JSON file in UTF-8. You see what it would change before anything is saved."),
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        return []

    def options(self) -> dict[str, Any]:
        """Return what was chosen beside the file, as JSON can hold it, and the form be opened with it again."""
        return {}

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if _ending(file.name) not in READERS:
            raise ValidationError(_("The file name must end in .csv or .json."))
        if file.size > MOST_BYTES:
            told = _("The file is larger than %(most)d MB. Split it into several files.")
            raise ValidationError(told, params={"most": MOST_BYTES // 1_000_000}, code="too_large")
        return file


class RefusedError(Exception):
    """Nothing is imported; `why` is empty where a new preview says it."""

    def __init__(self, why: str = "") -> None:
        super().__init__(why)
        self.why = why


class ImportExport(Feature):
    """Files of records, in and out; the admin names the `resource_class` that reads and writes them.

    Its `import_form` may ask for more than the file, as options of the resource.
    """

    def __init__(self, model_admin: Any) -> None:
        super().__init__(model_admin)
        self.resource_class: type[ContentResource] = model_admin.resource_class
        self.form_class: type[UploadForm] = getattr(model_admin, "import_form", UploadForm)

    def urls(self) -> list[URLPattern]:
        return [
            self.path("import/", self.import_view, "import"),
            self.path("export/<str:ending>/", self.export_view, "export"),
        ]

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        return {"can_import": self.can_import(request), "can_export": self.admin.has_view_permission(request)}

    def can_import(self, request: HttpRequest) -> bool:
        label, name = self.opts.app_label, self.opts.model_name
        return request.user.has_perms([f"{label}.{act}_{name}" for act in ("import", "add", "change")])

    # Import

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Asks for a file, shows what it would change, and changes that."""
        if not self.can_import(request):
            raise PermissionDenied
        return (
            self._sent(request) if request.method == "POST" else self._page(request, form=self.form_class(request.user))
        )

    @turns.long_view
    def _sent(self, request: HttpRequest) -> HttpResponse:
        if "upload" in request.POST:
            return self._confirmed(request)
        form = self.form_class(request.user, request.POST, request.FILES)
        if form.is_valid():
            try:
                upload = Upload.of(form.cleaned_data["file"], form.options())
                return self._preview(request, upload)
            except TooManyRowsError as error:
                form.add_error("file", f"{error} {self._for_more()}".strip())
            except UnreadableError as error:
                form.add_error(error.field, str(error))
        return self._page(request, form=form)

    def _for_more(self) -> str:
        command = self.resource_class.command
        return (
            _("For larger files, ask the operator of the site to run `manage.py %(name)s`.") % {"name": command}
            if command
            else ""
        )

    def _preview(self, request: HttpRequest, upload: Upload, **context: Any) -> HttpResponse:
        resource = self.resource_class(request.user, upload.options)
        with turns.long_work():
            resource.load(upload.rows())
            result = resource.run(write=False)
        if result.has_validation_errors():
            form = self.form_class(request.user, initial=upload.options)
            return self._page(request, form=form, upload=upload, invalid=result.invalid_rows, **context)
        rows = [row for row in result.rows if not row.is_skip()]
        sent = {"signed": upload.signed(self._salt(request)), "seen": row_versions.sign(resource.seen)}
        counts = {"rows": rows, "totals": result.totals, "unchanged": result.totals["skip"]}
        context["remarks"] = resource.remarks(result)
        return self._page(request, upload=upload, sent=sent, **counts, **context)

    def _salt(self, request: HttpRequest) -> str:
        return f"{self.opts.label_lower} import by {request.user.pk}"

    def _confirmed(self, request: HttpRequest) -> HttpResponse:
        try:
            upload = Upload.read(request.POST["upload"], self._salt(request))
        except signing.BadSignature:
            messages.error(request, _("The preview has expired. Nothing was imported. Please choose the file again."))
            return HttpResponseRedirect(request.path)
        seen, _mark = row_versions.unsign(request.POST.get("seen", ""))
        try:
            with locking.write_transaction():
                said = self._import(request, upload, seen)
        except RefusedError as refused:
            if refused.why:
                messages.error(request, refused.why)
            return self._preview(request, upload, status=409)
        except UnreadableError as error:  # the columns are others since an update of the site
            messages.error(request, str(error))
            return HttpResponseRedirect(request.path)
        except IntegrityError:
            messages.error(
                request,
                _("Somebody has just saved the same record. Nothing was imported. Please check the preview again."),
            )
            return self._preview(request, upload, status=409)
        except OperationalError as error:
            if not locking.is_busy(error):
                raise
            messages.error(request, _("The database is busy. Nothing was imported. Please try again."))
            return self._preview(request, upload, status=503)
        queue.process_queue()
        messages.success(request, said)
        return HttpResponseRedirect(self.url("changelist"))

    def _import(self, request: HttpRequest, upload: Upload, seen: row_versions.Etags) -> str:
        """Import the file, and return what is said of it. To be called in a transaction, which an error is to end."""
        author: Any = request.user
        resource = self.resource_class(author, upload.options)
        imported = Import.objects.create(
            name=upload.name[:200],
            digest=upload.digest,
            model=ContentType.objects.get_for_model(self.model, for_concrete_model=False),
            author=author,
        )
        resource.imported = imported
        resource.load(upload.rows(), lock=True)
        if resource.seen != seen:
            names = ", ".join(f"“{row}”" for row in resource.changed_since(seen)[:MOST_NAMED])
            told = _("Changed since this preview: %(names)s. Nothing was imported. An updated preview is shown below.")
            raise RefusedError(told % {"names": names or _("something was deleted")})
        result = resource.run(write=True)
        if result.has_validation_errors():
            raise RefusedError
        totals = result.totals
        imported.added, imported.changed, imported.unchanged = totals["new"], totals["update"], totals["skip"]
        imported.save()
        for kind, act in (("new", ADDITION), ("update", CHANGE)):
            rows: Any = [row.instance for row in result.rows if row.import_type == kind]
            if rows:
                said = _("Imported from %(file)s.") % {"file": imported}
                LogEntry.objects.log_actions(author.pk, rows, act, change_message=said)
        return self._said(result, imported, resource.remarks(result))

    def _said(self, result: Any, imported: Import, remarks: list[str]) -> str:
        counts = {
            "file": imported.name,
            "added": imported.added,
            "changed": imported.changed,
            "unchanged": imported.unchanged,
        }
        said = _("Imported %(file)s: %(added)d added, %(changed)d changed, %(unchanged)d unchanged.") % counts
        outcomes = dict.fromkeys(row.outcome for row in result.rows if row.outcome and not row.is_skip())
        return " ".join([said, *outcomes, *remarks])

    def _page(self, request: HttpRequest, *, status: int = 200, form: Any = None, **context: Any) -> HttpResponse:
        resource = self.resource_class(request.user)
        return TemplateResponse(
            request,
            "editor/import.html",
            {
                **self.admin_site.each_context(request),
                "title": _("Import %(names)s") % {"names": self.opts.verbose_name_plural},
                "opts": self.opts,
                "media": self.admin.media,
                "form": form,
                "columns": resource.columns(),
                "natural_key": resource.natural_key,
                "most_rows": MOST_ROWS,
                "most_columns": MOST_COLUMNS,
                "most_megabytes": MOST_BYTES // 1_000_000,
                "for_more": self._for_more(),
                **context,
            },
            status=status,
        )

    # Export

    def export_view(self, request: HttpRequest, ending: str) -> HttpResponse:
        """Return what the list shows with its filters as a file that can be imported again."""
        if not self.admin.has_view_permission(request):
            raise PermissionDenied
        if ending not in READERS:
            raise Http404
        listed = f"{self.url('changelist')}?{request.GET.urlencode()}"
        try:
            queryset = self.admin.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(listed)
        rows = self.admin.for_export(request, queryset)
        if rows.count() > MOST_EXPORTED:
            told = _("The list has more than %(most)d records. Filter it to export fewer.")
            messages.error(request, told % {"most": MOST_EXPORTED})
            return HttpResponseRedirect(listed)
        resource = self.resource_class(request.user)
        kind = "application/json" if ending == "json" else "text/csv"
        name = f"{self.opts.verbose_name_plural}-{timezone.localdate():%Y-%m-%d}.{ending}"
        return HttpResponse(
            resource.exported(rows, as_json=ending == "json"),
            content_type=f"{kind}; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
