"""Collecting the rows of a run: they arrive in any order, the tables stand in the order of the plan.

The packages that write the tables are no part of this room: they load while the first answers are awaited.
"""

import tempfile
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib import import_module
from threading import Thread
from types import TracebackType
from typing import Self

from regrade.jsonio import dumps, encode, loads
from regrade.store.folders import RunFolder, unwritable
from regrade.store.journal import attempt_records
from regrade.types import Completion, Json, JsonObject, Outcome, ScoreRow, Usage

__all__ = ["TableWriter"]

_TABLES = "regrade.store.tables"


class TableWriter:
    """Collects the rows of a run in a temporary file of its folder and writes both tables at the end.

    Only a place in that file is held in memory for each request.

    Args:
        folder: The run.
        scorers: Titles of all scorers, for the columns `score.<scorer>` of the samples table.
    """

    def __init__(self, folder: RunFolder, scorers: Sequence[str]) -> None:
        self._folder = folder
        self._scorers = list(dict.fromkeys(scorers))
        try:
            self._spool = tempfile.TemporaryFile(dir=folder.path)  # noqa: SIM115 - closed with the writer
        except OSError as error:
            raise unwritable(folder, error) from error
        self._sequence = array("q")
        self._offsets = array("q")
        self._ahead: Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spool.close()

    def add(self, outcome: Outcome, cost_usd: float | None, scores: Sequence[ScoreRow]) -> None:
        """Take one finished request and its scores.

        Raises:
            StoreError: When the disk is full.
        """
        if self._ahead is None:
            self._ahead = Thread(target=import_module, args=(_TABLES,))
            self._ahead.start()
        record = [self._sample_row(outcome, cost_usd, scores), [_score_row(row) for row in scores]]
        try:
            offset = self._spool.tell()
            self._spool.write(encode(record) + b"\n")
        except OSError as error:
            raise unwritable(self._folder, error) from error
        self._sequence.append(outcome.request.seq)
        self._offsets.append(offset)

    def finish(self) -> None:
        """Write `samples.parquet` and `scores.parquet`, each replaced as a whole.

        Raises:
            StoreError: When they cannot be written.
        """
        from regrade.store.tables import write_tables

        try:
            write_tables(self._folder, self._in_order, self._scorers)
        except OSError as error:
            raise unwritable(self._folder, error) from error

    def _in_order(self) -> Iterator[Json]:
        import numpy as np

        self._spool.flush()
        for place in np.argsort(np.asarray(self._sequence, dtype=np.int64), kind="stable"):
            self._spool.seek(self._offsets[place])
            yield loads(self._spool.readline())
        self._spool.seek(0, 2)

    def _sample_row(self, outcome: Outcome, cost_usd: float | None, scores: Sequence[ScoreRow]) -> list[Json]:
        main = {row.scorer: row for row in scores if row.metric == row.scorer and row.failure is None}
        parsed = all(row.parsed for row in main.values()) if main else None
        row = _outcome_columns(outcome, cost_usd, parsed=parsed)
        values = [main[scorer].value if scorer in main else None for scorer in self._scorers]
        return [*row.values(), *values]


def _outcome_columns(outcome: Outcome, cost_usd: float | None, *, parsed: bool | None) -> JsonObject:
    """Return the columns of the samples table in its order."""
    request, completion, failure = outcome.request, outcome.completion, outcome.failure
    sample = request.sample
    content = request.messages if request.endpoint == "chat" else request.text
    return {
        **request.key._asdict(),
        "ok": failure is None,
        **_answer_columns(outcome.completion),
        **_choice_columns(outcome),
        "parsed": parsed,
        **_usage_columns(outcome.completion),
        "cost_usd": cost_usd,
        "cached": outcome.cached,
        "ttft_s": completion.ttft_s if completion else None,
        "latency_s": completion.latency_s if completion else None,
        "queue_s": outcome.queue_s,
        "throttle_s": outcome.throttle_s,
        "retry_s": outcome.retry_s,
        "attempts": outcome.attempts,
        "attempt_log": dumps(attempt_records(outcome)) if outcome.attempt_log else None,
        "failure_kind": failure.kind if failure else None,
        "failure_message": failure.message if failure else None,
        "fingerprint": sample.fingerprint,
        "cluster": sample.cluster,
        "input": _as_text(sample.input),
        "target": _as_text(sample.target),
        "messages": dumps(content),
        "params": dumps(request.params),
        "metadata": dumps(sample.metadata),
        "hash": request.hash,
    }


def _choice_columns(outcome: Outcome) -> JsonObject:
    """Return how multiple choice was asked, and what the endpoint said of each option or first token."""
    choices, completion = outcome.request.choices, outcome.completion
    found: dict[str, float] = {}
    if choices is not None and completion is not None and completion.option_logprobs:
        pairs = zip(choices.options, completion.option_logprobs, strict=False)
        found = {option.letter: one.logprob for option, one in pairs}
    elif completion is not None:
        found = {one.token: one.logprob for one in completion.first_tokens}
    return {
        "choice_mode": choices.mode if choices is not None else None,
        "choice_logprobs": dumps(found) if found else None,
    }


def _answer_columns(completion: Completion | None) -> JsonObject:
    if completion is None:
        return dict.fromkeys(("text", "tool_calls", "reasoning", "finish_reason", "cut_in_reasoning"))
    calls = [asdict(call) for call in completion.tool_calls]
    return {
        "text": completion.text,
        "tool_calls": dumps(calls) if calls else None,
        "reasoning": completion.reasoning,
        "finish_reason": completion.finish_reason,
        "cut_in_reasoning": completion.cut_in_reasoning,
    }


def _usage_columns(completion: Completion | None) -> JsonObject:
    return asdict(completion.usage if completion else Usage())


def _score_row(row: ScoreRow) -> list[Json]:
    failure = row.failure
    return [
        *row.key,
        row.scorer,
        row.version,
        row.metric,
        row.value,
        row.label,
        row.expected,
        row.parsed if failure is None else None,
        row.reason,
        failure.kind if failure else None,
        failure.message if failure else None,
    ]


def _as_text(value: Json) -> str | None:
    return value if value is None or isinstance(value, str) else dumps(value)
