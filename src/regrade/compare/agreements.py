"""How often two arms gave the same label to the same sample, whichever was right."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regrade.arms import Joined, Measure, taken
from regrade.comparisons import Agreement
from regrade.stats import answered, cohen_kappa, mean_estimate
from regrade.types import MetricInput

__all__ = ["agreements_of"]

Labels = NDArray[np.object_]


def agreements_of(joined: Joined, level: float, *, every: bool = False) -> Iterator[Agreement]:
    """Yield the agreement of every scorer that finds labels, over the samples that both arms answered.

    Repeats are compared in turn, as far as both arms have them; no label twice is the same label. The order
    in which a judge sees two answers, for one, should not change which it prefers.

    Args:
        joined: The arms and their common samples.
        level: Of the intervals.
        every: Of scorers without labels as well: both right, or both wrong.
    """
    seen: set[str] = set()
    for measure in joined.b.measures:
        other = joined.a.measure(*measure.name)
        labelled = other is not None and other.data.labels is not None and measure.data.labels is not None
        wanted = labelled or (every and bool(measure.scorer))
        if wanted and other is not None and measure.scorer not in seen:
            seen.add(measure.scorer)
            found = _agreement(joined, other, measure, level)
            if found is not None:
                yield found


def _agreement(joined: Joined, a: Measure, b: Measure, level: float) -> Agreement | None:
    data_a, data_b = taken(a.data, joined.rows_a), taken(b.data, joined.rows_b)
    said_a, said_b = _said(data_a, data_b)
    epochs = min(said_a.shape[1], said_b.shape[1])
    both = answered(data_a)[:, :epochs] & answered(data_b)[:, :epochs]
    labels_a, labels_b = _coded(said_a[:, :epochs], said_b[:, :epochs])
    same = np.where(both, labels_a == labels_b, np.nan).astype(np.float64)
    counted = both.sum(axis=1)
    share = np.where(counted > 0, np.nansum(same, axis=1) / np.maximum(counted, 1), np.nan)
    found = mean_estimate(share, (0.0, 1.0), data_a.clusters, level)
    if found.value is None:
        return None
    kappa = cohen_kappa(labels_a[both], labels_b[both])
    arms = joined.a, joined.b
    known = np.isfinite(kappa.kappa)
    return Agreement(
        eval=arms[1].eval,
        scorer=b.scorer,
        run_a=arms[0].run,
        prompt_a=arms[0].prompt,
        model_a=arms[0].model,
        run_b=arms[1].run,
        prompt_b=arms[1].prompt,
        model_b=arms[1].model,
        n=found.n,
        same=found.value,
        low=found.low,
        high=found.high,
        level=level,
        kappa=kappa.kappa if known else None,
        kappa_se=kappa.se if known else None,
    )


def _said(a: MetricInput, b: MetricInput) -> tuple[Labels, Labels]:
    """Return the labels of both; where one of them has none, whether each answer is right."""
    if a.labels is not None and b.labels is not None:
        return a.labels, b.labels
    right = tuple(np.where(one.values >= 1, "right", "wrong").astype(np.object_) for one in (a, b))
    return right[0], right[1]


def _coded(a: Labels, b: Labels) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a number for each label, the same in both; no label has one as well."""
    texts = [*a.ravel().tolist(), *b.ravel().tolist()]
    code_of = {label: code for code, label in enumerate(dict.fromkeys(texts))}
    codes = np.fromiter(map(code_of.__getitem__, texts), np.int64, len(texts))
    return codes[: a.size].reshape(a.shape), codes[a.size :].reshape(b.shape)
