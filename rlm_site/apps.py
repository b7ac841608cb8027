from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate


def install_triggers(using: str, **kwargs: object) -> None:
    from rlm_site.page_cache import triggers

    triggers.install_triggers(using)


class SiteConfig(AppConfig):
    name = "rlm_site"
    verbose_name = "Site"

    def ready(self) -> None:
        from rlm_site.indexing import queue
        from rlm_site.page_cache import checks, watch
        from rlm_site.page_cache.watch import CacheTag
        from rlm_site.redirects import redirects
        from rlm_site.tags import manager
        from rlm_site.tags.models import Tag

        watch.watch(Tag, CacheTag("tags"), stale=[("tag", "id")])
        queue.register_indexer("tag", manager.refold_names)
        redirects.track("tag", Tag.objects.all())
        post_migrate.connect(install_triggers, sender=self)
        register(checks.check_triggers, Tags.database, deploy=True)


class SiteAdminConfig(AdminConfig):
    default_site = "rlm_site.editor.site.SiteAdmin"
