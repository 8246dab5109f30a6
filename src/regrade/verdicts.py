"""Rules of a gate, and what they say of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from regrade.comparisons import Comparison
from regrade.errors import Location
from regrade.types import Better

__all__ = ["Cause", "GateResult", "Outcome", "Policy", "Rule", "RuleKind", "Verdict"]

RuleKind: TypeAlias = Literal["no_regression", "non_inferior", "at_least", "at_most"]
Outcome: TypeAlias = Literal["PASS", "FAIL", "INCONCLUSIVE"]


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
    "unfinished",  # the candidate's run did not finish: what was not asked is missing too
    "unanswered",  # every request of the model failed
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
        detectable: The smallest drop that would have been shown at 80 % power by a test at alpha/family, as a
            FAIL may need it; None where the metric is no mean.
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
        """Return the level of its interval: 0.9 at an alpha of 0.05."""
        return round(1 - 2 * self.policy.alpha, 8)

    @property
    def harmless(self) -> bool:
        """Return whether it lets a release through; a model that answered nothing never does."""
        if self.cause == "unanswered":
            return False
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
