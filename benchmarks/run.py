"""Measures regrade against a plain loop that does the same requests, as ratios within one run.

Usage: python benchmarks/run.py [--quick] [--repeats N] [--rows NAME,NAME] [-o FILE.json]

Every measurement is a fresh process, regrade and loop in turn; the table shows medians. CPU and memory are
those of the child alone, as the operating system counts them. Each row stops by itself.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent
SPEC = """\
name: sums
dataset: {{path: {rows}, input: question, target: answer}}
models: [{{name: m, base_url: "{url}"}}]
prompt: "{{{{ question }}}}"
parameters: {{temperature: 0}}
scorers: [exact_match]
"""


@dataclass(frozen=True)
class Used:
    """What one process took."""

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True)
class Measured:
    """One row of the result."""

    name: str
    value: float
    unit: str
    must: str
    reach: str
    detail: str


@dataclass(frozen=True)
class Bench:
    """Where a measurement happens."""

    folder: Path
    repeats: int
    quick: bool

    def rows(self, count: int) -> Path:
        """Return a file of so many sums."""
        path = self.folder / f"rows-{count}.jsonl"
        if not path.exists():
            with path.open("w") as stream:
                for n in range(count):
                    row = {"id": f"s{n}", "question": f"{n}+{n % 97}", "answer": str(n + n % 97)}
                    stream.write(json.dumps(row) + "\n")
        return path

    def regrade(self, url: str, count: int, connections: int, *more: str) -> list[str]:
        """Return the command of a run."""
        spec = self.folder / f"spec-{count}.yaml"
        spec.write_text(SPEC.format(rows=self.rows(count), url=url))
        command = [sys.executable, "-m", "regrade", "run", str(spec), "--max-connections", str(connections)]
        return [*command, "--results", str(self.folder / "results"), *more]

    def loop(self, url: str, count: int, connections: int) -> list[str]:
        """Return the command of the floor."""
        return [sys.executable, str(HERE / "loop.py"), url, str(self.rows(count)), str(connections)]

    def newest(self) -> Path:
        """Return the folder of the last run."""
        return max((self.folder / "results").iterdir())


def used(command: list[str]) -> Used:
    """Run a command to its end and return what it took."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode}: {' '.join(command)}")
    return Used(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


@contextmanager
def server(*arguments: str) -> Iterator[str]:
    """Run the server beside a measurement; give its base URL."""
    command = [sys.executable, str(HERE / "server.py"), *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.terminate()
        process.wait()


def counts(url: str) -> dict[str, int]:
    """Return what the server answered, and how often the same question again."""
    with urllib.request.urlopen(url.removesuffix("/v1") + "/counts") as reply:
        found: dict[str, int] = json.load(reply)
    return found


def pairs(bench: Bench, ours: list[str], floor: list[str]) -> tuple[list[Used], list[Used]]:
    """Measure two commands in turn."""
    taken = [(used(ours), used(floor)) for _ in range(bench.repeats)]
    return [one for one, _ in taken], [two for _, two in taken]


def cpu(bench: Bench) -> list[Measured]:
    """CPU per further sample, at three widths."""
    large, small = (6_000, 1_000) if bench.quick else (20_000, 2_000)
    per_sample: dict[int, float] = {}
    floor = 0.0
    with server() as url:
        for connections in (100, 32, 1000):
            ours, base = pairs(
                bench, bench.regrade(url, large, connections), bench.loop(url, large, connections)
            )
            ours_small, base_small = pairs(
                bench, bench.regrade(url, small, connections), bench.loop(url, small, connections)
            )
            further = _median(ours, "cpu_s") - _median(ours_small, "cpu_s")
            per_sample[connections] = further / (large - small) * 1000
            if connections == 100:
                floor = (_median(base, "cpu_s") - _median(base_small, "cpu_s")) / (large - small) * 1000
    at_100 = per_sample[100]
    spread = max(abs(per_sample[one] / at_100 - 1) for one in (32, 1000))
    detail = ", ".join(f"C={one}: {value:.2f} ms" for one, value in per_sample.items())
    return [
        Measured("cpu per further sample", at_100 / floor, "x", "4", "2.5", f"{detail}; loop {floor:.2f} ms"),
        Measured("the same at C=32 and 1,000", spread * 100, "%", "25", "", detail),
    ]


def wall(bench: Bench) -> list[Measured]:
    """Wall time from start-up to tables on disk."""
    found = []
    for latency, connections, must, reach in (
        (0.0, 100, "4", "2.5"), (0.2, 100, "1.25", "1.12"), (0.2, 1000, "2.5", "1.7"),
    ):  # fmt: skip
        with server(str(latency)) as url:
            ours, base = pairs(
                bench, bench.regrade(url, 2000, connections), bench.loop(url, 2000, connections)
            )
        mine, floor = _median(ours, "wall_s"), _median(base, "wall_s")
        name = f"wall, N=2,000, C={connections:,}, {latency * 1000:.0f} ms"
        found.append(Measured(name, mine / floor, "x", must, reach, f"{mine:.2f} s, loop {floor:.2f} s"))
    return found


def memory(bench: Bench) -> list[Measured]:
    """Peak memory, how it grows, and the disk that a sample takes."""
    large = 20_000 if bench.quick else 200_000
    with server() as url:
        small = used(bench.regrade(url, 2_000, 100)).peak_mb
        middle = used(bench.regrade(url, 10_000, 100)).peak_mb
        disk = sum(path.stat().st_size for path in bench.newest().iterdir()) / 10_000 / 1000
        most = used(bench.regrade(url, large, 100)).peak_mb
    return [
        Measured(
            f"memory at {large:,} less at 2,000",
            most - small,
            "MB",
            "30",
            "flat",
            f"{most:.0f} and {small:.0f} MB",
        ),
        Measured("peak memory, N=10,000", middle, "MB", "140", "115", ""),
        Measured("disk per sample", disk, "kB", "1.5", "0.6", "journal and tables"),
    ]


def start_up(bench: Bench) -> list[Measured]:
    """`regrade --help` against a bare interpreter."""
    ours = [used([sys.executable, "-m", "regrade", "--help"]) for _ in range(max(5, bench.repeats))]
    bare = [used([sys.executable, "-c", "pass"]) for _ in range(max(5, bench.repeats))]
    mine, floor = _median(ours, "wall_s"), _median(bare, "wall_s")
    detail = f"{mine * 1000:.0f} ms, python {floor * 1000:.0f} ms"
    return [Measured("regrade --help", mine / floor, "x", "12", "8", detail)]


def killed(bench: Bench) -> list[Measured]:
    """Answers paid for twice after kill -9 at half-way."""
    with server("0.02") as url:
        command = bench.regrade(url, 1_000, 32)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while counts(url)["answered"] < 500:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        used([*command, "--resume", bench.newest().name])
        found = counts(url)
    detail = f"{found['answered']} answered for 1,000 samples, 32 in flight at the kill"
    beyond = max(0, found["repeats"] - 32)
    return [Measured("paid again after kill -9", beyond, "beyond flight", "0", "0", detail)]


def faults(bench: Bench) -> list[Measured]:
    """Faults strewn in: nothing lost, nothing miscounted, little time lost."""
    import regrade

    with server("0.02") as url:
        clean = statistics.median(used(bench.regrade(url, 2_000, 100)).wall_s for _ in range(bench.repeats))
    walls, lost = [], 0
    for _ in range(bench.repeats):
        with server("0.02", "--faults") as url:
            walls.append(used(bench.regrade(url, 2_000, 100)).wall_s)
        run = regrade.open_run(str(bench.newest()))
        lost += 2_000 - sum(run.samples["ok"].to_pylist())
        lost += sum(1 for value in run.scores["value"].to_pylist() if value != 1)
    mine = statistics.median(walls)
    return [
        Measured("5 % 429, 2 % 500, 1 % dropped: lost", lost, "", "0", "0", "2,000 samples"),
        Measured(
            "their wall time", mine / clean, "x", "", "1.2", f"{mine:.2f} s, without faults {clean:.2f} s"
        ),
    ]


def _median(taken: list[Used], what: str) -> float:
    return float(statistics.median(getattr(one, what) for one in taken))


ROWS: dict[str, Callable[[Bench], list[Measured]]] = {
    "start_up": start_up,
    "wall": wall,
    "cpu": cpu,
    "memory": memory,
    "killed": killed,
    "faults": faults,
}


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller numbers, for a first look")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", default=",".join(ROWS), help=f"some of {', '.join(ROWS)}")
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    found: list[Measured] = []
    for name in arguments.rows.split(","):
        with tempfile.TemporaryDirectory() as folder:
            for one in ROWS[name](Bench(Path(folder), arguments.repeats, arguments.quick)):
                found.append(one)
                value = f"{one.value:.2f} {one.unit}"
                print(
                    f"{one.name:<38} {value:>18}   must {one.must:<5} reach {one.reach:<5} {one.detail}",
                    flush=True,
                )
    if arguments.output:
        arguments.output.write_text(json.dumps([asdict(one) for one in found], indent=2) + "\n")


if __name__ == "__main__":
    main()
