"""Metrics that are the mean of one number a sample."""

from dataclasses import dataclass
from typing import ClassVar

from regrade.types import Better, Estimate, MetricInput, SampleValues

__all__ = ["Accuracy", "Mean", "ParsedRate"]


@dataclass(frozen=True)
class Mean:
    """The mean score, epochs of a sample averaged first; better as its scorer says."""

    def estimate(self, data: MetricInput) -> Estimate:
        """Return the mean with the score interval, or t or CR2 where the scores ask for it."""
        from regrade.stats import score_mean

        return score_mean(data)

    def per_sample(self, data: MetricInput) -> SampleValues:
        """Return the mean score of each sample."""
        from regrade.stats import epoch_means

        return SampleValues(epoch_means(data.values), data.bounds)


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
        from regrade.stats import sample_mean

        return sample_mean(self.per_sample(data), data)

    def per_sample(self, data: MetricInput) -> SampleValues:
        """Return the share of right answers to each sample."""
        from regrade.stats import epoch_means, reached

        return SampleValues(epoch_means(reached(data.values, self.at_least)), (0.0, 1.0))


@dataclass(frozen=True)
class ParsedRate:
    """The share of scored answers in which the scorer found an answer at all."""

    better: ClassVar[Better] = "higher"

    def estimate(self, data: MetricInput) -> Estimate:
        """Return the share with its interval; answers that could not be scored are left out."""
        from regrade.stats import parsed_rate

        return parsed_rate(data)

    def per_sample(self, data: MetricInput) -> SampleValues:
        """Return the share of each sample's answers in which an answer was found."""
        import numpy as np

        from regrade.stats import answered, epoch_means

        found = np.full(data.values.shape, np.nan) if data.parsed is None else data.parsed
        return SampleValues(epoch_means(np.where(answered(data), found, np.nan)), (0.0, 1.0))
