"""Whether a page of 1,000 rows lets the browser stutter: the tasks of its main thread over 50 ms, loading and scrolling.

Usage: python benchmarks/scroll.py [--samples 20000] [--rows 1000] [--repeats 3] [--results DIR]

The folder is made first (`folders.py`) and deleted afterwards, unless one is named. Tasks are taken from Chromium's own
trace, as its developer tools show them; Chromium has to be on PATH, Playwright installed.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from folders import big_run

ARGUMENTS = ["--no-sandbox", "--disable-background-networking"]
CATEGORIES = "toplevel,disabled-by-default-devtools.timeline,__metadata"
SCREENS = 60
_LONG_MS = 50


def tasks(events: list[dict[str, Any]]) -> list[tuple[float, float]]:
    """Return the milliseconds of every task of the page's main thread, by the clock and of CPU."""
    mains = {
        (one["pid"], one["tid"])
        for one in events
        if one.get("name") == "thread_name" and one["args"]["name"] == "CrRendererMain"
    }
    return [
        (one["dur"] / 1000, one.get("tdur", one["dur"]) / 1000)
        for one in events
        if one.get("name") in {"RunTask", "ThreadControllerImpl::RunTask"}
        and (one["pid"], one["tid"]) in mains
        and "dur" in one
    ]


def traced(browser: Any, work: Any) -> list[tuple[float, float]]:
    """Return the tasks while something is done."""
    session = browser.new_browser_cdp_session()
    events: list[dict[str, Any]] = []
    ended: list[bool] = []
    session.on("Tracing.dataCollected", lambda part: events.extend(part["value"]))
    session.on("Tracing.tracingComplete", lambda _: ended.append(True))
    session.send("Tracing.start", {"categories": CATEGORIES, "transferMode": "ReportEvents"})
    work()
    session.send("Tracing.end")
    while not ended:
        session.send("Browser.getVersion")
    return tasks(events)


def look(url: str) -> tuple[dict[str, list[tuple[float, float]]], int]:
    """Load the page and scroll through it in a browser of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(url.partition("/run")[0])  # what is started once is no part of the page

        def scroll() -> None:
            page.mouse.move(600, 500)
            for _ in range(SCREENS):
                page.mouse.wheel(0, 700)
                page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

        found = {"load": traced(browser, lambda: page.goto(url, wait_until="load"))}
        nodes = int(page.evaluate("document.querySelectorAll('*').length"))
        found["scroll"] = traced(browser, scroll)
        browser.close()
    return found, nodes


def main() -> int:
    """Make the folder, serve it, look at the page several times."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--results", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = args.results or Path(folder) / "results"
        if args.results is None:
            big_run(results, args.samples)
        run = max(path.parent.name for path in results.glob("*/samples.parquet"))
        env = {**os.environ, "REGRADE_CACHE_DIR": folder}
        command = [sys.executable, "-m", "regrade", "dashboard", "--no-open", str(results)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as server:
            assert server.stdout
            root = server.stdout.readline().removeprefix("serving ").strip()
            try:
                looks = [look(f"{root}run/{run}/samples?per={args.rows}") for _ in range(args.repeats)]
            finally:
                server.terminate()
    for name in ("load", "scroll"):
        for place, clock in enumerate(("by the clock", "of CPU")):
            longest = sorted(max(task[place] for task in one[name]) for one, _ in looks)
            long = statistics.median(sum(task[place] > _LONG_MS for task in one[name]) for one, _ in looks)
            shown = f"median {statistics.median(longest):.0f} ms, {longest[0]:.0f} to {longest[-1]:.0f}"
            print(f"{name}, {clock}: longest task {shown}; {long:g} tasks over {_LONG_MS} ms")
    print(f"{args.rows:,} rows, {looks[0][1]:,} nodes; load of the machine {os.getloadavg()[0]:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
