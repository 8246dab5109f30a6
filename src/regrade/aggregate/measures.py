"""Which metrics a scorer has in an eval: those asked for, means of its further values, what it parsed."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from regrade.aggregate.plan import ScorerMetrics
from regrade.aggregate.scored import Scores, ScoresOf
from regrade.protocols import Metric
from regrade.stats import answered, epoch_means, parsed_rate, score_mean
from regrade.types import Better, Bounds, Estimate, MetricInput, SampleValues

__all__ = ["ScorerMeasure", "scorer_measures"]


class _Mean:
    """The mean of a further value of a scorer."""

    def estimate(self, data: MetricInput) -> Estimate:
        return score_mean(data)

    def per_sample(self, data: MetricInput) -> SampleValues:
        return SampleValues(epoch_means(data.values), data.bounds)


class _Parsed:
    """The share of answers in which the scorer found one."""

    def estimate(self, data: MetricInput) -> Estimate:
        return parsed_rate(data)

    def per_sample(self, data: MetricInput) -> SampleValues:
        found = np.full(data.values.shape, np.nan) if data.parsed is None else data.parsed
        return SampleValues(epoch_means(np.where(answered(data), found, np.nan)), (0.0, 1.0))


@dataclass(frozen=True, slots=True)
class ScorerMeasure:
    """One metric of one scorer over all arms of an eval.

    Attributes:
        scorer: The scorer's name.
        metric: What tables call the metric.
        better: Which way is better.
        bounds: The range of the scores; None when unbounded.
        source: The metric.
        scores: What it is computed from.
        judged: Whether a model gave them.
    """

    scorer: str
    metric: str
    better: Better
    bounds: Bounds | None
    source: Metric
    scores: ScoresOf
    judged: bool = False


def scorer_measures(scorer: ScorerMetrics, placed: Scores) -> Iterator[ScorerMeasure]:
    """Yield the metrics of a scorer."""
    main = placed.of(scorer.name, scorer.name)
    for name, metric in scorer.metrics:
        better: Better = getattr(metric, "better", scorer.better)
        yield ScorerMeasure(scorer.name, name, better, scorer.bounds, metric, main, scorer.judged)
    for name in placed.further(scorer.name):
        values = placed.of(scorer.name, name)
        if np.isfinite(values.values).any():
            better = scorer.better
            yield ScorerMeasure(scorer.name, name, better, scorer.bounds, _Mean(), values, scorer.judged)
    asked = {name for name, _ in scorer.metrics}
    if "parsed_rate" not in asked and (main.scored & ~main.parsed).any():
        yield ScorerMeasure(scorer.name, "parsed_rate", "higher", scorer.bounds, _Parsed(), main)
