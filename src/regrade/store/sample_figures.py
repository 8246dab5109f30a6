"""What scorers said, counted over the samples of a run: confusion of labels, agreement of models."""

from dataclasses import dataclass

from regrade.store.parquet_base import Cancellation
from regrade.store.sample_filters import SampleQuery, key_hash
from regrade.store.sample_queries import SampleQueries

__all__ = ["Confusion", "PairAgreement", "agreement", "confusion"]


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


def confusion(
    queries: SampleQueries, query: SampleQuery, scorer: str, cancel: Cancellation | None = None
) -> Confusion:
    """Return the confusion matrix of a scorer over the samples that fit; empty where it has no labels."""
    wanted = queries.condition(query, cancel)
    fits = f"{key_hash('epoch')} in (select {key_hash('epoch')} from samples where {wanted.sql})"
    if query.asks_for_keys_alone:  # which stand beside the scores as well
        fits = wanted.sql
    found = queries.base.rows(
        "select expected, label, count(*) from scores where scorer = ? and metric = ? "
        f"and expected is not null and failure_kind is null and {fits} group by all",
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
