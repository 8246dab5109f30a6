"""Counts over the samples of a run: histograms, kinds of failure, confusion, agreement of models."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from regrade.errors import UsageError
from regrade.store.parquet_base import Cancellation
from regrade.store.sample_filters import SampleQuery, key_hash, score_column
from regrade.store.sample_queries import SampleQueries

__all__ = [
    "Confusion",
    "FailureCount",
    "Histogram",
    "PairAgreement",
    "agreement",
    "confusion",
    "failures",
    "histogram",
]

_COUNTED = ("latency_s", "ttft_s", "prompt_tokens", "completion_tokens", "reasoning_tokens", "cost_usd")
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many samples have a value between two edges.

    Attributes:
        edges: Round numbers, ascending, one more than the bins; a bin takes its lower edge and not its upper
            one, the last bin both.
        counts: Of each bin.
        missing: Samples without a value.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    missing: int


@dataclass(frozen=True, slots=True)
class FailureCount:
    """How often something failed in one way.

    Attributes:
        kind: As in the tables.
        stage: `request` or `score`.
        count: Samples.
        message: One of the messages.
    """

    kind: str
    stage: str
    count: int
    message: str


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each label was found where each was right; answers are counted, so epochs count too.

    Attributes:
        expected: The right labels, sorted: the rows.
        found: The labels found, sorted: the columns; last None where some answers hold none.
        counts: A row for each right label.
    """

    expected: tuple[str, ...]
    found: tuple[str | None, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """How often two models of one eval said the same.

    Attributes:
        model_a: One.
        model_b: The other.
        n: Samples that both answered, by the scorer.
        same: The share of them with the same label, or both right or both wrong where the scorer has none;
            of a sample with epochs the mean over those that both have.
    """

    model_a: str
    model_b: str
    n: int
    same: float


def histogram(
    queries: SampleQueries,
    query: SampleQuery,
    column: str,
    bins: int = 24,
    cancel: Cancellation | None = None,
) -> Histogram:
    """Return how a number is spread over the samples that fit.

    Args:
        queries: The run.
        query: Which samples.
        column: `latency_s`, `ttft_s`, `prompt_tokens`, `completion_tokens`, `reasoning_tokens`, `cost_usd` or
            `score.<scorer>`.
        bins: At most so many.
        cancel: Stops it.

    Raises:
        UsageError: Another column.
    """
    if column not in _COUNTED and not column.startswith("score."):
        raise UsageError(f'there is no histogram of "{column}"', hint=f"one of: {', '.join(_COUNTED)}")
    scorer = column.removeprefix("score.")
    term = column if column in _COUNTED else score_column(scorer, queries.base.scores)
    wanted = queries.condition(query, cancel)
    low, high, n, known = queries.base.rows(
        f"select min({term}), max({term}), count(*), count({term}) from samples where {wanted.sql}",
        wanted.values,
        cancel,
    )[0]
    if not known:
        return Histogram((), (), int(n))
    edges = _edges(float(low), float(high), bins)
    last = len(edges) - 2
    terms = [
        f"count(*) filter ({term} >= ? and {term} {'<=' if place == last else '<'} ?)"
        for place in range(len(edges) - 1)
    ]
    ends = [end for pair in pairwise(edges) for end in pair]
    counts = queries.base.rows(
        f"select {', '.join(terms)} from samples where {wanted.sql}", [*ends, *wanted.values], cancel
    )[0]
    return Histogram(tuple(edges), tuple(map(int, counts)), int(n - known))


def failures(
    queries: SampleQueries, query: SampleQuery, cancel: Cancellation | None = None
) -> list[FailureCount]:
    """Return what failed among the samples that fit, the most frequent first."""
    wanted = queries.condition(query, cancel)
    found = queries.base.rows(
        "select failure_kind, 'request', count(*), any_value(failure_message) from samples "
        f"where not ok and {wanted.sql} group by 1 "
        f"union all select failure_kind, 'score', count(distinct {key_hash('epoch')}), "
        f"any_value(failure_message) from scores where failure_kind is not null and {key_hash('epoch')} in "
        f"(select {key_hash('epoch')} from samples where {wanted.sql}) group by 1 order by 3 desc, 1",
        [*wanted.values, *wanted.values],
        cancel,
    )
    return [FailureCount(str(kind), stage, int(n), str(told or "")) for kind, stage, n, told in found]


def confusion(
    queries: SampleQueries, query: SampleQuery, scorer: str, cancel: Cancellation | None = None
) -> Confusion:
    """Return the confusion matrix of a scorer over the samples that fit; empty where it has no labels."""
    wanted = queries.condition(query, cancel)
    found = queries.base.rows(
        "select expected, label, count(*) from scores where scorer = ? and metric = ? "
        f"and expected is not null and failure_kind is null and {key_hash('epoch')} in "
        f"(select {key_hash('epoch')} from samples where {wanted.sql}) group by all",
        [scorer, scorer, *wanted.values],
        cancel,
    )
    counts = {(expected, label): int(n) for expected, label, n in found}
    rows = tuple(sorted({expected for expected, _ in counts}))
    labels = {label for _, label in counts}
    columns: list[str | None] = sorted({*rows, *(one for one in labels if one is not None)})
    if None in labels:
        columns.append(None)
    table = tuple(tuple(counts.get((row, column), 0) for column in columns) for row in rows)
    return Confusion(rows, tuple(columns), table)


def agreement(
    queries: SampleQueries, eval_name: str, scorer: str, prompt: str = "", cancel: Cancellation | None = None
) -> list[PairAgreement]:
    """Return how often every two models of an eval said the same to the same sample.

    Args:
        queries: The run.
        eval_name: The eval.
        scorer: By whose labels, or by right and wrong where it has none.
        prompt: Of this prompt; empty: of each prompt against itself, taken together.
        cancel: Stops it.
    """
    named = "and prompt = ?" if prompt else ""
    found = queries.base.rows(
        "with own as (select prompt, model, sample_id, epoch, "
        "case when label is null and expected is null then case when value < 1 then 'wrong' else 'right' end "
        "else label end as said from scores where eval = ? and scorer = ? and metric = ? "
        f"and failure_kind is null {named}), "
        "pairs as (select a.model as model_a, b.model as model_b, a.prompt, a.sample_id, "
        "avg(case when a.said is not distinct from b.said then 1.0 else 0.0 end) as same "
        "from own as a join own as b using (prompt, sample_id, epoch) where a.model < b.model group by all) "
        "select model_a, model_b, count(*), avg(same) from pairs group by all order by 1, 2",
        [eval_name, scorer, scorer, *([prompt] if prompt else [])],
        cancel,
    )
    return [PairAgreement(str(a), str(b), int(n), float(same)) for a, b, n, same in found]


def _edges(low: float, high: float, bins: int) -> Sequence[float]:
    """Return round edges, none too many, that hold both ends."""
    if high <= low:
        return [low, low + (abs(low) or 1.0)]
    rough = (high - low) / max(bins - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in _STEPS if size * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step), math.ceil(high / step)
    digits = max(0, 2 - math.floor(math.log10(step)))
    edges = [round(place * step, digits) for place in range(first, last + 1)]
    return [min(edges[0], low), *edges[1:-1], max(edges[-1], high)]
