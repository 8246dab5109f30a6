"""What is to be aggregated: scorers with their metrics, slices, and the columns that it takes."""

from dataclasses import dataclass

from regrade.protocols import Metric
from regrade.types import Better, Bounds

__all__ = ["SCORE_COLUMNS", "EvalMetrics", "ScorerMetrics", "arm_request_columns", "request_columns"]

_KEY = ("eval", "prompt", "model", "sample_id", "epoch", "role")
_REQUEST_COLUMNS = (
    *_KEY,
    "ok",
    "failure_kind",
    "cluster",
    "prompt_tokens",
    "completion_tokens",
    "cost_usd",
    "ttft_s",
    "latency_s",
    "attempts",
)
_COUNTED = ("reasoning_tokens", "cached_tokens", "cut_in_reasoning")
SCORE_COLUMNS = (*_KEY, "scorer", "metric", "value", "label", "expected", "parsed")
"""Of the scores table."""


def request_columns(*, slices: bool) -> tuple[str, ...]:
    """Return the columns of the samples table; the metadata, which can be large, for slices alone."""
    return (*_REQUEST_COLUMNS, *_COUNTED, "metadata") if slices else (*_REQUEST_COLUMNS, *_COUNTED)


def arm_request_columns() -> tuple[str, ...]:
    """Return the columns of the samples table that arms are laid out from."""
    return (*_REQUEST_COLUMNS, "reasoning_tokens", "metadata", "fingerprint")


@dataclass(frozen=True, slots=True)
class ScorerMetrics:
    """How the scores of one scorer are aggregated.

    Attributes:
        name: The scorer's name in the spec.
        bounds: Its declared range; None when unbounded.
        better: Whether higher or lower scores are better; a metric may say otherwise of itself.
        metrics: What tables call each metric, and the metric.
        judged: Whether a model gives the scores, whose own error nobody measured.
        recipe: Hash of the scorer's name, arguments and steps; empty where it is not known.
    """

    name: str
    bounds: Bounds | None
    better: Better
    metrics: tuple[tuple[str, Metric], ...]
    judged: bool = False
    recipe: str = ""


@dataclass(frozen=True, slots=True)
class EvalMetrics:
    """How one eval is aggregated.

    Attributes:
        scorers: In the order of the spec.
        slices: Metadata names (dotted paths allowed); every metric also for each of their values.
    """

    scorers: tuple[ScorerMetrics, ...]
    slices: tuple[str, ...] = ()
