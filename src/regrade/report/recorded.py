"""Gates as a run's record of them has them: read with care, since anybody may have written there."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from regrade.types import Json, JsonObject
from regrade.verdicts import Outcome, Policy, Rule, RuleKind, Verdict

__all__ = ["GRAVEST_FIRST", "RecordedGate", "RecordedVerdict", "worst"]

GRAVEST_FIRST: tuple[Outcome, ...] = ("FAIL", "INCONCLUSIVE", "PASS")
_KINDS = ("no_regression", "non_inferior", "at_least", "at_most")


@dataclass(frozen=True, slots=True)
class RecordedVerdict:
    """One verdict of a record.

    Attributes:
        record: As it was written.
        rule: The rule as people write it.
        verdict: Its figures, for all that writes figures.
        reason: The sentence of the gate.
        needed: What would decide it.
        where: The rule's place in the spec; empty without one.
        notes: What else to know.
    """

    record: JsonObject
    rule: str
    verdict: Verdict
    reason: str
    needed: str
    where: str
    notes: str

    @property
    def arm(self) -> tuple[str, str]:
        """Return prompt and model."""
        return self.verdict.prompt, self.verdict.model

    @classmethod
    def of(cls, record: JsonObject, policy: Policy) -> "RecordedVerdict":
        """Return what a record says; what it lacks is empty."""
        rule = _text(record, "rule")
        first = rule.partition(" ")[0]
        kind = first if first in _KINDS else "at_least" if _number(record, "limit") is not None else _KINDS[0]
        verdict = Verdict(
            rule=Rule(
                cast("RuleKind", kind),
                _text(record, "metric"),
                margin=_number(record, "margin"),
                value=_number(record, "limit"),
                confident=" confident" in rule,
            ),
            policy=policy,
            outcome=_outcome(record),
            better="lower" if record.get("better") == "lower" else "higher",
            share=record.get("share") is True,
            **_texts(record),
            **_counts(record),
            **_numbers(record),
        )
        said = {name: _text(record, name) for name in ("reason", "where", "notes")}
        return cls(record, rule, verdict, needed=_text(record, "needed_to_decide"), **said)


@dataclass(frozen=True, slots=True)
class RecordedGate:
    """One line of `gates.jsonl`.

    Attributes:
        run: Id of the run whose record it is.
        nth: Its place there, from 1.
        count: How many there are.
        at: When it was; None where that is not known.
        named: The candidate as the gate names it, with a model or prompt where only these were judged.
        baseline: What it was held against; empty where no rule needs that.
        fingerprint: Hash of the baseline's scores.
        outcome: Of the whole gate.
        exit_code: Likewise.
        paragraph: The reason in a few sentences.
        policies: How rules were judged.
        records: One a rule and arm, as they were written; most are never looked at.
        evals: Those with a verdict, else those of the run.
        commit: Of the run's specs.
    """

    run: str
    nth: int
    count: int
    at: datetime | None
    named: str
    baseline: str
    fingerprint: str
    outcome: Outcome
    exit_code: int
    paragraph: str
    policies: tuple[Policy, ...]
    records: tuple[JsonObject, ...]
    evals: tuple[str, ...]
    commit: str = ""

    def records_of(self, eval_: str) -> list[JsonObject]:
        """Return the records of an eval; of an empty name all."""
        return [one for one in self.records if not eval_ or _text(one, "eval") == eval_]

    def of(self, eval_: str) -> tuple[RecordedVerdict, ...]:
        """Return the verdicts of an eval; of an empty name all."""
        return tuple(map(self._read_one, self.records_of(eval_)))

    def deciding(self, eval_: str) -> list[RecordedVerdict]:
        """Return its verdicts that are no PASS, the gravest first."""
        found = [self._read_one(one) for one in self.records_of(eval_) if _outcome(one) != "PASS"]
        return sorted(found, key=lambda one: GRAVEST_FIRST.index(one.verdict.outcome))

    def outcome_of(self, eval_: str) -> Outcome:
        """Return how an eval came out; of an empty name the whole gate."""
        found = self.records_of(eval_) if eval_ else ()
        return worst([_outcome(one) for one in found]) if found else self.outcome

    def _read_one(self, record: JsonObject) -> RecordedVerdict:
        alpha = _number(record, "alpha")
        policy = next((one for one in self.policies if one.alpha == alpha), self.policies[0])
        return RecordedVerdict.of(record, policy)

    @classmethod
    def read(
        cls, record: JsonObject, run: tuple[str, int, int], evals: Sequence[str], **more: Any
    ) -> "RecordedGate":
        """Return what a line says.

        Args:
            record: The line.
            run: Id of the run, the line's place there from 1, and how many lines there are.
            evals: Of the run.
            more: Other fields.
        """
        policies = tuple(_policy(one) for one in _dicts(record, "policies")) or (Policy(),)
        records = tuple(_dicts(record, "verdicts"))
        judged = tuple(dict.fromkeys(_text(one, "eval") for one in records))
        code = record.get("exit_code")
        return cls(
            *run,
            named=_text(record, "run") or run[0],
            baseline=_text(record, "baseline"),
            fingerprint=_text(record, "baseline_fingerprint"),
            outcome=_outcome(record),
            exit_code=code if isinstance(code, int) else 0,
            paragraph=_text(record, "paragraph"),
            policies=policies,
            records=records,
            evals=judged or tuple(evals),
            **more,
        )


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """Return FAIL where any is, else INCONCLUSIVE where any is, else PASS."""
    return next((one for one in GRAVEST_FIRST if one in outcomes), "PASS")


def _outcome(record: JsonObject) -> Outcome:
    """Return an outcome; one that nobody knows passes nothing."""
    found = record.get("outcome")
    return found if found in GRAVEST_FIRST else "INCONCLUSIVE"


def _policy(record: JsonObject) -> Policy:
    alpha = _number(record, "alpha")
    return Policy(
        alpha=alpha if alpha is not None and 0 < alpha < 1 else Policy().alpha,
        on_inconclusive="pass" if record.get("on_inconclusive") == "pass" else "fail",
        missing="ignore" if record.get("missing") == "ignore" else "worst_case",
        clusters="typical" if record.get("clusters") == "typical" else "guarded",
    )


def _texts(record: JsonObject) -> dict[str, Any]:
    names = ("eval", "prompt", "model", "scorer", "metric", "run_b", "run_a", "prompt_a", "model_a", "method")
    return {name: _text(record, name) for name in names}


def _counts(record: JsonObject) -> dict[str, Any]:
    return {name: int(_number(record, name) or 0) for name in ("n", "family", "missing")}


def _numbers(record: JsonObject) -> dict[str, Any]:
    names = ("value_a", "value_b", "difference", "low", "high", "p", "p_adjusted", "detectable")
    return {name: _number(record, name) for name in names}


def _text(record: JsonObject, name: str) -> str:
    found = record.get(name)
    return found if isinstance(found, str) else "" if found is None else str(found)


def _number(record: JsonObject, name: str) -> float | None:
    found: Json = record.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        return float(found) if math.isfinite(found) else None
    except OverflowError:
        return None


def _dicts(record: JsonObject, name: str) -> list[JsonObject]:
    found = record.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
