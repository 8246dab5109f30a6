"""Result tables laid out sample by sample, so that two arms can be compared."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from regrade.aggregate.columns import SAMPLE_ID, Columns, Reader, sample_keys
from regrade.aggregate.grid import Chosen, Grid, build_grid, chosen
from regrade.aggregate.measures import scorer_measures
from regrade.aggregate.plan import SCORE_COLUMNS, EvalMetrics, arm_request_columns
from regrade.aggregate.requests import Requests, read_requests
from regrade.aggregate.scored import Scores, place_scores
from regrade.aggregate.slices import scalar_fields, slice_of
from regrade.arms import Arm, Coded, Measure
from regrade.types import MetricInput

__all__ = ["ARM_SCORE_COLUMNS", "ArmReader", "arm_request_columns", "fields_of", "sample_keys"]

_ANSWER = "answer"
ARM_SCORE_COLUMNS = (*SCORE_COLUMNS, "version")
"""Of the scores table."""

_QUANTITIES = {
    "latency_mean": "latency_s",
    "cost_per_answer": "cost_usd",
    "prompt_tokens_per_answer": "prompt_tokens",
    "completion_tokens_per_answer": "completion_tokens",
    "reasoning_tokens_per_answer": "reasoning_tokens",
}
"""What the requests tell of an answer: name of the measure to column. All of them are better low."""


class ArmReader:
    """Lays runs out; runs that are to be compared go through the same reader, whose codes they share.

    Args:
        slices: Metadata fields (dotted paths) by which samples can be told apart.
    """

    def __init__(self, slices: Sequence[str]) -> None:
        self._slices = tuple(slices)
        self._reader = Reader(self._slices)

    def read(
        self,
        run: str,
        samples: Iterable[pa.RecordBatch],
        scores: Iterable[pa.RecordBatch],
        evals: Mapping[str, EvalMetrics],
    ) -> list[Arm]:
        """Return every arm of a run, in first appearance.

        Args:
            run: Id of the run, or name of the baseline.
            samples: Batches in `arm_request_columns`.
            scores: Batches in `ARM_SCORE_COLUMNS`.
            evals: How each eval is aggregated; of others the requests alone are laid out.
        """
        requests = self._reader.read(samples, arm_request_columns())
        scored = self._reader.read(scores, ARM_SCORE_COLUMNS)
        arms: list[Arm] = []
        for name in requests.texts("eval"):
            rows = requests.where(requests.having("eval", name))
            answered = rows.having("role", _ANSWER)
            if answered.any():
                answers = rows.where(answered)
                grid = build_grid(answers)
                placed = place_scores(grid, scored.where(scored.having("eval", name)))
                laid = read_requests(grid, answers, rows.where(~answered))
                layout = _Layout(run, name, grid, answers, laid, placed, evals.get(name, EvalMetrics(())))
                arms.extend(layout.arms(self._slices))
        return arms


def fields_of(batches: Iterable[pa.RecordBatch]) -> list[str]:
    """Return the metadata fields that tell samples apart: 2 to 50 different plain values.

    Args:
        batches: Some rows with the column `metadata`.
    """
    texts = [text for batch in batches for text in batch.column("metadata").to_pylist()]
    return scalar_fields(texts)


@dataclass(frozen=True, slots=True)
class _Layout:
    """One eval of a run."""

    run: str
    eval: str
    grid: Grid
    answers: Columns
    requests: Requests
    scores: Scores
    plan: EvalMetrics

    def arms(self, slices: Sequence[str]) -> Iterator[Arm]:
        fields = {name: self._field(name) for name in slices}
        ids = self.answers.ints(SAMPLE_ID)[self.grid.first_row]
        fingerprints = self._fingerprints()
        for arm, (prompt, model) in enumerate(self.grid.arms):
            rows = chosen(self.grid.present[arm].any(axis=1))
            present = self.grid.present[arm, rows]
            yield Arm(
                run=self.run,
                eval=self.eval,
                prompt=prompt,
                model=model,
                ids=ids[rows],
                fingerprints=fingerprints[arm, rows],
                present=present,
                failed=self.requests.failed[arm, rows],
                clusters=None if self.grid.clusters is None else self.grid.clusters[rows],
                slices={name: Coded(one.texts, one.codes[rows]) for name, one in fields.items()},
                measures=(*self._scored(arm, rows), *self._requested(arm, rows)),
            )

    def _fingerprints(self) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
        """Return shape (arms, samples): each arm may have been run on other rows of the same id."""
        arms, samples, epochs = self.grid.shape
        laid = np.zeros(arms * samples, dtype=np.int64)
        laid[self.grid.cell // epochs] = self.answers.ints("fingerprint")
        return laid.reshape(arms, samples)

    def _field(self, name: str) -> Coded:
        column = f"slice.{name}"
        codes = self.answers.ints(column)[self.grid.first_row]
        kept = slice_of(name, self.answers.texts(column), codes)
        ranks = np.full(codes.size, -1, dtype=np.int64)
        for place, members in enumerate(kept.members):
            ranks[members] = place
        return Coded(kept.texts, ranks)

    def _scored(self, arm: int, rows: Chosen) -> Iterator[Measure]:
        clusters = None if self.grid.clusters is None else self.grid.clusters[rows]
        for scorer in self.plan.scorers:
            versions = tuple(sorted(self.scores.versions(scorer.name)))
            for one in scorer_measures(scorer, self.scores):
                data = one.scores.metric_input(arm, rows, bounds=one.bounds, clusters=clusters)
                yield Measure(
                    scorer=scorer.name,
                    metric=one.metric,
                    better=one.better,
                    source=one.source,
                    data=data,
                    versions=versions,
                    judged=scorer.judged,
                    recipe=scorer.recipe,
                )

    def _requested(self, arm: int, rows: Chosen) -> Iterator[Measure]:
        clusters = None if self.grid.clusters is None else self.grid.clusters[rows]
        present = self.grid.present[arm, rows]
        failed = np.where(present, self.requests.failed[arm, rows], np.nan)
        yield Measure("", "failure_rate", "lower", None, MetricInput(failed, (0.0, 1.0), clusters))
        for name, column in _QUANTITIES.items():
            values = self.requests.numbers[column][arm, rows]
            answered = np.where(present & ~self.requests.failed[arm, rows], values, np.nan)
            if np.isfinite(answered).any():
                yield Measure("", name, "lower", None, MetricInput(answered, None, clusters))
