from django.apps import AppConfig


class ArticlesConfig(AppConfig):
    name = "articles"

    def ready(self) -> None:
        from articles import indexing, links, placements, reports, search
        from articles.models import Article, QuoteChoice, Reference, TaggedArticle
        from quotes.importing import importer
        from rlm_site.editor import dashboard
        from rlm_site.history.models import Revision
        from rlm_site.indexing import queue
        from rlm_site.page_cache import watch
        from rlm_site.page_cache.watch import Part
        from rlm_site.redirects import redirects
        from rlm_site.search import index

        watch.watch(
            Article,
            Part("article", "id"),
            Part("article", "parent_id"),  # a page of the topic tells of all its sections
            Part("addresses", of_columns=links.LINKED_BY),
            stale=[("article", "id")],
            ignoring=["owner_id"],
        )
        watch.watch(TaggedArticle, Part("article", "content_object_id"), stale=[("article", "content_object_id")])
        watch.watch(QuoteChoice, Part("article", "article_id"))
        watch.watch(Reference, Part("references"))
        # Drafts are nothing to readers. One of a quotation counts for the article of the same number: what shows the
        # quotation is made anew anyway.
        watch.watch(Revision, Part("article", "object_id"), only=("state", Revision.State.PUBLISHED))
        queue.spreads("article", indexing.sections_of)
        queue.spreads("tag", indexing.articles_tagged)
        index.register(search.SOURCE)
        queue.rebuilds("article", indexing.learn_heading_words)
        queue.rebuilds("article", indexing.record_first_publication)
        importer.observe_picks(placements.picks)
        dashboard.shows(reports.tasks)
        redirects.follow("article", Article.objects.select_related("parent"))
