"""One eval over time, and the page to choose one."""

from collections.abc import Iterable, Sequence
from functools import partial

from regrade.addresses import EvalAddress, EvalsAddress, OverviewAddress, RunAddress
from regrade.dashboard.exports import Export
from regrade.dashboard.framing import no_runs_notice
from regrade.dashboard.histories import Gathered, gather_history, known_models, runs_of
from regrade.dashboard.page import Asked, NotFoundError, Page, Redirect, Shown
from regrade.dashboard.site import Site
from regrade.dashboard.spans import SPANS, start_of
from regrade.errors import did_you_mean
from regrade.pages.trend import TrendChoices, evals_page, trend_page
from regrade.report.history import History
from regrade.report.prices import price_chart, price_records
from regrade.report.times import ago, exact_time, parse_time
from regrade.report.trend import (
    change_rows,
    facts,
    panels,
    past_rows,
    thinned,
    ticks,
    trend_records,
)
from regrade.store import RunEntry
from regrade.types import JsonObject
from regrade.views import EvalLine, LinkView, NoticeView, TrendView

__all__ = ["PAGES", "choose", "show"]

_MOST_ROWS = 100
_MOST_CHANGES = 50
_PATIENCE_S = 120.0
_AGAINST = {"time": "Time", "cost": "Cost", "latency": "Latency"}


def choose(site: Site, asked: Asked[EvalsAddress]) -> Shown | Redirect:
    """Return all evals, those with the newest runs first; the one there is leads to its page at once."""
    every = site.index.runs()
    word = asked.address.q.casefold()
    by_name: dict[str, list[RunEntry]] = {}
    for run in every:
        for name in run.evals:
            by_name.setdefault(name, []).append(run)
    if len(by_name) == 1 and not asked.address.q and not asked.form:
        return Redirect(EvalAddress(next(iter(by_name))).url())
    found = [_eval_line(site, name, runs) for name, runs in by_name.items() if word in name.casefold()]
    records: list[JsonObject] = [
        {"eval": one.name, "runs": one.runs, "models": one.models, "newest": one.when_exact} for one in found
    ]
    return Shown(
        "Over time",
        partial(evals_page, evals=found, address=asked.address),
        Export.of("evals", records, ("eval", "runs", "models", "newest")),
        crumbs=(LinkView("Overview", OverviewAddress().url()),),
        notices=_none_to_choose(site, asked.address, len(by_name)) if not found else (),
    )


def _eval_line(site: Site, name: str, runs: Sequence[RunEntry]) -> EvalLine:
    began = parse_time(runs[0].started_at)
    models = {model for run in runs for model in _models_of(run, name)}
    href = RunAddress(runs[0].id, name).url()
    return EvalLine(
        name,
        EvalAddress(name).url(),
        len(runs),
        len(models),
        ago(began, site.now()),
        exact_time(began),
        href,
    )


def _none_to_choose(site: Site, address: EvalsAddress, count: int) -> tuple[NoticeView, ...]:
    if count:
        links = (LinkView(f"All {count} evals", EvalsAddress().url()),)
        return (NoticeView(f'No eval has "{address.q}" in its name', links=links),)
    return (no_runs_notice(site),)


def show(site: Site, asked: Asked[EvalAddress]) -> Shown | Redirect:
    """Return an eval over time; what is saved waits for the changes that are still computed."""
    address = asked.address
    if not address.eval:
        return Redirect(EvalsAddress().url())
    every = runs_of(site, address.eval, None)
    if not every:
        names = sorted({name for run in site.index.runs() for name in run.evals})
        hint = did_you_mean(address.eval, names)
        raise NotFoundError(f'no run of an eval "{address.eval}"', hint=hint)
    runs = runs_of(site, address.eval, start_of(address.since, site.now()))
    found = gather_history(site, runs, address)
    if asked.form == "html" and found[0].is_pending and site.changes.settle(_PATIENCE_S):
        found = gather_history(site, runs, address)
    view = _view(found[0], address)
    return Shown(
        f"{address.eval} over time",
        partial(trend_page, view=view, choices=_choices(site, every, found, address)),
        _export(found[0], view, address),
        crumbs=(LinkView("Overview", OverviewAddress().url()), LinkView("Over time", EvalsAddress().url())),
        notices=_notices(every, found, address),
    )


def _models_of(run: RunEntry, name: str) -> Iterable[str]:
    """Return the models of an eval in a run; a run that goes on may only know all of its own."""
    shape = run.shapes.get(name)
    return shape.models if shape is not None and shape.models else run.models


def _choices(site: Site, every: Sequence[RunEntry], found: Gathered, address: EvalAddress) -> TrendChoices:
    history, measures = found
    models = {model for run in every for model in _models_of(run, address.eval)}
    offered = [name for name in known_models(site.index.runs()) if name in models]
    return TrendChoices(address, {one.key: one.label for one in measures}, offered, history.slots)


