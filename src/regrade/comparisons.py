"""What comparing gives: changes, flips, leads and verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from regrade.arms import Joined
from regrade.errors import Location
from regrade.types import Better, Json

__all__ = [
    "Agreement",
    "Cause",
    "Change",
    "Comparison",
    "Flip",
    "Flips",
    "GateResult",
    "Lead",
    "Outcome",
    "Policy",
    "Rule",
    "RuleKind",
    "Verdict",
]

RuleKind: TypeAlias = Literal["no_regression", "non_inferior", "at_least", "at_most"]
Outcome: TypeAlias = Literal["PASS", "FAIL", "INCONCLUSIVE"]


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
        detectable: The smallest drop that so many samples would have shown at 80 % power, one-sided 5 %.
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
        before: Mean score of A.
        after: Mean score of B.
        messages: What was asked; None where it is not stored.
        target: The right answer.
        text_a: A's answer (first repeat).
        text_b: B's answer (first repeat).
    """

    eval: str
    scorer: str
    key: int
    before: float
    after: float
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
        joined: The arms.
        graded: Whether scores have more than two values: then those that lost and gained most are listed.
        broken: Passed with A, failed with B: the largest losses first.
        mended: Failed with A, passed with B.
        broken_count: How many there are in all.
        mended_count: How many there are in all.
        flaky: Samples that only sometimes pass with A and with B: neither broken nor mended.
    """

    scorer: str
    metric: str
    joined: Joined
    graded: bool
    broken: tuple[Flip, ...]
    mended: tuple[Flip, ...]
    broken_count: int
    mended_count: int
    flaky: int


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
    changes: tuple[Change, ...]
    leads: tuple[Lead, ...]
    flips: tuple[Flips, ...]
    notes: tuple[str, ...]
    level: float
    agreements: tuple[Agreement, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a gate.

    Attributes:
        rule: Its kind.
        metric: A metric's name, or "scorer.metric".
        margin: Of `non_inferior`: the greatest loss that is accepted, in the metric's unit.
        value: Of `at_least` and `at_most`.
        confident: Of these two: whether the interval, not the value alone, has to clear it.
        against: A model of the baseline, in place of the one of the same name.
        models: Models that it holds for; empty for all.
        prompts: Prompts that it holds for; empty for all.
        slice: Metadata fields and the values that samples must have.
        where: Its place in a spec; None for one of the command line.
    """

    rule: RuleKind
    metric: str
    margin: float | None = None
    value: float | None = None
    confident: bool = False
    against: str | None = None
    models: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    slice: Mapping[str, str] = field(default_factory=dict)
    where: Location | None = None

    @property
    def text(self) -> str:
        """Return the rule as people write it: "at_most cost_usd 5", "non_inferior accuracy margin=0.02"."""
        parts = [self.rule, self.metric]
        if self.margin is not None:
            parts.append(f"margin={self.margin:g}")
        if self.value is not None:
            parts.append(f"{self.value:g}")
        parts += ["confident"] if self.confident else []
        parts += [f"against={self.against}"] if self.against else []
        return " ".join([*parts, *(f"{name}={value}" for name, value in self.slice.items())])


@dataclass(frozen=True, slots=True)
class Policy:
    """How the rules of one spec, or of one command line, are judged.

    Attributes:
        alpha: The chance of a false alarm that the whole gate may have; intervals have the level 1 - 2 alpha.
        on_inconclusive: What an INCONCLUSIVE verdict does to the exit code.
        missing: Whether a PASS must survive that every missing sample was a loss.
        clusters: `guarded`: a PASS must reckon with clusters that were not drawn; `typical`: it takes those
            that were for all there are.
    """

    alpha: float = 0.05
    on_inconclusive: Literal["fail", "pass"] = "fail"
    missing: Literal["worst_case", "ignore"] = "worst_case"
    clusters: Literal["guarded", "typical"] = "guarded"


