"""Recorded traffic to a dataset: what was really asked becomes what is tested."""

import fnmatch
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from regrade import jsonio
from regrade.errors import StoreError, UsageError
from regrade.templates import Expression
from regrade.types import Json, JsonObject

if TYPE_CHECKING:
    from regrade.cassette import Exchange, Replayer

__all__ = ["TrafficDataset", "TrafficOptions", "dataset_from_cassette"]

_CONTENT = frozenset({"model", "messages", "prompt", "stream", "stream_options"})
_SUFFIXES = (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class TrafficOptions:
    """Which exchanges become rows, and how.

    Attributes:
        models: Globs of model ids; empty for all.
        since: The first moment that counts: an ISO 8601 date or time, UTC where it names no zone.
        until: The last: a date counts whole.
        status: `ok` are whole answers, `failed` is everything else.
        where: An expression over the columns of a row, as in specs; rows for which it is false are left out.
        dedupe: Whether of equal requests only the first is taken.
        near: From this similarity on (0 to 1) inputs count as equal too; None compares none.
        sample: So many rows, drawn at random from those that are left; None takes all.
        seed: Of the draw.
        target: `answer` makes the recorded answers targets.
        replace: Whether an existing file is written over.
    """

    models: Sequence[str] = ()
    since: str | None = None
    until: str | None = None
    status: Literal["ok", "failed", "all"] = "ok"
    where: str | None = None
    dedupe: bool = True
    near: float | None = None
    sample: int | None = None
    seed: int = 0
    target: Literal["answer"] | None = None
    replace: bool = False


@dataclass(frozen=True, slots=True)
class TrafficDataset:
    """What was made.

    Attributes:
        path: The file.
        rows: How many it holds.
        exchanges: How many the cassette holds.
        dropped: Why exchanges were left out, and how many for each reason.
    """

    path: Path
    rows: int
    exchanges: int
    dropped: dict[str, int] = field(default_factory=dict)


def dataset_from_cassette(
    folder: Path, output: Path, options: TrafficOptions = TrafficOptions()
) -> TrafficDataset:
    """Write the requests of a cassette as a dataset in JSON Lines, one at a time.

    Args:
        folder: The cassette.
        output: The file; an existing one stays whole until the new one is.
        options: Which, and how.

    Raises:
        UsageError: Options that do not fit, a file that is there already, or nothing left to write.
        StoreError: When something cannot be read or written.
    """
    from regrade.cassette import Replayer

    _check_output(output, options)
    choice = _Choice(options)
    with Replayer(Path(folder)) as cassette:
        chosen = [row for row in range(len(cassette)) if choice.takes(cassette.exchange(row))]
        if options.sample is not None and options.sample < len(chosen):
            choice.dropped["not drawn"] = len(chosen) - options.sample
            drawn = random.Random(options.seed).sample(chosen, options.sample)  # noqa: S311 - no secret
            chosen = sorted(drawn)
        if not chosen:
            told = ", ".join(f"{count:,} {why}" for why, count in choice.dropped.items())
            if not told:
                raise UsageError(f"the cassette in {folder} is empty: no request was recorded into it")
            count = "1 exchange" if len(cassette) == 1 else f"{len(cassette):,} exchanges"
            raise UsageError(f"no row is left of the {count} in {folder}: {told}")
        _write(output, _lines(cassette, chosen, options))
        return TrafficDataset(output, len(chosen), len(cassette), dict(choice.dropped))


def _check_output(output: Path, options: TrafficOptions) -> None:
    if output.suffix not in _SUFFIXES:
        raise UsageError(f"{output}: datasets are written as JSON Lines", hint="name it like x.jsonl")
    if output.exists() and not options.replace:
        raise UsageError(f"{output} exists already", hint="--replace writes over it")


def _write(output: Path, lines: Iterator[bytes]) -> None:
    def fill(stream: IO[bytes]) -> None:
        for line in lines:
            stream.write(line)

    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        jsonio.atomic_write(output, fill)
    except OSError as error:
        raise StoreError(f"{output} cannot be written: {error.strerror or error}") from error


def _lines(cassette: "Replayer", chosen: Sequence[int], options: TrafficOptions) -> Iterator[bytes]:
    seen: Counter[str] = Counter()
    for place in chosen:
        row = _row(cassette.exchange(place), options)
        assert row is not None
        seen[row["id"]] += 1
        if seen[row["id"]] > 1:
            row["id"] = f"{row['id']}-{seen[row['id']]}"
        yield jsonio.encode(row) + b"\n"


class _Choice:
    """Decides on exchanges one after another, and counts what it drops."""

    def __init__(self, options: TrafficOptions) -> None:
        if options.near is not None and not 0 < options.near <= 1:
            raise UsageError(f"near: {options.near} is no similarity between 0 and 1")
        self._options = options
        self._since = None if options.since is None else _moment("since", options.since)
        self._until = None if options.until is None else _moment("until", options.until)
        self._where = None if options.where is None else Expression(options.where)
        self._hashes: set[str] = set()
        self._inputs: list[str] = []
        self.dropped: Counter[str] = Counter()

    def takes(self, exchange: "Exchange") -> bool:
        """Return whether an exchange becomes a row."""
        reason = self._reason(exchange)
        if reason is not None:
            self.dropped[reason] += 1
        return reason is None

    def _reason(self, exchange: "Exchange") -> str | None:
        """Return why an exchange is left out; None where it is not."""
        reason = self._filtered(exchange)
        if reason is not None:
            return reason
        row = _row(exchange, self._options)
        if row is None:
            return "without a text that was asked"
        if self._options.target == "answer" and row["answer"] is None:
            return "without an answer to be the target"
        if self._where is not None and not self._where.value(row):
            return "not --where"
        return self._repeated(exchange, row["input"])

    def _filtered(self, exchange: "Exchange") -> str | None:
        options = self._options
        if exchange.method != "POST":
            return "listings"
        if options.status != "all" and (options.status == "ok") != _succeeded(exchange):
            return "failed" if options.status == "ok" else "answered"
        if options.models and not any(
            fnmatch.fnmatchcase(exchange.model or "", one) for one in options.models
        ):
            return "of other models"
        at = datetime.fromisoformat(exchange.at)
        if (self._since is not None and at < self._since[0]) or (
            self._until is not None and at >= self._until[1]
        ):
            return "at other times"
        return None

    def _repeated(self, exchange: "Exchange", asked: str) -> str | None:
        if self._options.dedupe:
            if exchange.hash in self._hashes:
                return "repeats"
            self._hashes.add(exchange.hash)
        if self._options.near is not None:
            from rapidfuzz import fuzz, process

            cutoff = 100 * self._options.near
            if process.extractOne(asked, self._inputs, scorer=fuzz.ratio, score_cutoff=cutoff) is not None:
                return "much like another"
            self._inputs.append(asked)
        return None


def _succeeded(exchange: "Exchange") -> bool:
    whole = exchange.end == "done" and not exchange.passing
    return whole and exchange.status is not None and exchange.status // 100 == 2  # noqa: PLR2004 - the class


def _moment(name: str, text: str) -> tuple[datetime, datetime]:
    """Return the first moment of a date or time, and the first after it."""
    try:
        if len(text) == len("2026-03-01"):
            begin = datetime.combine(date.fromisoformat(text), time(), UTC)
            return begin, begin + timedelta(days=1)
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{name}: {text} is neither a date nor a time", hint="such as 2026-03-01 or 2026-03-01T12:30"
        ) from error
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return at, at + timedelta(milliseconds=1)


