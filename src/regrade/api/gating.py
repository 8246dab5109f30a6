"""`gate`: rules to a verdict, and `baseline`: what later runs are held against."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrade.api.comparing import changed_code, passed_over, refuse_itself, unfinished, with_texts
from regrade.api.rules import GatePlan, gate_plan
from regrade.api.sources import ArmChoice, Recorded, Reference, lay_out, open_recorded
from regrade.errors import GateError, SpecError, StoreError, UsageError
from regrade.plugins import Registry
from regrade.store import append_gate
from regrade.views import Document, TableView

if TYPE_CHECKING:
    import pyarrow as pa

    from regrade.arms import Arm
    from regrade.comparisons import Comparison
    from regrade.gate import Target
    from regrade.verdicts import GateResult, Outcome, Rule, Verdict

__all__ = ["GateOptions", "GatedRun", "gate"]


@dataclass(frozen=True, slots=True)
class GateOptions:
    """What a caller may say about a gate beside the spec.

    Attributes:
        baseline: A baseline or run in place of the spec's.
        rules: Rules in place of the spec's: texts such as "non_inferior accuracy margin=0.02", or records.
        alpha: In place of the spec's.
        on_inconclusive: Likewise.
        missing: Likewise.
        clusters: Likewise.
        results: Where runs lie.
        seed: Of every draw.
        record: Whether the gate is added to the run's `gates.jsonl`.
    """

    baseline: "Reference | None" = None
    rules: "Sequence[str | Rule]" = ()
    alpha: float | None = None
    on_inconclusive: str | None = None
    missing: str | None = None
    clusters: str | None = None
    results: Path = Path("results")
    seed: int = 0
    record: bool = True


@dataclass(frozen=True)
class GatedRun:
    """What a gate said, as `import regrade` gives it.

    Attributes:
        result: Every figure.
    """

    result: "GateResult"

    def __repr__(self) -> str:
        return f"GatedRun({self.result.run!r}, {self.outcome})"

    @property
    def outcome(self) -> "Outcome":
        """Return PASS, FAIL or INCONCLUSIVE."""
        return self.result.outcome

    @property
    def exit_code(self) -> int:
        """Return 0, 100 (failed) or 101 (inconclusive and not let through)."""
        return self.result.exit_code

    @property
    def verdicts(self) -> "tuple[Verdict, ...]":
        """Return a record for every rule and arm."""
        return self.result.verdicts

    @cached_property
    def document(self) -> Document:
        """Return what exporters write."""
        from regrade.report import gate_document

        return gate_document(self.result)

    @property
    def paragraph(self) -> str:
        """Return the verdict in a few sentences."""
        return self.document.paragraph

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Return the tables that people read."""
        return self.document.tables

    @cached_property
    def table(self) -> "pa.Table":
        """Return the verdicts as an Arrow table."""
        import pyarrow as pa

        return pa.Table.from_pylist(list(self.document.records["verdicts"]))


