"""What a run and its gate say of one item."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from regrade.api.results import Run
from regrade.pytest_plugin.cases import Case, fits
from regrade.pytest_plugin.running import Outcome
from regrade.pytest_plugin.telling import flips_of, flips_text, safe
from regrade.store import read_batches
from regrade.verdicts import GateResult, Verdict
from regrade.views import CaseView

if TYPE_CHECKING:
    from regrade.verdicts import Rule

__all__ = ["Finding", "answered", "explained", "judged"]

_NO_GATE = "The spec has no gate: nothing but this was held against anything."


@dataclass(frozen=True, slots=True)
class Finding:
    """What is said of one item.

    Attributes:
        harmless: Whether it passes.
        text: Why, safe for a terminal.
        properties: Figures for JUnit files.
    """

    harmless: bool
    text: str
    properties: list[tuple[str, object]] = field(default_factory=list)


def judged(outcome: Outcome, case: Case, listed: frozenset[str], *, full: bool) -> Finding:
    """Return what the gate says of a case: of several models when it stands for a glob.

    Args:
        outcome: A run with its verdicts.
        case: The case.
        listed: Models that stand in the spec by name.
        full: Whether texts and lists are shown whole.
    """
    assert outcome.gated is not None
    assert case.rule is not None
    result = outcome.gated.result
    views = outcome.gated.document.cases
    mine = [
        (verdict, view)
        for verdict, view in zip(result.verdicts, views, strict=True)
        if fits(verdict.model, case, listed)
        and verdict.prompt == case.prompt
        and _same_rule(case.rule, verdict.rule)
    ]
    properties: list[tuple[str, object]] = [("regrade_run", outcome.run.id)]
    if not mine:
        return Finding(
            harmless=False,
            text=safe(f"ERROR: the gate of run {outcome.run.id} says nothing of {case.name}"),
            properties=properties,
        )
    warnings = [one for one in outcome.warnings if case.rule.text in one]
    parts = [explained(verdict, view, result, full=full) for verdict, view in mine]
    foot = f"{case.rule.where or 'rule'}, run {outcome.run.id}"
    foot += f", baseline {result.baseline}" if result.baseline else ""
    for verdict, _ in mine:
        properties += _figures(verdict, result)
    return Finding(
        harmless=all(verdict.harmless for verdict, _ in mine),
        text="\n\n".join([*parts, *map(safe, warnings), safe(foot)]),
        properties=properties,
    )


def explained(verdict: Verdict, view: CaseView, result: GateResult, *, full: bool) -> str:
    """Return a verdict's paragraph; below one that does not pass, the first samples that changed sides."""
    text = f"{verdict.outcome}: {view.text}"
    if verdict.outcome == "INCONCLUSIVE" and verdict.harmless:
        text += "\n`on_inconclusive: pass` lets this through."
    parts = [safe(text)]
    if verdict.outcome != "PASS" and result.comparison is not None:
        note = " in all samples, not the slice alone" if verdict.rule.slice else ""
        parts += [flips_text(one, full=full, note=note) for one in flips_of(verdict, result.comparison.flips)]
    return "\n\n".join(parts)


def _same_rule(mine: "Rule", theirs: "Rule") -> bool:
    """Return whether two rules are one: by their place in the spec where both know it."""
    if mine.where is not None and theirs.where is not None:
        return mine.where == theirs.where
    return mine.text == theirs.text


def _figures(verdict: Verdict, result: GateResult) -> list[tuple[str, object]]:
    figures = {
        "model": verdict.model,
        "outcome": verdict.outcome,
        "let_through": "yes" if verdict.harmless and verdict.outcome != "PASS" else None,
        "baseline": result.baseline or None,
        "value": verdict.value_b,
        "baseline_value": verdict.value_a,
        "difference": verdict.difference,
        "low": verdict.low,
        "high": verdict.high,
        "p": verdict.p if verdict.p_adjusted is None else verdict.p_adjusted,
        "n": verdict.n,
    }
    return [
        (f"regrade_{name}", float(value) if isinstance(value, float) else value)
        for name, value in figures.items()
        if value is not None
    ]


def answered(run: Run, case: Case, listed: frozenset[str]) -> Finding:
    """Return whether a model answered at all: what is left to say without a gate, or without any answer."""
    mine = [one for one in _tally(run) if fits(one.model, case, listed)]
    total, good = sum(one.count for one in mine), sum(one.count for one in mine if one.ok)
    properties: list[tuple[str, object]] = [("regrade_run", run.id), ("regrade_n", good)]
    if good and case.rule is None and run.status == "success":
        lines = [f"{case.model}: {good:,} of {total:,} requests were answered.", _NO_GATE]
        text = safe("\n".join([*lines, *_metrics(run, case, listed)]))
        return Finding(True, text, [*properties, ("regrade_gate", "none")])
    said = f"ERROR: none of the {total:,} requests to {case.model} was answered"
    if not total:
        said = f"ERROR: {case.model} was asked nothing"
    elif good:
        said = f"ERROR: the run ended as {run.status}: {run.manifest.message}"
    faults = [f"  {one.count:,} x {one.kind}, such as: {one.message}" for one in mine if not one.ok]
    return Finding(False, safe("\n".join([said, *faults, f"run {run.id}"])), properties)


@dataclass(frozen=True, slots=True)
class _Tally:
    model: str
    ok: bool
    kind: str | None
    message: str | None
    count: int


def _tally(run: Run) -> list[_Tally]:
    """Count the answers that were asked for by model and kind of fault, the most frequent first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not run.manifest.counts.get("finished"):
        return []
    by = ("model", "ok", "failure_kind")
    table = pa.Table.from_batches(read_batches(run.folder, "samples", [*by, "failure_message", "role"]))
    plain = pa.schema([(one.name, pa.bool_() if one.name == "ok" else pa.string()) for one in table.schema])
    grouped = table.cast(plain).filter(pc.field("role") == "answer").group_by(by, use_threads=False)
    counted = grouped.aggregate([([], "count_all"), ("failure_message", "first")])
    rows = counted.select([*by, "failure_message_first", "count_all"]).to_pylist()
    return sorted((_Tally(*row.values()) for row in rows), key=lambda one: -one.count)


def _metrics(run: Run, case: Case, listed: frozenset[str]) -> list[str]:
    return [
        f"  {row.scorer} {row.metric}: {row.value:.4g}  ({row.model}, {row.prompt})"
        for row in run.summary_rows
        if row.scorer and not row.slice and row.value is not None and fits(row.model, case, listed)
    ]
