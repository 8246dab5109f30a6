"""The overview's cells, rows and columns, from what runs hold."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from regrade.addresses import (
    CompareAddress,
    EvalAddress,
    GatesAddress,
    OverviewAddress,
    RunAddress,
    SamplesAddress,
)
from regrade.comparisons import Change
from regrade.report.comparison import mark_of
from regrade.report.measures import format_change, format_interval, format_p, metric_label, unit_of
from regrade.report.numbers import MISSING, format_count, format_estimate, format_money, format_seconds
from regrade.report.summary import is_share, leading_metric
from regrade.report.times import ago, exact_time
from regrade.types import JsonObject, SummaryRow
from regrade.views import CaseOutcome, CellView, DeltaView, ModelView, OverviewRow, PastGate, SpotView

__all__ = ["ArmFacts", "GateFacts", "RowFacts", "Since", "column", "overview_row"]

_WAITING = "\N{HORIZONTAL ELLIPSIS}"
_PER = 1_000


@dataclass(frozen=True, slots=True)
class Since:
    """What became of an arm since an earlier run or a baseline.

    Attributes:
        name: "base" or "last".
        reference: The run or baseline, as `compare` takes it.
        change: By the main metric; None where there is none.
        pending: Whether it is still computed.
        problem: Why there is none.
    """

    name: str
    reference: str
    change: Change | None = None
    pending: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ArmFacts:
    """One model on one eval and prompt, in its newest run.

    Attributes:
        model: Its name.
        run: The run's id.
        began: When the run did.
        rows: The arm's summary, without slices.
        rank: Place among the models of its run; None where it has none.
        tied: Whether it shares it.
        ranked: Among how many models.
        since: Earlier values.
    """

    model: str
    run: str
    began: datetime | None
    rows: Sequence[SummaryRow]
    rank: int | None = None
    tied: bool = False
    ranked: int = 0
    since: Sequence[Since] = ()

    def main(self, name: tuple[str, str]) -> SummaryRow | None:
        """Return the row of a metric."""
        return next((row for row in self.rows if (row.scorer, row.metric) == name), None)

    def request(self, metric: str) -> SummaryRow | None:
        """Return the row of a metric of the requests."""
        return self.main(("", metric))


@dataclass(frozen=True, slots=True)
class GateFacts:
    """The newest gate of an eval.

    Attributes:
        run: Which run was put through it.
        nth: Which of that run's gates it is, from 1.
        at: When it was; None where that is not known.
        verdicts: Its records that are of the eval.
        exit_code: Of the whole gate.
        outcome: The gravest of the eval's verdicts.
        stale: Whether the run went on after it, so that its values may be others by now.
        graver: Outcome and place of an earlier gate of the same values that came out worse.
    """

    run: str
    nth: int
    at: datetime | None
    verdicts: Sequence[JsonObject]
    exit_code: int
    outcome: CaseOutcome
    stale: bool = False
    graver: tuple[CaseOutcome, int] | None = None

    @property
    def models(self) -> set[str]:
        """Return the models that were judged: a gate may be of one arm alone."""
        return {str(one.get("model") or "") for one in self.verdicts}


@dataclass(frozen=True, slots=True)
class RowFacts:
    """One eval and prompt.

    Attributes:
        eval: The eval.
        prompt: The prompt.
        several_prompts: Whether the eval has more.
        run: The newest run that has values.
        began: When it did.
        tags: Its tags.
        arms: By model.
        gate: The newest gate of the eval, of whichever run; None without one.
    """

    eval: str
    prompt: str
    several_prompts: bool
    run: str
    began: datetime | None
    tags: tuple[str, ...]
    arms: Mapping[str, ArmFacts]
    gate: GateFacts | None = None

    @property
    def outcome(self) -> CaseOutcome | None:
        """Return the verdict on the newest values; None where they were put through no gate."""
        return self.gate.outcome if self.gate is not None and self.judges(self.run) else None

    def judges(self, run: str, model: str = "") -> bool:
        """Return whether the gate is about the values of a run, and of a model where one is named."""
        if self.gate is None or self.gate.run != run or self.gate.stale:
            return False
        return not model or model in self.gate.models

    def metric(self) -> tuple[str, str]:
        """Return scorer and metric that lead: the first that the newest run gives."""
        arms = sorted(self.arms.values(), key=lambda arm: arm.run != self.run)
        return leading_metric(row for arm in arms for row in arm.rows)


def overview_row(facts: RowFacts, models: Sequence[str], now: datetime) -> OverviewRow:
    """Return the row of an eval.

    Args:
        facts: What runs hold.
        models: The columns.
        now: What time it is.
    """
    name = facts.metric()
    found = [row for arm in facts.arms.values() if (row := arm.main(name)) is not None]
    share = bool(found) and all(is_share(row) for row in found)
    scorers = {row.scorer for arm in facts.arms.values() for row in arm.rows if row.scorer}
    label = metric_label(*name, alone=len(scorers) == 1) if found else "no score"
    cells = [_cell(facts, facts.arms.get(model), model, (name, share)) for model in models]
    higher = all(row.better == "higher" for row in found)
    most = max((row.n for row in found), default=0)
    return OverviewRow(
        name=facts.eval,
        prompt=facts.prompt if facts.several_prompts else "",
        href=EvalAddress(facts.eval).url(),
        metric=f"{label}, %" if share else label if higher else f"{label}, lower is better",
        n=f"{most:,}",
        tags=facts.tags,
        cells=tuple(cells),
        gate=facts.outcome,
        gate_href=GatesAddress(facts.eval, facts.gate.run if facts.gate else "").url(),
        past_gate=_past_gate(facts, now),
        run=facts.run,
        run_href=RunAddress(facts.run, facts.eval).url(),
        when=ago(facts.began, now),
        when_exact=exact_time(facts.began),
        unit="%" if share else "",
        higher=higher,
    )


def _past_gate(facts: RowFacts, now: datetime) -> PastGate | None:
    """Return the verdict that is not the one on the newest values: an older one, or a worse one on them."""
    gate = facts.gate
    if gate is None:
        return None
    if facts.outcome is None:
        of = "of before it went on" if gate.run == facts.run else "of an older run"
        href = GatesAddress(facts.eval, gate.run, gate.nth).url()
        return PastGate(gate.outcome, f"{gate.outcome} {of}, {ago(gate.at, now)}", href)
    if gate.graver is not None:
        outcome, nth = gate.graver
        href = GatesAddress(facts.eval, gate.run, nth).url()
        return PastGate(outcome, f"{outcome} by an earlier gate", href)
    own = [arm.model for arm in facts.arms.values() if arm.run == gate.run]
    judged = [model for model in own if model in gate.models]
    if len(judged) == len(own):
        return None
    of = f"{judged[0]} alone" if len(judged) == 1 else f"{len(judged)} of {len(own)} models"
    return PastGate(gate.outcome, f"of {of}", GatesAddress(facts.eval, gate.run, gate.nth).url())


def _cell(
    facts: RowFacts, arm: ArmFacts | None, model: str, measured: tuple[tuple[str, str], bool]
) -> CellView:
    name, share = measured
    if arm is None:
        return CellView(model)
    row = arm.main(name)
    failures = _failures(arm)
    samples = SamplesAddress(arm.run, eval=facts.eval, model=(model,), outcome=("failure",)).url()
    failed = {"failed": f"{failures:,}" if failures else "", "failed_href": samples, "why": _why(arm)}
    remark = "" if arm.run == facts.run else f"of an older run, {exact_time(arm.began)[:10]}"
    if row is None or row.value is None or not math.isfinite(row.value):
        kind = "failed" if failures else "none"
        return CellView(model, kind, rank=MISSING, remark=remark, calm=not failures, **failed)  # type: ignore[arg-type] # one of the two
    value, _, spread = format_estimate(row.value, row.low, row.high, percent=share).partition(" ")
    deltas = tuple(_delta(one, arm, name, share=share) for one in arm.since)
    return CellView(
        model,
        "value",
        value=value,
        spread=spread.strip("()"),
        exact=_exact(row, share=share),
        href=SamplesAddress(arm.run, eval=facts.eval, model=(model,)).url(),
        spot=_spot(row, arm, share=share),
        rank=MISSING if arm.rank is None else f"{arm.rank}{'=' if arm.tied else ''}",
        rank_said=_rank_said(arm),
        leads=arm.rank == 1,
        deltas=deltas,
        remark=remark,
        calm=not failures and all(one.mark == "none" for one in deltas),
        **failed,
    )


def _failures(arm: ArmFacts) -> int:
    row = arm.request("failure_rate")
    return 0 if row is None else row.n_failed


def _why(arm: ArmFacts) -> str:
    """Return the kinds of failures, the commonest first."""
    kinds = [
        (row.n_failed, row.metric.partition(".")[2].replace("_", " "))
        for row in arm.rows
        if not row.scorer and row.metric.startswith("failure_rate.") and row.n_failed
    ]
    return ", ".join(kind for _, kind in sorted(kinds, reverse=True))


def _rank_said(arm: ArmFacts) -> str:
    if arm.rank is None:
        return "no rank: a rank is among the models of one run"
    better = arm.rank - 1
    said = f"rank {arm.rank} of {arm.ranked}{', shared' if arm.tied else ''}"
    return f"{said}: {better} {'model is' if better == 1 else 'models are'} shown to be better"


def _exact(row: SummaryRow, *, share: bool) -> str:
    scale, unit = (100.0, " %") if share else (1.0, "")
    text = f"{(row.value or 0.0) * scale:.4f}".rstrip("0").rstrip(".") + unit
    if row.low is not None and row.high is not None:
        text += f", {row.level * 100:g} % interval {row.low * scale:.3f} to {row.high * scale:.3f}"
    text += f", n {row.n:,}"
    return f"{text}; {row.note}" if row.note else text


def _spot(row: SummaryRow, arm: ArmFacts, *, share: bool) -> SpotView:
    scale = 100.0 if share else 1.0
    base = next((one.change for one in arm.since if one.name == "base"), None)
    low, high = (None if end is None else end * scale for end in (row.low, row.high))
    before = None if base is None or base.value_a is None else base.value_a * scale
    return SpotView((row.value or 0.0) * scale, low, high, before)


def _delta(one: Since, arm: ArmFacts, name: tuple[str, str], *, share: bool) -> DeltaView:
    if one.pending:
        return DeltaView(one.name, _WAITING, exact="being computed")
    change = one.change
    if change is None or change.difference is None:
        why = one.problem or (change.note if change else "") or "nothing to compare with"
        return DeltaView(one.name, MISSING, exact=why)
    unit = unit_of(*name, share=share)
    half = None if change.low is None or change.high is None else (change.high - change.low) / 2
    text, mark = format_change(change.difference, unit, half), mark_of(change)
    exact = f"{text} {'points' if share else ''}".strip()
    exact += f", {change.level * 100:g} % interval {format_interval(change.low, change.high, unit)}"
    exact += f", p {format_p(change.p)}, adjusted {format_p(change.p_adjusted)}, n {change.n:,}"
    href = CompareAddress(one.reference, arm.run, eval=change.eval, model=arm.model).url()
    shown = "0" if not text.strip("0.+\N{MINUS SIGN}") else text
    shown = shown.lstrip("+\N{MINUS SIGN}") if mark != "none" else shown
    return DeltaView(one.name, shown, mark, change.difference > 0, exact, href)


def column(
    model: str, facts: Sequence[RowFacts], rows: Sequence[OverviewRow], address: OverviewAddress
) -> ModelView:
    """Return head and foot of a model's column.

    Args:
        model: Its name.
        facts: Of the rows.
        rows: What they show.
        address: Of the page.
    """
    cells = [cell for row in rows for cell in row.cells if cell.model == model and cell.kind == "value"]
    arms = [arm for row in facts if (arm := row.arms.get(model)) is not None]
    return ModelView(
        name=model,
        leads=sum(cell.leads for cell in cells),
        runs=len(cells),
        cost=_cost(arms),
        latency=_latency(arms),
        href=address.url(model=(model,)),
    )


def _cost(arms: Sequence[ArmFacts]) -> str:
    """Write the dollars of a thousand samples over all evals together."""
    found = [row for arm in arms if (row := arm.request("cost_usd")) is not None]
    known = [row for row in found if row.value is not None and row.n]
    samples = sum(row.n for row in known)
    if not samples:
        return MISSING
    return format_money(sum(row.value or 0.0 for row in known) / samples * _PER)


def _latency(arms: Sequence[ArmFacts]) -> str:
    """Write the middle of what the evals have: quantiles of different requests cannot be pooled."""
    texts = []
    for metric in ("latency_p50", "latency_p95"):
        rows = [row for arm in arms if (row := arm.request(metric)) is not None]
        values = sorted(row.value for row in rows if row.value is not None)
        texts.append(format_seconds(values[len(values) // 2]) if values else MISSING)
    return MISSING if set(texts) == {MISSING} else ", ".join(texts)


@dataclass(frozen=True, slots=True)
class Totals:
    """How much there is.

    Attributes:
        evals: How many.
        models: How many.
        runs: How many.
        newest: When the newest run began.
    """

    evals: int
    models: int
    runs: int
    newest: datetime | None = None
    more: tuple[str, ...] = field(default=())

    def said(self, now: datetime) -> tuple[str, ...]:
        """Return it as texts."""
        counts = ((self.evals, "eval"), (self.models, "model"), (self.runs, "run"))
        texts = [f"{format_count(count)} {word}{'' if count == 1 else 's'}" for count, word in counts]
        newest = [f"newest {ago(self.newest, now)}"] if self.newest else []
        return (*texts, *newest, *self.more)
