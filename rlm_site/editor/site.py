"""The admin site itself."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist, SuspiciousOperation, ValidationError
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rlm_site.editor import dashboard, password_reset
from rlm_site.editor.expired_session import sign_in_again
from rlm_site.editor.features import registered_admins
from rlm_site.editor.lists import OfferedLookupsMixin, RelevantSuggestions, check_search
from rlm_site.editor.navigation import all_records, navigation, new_records
from rlm_site.editor.record_search import search_view


class SignInForm(AdminAuthenticationForm):
    def clean_username(self) -> str:
        """Refuse a name that no account can have without a look-up or a note of the attempt."""
        name: str = self.cleaned_data["username"]
        if len(name) > (User._meta.get_field("username").max_length or 150):
            raise self.get_invalid_login_error()
        return name

    def confirm_login_allowed(self, user: Any) -> None:
        """Tell somebody whose password is right what is missing; whoever guesses learns nothing of it."""
        if user.is_active and not user.is_staff:
            told = _("Your password is right, but your account has no role on this site, so you cannot sign in here.")
            remedy = _("Ask the person who made the account to choose a role for it and to save it.")
            raise ValidationError(f"{told} {remedy}", code="no_role")
        super().confirm_login_allowed(user)


class SiteAdmin(admin.AdminSite):
    login_form = SignInForm
    site_header = settings.SITE_NAME
    site_title = settings.SITE_NAME
    index_title = gettext_lazy("Editorial dashboard")
    site_url = "/"
    enable_nav_sidebar = False  # its room belongs to the text that is edited

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register models; the lists of all, also of libraries, take only the filters that they show."""
        base: Any = admin_class or admin.ModelAdmin
        offered = type(base)(base.__name__, (OfferedLookupsMixin, base), {"__module__": base.__module__})
        super().register(model_or_iterable, offered, **options)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        try:
            check_search(request.GET.get("term", ""))
        except ValidationError:
            return JsonResponse({"results": [], "pagination": {"more": False}})
        response: Any = RelevantSuggestions.as_view(admin_site=self)(request)
        return response

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """Answer names and values that make no sense with a message or 400 instead of 500."""

        @wraps(view)
        def careful(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            try:
                return view(request, *args, **kwargs)
            except (DataError, FieldDoesNotExist, OverflowError) as error:
                if not (request.GET or request.POST):
                    raise
                page = request.resolver_match and request.resolver_match.url_name
                if request.method != "POST" and str(page).endswith("_changelist"):
                    messages.warning(request, _("Part of the address is not valid. The list is shown without it."))
                    return HttpResponseRedirect(request.path)
                raise SuspiciousOperation(f"Invalid request: {error}") from error

        protected = super().admin_view(careful, cacheable)

        @wraps(protected)
        def signed_in(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            asked = sign_in_again(self, request) if request.method == "POST" else None
            return asked or protected(request, *args, **kwargs)

        return signed_in

    def get_urls(self) -> list[Any]:
        route = "r/<path:content_type_id>/<path:object_id>/"  # in place of Django's, which asks for no right
        return [
            path(route, self.admin_view(self.view_on_site), name="view_on_site"),
            path("search/", self.admin_view(partial(search_view, self)), name="search"),
            *password_reset.URLS,
            *super().get_urls(),
        ]

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().login(request, {"sends_mail": settings.SENDS_MAIL, **(extra_context or {})})

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add what the header of every page has: the kinds of record that this person works with."""
        context: dict[str, Any] = super().each_context(request)
        return {**context, "navigation": navigation(self, request) if context["has_permission"] else []}

    def view_on_site(self, request: HttpRequest, content_type_id: str, object_id: str) -> HttpResponseRedirect:
        """Lead to where readers find a record. What they do not find is answered like what never was."""
        if not all(key.isascii() and key.isdigit() and len(key) < 19 for key in (content_type_id, object_id)):
            raise Http404
        kind = ContentType.objects.filter(pk=int(content_type_id)).first()
        model: Any = kind and kind.model_class()
        model_admin: Any = registered_admins(self).get(model)
        row = model._default_manager.filter(pk=int(object_id)).first() if model_admin else None
        address = model_admin.get_view_on_site_url(row) if row else None
        if not address:
            raise Http404
        return HttpResponseRedirect(address)

    def index(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """Show what there is to do, then what was done, then everything."""
        context = {
            "in_stages": dashboard.workflow_tasks(request, self),
            "of_apps": dashboard.tasks_of_apps(request),
            "set_aside": dashboard.rows_set_aside(request, self),
            "newest": dashboard.newest_changes(request, self),
            "groups": all_records(self, request),
            "new_records": new_records(self, request),
            **(extra_context or {}),
        }
        return super().index(request, context)
