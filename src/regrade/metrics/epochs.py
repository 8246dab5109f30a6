"""Metrics of repeated answers to the same sample."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from regrade.errors import UsageError
from regrade.types import Better, Estimate, MetricInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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
        from regrade.stats import pass_at_k

        self.check_epochs(data.values.shape[1])
        return _mean(pass_at_k(_right(data, self.at_least), self.k), data)


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
        from regrade.stats import pass_all_k

        self.check_epochs(data.values.shape[1])
        return _mean(pass_all_k(_right(data, self.at_least), self.k), data)


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
        from regrade.stats import both_outcomes

        self.check_epochs(data.values.shape[1])
        return _mean(both_outcomes(_right(data, self.at_least)), data)


def _check_k(name: str, k: int) -> None:
    if k < 1:
        raise UsageError(f"{name}: `k` is at least 1, not {k}")


def _check_epochs(what: str, needed: int, epochs: int) -> None:
    if needed > epochs:
        count = "1 epoch" if epochs == 1 else f"{epochs} epochs"
        raise UsageError(f"{what} needs {needed} epochs, not {count}", hint=f"set `epochs: {needed}` or more")


def _right(data: MetricInput, at_least: float) -> "NDArray[np.float64]":
    import numpy as np

    return np.where(np.isnan(data.values), np.nan, data.values >= at_least)


def _mean(per_sample: "NDArray[np.float64]", data: MetricInput) -> Estimate:
    from regrade.stats import mean_estimate

    return mean_estimate(per_sample, (0.0, 1.0), data.clusters, data.level)
