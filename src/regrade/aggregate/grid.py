"""The requests of one eval laid out as arms x samples x epochs."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from regrade.aggregate.columns import Flags, Floats, Ints, codes, places

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
    _prompts: pa.Array
    _models: pa.Array
    _samples: pa.Array
    _arm_of: Ints
    _epochs: Ints

    def locate(self, table: pa.Table) -> Ints:
        """Return the flat cell of each row of a table with the columns of the key, -1 for unknown ones."""
        prompt = places(table["prompt"], self._prompts)
        model = places(table["model"], self._models)
        sample = places(table["sample_id"], self._samples)
        epochs = table["epoch"].to_numpy().astype(np.int64)
        epoch = np.minimum(np.searchsorted(self._epochs, epochs), self.shape[2] - 1)
        arm = self._arm_of[prompt, model]
        cell = (arm * self.shape[1] + sample) * self.shape[2] + epoch
        known = (prompt >= 0) & (model >= 0) & (arm >= 0) & (sample >= 0)
        return np.where(known & (self._epochs[epoch] == epochs), cell, -1)

    def floats(self, cell: Ints, values: Floats) -> Floats:
        """Lay values out over the cells; NaN where there is none."""
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


def build_grid(requests: pa.Table) -> Grid:
    """Lay out the answers' requests of one eval.

    Args:
        requests: The eval's rows of the role "answer", at least one.
    """
    prompt, prompts = codes(requests["prompt"])
    model, models = codes(requests["model"])
    sample, samples = codes(requests["sample_id"])
    pair = prompt * len(models) + model
    pairs, first = np.unique(pair, return_index=True)
    pairs = pairs[np.argsort(first)]
    arm_of = np.full((len(prompts), len(models)), -1, dtype=np.int64)
    arm_of.reshape(-1)[pairs] = np.arange(len(pairs))
    epochs, epoch = np.unique(requests["epoch"].to_numpy(), return_inverse=True)
    shape = (len(pairs), len(samples), len(epochs))
    cell = (arm_of[prompt, model] * shape[1] + sample) * shape[2] + epoch
    present = np.zeros(shape, dtype=np.bool_)
    present.reshape(-1)[cell] = True
    first_row = np.unique(sample, return_index=True)[1]
    return Grid(
        arms=tuple((prompts[one // len(models)].as_py(), models[one % len(models)].as_py()) for one in pairs),
        shape=shape,
        cell=cell,
        present=present,
        first_row=first_row,
        clusters=_clusters(requests, first_row),
        _prompts=prompts,
        _models=models,
        _samples=samples,
        _arm_of=arm_of,
        _epochs=epochs.astype(np.int64),
    )


def _clusters(requests: pa.Table, first_row: Ints) -> Ints | None:
    """Return the cluster of each sample; one without a name is a cluster of its own."""
    found, names = codes(requests["cluster"].take(pa.array(first_row)))
    if not len(names):
        return None
    alone = found < 0
    found[alone] = len(names) + np.arange(int(alone.sum()))
    return found
