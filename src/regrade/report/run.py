"""The tables of one run, an eval each."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from regrade.addresses import EvalAddress, RunAddress, SamplesAddress
from regrade.report.numbers import MISSING, format_count, format_money
from regrade.report.overview import ArmFacts, RowFacts, overview_row
from regrade.report.summary import is_share, show_row, summary_tables
from regrade.types import JsonObject, SummaryRow
from regrade.views import ArmRow, CellView, EvalTable

__all__ = ["ArmTally", "EvalFacts", "arm_records", "eval_table"]

_UNREAD = "parsed_rate"
_SUMMED = {"cost_usd": format_money, "completion_tokens": format_count}
_Arm = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ArmTally:
    """How many answers of an arm came to what.

    Attributes:
        wrong: As `regrade show --wrong` counts them.
        failed: As `regrade show --failed` counts them.
    """

    wrong: int
    failed: int


@dataclass(frozen=True, slots=True)
class EvalFacts:
    """One eval of a run.

    Attributes:
        rows: One a prompt.
        tallies: By prompt and model; what cannot be counted is left out.
        address: Of the page.
        baseline: Name of what changes are measured from.
    """

    rows: Sequence[RowFacts]
    tallies: Mapping[_Arm, ArmTally] = field(default_factory=dict)
    address: RunAddress = field(default_factory=RunAddress)
    baseline: str = ""

    def arms(self) -> list[tuple[RowFacts, ArmFacts]]:
        """Return every arm with its row."""
        return [(row, arm) for row in self.rows for arm in row.arms.values()]


def eval_table(facts: EvalFacts, now: datetime) -> EvalTable:
    """Return the table of an eval.

    Args:
        facts: What is known of it.
        now: What time it is.
    """
    others = _others(facts)
    shown = [overview_row(row, list(row.arms), now) for row in facts.rows]
    arms = facts.arms()
    found = [
        (arm, _row(facts, row, arm, (cell, others)))
        for (row, arm), cell in zip(arms, (cell for one in shown for cell in one.cells), strict=True)
    ]
    first = shown[0]
    summary = [row for _, arm in arms for row in arm.rows]
    ordered = _sorted(found, facts)
    changes = any(arm.since for _, arm in arms)
    return EvalTable(
        name=first.name,
        href=EvalAddress(first.name).url(),
        metric=first.metric,
        unit=first.unit,
        higher=first.higher,
        others=tuple(_head(key, summary) for key in others),
        baseline=facts.baseline if changes else "",
        rows=tuple(ordered),
        totals=_totals(facts, summary),
        notes=summary_tables(summary)[0].notes if summary else (),
        sorts=_sorts(facts.address),
        pending=any(one.pending for _, arm in arms for one in arm.since),
        several_prompts=len(facts.rows) > 1,
    )


def arm_records(facts: Iterable[EvalFacts]) -> list[JsonObject]:
    """Return every metric of every arm in exact numbers, with ranks beside what leads."""
    records = []
    for of_eval in facts:
        for row, arm in of_eval.arms():
            tally = of_eval.tallies.get((row.prompt, arm.model))
            for one in arm.rows:
                leads = (one.scorer, one.metric) == row.metric()
                record: JsonObject = {name: getattr(one, name) for name in SummaryRow.__dataclass_fields__}
                record["rank"] = arm.rank if leads else None
                record["tied"] = arm.tied if leads and arm.rank else None
                record["wrong"] = tally.wrong if leads and tally else None
                records.append(record)
    return records


def _others(facts: EvalFacts) -> list[tuple[str, str]]:
    """Return the metrics beside the one that leads: no parts of scores, nor how many answers were read."""
    leading = facts.rows[0].metric()
    keys = dict.fromkeys(
        (row.scorer, row.metric) for _, arm in facts.arms() for row in arm.rows if row.scorer
    )
    return [key for key in keys if key != leading and key[1] != _UNREAD and "." not in key[1]]


def _head(key: tuple[str, str], rows: Sequence[SummaryRow]) -> str:
    """Return what stands above a metric: the scorer's name says enough where it gives one alone."""
    scorer, metric = key
    measures = dict.fromkeys((row.scorer, row.metric) for row in rows if _is_shown(row))
    alone = sum(one == scorer for one, _ in measures) == 1
    several = len({one for one, _ in measures}) > 1
    label = (scorer if alone else f"{scorer} {metric}") if several else metric
    own = [row for row in rows if (row.scorer, row.metric) == key]
    return f"{label}, %" if all(is_share(row) for row in own) else label


