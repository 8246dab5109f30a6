"""Metrics of the requests that a rule may name, beside those of scorers."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from regrade.stats import epoch_means, mean_estimate, quantile_estimate
from regrade.types import Estimate, MetricInput

__all__ = ["REQUEST_METRICS", "RequestMetric", "request_estimate"]

_PRICES = "prices stand in the model's table: `price: {prompt: 0.1, completion: 0.4}`"
_USAGE = "the endpoint did not say how many tokens it used"
_REASONING = "the endpoint did not say how many of its tokens were reasoning"


@dataclass(frozen=True, slots=True)
class RequestMetric:
    """How a metric of the requests comes from a measure of an arm.

    Attributes:
        name: In verdicts.
        measure: The measure of each sample that it is computed from.
        form: Its mean over the samples, its sum over all answers, or a quantile of all answers.
        q: Of the quantile.
        missing: What to do when the run does not have it.
    """

    name: str
    measure: str
    form: Literal["mean", "total", "quantile"] = "mean"
    q: float = 0.5
    missing: str = ""

    @property
    def per_sample(self) -> bool:
        """Return whether arms can be compared by it sample by sample."""
        return self.form == "mean"


REQUEST_METRICS: Mapping[str, RequestMetric] = MappingProxyType(
    {
        one.name: one
        for one in (
            RequestMetric("failure_rate", "failure_rate"),
            RequestMetric("latency_mean", "latency_mean"),
            RequestMetric("latency_p50", "latency_mean", "quantile", 0.5),
            RequestMetric("latency_p95", "latency_mean", "quantile", 0.95),
            RequestMetric("cost_per_answer", "cost_per_answer", missing=_PRICES),
            RequestMetric("cost_usd", "cost_per_answer", "total", missing=_PRICES),
            RequestMetric("prompt_tokens_per_answer", "prompt_tokens_per_answer", missing=_USAGE),
            RequestMetric("prompt_tokens", "prompt_tokens_per_answer", "total", missing=_USAGE),
            RequestMetric("completion_tokens_per_answer", "completion_tokens_per_answer", missing=_USAGE),
            RequestMetric("completion_tokens", "completion_tokens_per_answer", "total", missing=_USAGE),
            RequestMetric("reasoning_tokens_per_answer", "reasoning_tokens_per_answer", missing=_REASONING),
            RequestMetric("reasoning_tokens", "reasoning_tokens_per_answer", "total", missing=_REASONING),
        )
    }
)
"""By the name that a rule gives."""


def request_estimate(metric: RequestMetric, data: MetricInput) -> Estimate:
    """Return a metric of the requests with its interval at the level of the data."""
    if metric.form == "quantile":
        samples = int(np.isfinite(data.values).any(axis=1).sum())
        return quantile_estimate(data.values.ravel(), metric.q, samples, data.level)
    found = mean_estimate(epoch_means(data.values), data.bounds, data.clusters, data.level)
    if metric.form == "mean" or found.value is None:
        return found
    answers = int(np.isfinite(data.values).sum())
    total = float(np.nansum(data.values))
    low, high = (None if end is None else end * answers for end in (found.low, found.high))
    return Estimate(total, None, low, high, found.n, f"{found.method} of the mean", found.note)
