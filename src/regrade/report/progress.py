"""How far a run is, in the words of its page."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from regrade.report.measures import metric_label
from regrade.report.numbers import MISSING, format_count, format_estimate, format_money
from regrade.report.pace import time_left
from regrade.report.summary import is_share
from regrade.types import SummaryRow
from regrade.views import FactView, ModelProgressRow, ProgressView, ScoreSoFar

__all__ = ["Progress", "expected_cost", "format_span", "progress_records", "progress_view"]

_HOUR = 3_600
_MINUTE = 60
_KINDS_TOLD = 4
_NOTE_ON_SCORES = (
    "Scores: of the answers scored so far, failures left out. Slow answers come last and may differ, so no "
    "verdict rests on them."
)


class ModelCounts(Protocol):
    """What one model has done so far."""

    @property
    def model(self) -> str:
        """Return its name."""

    @property
    def planned(self) -> int | None:
        """Return the answers asked of it; None where they are not known."""

    @property
    def done(self) -> int:
        """Return answers and failures."""

    @property
    def failed(self) -> int:
        """Return the failures among them."""

    @property
    def ended_per_s(self) -> float:
        """Return answers and failures a second."""

    @property
    def retried(self) -> int:
        """Return attempts beyond the first of each."""

    @property
    def prompt_tokens(self) -> int:
        """Return tokens of prompts."""

    @property
    def completion_tokens(self) -> int:
        """Return tokens of answers."""

    @property
    def cost_usd(self) -> float | None:
        """Return US dollars; None where nothing has a price."""


class Progress(Protocol):
    """How far a run is, as its journal tells."""

    @property
    def models(self) -> Sequence[ModelCounts]:
        """Return what each model has done."""

    @property
    def planned(self) -> int | None:
        """Return answers in all; None where they are not known."""

    @property
    def done(self) -> int:
        """Return answers and failures, without judges."""

    @property
    def failed(self) -> int:
        """Return the failures among them."""

    @property
    def cost_usd(self) -> float | None:
        """Return US dollars, with judges; None where nothing has a price."""

    @property
    def rate_per_s(self) -> float:
        """Return answers a second, failures left out."""

    @property
    def read(self) -> float:
        """Return the share of the journal that was read."""

    @property
    def failures(self) -> Mapping[str, int]:
        """Return how often each kind of failure came."""

    @property
    def failure_messages(self) -> Mapping[str, str]:
        """Return the last message of each kind."""

    @property
    def silent_s(self) -> float | None:
        """Return seconds without a sign of life, where its process cannot be asked for one."""

    @property
    def scores(self) -> Sequence[SummaryRow]:
        """Return the leading metric of each arm over what is scored so far."""


def progress_view(found: Progress, elapsed_s: float | None = None, *, goes_on: bool = True) -> ProgressView:
    """Return how far a run is.

    Args:
        found: What its journal tells.
        elapsed_s: Seconds since it began; None leaves them out.
        goes_on: Whether it is worked on; a rate and a time left make no sense otherwise.
    """
    total = found.planned
    facts = [FactView("Done", f"{found.done:,}", f"of {total:,}" if total else "")]
    if goes_on:
        value, unit = _rate(found.rate_per_s)
        facts.append(FactView("Rate", value, unit))
        facts.append(FactView("Time left", format_span(_left_s(found))))
    if elapsed_s is not None:
        facts.append(FactView("Since it began", format_span(elapsed_s)))
    facts.append(_cost(found))
    scores = _scores(found.scores)
    if len(scores) == 1:
        facts.append(FactView(f"{scores[0].metric} so far", scores[0].value, f"of {scores[0].count}"))
    kinds = ", ".join(kind.replace("_", " ") for kind in list(found.failures)[:_KINDS_TOLD])
    facts.append(FactView("Failed", f"{found.failed:,}", kinds, is_failure=bool(found.failed)))
    notes = [] if found.read >= 1 else [f"Read so far: {found.read * 100:.0f} % of the journal."]
    if goes_on and found.silent_s is not None and found.silent_s >= _MINUTE:
        minutes = round(found.silent_s / _MINUTE)
        notes.append(f"No sign of life for {minutes} min, and its process cannot be asked from here.")
    return ProgressView(
        said=_said(found, goes_on=goes_on),
        done=None if not total else found.done / total,
        failed=0.0 if not total else found.failed / total,
        facts=tuple(facts),
        failures=tuple(
            f"{count:,} {kind.replace('_', ' ')}: {found.failure_messages.get(kind, '')}"
            for kind, count in found.failures.items()
        ),
        rows=tuple(map(_row, found.models)),
        note=" ".join(notes),
        scores=scores,
        scores_note=_NOTE_ON_SCORES if scores else "",
    )


def progress_records(found: Progress) -> list[dict[str, object]]:
    """Return a record a model."""
    names = ("model", "planned", "done", "failed", "retried", "prompt_tokens", "completion_tokens")
    return [{name: getattr(one, name) for name in (*names, "cost_usd")} for one in found.models]


def expected_cost(models: Iterable[ModelCounts]) -> float | None:
    """Return what a run will have cost if the rest costs what its answers cost so far; None when unknown.

    Judges are asked as often as there are answers.
    """
    models = list(models)
    answering = [one for one in models if one.planned is not None]
    done, planned = sum(one.done for one in answering), sum(one.planned or 0 for one in answering)
    if not done:
        return None
    total, known = 0.0, False
    for one in models:
        if one.cost_usd is None or not one.done:
            continue
        known = True
        share = one.done / one.planned if one.planned else done / planned if planned else 1.0
        total += one.cost_usd / min(1.0, share)
    return total if known else None


def format_span(seconds: float | None) -> str:
    """Write a span as people say it: `13 s`, `3 min 41 s`, `2 h 05 min`."""
    if seconds is None:
        return MISSING
    if seconds < 1:
        return "under 1 s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    if seconds < _HOUR:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min"


def _rate(per_second: float) -> tuple[str, str]:
    if per_second <= 0:
        return "0", "answers in the last minute"
    if per_second < 1:
        return f"{per_second * _MINUTE:.0f}", "answers a minute"
    return (f"{per_second:.1f}" if per_second < 10 else f"{per_second:,.0f}"), "answers a second"  # noqa: PLR2004 - digits that matter


def _cost(found: Progress) -> FactView:
    expected = expected_cost(found.models)
    ends = found.planned is not None and found.done >= found.planned
    more = "" if expected is None or ends else f"of about {format_money(expected)}"
    return FactView("Cost", format_money(found.cost_usd), more)


def _said(found: Progress, *, goes_on: bool) -> str:
    text = f"{found.done:,}" + (f" of {found.planned:,}" if found.planned else "") + " requests done"
    text += f", {found.failed:,} failed" if found.failed else ""
    left_s = _left_s(found)
    return f"{text}, {format_span(left_s)} left" if goes_on and left_s else text


def _left_s(found: Progress) -> float | None:
    return time_left(
        (one.planned - one.done, one.ended_per_s) for one in found.models if one.planned is not None
    )


def _scores(rows: Sequence[SummaryRow]) -> tuple[ScoreSoFar, ...]:
    several = {name: len({getattr(row, name) for row in rows}) > 1 for name in ("eval", "prompt")}
    shown = []
    for row in rows:
        share = is_share(row)
        value = format_estimate(row.value, row.low, row.high, percent=share)
        exact = MISSING if row.value is None else f"{row.value:.6g}"
        if row.low is not None and row.high is not None:
            exact += f", {row.level * 100:g} % interval {row.low:.6g} to {row.high:.6g}"
        label = metric_label(row.scorer, row.metric, alone=True)
        names = [getattr(row, name) for name, told in several.items() if told]
        shown.append(
            ScoreSoFar(
                ", ".join((*names, row.model)), f"{label}, %" if share else label, value, exact, f"{row.n:,}"
            )
        )
    return tuple(shown)


def _row(one: ModelCounts) -> ModelProgressRow:
    return ModelProgressRow(
        model=one.model,
        done=f"{one.done:,}" + (f" of {one.planned:,}" if one.planned is not None else ""),
        failed=f"{one.failed:,}",
        retried=f"{one.retried:,}",
        tokens=format_count(one.prompt_tokens + one.completion_tokens),
        cost=format_money(one.cost_usd),
        failed_count=one.failed,
    )
