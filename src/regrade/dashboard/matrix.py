"""The facts of the overview: of each model on each eval the newest values, and what they stood at before."""

import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from regrade.addresses import OverviewAddress
from regrade.compare import ranks_of
from regrade.comparisons import Change
from regrade.dashboard.changes import Found, Pending
from regrade.dashboard.gates import gates_of
from regrade.dashboard.site import Site
from regrade.dashboard.spans import start_of
from regrade.dashboard.watching import RunState, state_of
from regrade.report.overview import ArmFacts, GateFacts, RowFacts, Since
from regrade.report.recorded import GRAVEST_FIRST, RecordedGate
from regrade.report.times import parse_time
from regrade.store import RunEntry
from regrade.types import SummaryRow

__all__ = ["Matrix", "gather", "rows_of_run"]


@dataclass(frozen=True, slots=True)
class Matrix:
    """What the overview is made from.

    Attributes:
        runs: All that fit the filters, newest first.
        rows: Evals with values, in the order of their newest run.
        models: All that have a value or a failure, in the order in which the results folder got to know them.
        baseline: Name of the one that changes are measured from; empty without one.
        ended: Those of `runs` that ended before they were done, and are the newest of one of their evals.
    """

    runs: Sequence[RunEntry]
    rows: Sequence[RowFacts]
    models: Sequence[str]
    baseline: str = ""
    ended: Sequence[tuple[RunEntry, RunState]] = ()


@dataclass(slots=True)
class _Places:
    """The newest run of an eval and model that has values, and the one before it."""

    newest: RunEntry
    before: RunEntry | None = None


@dataclass(slots=True)
class _Gatherer:
    site: Site
    baseline: str
    outcomes: dict[tuple[Path, Path], Found | Pending] = field(default_factory=dict)

    def since(self, reference: tuple[str, Path], to: Path) -> tuple[str, Found | Pending]:
        """Return what changed since a reference, named as `compare` takes it."""
        named, path = reference
        if (path, to) not in self.outcomes:
            self.outcomes[path, to] = self.site.changes.between(path, to)
        return named, self.outcomes[path, to]

    def references(self, eval_: str, places: _Places) -> Iterator[tuple[str, tuple[str, Path]]]:
        """Yield what the values of an eval are held against, where there is such."""
        run = places.newest
        file = self.site.baselines.find(run.results, self.baseline)
        if file is not None and file.shares([eval_]) and file.header.get("run") != run.id:
            yield "base", (file.name, file.path)
        if places.before is not None:
            yield "last", (places.before.id, places.before.path)


def gather(site: Site, address: OverviewAddress) -> Matrix:
    """Return the facts of the overview.

    Only summaries that hold the newest values of something are read, however many runs there are.

    Args:
        site: Where results lie.
        address: Which of them are wanted.
    """
    runs = site.index.runs(tags=[address.tag] if address.tag else None)
    start = start_of(address.since, site.now())
    places = _places(site, runs, start)
    wanted = [
        key
        for key, one in places.items()
        if (not address.eval or _fits(key[0], address.eval))
        and (not address.tag or address.tag in one.newest.tags_of(key[0]))
    ]
    baseline = site.baselines.chosen(site.index.folders, address.baseline)
    gatherer = _Gatherer(site, baseline)
    gates = _gates(site, runs, {name for name, _ in wanted})
    rows = []
    for name in dict.fromkeys(name for name, _ in wanted):
        of_eval = {model: places[name, model] for of, model in wanted if of == name}
        rows += _rows(gatherer, name, of_eval, gates.get(name))
    known = dict.fromkeys(model for run in reversed(site.index.runs()) for model in run.models)
    there = {model for row in rows for model in row.arms}
    shown = [run for run in runs if start is None or _began(run) >= start]
    ended = list(_ended(site, shown, address.eval))
    return Matrix(shown, rows, [one for one in known if one in there], baseline, ended)


def _ended(site: Site, runs: Sequence[RunEntry], eval_: str) -> Iterator[tuple[RunEntry, RunState]]:
    """Yield runs that ended early, unless newer ones hold their evals; what failed as a whole has values."""
    newer: set[str] = set()
    for run in runs:
        own = {name for name in run.evals if not eval_ or _fits(name, eval_)} - newer
        newer.update(run.evals)
        if not own:
            continue
        state = state_of(run, site.now())
        has_values = state == "error" and bool(site.index.summary(run, slices=False))
        if state not in {"running", "success"} and not has_values:
            yield run, state


def rows_of_run(site: Site, run: RunEntry, name: str) -> list[RowFacts]:
    """Return the facts of one eval of a run, one a prompt: values, ranks, changes since the baseline.

    Args:
        site: Where results lie.
        run: The run.
        name: The eval.
    """
    gatherer = _Gatherer(site, site.baselines.chosen([run.results], ""))
    models = dict.fromkeys(row.model for row in site.index.summary(run, slices=False) if row.eval == name)
    return _rows(gatherer, name, dict.fromkeys(models, _Places(run)), None) if models else []


def _began(run: RunEntry) -> datetime:
    return parse_time(run.started_at) or datetime.fromtimestamp(0, UTC)


def _fits(name: str, pattern: str) -> bool:
    """Return whether a name is the pattern, holds it, or fits it as a glob."""
    return fnmatch.fnmatchcase(name.casefold(), pattern.casefold()) or pattern.casefold() in name.casefold()


