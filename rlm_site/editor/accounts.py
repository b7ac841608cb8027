"""Accounts: who may sign in, and with which roles. Publishers look after authors; all else is for superusers."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm, UserCreationForm
from django.contrib.auth.models import Group, User
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

AUTHORS = "Authors"
ROLES = {
    AUTHORS: gettext_lazy("write, continue their own drafts, and send them for review"),
    "Editors": gettext_lazy("also edit everything, return or approve it, and manage tags, people and references"),
    "Publishers": gettext_lazy("also publish, unpublish, move and delete, and look after the accounts of authors"),
}


def authors_alone(accounts: QuerySet[User]) -> QuerySet[User]:
    """Return the accounts that have the role of authors and no other right."""
    roles = Group.objects.filter(user=OuterRef("pk"))
    alone = accounts.filter(Exists(roles.filter(name=AUTHORS)), ~Exists(roles.exclude(name=AUTHORS)))
    return alone.filter(is_superuser=False, user_permissions=None)


class RolesField(forms.ModelMultipleChoiceField):
    """Groups, each with a sentence on what its members may do."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, group: Any) -> str:
        told = ROLES.get(group.name)
        return _("%(role)s %(may)s") % {"role": group.name, "may": told} if told else str(group.name)


class RolesMixin(forms.ModelForm):
    """Whoever has a role may sign in to the admin, where the role is of use."""

    groups = RolesField(label=gettext_lazy("Roles"), queryset=Group.objects.all(), required=False)

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.cleaned_data.get("groups"):
            self.instance.is_staff = True


class NewAccountForm(RolesMixin, UserCreationForm):
    pass


class AccountForm(RolesMixin, UserChangeForm):
    password: Any = None  # of which nobody is shown so much as the beginning


class AccountAdmin(UserAdmin):
    form = AccountForm
    add_form = NewAccountForm
    add_form_template = "admin/change_form.html"
    filter_horizontal = ()
    list_display = ["username", "full_name", "email", "roles", "is_active", "last_login"]
    readonly_fields = ["password_page", "last_login", "date_joined"]
    person: Any = {"fields": ["username", "first_name", "last_name", "email"]}

    # Who may

    def _may_look_after(self, request: HttpRequest, account: User | None) -> bool:
        if account is None or request.user.is_superuser:
            return True
        return authors_alone(User.objects.filter(pk=account.pk)).exists()

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_view_permission(request, obj) and self._may_look_after(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._may_look_after(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may_look_after(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        accounts = super().get_queryset(request).prefetch_related("groups")
        return accounts if request.user.is_superuser else authors_alone(accounts)

    # Lists

    def get_list_filter(self, request: HttpRequest) -> Any:
        return ["is_active", "groups", "is_staff", "is_superuser"] if request.user.is_superuser else ["is_active"]

    @admin.display(description=gettext_lazy("name"), ordering="last_name")
    def full_name(self, obj: User) -> str:
        return obj.get_full_name()

    @admin.display(description=gettext_lazy("roles"))
    def roles(self, obj: User) -> str:
        names = [group.name for group in obj.groups.all()] + ([_("superuser")] if obj.is_superuser else [])
        missing = [] if obj.is_staff or not names else [_("cannot sign in to the admin: save the account again")]
        return "; ".join([", ".join(names), *missing])

    # The form

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        passwords = ["password1", "password2"] if obj is None else ["password_page"]
        person = (None, {"fields": [*self.person["fields"], *passwords]})
        if not request.user.is_superuser:
            return [person] if obj is None else [person, (None, {"fields": ["is_active"]})]
        if obj is None:
            return [person, (None, {"fields": ["groups"]})]
        rights = ["is_staff", "is_superuser", "user_permissions", "last_login", "date_joined"]
        return [
            person,
            (None, {"fields": ["groups", "is_active"]}),
            (_("Administration"), {"fields": rights, "classes": ["collapse"]}),
        ]

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if not request.user.is_superuser:
            form.base_fields.pop("groups", None)
        return form

    @admin.display(description=gettext_lazy("password"))
    def password_page(self, obj: User) -> SafeString:
        address = reverse("admin:auth_user_password_change", args=[obj.pk])
        return format_html('<a href="{}">{}</a>', address, _("Set another password…"))

    # Saving

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change and not request.user.is_superuser:
            obj.is_staff = True
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Make an author of whom a publisher adds, and say so where an account cannot sign in."""
        super().save_related(request, form, formsets, change)
        account: User = form.instance
        if not change and not request.user.is_superuser:
            account.groups.set([Group.objects.get_or_create(name=AUTHORS)[0]])
        if not account.is_staff:
            told = _("“%(name)s” cannot sign in to the admin yet: the account has no role. Choose one and save.")
            messages.warning(request, told % {"name": account})
