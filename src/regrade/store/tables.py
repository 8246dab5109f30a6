"""Writing the result tables: rows arrive in any order, the tables stand in the order of the plan."""

import itertools
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import IO, Self

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from regrade.errors import StoreError
from regrade.jsonio import atomic_write, dumps, encode, loads
from regrade.store.folders import RunFolder
from regrade.store.schema import SAMPLES, SCORES, SUMMARY
from regrade.types import Json, JsonObject, Outcome, ScoreRow, SummaryRow

__all__ = ["TableWriter", "write_summary"]

_ROWS = 512
"""Held as Python objects at a time."""
_GROUP_ROWS = 8192
_GROUP_BYTES = 8 * 2**20
"""A row group ends with whichever comes first."""


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
            raise _unwritable(folder, error) from error
        self._sequence = array("q")
        self._offsets = array("q")

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
        record = [self._sample_row(outcome, cost_usd, scores), [_score_row(row) for row in scores]]
        try:
            offset = self._spool.tell()
            self._spool.write(encode(record) + b"\n")
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        self._sequence.append(outcome.request.seq)
        self._offsets.append(offset)

    def finish(self) -> None:
        """Write `samples.parquet` and `scores.parquet`, each replaced as a whole.

        Raises:
            StoreError: When they cannot be written.
        """
        schema = SAMPLES
        for scorer in self._scorers:
            schema = schema.append(pa.field(f"score.{scorer}", pa.float64()))
        try:
            self._write("samples", schema, lambda record: [record[0]])
            self._write("scores", SCORES, lambda record: record[1])
            pa.default_memory_pool().release_unused()
        except OSError as error:
            raise _unwritable(self._folder, error) from error

    def _write(self, name: str, schema: pa.Schema, rows_of: Callable[[Json], list[list[Json]]]) -> None:
        def write(stream: IO[bytes]) -> None:
            with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
                rows = (row for record in self._in_order() for row in rows_of(record))
                for group in _groups(_record_batches(rows, schema)):
                    writer.write_table(pa.Table.from_batches(group, schema))

        atomic_write(self._folder.table_path(name), write)

    def _in_order(self) -> Iterator[Json]:
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
        return [*(row[name] for name in SAMPLES.names), *values]


def _outcome_columns(outcome: Outcome, cost_usd: float | None, *, parsed: bool | None) -> JsonObject:
    request, completion, failure = outcome.request, outcome.completion, outcome.failure
    sample = request.sample
    usage = completion.usage if completion else None
    content = request.messages if request.endpoint == "chat" else request.text
    return {
        **request.key._asdict(),
        "ok": failure is None,
        "text": completion.text if completion else None,
        "reasoning": completion.reasoning if completion else None,
        "finish_reason": completion.finish_reason if completion else None,
        "parsed": parsed,
        "prompt_tokens": usage.prompt_tokens if usage else None,
        "completion_tokens": usage.completion_tokens if usage else None,
        "cost_usd": cost_usd,
        "cached": outcome.cached,
        "ttft_s": completion.ttft_s if completion else None,
        "latency_s": completion.latency_s if completion else None,
        "queue_s": outcome.queue_s,
        "throttle_s": outcome.throttle_s,
        "retry_s": outcome.retry_s,
        "attempts": outcome.attempts,
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


def _record_batches(rows: Iterator[list[Json]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while batch := list(itertools.islice(rows, _ROWS)):
        columns = zip(*batch, strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
        yield pa.record_batch(arrays, schema=schema)


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    group: list[pa.RecordBatch] = []
    for batch in batches:
        group.append(batch)
        if (
            sum(one.num_rows for one in group) >= _GROUP_ROWS
            or sum(one.nbytes for one in group) >= _GROUP_BYTES
        ):
            yield group
            group = []
    if group:
        yield group


def write_summary(folder: RunFolder, rows: Sequence[SummaryRow]) -> None:
    """Write `summary.parquet` and `summary.csv`.

    Raises:
        StoreError: When they cannot be written.
    """
    table = pa.Table.from_pylist([asdict(row) for row in rows], schema=SUMMARY)
    try:
        atomic_write(folder.table_path("summary"), lambda stream: pq.write_table(table, stream))
        atomic_write(folder.path / "summary.csv", lambda stream: pa.csv.write_csv(table, stream))
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: RunFolder, error: OSError) -> StoreError:
    return StoreError(
        f"{folder.path} cannot be written: {error.strerror or error}",
        hint="the journal keeps what is finished; make room and go on with --resume",
    )
