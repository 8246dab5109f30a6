"""Metrics that are the mean of one number a sample."""

from dataclasses import dataclass
from typing import ClassVar

from regrade.types import Better, Estimate, MetricInput

__all__ = ["Accuracy", "Mean", "ParsedRate"]


@dataclass(frozen=True)
class Mean:
    """The mean score, epochs of a sample averaged first; better as its scorer says."""

    def estimate(self, data: MetricInput) -> Estimate:
        """Return the mean with the score interval, or t or CR2 where the scores ask for it."""
        from regrade.stats import score_mean

        return score_mean(data)


@dataclass(frozen=True)
class Accuracy:
    """The share of right answers.

    Attributes:
        at_least: The score from which an answer counts as right.
    """

    at_least: float = 1.0

    better: ClassVar[Better] = "higher"

    def estimate(self, data: MetricInput) -> Estimate:
        """Return the share with Wilson's interval (one epoch), its generalisation, or CR2 with clusters."""
        import numpy as np

        from regrade.stats import epoch_means, mean_estimate

        right = np.where(np.isnan(data.values), np.nan, data.values >= self.at_least)
        return mean_estimate(epoch_means(right), (0.0, 1.0), data.clusters, data.level)


@dataclass(frozen=True)
class ParsedRate:
    """The share of scored answers in which the scorer found an answer at all."""

    better: ClassVar[Better] = "higher"

    def estimate(self, data: MetricInput) -> Estimate:
        """Return the share with its interval; answers that could not be scored are left out."""
        from regrade.stats import parsed_rate

        return parsed_rate(data)
