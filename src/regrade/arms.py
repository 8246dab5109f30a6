"""Two arms of an experiment, sample by sample.

`Arm` (one eval, prompt and model of a run) `x Arm -> Joined -> Pairing` (one metric over the samples that
both have a value for).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from regrade.protocols import Metric
from regrade.stats import LABEL_SHARES, Differences, PairedLabels
from regrade.types import Better, Bounds, MetricInput

__all__ = ["Arm", "Coded", "Joined", "Measure", "Missing", "Pairing", "taken"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Coded:
    """A metadata field over the samples of an arm.

    Attributes:
        texts: Its values.
        codes: Shape (n,): place in `texts`, -1 where a sample has none.
    """

    texts: tuple[str, ...]
    codes: Ints = field(repr=False)


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric of one scorer over one arm.

    Attributes:
        scorer: The scorer's name in the spec; empty for what the requests tell.
        metric: What tables call the metric.
        better: Which way is better.
        source: The metric itself; None for what the requests tell.
        data: What it is computed from, over the arm's n samples.
        versions: Of the scorer that gave the scores.
        judged: Whether a model gave them, whose own error nobody measured.
        recipe: Hash of the scorer's name, arguments and steps; empty where it is not known.
    """

    scorer: str
    metric: str
    better: Better
    source: Metric | None
    data: MetricInput = field(repr=False)
    versions: tuple[str, ...] = ()
    judged: bool = False
    recipe: str = ""

    @property
    def name(self) -> tuple[str, str]:
        """Return scorer and metric."""
        return self.scorer, self.metric


@dataclass(frozen=True, slots=True)
class Arm:
    """One eval, prompt and model of a run, sample by sample.

    Attributes:
        run: Id of the run, or name of the baseline.
        eval: The eval.
        prompt: The prompt.
        model: The model.
        ids: Shape (n,): hash of each sample's id, distinct.
        fingerprints: Shape (n,): hash of each sample's input and target.
        present: Shape (n, K): whether there is such a request.
        failed: Shape (n, K): whether it failed.
        clusters: Shape (n,): the source that a sample shares with others; None without.
        slices: Metadata fields.
        measures: Every metric, those of the requests after those of the scorers.
        choice_mode: How multiple choice was asked; empty for evals without options.
    """

    run: str
    eval: str
    prompt: str
    model: str
    ids: Ints = field(repr=False)
    fingerprints: Ints = field(repr=False)
    present: Flags = field(repr=False)
    failed: Flags = field(repr=False)
    clusters: Ints | None = field(repr=False)
    slices: Mapping[str, Coded]
    measures: tuple[Measure, ...]
    choice_mode: str = ""

    @property
    def epochs(self) -> int:
        """Return how often a sample was asked at most."""
        return int(self.present.shape[1])

    @property
    def silent(self) -> bool:
        """Return whether every request failed."""
        return bool(self.present.any() and self.failed[self.present].all())

    def measure(self, scorer: str, metric: str) -> Measure | None:
        """Return a metric by its names; None when the arm has none such."""
        return next((one for one in self.measures if one.name == (scorer, metric)), None)


def taken(data: MetricInput, rows: Ints) -> MetricInput:
    """Return the data of some samples, in the order asked for."""
    return replace(
        data,
        values=data.values[rows],
        clusters=None if data.clusters is None else data.clusters[rows],
        labels=None if data.labels is None else data.labels[rows],
        expected=None if data.expected is None else data.expected[rows],
        parsed=None if data.parsed is None else data.parsed[rows],
    )


@dataclass(frozen=True, slots=True)
class Joined:
    """Which samples two arms have in common.

    Attributes:
        a: The baseline's arm.
        b: The candidate's arm.
        rows_a: Shape (m,): places of the common samples in `a`.
        rows_b: Shape (m,): places of the same samples in `b`.
        only_a: Samples that the candidate does not have.
        only_b: Samples that the baseline does not have.
        changed: Samples whose input or target differ.
    """

    a: Arm
    b: Arm
    rows_a: Ints = field(repr=False)
    rows_b: Ints = field(repr=False)
    only_a: int
    only_b: int
    changed: int

    def among(self, chosen: Flags) -> "Joined":
        """Return the common samples that are chosen; shape (m,)."""
        return replace(self, rows_a=self.rows_a[chosen], rows_b=self.rows_b[chosen])


@dataclass(frozen=True, slots=True)
class Missing:
    """The common samples without a value on one side or both.

    Attributes:
        a: Without one of the baseline.
        b: Without one of the candidate.
        either: Without one of any: left out of the test.
        partly: With values on both sides, but not for every repeat.
        p: Two-sided p that failures are spread alike over both arms.
    """

    a: int
    b: int
    either: int
    partly: int
    p: float


@dataclass(frozen=True, slots=True)
class Pairing:
    """One metric over the samples that both arms have a value for.

    Attributes:
        joined: The arms and their common samples.
        scorer: The scorer's name; empty for what the requests tell.
        metric: The metric's name.
        better: Which way is better; differences below are oriented so that above 0 is a gain.
        bounds: The metric's range; None when unbounded.
        value_a: The baseline's value over the samples tested; None without any.
        value_b: The candidate's.
        mean: One difference a sample; None for a metric that is no mean.
        labels: For a metric of labels that is no mean, what it is computed from.
        worst: The differences, every missing value a loss for the candidate; None where nothing is missing
            or nothing bounds a loss.
        kept: Shape (m,): which common samples are tested.
        missing: The others.
        label_statistic: Which statistic of `labels`.
        worst_labels: As `worst`, for `labels`.
        problem: Why the metric cannot be compared.
    """

    joined: Joined
    scorer: str
    metric: str
    better: Better
    bounds: Bounds | None
    value_a: float | None
    value_b: float | None
    mean: Differences | None = field(repr=False)
    labels: PairedLabels | None = field(repr=False)
    worst: Differences | None = field(repr=False)
    kept: Flags = field(repr=False)
    missing: Missing
    label_statistic: str = ""
    worst_labels: PairedLabels | None = field(default=None, repr=False)
    problem: str = ""

    @property
    def n(self) -> int:
        """Return how many samples are tested."""
        if self.labels is not None:
            return self.labels.n
        return 0 if self.mean is None else self.mean.d.size

    @property
    def share(self) -> bool:
        """Return whether the metric ranges from 0 to 1, so that people read percent and points."""
        return self.label_statistic in LABEL_SHARES if self.labels is not None else self.bounds == (0.0, 1.0)

    @property
    def sign(self) -> float:
        """Return -1 where lower is better, else 1: oriented = sign * (B - A)."""
        return -1.0 if self.better == "lower" else 1.0
