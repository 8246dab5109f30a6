"""The columns that samples have: of the rows of a list, cut, and of an export, whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from regrade.errors import UsageError, did_you_mean
from regrade.store.parquet_base import Cancellation, identifier
from regrade.store.sample_base import SampleBase
from regrade.store.sample_filters import Condition, metadata_field, outcome_name, outcome_terms
from regrade.store.sample_pages import SampleRow
from regrade.store.schema import SAMPLES

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["CUT", "SampleColumns"]

CUT = 200
"""Characters of a text in a list."""
_EXPORT_ROWS = 4096
_META = "meta."
_SCORE = "score."
_OUTCOME = "outcome"
_KEY = ("row", "eval", "prompt", "model", "sample_id", "epoch", "parsed", "failure_kind")
_TEXTS = frozenset(
    (
        "text",
        "tool_calls",
        "reasoning",
        "failure_message",
        "input",
        "target",
        "messages",
        "params",
        "metadata",
    )
)


class SampleColumns:
    """Reads columns of samples whose places are known.

    They are those of the samples table, `score.<scorer>`, `meta.<field>` for any field of the metadata, and
    `outcome`.

    Args:
        base: The run.
    """

    def __init__(self, base: SampleBase) -> None:
        self._base = base

    def names(self) -> list[str]:
        """Return all columns but `outcome` and the fields of the metadata."""
        return [*SAMPLES.names, *(f"{_SCORE}{scorer}" for scorer in self._base.scores)]

    def holds(self, column: str) -> bool:
        """Return whether there is such a column."""
        return column.startswith(_META) or column == _OUTCOME or column in self.names()

    def schema(self, columns: Sequence[str]) -> "pa.Schema":
        """Return names and types of the columns of an export."""
        import pyarrow as pa

        types = dict(zip(SAMPLES.names, SAMPLES.types, strict=True))
        scores = dict.fromkeys((f"{_SCORE}{scorer}" for scorer in self._base.scores), pa.float64())
        return pa.schema([pa.field(name, {**types, **scores}.get(name, pa.string())) for name in columns])

    def check(self, columns: Sequence[str]) -> None:
        """Refuse columns that there are not.

        Raises:
            UsageError: For the first of them.
        """
        for name in columns:
            self._cell(name)

    def rows(
        self, places: Sequence[int], columns: Sequence[str], by: str = "", cancel: Cancellation | None = None
    ) -> tuple[SampleRow, ...]:
        """Return the rows at some places, in that order; the wide columns of no others are read.

        Args:
            places: In the samples table.
            columns: Of `SampleRow.cells`.
            by: The scorer that outcomes go by; empty: all.
            cancel: Stops it.

        Raises:
            UsageError: When there is no such column.
        """
        if not places:
            return ()
        cells = {name: self._cell(name) for name in dict.fromkeys(columns)}
        terms, values, flags = [], [], []
        for name, (term, bound) in cells.items():
            if name in _TEXTS or name.startswith(_META):
                terms.append(f"left({term}, {CUT})")
                flags.append((f"coalesce(length({term}) > {CUT}, false)", bound))
            else:
                terms.append(term)
                flags.append(("false", []))
            values.extend(bound)
        for term, bound in flags:
            terms.append(term)
            values.extend(bound)
        outcome = outcome_name(outcome_terms(self._base.scores, by))
        listed = ", ".join([outcome, *map(identifier, _KEY), *self._base.scores.values(), *terms])
        marks = ", ".join("?" * len(places))
        found = self._base.rows(
            f'select {listed} from samples where "row" in ({marks})', [*values, *places], cancel
        )
        by_place = {row[1]: self._row(row, list(cells)) for row in found}
        return tuple(by_place[place] for place in places if place in by_place)

    def batches(
        self, condition: Condition, columns: Sequence[str] = (), cancel: Cancellation | None = None
    ) -> "pa.RecordBatchReader":
        """Return the samples that fulfil a condition, whole, in the order of the plan, as they are read.

        Args:
            condition: On rows of the relation `samples`.
            columns: None means every column of the table.
            cancel: Stops it between two stretches.

        Raises:
            UsageError: When there is no such column.
        """
        import pyarrow as pa

        names = list(dict.fromkeys(columns)) or self.names()
        terms = {name: self._cell(name) for name in names}
        listed = ", ".join(term for term, _ in terms.values())
        bound = [value for _, values in terms.values() for value in values]

        def read(first: int, last: int) -> pa.Table:
            wanted = replace(condition, terms=[*condition.terms], values=[*condition.values])
            wanted.add('"row" between ? and ?', first, last - 1)
            sql = f'select {listed} from samples where {wanted.sql} order by "row"'
            return self._base.arrow(sql, [*bound, *wanted.values], cancel).rename_columns(names)

        def stretches() -> Iterator[pa.RecordBatch]:
            for first, last in self._base.parts(_EXPORT_ROWS):
                yield from read(first, last).to_batches()

        return pa.RecordBatchReader.from_batches(read(0, 0).schema, stretches())

    def _cell(self, name: str) -> tuple[str, list[str]]:
        """Return SQL for a column and its values."""
        if name.startswith(_META):
            return metadata_field(name.removeprefix(_META))
        scorer = name.removeprefix(_SCORE)
        if name.startswith(_SCORE) and scorer in self._base.scores:
            return self._base.scores[scorer], []
        if name in SAMPLES.names:
            return identifier(name), []
        if name == _OUTCOME:
            return outcome_name(outcome_terms(self._base.scores)), []
        known = self.names()
        hint = did_you_mean(name, known) or f"one of: {', '.join(known)}, meta.<field>"
        raise UsageError(f'the samples have no column "{name}"', hint=hint)

    def _row(self, found: tuple[Any, ...], names: list[str]) -> SampleRow:
        outcome, *own = found[: 1 + len(_KEY)]
        values = iter(found[1 + len(_KEY) :])
        scores: Mapping[str, float | None] = dict(zip(self._base.scores, values, strict=False))
        cells = dict(zip(names, values, strict=False))
        cut = frozenset(name for name in names if next(values))
        return SampleRow(
            outcome=outcome, **dict(zip(_KEY, own, strict=True)), scores=scores, cells=cells, cut=cut
        )