def _places(site: Site, runs: Sequence[RunEntry], start: datetime | None) -> dict[tuple[str, str], _Places]:
    found: dict[tuple[str, str], _Places] = {}
    complete: set[tuple[str, str]] = set()
    for run in runs:
        keys = [(name, model) for name in run.evals for model in _models_of(run, name)]
        for key in keys:
            known = found.get(key)
            if known is None or key in complete or run.status != "success":
                continue
            if run.results == known.newest.results:
                known.before = run
                complete.add(key)
        new = [key for key in keys if key not in found]
        if not new or (start is not None and _began(run) < start):
            continue
        there = {(row.eval, row.model) for row in site.index.summary(run, slices=False)}
        found |= {key: _Places(run) for key in new if key in there}
    return found


def _models_of(run: RunEntry, name: str) -> Iterable[str]:
    shape = run.shapes.get(name)
    return shape.models if shape is not None and shape.models else run.models


def _gates(site: Site, runs: Sequence[RunEntry], evals: set[str]) -> dict[str, GateFacts]:
    """Return the newest gate of each eval."""
    found: dict[str, GateFacts] = {}
    for run in runs:
        if evals <= found.keys():
            break
        if evals.isdisjoint(run.evals):
            continue
        lines = gates_of(site, run)
        for name in evals.intersection(run.evals) - found.keys():
            own = [gate for gate in reversed(lines) if gate.records_of(name)]
            if own:
                found[name] = _gate(name, own, run)
    return found


def _gate(name: str, gates: Sequence[RecordedGate], run: RunEntry) -> GateFacts:
    """Return the newest of the gates of an eval in a run."""
    newest, outcome, ended = gates[0], gates[0].outcome_of(name), parse_time(run.finished_at)
    stale = ended is not None and newest.at is not None and newest.at < ended
    before = [] if stale else [gate for gate in gates[1:] if not (ended and gate.at and gate.at < ended)]
    graver = GRAVEST_FIRST[: GRAVEST_FIRST.index(outcome)]
    worse = [(at, gate.nth) for at in graver for gate in before if gate.outcome_of(name) == at]
    return GateFacts(
        run=run.id,
        nth=newest.nth,
        at=newest.at,
        verdicts=newest.records_of(name),
        exit_code=newest.exit_code,
        outcome=outcome,
        stale=stale,
        graver=next(iter(worse), None),
    )


def _rows(
    gatherer: _Gatherer, name: str, of_eval: Mapping[str, _Places], gate: GateFacts | None
) -> list[RowFacts]:
    """Return one row a prompt."""
    newest = max((one.newest for one in of_eval.values()), key=lambda run: (run.started_at, run.id))
    arms: dict[str, dict[str, ArmFacts]] = {}
    for model, places in of_eval.items():
        rows = [
            row
            for row in gatherer.site.index.summary(places.newest, slices=False)
            if (row.eval, row.model) == (name, model)
        ]
        for prompt in dict.fromkeys(row.prompt for row in rows):
            own = [row for row in rows if row.prompt == prompt]
            began = parse_time(places.newest.started_at)
            arms.setdefault(prompt, {})[model] = ArmFacts(model, places.newest.id, began, own)
    found = []
    for prompt, of_prompt in arms.items():
        facts = RowFacts(
            name,
            prompt,
            len(arms) > 1,
            newest.id,
            parse_time(newest.started_at),
            newest.tags_of(name),
            of_prompt,
        )
        metric = facts.metric()
        ranked = _ranked(gatherer.site, newest, facts, metric)
        full = {
            model: replace(arm, since=_since(gatherer, facts, arm, of_eval[model], metric))
            for model, arm in ranked.items()
        }
        found.append(replace(facts, arms=full, gate=gate))
    return found


def _ranked(site: Site, run: RunEntry, facts: RowFacts, metric: tuple[str, str]) -> dict[str, ArmFacts]:
    """Return the arms with ranks among the models of the newest run, by its paired tests."""
    changes = [
        Change(run_a=run.id, run_b=run.id, **row)
        for row in site.index.comparisons(run)
        if row["eval"] == facts.eval
        and row["prompt_a"] == row["prompt_b"] == facts.prompt
        and (row["scorer"], row["metric"]) == metric
    ]
    own = [arm for arm in facts.arms.values() if arm.run == run.id and _has_value(arm.main(metric))]
    if not changes or len(own) < 2:  # noqa: PLR2004 - a rank is among several
        return dict(facts.arms)
    ranks = ranks_of([arm.model for arm in own], changes)
    return {
        model: replace(arm, rank=ranks[model].place, tied=ranks[model].tied, ranked=len(own))
        if arm in own
        else arm
        for model, arm in facts.arms.items()
    }


def _has_value(row: SummaryRow | None) -> bool:
    return row is not None and row.value is not None


def _since(
    gatherer: _Gatherer, facts: RowFacts, arm: ArmFacts, places: _Places, metric: tuple[str, str]
) -> list[Since]:
    found = []
    for name, reference in gatherer.references(facts.eval, places):
        named, outcome = gatherer.since(reference, places.newest.path)
        if isinstance(outcome, Pending):
            found.append(Since(name, named, pending=True))
            continue
        change = next(
            (
                one
                for one in outcome.changes
                if (one.eval, one.prompt_b) == (facts.eval, facts.prompt)
                and one.model_a == one.model_b == arm.model
                and (one.scorer, one.metric) == metric
            ),
            None,
        )
        found.append(Since(name, named, change, problem=outcome.problem))
    return found
