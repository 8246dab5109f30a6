"""The scores of an eval laid over the cells of its grid, and what a metric sees of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrade.aggregate.columns import Columns, Flags, Floats, Ints
from regrade.aggregate.grid import Chosen, Grid
from regrade.types import Bounds, MetricInput

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

    def metric_input(
        self, arm: int, samples: Chosen, *, bounds: Bounds | None, clusters: Ints | None
    ) -> MetricInput:
        """Return what a metric sees of some samples of an arm.

        Args:
            arm: Place of the arm.
            samples: Places of the samples.
            bounds: Of the scores.
            clusters: Of the same samples.
        """
        return MetricInput(
            values=self.values[arm, samples],
            bounds=bounds,
            clusters=clusters,
            labels=None if self.labels is None else self.names[self.labels[arm, samples]],
            expected=None if self.expected is None else self.names[self.expected[arm, samples]],
            parsed=self.parsed[arm, samples],
        )


@dataclass(frozen=True, slots=True)
class Scores:
    """The score rows of one eval, each with its cell.

    Attributes:
        rows: Columns scorer, metric, value, label, expected and parsed.
        cell: Shape (rows,): flat cell.
    """

    grid: Grid
    rows: Columns
    cell: Ints

    def further(self, scorer: str) -> list[str]:
        """Return the names of the values that a scorer gives beside its main one, in first appearance."""
        own = np.unique(self.rows.ints("metric")[self.rows.having("scorer", scorer)])
        names = self.rows.texts("metric")
        return [names[code] for code in own if names[code] != scorer]

    def versions(self, scorer: str) -> set[str]:
        """Return the versions of a scorer that gave scores; for rows read with their versions."""
        codes = np.unique(self.rows.ints("version")[self.rows.having("scorer", scorer)])
        names = self.rows.texts("version")
        return {names[code] for code in codes if code >= 0}

    def of(self, scorer: str, metric: str) -> ScoresOf:
        """Lay out one value of a scorer."""
        own = self.rows.having("scorer", scorer) & self.rows.having("metric", metric)
        rows, cell = self.rows.where(own), self.cell[own]
        values = self.grid.floats(cell, rows.floats("value"))
        names, labels, expected = self._labels(rows, cell)
        scored = np.isfinite(values) if labels is None else np.isfinite(values) | (labels >= 0)
        parsed = self.grid.flags(cell, rows.flags("parsed")) & scored
        return ScoresOf(values, parsed, scored, labels, expected, names)

    def _labels(self, rows: Columns, cell: Ints) -> tuple[NDArray[np.object_], Ints | None, Ints | None]:
        found, right = rows.ints("label"), rows.ints("expected")
        if (found < 0).all() and (right < 0).all():
            return np.array([None], dtype=np.object_), None, None
        names = np.array([*rows.texts("label"), None], dtype=np.object_)
        return names, self.grid.ints(cell, found), self._expected(cell, right)

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


def place_scores(grid: Grid, scores: Columns) -> Scores:
    """Find the cell of every score row of an eval; rows of unknown requests are left out."""
    cell = grid.locate(scores)
    return Scores(grid, scores.where(cell >= 0), cell[cell >= 0])
