"""What the samples of a run came to by arm: outcomes, failures, spread of numbers, tokens and dollars."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from regrade.errors import UsageError
from regrade.store.parquet_base import Cancellation
from regrade.store.sample_filters import SampleQuery, key_hash, outcome_terms
from regrade.store.sample_queries import SampleQueries

__all__ = [
    "ArmCounts",
    "FailureGroup",
    "Spending",
    "Spread",
    "arm_counts",
    "failure_groups",
    "labelled",
    "medians",
    "spending",
    "spread",
]

_NUMBERS = ("latency_s", "ttft_s", "prompt_tokens", "completion_tokens")
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_TAIL = 0.99
_FAR = 1.5
"""The last bin holds the slowest hundredth where the slowest is so many times as slow as the others."""


@dataclass(frozen=True, slots=True)
class ArmCounts:
    """How many samples of one arm came to what, as `SampleQueries.counts`.

    Attributes:
        eval: The eval.
        prompt: The prompt.
        model: The model.
        total: All.
        right: See `OUTCOMES`; likewise the others.
        wrong: As `regrade show --wrong` counts them.
        failure: As `regrade show --failed` counts them.
    """

    eval: str
    prompt: str
    model: str
    total: int
    right: int
    wrong: int
    failure: int


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """How often one arm failed in one way.

    Attributes:
        eval: The eval.
        prompt: The prompt.
        model: The model.
        kind: As in the tables.
        stage: `request` or `score`.
        count: Samples.
        message: One of the messages.
        attempts: The fewest and the most that were made of one request; None where nobody counted.
    """

    eval: str
    prompt: str
    model: str
    kind: str
    stage: str
    count: int
    message: str
    attempts: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Spread:
    """How a number is spread over the samples of each arm, on one axis for all.

    Attributes:
        edges: Round numbers at equal distances, one more than the bins; the last bin holds what lies beyond.
        counts: Of each bin, by prompt and model.
        beyond: Whether the last bin holds values that lie beyond the last edge.
    """

    edges: tuple[float, ...]
    counts: Mapping[tuple[str, str], tuple[int, ...]]
    beyond: bool


@dataclass(frozen=True, slots=True)
class Spending:
    """What the requests of one arm, or those of judges about it, took.

    Attributes:
        eval: The eval.
        prompt: The prompt.
        model: The model, of judges that which was judged.
        judged: Whether they are requests of judges.
        requests: How many.
        cached: How many of them came from the cache.
        prompt_tokens: Of all; None where nobody counted.
        completion_tokens: Likewise.
        cost_usd: Likewise; None where nothing has a price.
    """

    eval: str
    prompt: str
    model: str
    judged: bool
    requests: int
    cached: int
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None


def arm_counts(
    queries: SampleQueries, query: SampleQuery, cancel: Cancellation | None = None
) -> list[ArmCounts]:
    """Return how many samples of each arm came to what, in the order of the run."""
    wanted = queries.condition(query, cancel)
    terms = outcome_terms(queries.base.scores, query.by)
    counted = ", ".join(f"count(*) filter ({terms[name]})" for name in ("right", "wrong", "failure"))
    found = queries.base.rows(
        f"select eval, prompt, model, count(*), {counted} from samples where {wanted.sql} "
        'group by 1, 2, 3 order by min("row")',
        wanted.values,
        cancel,
    )
    return [ArmCounts(str(row[0]), str(row[1]), str(row[2]), *map(int, row[3:])) for row in found]


def failure_groups(
    queries: SampleQueries, query: SampleQuery, cancel: Cancellation | None = None
) -> list[FailureGroup]:
    """Return what failed among the samples that fit, by arm, the most frequent first.

    Counts are those of `failures`, by arm.
    """
    wanted = queries.condition(query, cancel)
    arm, key = "eval, prompt, model", key_hash("epoch")
    asked = (
        f"select {arm}, failure_kind, 'request', count(*), any_value(failure_message), min(attempts), "
        f"max(attempts) from samples where not ok and {wanted.sql} group by all"
    )
    values = wanted.values
    if queries.base.scorers_failed:
        asked += (
            f" union all select {arm}, failure_kind, 'score', count(distinct {key}), "
            "any_value(failure_message), null, null from scores where failure_kind is not null "
            f"and {key} in (select {key} from samples where {wanted.sql}) group by all"
        )
        values = [*values, *values]
    found = queries.base.rows(f"{asked} order by 6 desc, 4, 1, 2, 3", values, cancel)
    return [
        FailureGroup(
            eval=str(row[0]),
            prompt=str(row[1]),
            model=str(row[2]),
            kind=str(row[3]),
            stage=str(row[4]),
            count=int(row[5]),
            message=str(row[6] or ""),
            attempts=None if row[7] is None else (int(row[7]), int(row[8])),
        )
        for row in found
    ]


def spread(
    queries: SampleQueries,
    query: SampleQuery,
    column: str,
    bins: int = 30,
    cancel: Cancellation | None = None,
) -> Spread | None:
    """Return how a number is spread over the samples of each prompt and model; None where none has it.

    Args:
        queries: The run.
        query: Which samples.
        column: `latency_s`, `ttft_s`, `prompt_tokens` or `completion_tokens`.
        bins: About so many.
        cancel: Stops it.

    Raises:
        UsageError: Another column.
    """
    column = _number(column)
    wanted = queries.condition(query, cancel)
    low, high, tail = queries.base.rows(
        f"select min({column}), max({column}), quantile_cont({column}, {_TAIL}) from samples "
        f"where {wanted.sql}",
        wanted.values,
        cancel,
    )[0]
    if high is None:
        return None
    top = float(tail) if high > _FAR * tail else float(high)
    first, step, count = _bins(float(low), top, bins, whole=not column.endswith("_s"))
    found = queries.base.rows(
        f"select prompt, model, least(greatest(cast(floor(({column} - ?) / ? + 1e-9) as bigint), 0), ?), "
        f"count(*) from samples where {column} is not null and {wanted.sql} group by 1, 2, 3",
        [first, step, count - 1, *wanted.values],
        cancel,
    )
    counts: dict[tuple[str, str], list[int]] = {}
    for prompt, model, place, n in found:
        counts.setdefault((str(prompt), str(model)), [0] * count)[int(place)] = int(n)
    digits = max(0, 2 - math.floor(math.log10(step)))
    return Spread(
        edges=tuple(round(first + place * step, digits) for place in range(count + 1)),
        counts={arm: tuple(numbers) for arm, numbers in counts.items()},
        beyond=float(high) > first + count * step * (1 + 1e-9),
    )


def medians(
    queries: SampleQueries, query: SampleQuery, column: str, cancel: Cancellation | None = None
) -> dict[tuple[str, str], float]:
    """Return the median of a number by prompt and model, as `spread`."""
    wanted = queries.condition(query, cancel)
    found = queries.base.rows(
        f"select prompt, model, quantile_cont({_number(column)}, 0.5) from samples "
        f"where {column} is not null and {wanted.sql} group by 1, 2",
        wanted.values,
        cancel,
    )
    return {(str(prompt), str(model)): float(value) for prompt, model, value in found}


def spending(
    queries: SampleQueries, query: SampleQuery, cancel: Cancellation | None = None
) -> list[Spending]:
    """Return what the requests of each arm took, and those of judges about it, in the order of the run.

    Args:
        queries: The run.
        query: Only its evals, prompts and models count.
        cancel: Stops it.
    """
    wanted = queries.condition(
        SampleQuery(evals=query.evals, prompts=query.prompts, models=query.models), cancel
    )
    found = queries.base.rows(
        "select eval, prompt, model, role <> 'answer', count(*), count(*) filter (cached), "
        "sum(prompt_tokens), sum(completion_tokens), sum(cost_usd) from requests "
        f'where {wanted.sql} group by 1, 2, 3, 4 order by 4, min("row")',
        wanted.values,
        cancel,
    )
    return [
        Spending(
            eval=str(row[0]),
            prompt=str(row[1]),
            model=str(row[2]),
            judged=bool(row[3]),
            requests=int(row[4]),
            cached=int(row[5]),
            prompt_tokens=None if row[6] is None else int(row[6]),
            completion_tokens=None if row[7] is None else int(row[7]),
            cost_usd=None if row[8] is None else float(row[8]),
        )
        for row in found
    ]


def labelled(queries: SampleQueries, eval_name: str, cancel: Cancellation | None = None) -> list[str]:
    """Return the scorers of an eval whose main score has a right label beside it, sorted."""
    found = queries.base.rows(
        "select distinct scorer from scores where eval = ? and metric = scorer and expected is not null "
        "order by 1",
        [eval_name],
        cancel,
    )
    return [str(scorer) for (scorer,) in found]


def _number(column: str) -> str:
    if column not in _NUMBERS:
        raise UsageError(f'there is no spread of "{column}"', hint=f"one of: {', '.join(_NUMBERS)}")
    return column


def _bins(low: float, top: float, bins: int, *, whole: bool) -> tuple[float, float, int]:
    """Return the first edge, the step and the number of bins; from 0 where that is not far.

    Of whole numbers a bin holds as many as every other, and the greatest has one of its own.
    """
    if low > 0 and low <= top / 2:
        low = 0.0
    rough = (top - low) / bins if top > low else max(abs(low), 1.0) / bins
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in _STEPS if size * power >= rough * (1 - 1e-9))
    if whole:
        step, top = math.ceil(step), top + 1
    first = math.floor(low / step + 1e-9) * step
    return first, step, max(1, math.ceil((top - first) / step - 1e-9))
