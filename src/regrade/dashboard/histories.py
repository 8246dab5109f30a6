"""The history of one eval: its runs with their values, and the baseline's."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime

from regrade.addresses import EvalAddress
from regrade.comparisons import Change
from regrade.dashboard.changes import Found, Pending
from regrade.dashboard.site import Site
from regrade.errors import RegradeError
from regrade.report.history import History, Measure, PastRun, arms_of, changes_of, measures_of, slots_of
from regrade.report.setups import Part, told_between
from regrade.report.times import parse_time
from regrade.store import BaselineFile, EvalShape, RunEntry

__all__ = ["Gathered", "gather_history", "known_models", "runs_of"]

Gathered = tuple[History, list[Measure]]
"""What a page shows, and every metric that it could show."""

_COMMIT = 7
_MOST_TOLD = 50


def runs_of(site: Site, name: str, start: datetime | None) -> list[RunEntry]:
    """Return the runs of an eval that have begun to give results, the newest first."""
    return site.index.runs(evals=[name], since=start)


def known_models(runs: Iterable[RunEntry]) -> list[str]:
    """Return all models in the order in which the results folders got to know them.

    Args:
        runs: The newest first.
    """
    return list(dict.fromkeys(model for run in reversed(list(runs)) for model in run.models))


def gather_history(site: Site, runs: Sequence[RunEntry], address: EvalAddress) -> Gathered:
    """Return the history of an eval over some runs.

    Args:
        site: Where results lie.
        runs: The newest first.
        address: Of the page: eval, metric and models.
    """
    past = [(entry, run) for entry in reversed(runs) if (run := _past(site, entry, address.eval)).table]
    found = [run for _, run in past]
    known = known_models(site.index.runs())
    there = {row.model for run in found for row in run.rows}
    models = [name for name in known if name in there and (not address.model or name in address.model)]
    measures = measures_of(found)
    named = (one for one in measures if one.key == address.metric)
    measure = next(named, None) if address.metric else next(iter(measures), None)
    history = History(address.eval, found, measure, models, slots_of(known, models), arms_of(found, models))
    if past and measure is not None:
        history = _with_words(history, [entry for entry, _ in past])
        history = _with_baseline(site, history, past[-1][0])
    return history, measures


def _with_words(history: History, entries: Sequence[RunEntry]) -> History:
    """Return the history with how its newest changes are otherwise, from the manifests of their runs."""
    told: dict[tuple[str, str], dict[Part, str]] = {}
    for one in changes_of(history)[-_MOST_TOLD:]:
        before, after = entries[one.since], entries[one.place]
        if one.before and (before.id, after.id) not in told:
            with suppress(RegradeError):
                a, b = (asdict(run.manifest()) for run in (before, after))
                told[before.id, after.id] = told_between(a, b, history.eval)
    return replace(history, told=told)


def _past(site: Site, entry: RunEntry, name: str) -> PastRun:
    shape = entry.shapes.get(name) or EvalShape()
    commit = str(entry.git.get("commit") or "")[:_COMMIT]
    return PastRun(
        id=entry.id,
        began=parse_time(entry.started_at),
        status=entry.status,
        commit=f"{commit} + changes" if commit and entry.git.get("changed") else commit,
        samples=shape.samples,
        dataset=shape.dataset,
        scorers=shape.scorers,
        prompts=shape.prompts,
        models=shape.models,
        table={
            (row.prompt, row.model, row.scorer, row.metric): row
            for row in site.index.summary(entry, slices=False)
            if row.eval == name
        },
    )


def _with_baseline(site: Site, history: History, newest: RunEntry) -> History:
    """Return the history with the values of the baseline, and what changed since it."""
    name = site.baselines.chosen([newest.results], "")
    file = site.baselines.find(newest.results, name)
    if file is None or not file.shares([history.eval]):
        return history
    measure = history.measure
    assert measure
    since: dict[tuple[str, str], Change] = {}
    is_pending = False
    if measure.scorer and file.header.get("run") != newest.id:
        outcome = site.changes.between(file.path, newest.path)
        is_pending = isinstance(outcome, Pending)
        since = _since(outcome, history, measure) if isinstance(outcome, Found) else {}
    own, base = _of_its_run(site, file, history, measure)
    values = {arm: one.value_a for arm, one in since.items() if one.value_a is not None}
    return replace(
        history,
        baseline=file.name,
        base={**values, **base},
        basis=own.basis(measure.scorer) if own else ("", ""),
        since=since,
        is_pending=is_pending,
    )


def _since(outcome: Found, history: History, measure: Measure) -> dict[tuple[str, str], Change]:
    return {
        (one.prompt_b, one.model_b): one
        for one in outcome.changes
        if one.eval == history.eval
        and (one.prompt_a, one.model_a) == (one.prompt_b, one.model_b)
        and (one.scorer, one.metric) == (measure.scorer, measure.metric)
    }


def _of_its_run(
    site: Site, file: BaselineFile, history: History, measure: Measure
) -> tuple[PastRun | None, dict[tuple[str, str], float]]:
    """Return the run that the baseline is of, where it is still there, and its values."""
    wanted = str(file.header.get("run"))
    entry = next((one for one in site.index.runs(evals=[history.eval]) if one.id == wanted), None)
    if entry is None:
        return None, {}
    run = _past(site, entry, history.eval)
    key = (measure.scorer, measure.metric)
    rows = [row for row in run.rows if (row.scorer, row.metric) == key]
    return run, {(row.prompt, row.model): row.value for row in rows if row.value is not None}
