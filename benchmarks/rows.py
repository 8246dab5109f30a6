"""The rows of the table: each measures one promise and stops by itself."""

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import forwarding
import pyarrow.parquet as pq
from measure import Bench, Measured, Server, Used, environment, median, server
from server import RETRY_AFTER_S

Row = Callable[[Bench], list[Measured]]

_READ_ONCE = """\
import sys, orjson
with open(sys.argv[1], "rb") as stream:
    for line in stream:
        orjson.loads(line)
"""


def start_up(bench: Bench) -> list[Measured]:
    """`regrade --help` against a bare interpreter."""
    ours: list[Used] = []
    bare: list[Used] = []
    for _ in range(3 * bench.repeats):
        ours.append(bench.used([sys.executable, "-m", "regrade", "--help"]))
        bare.append(bench.used([sys.executable, "-c", "pass"]))
    mine, floor = median(ours, "wall_s"), median(bare, "wall_s")
    detail = f"{mine * 1000:.0f} ms; python -c pass {floor * 1000:.0f} ms"
    return [Measured("regrade --help", mine / floor, "x", 12, 8, detail)]


def cpu(bench: Bench) -> list[Measured]:
    """CPU for each further sample, C = 100, and how busy the server was."""
    large, small = _sizes(bench)
    ours: list[float] = []
    floor: list[float] = []
    answering: list[float] = []
    with server() as there:
        for _ in bench.rounds():
            ours.append(_further(bench, bench.regrade, there.url, 100))
            before = there.counts()
            floor.append(_further(bench, bench.loop, there.url, 100))
            after = there.counts()
            requests = after["answered"] - before["answered"]
            answering.append((after["cpu_s"] - before["cpu_s"]) / requests * 1000)
    mine, least = statistics.median(ours), statistics.median(floor)
    detail = (
        f"{mine:.3f} ms; loop {least:.3f} ms; ({large:,} - {small:,}), {len(ours)} repeats; "
        f"server {statistics.median(answering):.3f} ms an answer"
    )
    return [Measured("CPU per further sample, C=100", mine / least, "x", 4, 2.5, detail)]


def width(bench: Bench) -> list[Measured]:
    """The same at C = 32 and C = 1,000 as at C = 100."""
    taken: dict[int, list[float]] = {32: [], 100: [], 1000: []}
    with server() as there:
        for _ in bench.rounds():
            for connections, values in taken.items():
                values.append(_further(bench, bench.regrade, there.url, connections))
    at = {connections: statistics.median(values) for connections, values in taken.items()}
    detail = ", ".join(f"C={connections:,} {value:.3f} ms" for connections, value in at.items())
    return [
        Measured(
            f"CPU at C={connections:,} against C=100", (at[connections] / at[100] - 1) * 100, "%", 25, None, detail
        )
        for connections in (32, 1000)
    ]  # fmt: skip


def _sizes(bench: Bench) -> tuple[int, int]:
    return (6_000, 1_000) if bench.quick else (20_000, 2_000)


def _further(
    bench: Bench, command: Callable[[str, int, int], list[str]], url: str, connections: int
) -> float:
    """Return the milliseconds of CPU that a further sample takes."""
    large, small = _sizes(bench)
    more = bench.used(command(url, large, connections)).cpu_s
    less = bench.used(command(url, small, connections)).cpu_s
    return (more - less) / (large - small) * 1000


def wall(bench: Bench) -> list[Measured]:
    """Wall time from start-up to tables on disk, N = 2,000, against the loop."""
    found = []
    for latency, connections, must, reach in ((0.0, 100, 4, 2.5), (0.2, 100, 1.25, 1.12), (0.2, 1000, 2.5, 1.7)):  # fmt: skip
        ours: list[Used] = []
        base: list[Used] = []
        with server(str(latency)) as there:
            for _ in range(bench.repeats):
                ours.append(bench.used(bench.regrade(there.url, 2_000, connections)))
                base.append(bench.used(bench.loop(there.url, 2_000, connections)))
        mine, floor = median(ours, "wall_s"), median(base, "wall_s")
        name = f"wall, N=2,000, C={connections:,}, {latency * 1000:.0f} ms"
        detail = f"{mine:.2f} s; loop {floor:.2f} s"
        found.append(Measured(name, mine / floor, "x", must, reach, detail))
    return found


