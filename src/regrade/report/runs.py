"""The list of runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from regrade.addresses import GatesAddress, RunAddress, SamplesAddress
from regrade.report.numbers import MISSING, format_money
from regrade.report.progress import format_span
from regrade.report.times import ago, exact_time
from regrade.types import JsonObject, SummaryRow
from regrade.views import CaseOutcome, ProgressView, RunRow, StateKind

__all__ = ["STATES", "RunFacts", "cost_of", "outcome_of", "run_record", "run_row"]

STATES: dict[str, tuple[StateKind, str]] = {
    "running": ("run", "running"),
    "stopped": ("unsure", "stopped"),
    "success": ("pass", "finished"),
    "partial": ("unsure", "partial"),
    "interrupted": ("unsure", "interrupted"),
    "error": ("failure", "error"),
}
"""How each state looks, and what people call it."""

_OUTCOMES: tuple[CaseOutcome, ...] = ("PASS", "FAIL", "INCONCLUSIVE", "ERROR")


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known of a run without its samples.

    Attributes:
        id: Its id.
        state: One of `STATES`.
        began: When it did.
        ended: When it did; None while it goes on.
        evals: Names.
        models: Names.
        tags: Names.
        planned: Requests; None where they are not known.
        finished: Requests that were answered or failed; None where they are not known.
        failed: How many of them failed.
        cost: In US dollars; None where it is not known.
        outcome: Of its newest gate.
        message: Why it is no success.
        scored: Whether it holds results.
        silent: How many models answered nothing.
        more: Exact values that only an export shows.
    """

    id: str
    state: str
    began: datetime | None
    ended: datetime | None
    evals: tuple[str, ...]
    models: tuple[str, ...]
    tags: tuple[str, ...]
    planned: int | None
    finished: int | None
    failed: int
    cost: float | None
    outcome: CaseOutcome | None
    message: str
    scored: bool
    silent: int
    more: JsonObject

    @property
    def kind(self) -> StateKind:
        """Return how its state looks: no tick where `run` ends with 1 for a model without answers."""
        return "failure" if self.state == "success" and self.silent else STATES[self.state][0]

    @property
    def requests(self) -> str:
        """Return how many requests were answered or failed, of how many where that is not all."""
        if self.finished is None:
            return MISSING
        left = self.planned is not None and self.finished < self.planned
        return f"{self.finished:,} of {self.planned:,}" if left else f"{self.finished:,}"

    @property
    def seconds(self) -> float | None:
        """Return how long it took; None while it goes on."""
        return None if self.began is None or self.ended is None else (self.ended - self.began).total_seconds()


def run_row(facts: RunFacts, now: datetime, progress: ProgressView | None = None) -> RunRow:
    """Return the row of a run.

    Args:
        facts: What is known of it.
        now: What time it is.
        progress: How far it is, where it goes on.
    """
    _, state = STATES[facts.state]
    samples = SamplesAddress(facts.id, outcome=("failure",)).url()
    return RunRow(
        id=facts.id,
        href=RunAddress(facts.id).url(),
        kind=facts.kind,
        state=state,
        when=ago(facts.began, now),
        when_exact=exact_time(facts.began),
        evals=facts.evals,
        models=facts.models,
        tags=facts.tags,
        gate=facts.outcome,
        gate_href=GatesAddress(run=facts.id).url(),
        done=MISSING if facts.finished is None else f"{facts.finished:,}",
        failed=f"{facts.failed:,}" if facts.failed else "",
        failed_href=samples if facts.scored else "",
        cost=format_money(facts.cost),
        took=format_span(facts.seconds),
        message=facts.message,
        progress=progress,
        comparable=facts.scored,
    )


def run_record(facts: RunFacts) -> JsonObject:
    """Return the exact values of a run."""
    return {
        "run": facts.id,
        "state": facts.state,
        "started_at": facts.began.isoformat() if facts.began else None,
        "finished_at": facts.ended.isoformat() if facts.ended else None,
        "seconds": facts.seconds,
        "evals": list(facts.evals),
        "models": list(facts.models),
        "tags": list(facts.tags),
        "planned": facts.planned,
        "finished": facts.finished,
        "failed": facts.failed,
        "cost_usd": facts.cost,
        "gate": facts.outcome,
        "message": facts.message,
        **facts.more,
    }


def cost_of(rows: Sequence[SummaryRow]) -> float | None:
    """Return the US dollars of a run with its judges, from its summary; None where nothing has a price."""
    spent = [
        row.value
        for row in rows
        if not row.slice and not row.scorer and row.metric in {"cost_usd", "judge_cost_usd"}
    ]
    known = [value for value in spent if value is not None]
    return sum(known) if known else None


def outcome_of(gates: Sequence[JsonObject]) -> CaseOutcome | None:
    """Return what the newest gate of a run said; None without one."""
    outcome = gates[-1].get("outcome") if gates else None
    return next((one for one in _OUTCOMES if one == outcome), None)
