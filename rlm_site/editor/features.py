"""The parts that a ModelAdmin is put together of: what a kind of record has beside its list and its form."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

View = Callable[..., HttpResponse]


def registered_admins(site: admin.AdminSite) -> dict[type[Model], admin.ModelAdmin]:
    """Return the admin of each registered model. Django lists them in a private attribute alone (seen on 5.2)."""
    return dict(site._registry)


class Feature:
    """Views and panels of one purpose, for one ModelAdmin; see `ContentAdmin.features`."""

    def __init__(self, model_admin: Any) -> None:
        self.admin = model_admin
        self.admin_site: admin.AdminSite = model_admin.admin_site
        self.model: Any = model_admin.model
        self.opts: Any = model_admin.opts

    def urls(self) -> list[URLPattern]:
        """Return the addresses of its views; made by `path`, each is named as Django names those of the model."""
        return []

    def form_context(self, request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
        """Return what its part of the change form shows; `context` has `original` and, of a publishable, `draft`."""
        return {}

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what its part of the list shows."""
        return {}

    def actions(self, request: HttpRequest) -> dict[str, tuple[Callable[..., Any], str, str]]:
        """Return what it lets this person do with records chosen in the list: function, name and label by name."""
        return {}

    def path(self, route: str, view: View, name: str, **options: Any) -> URLPattern:
        """Return the address of a view of this kind of record, for those who may sign in to the admin.

        Whoever may look at no record of the kind is told so before one is looked for, whether there is one or not.
        """

        @wraps(view)
        def permitted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if "<int:pk>" in route and not self.admin.has_view_or_change_permission(request):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return path(route, self.admin_site.admin_view(permitted), options, name=self.url_name(name))

    def url(self, name: str, *args: Any) -> str:
        """Return an address of this kind of record: `url("history", article.pk)`."""
        return reverse(f"admin:{self.url_name(name)}", args=args)

    def url_name(self, name: str) -> str:
        """Return a name as Django gives it to the addresses of a model: `articles_article_history`."""
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"
