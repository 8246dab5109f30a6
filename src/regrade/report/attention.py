"""What of the overview needs a look, in sentences, the worst first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from regrade.addresses import CompareAddress, EvalAddress, GatesAddress, RunAddress, SamplesAddress
from regrade.report.comparison import mark_of
from regrade.report.measures import format_change, format_p, unit_of
from regrade.report.overview import ArmFacts, RowFacts
from regrade.report.times import ago
from regrade.texts import clipped
from regrade.types import JsonObject
from regrade.views import AttentionView, TextPart

__all__ = ["EndedRun", "attention", "needs"]

_ORDER = ("FAIL", "WORSE", "INCONCLUSIVE", "FAILURE", "STOPPED", "NOT GATED")
_MANY_FAILURES = 0.1
_REASON_LIMIT = 400
_NAMED = 3
_ENDED = {
    "stopped": "stopped without a word",
    "partial": "was stopped early",
    "interrupted": "was interrupted",
    "error": "ended with an error",
}


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that ended before it was done.

    Attributes:
        run: Its id.
        evals: What it ran.
        state: One of `STATES`.
        message: Why it ended; empty where that is not known.
        command: What goes on with it; empty where nothing does.
    """

    run: str
    evals: tuple[str, ...]
    state: str
    message: str = ""
    command: str = ""


def attention(
    rows: Sequence[RowFacts], baseline: str, now: datetime, ended: Sequence[EndedRun] = ()
) -> list[AttentionView]:
    """Return what needs a look.

    Args:
        rows: Evals.
        baseline: Its name.
        now: What time it is.
        ended: Runs that are not done.
    """
    found = [*_all_failed(rows), *map(_of_ended, ended)]
    for row in rows:
        found += _of_row(row, baseline, {str(one.get("model")) for one in _failing(row)})
    evals = list({row.eval: row for row in rows}.values())
    for row in evals:
        found += _of_gate(row)
    found += _not_gated([row for row in evals if row.outcome is None], now)
    return sorted(found, key=lambda one: _ORDER.index(one.kind))


def needs(row: RowFacts) -> tuple[int, ...]:
    """Return how much a row needs a look, for sorting: greater is more."""
    worse = sum(_worse(arm) for arm in row.arms.values())
    failing = sum(_failure_rate(arm) > _MANY_FAILURES for arm in row.arms.values())
    gate = {"FAIL": 2, "INCONCLUSIVE": 1}.get(row.outcome or "", 0)
    return (gate == 2, worse, gate, failing)  # noqa: PLR2004 - a failed gate goes first


def _of_ended(one: EndedRun) -> AttentionView:
    """Return what to say of a run that is not done, with the command that goes on with it."""
    names = f"{', '.join(one.evals[:_NAMED])}{_more(one.evals)}"
    why = f": {clipped(one.message.rstrip('.'), _REASON_LIMIT)}" if one.message else ""
    parts = [
        TextPart(f"{names}: "),
        TextPart(f"run {one.run}", RunAddress(one.run).url()),
        TextPart(f" {_ENDED[one.state]}{why}. "),
    ]
    if one.command:
        parts += [TextPart("Nothing that was answered is asked again: "), TextPart(one.command, command=True)]
    return AttentionView("STOPPED", tuple(parts))


def _more(names: Sequence[object]) -> str:
    return f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""


def _judged(row: RowFacts) -> Sequence[JsonObject]:
    """Return the verdicts on the newest values; none where they were put through no gate."""
    return row.gate.verdicts if row.gate is not None and row.outcome is not None else ()


def _failing(row: RowFacts) -> Iterator[JsonObject]:
    return (one for one in _judged(row) if one.get("outcome") == "FAIL")


def _of_gate(row: RowFacts) -> Iterator[AttentionView]:
    """Yield the verdicts that are no PASS, in the words of the gate."""
    for one in _judged(row):
        outcome = one.get("outcome")
        if outcome not in {"FAIL", "INCONCLUSIVE"} or one.get("cause") == "unanswered":
            continue  # that a model answered nothing is told once, as a failure
        reason = clipped(f"{one.get('reason') or one.get('rule')}", _REASON_LIMIT)
        needed = str(one.get("needed_to_decide") or "")
        reason += f" {needed}" if len(needed) < _REASON_LIMIT - len(reason) else ""
        href = GatesAddress(row.eval, str(one.get("run_b") or "")).url()
        yield AttentionView(outcome, (TextPart(f"{reason} "), TextPart("Why", href)))