def peak(bench: Bench) -> list[Measured]:
    """Peak memory at N = 10,000, and the disk that a sample takes."""
    with server() as there:
        peaks = [bench.used(bench.regrade(there.url, 10_000, 100)) for _ in bench.rounds()]
    files = {path.name: path.stat().st_size for path in bench.newest().iterdir()}
    detail = ", ".join(f"{name} {size / 1e7:.2f}" for name, size in files.items() if size > 100_000)
    return [
        Measured("peak memory, N=10,000", median(peaks, "peak_mb"), "MB", 140, 115, ""),
        Measured("disk per sample", sum(files.values()) / 1e7, "KB", 1.5, 0.6, detail),
    ]


def memory(bench: Bench) -> list[Measured]:
    """How memory grows from 2,000 samples to 200,000."""
    large = 20_000 if bench.quick else 200_000
    with server() as there:
        small = bench.used(bench.regrade(there.url, 2_000, 100)).peak_mb
        most = bench.used(bench.regrade(there.url, large, 100)).peak_mb
    detail = f"{most:.0f} MB less {small:.0f} MB"
    return [Measured(f"memory, N={large:,} less N=2,000", most - small, "MB", 30, 5, detail)]


def killed(bench: Bench) -> list[Measured]:
    """Answers paid for twice after kill -9 at half-way, beyond the 32 in flight."""
    worst = repeats = 0
    for _ in range(bench.repeats):
        with server("0.02") as there:
            command = bench.regrade(there.url, 1_000, 32)
            _kill_when(bench, command, lambda counts: counts["answered"] >= 500, there)
            bench.used([*command, "--resume", bench.newest().name])
            counts = there.counts()
        repeats = max(repeats, counts["repeats"])
        worst = max(worst, counts["repeats"] - 32, 1_000 - (counts["answered"] - counts["repeats"]))
    detail = f"at most {repeats} of the 32 in flight, {bench.repeats} kills; nothing unanswered"
    return [Measured("paid again after kill -9", worst, "", 0, 0, detail)]


def _kill_when(
    bench: Bench,
    command: list[str],
    reached: Callable[[dict[str, Any]], bool],
    there: Server,
    every_s: float = 0.005,
) -> float:
    """Start a command, kill it when the server has seen something; return when it was started."""
    began = time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()
    )
    try:
        bench.wait_for(lambda: reached(there.counts()), process, every_s)
    finally:
        process.kill()
        process.wait()
    return began


def faults(bench: Bench) -> list[Measured]:
    """Faults strewn in: nothing lost, nothing miscounted, little time lost."""
    clean: list[float] = []
    ratios: list[float] = []
    lost = wrong = 0
    details = []
    for _ in bench.rounds():
        with server("0.1") as there:
            clean.append(bench.used(bench.regrade(there.url, 2_000, 100)).wall_s)
        with server("0.1", "--faults") as there:
            taken = bench.used(bench.regrade(there.url, 2_000, 100)).wall_s
            counts = there.counts()
        samples = pq.read_table(bench.newest() / "samples.parquet", columns=["ok"])
        scores = pq.read_table(bench.newest() / "scores.parquet", columns=["value"])
        lost += 2_000 - sum(samples["ok"].to_pylist()) + counts["repeats"]
        wrong += 2_000 - sum(value == 1 for value in scores["value"].to_pylist())
        told = counts["most_limited"] * RETRY_AFTER_S
        ratios.append(taken / (clean[-1] + told))
        details.append(f"{taken:.2f} s; without faults {clean[-1]:.2f} s, told to wait {told} s")
    what = f"5 % 429, 2 % 500, 1 % dropped; {len(ratios)} times 2,000 samples"
    return [
        Measured("faults: lost, or answered twice", max(lost, 0), "", 0, 0, what),
        Measured("faults: miscounted", max(wrong, 0), "", 0, 0, what),
        Measured("faults: wall against clean + Retry-After", statistics.median(ratios), "x", None, 1.2, details[-1]),
    ]  # fmt: skip


