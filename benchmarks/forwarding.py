"""Rows about the gateway: what it adds to its upstream, asked directly in the same run."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from measure import HERE, Bench, Measured, environment

from regrade.gateway.process import Gateway
from regrade.gateway.settings import GatewaySettings, Upstream

Row = Callable[[Bench], list[Measured]]
_STREAMS = 1_000


@dataclass
class Served:
    """A gateway in front of an upstream.

    Attributes:
        direct: Base URL of the upstream.
        through: Base URL of the gateway.
        pid: Of the gateway's serving process.
    """

    direct: str
    through: str
    pid: int

    def peak_mb(self) -> float:
        """Return the largest resident memory that the gateway had."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

    def cpu_s(self) -> float:
        """Return the CPU time that the gateway has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(*arguments: str) -> Iterator[Served]:
    """Run an upstream and a gateway that forwards to it."""
    command = [sys.executable, str(HERE / "upstream.py"), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        direct = f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        before = _children()
        with Gateway(GatewaySettings(upstreams=(Upstream("m", direct),))) as gateway:
            (pid,) = _children() - before
            yield Served(direct, gateway.base_url, pid)
    finally:
        process.terminate()
        process.wait()


def _children() -> set[int]:
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that ended meanwhile
            found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


def _probe(bench: Bench, url: str, connections: int, requests: int, *more: str) -> dict[str, float]:
    command = [sys.executable, str(HERE / "probe.py"), url, str(connections), str(requests), *more]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment(), timeout=bench.left_s
    )
    found: dict[str, float] = json.loads(done.stdout)
    if found["wrong"]:
        raise RuntimeError(f"{found['wrong']:.0f} answers of {url} were wrong")
    return found


def overhead(bench: Bench) -> list[Measured]:
    """What the gateway adds to an answer at 100 connections, and what it costs."""
    requests = 2_000 if bench.quick else 5_000
    added: list[float] = []
    late: list[float] = []
    cost: list[float] = []
    with served("--latency", "0.2") as there:
        _probe(bench, there.through, 100, 500)
        for _ in bench.rounds():
            direct = _probe(bench, there.direct, 100, requests)
            before = there.cpu_s()
            through = _probe(bench, there.through, 100, requests)
            cost.append((there.cpu_s() - before) / requests * 1000)
            added.append(through["median_ms"] - direct["median_ms"])
            late.append(through["p95_ms"] - direct["p95_ms"])
    detail = (
        f"95th percentile {statistics.median(late):.2f} ms; CPU {statistics.median(cost):.2f} ms a request; "
        f"{requests:,} requests, {len(added)} repeats"
    )
    return [Measured("gateway: added, C=100, 200 ms", statistics.median(added), "ms", 2, 1, detail)]


def throughput(bench: Bench) -> list[Measured]:
    """How many requests a second get through when the upstream answers at once."""
    requests = 3_000 if bench.quick else 10_000
    ratios: list[float] = []
    rates: list[tuple[float, float]] = []
    with served("--latency", "0") as there:
        for _ in bench.rounds():
            direct = _probe(bench, there.direct, 100, requests)["per_s"]
            through = _probe(bench, there.through, 100, requests)["per_s"]
            ratios.append(direct / through)
            rates.append((through, direct))
    through, direct = (statistics.median(one) for one in zip(*rates, strict=True))
    detail = f"{through:,.0f} a second; directly {direct:,.0f}; {len(ratios)} repeats"
    return [Measured("gateway: time for a request, 0 ms", statistics.median(ratios), "x", None, None, detail)]


def streams(bench: Bench) -> list[Measured]:
    """A thousand open streams: the memory of the one process, and the time to the first byte."""
    with served("--chunks", "40", "--every", "0.5") as there:
        idle = there.peak_mb()
        ramp = ("--stream", "--ramp", "4")
        direct = _probe(bench, there.direct, _STREAMS, _STREAMS, *ramp)
        through = _probe(bench, there.through, _STREAMS, _STREAMS, *ramp)
        peak = there.peak_mb()
    added = through["median_ms"] - direct["median_ms"]
    late = through["p95_ms"] - direct["p95_ms"]
    name = f"gateway: {through['open']:,.0f} open streams"
    return [
        Measured(f"{name}, peak memory", peak, "MB", 300, 150, f"{idle:.0f} MB before the first request"),
        Measured(f"{name}, first byte", added, "ms", None, None, f"95th percentile {late:.2f} ms"),
    ]


ROWS: dict[str, Row] = {
    "gateway_overhead": overhead,
    "gateway_throughput": throughput,
    "gateway_streams": streams,
}
