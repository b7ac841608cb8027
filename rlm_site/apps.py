from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


def install_triggers(using: str, **kwargs: object) -> None:
    from rlm_site import freshness

    freshness.install(using)


class SiteConfig(AppConfig):
    name = "rlm_site"
    verbose_name = "Site"

    def ready(self) -> None:
        from rlm_site import addresses, checks, derived, freshness, search, tagging  # noqa: F401
        from rlm_site.freshness import Part
        from rlm_site.models import Tag

        freshness.watch(Tag, Part("tags"), stale=[("tag", "id")])
        derived.rebuilds("tag", tagging.refold)
        addresses.follow("tag", Tag.objects.all())
        search.register()
        post_migrate.connect(install_triggers, sender=self)


class SiteAdminConfig(AdminConfig):
    default_site = "rlm_site.editing.site.SiteAdmin"
