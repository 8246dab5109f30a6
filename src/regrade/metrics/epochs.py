"""Metrics of repeated answers to the same sample."""

from dataclasses import dataclass
from typing import ClassVar

from regrade.errors import UsageError
from regrade.types import Better, Estimate, MetricInput, SampleValues

__all__ = ["Flaky", "PassAllK", "PassAtK"]


@dataclass(frozen=True)
class PassAtK:
    """The chance that at least one of k answers is right (pass@k), without bias from K >= k epochs.

    Attributes:
        k: How many answers.
        at_least: The score from which an answer counts as right.
    """

    k: int
    at_least: float = 1.0

    better: ClassVar[Better] = "higher"

    def __post_init__(self) -> None:
        _check_k("pass_at_k", self.k)

    def check_epochs(self, epochs: int) -> None:
        """Refuse a run whose epochs are too few, which is known before anything is sent.

        Raises:
            UsageError: When k is greater than the number of epochs.
        """
        _check_epochs(f"pass_at_k with k = {self.k}", self.k, epochs)

    def estimate(self, data: MetricInput) -> Estimate:
        """Return the mean over samples with its interval; samples with fewer than k scores are left out.

        Raises:
            UsageError: When k is greater than the number of epochs.
        """
        from regrade.stats import sample_mean

        return sample_mean(self.per_sample(data), data)

    def per_sample(self, data: MetricInput) -> SampleValues:
        """Return the chance of at least one right answer for each sample.

        Raises:
            UsageError: When the epochs are too few.
        """
        from regrade.stats import pass_at_k, reached

        self.check_epochs(data.values.shape[1])
        return SampleValues(pass_at_k(reached(data.values, self.at_least), self.k), (0.0, 1.0))


@dataclass(frozen=True)
class PassAllK:
    """The chance that all of k answers are right (pass^k), without bias from K >= k epochs.

    Attributes:
        k: How many answers.
        at_least: The score from which an answer counts as right.
    """

    k: int
    at_least: float = 1.0

    better: ClassVar[Better] = "higher"

    def __post_init__(self) -> None:
        _check_k("pass_all_k", self.k)

    def check_epochs(self, epochs: int) -> None:
        """Refuse a run whose epochs are too few, which is known before anything is sent.

        Raises:
            UsageError: When k is greater than the number of epochs.
        """
        _check_epochs(f"pass_all_k with k = {self.k}", self.k, epochs)

    def estimate(self, data: MetricInput) -> Estimate:
        """Return the mean over samples with its interval; samples with fewer than k scores are left out.

        Raises:
            UsageError: When k is greater than the number of epochs.
        """
        from regrade.stats import sample_mean

        return sample_mean(self.per_sample(data), data)

    def per_sample(self, data: MetricInput) -> SampleValues:
        """Return the chance of right answers alone for each sample.

        Raises:
            UsageError: When the epochs are too few.
        """
        from regrade.stats import pass_all_k, reached

        self.check_epochs(data.values.shape[1])
        return SampleValues(pass_all_k(reached(data.values, self.at_least), self.k), (0.0, 1.0))


@dataclass(frozen=True)
class Flaky:
    """The share of samples whose repeated answers are sometimes right and sometimes not.

    Attributes:
        at_least: The score from which an answer counts as right.
    """

    at_least: float = 1.0

    better: ClassVar[Better] = "lower"

    def check_epochs(self, epochs: int) -> None:
        """Refuse a run without repeats, which is known before anything is sent.

        Raises:
            UsageError: When there is only one epoch.
        """
        _check_epochs("flaky", 2, epochs)

    def estimate(self, data: MetricInput) -> Estimate:
        """Return the share with its interval; samples with fewer than two scores are left out.

        Raises:
            UsageError: When there is only one epoch.
        """
        from regrade.stats import sample_mean

        return sample_mean(self.per_sample(data), data)

    def per_sample(self, data: MetricInput) -> SampleValues:
        """Return the 1 where both outcomes occur, else 0, for each sample.

        Raises:
            UsageError: When the epochs are too few.
        """
        from regrade.stats import both_outcomes, reached

        self.check_epochs(data.values.shape[1])
        return SampleValues(both_outcomes(reached(data.values, self.at_least)), (0.0, 1.0))


def _check_k(name: str, k: int) -> None:
    if k < 1:
        raise UsageError(f"{name}: `k` is at least 1, not {k}")


def _check_epochs(what: str, needed: int, epochs: int) -> None:
    if needed > epochs:
        count = "1 epoch" if epochs == 1 else f"{epochs} epochs"
        raise UsageError(f"{what} needs {needed} epochs, not {count}", hint=f"set `epochs: {needed}` or more")
