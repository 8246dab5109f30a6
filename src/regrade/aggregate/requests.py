"""What the requests of an arm tell beside their scores: failures, seconds, tokens, dollars."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from regrade.aggregate.columns import Columns, Flags, Floats, Ints
from regrade.aggregate.grid import Chosen, Grid, chosen
from regrade.stats import epoch_means, mean_estimate, quantile_estimate
from regrade.types import Estimate

__all__ = ["Requests", "read_requests"]

_SPENT = ("prompt_tokens", "completion_tokens", "cost_usd")
_PARTS = ("reasoning_tokens", "cached_tokens")
"""Of the tokens above, where an endpoint counts them."""
_CUT = "cut_in_reasoning"


@dataclass(frozen=True, slots=True)
class Requests:
    """The requests of one eval over the cells of its grid.

    Attributes:
        grid: The cells.
        failed: Whether the request failed; False where there is none.
        kinds: Names of the kinds of failure, sorted.
        kind: Place in `kinds`, -1 where nothing failed.
        numbers: Column name to values, NaN where there is none.
        cut: Whether the limit on tokens ended the answer inside its reasoning.
        judges: Flat cell of each judge's request.
        judged: Column name to one value a judge's request.
        judge_failed: Whether the judge's request failed.
    """

    grid: Grid
    failed: Flags
    kinds: tuple[str, ...]
    kind: Ints
    numbers: dict[str, Floats]
    cut: Flags
    judges: Ints
    judged: dict[str, Floats]
    judge_failed: Flags

    def estimates(self, arm: int, level: float) -> Iterator[tuple[str, Estimate, int]]:
        """Yield (metric, estimate, requests without a value) of one arm."""
        samples = chosen(self.grid.present[arm].any(axis=1))
        present = self.grid.present[arm, samples]
        yield from self._failures(arm, samples, present, level)
        for name, column, q in (
            ("latency_p50", "latency_s", 0.5),
            ("latency_p95", "latency_s", 0.95),
            ("ttft_p50", "ttft_s", 0.5),
        ):
            values = self.numbers[column][arm, samples]
            known = np.isfinite(values)
            if known.any() or column != "ttft_s":
                count = int(known.any(axis=1).sum())
                estimate = quantile_estimate(values[known], q, count, level)
                yield name, estimate, int((present & ~known).sum())
        for column in _SPENT:
            yield column, *_total(self.numbers[column][arm, samples], present, self.failed[arm, samples])
        yield from self._parts(arm, samples, present)
        yield from self._cost(arm, samples, present, level)
        attempts = self.numbers["attempts"][arm, samples]
        yield "retries", *_total(np.maximum(attempts - 1, 0), present, self.failed[arm, samples])
        if self.judges.size:
            yield from self._judge_totals(arm)

    def _parts(self, arm: int, samples: Chosen, present: Flags) -> Iterator[tuple[str, Estimate, int]]:
        """Yield what few endpoints count, where it is more than nothing."""
        failed = self.failed[arm, samples]
        for column in _PARTS:
            values = self.numbers[column][arm, samples]
            if (values > 0).any():
                yield column, *_total(values, present, failed)
        cut = self.cut[arm, samples]
        if cut.any():
            answered = present & ~failed
            note = f"{cut.sum()} of {answered.sum()} answers ended in their reasoning; allow more tokens"
            n = int(answered.any(axis=1).sum())
            yield _CUT, Estimate(float(cut.sum()), n=n, note=note), int((present & failed).sum())

    def _failures(
        self, arm: int, samples: Chosen, present: Flags, level: float
    ) -> Iterator[tuple[str, Estimate, int]]:
        clusters = None if self.grid.clusters is None else self.grid.clusters[samples]
        failed = self.failed[arm, samples]
        shares = {"failure_rate": failed}
        kind = self.kind[arm, samples]
        shares |= {f"failure_rate.{name}": kind == place for place, name in enumerate(self.kinds)}
        for name, share in shares.items():
            per_sample = epoch_means(np.where(present, share, np.nan))
            yield name, mean_estimate(per_sample, (0.0, 1.0), clusters, level), int(share.sum())

    def _cost(
        self, arm: int, samples: Chosen, present: Flags, level: float
    ) -> Iterator[tuple[str, Estimate, int]]:
        cost = self.numbers["cost_usd"][arm, samples]
        known = np.isfinite(cost)
        if known.any():
            clusters = None if self.grid.clusters is None else self.grid.clusters[samples]
            estimate = mean_estimate(epoch_means(cost), None, clusters, level)
            yield "cost_per_answer", estimate, int((present & ~known).sum())

    def _judge_totals(self, arm: int) -> Iterator[tuple[str, Estimate, int]]:
        epochs = self.grid.shape[2]
        own = self.judges // (self.grid.shape[1] * epochs) == arm
        failed = int(self.judge_failed[own].sum())
        for column in _SPENT:
            values = self.judged[column][own]
            known = np.isfinite(values)
            value = float(values[known].sum()) if known.any() else None
            n = np.unique(self.judges[own][known] // epochs).size
            yield f"judge_{column}", Estimate(value, n=n), failed


def read_requests(grid: Grid, answers: Columns, others: Columns) -> Requests:
    """Lay out an eval's requests.

    Args:
        grid: Built from `answers`.
        answers: Rows of the role "answer".
        others: Rows of judges' roles.
    """
    cut = answers.flags(_CUT) if _CUT in answers.arrays else np.broadcast_to(np.False_, answers.count)
    ok, kind = answers.flags("ok"), answers.ints("failure_kind")
    names = answers.texts("failure_kind")
    found = sorted(names[code] for code in np.unique(kind[kind >= 0]))
    rank = np.array([*(found.index(name) if name in found else -1 for name in names), -1], dtype=np.int64)
    judges = grid.locate(others)
    others, judges = others.where(judges >= 0), judges[judges >= 0]
    return Requests(
        grid=grid,
        failed=grid.flags(grid.cell, ~ok),
        kinds=tuple(found),
        kind=grid.ints(grid.cell, np.where(ok, -1, rank[kind])),
        numbers={
            name: grid.floats(grid.cell, answers.floats(name))
            for name in (*_SPENT, *_PARTS, "latency_s", "ttft_s", "attempts")
            if name in answers.arrays
        },
        cut=grid.flags(grid.cell, cut),
        judges=judges,
        judged={name: others.floats(name) for name in _SPENT},
        judge_failed=~others.flags("ok"),
    )


def _total(values: Floats, present: Flags, failed: Flags) -> tuple[Estimate, int]:
    """Return the sum of what is known, and for how many requests nothing is."""
    known = np.isfinite(values)
    missing = present & ~known
    if not known.any():
        return Estimate(None), int(missing.sum())
    unknown = int((missing & ~failed).sum())
    note = f"not known for {unknown} answers" if unknown else ""
    return Estimate(float(values[known].sum()), n=int(known.any(axis=1).sum()), note=note), int(missing.sum())