Cause: TypeAlias = Literal[
    "worse",  # FAIL: the test shows that B is worse
    "not_shown",  # PASS of no_regression: no drop was shown
    "below_margin",  # FAIL: the whole interval lies below -margin
    "above_margin",  # PASS: the whole interval lies above -margin
    "beyond",  # FAIL: the value is on the wrong side of its limit
    "within",  # PASS: the value keeps its limit
    "undecided",  # the interval holds the limit
    "unseen_breaks",  # the interval would do, but so few samples need not have shown rare breaks
    "missing",  # missing samples could have undone a PASS
    "uneven",  # failures are not spread alike over both arms
    "too_few",  # fewer samples, clusters or labels than the method needs
]
"""Why a verdict came out as it did."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of one arm.

    Attributes:
        rule: The rule.
        policy: How it was judged.
        eval: The eval.
        prompt: The candidate's prompt.
        model: The candidate's model.
        scorer: The scorer; empty for what the requests tell.
        metric: The metric.
        better: Which way is better.
        outcome: PASS, FAIL or INCONCLUSIVE.
        cause: Why.
        run_b: The candidate's run.
        run_a: The baseline's; empty for a rule on the candidate alone.
        prompt_a: The baseline's prompt.
        model_a: The baseline's model.
        n: Samples that it rests on.
        value_a: The baseline's value; None for a rule on the candidate alone.
        value_b: The candidate's.
        difference: B - A, not oriented.
        low: Lower end of the 1 - 2 alpha interval: of the difference, or of the value.
        high: Its upper end.
        share: Whether the metric's range is 0 to 1, so that people read percent and points.
        p: One-sided p of the FAIL; None where the rule cannot fail by a test.
        p_adjusted: By Holm over all rules of the gate that can.
        family: How many these are.
        wins: Samples that B does better.
        losses: Samples that B does worse.
        detectable: The smallest drop that would have been shown at 80 % power.
        missing: Common samples (without a baseline: samples) that lack a value, be it for some repeats alone.
        needed: How many samples would about decide an INCONCLUSIVE one, where that can be said.
        method: Test and interval.
        notes: What else the reader must know.
    """

    rule: Rule
    policy: Policy
    eval: str
    prompt: str
    model: str
    scorer: str
    metric: str
    better: Better
    outcome: Outcome = "PASS"
    cause: Cause = "not_shown"
    run_b: str = ""
    run_a: str = ""
    prompt_a: str = ""
    model_a: str = ""
    n: int = 0
    value_a: float | None = None
    value_b: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    share: bool = False
    p: float | None = None
    p_adjusted: float | None = None
    family: int = 0
    wins: int | None = None
    losses: int | None = None
    detectable: float | None = None
    missing: int = 0
    needed: int | None = None
    method: str = ""
    notes: tuple[str, ...] = ()

    @property
    def level(self) -> float:
        """Return the level of its interval in percent: 90 at an alpha of 0.05."""
        return round(100 * (1 - 2 * self.policy.alpha), 6)

    @property
    def harmless(self) -> bool:
        """Return whether it lets a release through."""
        tolerated = self.outcome == "INCONCLUSIVE" and self.policy.on_inconclusive == "pass"
        return self.outcome == "PASS" or tolerated


@dataclass(frozen=True, slots=True)
class GateResult:
    """All verdicts of one gate.

    Attributes:
        run: The candidate, as named by its id.
        baseline: The run or baseline that it was held against; empty where no rule needs one.
        baseline_fingerprint: Hash of the baseline's scores; empty likewise.
        verdicts: One a rule and arm.
        comparison: What changed in the arms that were held against a baseline; None without.
        notes: What else the reader must know, such as that the run did not finish.
    """

    run: str
    baseline: str
    baseline_fingerprint: str
    verdicts: tuple[Verdict, ...]
    comparison: Comparison | None = None
    notes: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """Return FAIL when any rule fails, else INCONCLUSIVE when any is, else PASS."""
        found = {one.outcome for one in self.verdicts}
        return next((one for one in _GRAVEST_FIRST if one in found), "PASS")

    @property
    def exit_code(self) -> int:
        """Return 0, 100 (failed) or 101 (inconclusive, where the policy does not let that pass)."""
        stopped = {one.outcome for one in self.verdicts if not one.harmless}
        if "FAIL" in stopped:
            return _FAILED
        return _INCONCLUSIVE if stopped else 0


_GRAVEST_FIRST: tuple[Outcome, ...] = ("FAIL", "INCONCLUSIVE", "PASS")
_FAILED = 100
_INCONCLUSIVE = 101
