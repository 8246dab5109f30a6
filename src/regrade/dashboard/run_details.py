"""What the samples of a run tell beyond its summary; counted once a run, and kept while that is open."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from regrade.addresses import RunAddress, SamplesAddress
from regrade.dashboard.opened import OpenRun
from regrade.dashboard.site import Site
from regrade.errors import StoreError
from regrade.report.run import ArmTally
from regrade.report.run_details import ConfusionFacts, SpreadFacts
from regrade.store import RunEntry
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


def details_of(site: Site, run: RunEntry, evals: Sequence[str], address: RunAddress) -> Details:
    """Return the details of a run.

    Args:
        site: Where it lies.
        run: The run.
        evals: Those that are shown; the first has its details shown.
        address: Which prompt and model were chosen.
    """
    name = evals[0] if evals else ""
    rows = [row for row in site.index.summary(run, slices=False) if row.eval == name]
    arms = list(dict.fromkeys((row.prompt, row.model) for row in rows))
    try:
        with site.runs.use(run.folder) as one:
            return _details(one, run, (tuple(evals), rows, arms), address)
    except StoreError as error:
        return Details(eval=name, arms=arms, problem=error.message)


def tallies_of(details: Details) -> dict[str, dict[_Arm, ArmTally]]:
    """Return how many answers came to what, by eval, prompt and model."""
    found: dict[str, dict[_Arm, ArmTally]] = {}
    for one in details.counts:
        tally = ArmTally(one["wrong"], one["failure"])
        found.setdefault(one["eval"], {})[one["prompt"], one["model"]] = tally
    return found


def _details(
    one: OpenRun,
    run: RunEntry,
    shown: tuple[tuple[str, ...], Sequence[SummaryRow], Sequence[_Arm]],
    address: RunAddress,
) -> Details:
    from regrade.store.sample_arms import arm_counts, failure_groups, spending
    from regrade.store.sample_filters import SampleQuery

    evals, rows, arms = shown
    query, name = SampleQuery(evals=evals), evals[0]
    counts = one.kept(("run counts", evals), lambda: arm_counts(one.queries, query))
    failed = one.kept(("run failures", evals), lambda: failure_groups(one.queries, query))
    spent = one.kept(("run spending", evals), lambda: spending(one.queries, query))
    arm = _chosen(arms, address)
    samples = SamplesAddress(
        run.id, eval=name, prompt=arm[0] if len({prompt for prompt, _ in arms}) > 1 else "", model=(arm[1],)
    )
    return Details(
        eval=name,
        arms=arms,
        arm=arm,
        counts=[asdict(each) for each in counts],
        failures=[asdict(each) for each in failed],
        spending=[asdict(each) for each in spent],
        spreads=_spreads(one, name, rows),
        confusions=_confusions(one, name, arm, samples),
    )


def _chosen(arms: Sequence[_Arm], address: RunAddress) -> _Arm:
    fitting = [
        arm for arm in arms if arm[1] == (address.model or arm[1]) and arm[0] == (address.prompt or arm[0])
    ]
    return next(iter(fitting), arms[0] if arms else ("", ""))


def _spreads(one: OpenRun, name: str, rows: Sequence[SummaryRow]) -> list[SpreadFacts]:
    from regrade.store.sample_arms import spread
    from regrade.store.sample_filters import SampleQuery

    facts = []
    for column, (head, metrics) in _SPREADS.items():
        found = one.kept(
            ("run spread", name, column),
            lambda column=column: spread(one.queries, SampleQuery(evals=(name,)), column),  # type: ignore[misc] # mypy knows no default of a lambda
        )
        if found is None:
            continue
        marks: Mapping[_Arm, Sequence[tuple[str, float]]] = (
            _marks(rows, metrics)
            if metrics
            else {arm: [("median", value)] for arm, value in found.medians.items()}
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


def _confusions(one: OpenRun, name: str, arm: _Arm, samples: SamplesAddress) -> list[ConfusionFacts]:
    from regrade.store.sample_arms import labelled
    from regrade.store.sample_figures import confusion
    from regrade.store.sample_filters import SampleQuery

    scorers = one.kept(("run labels", name), lambda: labelled(one.queries, name))
    query = SampleQuery(evals=(name,), prompts=(arm[0],), models=(arm[1],))
    facts = []
    for scorer in scorers:
        found = one.kept(
            ("run confusion", name, arm, scorer),
            lambda scorer=scorer: confusion(one.queries, query, scorer),  # type: ignore[misc] # likewise
        )
        if found.expected:
            facts.append(ConfusionFacts(scorer, found.expected, found.found, found.counts, samples))
    return facts
