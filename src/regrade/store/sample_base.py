"""One run's tables as relations for SQL, with what each sample came to."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrade.errors import StoreError
from regrade.store.folders import RunFolder
from regrade.store.parquet_base import Cancellation, ParquetBase, identifier
from regrade.store.reading import check_version, no_table
from regrade.store.sample_filters import key_hash
from regrade.store.schema import SAMPLES, SCORES

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SampleBase"]

_SCORE = "score."


class SampleBase:
    """The relations that queries over a run's samples are written against.

    `requests` is the samples table with every column that this version knows, missing ones null, scores as
    `s0`, `s1` ...; `samples` the answers among them with `is_failure`; `scores` the scores table;
    `scorer_failures` keys and kinds of the scorers that failed; `flaky` the keys of samples that are right in
    some epochs only, with columns that tell by which scorer; `was_right` those that were right in what this
    run is held against.

    Args:
        folder: The run.
        against: Another run's folder, or a baseline's file.

    Raises:
        MissingExtraError: Without duckdb.
        StoreError: When the run has no tables, or they are damaged or of a newer version.
    """

    def __init__(self, folder: RunFolder, against: Path | None = None) -> None:
        self.folder = folder
        self._against = None if against is None else _table_of(against)
        self.schema, self.windows = _looked_at(folder.table_path("samples"), folder)
        self.scores: dict[str, str] = {}
        files = {"samples": folder.table_path("samples"), "scores": folder.table_path("scores")}
        if not files["scores"].exists():
            del files["scores"]
        if self._against is not None:
            _looked_at(self._against, RunFolder(self._against.parent))
            files["against"] = self._against
        self._base = ParquetBase(files)
        self.signature = self._base.signature
        self._once = threading.Lock()
        self._made: set[str] = set()
        try:
            self._relate("scores" in files)
        except BaseException:
            self.close()
            raise

    @property
    def total(self) -> int:
        """Return how many rows the samples table has, judges' requests included."""
        return self.windows[-1] if self.windows else 0

    def close(self) -> None:
        """Give the memory back."""
        self._base.close()

    def rows(
        self, sql: str, values: Sequence[Any] = (), cancel: Cancellation | None = None
    ) -> list[tuple[Any, ...]]:
        """Return the rows of a query; see `ParquetBase.rows`."""
        self._make_what_is_named(sql, cancel)
        return self._base.rows(sql, values, cancel)

    def arrow(self, sql: str, values: Sequence[Any] = (), cancel: Cancellation | None = None) -> "pa.Table":
        """Return the result of a query as an Arrow table; see `ParquetBase.rows`."""
        self._make_what_is_named(sql, cancel)
        return self._base.arrow(sql, values, cancel)

    def end_of_part(self, start: int, rows: int) -> int:
        """Return where a stretch of whole row groups ends that has at least so many rows, or is the last."""
        return next((end for end in self.windows if end - start >= rows), self.total)

    def parts(self, rows: int) -> Iterator[tuple[int, int]]:
        """Yield the table in stretches [first, last) of whole row groups with at least so many rows."""
        start = 0
        while start < self.total:
            end = self.end_of_part(start, rows)
            yield start, end
            start = end

    def _relate(self, scored: bool) -> None:
        self._relate_scores(scored)
        self._relate_requests()
        self.scorers_failed = bool(self._base.rows("select count(*) from scorer_failures")[0][0])
        broken = (
            f" or {key_hash('epoch')} in (select key from scorer_failures)" if self.scorers_failed else ""
        )
        self._base.rows(
            f"create view samples as select *, not ok{broken} as is_failure from requests "
            "where role = 'answer'"
        )

    def _relate_scores(self, scored: bool) -> None:
        known = set(self._base.columns("scores")) if scored else set()
        columns = ", ".join(_column(field, known) for field in SCORES)
        source = self._base.source("scores") if scored else "(select 1 where false)"
        self._base.rows(f"create view score_rows as select {columns} from {source}")
        self._base.rows("create view scores as select * from score_rows where role = 'answer'")
        self._base.rows(
            f"create table scorer_failures as select {key_hash('epoch')} as key, failure_kind as kind "
            "from scores where failure_kind is not null"
        )

    def _relate_requests(self) -> None:
        written = [name for name in self.schema.names if name != "file_row_number"]
        called = dict(zip(written, self._base.columns("samples"), strict=True))
        columns = [_column(field, called.keys()) for field in SAMPLES]
        for name, own in called.items():
            if name.startswith(_SCORE):
                column = f"s{len(self.scores)}"
                self.scores[name.removeprefix(_SCORE)] = column
                columns.append(f"{identifier(own)}::double as {column}")
        source = self._base.source("samples")
        listed = ", ".join(columns)
        self._base.rows(f'create view requests as select file_row_number as "row", {listed} from {source}')

    def _make_what_is_named(self, sql: str, cancel: Cancellation | None) -> None:
        """Make the relations that cost a pass over the table when the first query asks for them."""
        for name, make in {"flaky": self._flaky, "was_right": self._was_right}.items():
            if f"from {name}" in sql and name not in self._made:
                with self._once:
                    if name not in self._made:
                        self._base.rows(f"create or replace table {name} as {make()}", (), cancel)
                        self._made.add(name)

    def _flaky(self) -> str:
        mixed = {one: f"min({one}) < 1 and max({one}) >= 1" for one in self.scores.values()}
        columns = ", ".join(f"coalesce({term}, false) as {one}" for one, term in mixed.items())
        having = " or ".join(f"({term})" for term in mixed.values()) or "false"
        listed = f", {columns}" if columns else ""
        return f"select {key_hash()} as key{listed} from samples group by 1 having {having}"

    def _was_right(self) -> str:
        if self._against is None:
            raise StoreError("there is nothing that the run is held against")
        source, columns = self._base.source("against"), self._base.columns("against")
        if "table" in columns:  # a baseline
            return (
                f"select {key_hash()} as key from {source} where role = 'answer' and (\"table\" = 'samples' "
                "or metric = scorer) group by 1 having min(value) >= 1 and bool_and(coalesce(ok, true))"
            )
        values = [identifier(name) for name in columns if name.startswith(_SCORE)]
        lowest = f"least({', '.join(values)})" if values else "null"
        return (
            f"select {key_hash()} as key from {source} where role = 'answer' group by 1 "
            f"having min({lowest}) >= 1 and bool_and(ok)"
        )


def _column(field: "pa.Field", known: "Mapping[str, str] | Any") -> str:
    """Return a column as it is, or nulls of its type where its run, of an older regrade, did not know it."""
    import pyarrow as pa

    types = {pa.string(): "varchar", pa.bool_(): "boolean", pa.int32(): "integer", pa.int64(): "bigint"}
    name = identifier(field.name)
    return f"{name if field.name in known else 'null'}::{types.get(field.type, 'double')} as {name}"


def _table_of(against: Path) -> Path:
    return against / "samples.parquet" if against.is_dir() else against


def _looked_at(path: Path, folder: RunFolder) -> "tuple[pa.Schema, list[int]]":
    """Return a table's schema and at which row each of its row groups ends."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            check_version(path, file.schema_arrow.metadata)
            groups = [file.metadata.row_group(place).num_rows for place in range(file.num_row_groups)]
            schema = file.schema_arrow
    except FileNotFoundError as error:
        if not folder.path.is_dir():
            raise StoreError(f"{folder.path} is gone: it was deleted") from error
        raise no_table(folder, path) from error
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
    ends, end = [], 0
    for count in groups:
        end += count
        ends.append(end)
    return schema, ends
