"""Baselines: what of a run it takes to hold later runs against it, in one committed file."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from regrade.errors import StoreError, UsageError, did_you_mean
from regrade.jsonio import atomic_write, content_hash, dumps, loads
from regrade.store.folders import RunFolder
from regrade.store.reading import read_batches
from regrade.store.schema import SAMPLES, SCORES
from regrade.types import JsonObject

__all__ = [
    "BaselineFile",
    "baseline_names",
    "find_baseline",
    "list_baselines",
    "no_baseline",
    "write_baseline",
]

_FOLDER = "baselines"
_VERSION = 1
_HEADER = b"regrade.baseline"
_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_.-]{0,79}$")
_RESERVED = {"latest", "previous"}
_BATCH = 4096
_GROUP = 2**16
_REASON = 100  # characters of what Arrow says

_KEY = ("eval", "prompt", "model", "sample_id", "epoch", "role")
_SAMPLES = (
    *_KEY,
    "ok",
    "failure_kind",
    "fingerprint",
    "cluster",
    "metadata",
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cost_usd",
    "ttft_s",
    "latency_s",
    "attempts",
)
_ADDED = frozenset({"reasoning_tokens"})
_SCORES = ("scorer", "version", "metric", "value", "label", "expected", "parsed")
_ANSWERS = ("messages", "target", "text", "tool_calls")
_TABLE = "table"  # tells the rows of both tables apart in the one file


@dataclass(frozen=True, slots=True)
class BaselineFile:
    """One baseline.

    Attributes:
        path: The file.
        name: Its name.
        header: What the run was: `run`, `created_at`, `set_at`, `evals`, `models`, `measures`, `git`,
            `datasets`, `answers` (whether texts are kept), `fingerprint` (hash of all scores).
    """

    path: Path
    name: str
    header: JsonObject

    @property
    def fingerprint(self) -> str:
        """Return the hash of all its scores and samples."""
        return str(self.header.get("fingerprint", ""))

    def shares(self, evals: Collection[str]) -> bool:
        """Return whether it holds one of these evals."""
        return not set(evals).isdisjoint(self.header.get("evals") or ())

    def batches(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield some columns of `samples` or `scores`, a few thousand rows at a time.

        Columns that baselines of an older regrade lack are null in them.

        Raises:
            StoreError: When the file is damaged.
        """
        with _opened(self.path) as file:
            lacking = [name for name in (_TABLE, *columns) if name not in file.schema_arrow.names]
            if not _ADDED.issuperset(lacking):
                raise _damaged(self.path, f"it has no column {', '.join(lacking)}")
            held = [name for name in (_TABLE, *columns) if name not in lacking]
            for batch in file.iter_batches(_GROUP, columns=held, use_threads=False):
                rows = batch.filter(pc.equal(batch.column(_TABLE), table))
                for name in lacking:
                    rows = rows.append_column(name, pa.nulls(rows.num_rows, SAMPLES.field(name).type))
                if rows.num_rows:
                    yield rows.select(list(columns))


def _check_name(name: str) -> None:
    """Refuse names that no file should have, or that mean something else.

    Raises:
        UsageError: Saying what a name may be.
    """
    if name in _RESERVED or not _NAME.match(name):
        raise UsageError(
            f'"{name}" cannot name a baseline',
            hint="a letter, then letters, digits and . _ - (and neither latest nor previous)",
        )


def write_baseline(
    results: Path, name: str, folder: RunFolder, header: JsonObject, *, answers: bool, replace: bool
) -> BaselineFile:
    """Keep of a run what later runs are held against.

    Args:
        results: Where runs lie; the file goes into its folder `baselines`.
        name: The baseline's name.
        folder: The run.
        header: What the run was.
        answers: Whether prompts, targets and answers are kept as well.
        replace: Whether a baseline of that name may be replaced.

    Raises:
        UsageError: A name that is taken or not allowed.
        StoreError: When the file cannot be written.
    """
    _check_name(name)
    path = results / _FOLDER / f"{name}.parquet"
    if path.exists() and not replace:
        raise UsageError(f'the baseline "{name}" exists', hint="--replace replaces it")
    samples = (*_SAMPLES, *(_ANSWERS if answers else ()))
    schema = _schema(answers=answers)
    digest = ""
    for batch in _rows(folder, samples, schema):
        digest = content_hash([digest, batch.drop_columns([_TABLE]).to_pydict()])
    written = {**header, "v": _VERSION, "answers": answers, "fingerprint": digest}
    schema = schema.with_metadata({_HEADER: dumps(written).encode()})

    def write(stream: IO[bytes]) -> None:
        with pq.ParquetWriter(
            stream, schema, compression="zstd", compression_level=9, write_page_checksum=True
        ) as writer:
            for group in _grouped(_rows(folder, samples, schema)):
                writer.write_table(pa.Table.from_batches(group, schema))

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, write)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    return BaselineFile(path, name, written)


