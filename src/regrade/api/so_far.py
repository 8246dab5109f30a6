"""What the answers of a run under way come to so far, kept as counts: memory does not grow with them."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from regrade.aggregate import ScorerMetrics
from regrade.api.prepare import PreparedEval
from regrade.store import RunFolder
from regrade.store.so_far import write_so_far
from regrade.types import JsonObject, ScoreRow

__all__ = ["SoFar"]

_EVERY_S = 2.0
_EXACT = 1_000
"""Distinct scores of an arm that are told apart as they are; further ones by three decimals."""
_MOST = 10_000
_Arm = tuple[str, str, str]


@dataclass(slots=True)
class SoFar:
    """Counts the scores of the scorer that leads each eval, and writes them beside the journal now and then.

    Attributes:
        folder: The run.
        evals: By name.
        level: Of intervals, such as 0.95.
        clock: Monotonic seconds.
    """

    folder: RunFolder
    evals: Mapping[str, PreparedEval]
    level: float
    clock: Callable[[], float] = time.monotonic
    _counts: dict[_Arm, Counter[float]] = field(default_factory=dict)
    _leading: dict[str, ScorerMetrics] = field(default_factory=dict)
    _next: float = 0.0

    def __post_init__(self) -> None:
        """Find what leads."""
        for name, one in self.evals.items():
            scorers = [scorer for scorer in one.metrics.scorers if scorer.metrics]
            if scorers and hasattr(scorers[0].metrics[0][1], "per_sample"):
                self._leading[name] = scorers[0]
        self._next = self.clock() + _EVERY_S

    def add(self, rows: Iterable[ScoreRow]) -> None:
        """Count the scores of an answer, and write them all where that is due."""
        for row in rows:
            leading = self._leading.get(row.key.eval)
            if leading is None or row.value is None or not row.scorer == row.metric == leading.name:
                continue
            counts = self._counts.setdefault((row.key.eval, row.key.prompt, row.key.model), Counter())
            value = row.value if len(counts) < _EXACT else round(row.value, 3)
            if len(counts) < _MOST or value in counts:
                counts[value] += 1
        if self.clock() >= self._next:
            self.write()
            self._next = self.clock() + _EVERY_S

    def write(self) -> None:
        """Write what is counted."""
        write_so_far(self.folder, [self._record(arm, counts) for arm, counts in self._counts.items()])

    def _record(self, arm: _Arm, counts: Counter[float]) -> JsonObject:
        import numpy as np

        from regrade.types import MetricInput

        one, scorer = self.evals[arm[0]], self._leading[arm[0]]
        name, metric = scorer.metrics[0]
        values, bounds = np.array(list(counts), dtype=np.float64), scorer.bounds
        if one.epochs == 1:
            found = metric.per_sample(MetricInput(values[:, None], bounds, level=self.level))  # type: ignore[attr-defined] # looked for
            values, bounds = found.values, found.bounds
        else:  # a metric of epochs says nothing of one answer
            name = "mean"
        pairs = zip(values.tolist(), counts.values(), strict=True)
        return {
            **dict(zip(("eval", "prompt", "model"), arm, strict=True)),
            "scorer": scorer.name,
            "metric": name,
            "better": getattr(metric, "better", scorer.better),
            "bounds": None if bounds is None else list(bounds),
            "level": self.level,
            "alike": one.epochs > 1 or one.file.spec.cluster is not None,
            "counts": [[value, count] for value, count in pairs if value == value],  # noqa: PLR0124 - NaN is left out
        }
