"""What the samples of a run tell beyond its summary; counted once a run, and kept while that is open."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from regrade.addresses import RunAddress, SamplesAddress
from regrade.dashboard.site import Site
from regrade.errors import QueryStoppedError, StoreError
from regrade.report.run import ArmTally
from regrade.report.run_details import ConfusionFacts, SpreadFacts
from regrade.store import RunEntry
from regrade.store.parquet_base import Cancellation
from regrade.store.sample_filters import SampleQuery
from regrade.types import JsonObject, SummaryRow

__all__ = ["Details", "details_of", "tallies_of"]

_SPREADS = {
    "latency_s": ("Latency, without waits for queue and retries", ("latency_p50", "latency_p95")),
    "ttft_s": ("Time to the first token", ("ttft_p50",)),
    "prompt_tokens": ("Tokens of the prompt", ()),
    "completion_tokens": ("Tokens of the answer", ()),
}
_Arm = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Details:
    """What the samples tell.

    Attributes:
        eval: Whose details they are.
        arms: Its prompts and models, in order.
        arm: That of the confusion matrix.
        counts: Of every arm of the run: total, right, wrong, failure.
        failures: Of the evals that are shown, the most frequent first.
        spending: Likewise, by arm, judges apart.
        spreads: Of the numbers that some arm has.
        confusions: One a scorer with labels.
        problem: Why there are none.
        remedy: The command that helps, where one is known.
    """

    eval: str = ""
    arms: Sequence[_Arm] = ()
    arm: _Arm = ("", "")
    counts: Sequence[JsonObject] = ()
    failures: Sequence[JsonObject] = ()
    spending: Sequence[JsonObject] = ()
    spreads: Sequence[SpreadFacts] = ()
    confusions: Sequence[ConfusionFacts] = field(default=())
    problem: str = ""
    remedy: str = ""


def details_of(
    site: Site, run: RunEntry, evals: Sequence[str], address: RunAddress, cancel: Cancellation
) -> Details:
    """Return the details of a run.

    Args:
        site: Where it lies.
        run: The run.
        evals: Those that are shown; the first has its details shown.
        address: Which prompt and model were chosen.
        cancel: Stops the counting.
    """
    name = evals[0] if evals else ""
    rows = [row for row in site.index.summary(run, slices=False) if row.eval == name]
    arms = list(dict.fromkeys((row.prompt, row.model) for row in rows))
    try:
        with site.runs.use(run.folder) as one:
            return _details(partial(one.asked, cancel), run, (tuple(evals), rows, arms), address)
    except QueryStoppedError:
        raise
    except StoreError as error:
        return Details(eval=name, arms=arms, problem=error.message, remedy=error.hint or "")


def tallies_of(details: Details) -> dict[str, dict[_Arm, ArmTally]]:
    """Return how many answers came to what, by eval, prompt and model."""
    found: dict[str, dict[_Arm, ArmTally]] = {}
    for one in details.counts:
        tally = ArmTally(one["wrong"], one["failure"])
        found.setdefault(one["eval"], {})[one["prompt"], one["model"]] = tally
    return found


def _details(
    ask: Callable[..., Any],
    run: RunEntry,
    shown: tuple[tuple[str, ...], Sequence[SummaryRow], Sequence[_Arm]],
    address: RunAddress,
) -> Details:
    from regrade.store.sample_arms import arm_counts, failure_groups, spending

    evals, rows, arms = shown
    query, name = SampleQuery(evals=evals), evals[0]
    arm = _chosen(arms, address)
    samples = SamplesAddress(
        run.id, eval=name, prompt=arm[0] if len({prompt for prompt, _ in arms}) > 1 else "", model=(arm[1],)
    )
    return Details(
        eval=name,
        arms=arms,
        arm=arm,
        counts=[asdict(each) for each in ask(arm_counts, query)],
        failures=[asdict(each) for each in ask(failure_groups, query)],
        spending=[asdict(each) for each in ask(spending, query)],
        spreads=_spreads(ask, name, rows),
        confusions=_confusions(ask, name, arm, samples),
    )


def _chosen(arms: Sequence[_Arm], address: RunAddress) -> _Arm:
    fitting = [
        arm for arm in arms if arm[1] == (address.model or arm[1]) and arm[0] == (address.prompt or arm[0])
    ]
    return next(iter(fitting), arms[0] if arms else ("", ""))


def _spreads(ask: Callable[..., Any], name: str, rows: Sequence[SummaryRow]) -> list[SpreadFacts]:
    from regrade.store.sample_arms import medians, spread

    facts, query = [], SampleQuery(evals=(name,))
    for column, (head, metrics) in _SPREADS.items():
        found = ask(spread, query, column)
        if found is None:
            continue
        marks: Mapping[_Arm, Sequence[tuple[str, float]]] = (
            _marks(rows, metrics)
            if metrics
            else {arm: [("median", value)] for arm, value in ask(medians, query, column).items()}
        )
        facts.append(SpreadFacts(head, column.endswith("_s"), found.edges, found.counts, marks, found.beyond))
    return facts


def _marks(rows: Sequence[SummaryRow], metrics: Sequence[str]) -> dict[_Arm, list[tuple[str, float]]]:
    """Return the quantiles that the summary has, so that they are the same everywhere."""
    found: dict[_Arm, list[tuple[str, float]]] = {}
    for metric in metrics:
        for row in rows:
            if not row.scorer and row.metric == metric and row.value is not None:
                found.setdefault((row.prompt, row.model), []).append((metric.rpartition("_")[2], row.value))
    return found


def _confusions(
    ask: Callable[..., Any], name: str, arm: _Arm, samples: SamplesAddress
) -> list[ConfusionFacts]:
    from regrade.store.sample_arms import labelled
    from regrade.store.sample_figures import confusion

    query = SampleQuery(evals=(name,), prompts=(arm[0],), models=(arm[1],))
    facts = []
    for scorer in ask(labelled, name):
        found = ask(confusion, query, scorer)
        if found.expected:
            facts.append(ConfusionFacts(scorer, found.expected, found.found, found.counts, samples))
    return facts