def gate(
    run: Reference = "latest",
    *,
    options: GateOptions | None = None,
    registry: Registry | None = None,
    **changes: Any,
) -> GatedRun:
    """Hold a run against the rules of its specs.

    Args:
        run: The candidate: a run, or an arm of one: `RUN[,model=x][,prompt=p]`.
        options: How; `changes` lie over it.
        registry: Plug-ins, when the caller adds its own.
        changes: Fields of `GateOptions`: baseline, rules, alpha, results, ...

    Raises:
        UsageError: No rules, a metric or baseline that does not exist, no sample to judge by.
        StoreError: When a run cannot be read.
    """
    chosen = _options(options or GateOptions(), changes)
    registry = registry or Registry()
    choice = ArmChoice.parse(run)
    candidate = open_recorded(chosen.results, choice.reference)
    named = None if chosen.baseline is None else ArmChoice.parse(chosen.baseline)
    named_evals = None if named is None else open_recorded(chosen.results, named.reference).measures.keys()
    plan = gate_plan(candidate, chosen.rules, registry, named_evals)
    plan = plan.changed(
        alpha=chosen.alpha,
        on_inconclusive=chosen.on_inconclusive,
        missing=chosen.missing,
        clusters=chosen.clusters,
    )
    reference = chosen.baseline or plan.baseline
    baseline = None if reference is None else ArmChoice.parse(reference)
    side = None if baseline is None else open_recorded(chosen.results, baseline.reference)
    sides = [(candidate, choice), *([(side, baseline)] if side is not None and baseline is not None else [])]
    arms_b, *others = lay_out(sides, registry, plan.slices)
    lone = choice.selected | (baseline.selected if baseline else frozenset())
    plan, notes = plan.asked(arms_b)
    targets = _targets(plan, (arms_b, others[0] if others else []), lone)
    if not targets:
        raise UsageError(
            f"{run}: there is no rule to judge it by", hint="give one with --rule, or a `gate:` in the spec"
        )
    if side is not None and side.name == candidate.name:
        refuse_itself(str(run), [(one.joined.a, one.joined.b) for one in targets if one.joined is not None])
    result = _judged(plan, targets, chosen.seed, unfinished_run=candidate.status != "success")
    if result.comparison is not None and side is not None:
        result = replace(result, comparison=with_texts(result.comparison, side, candidate))
    both = [candidate, *([side] if side is not None else [])]
    gated = GatedRun(
        replace(
            result,
            run=choice.text(candidate.beside(both)),
            baseline=baseline.text(side.beside(both)) if side is not None and baseline is not None else "",
            baseline_fingerprint=side.fingerprint if side is not None else "",
            notes=(
                *passed_over(chosen.results, choice),
                *plan.notes,
                *notes,
                *unfinished(both),
                *(changed_code(side, candidate) if side is not None else ()),
            ),
        )
    )
    if not chosen.record or candidate.folder is None:
        return gated
    try:
        _record(candidate, gated)
    except StoreError as error:  # a verdict is not lost because it cannot be written down
        return GatedRun(replace(gated.result, notes=(*gated.result.notes, f"{error.message}.")))
    return gated


def _options(options: GateOptions, changes: Mapping[str, Any]) -> GateOptions:
    try:
        changed = replace(options, **changes)
    except TypeError as error:
        raise UsageError(f"gate(): {error}") from error
    rules = [changed.rules] if isinstance(changed.rules, str) else list(changed.rules)
    return replace(changed, results=Path(changed.results), rules=rules)


def _targets(
    plan: GatePlan, arms: "tuple[Sequence[Arm], Sequence[Arm]]", lone: Collection[str]
) -> "list[Target]":
    from regrade.gate import resolve

    targets, problems = resolve(plan.sets, arms[0], arms[1], lone)
    if problems:
        raise SpecError([plan.pointed(one) for one in problems])
    return targets


def _judged(plan: GatePlan, targets: "Sequence[Target]", seed: int, *, unfinished_run: bool) -> "GateResult":
    from regrade.gate import judge
    from regrade.verdicts import GateResult

    verdicts, problems = judge(targets, seed)
    if problems:
        raise SpecError([plan.pointed(one) for one in problems])
    if all(one.cause == "unanswered" for one in verdicts):
        silent = ", ".join(dict.fromkeys(one.model for one in verdicts))
        raise GateError(
            f"nothing to judge: {silent} answered nothing",
            hint="see why with `regrade show RUN --samples --failed`, and ask again with `regrade run "
            "--resume RUN --retry-failed`",
        )
    found = tuple(_for_now(one) if unfinished_run else one for one in verdicts)
    return GateResult("", "", "", found, _compared(targets, seed))


def _for_now(verdict: "Verdict") -> "Verdict":
    """Return the verdict of a run that did not finish: what it has not asked may undo a PASS."""
    if verdict.outcome != "PASS" or verdict.policy.missing == "ignore":
        return verdict
    return replace(verdict, outcome="INCONCLUSIVE", cause="unfinished")


def _compared(targets: "Sequence[Target]", seed: int) -> "Comparison | None":
    from regrade.compare import compare_pairs
    from regrade.gate import pairs_of

    pairs = list(pairs_of(targets))
    if not pairs:
        return None
    return compare_pairs((pairs[0].a.run, pairs[0].b.run), pairs, [], 0.95, seed)


def _record(candidate: Recorded, gated: GatedRun) -> None:
    """Add the gate to the run's own record of them."""
    if candidate.folder is None:
        return
    result = gated.result
    append_gate(
        candidate.folder,
        {
            "v": 1,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "run": result.run,
            "baseline": result.baseline,
            "baseline_fingerprint": result.baseline_fingerprint,
            "outcome": result.outcome,
            "exit_code": result.exit_code,
            "paragraph": gated.paragraph,
            "policies": [asdict(one) for one in dict.fromkeys(verdict.policy for verdict in result.verdicts)],
            "verdicts": list(gated.document.records["verdicts"]),
        },
    )
