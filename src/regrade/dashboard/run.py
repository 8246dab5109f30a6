"""One run: what came out, what failed, what it took, and what was run."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from functools import partial

from regrade.addresses import (
    CompareAddress,
    EvalAddress,
    GatesAddress,
    LiveAddress,
    OverviewAddress,
    RunAddress,
    RunsAddress,
    SamplesAddress,
)
from regrade.dashboard.exports import FORMATS, Export
from regrade.dashboard.matrix import rows_of_run
from regrade.dashboard.page import Asked, Page, Shown
from regrade.dashboard.run_details import Details, details_of, tallies_of
from regrade.dashboard.run_notices import RunFound, check_export, has_samples, run_notices
from regrade.dashboard.runs import elapsed_of, facts_of
from regrade.dashboard.site import Site
from regrade.dashboard.watching import state_of
from regrade.errors import StoreError
from regrade.pages.errors import error_page
from regrade.pages.run import run_page
from regrade.report.history import slots_of
from regrade.report.manifest import manifest_view
from regrade.report.progress import format_span, progress_records, progress_view
from regrade.report.run import EvalFacts, arm_records, eval_table
from regrade.report.run_details import (
    confusion_records,
    confusion_view,
    cost_rows,
    failure_row,
    spread_records,
    spreads_view,
)
from regrade.report.runs import STATES, RunFacts
from regrade.report.summary import summary_tables
from regrade.report.times import ago, exact_time, parse_time
from regrade.store import RunEntry
from regrade.types import JsonObject, SummaryRow
from regrade.views import LinkView, NoticeView, RunView

__all__ = ["PAGES", "drawn_at", "show"]

_PATIENCE_S = 60.0
_FIRST_LOOK_S = 2.0
_FAILURES_SHOWN = 30
_NAMES = 3


_ARM = ("eval", "prompt", "model")
_SUMMARY = tuple(one.name for one in fields(SummaryRow))
_COLUMNS = {
    "models": (*_SUMMARY, "rank", "tied", "wrong"),
    "slices": _SUMMARY,
    "confusion": (*_ARM, "scorer", "expected", "found", "count"),
    "failures": (*_ARM, "kind", "stage", "count", "message", "attempts"),
    "histograms": (*_ARM, "measure", "low", "high", "count"),
    "costs": (*_ARM, "judged", "requests", "cached", "prompt_tokens", "completion_tokens", "cost_usd"),
    "progress": (
        "model",
        "planned",
        "done",
        "failed",
        "retried",
        "prompt_tokens",
        "completion_tokens",
        "cost_usd",
    ),
}


def show(site: Site, asked: Asked[RunAddress]) -> Shown:
    """Return the page; what is saved or exported waits for the changes that are still computed."""
    address = asked.address
    try:
        run = site.index.find(address.run)
    except StoreError:
        if asked.form in FORMATS:
            raise
        return _problem(site, address)
    found = _found(site, run, asked)
    if asked.form and any(_pending(one) for one in found.evals) and site.changes.settle(_PATIENCE_S):
        found = _found(site, run, asked)
    if asked.form in FORMATS:
        check_export(found)
    return Shown(
        f"Run {run.id}",
        partial(run_page, view=_view(found)),
        _export(found),
        crumbs=_crumbs(run),
        notices=run_notices(found),
        links=_links(run, found),
    )


def drawn_at(site: Site) -> str:
    """Say as of when a progress is."""
    return f"As of {site.now():%H:%M:%S} UTC. Stopping this server does not stop the run."


def _found(site: Site, run: RunEntry, asked: Asked[RunAddress]) -> RunFound:
    now, address = site.now(), asked.address
    state = state_of(run, now)
    summary = site.index.summary(run)
    sight = None
    if state in {"running", "stopped"} or not summary:
        sight = site.watch.look(site.index, run, now, _FIRST_LOOK_S)
        run, state = sight.run, sight.state
    names = list(dict.fromkeys(row.eval for row in summary))
    chosen = [address.eval] if address.eval in names else names
    details = details_of(site, run, chosen, address, asked.cancel) if summary else Details()
    tallies = tallies_of(details)
    baseline = site.baselines.chosen([run.results], "")
    evals = [
        EvalFacts(rows, tallies.get(name, {}), address, baseline)
        for name in chosen
        if (rows := rows_of_run(site, run, name))
    ]
    return RunFound(site, address, run, facts_of(site, run, state), run.manifest(), sight, evals, details)


def _pending(facts: EvalFacts) -> bool:
    return any(one.pending for _, arm in facts.arms() for one in arm.since)


def _view(found: RunFound) -> RunView:
    run, site, details = found.run, found.site, found.details
    record, results = asdict(found.manifest), str(run.results)
    tables = tuple(eval_table(one, site.now()) for one in found.evals)
    gates = site.index.gates(run)
    gate = gates[-1] if gates else {}
    several = len({str(one["prompt"]) for one in details.counts}) > 1
    goes_on = found.facts.state == "running"
    progress = found.sight.progress if found.sight is not None else None
    return RunView(
        id=run.id,
        head=_head(run),
        kind=found.facts.kind,
        facts=tuple(_facts(found)),
        manifest=manifest_view(record, results, found.facts.state, found.address.eval),
        outcome=found.facts.outcome,
        paragraph=str(gate.get("paragraph") or ""),
        gate_note=_gate_note(gate, run),
        gate_href=GatesAddress(run=run.id).url(),
        actions=tuple(_actions(found)),
        live=LiveAddress(run.id).url() if goes_on else "",
        progress=None if progress is None else progress_view(progress, _elapsed(found), goes_on=goes_on),
        progress_drawn=drawn_at(site) if goes_on else "",
        tables=tables,
        evals=tuple(_evals(found)),
        eval=details.eval,
        arms=tuple(_arms(found)),
        slices=tuple(summary_tables(_sliced(found), slices=True)[1:]),
        confusions=tuple(confusion_view(one) for one in details.confusions),
        failures=tuple(
            failure_row(one, run.id, several_prompts=several) for one in details.failures[:_FAILURES_SHOWN]
        ),
        failures_more=max(0, len(details.failures) - _FAILURES_SHOWN),
        spreads=spreads_view(
            details.spreads, details.arms, _slots(site, [model for _, model in details.arms])
        ),
        costs=tuple(cost_rows(details.spending)) if _has_costs(details) else (),
        exports=tuple(_exports(found)),
        pending=any(one.pending for one in tables),
    )


def _has_costs(details: Details) -> bool:
    """Return whether anything is known: recorded answers have neither tokens nor a price."""
    known = ("cached", "prompt_tokens", "completion_tokens", "cost_usd")
    return any(one[name] for one in details.spending for name in known)


def _head(run: RunEntry) -> str:
    shown = ", ".join(run.evals[:_NAMES])
    more = f" and {len(run.evals) - _NAMES} more" if len(run.evals) > _NAMES else ""
    began = parse_time(run.started_at)
    return f"{shown}{more}, {began.day} {began:%b %Y, %H:%M}" if began else f"{shown}{more}"


def _facts(found: RunFound) -> list[str]:
    facts, run = found.facts, found.run
    _, word = STATES[facts.state]
    took = _took(facts)
    silent = f"; {facts.silent} of {len(run.models)} models answered nothing" if facts.silent else ""
    said = [f"{word} {took}".strip() + silent]
    said.append(f"began {ago(facts.began, found.site.now())} ({exact_time(facts.began)})")
    samples = sum(shape.samples for shape in run.shapes.values())
    if samples:
        said.append(f"{samples:,} samples × {len(run.models)} model{'' if len(run.models) == 1 else 's'}")  # noqa: RUF001 - the sign of times
    if facts.finished is not None:
        said.append(f"{facts.requests} requests, {facts.failed:,} failed")
    return said


def _took(facts: RunFacts) -> str:
    if facts.seconds is None:
        return ""
    return (
        f"in {format_span(facts.seconds)}"
        if facts.state == "success"
        else f"after {format_span(facts.seconds)}"
    )


def _elapsed(found: RunFound) -> float | None:
    """Return how long the run has been going on, or went on."""
    if found.facts.state == "running":
        return elapsed_of(found.site, found.run)
    return found.facts.seconds


def _gate_note(gate: JsonObject, run: RunEntry) -> str:
    """Return when a gate was and what it said as a whole; a run that went on since has other values."""
    if not gate:
        return ""
    at, ended = parse_time(str(gate.get("at") or "")), parse_time(run.finished_at)
    before = "; the run went on since: gate it again" if at and ended and at < ended else ""
    against = f" against {gate['baseline']}" if gate.get("baseline") else ""
    when = str(gate.get("at") or "")[:16].replace("T", " ")
    return f"{when}{against}, exit code {gate.get('exit_code', 0)}{before}".strip(" ,")


def _actions(found: RunFound) -> list[LinkView]:
    run, links = found.run, []
    if has_samples(run):
        links.append(LinkView("Read samples", SamplesAddress(run.id).url()))
    usual = found.site.baselines.fitting(run.results, run.evals, run.id)
    if usual is not None and found.facts.scored:
        links.append(LinkView(f"Compare with {usual.name}", CompareAddress(usual.name, run.id).url()))
    return links


def _evals(found: RunFound) -> list[LinkView]:
    """Return the choice of an eval, where there are several."""
    names = list(dict.fromkeys(row.eval for row in found.site.index.summary(found.run, slices=False)))
    if len(names) < 2:  # noqa: PLR2004 - a choice is among several
        return []
    address = found.address.without("prompt").without("model")
    return [
        LinkView("All", address.url(eval=""), current=found.address.eval not in names),
        *(LinkView(name, address.url(eval=name), current=name == found.address.eval) for name in names),
    ]


def _arms(found: RunFound) -> list[LinkView]:
    """Return the choice of an arm for the confusion matrix."""
    details = found.details
    several = len({prompt for prompt, _ in details.arms}) > 1
    return [
        LinkView(
            f"{prompt} {model}" if several else model,
            found.address.url(eval=details.eval, prompt=prompt if several else "", model=model),
            current=(prompt, model) == details.arm,
        )
        for prompt, model in details.arms
    ]


def _sliced(found: RunFound) -> list[SummaryRow]:
    return [row for row in found.site.index.summary(found.run) if row.eval == found.details.eval]


def _slots(site: Site, shown: Sequence[str]) -> dict[str, int]:
    """Return the colour of each model, the same on every page."""
    known = dict.fromkeys(model for run in reversed(site.index.runs()) for model in run.models)
    return slots_of(list(known), shown)


def _tables(found: RunFound) -> dict[str, Callable[[], list[JsonObject]]]:
    """Return what can be exported, by name."""
    details, arm = (
        found.details,
        dict(zip(("eval", "prompt", "model"), (found.details.eval, *found.details.arm), strict=True)),
    )
    progress = found.sight.progress if found.sight is not None else None
    tables: dict[str, Callable[[], list[JsonObject]]] = {
        "models": lambda: arm_records(found.evals),
        "slices": lambda: [asdict(row) for row in _sliced(found) if row.slice],
        "confusion": lambda: [one for each in details.confusions for one in confusion_records(each, arm)],
        "failures": lambda: list(details.failures),
        "histograms": lambda: [one for each in details.spreads for one in spread_records(each, details.eval)],
        "costs": lambda: list(details.spending),
        "manifest": lambda: [asdict(found.manifest)],
        "progress": lambda: [] if progress is None else progress_records(progress),
    }
    return tables


def _export(found: RunFound) -> Export:
    name = found.address.table
    rows = _tables(found)[name]()
    return Export.of(f"{found.run.id}-{name}", rows, _COLUMNS.get(name, ()))


def _exports(found: RunFound) -> list[tuple[str, tuple[LinkView, ...]]]:
    exports = []
    for name in _tables(found):
        own = found.address.url(table=name)
        joint = "&" if "?" in own else "?"
        links = [
            LinkView(form.upper() if form != "parquet" else "Parquet", f"{own}{joint}format={form}")
            for form in FORMATS
        ]
        exports.append((name, tuple(links)))
    return exports


def _crumbs(run: RunEntry) -> tuple[LinkView, ...]:
    links = [LinkView("Overview", OverviewAddress().url()), LinkView("Runs", RunsAddress().url())]
    if len(run.evals) == 1:
        links.append(LinkView(run.evals[0], EvalAddress(run.evals[0]).url()))
    return tuple(links)


def _links(run: RunEntry, found: RunFound) -> dict[str, str]:
    links = {"Gates": GatesAddress(run=run.id).url()} if found.facts.outcome else {}
    if run.evals:
        links["Over time"] = EvalAddress(found.details.eval or run.evals[0]).url()
    return {**links, "Samples": SamplesAddress(run.id).url()} if has_samples(run) else links


def _problem(site: Site, address: RunAddress) -> Shown:
    """Return the page of a run that is there and cannot be read."""
    one = next(one for one in site.index.problems() if one.path.name == address.run)
    command = "pip install -U regrade" if one.kind == "newer" else ""
    head = "This run is newer than this regrade" if one.kind == "newer" else "This run cannot be read"
    notice = NoticeView(head, f"{one.message}. {one.hint}".strip(), command, kind="unsure")
    return Shown(
        f"Run {address.run}",
        partial(error_page, notice=notice, number=""),
        crumbs=(LinkView("Runs", RunsAddress().url()),),
        status=503,
    )


PAGES = (Page(RunAddress, show, place="Runs"),)
