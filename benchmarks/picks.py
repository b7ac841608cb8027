#!/usr/bin/env python
"""How long a pick of quotations takes with ten thousand of them and with a million.

    python benchmarks/picks.py BARTLETT.jsonl [--sizes 10000 1000000] [--picks 300] [--json FILE]

Quotations are made up of words as frequent as in the file, and kept in var/bench/ (or beside the PostgreSQL database
that DATABASE_URL names) between runs. A pick is that of one page: a heading of two words, a text and two tags. All
sizes are asked for the same pages, whose words are, in the smallest database,

    rare            in 0.05 to 0.2 % of the quotations (5 to 20 of 10,000),
    middling        in 0.5 to 2 % of them,
    most frequent   the sixty most frequent that headings are matched by.

Cold is the first time that a page is asked for, with no vocabulary of any text in memory, on a connection that stays
open as a server's do; warm is the second time. Picks are never taken from memory. Another process opens a connection
for each pick, which its first statements pay for. Sizes and processes take turns every few picks, so that whatever else
the machine does hits all alike; the processor's time, of the site's process alone, it hardly hits.
Stops with an error if a pick ever makes more than two queries.
"""

import argparse
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from synthetic_data import CACHE_DIR, ROOT, SEED, TAGS, _connected, database, environment

WORD_KINDS = ("rare", "middling", "most frequent")
STATES = {"first": ["new connection"], "kept": ["cold", "warm"]}  # of the connections of each process
MOST_QUERIES = 2
PICKS_PER_TURN = 30  # picks of one size, then of the next

Page = dict[str, Any]
Times = dict[str, list[float]]  # of each state, and the processor's


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", type=Path, help="JSON Lines with a `text` in each row")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--picks", type=int, default=300, help="picks of each kind")
    parser.add_argument(
        "--json", type=Path, default=CACHE_DIR / "picks.json", help="also write the figures to this file"
    )
    args = parser.parse_args()
    urls = [database("quotations", size, args.words) for size in sorted(args.sizes)]
    pages = pages_to_ask(urls[0], min(args.sizes), args.picks)
    results: list[dict[str, Any]] = [{"quotations": size} for size in sorted(args.sizes)]
    with ExitStack() as stack:
        sites = [{connections: stack.enter_context(site(url)) for connections in STATES} for url in urls]
        for kind, times in measure(sites, pages).items():
            for result, executors in zip(results, times, strict=True):
                result[kind] = {name: figures(taken) for name, taken in executors.items()}
    print_table(results, urls[0].partition(":")[0])
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\nWritten to {args.json}.")


def pages_to_ask(url: str, size: int, count: int) -> dict[str, list[Page]]:
    with _connected(url) as connection:
        found = connection.execute(
            "SELECT text, quote_count FROM quotes_word WHERE quote_count > 0 ORDER BY quote_count DESC, text"
        ).fetchall()
        texts = [text for (text,) in connection.execute("SELECT text FROM quotes_quote WHERE id <= 1000 ORDER BY id")]
    shares = {text: quotes / size for text, quotes in found if not text.startswith("#")}
    words = {
        "rare": [word for word, share in shares.items() if 0.0005 <= share <= 0.002],
        "middling": [word for word, share in shares.items() if 0.005 <= share <= 0.02],
        "most frequent": list(shares)[:60],
    }
    rng = random.Random(SEED)
    return {
        kind: [
            {
                "heading": " and ".join(rng.sample(of_kind, 2)).title(),
                "text": "\n\n".join(rng.sample(texts, 10)),
                "tags": [(tag, f"tag {tag}", False) for tag in rng.sample(range(1, TAGS + 1), 2)],
            }
            for _page in range(count)
        ]
        for kind, of_kind in words.items()
    }


