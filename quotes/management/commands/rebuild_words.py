from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from quotes import word_index
from quotes.models import Quote, QuoteWord, Word
from rlm_site.indexing import queue
from rlm_site.progress import ProgressBar
from rlm_site.text.words import form

BATCH = 500


class Command(BaseCommand):
    help = "Rebuild the word index of all quotations, and report differences (0 if the index was correct)."

    def handle(self, *args: Any, **options: Any) -> None:
        queue.process_queue()  # entries that are merely pending are not wrong
        bar = ProgressBar()
        found: Counter[str] = Counter()
        try:
            self.rebuild_forms(found, bar)
            self.rebuild_links(found, bar)
            self.rebuild_counts(found)
        finally:
            bar.clear()
        links, words = QuoteWord.objects.count(), Word.objects.count()
        self.stdout.write(f"{Quote.objects.count():,} quotations, {words:,} words, {links:,} entries.")
        for what, number in sorted(found.items()):
            self.stdout.write(f"{number:8,} {what}")
        self.stdout.write(f"{sum(found.values()):8,} differences")

    def rebuild_forms(self, found: Counter[str], bar: ProgressBar) -> None:
        wrong = []
        words = Word.objects.order_by("pk")
        total = words.count()
        for done, word in enumerate(words.iterator(BATCH), 1):
            right = word.text if word.text.startswith("#") else form(word.text)
            if word.form != right:
                word.form = right
                wrong.append(word)
            bar("Words", done, total)
        Word.objects.bulk_update(wrong, ["form"], batch_size=BATCH)
        if wrong:
            found["words with a wrong form"] += len(wrong)

    def rebuild_links(self, found: Counter[str], bar: ProgressBar) -> None:
        total = Quote.objects.count()
        done, last = 0, 0
        while ids := list(Quote.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
            with transaction.atomic():
                before = self.links(ids)
                word_index.index_quotes(ids)
                after = self.links(ids)
            for key in before.keys() | after.keys():
                if key not in before:
                    found["missing entries"] += 1
                elif key not in after:
                    found["superfluous entries"] += 1
                elif before[key] != after[key]:
                    found["entries with a wrong rank"] += 1
            done, last = done + len(ids), ids[-1]
            bar("Quotations", done, total)
        strays = QuoteWord.objects.exclude(quote__in=Quote.objects.values("pk"))
        gone = list(strays.values_list("quote", flat=True).distinct())
        if gone:
            found["entries of deleted quotations"] += strays.count()
            word_index.index_quotes(gone)

    def links(self, ids: list[int]) -> dict[tuple[int, int], tuple[int, bool]]:
        rows = QuoteWord.objects.filter(quote__in=ids).values_list("word_id", "quote_id", "rank", "contained")
        return {(word, quote): (rank, contained) for word, quote, rank, contained in rows}

    def rebuild_counts(self, found: Counter[str]) -> None:
        counts = QuoteWord.objects.filter(word=OuterRef("pk"), contained=True).order_by().values("word")
        counted = Coalesce(Subquery(counts.annotate(number=Count("pk")).values("number")), 0)
        wrong = list(Word.objects.annotate(right=counted).filter(~Q(quote_count=F("right"))))
        for word in wrong:
            word.quote_count = word.right
        Word.objects.bulk_update(wrong, ["quote_count"], batch_size=BATCH)
        if wrong:
            found["words with a wrong number of quotations"] += len(wrong)
