"""Times what pages over many runs and over one of a million samples wait for.

Usage: python benchmarks/browse.py [--runs 500] [--samples 1000000] [--repeats 3] [--folder DIR]

The folder is made first and deleted afterwards. First the store alone, then the dashboard as readers have it, over HTTP
(`pages.py`). Each "cold" figure is of a fresh process; none empties the operating system's cache of files. The floor is
the plain query over the same Parquet with DuckDB; the ratio is of CPU seconds, the page's counts and HTML included.
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

import pages


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
    channel = "metadata->>'$.channel' = 'c1' and \"score.graded\" >= 0.5"
    texts = f"text ilike '%{NEEDLE}%' or input ilike '%{NEEDLE}%'"
    queries = {
        "page": f"select {columns} from {source} limit 100",
        "1,000 rows": f"select {columns} from {source} limit 1000",
        "page, filtered, sorted": f"select {columns} from {source} where {wrong} order by latency_s desc limit 100",
        "counts": f"select count(*), count(*) filter (not ok) from {source} where {wrong}",
        "page, by metadata": f'select {columns} from {source} where {channel} order by "score.graded" limit 100',
        "search, rare": f"select {columns} from {source} where {texts} limit 100",
        "search, frequent": f"select {columns} from {source} where text ilike '%ab%' limit 100",
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
    big = folder / pages.BIG
    rows = {
        "index": lambda: index_rows(folder, folder.parent / "cache" / "index.sqlite"),
        "samples": lambda: sample_rows(big),
        "floor": lambda: floor_rows(big),
    }[what]()
    print(json.dumps({"rows": rows, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}))


def report_store(folder: Path, repeats: int) -> dict[str, tuple[float, float]]:
    """Print medians of the store alone; return those of plain DuckDB."""
    cache = folder.parent / "cache" / "index.sqlite"
    plain: dict[str, tuple[float, float]] = {}
    print(f"{'the store alone, medians':<44}{'wall':>8}{'CPU':>9}{'MB':>6}")
    for what, label in (("cold", "no cache"), ("index", "cache"), ("samples", ""), ("floor", "plain DuckDB")):
        found = []
        for _ in range(repeats):
            if what == "cold":
                cache.unlink(missing_ok=True)
            found.append(measured("index" if what == "cold" else what, folder))
        peak = max(one for _, one in found)
        for name in found[0][0]:
            wall, cpu = (statistics.median(rows[name][place] for rows, _ in found) for place in (0, 1))
            print(f"{f'{label} {name}'.strip():<44}{wall:7.3f}s{cpu:8.3f}s{peak:6.0f}")
            if what == "floor":
                plain[name] = wall, cpu
    return plain


PLAIN = {
    "first page of samples": "page",
    "filtered and sorted": "page, filtered, sorted",
    "by metadata and scores, sorted": "page, by metadata",
    "1,000 rows": "1,000 rows",
    "a rare text": "search, rare",
    "a frequent text": "search, frequent",
}
"""Which plain query gives the rows of a page."""


def report_pages(folder: Path, repeats: int, plain: dict[str, tuple[float, float]]) -> None:
    """Print what readers wait for: the least of several, the median, CPU, and the plain query's share."""
    with tempfile.TemporaryDirectory() as cache:
        times, peaks = pages.measured(folder, Path(cache), repeats)
    print(f"\n{'over HTTP':<38}{'must':>6}{'least':>8}{'median':>8}{'CPU':>7}{'DuckDB':>9}{'ratio':>7}")
    for name, each in times.items():
        must = pages.MUST.get(name)
        least, median = min(one.wall for one in each), statistics.median(one.wall for one in each)
        cpu = min(one.cpu for one in each)
        floor = plain.get(PLAIN.get(name, ""))
        said = f"{floor[1]:8.2f}s{cpu / floor[1]:7.1f}" if floor else f"{'':>16}"
        verdict = "" if must is None else ("  holds" if least <= must else "  TOO SLOW")
        print(f"{name:<38}{must or '':>6}{least:7.2f}s{median:7.2f}s{cpu:6.2f}s{said}{verdict}")
    for name, peak in peaks.items():
        verdict = "" if name == "worker" else ("  holds" if peak <= pages.MUST_MB else "  TOO LARGE")
        print(f"{f'peak memory, {name}':<38}{pages.MUST_MB if verdict else '':>6}{peak:5.0f} MB{verdict}")


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
        print(f"load at the start: {os.getloadavg()[0]:.1f}")
        report_pages(folder, args.repeats, report_store(folder, args.repeats))
        print(f"load at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
