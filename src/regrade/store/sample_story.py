"""Everything about one sample: what was asked, answered and thought of it, here and elsewhere."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from regrade.errors import RegradeError, UsageError
from regrade.jsonio import loads
from regrade.store.entries import RunEntry
from regrade.store.parquet_base import Cancellation, identifier
from regrade.store.sample_filters import SampleQuery, outcome_name, outcome_terms
from regrade.store.sample_pages import PageRequest, SampleRow
from regrade.store.sample_queries import SampleQueries
from regrade.store.schema import SAMPLES, SCORES
from regrade.types import Json, JsonObject, Key

__all__ = ["PastOutcome", "SampleStory", "history", "row_of", "story"]

_JSON = ("messages", "params", "metadata", "tool_calls", "attempt_log")
_KEY = "eval = ? and prompt = ? and model = ? and sample_id = ? and epoch = ?"
_SIBLINGS = 200


@dataclass(frozen=True, slots=True)
class SampleStory:
    """One sample, nothing cut.

    Attributes:
        row: Its place in the samples table.
        key: Its key.
        outcome: `failure`, `wrong`, `right` or `unscored`: the first that it is, by all scorers.
        record: The columns of the samples table; what is JSON in them as values.
        scores: Rows of the scores table, all metrics, failures included.
        judges: The requests that scorers put to models about it, as `record`.
        siblings: The same sample by other models and prompts, and in other epochs, as rows of a list; 200 at
            most.
    """

    row: int
    key: Key
    outcome: str
    record: JsonObject
    scores: tuple[JsonObject, ...]
    judges: tuple[JsonObject, ...]
    siblings: tuple[SampleRow, ...]


@dataclass(frozen=True, slots=True)
class PastOutcome:
    """What a sample came to in an earlier run.

    Attributes:
        run: The run's id.
        started_at: When that was.
        outcome: Of its first epoch; empty where the run did not ask it or cannot be read.
        scores: Main scores by scorer.
    """

    run: str
    started_at: str
    outcome: str
    scores: Mapping[str, float | None]


def row_of(queries: SampleQueries, key: Key, cancel: Cancellation | None = None) -> int:
    """Return the place of an answer in the samples table.

    Raises:
        UsageError: When the run holds no such sample.
    """
    found = queries.base.rows(f'select "row" from samples where {_KEY} limit 1', list(key[:5]), cancel)
    if not found:
        named = "/".join(map(str, key[:5]))
        raise UsageError(f"the run {queries.base.folder.id} holds no sample {named}")
    return int(found[0][0])


def story(queries: SampleQueries, sample: Key | int, cancel: Cancellation | None = None) -> SampleStory:
    """Return everything about one sample of a run.

    Args:
        queries: The run.
        sample: The key of its answer, or its place in the samples table.
        cancel: Stops it.

    Raises:
        UsageError: When the run holds no such sample.
    """
    row = sample if isinstance(sample, int) else row_of(queries, sample, cancel)
    base = queries.base
    outcome = outcome_name(outcome_terms(base.scores))
    columns = ", ".join([*map(identifier, SAMPLES.names), *base.scores.values()])
    found = base.rows(f'select {outcome}, {columns} from samples where "row" = ?', [row], cancel)
    if not found:
        raise UsageError(f"the run {base.folder.id} holds no sample at place {row}")
    names = [*SAMPLES.names, *(f"score.{scorer}" for scorer in base.scores)]
    record = _record(names, found[0][1:])
    key = Key(*(record[name] for name in Key._fields))
    values = list(key[:5])
    scores = base.rows(
        f"select {', '.join(map(identifier, SCORES.names))} from scores where {_KEY}", values, cancel
    )
    judges = base.rows(
        f"select {', '.join(map(identifier, SAMPLES.names))} from requests where {_KEY} and role <> 'answer' "
        'order by "row"',
        values,
        cancel,
    )
    same = SampleQuery(evals=(key.eval,), samples=(key.sample_id,))
    others = queries.page(same, PageRequest(size=_SIBLINGS, columns=("text", "latency_s")), cancel=cancel)
    return SampleStory(
        row=row,
        key=key,
        outcome=str(found[0][0]),
        record=record,
        scores=tuple(dict(zip(SCORES.names, one, strict=True)) for one in scores),
        judges=tuple(_record(SAMPLES.names, one) for one in judges),
        siblings=tuple(one for one in others.rows if one.row != row),
    )


def history(runs: Iterable[RunEntry], key: Key, limit: int = 10) -> list[PastOutcome]:
    """Return what the same sample by the same model and prompt came to in other runs, in their order.

    Args:
        runs: Where to look, newest first; those without the eval are passed over.
        key: Of the answer.
        limit: Runs at most.

    Returns:
        An entry for each run that has the eval, also where it did not ask this sample or cannot be read.
    """
    found: list[PastOutcome] = []
    for run in runs:
        if len(found) == limit:
            break
        if key.eval in run.evals:
            found.append(_past(run, key))
    return found


def _past(run: RunEntry, key: Key) -> PastOutcome:
    unknown = PastOutcome(run.id, run.started_at, "", {})
    if key.model not in run.models:
        return unknown
    try:
        queries = SampleQueries(run.folder)
    except RegradeError:
        return unknown
    try:
        query = SampleQuery((key.eval,), (key.prompt,), (key.model,), (key.sample_id,))
        rows = queries.page(query, PageRequest(size=1, columns=())).rows
        return replace(unknown, outcome=rows[0].outcome, scores=rows[0].scores) if rows else unknown
    except RegradeError:
        return unknown
    finally:
        queries.close()


def _record(names: Sequence[str], values: Sequence[Any]) -> JsonObject:
    record: JsonObject = dict(zip(names, values, strict=True))
    for name in _JSON:
        record[name] = _value(record[name])
    return record


def _value(text: str | None) -> Json:
    """Return the value of a JSON text; the text itself where it is none."""
    if text is None:
        return None
    try:
        return loads(text)
    except ValueError:
        return text
