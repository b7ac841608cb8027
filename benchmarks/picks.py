#!/usr/bin/env python
"""How long a pick of quotations takes with ten thousand and with a million of them, in one run.

    python benchmarks/picks.py BARTLETT.jsonl [--sizes 10000 1000000] [--picks 200] [--json FILE]

Quotations are made of words drawn with the frequencies of the file given, and kept in scratch databases (SQLite in the
system's temporary folder, or beside the PostgreSQL database that DATABASE_URL names), which are used again by the next
run. Cold is the first pick on a new connection for each heading; warm is the same once more.
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
BATCH = 20_000
SEED = 1905

Row = tuple[int, int, int, int]


def scratch_database(size: int) -> str:
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        return f"sqlite:///{Path(tempfile.gettempdir()) / f'rlm-site-picks-{size}.sqlite3'}"
    import psycopg

    name = f"picks_{size}"
    with psycopg.connect(url, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(f"CREATE DATABASE {name}")
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="JSON Lines with a `text` in each row")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--picks", type=int, default=200, help="of each kind")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.one, args.file, args.picks)))
        return
    results = [run_in_own_process(size, args) for size in args.sizes]
    print_table(results)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")


def run_in_own_process(size: int, args: argparse.Namespace) -> dict[str, object]:
    """Settings are read once a process, so each database has its own."""
    import subprocess

    command = [sys.executable, __file__, str(args.file), "--picks", str(args.picks), "--one", str(size)]
    environment = {**os.environ, "DATABASE_URL": scratch_database(size), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(size: int, file: Path, picks: int) -> dict[str, object]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rlm_site.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from quotes.models import Quote

    texts = [json.loads(line)["text"] for line in file.open(encoding="utf-8")]
    call_command("migrate", verbosity=0, skip_checks=True)
    if Quote.objects.count() != size:
        fill(size, texts)
    result: dict[str, object] = {"size": size, "database": connection.vendor}
    for kind, headings in headings_by_frequency(picks).items():
        result[kind] = {"cold": timed(headings, cold=True), "warm": timed(headings, cold=False)}
    result["queries"] = count_queries()
    return result


# Filling


def fill(size: int, texts: list[str]) -> None:
    from django.db import connection

    from quotes.models import Quote, QuoteWord, Word
    from quotes.words import form
    from rlm_site import freshness

    started = time.monotonic()
    for model in (QuoteWord, Word):
        model.objects.all().delete()
    with connection.cursor() as cursor:
        for name, table in freshness._present(connection).items():  # triggers would note every row as stale
            cursor.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if connection.vendor == "postgresql" else ""))
        cursor.execute("DELETE FROM quotes_quote")
    made = list(made_up(texts, min(BATCH, size)))  # the same again in every batch: frequencies are what counts
    counts: Counter[str] = Counter()
    word_ids: dict[str, int] = {}
    link_id = 0
    for start in range(0, size, BATCH):
        quotes, links, known = [], [], len(word_ids)
        for number, (text, ranks) in enumerate(made[: size - start], start + 1):
            quotes.append((number, text))
            counts.update(ranks.keys())
            for word, rank in ranks.items():
                link_id += 1
                links.append((link_id, word_ids.setdefault(word, len(word_ids) + 1), number, rank))
        new = [Word(pk=pk, text=word, form=form(word)) for word, pk in list(word_ids.items())[known:]]
        rows = [Quote(pk=pk, key=f"made-up-{pk}", text=text, published=True, status="reported") for pk, text in quotes]
        _insert(rows, new, links)
        done = min(start + BATCH, size)
        print(f"\r{size}: {done * 100 // size} %", end="", file=sys.stderr, flush=True)
    freshness.install()
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE quotes_word SET quote_count = %s WHERE id = %s",
            [(counts[word], pk) for word, pk in word_ids.items()],
        )
        cursor.execute("ANALYZE")
    print(f"\r{size}: filled in {time.monotonic() - started:.0f} s", file=sys.stderr)


def _insert(quotes: list[Any], words: list[Any], links: Sequence[Row]) -> None:
    from django.db import connection, transaction

    from quotes.models import Quote, Word

    with transaction.atomic():
        Quote.objects.bulk_create(quotes, batch_size=2000)
        Word.objects.bulk_create(words, batch_size=2000)
        with connection.cursor() as cursor:
            insert = "INSERT INTO quotes_quoteword (id, word_id, quote_id, rank, contained) VALUES (%s, %s, %s, %s, %s)"
            if connection.vendor == "postgresql":
                with cursor.copy("COPY quotes_quoteword (id, word_id, quote_id, rank, contained) FROM STDIN") as copy:
                    for link in links:
                        copy.write_row((*link, True))
            else:
                cursor.executemany(insert, [(*link, True) for link in links])


def made_up(texts: list[str], count: int) -> Iterator[tuple[str, dict[str, int]]]:
    """Text, and its indexed words with their ranks. Lengths and frequencies are those of the file."""
    from quotes.index import static_rank, words_of
    from quotes.models import Quote
    from quotes.words import occurrences

    frequencies = Counter(found.word for text in texts for found in occurrences(text))
    vocabulary = list(frequencies)
    weights = list(accumulate(frequencies.values()))
    lengths = [sum(1 for _found in occurrences(text)) for text in texts]
    rng = random.Random(SEED)
    for _number in range(count):
        words = rng.choices(vocabulary, cum_weights=weights, k=rng.choice(lengths))
        text = " ".join(words)
        rank = static_rank(Quote(text=text, published=True, status="reported"))
        yield text, {word: found for word, (found, _contained) in words_of(text, rank).items()}


# Measuring


def headings_by_frequency(picks: int) -> dict[str, list[str]]:
    """Headings of two words each, of the rarest, the middle and the most frequent words."""
    from quotes.models import Word

    words = list(Word.objects.order_by("-quote_count", "text").values_list("text", flat=True))
    places = {"most frequent": 0, "middling": len(words) // 20, "rare": len(words) * 3 // 4}
    rng = random.Random(SEED)
    return {
        kind: [" and ".join(rng.sample(words[place : place + 60], 2)) for _pick in range(picks)]
        for kind, place in places.items()
    }


def timed(headings: list[str], cold: bool) -> dict[str, float]:
    """Milliseconds a pick."""
    from django.db import connection
    from django.utils import timezone

    from quotes import matching

    taken = []
    for heading in headings:
        if cold:
            connection.close()
            connection.ensure_connection()
        started = time.perf_counter()
        matching.blocks([(matching.Page(heading),)], timezone.now())
        taken.append((time.perf_counter() - started) * 1000)
    taken.sort()
    return {"median": statistics.median(taken), "p99": taken[int(len(taken) * 0.99) - 1]}


def count_queries() -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from quotes import matching

    with CaptureQueriesContext(connection) as queries:
        matching.blocks([(matching.Page("War and Peace"),)], timezone.now())
    return len(queries)


def print_table(results: list[dict[str, object]]) -> None:
    print(f"{'database':12}{'quotations':>12}  {'heading words':15}{'':6}{'median ms':>10}{'99th ms':>10}{'ratio':>8}")
    first = results[0]
    for result in results:
        for kind in ("rare", "middling", "most frequent"):
            for state in ("cold", "warm"):
                figures, base = result[kind][state], first[kind][state]  # type: ignore[index]
                ratio = figures["median"] / base["median"]
                row = f"{result['database']:12}{result['size']:12,}  {kind:15}{state:6}"
                print(f"{row}{figures['median']:10.2f}{figures['p99']:10.2f}{ratio:8.2f}")
        print(f"{'':12}{result['size']:12,}  {result['queries']} queries a pick")


if __name__ == "__main__":
    main()
