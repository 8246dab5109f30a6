"""How far a run is that another process is writing, from its journal: only what was added is read."""

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from regrade.locks import holder_alive
from regrade.store.costs import answer_cost
from regrade.store.journal import record_of
from regrade.store.manifest import Manifest
from regrade.store.so_far import read_so_far
from regrade.texts import clipped
from regrade.types import Json, JsonObject, Price, SummaryRow

__all__ = ["JournalTail", "ModelProgress", "RunProgress"]

_PORTION = 32 * 2**20
"""Bytes that are read at a time; the journal of a million answers takes several calls to catch up with."""
_WINDOW_S = 60.0
_SEALED = 65_536
_HASH = b',"hash":"'
_ANSWER = "answer"
_CANCELLED = "cancelled"
_JUDGE = ""
_MESSAGE = 300


@dataclass(slots=True)
class ModelProgress:
    """What one model has done so far.

    Attributes:
        model: Its name.
        planned: Answers asked of it; None for judges and in runs of an older regrade.
        done: Answers and failures, of judges their requests.
        failed: Of these the failures.
        ended_per_s: Answers and failures a second, over the last minute; of judges nothing is known.
        retried: Attempts beyond the first of each.
        prompt_tokens: As far as they were counted.
        completion_tokens: Likewise.
        cost_usd: Of what has a price; None where nothing has.
    """

    model: str
    planned: int | None = None
    done: int = 0
    failed: int = 0
    ended_per_s: float = 0.0
    retried: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is.

    Attributes:
        models: By model, judges last.
        planned: Answers in all; None in runs of an older regrade.
        done: Answers and failures, without judges.
        failed: Of these the failures.
        tokens: Of prompts and answers, with judges.
        cost_usd: In US dollars, with judges; None where nothing has a price.
        rate_per_s: Answers a second, over the last minute; failures, which may come at once, are left out.
        last_at: When the last line was written, ISO 8601; empty without one.
        alive: Whether the process that writes the run is alive; None where that cannot be told.
        read: The share of the journal that was read, 0 to 1.
        failures: How often each kind came, judges left out.
        failure_messages: The last message of each kind.
        silent_s: Seconds since something was written, where nobody can say whether the process is alive.
        scores: The leading metric of each arm over the answers that the run has scored; none before it told.
    """

    models: tuple[ModelProgress, ...]
    planned: int | None
    done: int
    failed: int
    tokens: int
    cost_usd: float | None
    rate_per_s: float
    last_at: str
    alive: bool | None
    read: float
    failures: Mapping[str, int] = field(default_factory=dict)
    failure_messages: Mapping[str, str] = field(default_factory=dict)
    silent_s: float | None = None
    scores: Sequence[SummaryRow] = ()


class JournalTail:
    """Follows one run's journal; not for several threads at once.

    A request that was asked again, as after `--resume --retry-failed`, counts once; what it cost counts each
    time.

    Args:
        folder: The run's folder.
        manifest: Of the run.
        clock: Seconds since 1970.
    """

    def __init__(self, folder: Path, manifest: Manifest, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._planned = manifest.planned
        self._answering = [str(one["name"]) for one in manifest.models if not one.get("judge")]
        self._judges = [one for one in manifest.models if one.get("judge")]
        self._prices = {str(one["name"]): _price(one) for one in manifest.models}
        self._start_over(None)

    def progress(self) -> RunProgress:
        """Read what was added, up to 32 MB, and return how far the run is.

        Raises:
            OSError: When the journal cannot be read; one that is not there yet is empty.
        """
        read = self._read()
        answering = [
            one for one in self._models.values() if one.planned is not None or one.model in self._answering
        ]
        planned = sum(self._planned.values()) if self._planned else None
        done = sum(one.done for one in answering)
        rate = self._rate()
        costs = [one.cost_usd for one in self._models.values() if one.cost_usd is not None]
        alive = holder_alive(self._folder / "run.lock")
        return RunProgress(
            models=tuple(self._models.values()),
            planned=planned,
            done=done,
            failed=sum(one.failed for one in answering),
            tokens=sum(one.prompt_tokens + one.completion_tokens for one in self._models.values()),
            cost_usd=sum(costs) if costs else None,
            rate_per_s=rate,
            last_at=self._last_at,
            alive=alive,
            read=read,
            failures={
                kind: count for kind, count in self._kinds.most_common() if count > 0 and kind != _JUDGE
            },
            failure_messages=dict(self._messages),
            silent_s=self._silent() if alive is None else None,
            scores=read_so_far(self._folder),
        )

    def _start_over(self, file: int | None) -> None:
        self._file = file
        self._offset = 0
        self._last_at = ""
        self._answered: Counter[int] = Counter()
        self._ended: Counter[tuple[int, str]] = Counter()
        self._seen = _Seen()
        self._failed: dict[int, str] = {}
        self._kinds: Counter[str] = Counter()
        self._messages: dict[str, str] = {}
        names = dict.fromkeys(self._answering)
        self._models = {name: ModelProgress(name, self._planned.get(name)) for name in names}

    def _read(self) -> float:
        try:
            stream = (self._folder / "journal.jsonl").open("rb")
        except FileNotFoundError:
            return 1.0
        with stream:
            seen = os.fstat(stream.fileno())
            if seen.st_ino != self._file or seen.st_size < self._offset:
                self._start_over(seen.st_ino)
            stream.seek(self._offset)
            portion = stream.read(_PORTION)
            whole = portion[: portion.rfind(b"\n") + 1]
            self._offset += len(whole)
            for line in whole.splitlines():
                self._add(line)
            return self._offset / seen.st_size if seen.st_size else 1.0

    def _add(self, line: bytes) -> None:
        record = record_of(line)
        if record is None:
            return
        failure = record.get("failure") or {}
        if failure.get("kind") == _CANCELLED:
            return
        model = self._model_of(record)
        if failure:
            self._messages[str(failure.get("kind"))] = clipped(str(failure.get("message") or ""), _MESSAGE)
        kind = "" if record["ok"] else str(failure.get("kind") or "unknown")
        self._count(hash(line.partition(_HASH)[0]), model, kind)
        self._spend(record, model)
        self._last_at = str(record.get("at") or self._last_at)
        if record["role"] == _ANSWER and (at := _seconds(self._last_at)) is not None:
            self._ended[at, model.model] += 1
            self._answered[at] += not kind

    def _count(self, key: int, model: ModelProgress, kind: str) -> None:
        """Count a request, once; with a kind it failed."""
        if self._seen.add(key):
            model.done += 1
            self._fail(key, model, kind)
        elif not kind and (before := self._failed.pop(key, None)) is not None:
            model.failed -= 1
            self._kinds[before] -= 1

    def _fail(self, key: int, model: ModelProgress, kind: str) -> None:
        if kind:
            kind = kind if model.planned is not None or model.model in self._answering else _JUDGE
            model.failed += 1
            self._failed[key] = kind
            self._kinds[kind] += 1

    def _spend(self, record: JsonObject, model: ModelProgress) -> None:
        usage = record.get("usage") or {}
        prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
        model.prompt_tokens += prompt or 0
        model.completion_tokens += completion or 0
        model.retried += max(0, (record.get("attempts") or 0) - 1)
        cost = answer_cost(
            self._prices.get(model.model), prompt, completion, cached=bool(record.get("cached"))
        )
        if cost is not None:
            model.cost_usd = (model.cost_usd or 0.0) + cost

    def _model_of(self, record: JsonObject) -> ModelProgress:
        """Return the model that a line is of; a judge's line names the model that it judged."""
        name = str(record["model"]) if record["role"] == _ANSWER else self._judge_of(record)
        return self._models.setdefault(name, ModelProgress(name, self._planned.get(name)))

    def _judge_of(self, record: JsonObject) -> str:
        served = record.get("served_model")
        fitting = [one for one in self._judges if one.get("id") == served] or self._judges
        return f"{fitting[0]['name']}" if len(fitting) == 1 else "judges"

    def _silent(self) -> float | None:
        """Return how long ago journal or manifest were written."""
        written = []
        for name in ("journal.jsonl", "run.json"):
            with contextlib.suppress(OSError):
                written.append((self._folder / name).stat().st_mtime)
        return max(0.0, self._clock() - max(written)) if written else None

    def _rate(self) -> float:
        """Return how many answers came a second in the last minute, and note what each model ended."""
        now = self._clock()
        for second in [one for one in self._answered if one < now - _WINDOW_S]:
            del self._answered[second]
        self._ended = Counter({one: count for one, count in self._ended.items() if one[0] in self._answered})
        span_s = max(now - min(self._answered, default=now), 1.0)
        ended: Counter[str] = Counter()
        for (_, name), count in self._ended.items():
            ended[name] += count
        for one in self._models.values():
            one.ended_per_s = ended[one.model] / span_s
        return self._answered.total() / span_s


class _Seen:
    """Hashes that came by: eight bytes each, where a set of Python's takes seventy."""

    def __init__(self) -> None:
        self._sealed = np.empty(0, dtype=np.int64)
        self._recent: set[int] = set()

    def add(self, key: int) -> bool:
        """Return whether the key is new."""
        if key in self._recent:
            return False
        place = int(np.searchsorted(self._sealed, key))
        if place < len(self._sealed) and int(self._sealed[place]) == key:
            return False
        self._recent.add(key)
        if len(self._recent) >= _SEALED:
            recent = np.fromiter(self._recent, dtype=np.int64, count=len(self._recent))
            self._sealed = np.union1d(self._sealed, recent)
            self._recent.clear()
        return True


def _price(model: Mapping[str, Json]) -> Price | None:
    price = model.get("price")
    return Price(**price) if isinstance(price, dict) else None


def _seconds(at: str) -> int | None:
    try:
        return int(datetime.fromisoformat(at).timestamp())
    except ValueError:
        return None
