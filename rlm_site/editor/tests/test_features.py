"""The parts that ModelAdmins are put together of, and what of Django is not public API."""

from django.contrib import admin

from articles.admin import ArticleAdmin
from quotes.admin import QuoteAdmin
from quotes.models import Person, Quote
from rlm_site.editor.concurrency.change_form import OptimisticLockingMixin
from rlm_site.editor.features import registered_admins


def test_registered_admins_are_those_that_the_site_gives_one_by_one() -> None:
    admins = registered_admins(admin.site)
    assert {Quote, Person} <= admins.keys()
    assert all(admin.site.get_model_admin(model) is model_admin for model, model_admin in admins.items())


def test_the_admins_of_content_have_few_ancestors_and_define_addresses_and_the_form_once() -> None:
    for model_admin in (ArticleAdmin, QuoteAdmin):
        ours = [
            base for base in model_admin.__mro__ if not base.__module__.startswith("django.") and base is not object
        ]
        assert len(ours) <= 5, ours
        for method in ("get_urls", "render_change_form"):
            assert len([base for base in ours if method in vars(base)]) == 1, method


def test_no_private_method_of_djangos_admin_is_replaced() -> None:
    private = {name for name in vars(admin.ModelAdmin) if name.startswith("_") and not name.startswith("__")}
    for base in (*ArticleAdmin.__mro__, *QuoteAdmin.__mro__, OptimisticLockingMixin):
        if not base.__module__.startswith("django."):
            assert private.isdisjoint(vars(base)), base