def find_baseline(results: Path, name: str) -> BaselineFile | None:
    """Return the baseline of that name, or in the file of that path, or None.

    Raises:
        StoreError: When its file is damaged or newer than this program.
    """
    path = results / _FOLDER / f"{name}.parquet"
    if _NAME.match(name) and path.is_file():
        return _read(path)
    path = Path(name)
    return _read(path) if path.suffix == ".parquet" and path.is_file() else None


def list_baselines(results: Path) -> tuple[list[BaselineFile], dict[str, StoreError]]:
    """Return all baselines, by name, and by the name of each that cannot be read why that is."""
    found, bad = [], {}
    for path in _files(results):
        try:
            found.append(_read(path))
        except StoreError as error:
            bad[path.stem] = error
    return found, bad


def _files(results: Path) -> list[Path]:
    return [path for path in sorted((results / _FOLDER).glob("*.parquet")) if path.is_file()]


def baseline_names(results: Path) -> list[str]:
    """Return the names of all baselines of a results folder, whether they can be read or not."""
    return [path.stem for path in _files(results)]


def no_baseline(results: Path, name: str) -> UsageError:
    """Return the error that there is no baseline of a name, with the nearest one there is."""
    known = baseline_names(results)
    hint = did_you_mean(name, known) or (f"there are: {', '.join(known)}" if known else None)
    hint = hint or f"make one with: regrade baseline set {name} RUN"
    return UsageError(f'no baseline "{name}" in {results / _FOLDER}', hint=hint)


def _read(path: Path) -> BaselineFile:
    with _opened(path) as file:
        raw = (file.schema_arrow.metadata or {}).get(_HEADER)
    try:
        header = loads(raw) if raw else None
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise StoreError(f"{path} is no baseline of regrade", hint=_remedy(path))
    if header.get("v", 0) > _VERSION:
        raise StoreError(
            f"{path} is of a newer regrade: version {header['v']}, this one reads {_VERSION}",
            hint="upgrade regrade to read it",
        )
    return BaselineFile(path, path.stem, header)


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.strerror:  # the system's: Arrow's own have none
            raise StoreError(f"{path} cannot be read: {error.strerror}") from error
        lines = str(error).splitlines()
        reason = lines[0][:_REASON] if lines else type(error).__name__
        raise _damaged(path, f"it cannot be read as Parquet ({reason})") from error


def _damaged(path: Path, reason: str) -> StoreError:
    return StoreError(f"{path} is damaged: {reason}", hint=_remedy(path))


def _remedy(path: Path) -> str:
    return f"restore it from git, or make it again: regrade baseline set {path.stem} RUN --replace"


def _schema(*, answers: bool) -> pa.Schema:
    samples = (*_SAMPLES, *(_ANSWERS if answers else ()))
    fields = [pa.field(one.name, one.type) for one in (SAMPLES.field(name) for name in samples)]
    fields += [pa.field(one.name, one.type) for one in (SCORES.field(name) for name in _SCORES)]
    return pa.schema([pa.field(_TABLE, pa.string(), nullable=False), *fields])


def _rows(folder: RunFolder, samples: Sequence[str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield the rows of both tables in the columns of the one file."""
    yield from (_laid(one, "samples", schema) for one in read_batches(folder, "samples", samples))
    scores = read_batches(folder, "scores", (*_KEY, *_SCORES))
    yield from (_laid(one, "scores", schema) for one in scores)


def _laid(batch: pa.RecordBatch, table: str, schema: pa.Schema) -> pa.RecordBatch:
    columns = []
    for field in schema:
        if field.name == _TABLE:
            columns.append(pa.array([table] * batch.num_rows, field.type))
        elif field.name in batch.schema.names:
            columns.append(batch.column(field.name).cast(field.type))
        else:
            columns.append(pa.nulls(batch.num_rows, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _grouped(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Yield batches together that make a row group: small groups compress badly."""
    group: list[pa.RecordBatch] = []
    for batch in batches:
        group.append(batch)
        if sum(one.num_rows for one in group) >= _GROUP:
            yield group
            group = []
    if group:
        yield group
