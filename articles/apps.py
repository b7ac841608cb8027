from django.apps import AppConfig
from django.core.checks import register


class ArticlesConfig(AppConfig):
    name = "articles"

    def ready(self) -> None:
        from articles import (
            aliases,
            backlinks,
            error_reports,
            events,
            indexing,
            link_index,
            links,
            placements,
            related,
            reports,
            rules,
            search,
            versions,
        )
        from articles.models import Article, Event, Group, QuoteChoice, Reference, Related, TaggedArticle
        from quotes import quote_panel
        from quotes.importing import importer
        from rlm_site import constraints
        from rlm_site.editor import backlinks as editor_backlinks
        from rlm_site.editor import dashboard
        from rlm_site.history.models import Revision
        from rlm_site.indexing import queue
        from rlm_site.page_cache import watch
        from rlm_site.page_cache.watch import DUE, CacheTag
        from rlm_site.redirects import redirects
        from rlm_site.search import index
        from rlm_site.tags import lists

        register(error_reports.check_contact, deploy=True)
        for rule in rules.OF_ARTICLES:
            constraints.refuse(Article, *rule)
        for model in (Article, Event, Reference):
            queue.register_model(model)
        watch.watch(
            Article,
            CacheTag("article", "id"),
            CacheTag("article", "parent_id"),  # the page of a topic lists all its sections
            CacheTag("addresses", of_columns=links.LINK_COLUMNS),
            CacheTag("places", of_columns=("slug", "parent_id", "kind", "facts", *DUE.of_columns)),
            stale=[("article", "id"), ("related", "parent_id")],  # that was above it before, too
            ignoring=["owner_id"],
        )
        watch.watch(TaggedArticle, CacheTag("article", "content_object_id"), stale=[("article", "content_object_id")])
        watch.watch(QuoteChoice, CacheTag("article", "article_id"))
        watch.watch(Related, CacheTag("article", "article_id"))
        watch.watch(
            Event,
            CacheTag("events"),
            CacheTag("addresses", of_columns=events.LISTED_COLUMNS),  # every page links the chronology if there is one
            stale=[("event", "id"), ("article", "article_id")],  # whose links it has
            ignoring=["owner_id"],
        )
        watch.watch(Group)  # shown on the front page, which has no cache tags
        watch.watch(Reference, CacheTag("references"), stale=[("reference", "id")])
        # Of pages, published revisions only, as readers never see drafts. One of a quotation invalidates the article of
        # the same id, which does no harm.
        watch.watch(
            Revision,
            CacheTag("article", "object_id"),
            only=("state", Revision.State.PUBLISHED),
            stale=[("draft", "object_id")],
        )
        queue.cascades_to("article", indexing.sections_of)
        queue.cascades_to("tag", indexing.articles_tagged)
        queue.cascades_to("article", lists.tags_on(TaggedArticle))
        index.register(search.SOURCE)
        queue.register_indexer("article", indexing.index_heading_words)
        queue.register_indexer("article", aliases.index_aliases)
        queue.register_indexer("article", indexing.record_first_publication)
        queue.register_indexer("article", link_index.index_links)
        queue.register_indexer("article", link_index.index_heading_ids)
        queue.register_indexer("related", related.index_related)
        queue.cascades_to("article", related.related_to_articles)
        queue.cascades_to("tag", related.related_to_tags)
        queue.register_indexer("event", events.check_dates)
        queue.register_indexer("draft", link_index.index_links_of_drafts)
        queue.cascades_to("article", link_index.draft_of)
        queue.register_indexer("quote", link_index.index_successors)
        importer.register_pick_observer(placements.picks_by_heading)
        quote_panel.register_pages(placements.articles_showing)
        dashboard.register_tasks(reports.tasks)
        editor_backlinks.register(backlinks.backlinks_of)
        redirects.track(
            "article", Article.objects.select_related("parent"), indexing.published_articles, indexing.once_public
        )
        queue.call_after_loading(versions.keep_all)
        queue.register_indexer("article", versions.record_versions)  # the last, as they show what others have indexed
