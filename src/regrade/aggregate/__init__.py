"""From result tables to summary rows: every metric of every arm with its uncertainty.

An arm is one (eval, prompt, model). For each, in the order in which the arms first appear:

1. for every scorer its metrics over the main value (scorer and metric of that name), the mean of each further
   value that it gives, and `parsed_rate` when the scorer missed an answer anywhere in the eval;
2. under the empty scorer's name what the requests tell: failure_rate and one failure_rate.<kind> for each
   kind of the eval, latency_p50, latency_p95, ttft_p50 (streams), prompt_tokens, completion_tokens, cost_usd,
   cost_per_sample (where prices are known), retries, and judge_prompt_tokens, judge_completion_tokens and
   judge_cost_usd where judges were asked;
3. the scorers' rows again for every value of every slice, the slice written as "difficulty=hard". Samples
   without the value are in none of them. The 50 values with the most samples are kept; how many were left out
   says a row of the empty scorer named slice_values_left_out.<slice>.

`n` counts samples with a value, never epochs; `n_failed` requests without one (in rows of failures: the
failed ones). A metric that cannot be had has the value None and says why in its note: what was paid for is
never lost to one metric.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from regrade.aggregate.plan import SCORE_COLUMNS, EvalMetrics, ScorerMetrics, request_columns
from regrade.types import SummaryRow

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SCORE_COLUMNS", "EvalMetrics", "ScorerMetrics", "request_columns", "summarise"]


def summarise(
    samples: "Iterable[pa.RecordBatch]",
    scores: "Iterable[pa.RecordBatch]",
    evals: Mapping[str, EvalMetrics],
    level: float = 0.95,
    seed: int = 0,
) -> list[SummaryRow]:
    """Aggregate a run.

    Args:
        samples: One row a request, batch by batch, in the columns that `request_columns` names; rows of the
            role "answer" are the arms', all others their judges'.
        scores: The rows of `scores.parquet`, in `SCORE_COLUMNS`.
        evals: How each eval is aggregated; of others the requests alone are summed up.
        level: Of every interval, such as 0.95.
        seed: For resampling; the same seed gives the same intervals.
    """
    from regrade.aggregate.summary import summarise_batches

    return summarise_batches(samples, scores, evals, level, seed)