def _view(history: History, address: EvalAddress) -> TrendView:
    spans = tuple(
        LinkView(text, address.url(since=span), span == address.since) for span, text in SPANS.items()
    )
    links = tuple(LinkView(text, address.url(by=by), by == address.by) for by, text in _AGAINST.items())
    if history.measure is None:
        return TrendView(address.eval, "", "", True, (), by=address.by, links=links, spans=spans)
    by = ("cost", "latency") if address.by == "time" else (address.by,)
    changes = change_rows(history)
    arms = history.arms
    several = len({prompt for prompt, _ in arms}) > 1
    is_scored = bool(history.measure.scorer)
    return TrendView(
        eval=address.eval,
        metric=history.measure.head,
        unit=history.measure.unit,
        higher=history.measure.higher,
        facts=facts(history),
        count=len(history.runs),
        ticks=ticks(history.runs),
        panels=panels(history),
        heads=tuple((prompt if several else "", model) for prompt, model in arms),
        changes=tuple(changes[:_MOST_CHANGES]),
        more_changes=max(0, len(changes) - _MOST_CHANGES),
        rows=tuple(past_rows(history, _MOST_ROWS)),
        more_rows=max(0, len(history.runs) - _MOST_ROWS),
        prices=tuple(price_chart(history, one, address) for one in by) if is_scored else (),
        baseline=history.baseline if history.base else "",
        thinned=thinned(history),
        is_pending=history.is_pending,
        by=address.by,
        links=links,
        spans=spans,
    )


_POINTS = (
    *("run", "started_at", "status", "commit", "eval", "prompt", "model", "scorer", "metric", "better"),
    *(
        "value",
        "low",
        "high",
        "level",
        "n",
        "n_failed",
        "dataset",
        "scorer_hash",
        "prompt_hash",
        "model_hash",
    ),
)


def _export(history: History, view: TrendView, address: EvalAddress) -> Export:
    if address.by == "time":
        return Export(f"{address.eval} over time", _POINTS, lambda: iter([trend_records(history)]))
    price = "latency" if address.by == "latency" else "cost_per_1000"
    columns = ("eval", "prompt", "model", "run", "scorer", "metric", "value", "low", "high", price)
    records = [record for chart in view.prices for record in price_records(history, chart)]
    return Export.of(f"{address.eval} by {address.by}", records, (*columns, "nobody_beats", "remark"))


def _notices(every: Sequence[RunEntry], found: Gathered, address: EvalAddress) -> tuple[NoticeView, ...]:
    """Return what stands in the place of lines where there are none, and what to know of those there are."""
    history, measures = found
    if not history.runs:
        if address.since != "any":
            links = (
                LinkView(f"Without since = {address.since}: {len(every)} runs", address.url(since="any")),
            )
            return (NoticeView(f"No run of {address.eval} in the last {SPANS[address.since]}", links=links),)
        text = "Runs that are going on, or ended early, hold no values."
        return (NoticeView(f"No run of {address.eval} has results yet", text),)
    if history.measure is None:
        links = (LinkView("The main metric", address.without("metric").url()),)
        if address.metric:
            text = f"There are: {', '.join(one.key for one in measures[:12])}."
            return (NoticeView(f"No run of {address.eval} has a metric {address.metric}", text, links=links),)
        return (NoticeView(f"The runs of {address.eval} hold no numbers"),)
    return (*_lost(history, address), *_alone(history))


def _lost(history: History, address: EvalAddress) -> list[NoticeView]:
    """Say which models that were asked for are not there, and where there is no value at all."""
    found = []
    if gone := [name for name in address.model if name not in history.models]:
        links = (LinkView("All models", address.url(model=())),)
        found.append(NoticeView(f"No values of {', '.join(gone)}", "Not in these runs.", links=links))
    arms = history.arms
    if arms and not any(history.value(run, arm) for run in history.runs for arm in arms):
        assert history.measure
        failed = sum(
            row.n_failed for run in history.runs for arm in arms if (row := run.row(arm, "", "failure_rate"))
        )
        text = (
            f"{failed:,} requests failed; the table leads to them." if failed else "The table says why not."
        )
        head = f"No value of {history.measure.label} in any of these runs"
        found.append(NoticeView(head, text, kind="failure" if failed else "none"))
    return found


def _alone(history: History) -> list[NoticeView]:
    if len(history.runs) > 1:
        return []
    return [NoticeView("One run, no line yet", "A second run of this eval begins one.", "regrade run evals")]


PAGES = (
    Page(EvalsAddress, choose, place="Over time", front=True),
    Page(EvalAddress, show, place="Over time"),
)
