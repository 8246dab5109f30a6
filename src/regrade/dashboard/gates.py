"""Gates: verdicts over time, and why one came out as it did."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from regrade.addresses import GatesAddress, OverviewAddress
from regrade.dashboard.exports import Export
from regrade.dashboard.page import Asked, Page, Shown
from regrade.dashboard.site import Site
from regrade.pages.gates import GateChoices, gates_page
from regrade.report.gates import Baseline, gate_records, gate_rows, gate_view, start_with, strips
from regrade.report.recorded import RecordedGate
from regrade.report.summary import leading_metric
from regrade.report.times import parse_time
from regrade.store import RunEntry
from regrade.views import GatesView, LinkView, NoticeView

__all__ = ["PAGES", "gates_of", "gather_gates", "show"]

_WIDTH = 24
_PER_PAGE = 50
_MOST_STRIPS = 40
_USUAL = "main"
_COMMIT = 7
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def gather_gates(site: Site) -> list[RecordedGate]:
    """Return all gates of all runs, the newest first."""
    found: list[RecordedGate] = []
    for run in site.index.runs():
        found += gates_of(site, run)
    found.sort(key=lambda gate: (gate.at or _LONG_AGO, gate.run, gate.nth), reverse=True)
    return found


def gates_of(site: Site, run: RunEntry) -> list[RecordedGate]:
    """Return the gates of one run, the newest last."""
    lines = site.index.gates(run)
    commit = str(run.git.get("commit") or "")[:_COMMIT]
    found = []
    for place, line in enumerate(lines):
        at = parse_time(str(line.get("at") or "")) or parse_time(run.started_at)
        where = (run.id, place + 1, len(lines))
        found.append(RecordedGate.read(line, where, run.evals, at=at, commit=commit))
    return found


def show(site: Site, asked: Asked[GatesAddress]) -> Shown:
    """Return strips, one gate with its rules, and the history."""
    address = asked.address
    every = gather_gates(site)
    of_eval = [gate for gate in every if not address.eval or address.eval in gate.evals]
    fitting = [
        gate
        for gate in of_eval
        if address.outcome == "any" or gate.outcome_of(address.eval).casefold() == address.outcome
    ]
    chosen = _chosen(of_eval if address.run else fitting, address)
    view = _view(site, (every, fitting), chosen, address)
    evals = tuple(dict.fromkeys(name for gate in every for name in gate.evals))
    return Shown(
        "Gates",
        partial(gates_page, view=view, choices=GateChoices(address, evals)),
        _export(fitting, address.eval),
        crumbs=(LinkView("Overview", OverviewAddress().url()),),
        notices=_notices((every, of_eval, fitting), chosen, address)
        if every
        else (_none_yet(address, has_baseline=bool(site.baselines.names(site.index.folders))),),
    )


def _export(gates: Sequence[RecordedGate], name: str) -> Export:
    """Return every verdict; put together when it is asked for."""
    first = next(gate_records(gates, name), {"gate_at": None, "gate_run": None})
    return Export("gates", tuple(first), lambda: iter([list(gate_records(gates, name))]))


def _chosen(gates: Sequence[RecordedGate], address: GatesAddress) -> RecordedGate | None:
    """Return the gate that is explained: the one that is named, else the newest."""
    if not address.run:
        return next(iter(gates), None)
    of_run = [gate for gate in gates if gate.run == address.run]
    if not address.nth:
        return max(of_run, key=lambda gate: gate.nth, default=None)
    return next((gate for gate in of_run if gate.nth == address.nth), None)


def _view(
    site: Site,
    gates: tuple[Sequence[RecordedGate], Sequence[RecordedGate]],
    chosen: RecordedGate | None,
    address: GatesAddress,
) -> GatesView:
    every, fitting = gates
    if not every:
        baseline = site.baselines.chosen(site.index.folders, "") or _USUAL
        return GatesView(start=start_with(_some_metric(site), baseline))
    drawn = strips(every, chosen, _WIDTH)
    if address.eval:
        drawn = [one for one in drawn if one.eval == address.eval]
    start, newer, older = _page(fitting, address)
    shown = fitting[start : start + _PER_PAGE]
    siblings = [gate for gate in every if chosen is not None and gate.run == chosen.run]
    evals = len({name for gate in every for name in gate.evals})
    said = f"{start + 1:,} to {start + len(shown):,} of {len(fitting):,}" if shown else "none"
    return GatesView(
        facts=(
            f"{len(every):,} gate{'' if len(every) == 1 else 's'}",
            f"{evals:,} eval{'' if evals == 1 else 's'} with rules",
        ),
        strips=tuple(drawn[:_MOST_STRIPS]),
        width=max((len(one.cells) + one.blank for one in drawn), default=1),
        more_strips=max(0, len(drawn) - _MOST_STRIPS),
        gate=gate_view(chosen, siblings, _baseline(site, chosen), address.eval) if chosen else None,
        rows=tuple(gate_rows(shown, chosen, address)),
        rows_said=said,
        newer=newer,
        older=older,
    )


def _page(
    gates: Sequence[RecordedGate], address: GatesAddress
) -> tuple[int, LinkView | None, LinkView | None]:
    """Return where the page begins, and the pages beside it."""
    keys = [_key(gate) for gate in gates]
    start = keys.index(address.after) + 1 if address.after in keys else 0
    before = start - _PER_PAGE
    newer = LinkView("Newer", address.url(after=keys[before - 1] if before > 0 else "")) if start else None
    end = start + _PER_PAGE
    older = LinkView("Older", address.url(after=keys[end - 1])) if end < len(gates) else None
    return start, newer, older


def _key(gate: RecordedGate) -> str:
    return f"{gate.run}.{gate.nth}"


def _some_metric(site: Site) -> str:
    """Return a metric that a rule could be about: that of the newest run with results."""
    for run in site.index.runs()[:_PER_PAGE]:
        scorer, metric = leading_metric(site.index.summary(run, slices=False))
        if scorer:
            return f"{scorer}.{metric}"
    return "accuracy"


def _baseline(site: Site, gate: RecordedGate) -> Baseline:
    """Return what there is now under the name of the baseline that a gate was held against."""
    run = next((one for one in site.index.runs() if one.id == gate.run), None)
    file = None if run is None else site.baselines.find(run.results, gate.baseline)
    return Baseline() if file is None else Baseline(there=True, fingerprint=file.fingerprint)


def _notices(
    gates: tuple[Sequence[RecordedGate], Sequence[RecordedGate], Sequence[RecordedGate]],
    chosen: RecordedGate | None,
    address: GatesAddress,
) -> tuple[NoticeView, ...]:
    """Return what stands in the place of verdicts where none fits."""
    every, of_eval, fitting = gates
    found = []
    if address.run and chosen is None:
        of = f" of {address.eval}" if address.eval else ""
        nth = f" number {address.nth}" if address.nth else ""
        links = [LinkView("The newest gate", address.url(run="", nth=0))]
        if address.nth and any(gate.run == address.run for gate in of_eval):
            links.insert(0, LinkView("The last gate of this run", address.url(nth=0)))
        found.append(NoticeView(f"Run {address.run} has no gate{nth}{of}", links=tuple(links)))
    if not fitting:
        found.append(_nothing_fits(every, of_eval, address))
    return tuple(found)


def _none_yet(address: GatesAddress, *, has_baseline: bool) -> NoticeView:
    named = f"Run {address.run} was" if address.run else "No run was"
    head = f"{named} put through {'no' if address.run else 'a'} gate yet"
    text = (
        "A gate holds a run against rules, most of them against a baseline. Choose one, write rules into the "
        "spec, and run: the verdict is kept with the run and shown here."
    )
    first = "" if has_baseline else f"regrade baseline set {_USUAL} latest\n"
    return NoticeView(head, text, command=f"{first}regrade run evals --gate")


def _nothing_fits(
    every: Sequence[RecordedGate], of_eval: Sequence[RecordedGate], address: GatesAddress
) -> NoticeView:
    links = []
    if address.outcome != "any" and of_eval:
        text = f"Without outcome = {address.outcome}: {len(of_eval)}"
        links.append(LinkView(text, address.url(outcome="any", after="")))
    if address.eval:
        text = f"Without eval = {address.eval}: {len(every)}"
        links.append(LinkView(text, address.url(eval="", outcome="any", after="")))
    links.append(LinkView("Clear all", GatesAddress().url()))
    return NoticeView("No gate fits these filters", links=tuple(links))


PAGES = (Page(GatesAddress, show, place="Gates", front=True),)
