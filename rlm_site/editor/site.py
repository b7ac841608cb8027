"""The admin site itself."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.models import User
from django.core.exceptions import FieldDoesNotExist, SuspiciousOperation
from django.db import DataError
from django.http import HttpRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rlm_site.editor import dashboard


class SignInForm(AdminAuthenticationForm):
    def clean_username(self) -> str:
        """Refuse a name that no account can have without a look-up or a note of the attempt."""
        name: str = self.cleaned_data["username"]
        if len(name) > (User._meta.get_field("username").max_length or 150):
            raise self.get_invalid_login_error()
        return name


class SiteAdmin(admin.AdminSite):
    login_form = SignInForm
    site_header = settings.SITE_NAME
    site_title = settings.SITE_NAME
    index_title = gettext_lazy("Editors’ desk")
    site_url = "/"
    enable_nav_sidebar = False  # its room belongs to the text that is edited

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
                    messages.warning(request, _("The address asked for what cannot be. Here is the list without that."))
                    return HttpResponseRedirect(request.path)
                raise SuspiciousOperation(f"What was sent cannot be right: {error}") from error

        return super().admin_view(careful, cacheable)

    def index(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """Show what there is to do, then what was done, then everything."""
        context = {
            "in_stages": dashboard.workflow_tasks(request, self),
            "of_apps": dashboard.tasks_of_apps(request),
            "newest": dashboard.newest_changes(request, self),
            **(extra_context or {}),
        }
        return super().index(request, context)
