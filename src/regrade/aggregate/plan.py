"""What is to be aggregated: scorers with their metrics, and slices."""

from dataclasses import dataclass

from regrade.protocols import Metric
from regrade.types import Better, Bounds

__all__ = ["EvalMetrics", "ScorerMetrics"]


@dataclass(frozen=True, slots=True)
class ScorerMetrics:
    """How the scores of one scorer are aggregated.

    Attributes:
        name: The scorer's name in the spec.
        bounds: Its declared range; None when unbounded.
        better: Whether higher or lower scores are better; a metric may say otherwise of itself.
        metrics: What tables call each metric, and the metric.
    """

    name: str
    bounds: Bounds | None
    better: Better
    metrics: tuple[tuple[str, Metric], ...]


@dataclass(frozen=True, slots=True)
class EvalMetrics:
    """How one eval is aggregated.

    Attributes:
        scorers: In the order of the spec.
        slices: Metadata names (dotted paths allowed); every metric also for each of their values.
    """

    scorers: tuple[ScorerMetrics, ...]
    slices: tuple[str, ...] = ()
