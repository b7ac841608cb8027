from django.apps import AppConfig


class QuotesConfig(AppConfig):
    name = "quotes"
    verbose_name = "Quotations"

    def ready(self) -> None:
        from quotes import index, loose_ends
        from quotes.models import Check, IndexTerm, Person, Quote, TaggedQuote, Work
        from rlm_site import addresses, derived, freshness
        from rlm_site.editing import work
        from rlm_site.freshness import Part

        quotations = Part("quotes")
        freshness.watch(Quote, quotations, stale=[("quote", "id")], ignoring=["owner_id"])
        freshness.watch(Person, quotations, stale=[("person", "id")])
        freshness.watch(Work, quotations, stale=[("work", "id")])
        freshness.watch(IndexTerm, quotations, stale=[("quote", "quote_id")])
        freshness.watch(TaggedQuote, quotations, stale=[("quote", "content_object_id")])
        freshness.watch(Check)  # stands on the quotation's own page alone
        derived.spreads("person", index.quotes_with("person"))
        derived.spreads("work", index.quotes_with("work"))
        derived.spreads("tag", index.quotes_with("tagged_items__tag"))
        derived.rebuilds("quote", index.rebuild)
        addresses.follow("person", Person.objects.all())
        work.shows(loose_ends.tasks)
