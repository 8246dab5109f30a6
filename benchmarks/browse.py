"""Times what pages over many runs and over one of a million samples wait for.

Usage: python benchmarks/browse.py [--runs 500] [--samples 1000000] [--repeats 3] [--folder DIR]

The folder is made first and deleted afterwards. Each "cold" figure is of a fresh process; none empties the operating
system's cache of files. The floor is the plain query over the same Parquet with DuckDB.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from folders import NEEDLE, big_run, small_runs


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Return seconds, and seconds of CPU over all threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def index_rows(results: Path, cache: Path) -> dict[str, tuple[float, float]]:
    """Time the index: refreshed, and what an overview reads of the newest two runs of every eval."""
    from regrade.store import ResultsIndex

    index = ResultsIndex([results], cache)

    def overview() -> None:
        index.refresh()
        newest: dict[str, int] = {}
        for run in index.runs():
            newest[run.evals[0]] = newest.get(run.evals[0], 0) + 1
            if newest[run.evals[0]] <= 2:
                index.summary(run, slices=False)
                index.comparisons(run)
                index.gates(run)

    first = timed(overview)
    again = timed(overview)
    everything = timed(lambda: [index.summary(run, slices=False) for run in index.runs()])
    return {"first": first, "again": again, "all summaries": everything}


def sample_rows(run: Path) -> dict[str, tuple[float, float]]:
    """Time pages, searches and a story of one run, each first and again."""
    from regrade.store import RunFolder
    from regrade.store.sample_filters import SampleQuery, ScoreRange
    from regrade.store.sample_pages import PageRequest
    from regrade.store.sample_queries import SampleQueries
    from regrade.store.sample_story import story

    found: dict[str, tuple[float, float]] = {}
    opened: list[SampleQueries] = []
    found["open"] = timed(lambda: opened.append(SampleQueries(RunFolder(run))))
    queries = opened[0]
    wrong = SampleQuery(models=("demo/v2",), outcomes=("wrong",), by="classification")
    slow = PageRequest("-latency")
    channel = SampleQuery(metadata=(("channel", "c1"),), scores=(ScoreRange("graded", 0.5),))
    works: dict[str, Callable[[], Any]] = {
        "page": lambda: queries.page(SampleQuery()),
        "page, filtered, sorted": lambda: queries.page(wrong, slow),
        "counts": lambda: queries.counts(wrong),
        "page, by metadata": lambda: queries.page(channel, PageRequest("score.graded")),
        "search, rare": lambda: queries.page(SampleQuery(text=NEEDLE.upper()), limit_s=None),
        "search, frequent": lambda: queries.page(SampleQuery(text="ab")),
        "story": lambda: story(queries, queries.base.total // 2),
    }
    for name, work in works.items():
        found[name] = timed(work)
        found[f"{name}, again"] = timed(work)
    return found


def floor_rows(run: Path) -> dict[str, tuple[float, float]]:
    """Time the plain queries."""
    import duckdb

    base = duckdb.connect(":memory:", config={"threads": 2})
    source = f"read_parquet('{run}/samples.parquet')"
    columns = "sample_id, model, left(text, 200), left(input, 200), target, latency_s, cost_usd"
    wrong = "model = 'demo/v2' and \"score.classification\" < 1"
    queries = {
        "page": f"select {columns} from {source} limit 100",
        "page, filtered, sorted": f"select {columns} from {source} where {wrong} order by latency_s desc limit 100",
        "counts": f"select count(*), count(*) filter (not ok) from {source} where {wrong}",
        "search, rare": f"select {columns} from {source} where text ilike '%{NEEDLE}%' or input ilike '%{NEEDLE}%' limit 100",
    }
    return {
        name: timed(lambda query=query: base.execute(query).fetchall()) for name, query in queries.items()
    }  # type: ignore[misc] # the default binds


def measured(what: str, folder: Path) -> tuple[dict[str, list[float]], float]:
    """Return the figures of one fresh process and its peak memory in MB."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", what, str(folder)], capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found["rows"], found["peak"]


def one(what: str, folder: Path) -> None:
    """Measure in this process and print JSON."""
    big = folder / "20260201-000000-big000"
    rows = {
        "index": lambda: index_rows(folder, folder.parent / "cache" / "index.sqlite"),
        "samples": lambda: sample_rows(big),
        "floor": lambda: floor_rows(big),
    }[what]()
    print(json.dumps({"rows": rows, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}))


def report(folder: Path, repeats: int) -> None:
    """Print medians."""
    cache = folder.parent / "cache" / "index.sqlite"
    print(f"load at the start: {os.getloadavg()[0]:.1f}\n{'':<44}{'wall':>8}{'CPU':>8}{'MB':>6}")
    for what, label in (("cold", "no cache"), ("index", "cache"), ("samples", ""), ("floor", "plain DuckDB")):
        found = []
        for _ in range(repeats):
            if what == "cold":
                cache.unlink(missing_ok=True)
            found.append(measured("index" if what == "cold" else what, folder))
        peak = max(one for _, one in found)
        for name in found[0][0]:
            wall, cpu = (statistics.median(rows[name][place] for rows, _ in found) for place in (0, 1))
            print(f"{f'{label} {name}'.strip():<44}{wall:7.3f}s{cpu:7.3f}s{peak:6.0f}")


def main() -> None:
    """Make the folder, measure, delete it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep what is made here, and take it if it is there")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        one(args.one[0], Path(args.one[1]))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = (args.folder or Path(name)) / "results"
        if not folder.exists():
            small_runs(folder, args.runs)
            big_run(folder, args.samples)
        report(folder, args.repeats)


if __name__ == "__main__":
    main()
