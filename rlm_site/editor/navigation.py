"""The way around the admin: the kinds of record in the header of every page, and all of them on the dashboard."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from rlm_site.editor.content import ContentAdmin
from rlm_site.editor.features import registered_admins
from rlm_site.publishing.models import Publishable


@dataclass(frozen=True)
class Entry:
    """A kind of record: its list, its empty form for those who may add one, and whether the page is one of its."""

    names: str
    name: str
    address: str
    add_address: str = ""
    is_current: bool = False


@dataclass(frozen=True)
class Group:
    title: str
    entries: list[Entry]


def content_admins(site: admin.AdminSite) -> list[ContentAdmin]:
    """Return the admins of all content: first those that people work with every day, then the others by name."""
    daily = [apps.get_model(label) for label in settings.ADMIN_NAVIGATION]
    admins = registered_admins(site)
    others = sorted(admins.keys() - set(daily), key=lambda model: str(model._meta.verbose_name_plural))
    return [each for model in (*daily, *others) if isinstance(each := admins[model], ContentAdmin)]


def navigation(site: admin.AdminSite, request: HttpRequest) -> list[Entry]:
    """Return the kinds that people work with every day, of those that this person may see."""
    admins = registered_admins(site)
    daily = [apps.get_model(label) for label in settings.ADMIN_NAVIGATION]
    return [_entry(admins[each], request) for each in daily if admins[each].has_view_or_change_permission(request)]


def new_records(site: admin.AdminSite, request: HttpRequest) -> list[Entry]:
    """Return what is written here and published, of that what this person may add."""
    admins = registered_admins(site)
    written = [model for label in settings.ADMIN_NAVIGATION if issubclass(model := apps.get_model(label), Publishable)]
    return [entry for model in written if (entry := _entry(admins[model], request)).add_address]


def all_records(site: admin.AdminSite, request: HttpRequest) -> list[Group]:
    """Return every kind that this person may see: content, what happened to it, and what is the operator's."""
    content: list[Any] = content_admins(site)
    others = [each for each in registered_admins(site).values() if each not in content]
    history = [each for each in others if getattr(each, "is_history", False)]
    groups = {
        _("Content"): content,
        _("History"): history,
        _("Administration"): [each for each in others if each not in history],
    }
    found = {
        title: [_entry(each, request) for each in admins if _is_shown(each, request)]
        for title, admins in groups.items()
    }
    return [Group(title, entries) for title, entries in found.items() if entries]


def _is_shown(model_admin: Any, request: HttpRequest) -> bool:
    return bool(model_admin.has_module_permission(request) and model_admin.has_view_or_change_permission(request))


def _entry(model_admin: Any, request: HttpRequest) -> Entry:
    opts = model_admin.opts
    page = f"admin:{opts.app_label}_{opts.model_name}"
    match = request.resolver_match
    return Entry(
        names=capfirst(str(opts.verbose_name_plural)),
        name=str(opts.verbose_name),
        address=reverse(f"{page}_changelist"),
        add_address=reverse(f"{page}_add") if model_admin.has_add_permission(request) else "",
        is_current=bool(match and str(match.url_name).startswith(f"{opts.app_label}_{opts.model_name}_")),
    )