def measure(sites: Sequence[dict[str, ProcessPoolExecutor]], pages: dict[str, list[Page]]) -> dict[str, list[Times]]:
    """Return milliseconds of every pick, by kind and site."""
    measured: dict[str, list[Times]] = {kind: [{} for _site in sites] for kind in pages}
    turns = [
        (kind, of_kind[start : start + PICKS_PER_TURN])
        for kind, of_kind in pages.items()
        for start in range(0, len(of_kind), PICKS_PER_TURN)
    ]
    random.Random(SEED).shuffle(turns)
    for executors in sites:
        for connections, executor in executors.items():
            executor.submit(pick, turns[0][1], connections).result()  # a process's very first takes longer
    for kind, some in turns:
        for executors, times in zip(sites, measured[kind], strict=True):
            for connections, executor in executors.items():
                for name, taken in executor.submit(pick, some, connections).result().items():
                    times.setdefault(name, []).extend(taken)
    return measured


def figures(taken: list[float]) -> dict[str, float]:
    return {"median": statistics.median(taken), "p99": sorted(taken)[int(len(taken) * 0.99) - 1]}


def site(url: str) -> ProcessPoolExecutor:
    """Return a process that picks from this database; Django can use only one per process."""
    return ProcessPoolExecutor(1, get_context("spawn"), initializer=_set_up, initargs=(url,))


def _set_up(url: str) -> None:
    os.environ.update(environment(url), DJANGO_SETTINGS_MODULE="rlm_site.settings")
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()


def pick(pages: list[Page], connections: str) -> Times:
    """Pick quotations, in the process of a `site`."""
    from django.db import connection

    from quotes.matching import MatchRequest
    from rlm_site.text.words import vocabulary

    asked = [MatchRequest(page["heading"], tags=tuple(map(tuple, page["tags"]))) for page in pages]
    times: Times = {}
    for state in STATES[connections]:
        for page in asked:
            if connections == "first":
                connection.close()
            if state != "warm":
                vocabulary.cache_clear()
            connection.ensure_connection()
            taken, processor = _time_of_pick(page)
            times.setdefault(state, []).append(taken)
            times.setdefault(f"{state}, processor", []).append(processor)
    return times


def _time_of_pick(page: Any) -> tuple[float, float]:
    """Return milliseconds of wall and processor time. Exits if the pick makes too many queries."""
    from django.db import connection
    from django.utils import timezone

    from quotes import matching

    queries = []

    def count(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        queries.append(sql)
        return execute(sql, *rest)

    now = timezone.now()
    with connection.execute_wrapper(count):
        started, processor = time.perf_counter(), time.process_time()
        matching.blocks([(page,)], now)
        taken, processor = time.perf_counter() - started, time.process_time() - processor
    if len(queries) > MOST_QUERIES:
        sys.exit(f"“{page.heading}” made {len(queries)} queries:\n" + "\n".join(queries))
    return taken * 1000, processor * 1000


def print_table(results: list[dict[str, Any]], database: str) -> None:
    print(f"\n{database:29}" + "".join(f"{result['quotations']:>29,} quotations" for result in results))
    print(f"{'':29}" + f"{'median ms':>12}{'p99 ms':>8}{'(CPU:':>8}{'p99)':>7}  " * len(results) + "ratio (CPU)")
    for kind in WORD_KINDS:
        for state in [*STATES["kept"], *STATES["first"]]:
            cells = [(result[kind][state], result[kind][f"{state}, processor"]) for result in results]
            print(f"{f'{kind}, {state}':29}", end="")
            for of_all, cpu in cells:
                print(f"{of_all['median']:12.2f}{of_all['p99']:8.2f}{cpu['median']:8.2f}{cpu['p99']:7.2f}", end="  ")
            ratio, of_cpu = (last["median"] / first["median"] for first, last in zip(cells[0], cells[-1], strict=True))
            print(f"{ratio:5.2f} ({of_cpu:.2f})")
    print(f"No pick made more than {MOST_QUERIES} queries. Ratio: of the medians of the last and the first size.")


if __name__ == "__main__":
    main()
