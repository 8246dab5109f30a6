"""The requests of one eval laid out as arms x samples x epochs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrade.aggregate.columns import SAMPLE_ID, Columns, Flags, Floats, Ints

__all__ = ["Chosen", "Grid", "build_grid", "chosen"]


Numbers = NDArray[np.int32]
"""Of rows and samples; half of what 64 bits would take, where memory is at its peak."""

Chosen = Ints | slice
"""Some samples: their numbers, or a slice that is all of them and copies nothing."""


def chosen(flags: Flags) -> Chosen:
    """Return the samples that are flagged."""
    return slice(None) if flags.all() else np.flatnonzero(flags)


@dataclass(frozen=True, slots=True)
class Grid:
    """Where every request of one eval stands: a cell for each arm, sample and epoch.

    Attributes:
        arms: (prompt, model) of each arm, in first appearance.
        shape: How many arms, samples and epochs.
        cell: Shape (rows,): the flat cell of each row of the table that it was built from.
        present: Shape `shape`: whether there is such a request.
        first_row: Shape (samples,): the first row of each sample.
        clusters: Shape (samples,): code of each sample's cluster; None without clusters.
    """

    arms: tuple[tuple[str, str], ...]
    shape: tuple[int, int, int]
    cell: Ints
    present: Flags
    first_row: Numbers
    clusters: Ints | None
    _arm_of: Ints
    _sample_ids: Ints
    _sample_of: Numbers
    _epochs: Ints

    def locate(self, rows: Columns) -> Ints:
        """Return the flat cell of each row with the columns of the key, -1 for unknown ones."""
        arm = self._arm_of[rows.ints("prompt"), rows.ints("model")]
        ids, epochs = rows.ints(SAMPLE_ID), rows.ints("epoch")
        place = np.minimum(np.searchsorted(self._sample_ids, ids), self.shape[1] - 1)
        epoch = np.minimum(np.searchsorted(self._epochs, epochs), self.shape[2] - 1)
        cell = (arm * self.shape[1] + self._sample_of[place]) * self.shape[2] + epoch
        known = (arm >= 0) & (self._sample_ids[place] == ids) & (self._epochs[epoch] == epochs)
        return np.where(known, cell, -1)

    def floats(self, cell: Ints, values: Floats) -> Floats:
        """Lay values out over the cells; NaN where there is none."""
        if np.isnan(values).all():
            return np.broadcast_to(np.nan, self.shape)
        if self._in_order(cell):
            return values.reshape(self.shape)
        laid = np.full(self.shape, np.nan)
        laid.reshape(-1)[cell] = values
        return laid

    def flags(self, cell: Ints, values: Flags) -> Flags:
        """Lay truth values out over the cells; False where there is none."""
        if self._in_order(cell):
            return values.reshape(self.shape)
        laid = np.zeros(self.shape, dtype=np.bool_)
        laid.reshape(-1)[cell] = values
        return laid

    def _in_order(self, cell: Ints) -> bool:
        """Return whether rows stand as their cells do, so that nothing need be moved."""
        return len(cell) == self.present.size and bool((cell[1:] > cell[:-1]).all())

    def ints(self, cell: Ints, values: Ints) -> Ints:
        """Lay codes out over the cells; -1 where there is none."""
        laid = np.full(self.shape, -1, dtype=np.int64)
        laid.reshape(-1)[cell] = values
        return laid


def build_grid(requests: Columns) -> Grid:
    """Lay out the answers' requests of one eval.

    Args:
        requests: The eval's rows of the role "answer", at least one.
    """
    prompts, models = requests.texts("prompt"), requests.texts("model")
    pair = requests.ints("prompt") * len(models) + requests.ints("model")
    pairs, first = np.unique(pair, return_index=True)
    pairs = pairs[np.argsort(first)]
    arm_of = np.full((len(prompts), len(models)), -1, dtype=np.int64)
    arm_of.reshape(-1)[pairs] = np.arange(len(pairs))
    numbered = _number(requests.ints(SAMPLE_ID))
    epochs = np.unique(requests.ints("epoch"))
    shape = (len(pairs), len(numbered.ids), len(epochs))
    cell = arm_of.reshape(-1)[pair]
    del pair, first
    cell *= shape[1]
    cell += numbered.of_row
    cell *= shape[2]
    cell += np.searchsorted(epochs, requests.ints("epoch"))
    present = np.zeros(shape, dtype=np.bool_)
    present.reshape(-1)[cell] = True
    first_row = np.sort(numbered.first_row)
    return Grid(
        arms=tuple((prompts[one // len(models)], models[one % len(models)]) for one in pairs),
        shape=shape,
        cell=cell,
        present=present,
        first_row=first_row,
        clusters=_clusters(requests.ints("cluster")[first_row]),
        _arm_of=arm_of,
        _sample_ids=numbered.ids,
        _sample_of=numbered.of_id,
        _epochs=epochs,
    )


@dataclass(frozen=True, slots=True)
class _Numbered:
    """Samples, numbered in first appearance.

    Attributes:
        ids: Distinct, sorted.
        of_id: Number of each id.
        first_row: Of each id.
        of_row: Number of the sample of each row.
    """

    ids: Ints
    of_id: Numbers
    first_row: Numbers
    of_row: Numbers


def _number(row_ids: Ints) -> _Numbered:
    """Number samples; `np.unique` would take several times the memory for the same."""
    order = np.argsort(row_ids, kind="stable").astype(np.int32)
    ids = row_ids[order]
    new = np.ones(len(ids), dtype=np.bool_)
    np.not_equal(ids[1:], ids[:-1], out=new[1:])
    ids, first_row = ids[new], order[new]
    of_id = np.empty(len(ids), dtype=np.int32)
    of_id[np.argsort(first_row)] = np.arange(len(ids), dtype=np.int32)
    of_row = np.empty(len(row_ids), dtype=np.int32)
    of_row[order] = of_id[np.cumsum(new, dtype=np.int32) - 1]
    return _Numbered(ids, of_id, first_row, of_row)


def _clusters(named: Ints) -> Ints | None:
    """Return the cluster of each sample; one without a name is a cluster of its own."""
    alone = named < 0
    if alone.all():
        return None
    found = named.copy()
    found[alone] = named.max() + 1 + np.arange(int(alone.sum()))
    return found