def _is_shown(row: SummaryRow) -> bool:
    return bool(row.scorer) and row.metric != _UNREAD and "." not in row.metric


def _row(
    facts: EvalFacts, row: RowFacts, arm: ArmFacts, shown: tuple[CellView, Sequence[tuple[str, str]]]
) -> ArmRow:
    cell, others = shown
    several = len(facts.rows) > 1
    samples = SamplesAddress(arm.run, eval=row.eval, prompt=row.prompt if several else "", model=(arm.model,))
    tally = facts.tallies.get((row.prompt, arm.model))
    values = [arm.main(key) for key in others]
    return ArmRow(
        model=arm.model,
        prompt=row.prompt if several else "",
        href=samples.url(),
        cell=cell,
        others=tuple(MISSING if one is None else show_row(one) for one in values),
        wrong="" if tally is None else f"{tally.wrong:,}",
        wrong_href=samples.url(outcome=("wrong",)) if tally and tally.wrong else "",
        p50=_request(arm, "latency_p50"),
        p95=_request(arm, "latency_p95"),
        tokens=_request(arm, "completion_tokens"),
        cost=_request(arm, "cost_usd"),
    )


def _request(arm: ArmFacts, metric: str) -> str:
    row = arm.request(metric)
    return MISSING if row is None else show_row(row)


def _totals(facts: EvalFacts, rows: Sequence[SummaryRow]) -> tuple[str, str, str, str]:
    tallies = facts.tallies.values()
    wrong = f"{sum(one.wrong for one in tallies):,}" if tallies else MISSING
    failed = sum(row.n_failed for row in rows if not row.scorer and row.metric == "failure_rate")
    sums = []
    for metric, write in _SUMMED.items():
        known = [row.value for row in rows if not row.scorer and row.metric == metric]
        values = [value for value in known if value is not None]
        sums.append(write(sum(values)) if values else MISSING)
    return wrong, f"{failed:,}", sums[1], sums[0]


def _sorted(found: Sequence[tuple[ArmFacts, ArmRow]], facts: EvalFacts) -> list[ArmRow]:
    """Return rows as asked for; by default the best value first, those without one last."""
    name = facts.address.sort.removeprefix("-")
    if not name:
        leading = facts.rows[0].metric()
        return [row for _, row in sorted(found, key=lambda one: _worst_last(one[0], leading))]
    falling = facts.address.sort.startswith("-")
    keys = {"failed": "failure_rate", "latency": "latency_p50", "cost": "cost_usd"}
    if name == "model":
        return [row for _, row in sorted(found, key=lambda one: one[1].model.casefold())]

    def key(one: tuple[ArmFacts, ArmRow]) -> tuple[bool, float]:
        row = one[0].request(keys[name])
        number = None if row is None else row.n_failed if name == "failed" else row.value
        return number is None, 0.0 if number is None else -number if falling else number

    return [row for _, row in sorted(found, key=key)]


def _worst_last(arm: ArmFacts, leading: tuple[str, str]) -> tuple[bool, float]:
    row = arm.main(leading)
    if row is None or row.value is None or not math.isfinite(row.value):
        return True, 0.0
    return False, -row.value if row.better == "higher" else row.value


def _sorts(address: RunAddress) -> dict[str, tuple[str, str]]:
    """Return where the head of each column leads, and how the table is sorted by it."""
    found = {"value": (address.url(sort=""), "descending" if not address.sort else "")}
    for name in ("model", "failed", "latency", "cost"):
        now = {name: "ascending", f"-{name}": "descending"}.get(address.sort, "")
        first = "-failed" if name == "failed" else name
        other = {"failed": "-failed", "-failed": "failed"}.get(first, f"-{name}")
        target = first if address.sort != first or name == "model" else other
        found[name] = (address.url(sort=target), now)
    return found
