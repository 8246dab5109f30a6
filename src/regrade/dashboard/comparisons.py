"""Whole comparisons of two runs or arms: from the user's cache, else computed by another process."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

from regrade.api.sources import ArmChoice
from regrade.comparisons import Comparison, Flip, Flips, Several
from regrade.dashboard.changes import Pending, signature_of
from regrade.dashboard.parts import KINDS, STRETCH, comparison_of, parts_of, several_of
from regrade.dashboard.worker import Task, Worker
from regrade.jsonio import encode, loads
from regrade.store.index_cache import IndexCache, Part
from regrade.store.sample_figures import PairAgreement
from regrade.types import JsonObject

__all__ = ["LISTED", "Comparisons", "Problem"]

LISTED = 50_000
"""Flips of each pair of arms, scorer and direction that can be looked at; nobody reads more."""

_IN_MEMORY = 16 << 20


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something cannot be compared.

    Attributes:
        message: What is wrong.
        hint: What to do; may be empty.
    """

    message: str
    hint: str = ""


FoundT = TypeVar("FoundT")

Place: TypeAlias = tuple[str, str, str]
"""Where something is kept: path, kind, signature."""


class Comparisons:
    """Comparisons, each computed once; safe to ask from several threads.

    A comparison may list some hundred thousand flips. They are kept some hundred together, so that a page
    reads those that it shows.

    Args:
        cache: File that keeps them; None keeps the last ones in memory.
    """

    def __init__(self, cache: Path | None) -> None:
        self._kept = _Kept(cache)
        self._worker = Worker("regrade.dashboard.changing", self._take, self._lost)

    def between(self, a: ArmChoice, b: ArmChoice) -> Comparison | Problem | Pending:
        """Return what changed from A to B, its lists of flips empty; what is not known yet is begun.

        Args:
            a: Path of a run's folder or a baseline's file, and which of its arms.
            b: Likewise.
        """
        return self._asked(_compare_task(a, b), _read_comparison)

    def flips(
        self, a: ArmChoice, b: ArmChoice, group: tuple[int, Flips], kind: str, rows: range
    ) -> list[Flip] | None:
        """Return some flips of a comparison that is known; None where they are known no more.

        Args:
            a: As for `between`.
            b: Likewise.
            group: Which of the comparison's flips, and their place in it.
            kind: One of `KINDS`.
            rows: Their places.
        """
        task = _compare_task(a, b)
        place, flips = group
        found: list[Flip] = []
        for stretch in range(rows.start // STRETCH, -(-rows.stop // STRETCH)):
            content = self._kept.get(_stretch_place(task, place, kind, stretch))
            if content is None:
                self._kept.forget(_place(task))
                return None
            first = stretch * STRETCH
            chosen = loads(content)[max(0, rows.start - first) : max(0, rows.stop - first)]
            found += [
                Flip(flips.b.eval, flips.scorer, 0, before, after, sample) for sample, before, after in chosen
            ]
        return found

    def agreement(
        self, run: Path, eval_name: str, scorer: str, prompt: str
    ) -> tuple[PairAgreement, ...] | Problem | Pending:
        """Return how often every two models of an eval said the same; what is not known yet is begun.

        Args:
            run: Folder of the run.
            eval_name: The eval.
            scorer: By whose labels, or by right and wrong.
            prompt: Of this prompt.
        """
        path = os.path.realpath(run)
        asked = {"a": path, "eval": eval_name, "scorer": scorer, "prompt": prompt}
        kind = f"agreement {encode(asked).decode()}"
        return self._asked(_task(asked, (path, kind, signature_of(Path(path)))), _read_pairs)

    def among(self, sides: Sequence[ArmChoice]) -> Several | Problem | Pending:
        """Return every two of some runs against each other; what is not known yet is begun.

        Args:
            sides: Each as for `between`.
        """
        return self._asked(_several_task(sides), _read_several)

    def know(self, a: ArmChoice, b: ArmChoice, found: Comparison) -> None:
        """Take over a comparison that was computed elsewhere, with its flips."""
        task = _compare_task(a, b)
        for line in parts_of(found):
            self._take(task, line)

    def know_several(self, sides: Sequence[ArmChoice], found: Several) -> None:
        """Take over what was computed elsewhere of several."""
        self._take(_several_task(sides), {"several": asdict(found)})

    def settle(self, seconds: float) -> bool:
        """Wait until nothing is being computed, so long at most; return whether that is so."""
        return self._worker.settle(seconds)

    def close(self) -> None:
        """End what is being computed."""
        self._worker.close()
        self._kept.close()

    def _asked(self, task: Task, read: Callable[[JsonObject], FoundT]) -> FoundT | Problem | Pending:
        if not self._worker.waits_for(task.key):
            content = self._kept.get(_place(task))
            if content is not None and (found := _understood(content, read)) is not None:
                return found
            self._worker.begin(task)
        return Pending()

    def _take(self, task: Task, answer: JsonObject) -> None:
        lasting = True
        if "flips" in answer:
            where = _stretch_place(task, answer["group"], answer["kind"], answer["stretch"])
            content = encode(answer["flips"])
        else:
            where, lasting = _place(task), "error" not in answer
            own = ("comparison", "agreement", "several", "error", "hint")
            content = encode({name: answer[name] for name in own if name in answer})
        self._kept.put(where, content, lasting=lasting)

    def _lost(self, task: Task) -> None:
        self._take(task, {"error": "it could not be computed", "hint": "there may be too little memory"})


class _Kept:
    """Contents by place: the last ones in memory, all in the cache's file; errors in memory alone."""

    def __init__(self, cache: Path | None) -> None:
        self._cache = IndexCache(cache)
        self._lock = threading.Lock()
        self._held: OrderedDict[Place, bytes] = OrderedDict()
        self._size = 0

    def get(self, place: Place) -> bytes | None:
        with self._lock:
            if place in self._held:
                self._held.move_to_end(place)
                return self._held[place]
        return self._cache.get(*place)

    def put(self, place: Place, content: bytes, *, lasting: bool) -> None:
        if lasting:
            self._cache.put([Part(*place, content)])
        with self._lock:
            self._drop(place)
            self._held[place] = content
            self._size += len(content)
            while self._size > _IN_MEMORY and len(self._held) > 1:
                self._drop(next(iter(self._held)))

    def forget(self, place: Place) -> None:
        """Drop a content, so that it is made anew."""
        with self._lock:
            self._drop(place)
        self._cache.put([Part(place[0], place[1], "", b"")])

    def close(self) -> None:
        self._cache.close()

    def _drop(self, place: Place) -> None:
        self._size -= len(self._held.pop(place, b""))


def _compare_task(a: ArmChoice, b: ArmChoice) -> Task:
    """Return what is asked of the process for two arms."""
    paths = [Path(os.path.realpath(one.reference)) for one in (a, b)]
    asked: JsonObject = {
        "a": str(paths[0]),
        "arm_a": [a.model, a.prompt],
        "b": str(paths[1]),
        "arm_b": [b.model, b.prompt],
        "listed": LISTED,
        "kinds": list(KINDS),
    }
    return _task(asked, (str(paths[1]), f"comparison {encode(asked).decode()}", signature_of(*paths)))


def _several_task(sides: Sequence[ArmChoice]) -> Task:
    """Return what is asked of the process for several arms."""
    paths = [Path(os.path.realpath(one.reference)) for one in sides]
    arms = [[one.model, one.prompt] for one in sides]
    asked: JsonObject = {"sides": [[str(path), *arm] for path, arm in zip(paths, arms, strict=True)]}
    return _task(asked, (str(paths[0]), f"several {encode(asked).decode()}", signature_of(*paths)))


def _task(asked: JsonObject, place: Place) -> Task:
    return Task(encode(place).decode(), asked)


def _place(task: Task) -> Place:
    path, kind, signature = loads(task.key.encode())
    return path, kind, signature


def _stretch_place(task: Task, group: int, kind: str, stretch: int) -> Place:
    path, whole, signature = _place(task)
    return path, f"{whole} {group} {kind} {stretch}", signature


def _understood(content: bytes, read: Callable[[JsonObject], FoundT]) -> FoundT | Problem | None:
    try:
        answer = loads(content)
        if "error" in answer:
            return Problem(str(answer["error"]), str(answer.get("hint", "")))
        return read(answer)
    except (ValueError, KeyError, TypeError):
        return None


def _read_comparison(answer: JsonObject) -> Comparison:
    return comparison_of(answer["comparison"])


def _read_several(answer: JsonObject) -> Several:
    return several_of(answer["several"])


def _read_pairs(answer: JsonObject) -> tuple[PairAgreement, ...]:
    return tuple(PairAgreement(**one) for one in answer["agreement"])
