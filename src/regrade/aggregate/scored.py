"""The scores of an eval laid over the cells of its grid, and what a metric sees of them."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regrade.aggregate.columns import Flags, Floats, Ints, codes, flags, floats
from regrade.aggregate.grid import Grid

__all__ = ["Scores", "ScoresOf", "place_scores"]


@dataclass(frozen=True, slots=True)
class ScoresOf:
    """One value of one scorer, for every answer.

    Attributes:
        values: Arms x samples x epochs; NaN where there is none.
        parsed: Likewise: whether an answer was found; False where there is no score.
        scored: Likewise: whether there is a value or a label.
        labels: Likewise: place in `names`, -1 where there is none; None for scorers without labels.
        expected: Arms x samples: place in `names` of the right label, -1 where it is not known.
        names: The labels, with None at the end, so that -1 finds it.
    """

    values: Floats
    parsed: Flags
    scored: Flags
    labels: Ints | None
    expected: Ints | None
    names: NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Scores:
    """The score rows of one eval, each with its cell.

    Attributes:
        table: Columns value, label, expected and parsed.
        cell: Shape (rows,): flat cell.
        scorer: Shape (rows,): place in `scorers`.
        metric: Shape (rows,): place in `metrics`.
    """

    grid: Grid
    table: pa.Table
    cell: Ints
    scorer: Ints
    metric: Ints
    scorers: tuple[str, ...]
    metrics: tuple[str, ...]

    def further(self, scorer: str) -> list[str]:
        """Return the names of the values that a scorer gives beside its main one, in first appearance."""
        own = np.unique(self.metric[self.scorer == _place(scorer, self.scorers)])
        return [self.metrics[place] for place in own if self.metrics[place] != scorer]

    def of(self, scorer: str, metric: str) -> ScoresOf:
        """Lay out one value of a scorer."""
        own = self.scorer == _place(scorer, self.scorers)
        rows = np.flatnonzero(own & (self.metric == _place(metric, self.metrics)))
        table, cell = self.table.take(pa.array(rows)), self.cell[rows]
        values = self.grid.floats(cell, floats(table["value"]))
        names, labels, expected = self._labels(table, cell)
        scored = np.isfinite(values) if labels is None else np.isfinite(values) | (labels >= 0)
        parsed = self.grid.flags(cell, flags(table["parsed"])) & scored
        return ScoresOf(values, parsed, scored, labels, expected, names)

    def _labels(self, table: pa.Table, cell: Ints) -> tuple[NDArray[np.object_], Ints | None, Ints | None]:
        both = pa.chunked_array([*table["label"].chunks, *table["expected"].chunks], pa.string())
        found, texts = codes(both)
        names = np.array([*texts.to_pylist(), None], dtype=np.object_)
        if len(names) == 1:
            return names, None, None
        count = table.num_rows
        return names, self.grid.ints(cell, found[:count]), self._expected(cell, found[count:])

    def _expected(self, cell: Ints, found: Ints) -> Ints:
        """Return the right label of each arm and sample.

        Where an arm does not know it, because no answer was found in its text, another arm's is taken: the
        sample is the same, and leaving it out would leave out misses.
        """
        arms, samples, epochs = self.grid.shape
        known = np.flatnonzero(found >= 0)[::-1]  # the first row of a sample is written last and stays
        of_arm = np.full(arms * samples, -1, dtype=np.int64)
        of_arm[cell[known] // epochs] = found[known]
        of_any = np.full(samples, -1, dtype=np.int64)
        of_any[cell[known] // epochs % samples] = found[known]
        laid = of_arm.reshape(arms, samples)
        return np.where(laid >= 0, laid, of_any)


def _place(name: str, names: tuple[str, ...]) -> int:
    return names.index(name) if name in names else -1


def place_scores(grid: Grid, scores: pa.Table) -> Scores:
    """Find the cell of every score row of an eval; rows of unknown requests are left out."""
    cell = grid.locate(scores)
    if (cell < 0).any():
        scores, cell = scores.filter(pa.array(cell >= 0)), cell[cell >= 0]
    scorer, scorers = codes(scores["scorer"])
    metric, metrics = codes(scores["metric"])
    return Scores(
        grid=grid,
        table=scores.select(["value", "label", "expected", "parsed"]),
        cell=cell,
        scorer=scorer,
        metric=metric,
        scorers=tuple(scorers.to_pylist()),
        metrics=tuple(metrics.to_pylist()),
    )
