"""Arms built from a few numbers, in place of runs."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from regrade.arms import Arm, Coded, Measure
from regrade.metrics.labels import MacroF1
from regrade.metrics.means import Accuracy, Mean
from regrade.types import Better, MetricInput

METRICS = {"accuracy": Accuracy, "mean": Mean, "macro_f1": MacroF1}


def build_arm(
    values: Any,
    *,
    run: str = "run",
    metric: str = "accuracy",
    bounds: tuple[float, float] | None = (0.0, 1.0),
    ids: Sequence[int] | None = None,
    failed: Any = None,
    clusters: Sequence[int] | None = None,
    slices: dict[str, Sequence[str]] | None = None,
    versions: tuple[str, ...] = ("1",),
    better: Better = "higher",
    labels: Any = None,
    expected: Any = None,
    **names: str,
) -> Arm:
    """Return an arm of one scorer; `values` has the shape (n,) or (n, K), NaN where there is no score."""
    scores = np.asarray(values, dtype=np.float64)
    scores = scores[:, None] if scores.ndim == 1 else scores
    n = len(scores)
    without = (
        np.zeros(scores.shape, dtype=bool) if failed is None else np.asarray(failed).reshape(scores.shape)
    )
    scores = np.where(without, np.nan, scores)
    shared = None if clusters is None else np.asarray(clusters, dtype=np.int64)
    found = None if labels is None else np.array(labels, dtype=object).reshape(scores.shape)
    if found is not None:
        found[without] = None
    data = MetricInput(
        scores,
        bounds,
        shared,
        found,
        None if expected is None else np.asarray(expected, dtype=object),
        np.isfinite(scores),
    )
    rates = MetricInput(without.astype(np.float64), (0.0, 1.0), shared)
    coded = {}
    for name, texts in (slices or {}).items():
        kinds = tuple(dict.fromkeys(texts))
        coded[name] = Coded(kinds, np.array([kinds.index(text) for text in texts], dtype=np.int64))
    return Arm(
        run=run,
        eval=names.get("eval", "quiz"),
        prompt=names.get("prompt", "default"),
        model=names.get("model", "m"),
        ids=np.arange(n, dtype=np.int64) if ids is None else np.asarray(ids, dtype=np.int64),
        fingerprints=np.arange(n, dtype=np.int64) if ids is None else np.asarray(ids, dtype=np.int64),
        present=np.ones(scores.shape, dtype=bool),
        failed=without,
        clusters=shared,
        slices=coded,
        measures=(
            Measure("right", metric, better, METRICS[metric](), data, versions),
            Measure("", "failure_rate", "lower", None, rates),
        ),
    )


@pytest.fixture
def arm() -> Callable[..., Arm]:
    """Return what builds an arm."""
    return build_arm
