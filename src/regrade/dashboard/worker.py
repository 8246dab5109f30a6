"""Work that takes seconds, done by another process; pages say that it goes on."""

import contextlib
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from regrade.jsonio import encode, loads
from regrade.types import JsonObject

__all__ = ["Task", "Worker"]


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be computed.

    Attributes:
        key: Tells it from other tasks.
        asked: What the process is asked, beside the key.
    """

    key: str
    asked: JsonObject


class Worker:
    """Asks one process at a time for all that waits; safe to ask from several threads.

    Memory that arrays took is the process's and ends with it.

    Args:
        module: What the process runs: it reads tasks as lines of JSON and answers with lines that hold the
            key. The last line of a task has `"done": true`.
        take: Is given each line; a task is over only after its last line was taken.
        lost: Is given each task whose process died on it.
    """

    def __init__(
        self, module: str, take: Callable[[Task, JsonObject], None], lost: Callable[[Task], None]
    ) -> None:
        self._module = module
        self._take = take
        self._lost = lost
        self._state = threading.Condition()
        self._waiting: OrderedDict[str, Task] = OrderedDict()
        self._process: subprocess.Popen[bytes] | None = None
        self._works = False
        self._closed = False

    def waits_for(self, key: str) -> bool:
        """Return whether a task is not over yet."""
        with self._state:
            return key in self._waiting

    def begin(self, task: Task) -> None:
        """Have a task computed, unless it waits already."""
        with self._state:
            if self._closed:
                return
            self._waiting.setdefault(task.key, task)
            if not self._works:
                self._works = True
                threading.Thread(target=self._work, daemon=True).start()

    def settle(self, seconds: float, key: str = "") -> bool:
        """Wait until a task is over (without a key: every task), so long at most; return whether it is."""
        with self._state:
            return self._state.wait_for(
                lambda: key not in self._waiting if key else not self._waiting, seconds
            )

    def close(self) -> None:
        """End what is being computed."""
        with self._state:
            self._closed = True
            self._waiting.clear()
            process = self._process
            self._state.notify_all()
        if process is not None:
            with contextlib.suppress(OSError):
                process.kill()

    def _work(self) -> None:
        """Compute all that waits; a new process for what was asked for meanwhile."""
        while True:
            with self._state:
                tasks = list(self._waiting.values())
                if not tasks or self._closed:
                    self._works = False
                    return
            answered = self._computed(tasks)
            left = [one for one in tasks if one.key not in answered]
            if left:  # the process died on the first of them; the others are asked again
                self._lost(left[0])
                self._over(left[0])

    def _computed(self, tasks: Sequence[Task]) -> set[str]:
        """Have another process compute tasks; return the keys of those that are over."""
        command = [sys.executable, "-P", "-m", self._module]
        lines = b"".join(encode({**one.asked, "key": one.key}) + b"\n" for one in tasks)
        by_key = {one.key: one for one in tasks}
        over: set[str] = set()
        with subprocess.Popen(  # noqa: S603 - this program itself
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            with self._state:
                self._process = process
            assert process.stdin
            assert process.stdout
            with contextlib.suppress(OSError):
                process.stdin.write(lines)
                process.stdin.close()
            for line in process.stdout:
                answer = _read(line)
                task = by_key.get(str(answer.get("key")))
                if task is not None:
                    self._take(task, answer)
                    if answer.get("done"):
                        over.add(task.key)
                        self._over(task)
        with self._state:
            self._process = None
        return over

    def _over(self, task: Task) -> None:
        with self._state:
            self._waiting.pop(task.key, None)
            self._state.notify_all()


def _read(line: bytes) -> JsonObject:
    with contextlib.suppress(ValueError):
        answer = loads(line)
        if isinstance(answer, dict):
            return answer
    return {}
