"""What metrics take and give."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from regrade.types.values import Better, Bounds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Estimate", "MetricInput", "SampleValues", "SummaryRow"]


@dataclass(frozen=True, slots=True)
class MetricInput:
    """The scores of one scorer over one arm (eval, prompt, model), for a metric to aggregate.

    Attributes:
        values: Shape (n, K): score of sample i at epoch k; NaN where there is none.
        bounds: The scorer's declared range; None when unbounded.
        clusters: Shape (n,): integer code of each sample's cluster; None without clusters.
        labels: Shape (n, K): label found, None where there is none; None for scorers without labels.
        expected: Shape (n,): right label; None for scorers without labels.
        parsed: Shape (n, K): whether an answer was found; False where there is no score.
        level: Of the interval, such as 0.95.
        seed: For resampling.
    """

    values: "NDArray[np.float64]"
    bounds: Bounds | None = None
    clusters: "NDArray[np.int64] | None" = None
    labels: "NDArray[np.object_] | None" = None
    expected: "NDArray[np.object_] | None" = None
    parsed: "NDArray[np.bool_] | None" = None
    level: float = 0.95
    seed: int = 0


@dataclass(frozen=True, slots=True)
class SampleValues:
    """What a metric that is a mean says of each sample.

    Attributes:
        values: Shape (n,): NaN where a sample has no value.
        bounds: The range of the values; None when unbounded.
    """

    values: "NDArray[np.float64]"
    bounds: Bounds | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its uncertainty.

    Attributes:
        value: The point estimate; None when nothing could be computed.
        se: Standard error, where the method has one.
        low: Lower end of the interval.
        high: Upper end of the interval.
        n: Samples (never epochs) that it rests on.
        method: How the interval was made ("score", "t", "CR2", "binomial order statistics", ...).
        note: A warning that belongs beside the number, such as "rough".
    """

    value: float | None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    method: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One row of `summary.parquet`: a metric of one arm, or of one slice of it."""

    eval: str
    prompt: str
    model: str
    scorer: str
    metric: str
    better: Better
    slice: str
    value: float | None
    se: float | None
    low: float | None
    high: float | None
    level: float
    n: int
    n_failed: int
    method: str
    note: str = ""
