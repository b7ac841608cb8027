from django.apps import AppConfig


class QuotesConfig(AppConfig):
    name = "quotes"
    verbose_name = "Quotations"

    def ready(self) -> None:
        from quotes import reports, rules, search, word_index
        from quotes.models import Check, Collection, IndexTerm, Person, Quote, TaggedQuote, Work
        from rlm_site import constraints
        from rlm_site.editor import dashboard
        from rlm_site.indexing import queue
        from rlm_site.page_cache import watch
        from rlm_site.page_cache.watch import CacheTag
        from rlm_site.redirects import redirects
        from rlm_site.search import index
        from rlm_site.tags import lists
        from rlm_site.text import slugs

        for rule in rules.OF_PEOPLE:
            constraints.refuse(Person, *rule)
        for rule in rules.OF_QUOTES:
            constraints.refuse(Quote, *rule)
        for model in (Person, Work, Collection, Quote):
            queue.register_model(model)
        quotations = CacheTag("quotes")
        watch.watch(Quote, quotations, stale=[("quote", "id")], ignoring=["owner_id"])
        watch.watch(Person, quotations, stale=[("person", "id")])
        watch.watch(Work, quotations, stale=[("work", "id")])
        # No page shows a collection; its policy alone decides what pages show.
        unseen = {str(field.column) for field in Collection._meta.concrete_fields} - {"id", "pick_policy"}
        watch.watch(Collection, quotations, stale=[("collection", "id")], ignoring=unseen)
        watch.watch(IndexTerm, quotations, stale=[("quote", "quote_id")])
        watch.watch(TaggedQuote, quotations, stale=[("quote", "content_object_id")])
        watch.watch(Check)  # shown on the quotation's own page only, which has no cache tags
        queue.cascades_to("person", word_index.quotes_with("person"))
        queue.cascades_to("work", word_index.quotes_with("work"))
        queue.cascades_to("tag", word_index.quotes_with("tagged_items__tag"))
        queue.cascades_to("quote", word_index.people_quoted)
        queue.cascades_to("quote", lists.tags_on(TaggedQuote))
        redirects.track_deleted(
            "quote", Quote.objects.all(), lambda pk: slugs.reverse("quote_by_id", args=[pk]), search.once_public
        )
        index.register(search.SOURCE)
        queue.register_indexer("quote", word_index.index_quotes)
        queue.register_indexer("collection", word_index.enqueue_collections)
        redirects.track("person", Person.objects.all(), lambda: Person.objects.filter(quotes__published=True))
        dashboard.register_tasks(reports.tasks)
