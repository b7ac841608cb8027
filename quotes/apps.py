from django.apps import AppConfig


class QuotesConfig(AppConfig):
    name = "quotes"
    verbose_name = "Quotations"

    def ready(self) -> None:
        from quotes import index
        from quotes.models import Check, IndexTerm, Person, Quote, TaggedQuote, Work
        from rlm_site import addresses, derived, freshness

        freshness.watch(Quote, ("quote", "id"))
        freshness.watch(Person, ("person", "id"))
        freshness.watch(Work, ("work", "id"))
        freshness.watch(IndexTerm, ("quote", "quote_id"))
        freshness.watch(TaggedQuote, ("quote", "content_object_id"))
        freshness.watch(Check)
        derived.spreads("person", index.quotes_with("person"))
        derived.spreads("work", index.quotes_with("work"))
        derived.spreads("tag", index.quotes_with("tagged_items__tag"))
        derived.rebuilds("quote", index.rebuild)
        addresses.follow("person", Person.objects.all())
