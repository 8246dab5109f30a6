"""The rows of the summary, arm by arm."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from regrade.aggregate.columns import Columns, Flags, Reader
from regrade.aggregate.grid import Chosen, Grid, build_grid, chosen
from regrade.aggregate.measures import ScorerMeasure, scorer_measures
from regrade.aggregate.plan import SCORE_COLUMNS, EvalMetrics, request_columns
from regrade.aggregate.requests import Requests, read_requests
from regrade.aggregate.scored import place_scores
from regrade.aggregate.slices import Slice, slice_of
from regrade.errors import RegradeError
from regrade.types import Better, Estimate, MetricInput, SummaryRow

__all__ = ["summarise_batches"]

_ANSWER = "answer"
_UNCALIBRATED = "uncalibrated, since no human labels say how far the judge is right"


@dataclass(frozen=True, slots=True)
class _Arms:
    """Everything about one eval that its rows are made from."""

    name: str
    grid: Grid
    requests: Requests
    measures: Sequence[ScorerMeasure]
    slices: Sequence[Slice]
    level: float
    seed: int

    def rows(self) -> Iterator[SummaryRow]:
        for arm in range(len(self.grid.arms)):
            present = self.grid.present[arm].any(axis=1)
            yield from self._scorer_rows(arm, chosen(present), "")
            for metric, estimate, failed in self.requests.estimates(arm, self.level):
                better: Better = "lower"
                yield self._row(arm, ("", metric, better), "", estimate, failed)
            for one in self.slices:
                yield from self._slice_rows(arm, one, present)

    def _slice_rows(self, arm: int, one: Slice, present: Flags) -> Iterator[SummaryRow]:
        for text, members in zip(one.texts, one.members, strict=True):
            samples = members[present[members]]
            if samples.size:
                yield from self._scorer_rows(arm, samples, f"{one.name}={text}")
        if one.left_out:
            note = f"{one.name} has {one.left_out} values more than the {len(one.texts)} shown"
            estimate = Estimate(float(one.left_out), note=note)
            yield self._row(arm, ("", f"slice_values_left_out.{one.name}", "lower"), "", estimate, 0)

    def _scorer_rows(self, arm: int, samples: Chosen, part: str) -> Iterator[SummaryRow]:
        for measure in self.measures:
            scores = measure.scores
            clusters = None if self.grid.clusters is None else self.grid.clusters[samples]
            data = scores.metric_input(arm, samples, bounds=measure.bounds, clusters=clusters)
            data = replace(data, level=self.level, seed=self.seed)
            failed = int(np.sum(self.grid.present[arm, samples] & ~scores.scored[arm, samples]))
            names = (measure.scorer, measure.metric, measure.better)
            estimate = _estimated(measure.source.estimate, data)
            if measure.judged and not estimate.note:
                estimate = replace(estimate, note=_UNCALIBRATED)
            yield self._row(arm, names, part, estimate, failed)

    def _row(
        self, arm: int, names: tuple[str, str, Better], part: str, estimate: Estimate, failed: int
    ) -> SummaryRow:
        prompt, model = self.grid.arms[arm]
        scorer, metric, better = names
        return SummaryRow(
            eval=self.name,
            prompt=prompt,
            model=model,
            scorer=scorer,
            metric=metric,
            better=better,
            slice=part,
            value=estimate.value,
            se=estimate.se,
            low=estimate.low,
            high=estimate.high,
            level=self.level,
            n=estimate.n,
            n_failed=failed,
            method=estimate.method,
            note=estimate.note,
        )


def summarise_batches(
    samples: Iterable[pa.RecordBatch],
    scores: Iterable[pa.RecordBatch],
    evals: Mapping[str, EvalMetrics],
    level: float,
    seed: int,
) -> list[SummaryRow]:
    """Aggregate a run, one eval after the other; see `regrade.aggregate.summarise`."""
    sliced = dict.fromkeys(name for plan in evals.values() for name in plan.slices)
    reader = Reader(tuple(sliced))
    all_requests = reader.read(samples, request_columns(slices=bool(sliced)))
    all_scores = reader.read(scores, SCORE_COLUMNS)
    rows: list[SummaryRow] = []
    for name in all_requests.texts("eval"):
        of_eval = all_requests.where(all_requests.having("eval", name))
        answered = of_eval.having("role", _ANSWER)
        if not answered.any():
            continue
        answers = of_eval.where(answered)
        plan = evals.get(name, EvalMetrics(()))
        grid = build_grid(answers)
        placed = place_scores(grid, all_scores.where(all_scores.having("eval", name)))
        arms = _Arms(
            name=name,
            grid=grid,
            requests=read_requests(grid, answers, of_eval.where(~answered)),
            measures=[one for scorer in plan.scorers for one in scorer_measures(scorer, placed)],
            slices=_slices(plan, grid, answers),
            level=level,
            seed=seed,
        )
        rows.extend(arms.rows())
    return rows


def _slices(plan: EvalMetrics, grid: Grid, answers: Columns) -> list[Slice]:
    columns = {name: f"slice.{name}" for name in plan.slices}
    return [
        slice_of(name, answers.texts(column), answers.ints(column)[grid.first_row])
        for name, column in columns.items()
    ]


def _estimated(estimate: Callable[[MetricInput], Estimate], data: MetricInput) -> Estimate:
    """Return the estimate, finite numbers only; a metric that raises gives no value but its reason."""
    try:
        found = estimate(data)
    except RegradeError as error:
        return Estimate(None, note=error.message)
    except Exception as error:  # noqa: BLE001 - a metric may be foreign code: whatever it raises is its failure
        return Estimate(None, note=f"{type(error).__name__}: {error}")
    if not _finite(found.value):
        return Estimate(None, n=found.n, note=found.note or "the metric's value is not finite")
    low, high = (end if _finite(end) else None for end in (found.low, found.high))
    return replace(found, se=found.se if _finite(found.se) else None, low=low, high=high)


def _finite(number: float | None) -> bool:
    return number is None or math.isfinite(number)