def _not_gated(rows: Sequence[RowFacts], now: datetime) -> Iterator[AttentionView]:
    """Yield the evals that once were put through a gate: alone where that was no PASS, else all together."""
    passed = []
    for row in rows:
        if row.gate is None:
            continue
        if row.gate.outcome == "PASS":
            passed.append(row)
            continue
        href = GatesAddress(row.eval, row.gate.run, row.gate.nth).url()
        said = f": these values were put through no gate. The last one, {ago(row.gate.at, now)}, said "
        parts = (
            TextPart(row.eval, EvalAddress(row.eval).url()),
            TextPart(f"{said}{row.gate.outcome}. "),
            TextPart("Why", href),
        )
        yield AttentionView("NOT GATED", parts)
    if passed:
        names = ", ".join(row.eval for row in passed[:_NAMED])
        last = "Their last verdicts were PASS, on" if len(passed) > 1 else "The last verdict was PASS, on"
        said = f"{names}{_more(passed)}: these values were put through no gate. {last} older ones. "
        only = passed[0].eval if len(passed) == 1 else ""
        yield AttentionView("NOT GATED", (TextPart(said), TextPart("Gates", GatesAddress(only).url())))


def _worse(arm: ArmFacts) -> bool:
    return any(one.change is not None and mark_of(one.change) == "worse" for one in arm.since)


def _of_row(row: RowFacts, baseline: str, told: set[str]) -> Iterator[AttentionView]:
    """Yield losses that no gate has told, and models of which much failed."""
    for arm in row.arms.values():
        if arm.model not in told:
            yield from _loss(row, arm, baseline)
        rate = arm.request("failure_rate")
        if rate is not None and _MANY_FAILURES < _failure_rate(arm) < 1:
            href = SamplesAddress(arm.run, eval=row.eval, model=(arm.model,), outcome=("failure",)).url()
            parts = (
                TextPart(row.eval, EvalAddress(row.eval).url()),
                TextPart(
                    f" on {arm.model}: {rate.n_failed:,} requests failed, {(rate.value or 0) * 100:.0f} %. "
                ),
                TextPart("See failures", href),
            )
            yield AttentionView("FAILURE", parts)


def _loss(row: RowFacts, arm: ArmFacts, baseline: str) -> Iterator[AttentionView]:
    """Yield the loss since the baseline, else that since the last run."""
    for one in sorted(arm.since, key=lambda since: since.name != "base"):
        change = one.change
        if change is None or mark_of(change) != "worse":
            continue
        unit = unit_of(change.scorer, change.metric, share=change.share)
        half = None if change.low is None or change.high is None else (change.high - change.low) / 2
        size = format_change(change.difference, unit, half)
        verb = "fell" if (change.difference or 0) < 0 else "rose"
        since = f"the baseline {baseline}" if one.name == "base" else "the last run"
        href = CompareAddress(one.reference, arm.run, eval=row.eval, model=arm.model).url()
        lost = f" {change.losses:,} answers became worse." if change.losses else ""
        yield AttentionView(
            "WORSE",
            (
                TextPart(row.eval, EvalAddress(row.eval).url()),
                TextPart(f" on {arm.model} {verb} by "),
                TextPart(f"{size.lstrip('+-' + chr(0x2212))} {unit}", strong=True),
                TextPart(f" since {since} (adjusted p {format_p(change.p_adjusted)}).{lost} "),
                TextPart("Read them", href),
            ),
        )
        return


def _all_failed(rows: Sequence[RowFacts]) -> Iterator[AttentionView]:
    """Yield one sentence a model that answered nothing, over all its evals."""
    by_model: dict[str, list[tuple[RowFacts, ArmFacts]]] = {}
    for row in rows:
        for arm in row.arms.values():
            if _failure_rate(arm) >= 1:
                by_model.setdefault(arm.model, []).append((row, arm))
    for model, places in by_model.items():
        count = sum(rate.n_failed for _, arm in places if (rate := arm.request("failure_rate")) is not None)
        row, arm = places[0]
        where = row.eval if len(places) == 1 else f"{len(places)} evals"
        href = SamplesAddress(arm.run, eval=row.eval, model=(model,), outcome=("failure",)).url()
        said = f"{model}: all {count:,} requests of {where} failed. "
        yield AttentionView("FAILURE", (TextPart(said), TextPart("See failures", href)))


def _failure_rate(arm: ArmFacts) -> float:
    row = arm.request("failure_rate")
    return 0.0 if row is None or row.value is None else row.value
