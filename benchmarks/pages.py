"""What readers of the dashboard wait for: pages over HTTP from a process of its own, as `regrade dashboard` starts it.

Used by `browse.py`. Linux alone: CPU time and peak memory come from /proc.
"""

import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import quote

from folders import NEEDLE

BIG = "20260201-000000-big000"
SAMPLES = f"/run/{BIG}/samples"
META = f"{SAMPLES}?score.graded=0.5..&meta.channel={{}}&sort=score.graded"
RARE = f"{SAMPLES}?q={NEEDLE.upper()}"
WARM = {
    "first page of samples": SAMPLES,
    "filtered and sorted": f"{SAMPLES}?model=demo/v2&outcome=wrong&by=classification&sort=-latency",
    "by metadata and scores, sorted": META.format("c1"),
    "1,000 rows": f"{SAMPLES}?per=1000",
    "a rare text": RARE,
    "a frequent text": f"{SAMPLES}?q=ab",
    "a sample's story": f"{SAMPLES}?open=sample-4711",
    "run of 1,000,000": f"/run/{BIG}",
}
COLD = ("first page of samples", "filtered and sorted", "a rare text", "run of 1,000,000")
MUST = {
    "overview, no cache": 0.3,
    "overview, cache": 0.3,
    "overview, again": 0.3,
    "overview during a search": 0.3,
    "first page of samples": 0.5,
    "first page of samples, cold": 2.0,
    "filtered and sorted": 0.5,
    "filtered and sorted, cold": 2.0,
    "by metadata and scores, sorted": 0.5,
    "1,000 rows": 0.5,
    "a rare text": 3.0,
    "a rare text, cold": 3.0,
    "a frequent text": 3.0,
}
"""Seconds."""
MUST_MB = 400
_TICK = os.sysconf("SC_CLK_TCK")
_UTIME = 11  # behind the name, which may hold blanks


class Took(NamedTuple):
    """What a page took: seconds that its reader waited, seconds of the server's CPU."""

    wall: float
    cpu: float


class Served:
    """A dashboard over a results folder.

    Args:
        results: The folder.
        cache: Of its user.
    """

    def __init__(self, results: Path, cache: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "regrade", "dashboard", "--no-open", str(results)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "REGRADE_CACHE_DIR": str(cache)},
        )
        assert self._process.stdout
        self.port = int(self._process.stdout.readline().strip().rstrip("/").rpartition(":")[2])
        self.worker_mb = 0.0
        self._ended = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)
        self._looking.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._looking.join()
        self._process.terminate()
        self._process.wait()

    @property
    def mb(self) -> float:
        """Return the server's peak memory."""
        return _peak(self._process.pid)

    def cpu(self) -> float:
        """Return the seconds of CPU that the server has used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[_UTIME]) + int(fields[_UTIME + 1])) / _TICK

    def get(self, path: str) -> Took:
        """Ask for a page."""
        cpu, wall = self.cpu(), time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request("GET", quote(path, safe="/?&=%+,."))
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{path}: {answer.status}")
        return Took(time.perf_counter() - wall, self.cpu() - cpu)

    @contextmanager
    def asking(self, path: str) -> Iterator[None]:
        """Ask for a page, and leave at the end whether it has come or not."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request("GET", quote(path, safe="/?&=%+,."))
        try:
            yield
        finally:
            connection.close()

    def _look(self) -> None:
        """Note how large the processes become that compute comparisons."""
        own = self._process.pid
        while not self._ended.wait(0.05):
            for task in Path(f"/proc/{own}/task").iterdir():
                try:
                    children = (task / "children").read_text().split()
                    self.worker_mb = max([self.worker_mb, *(_peak(int(one)) for one in children)])
                except OSError:
                    continue


def _peak(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1000
    return 0.0


def warm(results: Path, cache: Path) -> tuple[dict[str, Took], dict[str, float]]:
    """Ask one server for everything, each page first and again; return times, and peaks of memory in MB."""
    found: dict[str, Took] = {}
    with Served(results, cache) as served:
        found["overview, cache"] = served.get("/")
        found["overview, again"] = served.get("/")
        served.get(f"{SAMPLES}?per=20")  # opens the run
        for name, path in WARM.items():
            found[name] = served.get(path)
            found[f"{name}, again"] = served.get(path)
        with served.asking(f"{SAMPLES}?q=not-there"):
            found["overview during a search"] = served.get("/")
        return found, {"server": served.mb, "worker": served.worker_mb}


def cold(results: Path, cache: Path) -> dict[str, Took]:
    """Ask a fresh server for one page each."""
    found = {}
    for name in COLD:
        with Served(results, cache) as served:
            found[f"{name}, cold"] = served.get(WARM[name])
    for file in cache.glob("*.sqlite*"):
        file.unlink()
    with Served(results, cache) as served:
        found["overview, no cache"] = served.get("/")
    return found


def readers(results: Path, cache: Path) -> tuple[dict[str, Took], dict[str, float]]:
    """Have ten readers ask for ten pages at once; then one who leaves a search in the middle."""
    paths = [
        "/",
        *WARM.values(),
        META.format("c2"),
        f"{SAMPLES}?q=not-there-either",
    ][:10]
    with Served(results, cache) as served, ThreadPoolExecutor(len(paths)) as pool:
        served.get("/")
        cpu = served.cpu()
        each = list(pool.map(served.get, paths))
        slowest = Took(max(one.wall for one in each), served.cpu() - cpu)
        with served.asking(f"{SAMPLES}?q=nowhere-to-be-found"):
            time.sleep(0.3)
        cpu, wall = served.cpu(), time.perf_counter()
        time.sleep(1)
        after = Took(time.perf_counter() - wall, served.cpu() - cpu)
        found = {"ten readers, the slowest": slowest, "the second after a reader left": after}
        return found, {"server with ten readers": served.mb}


def measured(results: Path, cache: Path, repeats: int) -> tuple[dict[str, list[Took]], dict[str, float]]:
    """Return what every page took in each repeat, and the largest peaks of memory in MB."""
    times: dict[str, list[Took]] = {}
    peaks: dict[str, float] = {}

    def add(found: dict[str, Took], mb: dict[str, float]) -> None:
        for name, took in found.items():
            times.setdefault(name, []).append(took)
        for name, one in mb.items():
            peaks[name] = max(one, peaks.get(name, 0))

    works: list[Callable[[Path, Path], tuple[dict[str, Took], dict[str, float]]]] = [warm, readers]
    for _ in range(repeats):
        add(cold(results, cache), {})
        for work in works:
            add(*work(results, cache))
    return times, peaks
