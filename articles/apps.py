from django.apps import AppConfig


class ArticlesConfig(AppConfig):
    name = "articles"

    def ready(self) -> None:
        from articles import pages
        from articles.models import Article, QuoteChoice, Reference, TaggedArticle
        from quotes import importing
        from rlm_site import addresses, derived, freshness

        freshness.watch(Article, ("article", "id"))
        freshness.watch(TaggedArticle, ("article", "content_object_id"))
        freshness.watch(QuoteChoice)
        freshness.watch(Reference)
        derived.spreads("article", pages.sections_of)
        derived.spreads("tag", pages.articles_tagged)
        derived.rebuilds("article", pages.learn_heading_words)
        derived.rebuilds("article", pages.record_first_publication)
        importing.observe_picks(pages.picks)
        addresses.follow("article", Article.objects.select_related("parent"))
