from django.apps import AppConfig


class ArticlesConfig(AppConfig):
    name = "articles"

    def ready(self) -> None:
        from articles import loose_ends, pages
        from articles.models import Article, QuoteChoice, Reference, TaggedArticle
        from quotes import importing
        from rlm_site import addresses, derived, freshness
        from rlm_site.editing import work
        from rlm_site.freshness import Part
        from rlm_site.models import Revision

        freshness.watch(
            Article,
            Part("article", "id"),
            Part("article", "parent_id"),  # a page of the topic tells of all its sections
            Part("addresses", of_columns=pages.LINKED_BY),
            stale=[("article", "id")],
            ignoring=["owner_id"],
        )
        freshness.watch(TaggedArticle, Part("article", "content_object_id"), stale=[("article", "content_object_id")])
        freshness.watch(QuoteChoice, Part("article", "article_id"))
        freshness.watch(Reference, Part("references"))
        # Drafts are nothing to readers. One of a quotation counts for the article of the same number: what shows the
        # quotation is made anew anyway.
        freshness.watch(Revision, Part("article", "object_id"), only=("state", Revision.State.PUBLISHED))
        derived.spreads("article", pages.sections_of)
        derived.spreads("tag", pages.articles_tagged)
        derived.rebuilds("article", pages.learn_heading_words)
        derived.rebuilds("article", pages.record_first_publication)
        importing.observe_picks(pages.picks)
        work.shows(loose_ends.tasks)
        addresses.follow("article", Article.objects.select_related("parent"))
