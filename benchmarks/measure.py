"""What every measurement needs: processes whose use is counted, the server beside them, the same work for all."""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROW_S = 180.0
"""No row takes longer than this: repeats that no longer fit are left out, a process that hangs is killed."""

_SPEC = """\
name: sums
dataset: {{path: {rows}, id: id, input: question, target: answer}}
models: [{{name: m, base_url: "{url}"}}]
prompt: "{{{{ question }}}}"
parameters: {{temperature: 0}}
scorers: [exact_match]
"""


def environment() -> dict[str, str]:
    """Return the environment of measured programs: compiled modules are kept, as after an installation."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class TooLongError(Exception):
    """A row did not end in time."""


@dataclass(frozen=True)
class Used:
    """What one process took."""

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True)
class Measured:
    """One line of the result: what, how much, what it must and should be."""

    name: str
    value: float
    unit: str
    must: float | None
    reach: float | None
    detail: str

    @property
    def verdict(self) -> str:
        """Return how the value stands to its bounds."""
        if self.must is not None and self.value > self.must:
            return "MISSED"
        return "reached" if self.reach is not None and self.value <= self.reach else "ok"


@dataclass
class Server:
    """The server of `server.py` in a child process."""

    url: str

    def counts(self) -> dict[str, Any]:
        """Return what it did so far."""
        with urllib.request.urlopen(self.url.removesuffix("/v1") + "/counts", timeout=10) as reply:
            found: dict[str, Any] = json.load(reply)
        return found


@contextmanager
def server(*arguments: str) -> Iterator[Server]:
    """Run the server beside a measurement."""
    command = [sys.executable, str(HERE / "server.py"), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Server(f"http://127.0.0.1:{int(process.stdout.readline())}/v1")
    finally:
        process.terminate()
        process.wait()


@dataclass
class Bench:
    """Where one row is measured, how often, and until when."""

    folder: Path
    repeats: int
    quick: bool
    began: float = field(default_factory=time.monotonic)

    @property
    def left_s(self) -> float:
        """Return the seconds that the row may still take.

        Raises:
            TooLongError: When there are none.
        """
        left = self.began + ROW_S - time.monotonic()
        if left <= 0:
            raise TooLongError
        return left

    def restart(self) -> None:
        """Begin the row's time anew, after something was set up that is no part of it."""
        self.began = time.monotonic()

    def rounds(self) -> Iterator[int]:
        """Count the repeats, and stop when another would not end in time."""
        for number in range(self.repeats):
            began = time.monotonic()
            yield number
            if self.left_s < 1.2 * (time.monotonic() - began):
                return

    def rows(self, count: int) -> Path:
        """Return a file of so many sums, each different."""
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
        spec.write_text(_SPEC.format(rows=self.rows(count), url=url))
        command = [sys.executable, "-m", "regrade", "run", str(spec), "--max-connections", str(connections)]
        return [*command, "--results", str(self.folder / "results"), *more]

    def loop(self, url: str, count: int, connections: int) -> list[str]:
        """Return the command of the floor."""
        return [sys.executable, str(HERE / "loop.py"), url, str(self.rows(count)), str(connections)]

    def newest(self) -> Path:
        """Return the folder of the last run."""
        return max((self.folder / "results").iterdir())

    def used(self, command: list[str], env: Mapping[str, str] | None = None) -> Used:
        """Run a command to its end and return what it took.

        Raises:
            TooLongError: When it was killed because the row's time was over.
            RuntimeError: When it failed, with the end of what it said.
        """
        log = self.folder / "log.txt"
        process = subprocess.Popen(
            [sys.executable, "-S", str(HERE / "timed.py"), str(log), *command],
            stdout=subprocess.PIPE,
            text=True,
            env={**environment(), **(env or {})},
            start_new_session=True,
        )
        try:
            told, _ = process.communicate(timeout=self.left_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise TooLongError from None
        wall, cpu, peak, code = told.split()
        if code != "0":
            said = log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"exit code {code}: {' '.join(command)}\n{said}")
        return Used(float(wall), float(cpu), float(peak))

    def wait_for(
        self, reached: Callable[[], bool], process: subprocess.Popen[bytes], every_s: float = 0.005
    ) -> None:
        """Look again and again until something is reached.

        Looking takes some of the time of one core; where when it was seen does not matter, look seldom.

        Raises:
            TooLongError: When it is not in time.
            RuntimeError: When the process ended before.
        """
        while not reached():
            if process.poll() is not None:
                raise RuntimeError(f"exit code {process.returncode} before its time")
            time.sleep(min(every_s, self.left_s))


def median(taken: list[Used], what: str) -> float:
    """Return the median of one figure."""
    return float(statistics.median(getattr(one, what) for one in taken))
