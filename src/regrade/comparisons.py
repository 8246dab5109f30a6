"""What comparing gives: changes, flips, leads."""

from dataclasses import dataclass, field

from regrade.types import Better, Json

__all__ = [
    "Agreement",
    "ArmName",
    "Change",
    "Comparison",
    "Flip",
    "Flips",
    "Lead",
    "Several",
]


@dataclass(frozen=True, slots=True)
class ArmName:
    """Which arm of a run it is.

    Attributes:
        run: The run or baseline, as tables call it.
        eval: The eval.
        prompt: The prompt.
        model: The model.
        epochs: How often a sample was asked at most.
    """

    run: str
    eval: str
    prompt: str
    model: str
    epochs: int = 1


@dataclass(frozen=True, slots=True)
class Change:
    """One metric of two arms, as tables and files show it; differences are B - A as they are, not oriented.

    Attributes:
        eval: The eval.
        run_a: Run or baseline of A.
        prompt_a: Prompt of A.
        model_a: Model of A.
        run_b: Run of B.
        prompt_b: Prompt of B.
        model_b: Model of B.
        scorer: Empty for what the requests tell.
        metric: Its name.
        better: Which way is better.
        slice: "channel=chat", or empty for all samples.
        share: Whether the metric's range is 0 to 1, so that people read percent and points.
        n: Samples tested.
        value_a: Over those samples.
        value_b: Over those samples.
        difference: B - A.
        se: Its standard error.
        low: Lower end of its interval.
        high: Upper end.
        level: Of the interval, such as 0.95.
        p: Two-sided.
        p_adjusted: By Holm over the metrics of scorers of the whole comparison, by Benjamini & Hochberg over
            the slices; None where it belongs to no family.
        wins: Samples that B does better.
        losses: Samples that B does worse.
        ties: Samples without a difference.
        detectable: The smallest drop that so many samples would have shown at 80 % power, two-sided 5 %
            divided by the number of metrics that p is adjusted over (requests and slices: not divided).
        missing_a: Common samples without a value of A.
        missing_b: Likewise of B.
        method: Test and interval.
        note: What belongs beside it.
    """

    eval: str
    run_a: str
    prompt_a: str
    model_a: str
    run_b: str
    prompt_b: str
    model_b: str
    scorer: str
    metric: str
    better: Better
    slice: str = ""
    share: bool = False
    n: int = 0
    value_a: float | None = None
    value_b: float | None = None
    difference: float | None = None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    p: float | None = None
    p_adjusted: float | None = None
    wins: int | None = None
    losses: int | None = None
    ties: int | None = None
    detectable: float | None = None
    missing_a: int = 0
    missing_b: int = 0
    method: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Lead:
    """A slice whose change stands out; nobody asked for it in advance, so it is a lead and no verdict.

    Attributes:
        change: Over the slice's samples.
        q: p adjusted for the false discovery rate over all slices looked at.
    """

    change: Change
    q: float


@dataclass(frozen=True, slots=True)
class Flip:
    """One sample that changed sides.

    Attributes:
        eval: The eval.
        scorer: Whose score changed.
        sample: The sample's id; empty until its texts are read.
        key: Hash of the id.
        before: Mean score of A; None without one.
        after: Mean score of B; None without one.
        messages: What was asked; None where it is not stored.
        target: The right answer.
        text_a: A's answer (first repeat).
        text_b: B's answer (first repeat).
    """

    eval: str
    scorer: str
    key: int
    before: float | None
    after: float | None
    sample: str = ""
    messages: Json = None
    target: Json = None
    text_a: str | None = None
    text_b: str | None = None


@dataclass(frozen=True, slots=True)
class Flips:
    """The samples of one pair of arms that passed with one and failed with the other.

    Attributes:
        scorer: Whose scores.
        metric: Its main metric.
        better: Which way is better.
        a: The baseline's arm.
        b: The candidate's arm.
        graded: Whether scores have more than two values: then those that lost and gained most are listed.
        broken: Passed with A, failed with B: the largest losses first.
        mended: Failed with A, passed with B.
        broken_count: How many there are in all.
        mended_count: How many there are in all.
        flaky: Samples that only sometimes pass with A and with B: neither broken nor mended.
        wavering: The flaky ones: those whose share moved most first.
        failed: A has a score and B has none: a request that failed, or an answer that could not be scored.
        answered: B has a score and A has none.
        failed_count: How many there are in all.
        answered_count: How many there are in all.
    """

    scorer: str
    metric: str
    better: Better
    a: ArmName
    b: ArmName
    graded: bool
    broken: tuple[Flip, ...] = field(repr=False)
    mended: tuple[Flip, ...] = field(repr=False)
    broken_count: int
    mended_count: int
    flaky: int
    wavering: tuple[Flip, ...] = field(default=(), repr=False)
    failed: tuple[Flip, ...] = field(default=(), repr=False)
    answered: tuple[Flip, ...] = field(default=(), repr=False)
    failed_count: int = 0
    answered_count: int = 0


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often two arms gave the same label, whichever was right.

    Attributes:
        eval: The eval.
        scorer: Whose labels.
        run_a: Run or baseline of A.
        prompt_a: Prompt of A.
        model_a: Model of A.
        run_b: Run of B.
        prompt_b: Prompt of B.
        model_b: Model of B.
        n: Samples that both answered.
        same: The share of them with the same label; no label twice is the same label.
        low: Lower end of its interval.
        high: Upper end.
        level: Of the interval.
        kappa: Cohen's: 1 full agreement, 0 that of chance; None where both always give one label.
        kappa_se: Its standard error.
    """

    eval: str
    scorer: str
    run_a: str
    prompt_a: str
    model_a: str
    run_b: str
    prompt_b: str
    model_b: str
    n: int
    same: float
    low: float | None
    high: float | None
    level: float
    kappa: float | None
    kappa_se: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs, or two arms of one, measured against each other.

    Attributes:
        a: Run or baseline of A, as the user named it.
        b: Likewise of B.
        changes: Every metric of every pair of arms.
        leads: Slices that stand out.
        flips: Samples that changed sides, one entry a pair and scorer.
        notes: What the reader must know: samples left out, arms without a partner, scorers that changed.
        level: Of every interval.
        agreements: How often both gave the same label.
    """

    a: str
    b: str
    changes: tuple[Change, ...] = field(repr=False)
    leads: tuple[Lead, ...] = field(repr=False)
    flips: tuple[Flips, ...] = field(repr=False)
    notes: tuple[str, ...]
    level: float
    agreements: tuple[Agreement, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Several:
    """More than two runs, or arms of runs, every two of them measured against each other.

    Attributes:
        sides: As `run_a` and `run_b` of the changes name them, in the order in which the user did.
        changes: Every pair of every metric of scorers; p adjusted over the pairs of a metric.
        agreements: How often every two said the same, by every scorer.
        notes: What the reader must know.
        level: Of every interval.
    """

    sides: tuple[str, ...]
    changes: tuple[Change, ...] = field(repr=False)
    agreements: tuple[Agreement, ...] = field(repr=False)
    notes: tuple[str, ...]
    level: float
