"""Gates over time, and one of them with its rules, as views."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from regrade.addresses import CompareAddress, EvalAddress, GatesAddress, RunAddress, SamplesAddress
from regrade.report.measures import format_p, format_plain, format_size
from regrade.report.numbers import MISSING
from regrade.report.recorded import GRAVEST_FIRST, RecordedGate, RecordedVerdict, worst
from regrade.report.times import exact_time
from regrade.report.verdicts import shown_difference, shown_interval, shown_level, verdict_unit
from regrade.texts import clipped
from regrade.types import JsonObject
from regrade.verdicts import Cause, Policy, Verdict
from regrade.views import (
    ForestRow,
    GateFact,
    GateRow,
    GateView,
    LinkView,
    Mark,
    RuleGroup,
    RuleRow,
    StripCell,
    StripView,
)

__all__ = ["Baseline", "gate_records", "gate_rows", "gate_view", "start_with", "strips"]

_OPEN_GROUPS = 4
_TEXT = 320
_WHOLE = 8_000
_SHOWN_HASH = 8
_LIMITS = {"at_least", "at_most"}
_MARKS: Mapping[str, Mark] = {"FAIL": "worse", "INCONCLUSIVE": "unclear", "PASS": "none"}


@dataclass(frozen=True, slots=True)
class Baseline:
    """What became of the baseline that a gate names.

    Attributes:
        there: Whether there is one of that name now.
        fingerprint: Of the one there is.
    """

    there: bool = False
    fingerprint: str = ""


def strips(gates: Sequence[RecordedGate], chosen: RecordedGate | None, most: int) -> list[StripView]:
    """Return the newest verdicts of every eval.

    Args:
        gates: All, the newest first.
        chosen: The one that is explained.
        most: How many verdicts of each.
    """
    by_eval: dict[str, list[RecordedGate]] = {}
    for gate in gates:
        for name in gate.evals:
            by_eval.setdefault(name, []).append(gate)
    width = max((min(most, len(of_eval)) for of_eval in by_eval.values()), default=0)
    found = []
    for name, of_eval in by_eval.items():
        passed = sum(gate.outcome_of(name) == "PASS" for gate in of_eval)
        cells = [_strip_cell(gate, name, gate is chosen) for gate in reversed(of_eval[:width])]
        href = GatesAddress(name).url()
        said = f"{passed:,} of {len(of_eval):,}"
        found.append(StripView(name, href, tuple(cells), width - len(cells), said))
    return found


def _strip_cell(gate: RecordedGate, name: str, current: bool) -> StripCell:
    outcome = gate.outcome_of(name)
    said = f"{outcome}: {name}, {_when(gate)}, run {gate.run}"
    return StripCell(outcome, said, _address(gate, name).url(), current)


def _address(gate: RecordedGate, name: str = "") -> GatesAddress:
    return GatesAddress(name, gate.run, 0 if gate.nth == gate.count else gate.nth)


def _when(gate: RecordedGate) -> str:
    return MISSING if gate.at is None else exact_time(gate.at)[:16]


def gate_rows(
    gates: Sequence[RecordedGate], chosen: RecordedGate | None, address: GatesAddress
) -> list[GateRow]:
    """Return the history.

    Args:
        gates: Those of the page, the newest first.
        chosen: The one that is explained.
        address: Of the page.
    """
    found = []
    for gate in gates:
        deciding = gate.deciding(address.eval)
        place = _address(gate, address.eval)
        found.append(
            GateRow(
                href=place.url(outcome=address.outcome, after=address.after),
                when=_when(gate),
                outcome=gate.outcome_of(address.eval),
                run=gate.run,
                run_href=RunAddress(gate.run, address.eval).url(),
                evals=", ".join(gate.evals),
                commit=gate.commit,
                rule=f"{deciding[0].rule}, {deciding[0].verdict.model}" if deciding else MISSING,
                text=clipped(_reason(gate, deciding, address.eval), _TEXT),
                current=gate is chosen,
            )
        )
    return found


def _reason(gate: RecordedGate, deciding: Sequence[RecordedVerdict], name: str) -> str:
    """Return the paragraph of the gate, or of one eval of several what decided there."""
    if not name or set(gate.evals) <= {name}:
        return gate.paragraph
    return " ".join(one.reason for one in deciding[:2]) or "All rules of this eval hold."


def gate_view(
    gate: RecordedGate, siblings: Sequence[RecordedGate], baseline: Baseline, name: str = ""
) -> GateView:
    """Return one gate, explained.

    Args:
        gate: The gate.
        siblings: All gates of its run, the newest first.
        baseline: What became of the baseline that it names.
        name: The eval whose rules are wanted; empty for all.
    """
    verdicts = gate.of(name)
    left = len(gate.records) - len(verdicts)
    rules = f"{left} rule{'' if left == 1 else 's'} of other evals"
    others = tuple(
        LinkView(f"{one.outcome}, {_when(one)}", _address(one, name).url())
        for one in siblings
        if one is not gate
    )
    return GateView(
        head=f"{name or ', '.join(gate.evals)}, {_when(gate)}",
        outcome=gate.outcome,
        exit_code=gate.exit_code,
        paragraph=clipped(gate.paragraph, _WHOLE),
        commit=gate.commit,
        facts=tuple(_facts(gate, verdicts, (name, baseline))),
        links=tuple(_links(gate, name)),
        groups=tuple(_groups(gate, verdicts)),
        others=others,
        more=LinkView(rules, _address(gate).url()) if left else None,
    )


def _links(gate: RecordedGate, name: str) -> list[LinkView]:
    first = name or next(iter(gate.evals), "")
    found = [LinkView("run", RunAddress(gate.run, name).url())]
    if gate.baseline:
        found.append(LinkView("comparison", CompareAddress(gate.baseline, gate.named, eval=name).url()))
    wrong = SamplesAddress(gate.run, eval=name, outcome=("wrong", "failure"))
    return [*found, LinkView("samples", wrong.url()), LinkView("over time", EvalAddress(first).url())]


def _facts(
    gate: RecordedGate, verdicts: Sequence[RecordedVerdict], of: tuple[str, Baseline]
) -> list[GateFact]:
    name, baseline = of
    deciding = gate.deciding(name)
    found = [GateFact(_decides(one), f"{one.rule}: {_arm(one, verdicts)}") for one in deciding[:3]]
    if len(deciding) > len(found):
        found.append(GateFact("And", f"{len(deciding) - len(found)} more, in the tables"))
    found += _against(gate, baseline)
    found += [GateFact("Policy", _policy(one)) for one in gate.policies]
    notes = list(dict.fromkeys(one.notes for one in verdicts if one.notes))
    found += [GateFact("Note", clipped(one, _TEXT)) for one in notes[:3]]
    found += _to_pass(gate, deciding)
    return found


def _decides(one: RecordedVerdict) -> str:
    return "Fails" if one.verdict.outcome == "FAIL" else "Open"


def _arm(one: RecordedVerdict, verdicts: Sequence[RecordedVerdict]) -> str:
    several = len({each.verdict.prompt for each in verdicts if each.verdict.eval == one.verdict.eval}) > 1
    return f"{one.verdict.model} with {one.verdict.prompt}" if several else one.verdict.model


def _against(gate: RecordedGate, baseline: Baseline) -> list[GateFact]:
    if not gate.baseline:
        return [GateFact("Held against", "limits alone, no baseline")]
    text = (
        f"{gate.baseline}, fingerprint {gate.fingerprint[:_SHOWN_HASH]}"
        if gate.fingerprint
        else gate.baseline
    )
    found = [GateFact("Held against", text, title=gate.fingerprint)]
    if baseline.there and gate.fingerprint and baseline.fingerprint != gate.fingerprint:
        now = f"is another since: fingerprint {baseline.fingerprint[:_SHOWN_HASH]}"
        found.append(GateFact(gate.baseline, now, title=baseline.fingerprint))
    return found


def _policy(policy: Policy) -> str:
    opened = "fails" if policy.on_inconclusive == "fail" else "is let through"
    return (
        f"alpha {policy.alpha:g} over the whole gate; what is inconclusive {opened}; "
        f"missing: {policy.missing}; clusters: {policy.clusters}"
    )


def _to_pass(gate: RecordedGate, deciding: Sequence[RecordedVerdict]) -> list[GateFact]:
    """Return what can be done about a gate that did not pass."""
    against = f" --baseline {gate.baseline}" if gate.baseline else ""
    found = []
    if needed := next((one.needed for one in deciding if one.needed), ""):
        text = needed.removeprefix("To decide: ").replace(" RUN", f" {gate.run}")
        found.append(GateFact("To decide", f"{text[:1].upper()}{text[1:]}"))
    if deciding and deciding[0].verdict.outcome == "FAIL" and gate.baseline:
        command = f"regrade baseline set {gate.baseline} {gate.run} --replace"
        found.append(GateFact("To accept it", command, mono=True))
    return [*found, GateFact("Again", f"regrade gate {gate.named}{against}", mono=True)]


def _groups(gate: RecordedGate, verdicts: Sequence[RecordedVerdict]) -> list[RuleGroup]:
    """Return a table for each rule of each eval, those that decided first."""
    by_rule: dict[tuple[str, str], list[RecordedVerdict]] = {}
    for one in verdicts:
        by_rule.setdefault((one.verdict.eval, one.rule), []).append(one)
    several = len(gate.evals) > 1
    found = [_group(rule, name if several else "", rows) for (name, rule), rows in by_rule.items()]
    found.sort(key=lambda group: GRAVEST_FIRST.index(group.outcome))
    return [
        group if place < _OPEN_GROUPS or group.outcome != "PASS" else replace(group, folded=True)
        for place, group in enumerate(found)
    ]


def _group(rule: str, name: str, verdicts: Sequence[RecordedVerdict]) -> RuleGroup:
    first = verdicts[0].verdict
    differences = first.rule.rule not in _LIMITS
    ordered = sorted(verdicts, key=lambda one: GRAVEST_FIRST.index(one.verdict.outcome))
    tests = any(one.verdict.p is not None for one in verdicts)
    sides = ("worse", "better") if first.better == "higher" else ("better", "worse")
    left, right = sides if differences else ("less", "more")
    return RuleGroup(
        rule=rule,
        eval=name,
        note=_note(first, differences=differences, tests=tests),
        where=next((one.where for one in verdicts if one.where), ""),
        unit=_unit(first, differences=differences),
        differences=differences,
        tests=tests,
        left=left,
        right=right,
        rows=tuple(_row(one, verdicts) for one in ordered),
        outcome=worst([one.verdict.outcome for one in verdicts]),
    )


def _unit(one: Verdict, *, differences: bool) -> str:
    unit = verdict_unit(one)
    return "%" if unit == "points" and not differences else unit


def _note(one: Verdict, *, differences: bool, tests: bool) -> str:
    holm = f", Holm over {one.family}" if one.family > 1 else ""
    what = "a loss" if differences else "what lies beyond the limit"
    test = f"; p one-sided, for {what}{holm}" if tests else ""
    unit = _unit(one, differences=differences)
    if differences:
        return f"B \N{MINUS SIGN} A in {unit} with the {shown_level(one)} interval{test}"
    sure = "the whole interval has to keep the limit" if one.rule.confident else "the value alone decides"
    return f"{unit} with the {shown_level(one)} interval; {sure}{test}"


def _row(one: RecordedVerdict, verdicts: Sequence[RecordedVerdict]) -> RuleRow:
    found = one.verdict
    unit = verdict_unit(found)
    limits = found.rule.rule in _LIMITS
    return RuleRow(
        name=_arm(one, verdicts),
        outcome=found.outcome,
        a=MISSING if limits else format_plain(found.value_a, unit),
        b=format_plain(found.value_b, unit),
        shown=shown_difference(found),
        spread=shown_interval(found).replace(MISSING, ""),
        p=format_p(found.p_adjusted if found.p_adjusted is not None else found.p),
        p_exact=_exact_p(found),
        n=f"{found.n:,}",
        short=_short(one),
        reason=one.reason,
        needed=one.needed,
        chart=_chart(one, verdicts),
        href=_samples(found),
    )


def _short(one: RecordedVerdict) -> str:
    """Return in a few words what decided; the sentence of the gate where the cause is not known."""
    found = one.verdict
    what = "limit" if found.rule.rule in _LIMITS else "margin"
    whole = "the whole interval" if what == "margin" or found.rule.confident else "the value"
    hidden = ""
    if found.detectable is not None:
        hidden = f"; a drop of less than {format_size(found.detectable, verdict_unit(found))} could hide"
    said: Mapping[Cause, str] = {
        "worse": "shown to be worse",
        "not_shown": f"no drop shown{hidden}",
        "below_margin": "the whole interval lies beyond the margin",
        "above_margin": "the whole interval keeps the margin",
        "beyond": f"{whole} is beyond the limit",
        "within": f"{whole} keeps the limit",
        "undecided": f"the interval holds the {what}",
        "unseen_breaks": "too few samples to rule out rare breaks",
        "missing": f"{found.missing:,} missing samples could undo a pass",
        "uneven": "failures are not spread alike over both sides",
        "unfinished": "the run did not finish",
        "unanswered": "every request failed",
        "too_few": "too few samples for its method",
    }
    cause = one.record.get("cause")
    return said.get(cause, one.reason) if isinstance(cause, str) else one.reason  # type: ignore[call-overload] # of a file


def _samples(one: Verdict) -> str:
    """Return where the samples are that a verdict rests on: those that count against it."""
    place = SamplesAddress(one.run_b.partition(",")[0], eval=one.eval, prompt=one.prompt, model=(one.model,))
    if one.metric.startswith("failure_rate"):
        return place.url(outcome=("failure",))
    return place.url(outcome=("wrong",), by=one.scorer) if one.scorer else place.url()


def _exact_p(one: Verdict) -> str:
    if one.p is None:
        return "No test decides this rule"
    adjusted = "" if one.p_adjusted is None else f", adjusted {one.p_adjusted:.6g} over {one.family} rules"
    return f"One-sided p {one.p:.6g}{adjusted}; {one.method}"


def _chart(one: RecordedVerdict, verdicts: Sequence[RecordedVerdict]) -> ForestRow | None:
    found = one.verdict
    limits = found.rule.rule in _LIMITS
    value = found.value_b if limits else found.difference
    if value is None:
        return None
    scale = 100.0 if verdict_unit(found) == "points" else 1.0
    low, high = (None if end is None else end * scale for end in (found.low, found.high))
    sign = -1.0 if found.better == "higher" else 1.0
    limit = found.rule.value if limits else sign * (found.rule.margin or 0.0)
    return ForestRow(
        label=_arm(one, verdicts),
        value=value * scale,
        low=low,
        high=high,
        limit=None if limit is None else limit * scale,
        mark=_MARKS[found.outcome],
        text=f"{shown_difference(found)} ({shown_interval(found)})",
    )


def gate_records(gates: Sequence[RecordedGate], name: str = "") -> Iterator[JsonObject]:
    """Yield every verdict with its gate, exact, the newest first."""
    return (
        {
            "gate_at": gate.at.isoformat() if gate.at else None,
            "gate_run": gate.run,
            "gate_outcome": gate.outcome,
            "exit_code": gate.exit_code,
            "baseline": gate.baseline,
            "baseline_fingerprint": gate.fingerprint,
            **one,
        }
        for gate in gates
        for one in gate.records_of(name)
    )


def start_with(metric: str, baseline: str) -> str:
    """Return the YAML of a gate to begin with.

    Args:
        metric: A metric of a scorer.
        baseline: Name of a baseline.
    """
    return (
        "gate:\n"
        f"  baseline: {baseline}\n"
        "  rules:\n"
        f"    - {{rule: no_regression, metric: {metric}}}\n"
        "    - {rule: at_most, metric: failure_rate, value: 0.01}\n"
    )
