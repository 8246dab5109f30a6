"""The journal: append-only, a line a finished request."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from regrade.errors import StoreError
from regrade.jsonio import encode, loads
from regrade.types import (
    Attempt,
    Completion,
    Failure,
    JsonObject,
    Key,
    OptionLogprob,
    Outcome,
    Request,
    TokenLogprob,
    ToolCall,
    Usage,
)

__all__ = ["VERSION", "JournalFile", "answer_record", "attempt_records", "outcome_of", "record_of"]

VERSION = 1
_ALWAYS = frozenset({"n", "began_s", "took_s"})
_NEEDED = {*Key._fields, "hash", "ok"}


class JournalFile:
    """Appends finished requests; a line is in the operating system's hands before `append` returns.

    Args:
        path: The file; made when there is none.
        sync_s: When given, `append` returns only once the line is on the disk; lines that come within so many
            seconds share one synchronisation.

    Raises:
        StoreError: When it cannot be opened.
    """

    def __init__(self, path: Path, sync_s: float | None = None) -> None:
        self._path = path
        self._sync_s = sync_s
        self._group: asyncio.Task[None] | None = None
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            self._end_torn_line()
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}") from error

    def _end_torn_line(self) -> None:
        """Close a line that a crash cut off, so that the next one stands alone."""
        size = os.fstat(self._descriptor).st_size
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            os.write(self._descriptor, b"\n")

    async def append(self, outcome: Outcome) -> None:
        """Write one line in one call.

        Raises:
            StoreError: When the disk is full or the folder is gone.
        """
        line = encode(_record(outcome)) + b"\n"
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            raise self._lost(error.strerror or str(error)) from error
        if written != len(line):
            raise self._lost("no space left on device")
        if os.fstat(self._descriptor).st_nlink == 0:
            raise self._lost("the file was deleted while the run was writing it")
        if self._sync_s is not None:
            if self._group is None:
                self._group = asyncio.ensure_future(self._synchronised(self._sync_s))
            await asyncio.shield(self._group)

    async def _synchronised(self, seconds: float) -> None:
        """Let others join, then put all their lines on the disk at once."""
        await asyncio.sleep(seconds)
        self._group = None  # what is written from here on belongs to the next group
        try:
            await asyncio.to_thread(os.fdatasync, self._descriptor)
        except OSError as error:
            raise self._lost(error.strerror or str(error)) from error

    def _lost(self, why: str) -> StoreError:
        return StoreError(
            f"{self._path} cannot be written: {why}",
            hint="what is in the journal stays readable; make room and go on with --resume",
        )

    def replay(self) -> Iterator[Mapping[str, object]]:
        """Yield the records of earlier sittings, oldest first; lines that are torn are left out."""
        with self._path.open("rb") as stream:
            for line in stream:
                record = record_of(line)
                if record is not None:
                    yield record

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _record(outcome: Outcome) -> JsonObject:
    record: JsonObject = {
        "v": VERSION,
        **outcome.request.key._asdict(),
        "hash": outcome.request.hash,
        "ok": outcome.failure is None,
    }
    if outcome.completion is not None:
        record |= answer_record(outcome)
    record |= {
        "queue_s": outcome.queue_s,
        "throttle_s": outcome.throttle_s,
        "retry_s": outcome.retry_s,
        "attempts": outcome.attempts,
    }
    if outcome.attempt_log:
        record["attempt_log"] = attempt_records(outcome)
    if outcome.failure is not None:
        failure = outcome.failure
        record["failure"] = {"kind": failure.kind, "message": failure.message, "stage": failure.stage}
    if outcome.cached:
        record["cached"] = True
    record["at"] = outcome.at
    return record


def answer_record(outcome: Outcome) -> JsonObject:
    """Return what an answered request is worth keeping of its answer, as `outcome_of` reads it."""
    completion = outcome.completion
    assert completion is not None
    called = {"tool_calls": [_call_record(call) for call in completion.tool_calls]}
    return {
        "ok": True,
        "text": completion.text,
        **(called if completion.tool_calls else {}),
        **_likelihood_record(completion),
        "reasoning": completion.reasoning,
        "finish_reason": completion.finish_reason,
        "usage": _usage_record(completion.usage),
        "ttft_s": completion.ttft_s,
        "latency_s": completion.latency_s,
        "served_model": completion.served_model,
    }


def attempt_records(outcome: Outcome) -> list[JsonObject]:
    """Return each attempt that is noted of a request, without what is empty."""
    return [
        {name: value for name, value in asdict(one).items() if value or name in _ALWAYS}
        for one in outcome.attempt_log
    ]


def _likelihood_record(completion: Completion) -> JsonObject:
    """Return what multiple choice is judged by, in as few bytes as it takes: a line a request adds up."""
    record: JsonObject = {}
    if completion.option_logprobs:
        record["option_logprobs"] = [
            [one.logprob, one.tokens, one.greedy] for one in completion.option_logprobs
        ]
    if completion.first_tokens:
        record["first_tokens"] = [[one.token, one.logprob] for one in completion.first_tokens]
    return record


def _call_record(call: ToolCall) -> JsonObject:
    return {"name": call.name, "arguments": call.arguments, "id": call.id}


def _usage_record(usage: Usage) -> JsonObject:
    names = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens")
    return {name: value for name in names if (value := getattr(usage, name)) is not None}


def outcome_of(record: Mapping[str, object], request: Request, *, replayed: bool = True) -> Outcome:
    """Return the outcome that a record holds, for the request that it answers.

    Raises:
        KeyError, TypeError: When it is no record of this version.
    """
    found: JsonObject = dict(record)
    completion = None
    if found["ok"]:
        completion = Completion(
            text=found["text"],
            reasoning=found.get("reasoning"),
            finish_reason=found.get("finish_reason"),
            usage=Usage(**found.get("usage", {})),
            ttft_s=found.get("ttft_s"),
            latency_s=found.get("latency_s"),
            served_model=found.get("served_model"),
            tool_calls=tuple(ToolCall(**call) for call in found.get("tool_calls", ())),
            option_logprobs=tuple(OptionLogprob(*one) for one in found.get("option_logprobs", ())),
            first_tokens=tuple(TokenLogprob(*one) for one in found.get("first_tokens", ())),
        )
    failure = None if found["ok"] else Failure(**found["failure"])
    return Outcome(
        request,
        completion=completion,
        failure=failure,
        queue_s=found.get("queue_s", 0.0),
        throttle_s=found.get("throttle_s", 0.0),
        retry_s=found.get("retry_s", 0.0),
        attempts=found.get("attempts", 0),
        attempt_log=tuple(Attempt(**one) for one in found.get("attempt_log", ())),
        cached=found.get("cached", False),
        replayed=replayed,
        at=found.get("at", ""),
    )


def record_of(line: bytes) -> JsonObject | None:
    """Return the record of a line; None where it is torn or garbled."""
    try:
        record = loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and record.keys() >= _NEEDED else None
