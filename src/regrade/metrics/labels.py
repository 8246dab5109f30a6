"""Metrics of found labels against right ones that are no mean over samples."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from regrade.errors import MissingExtraError, UsageError
from regrade.types import Better, Estimate, MetricInput

if TYPE_CHECKING:
    from types import ModuleType

    from regrade.stats import LabelCodes

__all__ = ["BalancedAccuracy", "MacroF1", "Mcc", "MicroF1"]

_ROUGH_BELOW = 100


@dataclass(frozen=True)
class MacroF1:
    """The mean of the F1 scores of all labels that occur; an answer without a label is a miss."""

    better: ClassVar[Better] = "higher"
    label_statistic: ClassVar[str] = "macro_f1"

    def estimate(self, data: MetricInput) -> Estimate:
        """Return scikit-learn's figure with a bootstrap interval.

        Raises:
            UsageError: When the scorer finds no labels.
            MissingExtraError: Without scikit-learn.
        """
        codes = _codes(data, "macro_f1")
        return _estimate(data, codes, "macro_f1", _f1(codes, "macro"))


@dataclass(frozen=True)
class MicroF1:
    """F1 over the answers of all labels together; an answer without a label is a miss."""

    better: ClassVar[Better] = "higher"
    label_statistic: ClassVar[str] = "micro_f1"

    def estimate(self, data: MetricInput) -> Estimate:
        """Return scikit-learn's figure with a bootstrap interval.

        Raises:
            UsageError: When the scorer finds no labels.
            MissingExtraError: Without scikit-learn.
        """
        codes = _codes(data, "micro_f1")
        return _estimate(data, codes, "micro_f1", _f1(codes, "micro"))


@dataclass(frozen=True)
class BalancedAccuracy:
    """The mean, over the right labels, of the share of their samples that were found."""

    better: ClassVar[Better] = "higher"
    label_statistic: ClassVar[str] = "balanced_accuracy"

    def estimate(self, data: MetricInput) -> Estimate:
        """Return scikit-learn's figure with a bootstrap interval.

        Raises:
            UsageError: When the scorer finds no labels.
            MissingExtraError: Without scikit-learn.
        """
        import numpy as np

        codes = _codes(data, "balanced_accuracy")
        expected, found = codes.pairs()
        value = None
        if expected.size:
            # balanced_accuracy_score is this mean, but warns of found labels that are never right.
            value = _sklearn().recall_score(
                expected, found, labels=np.unique(expected), average="macro", zero_division=0
            )
        return _estimate(data, codes, "balanced_accuracy", value)


@dataclass(frozen=True)
class Mcc:
    """Matthews' correlation of found and right labels: 1 all right, 0 no better than chance, -1 all wrong."""

    better: ClassVar[Better] = "higher"
    label_statistic: ClassVar[str] = "mcc"

    def estimate(self, data: MetricInput) -> Estimate:
        """Return scikit-learn's figure with a bootstrap interval; none where only one label occurs.

        Raises:
            UsageError: When the scorer finds no labels.
            MissingExtraError: Without scikit-learn.
        """
        codes = _codes(data, "mcc")
        expected, found = codes.pairs()
        if len({*expected.tolist()}) < 2 or len({*found.tolist()}) < 2:  # noqa: PLR2004 - no spread, 0/0
            note = "undefined: all right labels, or all found ones, are the same"
            return Estimate(None, n=len(codes.expected), note=note)
        return _estimate(data, codes, "mcc", _sklearn().matthews_corrcoef(expected, found))


def _sklearn() -> "ModuleType":
    try:
        from sklearn import metrics
    except ModuleNotFoundError as error:
        raise MissingExtraError("scikit-learn", "classification", "a metric of labels") from error
    module: ModuleType = metrics
    return module


def _codes(data: MetricInput, name: str) -> "LabelCodes":
    from regrade.stats import answered, label_codes

    if data.labels is None or data.expected is None:
        hint = "scorers such as `classification` and `choice` do"
        raise UsageError(f"{name} needs a scorer that finds labels", hint=hint)
    return label_codes(data.expected, data.labels, answered(data))


def _f1(codes: "LabelCodes", average: str) -> float | None:
    import numpy as np

    expected, found = codes.pairs()
    if not expected.size:
        return None
    occurring = np.union1d(expected, found[found >= 0])
    value = _sklearn().f1_score(expected, found, labels=occurring, average=average, zero_division=0)
    return float(value)


def _estimate(data: MetricInput, codes: "LabelCodes", name: str, value: float | None) -> Estimate:
    """Add the interval; the resamples are computed from sums, as 9,999 calls of scikit-learn take minutes."""
    from regrade.stats import LABEL_STATISTICS, bootstrap_totals, label_units, percentile_interval

    if value is None:
        return Estimate(None, note="no sample has both a right label and an answer")
    notes = _left_out(data, codes)
    n = len(codes.expected)
    if n < _ROUGH_BELOW:
        notes.append(f"rough: fewer than {_ROUGH_BELOW} samples")
    clusters = None if data.clusters is None else data.clusters[codes.kept]
    totals = bootstrap_totals(*label_units(codes, clusters), data.seed)
    spread = percentile_interval(totals, LABEL_STATISTICS[name], data.level)
    if spread is None:
        notes.append("no interval: every resample gives the same value")
        return Estimate(float(value), n=n, note="; ".join(notes))
    return Estimate(float(value), *spread, n=n, method="bootstrap", note="; ".join(notes))


def _left_out(data: MetricInput, codes: "LabelCodes") -> list[str]:
    from regrade.stats import answered

    unknown = int((answered(data).any(axis=1) & ~codes.kept).sum())
    return [f"{unknown} samples without a known right label left out"] if unknown else []
