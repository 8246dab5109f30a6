"""What changed between two runs: from memory or the user's cache, else computed by another process."""

import contextlib
import os
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

from regrade.comparisons import Change
from regrade.jsonio import encode, loads
from regrade.store.index_cache import IndexCache, Part
from regrade.types import JsonObject

__all__ = ["Changes", "Found", "Pending"]

_HELD = 2_000
_TABLES = ("samples.parquet", "scores.parquet", "run.json")


@dataclass(frozen=True, slots=True)
class Pending:
    """It is being computed."""


@dataclass(frozen=True, slots=True)
class Found:
    """What changed.

    Attributes:
        changes: Every metric of scorers of every pair of arms.
        problem: Why there are none; empty without one.
    """

    changes: tuple[Change, ...] = ()
    problem: str = ""


Outcome: TypeAlias = Found | Pending


@dataclass(frozen=True, slots=True)
class _Pair:
    key: str
    a: Path
    b: Path
    signature: str

    @property
    def kind(self) -> str:
        return f"changes since {self.a}"


class Changes:
    """Changes between runs, each pair computed once; safe to ask from several threads.

    Args:
        cache: File that keeps them; None keeps nothing beyond this process.
    """

    def __init__(self, cache: Path | None) -> None:
        self._cache = IndexCache(cache)
        self._state = threading.Condition()
        self._held: OrderedDict[str, Found] = OrderedDict()
        self._waiting: OrderedDict[str, _Pair] = OrderedDict()
        self._process: subprocess.Popen[bytes] | None = None
        self._works = False
        self._closed = False

    def between(self, a: Path, b: Path) -> Outcome:
        """Return what changed from a run or baseline to a run; what is not known yet is begun.

        Args:
            a: Folder of a run, or file of a baseline.
            b: Folder of a run.
        """
        pair = _pair(a, b)
        with self._state:
            found = self._held.get(pair.key)
            if found is not None:
                self._held.move_to_end(pair.key)
                return found
            if pair.key in self._waiting:
                return Pending()
        kept = self._cache.get(str(pair.b), pair.kind, pair.signature)
        if kept is not None and (found := _decoded(kept)) is not None:
            self._hold(pair.key, found)
            return found
        self._begin(pair)
        return Pending()

    def settle(self, seconds: float) -> bool:
        """Wait until nothing is being computed, so long at most; return whether that is so."""
        with self._state:
            return self._state.wait_for(lambda: not self._waiting, seconds)

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
        self._cache.close()

    def _begin(self, pair: _Pair) -> None:
        with self._state:
            if self._closed:
                return
            self._waiting[pair.key] = pair
            if not self._works:
                self._works = True
                threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        """Compute all that waits; a new process for what was asked for meanwhile."""
        while True:
            with self._state:
                pairs = list(self._waiting.values())
                if not pairs or self._closed:
                    self._works = False
                    return
            answered = self._computed(pairs)
            left = [one for one in pairs if one.key not in answered]
            if left:  # the process died on the first of them; the others are asked again
                self._settle(left[0], Found(problem="it could not be computed"), keep=False)

    def _computed(self, pairs: Sequence[_Pair]) -> set[str]:
        """Have another process compute pairs; return the keys of those it answered."""
        command = [sys.executable, "-P", "-m", "regrade.dashboard.changing"]
        asked = b"".join(encode({"key": one.key, "a": str(one.a), "b": str(one.b)}) + b"\n" for one in pairs)
        by_key = {one.key: one for one in pairs}
        answered: set[str] = set()
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
                process.stdin.write(asked)
                process.stdin.close()
            for line in process.stdout:
                key, found = _read(line)
                if key in by_key:
                    answered.add(key)
                    self._settle(by_key[key], found, keep=not found.problem)
        with self._state:
            self._process = None
        return answered

    def _settle(self, pair: _Pair, found: Found, *, keep: bool) -> None:
        if keep:
            content = encode([_record(one) for one in found.changes])
            self._cache.put([Part(str(pair.b), pair.kind, pair.signature, content)])
        self._hold(pair.key, found)
        with self._state:
            self._waiting.pop(pair.key, None)
            self._state.notify_all()

    def _hold(self, key: str, found: Found) -> None:
        with self._state:
            self._held[key] = found
            while len(self._held) > _HELD:
                self._held.popitem(last=False)


def _pair(a: Path, b: Path) -> _Pair:
    a, b = Path(os.path.realpath(a)), Path(os.path.realpath(b))
    signature = f"{version('regrade')} {_looks(a)} {_looks(b)}"
    return _Pair(f"{a}\n{b}\n{signature}", a, b, signature)


def _looks(path: Path) -> str:
    """Return what tells a run or baseline from what it was before."""
    files = [path] if path.suffix == ".parquet" else [path / name for name in _TABLES]
    parts = []
    for file in files:
        try:
            found = file.stat()
        except OSError:
            parts.append("-")
        else:
            parts.append(f"{found.st_mtime_ns}-{found.st_size}")
    return ",".join(parts)


def _read(line: bytes) -> tuple[str, Found]:
    try:
        answer: JsonObject = loads(line)
        changes = tuple(Change(**one) for one in answer.get("changes", ()) if one["scorer"])
        return str(answer["key"]), Found(changes, str(answer.get("error", "")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", Found()


def _record(one: Change) -> JsonObject:
    return {name: getattr(one, name) for name in Change.__dataclass_fields__}


def _decoded(content: bytes) -> Found | None:
    try:
        return Found(tuple(Change(**one) for one in loads(content)))
    except (ValueError, TypeError):
        return None
