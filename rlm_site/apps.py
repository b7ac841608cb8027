from collections.abc import Sequence

from django import forms
from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.core.checks import Tags, register
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate

Plan = Sequence[tuple[object, bool]]  # migrations, each with whether it is taken back


def drop_triggers(using: str, plan: Plan = (), **kwargs: object) -> None:
    """Drop the triggers before migrations are taken back: those of the earlier code come with that code."""
    from rlm_site.page_cache import triggers

    if any(is_backwards for _migration, is_backwards in plan):
        triggers.drop_triggers(using)


def install_triggers(using: str, plan: Plan = (), **kwargs: object) -> None:
    from rlm_site.indexing import queue
    from rlm_site.page_cache import triggers

    if any(is_backwards for _migration, is_backwards in plan):
        return
    if triggers.install_triggers(using):  # rows may have been written without them, or before there was a rule
        queue.enqueue_broken_rows(using)


class SiteConfig(AppConfig):
    name = "rlm_site"
    verbose_name = "Site"

    def ready(self) -> None:
        from rlm_site import constraints, private_files
        from rlm_site.indexing import queue
        from rlm_site.page_cache import checks, triggers, watch
        from rlm_site.page_cache.watch import CacheTag
        from rlm_site.redirects import redirects
        from rlm_site.tags import lists, manager, rules
        from rlm_site.tags.models import Tag
        from rlm_site.text import printable

        for rule in rules.OF_TAGS:
            constraints.refuse(Tag, *rule)
        watch.watch(Tag, CacheTag("tags"), stale=[("tag", "id")])
        queue.register_model(Tag)
        queue.register_indexer("tag", manager.refold_names)
        redirects.track("tag", Tag.objects.all(), lists.tags_of_published)
        triggers.register(constraints.statements)
        connection_created.connect(private_files.protect_database)
        pre_migrate.connect(drop_triggers, sender=self)
        post_migrate.connect(install_triggers, sender=self)
        # As Django's own rule of the character 0 does: whatever is typed anywhere is refused where it stands.
        forms.CharField.default_validators = [printable.validate_printable]
        register(checks.check_triggers, Tags.database, deploy=True)


class SiteAdminConfig(AdminConfig):
    default_site = "rlm_site.editor.site.SiteAdmin"
