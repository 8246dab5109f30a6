"""The requests of one eval laid out as arms x samples x epochs."""

from dataclasses import dataclass

import numpy as np

from regrade.aggregate.columns import SAMPLE_ID, Columns, Flags, Floats, Ints

__all__ = ["Grid", "build_grid"]


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
    first_row: Ints
    clusters: Ints | None
    _arm_of: Ints
    _sample_ids: Ints
    _sample_of: Ints
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
        laid = np.full(self.shape, np.nan)
        laid.reshape(-1)[cell] = values
        return laid

    def flags(self, cell: Ints, values: Flags) -> Flags:
        """Lay truth values out over the cells; False where there is none."""
        laid = np.zeros(self.shape, dtype=np.bool_)
        laid.reshape(-1)[cell] = values
        return laid

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
    ids, first_row, place = np.unique(requests.ints(SAMPLE_ID), return_index=True, return_inverse=True)
    sample_of = np.empty(len(ids), dtype=np.int64)
    sample_of[np.argsort(first_row)] = np.arange(len(ids))
    epochs, epoch = np.unique(requests.ints("epoch"), return_inverse=True)
    shape = (len(pairs), len(ids), len(epochs))
    cell = (arm_of.reshape(-1)[pair] * shape[1] + sample_of[place]) * shape[2] + epoch
    present = np.zeros(shape, dtype=np.bool_)
    present.reshape(-1)[cell] = True
    first_row = np.sort(first_row)
    return Grid(
        arms=tuple((prompts[one // len(models)], models[one % len(models)]) for one in pairs),
        shape=shape,
        cell=cell,
        present=present,
        first_row=first_row,
        clusters=_clusters(requests.ints("cluster")[first_row]),
        _arm_of=arm_of,
        _sample_ids=ids,
        _sample_of=sample_of,
        _epochs=epochs,
    )


def _clusters(named: Ints) -> Ints | None:
    """Return the cluster of each sample; one without a name is a cluster of its own."""
    alone = named < 0
    if alone.all():
        return None
    found = named.copy()
    found[alone] = named.max() + 1 + np.arange(int(alone.sum()))
    return found