def _row(exchange: "Exchange", options: TrafficOptions) -> JsonObject | None:
    """Return the row of an exchange; None where nothing was asked in words."""
    from regrade.cassette import answered_text

    request = exchange.request
    if not isinstance(request, dict):
        return None
    messages = _conversation(request)
    asked = _last_of("user", messages)
    if asked is None:
        return None
    usage = exchange.usage or {}
    row: JsonObject = {
        "id": exchange.hash,
        "input": asked,
        "messages": messages,
        "answer": answered_text(exchange),
        "model": exchange.model,
        "system": _last_of("system", messages),
        "params": {name: value for name, value in request.items() if name not in _CONTENT},
        "prompt_tokens": usage.get("prompt_tokens"),
        "completion_tokens": usage.get("completion_tokens"),
        "latency_s": exchange.latency_s,
        "status": exchange.status,
        "at": exchange.at,
    }
    return {**row, "target": row["answer"]} if options.target == "answer" else row


def _conversation(request: JsonObject) -> list[JsonObject]:
    messages = request.get("messages")
    if isinstance(messages, list):
        return [one for one in messages if isinstance(one, dict)]
    prompt = request.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else []


def _last_of(role: str, messages: Sequence[JsonObject]) -> str | None:
    from regrade.cassette import content_text

    contents: list[Json] = [one.get("content") for one in messages if one.get("role") == role]
    return content_text(contents[-1]) if contents else None