def pace(bench: Bench) -> list[Measured]:
    """A server that takes 20 requests in any second: how near the rate comes, and how much is refused."""
    per_s, count = 20.0, 800 if bench.quick else 2_400
    with server("0.05", "--per-second", str(per_s)) as there:
        bench.used(bench.regrade(there.url, count, 100))
        counts = there.counts()
    taken, refused = counts["taken_at"], counts["refused_at"]
    began, ended = counts["first_at"], taken[-1]
    half = began + (ended - began) / 2
    settled = sum(at >= half for at in taken) / (ended - half)
    late = sum(at >= half for at in refused)
    detail = (
        f"{settled:.1f} a second in the second half, {late} refused in it; "
        f"{len(refused)} of {count + len(refused):,} in all, {ended - began:.0f} s"
    )
    share = 100 * len(refused) / (count + len(refused))
    return [
        Measured("pace: below 20 a second, once settled", (1 - settled / per_s) * 100, "%", 10, None, detail),
        Measured("pace: refused, from the first request on", share, "%", 2, None, detail),
    ]


def resume(bench: Bench) -> list[Measured]:
    """Time until the first new request of a run with very many finished ones.

    The run is made for real with its last 100 samples missing, as after a kill: its journal is cut there.
    """
    count = 20_000 if bench.quick else 200_000
    with server() as there:
        bench.used(bench.regrade(there.url, count, 100))
    port = there.url.removesuffix("/v1").rpartition(":")[2]  # another port would be another endpoint
    folder = bench.newest()
    journal = folder / "journal.jsonl"
    _cut(journal, 100)
    kept = folder.with_name("kept")
    folder.rename(kept)
    bench.restart()
    ours: list[float] = []
    floor: list[float] = []
    for _ in bench.rounds():
        shutil.copytree(kept, folder)
        floor.append(bench.used([sys.executable, "-c", _READ_ONCE, str(journal)]).wall_s)
        ours.append(_until_first(bench, count, folder, port))
        shutil.rmtree(folder)
    mine, least = statistics.median(ours), statistics.median(floor)
    detail = f"{mine:.2f} s; journal read once {least:.2f} s; {count:,} finished, {len(ours)} repeats"
    return [Measured("resume until the first request", mine / least, "x", 3, 1.5, detail)]


def _until_first(bench: Bench, count: int, folder: Path, port: str) -> float:
    """Return the seconds from starting a resumed run to the first request that the server sees."""
    with server("--port", port) as there:
        command = bench.regrade(there.url, count, 100, "--resume", folder.name)
        began = _kill_when(bench, command, lambda counts: counts["first_at"] is not None, there, 0.1)
        return float(there.counts()["first_at"] - began)


def _cut(journal: Path, lines: int) -> None:
    """Take the last lines away."""
    with journal.open("rb+") as stream:
        end = stream.seek(0, 2)
        tail_at = max(0, end - 1000 * lines)
        stream.seek(tail_at)
        tail = stream.read()
        stream.truncate(tail_at + len(b"".join(tail.splitlines(keepends=True)[:-lines])))


ROWS: dict[str, Row] = {
    "start_up": start_up,
    "cpu": cpu,
    "width": width,
    "wall": wall,
    "peak": peak,
    "memory": memory,
    "killed": killed,
    "faults": faults,
    "pace": pace,
    "resume": resume,
    **forwarding.ROWS,
}
